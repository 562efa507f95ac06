// @ts-check
/* Placeholders from a list: what the website's recipients really have, with a fallback for those who don't. */
import { ask, button, dialog, insert, labelled, make, notice, say, tell, urls, words } from "./form.js";

const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;
/** @type {HTMLInputElement} */
let wanted;
const name = make("input", { type: "text", className: "vTextField", spellcheck: false, autocapitalize: "none" });
const fallback = make("input", { type: "text", className: "vTextField", maxLength: 200 });
const names = make("div", { className: "choices", role: "group", "aria-label": words.placeholderNames });
const problem = notice();
const result = make("code");
const box = dialog(
  words.placeholder,
  names,
  labelled(words.placeholderName, name),
  labelled(words.fallback, fallback),
  make("p", { className: "quiet", textContent: words.fallbackHelp }),
  make("p", {}, result),
  problem,
  make("div", { className: "actions" }, button(words.insert, put, "button default")),
);

const written = () => `{{ ${name.value.trim()}${fallback.value ? ` | "${fallback.value.replace(/["{}]/g, "")}"` : ""} }}`;

function put() {
  if (!NAME.test(name.value.trim())) return tell(problem, words.placeholderForm);
  box.close();
  insert(wanted, written());
}

function draw() {
  tell(problem, "");
  result.textContent = name.value.trim() ? written() : "";
}

box.addEventListener("input", draw);
box.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.target instanceof HTMLInputElement) (event.preventDefault(), put());
});

/** @param {HTMLInputElement} input */
export async function pickPlaceholder(input) {
  wanted = input;
  names.replaceChildren(make("span", { className: "quiet", textContent: words.loading }));
  box.showModal();
  name.focus();
  draw();
  const said = await ask(`${urls.placeholders}?website=${encodeURIComponent(say("website"))}`);
  const found = (said.names ?? []).map((/** @type {string} */ one) => button(one, () => ((name.value = one), draw(), fallback.focus()), "choice"));
  names.replaceChildren(...(found.length ? found : [make("span", { className: "quiet", textContent: said.problem || words.noNames })]));
}
