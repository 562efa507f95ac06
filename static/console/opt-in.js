// @ts-check
"use strict";

/* The opt-in's form: tells the preview what it says, and which colours are too weak. */

const form = /** @type {HTMLFormElement} */ (document.getElementById("optin_form"));
const preview = /** @type {HTMLElement} */ (document.querySelector(".preview"));
const screen_ = /** @type {HTMLElement} */ (preview.querySelector(".opt-in-screen"));
const frame = /** @type {HTMLIFrameElement} */ (preview.querySelector("iframe"));
const help = JSON.parse(document.getElementById("opt-in-help")?.textContent ?? "{}");
/** @type {Record<string, string>} */
const chosen = { look: "light", size: "desk", step: "ask" };
let language = 0;

/** @param {string} name */
const field = (name) => /** @type {HTMLInputElement | null} */ (form.elements.namedItem(name));
/** @param {string} name */
const say = (name) => field(name)?.value.trim() ?? "";

/** The prefixes of an inline's rows that are not deleted. @param {string} inline @param {string} first */
function rows(inline, first) {
  const prefixes = [];
  for (let number = 0; field(`${inline}-${number}-${first}`); number += 1) {
    if (!field(`${inline}-${number}-DELETE`)?.checked) prefixes.push(`${inline}-${number}`);
  }
  return prefixes;
}

/** @param {string} prefix @param {string} tag */
function interestName(prefix, tag) {
  const line = say(`${prefix}-names`).split("\n").find((one) => one.split(":")[0].trim() === tag);
  return line ? line.slice(line.indexOf(":") + 1).trim() : say(`${prefix}-name`);
}

function asked() {
  const texts = rows("texts", "language");
  language = Math.min(language, Math.max(0, texts.length - 1));
  const text = texts[language];
  const tag = say(`${text}-language`);
  const words = Object.fromEntries(["title", "message", "yes", "no", "label", "privacy", "privacy_link"].map((name) => [name, say(`${text}-${name}`)]));
  return {
    look: {
      kind: say("kind"),
      position: say("position"),
      logo: /^https?:\/\/\S+$/.test(say("logo")) ? say("logo") : "",
      light: [say("background"), say("ink"), say("accent")],
      dark: [say("dark_background"), say("dark_ink"), say("dark_accent")],
      preview: chosen.look,
    },
    language: tag || "en",
    words,
    help: help[tag.split("-")[0]] ?? help.en,
    interests: rows("interests", "name").filter((one) => say(`${one}-name`)).map((one) => ({ key: one, name: interestName(one, tag) })),
    textVersion: 0,
  };
}

/** Relative luminance (WCAG 2.2). @param {string} colour */
function luminance(colour) {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const channel = parseInt(colour.slice(at, at + 2), 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** @param {string} one @param {string} other */
function contrast(one, other) {
  const [brighter, darker] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (brighter + 0.05) / (darker + 0.05);
}

/** @param {any} look */
function weak(look) {
  return ["light", "dark"].flatMap((name) => {
    const [background, ink, accent] = look[name];
    const told = (/** @type {string | undefined} */ sentence) => (sentence ?? "").replace("{look}", preview.dataset[name] ?? name);
    return [
      ...(contrast(ink, background) < 4.5 ? [told(preview.dataset.weakText)] : []),
      ...(contrast(accent, background) < 3 ? [told(preview.dataset.weakButtons)] : []),
    ];
  });
}

function drawLanguages() {
  const texts = rows("texts", "language");
  const languages = /** @type {HTMLElement} */ (preview.querySelector(".preview-languages"));
  languages.hidden = texts.length < 2;
  languages.replaceChildren(
    ...texts.map((prefix, index) => {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: say(`${prefix}-language`) || "?" });
      button.setAttribute("aria-pressed", String(index === language));
      button.addEventListener("click", () => ((language = index), drawAll()));
      return button;
    }),
  );
}

function drawAll() {
  const said = asked();
  drawLanguages();
  screen_.dataset.size = chosen.size;
  frame.contentWindow?.postMessage({ asked: said, step: chosen.step }, location.origin);
  const warnings = /** @type {HTMLElement} */ (preview.querySelector(".warnings"));
  warnings.replaceChildren(...weak(said.look).map((text) => Object.assign(document.createElement("li"), { className: "warning", textContent: text })));
}

for (const button of /** @type {NodeListOf<HTMLElement>} */ (preview.querySelectorAll("[data-set]"))) {
  button.addEventListener("click", () => {
    const { set = "", to = "" } = button.dataset;
    chosen[set] = to;
    preview.querySelectorAll(`[data-set=${set}]`).forEach((one) => one.setAttribute("aria-pressed", String(one === button)));
    drawAll();
  });
}
addEventListener("message", (event) => event.source === frame.contentWindow && event.origin === location.origin && drawAll());
form.addEventListener("input", drawAll);
document.addEventListener("formset:added", drawAll);
document.addEventListener("formset:removed", drawAll);
drawAll();
