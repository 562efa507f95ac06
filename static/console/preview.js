// @ts-check
"use strict";

/* The composer's live preview, and counters that colour and don't block. */

const form = /** @type {HTMLFormElement} */ (document.getElementById("pushmessage_form"));
const preview = /** @type {HTMLElement} */ (document.querySelector(".preview"));
const screen_ = /** @type {HTMLElement} */ (preview.querySelector(".screen"));
const languages = /** @type {HTMLElement} */ (preview.querySelector(".preview-languages"));
let platform = /** @type {HTMLElement} */ (preview.querySelector("[data-platform]"));
let chosen = 0;

/** @param {string} name */
const field = (name) => /** @type {HTMLInputElement | null} */ (form.elements.namedItem(name));

/** The prefixes of the texts that are not deleted: texts-0, texts-1, … */
function texts() {
  const prefixes = [];
  for (let number = 0; field(`texts-${number}-title`); number += 1) {
    if (!field(`texts-${number}-DELETE`)?.checked) prefixes.push(`texts-${number}`);
  }
  return prefixes;
}

/** @param {string} text @param {number} most */
const cut = (text, most) => (text.length > most ? `${text.slice(0, most - 1).trimEnd()}…` : text);

/** @param {string} link */
function origin(link) {
  try {
    return new URL(link).host;
  } catch {
    return "www.example.com";
  }
}

/** @param {string} value */
const picture = (value) => (/^https?:\/\/[^\s]+$/.test(value) ? value : "");

/** @param {Element} toast @param {string} prefix */
function draw(toast, prefix) {
  const say = (/** @type {string} */ name) => field(`${prefix}-${name}`)?.value.trim() ?? "";
  const set = (/** @type {string} */ part, /** @type {string} */ text) => {
    const place = toast.querySelector(part);
    if (place) place.textContent = text;
  };
  set(".toast-title", cut(say("title") || "…", Number(platform.dataset.title)));
  set(".toast-body", cut(say("message"), Number(platform.dataset.body)));
  set(".toast-origin", origin(say("link")));
  const icon = /** @type {HTMLImageElement} */ (toast.querySelector(".toast-icon"));
  icon.dataset.own ??= icon.src;
  icon.src = picture(field("icon")?.value ?? "") || icon.dataset.own;
  const image = /** @type {HTMLImageElement} */ (toast.querySelector(".toast-image"));
  image.hidden = !picture(field("image")?.value ?? "");
  if (!image.hidden) image.src = picture(field("image")?.value ?? "");
  const buttons = /** @type {HTMLElement} */ (toast.querySelector(".toast-buttons"));
  const labels = [say("first_button"), say("second_button")].filter(Boolean);
  buttons.replaceChildren(...labels.map((label) => Object.assign(document.createElement("span"), { textContent: label })));
}

function drawLanguages() {
  const prefixes = texts();
  chosen = Math.min(chosen, Math.max(0, prefixes.length - 1));
  languages.hidden = prefixes.length < 2;
  languages.replaceChildren(
    ...prefixes.map((prefix, index) => {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: field(`${prefix}-language`)?.value || "?" });
      button.setAttribute("aria-pressed", String(index === chosen));
      button.addEventListener("click", () => ((chosen = index), drawAll()));
      return button;
    }),
  );
  return prefixes[chosen];
}

function drawCounters() {
  for (const prefix of texts()) {
    for (const [name, most] of [["title", platform.dataset.title], ["message", platform.dataset.body]]) {
      const input = field(`${prefix}-${name}`);
      if (!input) continue;
      let counter = input.parentElement?.querySelector(".counter");
      if (!counter) {
        counter = Object.assign(document.createElement("span"), { className: "counter" });
        input.after(counter);
      }
      counter.textContent = `${input.value.length} / ${most}`;
      counter.classList.toggle("over", input.value.length > Number(most));
    }
  }
}

function drawAll() {
  const prefix = drawLanguages();
  if (prefix) screen_.querySelectorAll(".toast").forEach((toast) => draw(toast, prefix));
  drawCounters();
}

for (const button of preview.querySelectorAll(".preview-choice button")) {
  button.addEventListener("click", () => {
    platform.setAttribute("aria-pressed", "false");
    platform = /** @type {HTMLElement} */ (button);
    platform.setAttribute("aria-pressed", "true");
    screen_.dataset.platform = platform.dataset.platform;
    drawAll();
  });
}
form.addEventListener("input", drawAll);
document.addEventListener("formset:added", drawAll);
document.addEventListener("formset:removed", drawAll);
drawAll();
