// @ts-check
/* The live preview: how the chosen text looks on the chosen system, cut where it is cut there. */
import { field, form, label, make, platforms, say, texts, words } from "./form.js";

const preview = /** @type {HTMLElement} */ (document.querySelector(".preview"));
const screen_ = /** @type {HTMLElement} */ (preview.querySelector(".screen"));
const toast = /** @type {HTMLElement} */ (preview.querySelector(".toast"));
const languages = /** @type {HTMLElement} */ (preview.querySelector(".preview-languages"));
const PLACEHOLDER = /\{\{[ \t]*([A-Za-z_]\w{0,63})[ \t]*(?:\|[ \t]*"([^"{}]{0,200})"[ \t]*)?\}\}/gu;
let language = 0;
export let platform = platforms[0];

/** @param {string} part */
const place = (part) => /** @type {any} */ (toast.querySelector(`.toast-${part}`));
/** As somebody reads it of whom nothing is known. @param {string} said */
export const filled = (said) => said.replace(PLACEHOLDER, (_whole, name, fallback) => fallback ?? `‹${name}›`);
/** @param {string} said @param {number} most */
const cut = (said, most) => ([...said].length > most ? `${[...said].slice(0, most - 1).join("").trimEnd()}…` : said);

/** @param {string} link */
function host(link) {
  try {
    return new URL(link).host;
  } catch {
    return "www.example.com";
  }
}

/** @param {string} kind */
const picture = (kind) => (/^https?:\/\/\S+$/.test(say(kind)) ? say(kind) : "");

/** @param {string} part @param {string} address */
function show(part, address) {
  const image = place(part);
  if (image.hidden === !address && image.getAttribute("src") === address) return;
  image.hidden = !address;
  if (address) image.src = address;
}

/** @param {string} prefix */
function draw(prefix) {
  const isApp = platform.key === "iphone" || platform.key === "safari";
  place("title").textContent = cut(filled(say(`${prefix}-title`)) || "…", platform.title);
  place("body").textContent = cut(filled(say(`${prefix}-message`)), platform.body);
  place("origin").textContent = host(say(`${prefix}-link`));
  place("app").textContent = isApp ? "" : platform.browser;
  show("icon", picture("icon") || place("icon").dataset.own);
  show("image", platform.image ? picture("image") : "");
  const labels = [say(`${prefix}-first_button`), say(`${prefix}-second_button`)].filter(Boolean);
  place("buttons").replaceChildren(...(platform.buttons ? labels : []).map((label) => make("span", { textContent: filled(label) })));
}

function drawLanguages() {
  const prefixes = texts();
  language = Math.min(language, Math.max(0, prefixes.length - 1));
  languages.hidden = prefixes.length < 2;
  const isVaried = prefixes.some((prefix) => say(`${prefix}-variant`) === "B");
  document.querySelectorAll("fieldset.split").forEach((one) => one.toggleAttribute("hidden", !isVaried));
  const names = prefixes.map(label);
  if (names.join() !== languages.dataset.names) {
    languages.dataset.names = names.join();
    languages.replaceChildren(...names.map((textContent) => make("button", { type: "button", textContent })));
  }
  [...languages.children].forEach((one, index) => one.setAttribute("aria-pressed", String(index === language)));
  return prefixes[language];
}

export function drawAll() {
  const prefix = drawLanguages();
  if (prefix) draw(prefix);
}

/** @param {string} row @param {(chosen: HTMLElement) => void} act */
function choose(row, act) {
  preview.querySelector(row)?.addEventListener("click", (event) => {
    const chosen = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest("button"));
    if (!chosen) return;
    chosen.parentElement?.querySelectorAll("button").forEach((one) => one.setAttribute("aria-pressed", String(one === chosen)));
    act(chosen);
    form.dispatchEvent(new Event("preview"));
    drawAll();
  });
}

for (const part of ["icon", "image"]) {
  place(part).addEventListener("error", () => tellBroken(part, true));
  place(part).addEventListener("load", () => tellBroken(part, false));
}

/** @param {string} part @param {boolean} isBroken */
function tellBroken(part, isBroken) {
  const input = field(part);
  if (!input) return;
  const line = input.closest(".form-row")?.querySelector(".broken") ?? make("p", { className: "warning broken", role: "status" });
  line.textContent = isBroken && picture(part) ? words.broken : "";
  if (!line.isConnected) input.closest(".form-row")?.append(line);
}

choose(".preview-platforms", (chosen) => {
  platform = platforms.find((one) => one.key === chosen.dataset.platform) ?? platform;
  screen_.dataset.platform = platform.key;
});
choose(".preview-look", (chosen) => toast.classList.toggle("dark", chosen.dataset.look === "dark"));
choose(".preview-languages", (chosen) => (language = [...languages.children].indexOf(chosen)));
if (matchMedia("(prefers-color-scheme: dark)").matches) /** @type {HTMLElement} */ (preview.querySelector("[data-look=dark]")).click();
