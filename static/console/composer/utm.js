// @ts-check
/* Campaign parameters for web analytics. Links are changed as text: a URL object would encode placeholders. */
import { button, changed, dialog, field, labelled, make, say, texts, words } from "./form.js";

const NAMES = ["source", "medium", "campaign", "term", "content"];
const LINKS = ["link", "first_button_link", "second_button_link"];
/** @type {HTMLInputElement} */
let wanted;
const inputs = Object.fromEntries(NAMES.map((name) => [name, make("input", { type: "text", className: "vTextField", maxLength: 100 })]));
const all = make("input", { type: "checkbox", checked: true });
const result = make("code", { className: "long" });
const box = dialog(
  words.utm,
  ...NAMES.map((name) => labelled(`utm_${name}`, inputs[name])),
  make("label", { className: "dialog-check" }, all, ` ${words.utmAll}`),
  make("p", {}, result),
  make("div", { className: "actions" }, button(words.utmSet, put, "button default")),
);

/** The link with the parameters that are filled in, and without those that are not. @param {string} link */
export function withUtm(link, values = Object.fromEntries(NAMES.map((name) => [name, inputs[name].value.trim()]))) {
  const [page, ...fragment] = link.split("#");
  const [path, ...query] = page.split("?");
  const kept = query.join("?").split("&").filter((one) => one && !NAMES.some((name) => one.startsWith(`utm_${name}=`)));
  const added = NAMES.filter((name) => values[name]).map((name) => `utm_${name}=${encodeURIComponent(values[name])}`);
  const asked = [...kept, ...added].join("&");
  return [`${path}${asked ? `?${asked}` : ""}`, ...fragment].join("#");
}

function put() {
  const links = all.checked ? texts().flatMap((prefix) => LINKS.map((name) => field(`${prefix}-${name}`))) : [wanted];
  for (const input of links) {
    if (!input?.value.trim()) continue;
    input.value = withUtm(input.value.trim());
    changed(input);
  }
  box.close();
  wanted.focus();
}

box.addEventListener("input", () => (result.textContent = withUtm(wanted.value.trim())));

/** @param {HTMLInputElement} input */
export function buildUtm(input) {
  wanted = input;
  const present = Object.fromEntries((input.value.split("#")[0].split("?")[1] ?? "").split("&").map((one) => one.split("=")));
  const title = say(input.name.replace(/-[a-z_]+$/, "-title")).toLowerCase();
  /** @type {Record<string, string>} */
  const usual = { source: "web-push", medium: "push", campaign: title.normalize("NFKD").replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "").slice(0, 60) };
  for (const name of NAMES) inputs[name].value = present[`utm_${name}`] ? decoded(present[`utm_${name}`]) : (usual[name] ?? "");
  result.textContent = withUtm(input.value.trim());
  box.showModal();
  inputs.source.focus();
}

/** @param {string} value */
function decoded(value) {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
