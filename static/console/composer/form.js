// @ts-check
/* The composer's form: its fields, its texts, and how the other modules speak to the server and to people. */

export const form = /** @type {HTMLFormElement} */ (document.querySelector("#pushmessage_form, #messagetemplate_form"));

/** @typedef {{key: string, name: string, browser: string, title: number, body: number, image: boolean, buttons: boolean}} Platform */
const told = JSON.parse(document.getElementById("composer-data")?.textContent ?? "{}");
/** @type {Record<string, string>} */
export const words = told.words;
/** @type {Record<string, string>} */
export const urls = told.urls;
/** @type {Platform[]} */
export const platforms = told.platforms;

/** @param {string} name */
export const field = (name) => /** @type {HTMLInputElement | null} */ (form.elements.namedItem(name));
/** @param {string} name */
export const say = (name) => field(name)?.value.trim() ?? "";

/** The prefixes of the texts that are not to be deleted: texts-0, texts-1, … */
export function texts() {
  const prefixes = [];
  for (let number = 0; field(`texts-${number}-title`); number += 1) {
    if (!field(`texts-${number}-DELETE`)?.checked) prefixes.push(`texts-${number}`);
  }
  return prefixes;
}

/** Which text it is: its language, and the variant if that isn't the first. @param {string} prefix */
export const label = (prefix) => `${say(`${prefix}-language`) || "?"}${say(`${prefix}-variant`) === "B" ? " · B" : ""}`;

/** What the server says, and whether it did as asked. @param {string} url @param {FormData} [body] @param {AbortSignal} [signal] @returns {Promise<any>} */
export async function ask(url, body, signal) {
  const headers = { "X-CSRFToken": say("csrfmiddlewaretoken"), "X-Requested-With": "fetch" };
  const answer = await fetch(url, body ? { method: "POST", body, headers, signal } : { headers, signal });
  const isJson = answer.headers.get("Content-Type")?.startsWith("application/json");
  const said = isJson && !answer.redirected ? await answer.json() : {};
  const problem = answer.ok && isJson ? "" : said.problem || (answer.status === 403 ? words.forbidden : words.failed);
  return { ...said, problem };
}

/** Puts words where the cursor is. @param {HTMLInputElement} input @param {string} said */
export function insert(input, said) {
  input.setRangeText(said, input.selectionStart ?? input.value.length, input.selectionEnd ?? input.value.length, "end");
  changed(input);
  input.focus();
}

/** @param {HTMLInputElement} input */
export const changed = (input) => input.dispatchEvent(new Event("input", { bubbles: true }));

/**
 * An element with properties, and what it holds.
 * @param {string} tag @param {Record<string, any>} [about] @param {...(Node | string)} held @returns {any}
 */
export function make(tag, about = {}, ...held) {
  const element = Object.assign(document.createElement(tag), about);
  for (const [name, value] of Object.entries(about)) if (name.includes("-")) element.setAttribute(name, value);
  element.append(...held);
  return element;
}

/** A button that submits nothing. @param {string} label @param {() => void} act @param {string} [look] */
export function button(label, act, look = "button secondary") {
  const element = make("button", { type: "button", className: look, textContent: label });
  element.addEventListener("click", act);
  return element;
}

let dialogs = 0;

/** A modal dialog. What is typed in it belongs to no form. @param {string} title @param {...(Node | string)} held @returns {HTMLDialogElement} */
export function dialog(title, ...held) {
  const id = `composer-dialog-${(dialogs += 1)}`;
  const close = button("×", () => box.close(), "dialog-close");
  close.setAttribute("aria-label", words.close);
  const box = make("dialog", { className: "composer-dialog", "aria-labelledby": id }, make("h2", { id, textContent: title }), close, ...held);
  document.body.append(box);
  return box;
}

/** A label with its input. @param {string} label @param {HTMLElement} input */
export const labelled = (label, input) => make("label", { className: "dialog-field" }, make("span", { textContent: label }), input);

/** Where a dialog says what went wrong. */
export const notice = () => make("p", { className: "warning", role: "alert", hidden: true });

/** @param {HTMLElement} place @param {string} sentence */
export function tell(place, sentence) {
  place.textContent = sentence;
  place.hidden = !sentence;
}
