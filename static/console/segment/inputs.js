// @ts-check

/* The inputs of the segment builder. Each is an element, and what it says: undefined where it says nothing. */

/** @typedef {{ value: any, label: string }} Choice */
/** @typedef {{ element: HTMLElement, value: () => any }} Input */

/** @param {string} tag @param {Record<string, any>} attributes @param {(Node | string)[]} children */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== undefined && value !== false) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** @param {string} label @param {Choice[]} choices @param {any} value @returns {HTMLSelectElement} */
export function select(label, choices, value) {
  const options = choices.map((one) => make("option", { value: one.value, selected: String(one.value) === String(value) }, one.label));
  return /** @type {HTMLSelectElement} */ (make("select", { "aria-label": label }, ...options));
}

let lists = 0;

/** A text, with values that really occur to choose from.
 * @param {string} label @param {any} value @param {(() => Promise<Choice[]>) | undefined} offered @param {string} placeholder @returns {Input} */
export function text(label, value, offered, placeholder = "") {
  const input = /** @type {HTMLInputElement} */ (make("input", { type: "text", "aria-label": label, placeholder, value: value ?? "", autocomplete: "off" }));
  if (!offered) return { element: input, value: () => input.value.trim() || undefined };
  const list = make("datalist", { id: `segment-offered-${(lists += 1)}` });
  input.setAttribute("list", list.id);
  input.addEventListener("focus", async () => list.replaceChildren(...(await offered()).map((one) => make("option", { value: one.value }))));
  return { element: make("span", { class: "segment-text" }, input, list), value: () => input.value.trim() || undefined };
}

/** @param {string} label @param {any} value @param {Record<string, any>} more @returns {Input} */
export function number(label, value, more = {}) {
  const input = /** @type {HTMLInputElement} */ (make("input", { type: "number", "aria-label": label, value: typeof value === "number" ? value : undefined, ...more }));
  return { element: input, value: () => (input.value === "" ? undefined : Number(input.value)) };
}

/** Several values, one a line. @param {string} label @param {any} value @param {string} placeholder @param {(line: string) => any} read @returns {Input} */
export function lines(label, value, placeholder, read) {
  const area = /** @type {HTMLTextAreaElement} */ (make("textarea", { "aria-label": label, placeholder, rows: 3 }));
  area.value = (Array.isArray(value) ? value : []).join("\n");
  const said = () => area.value.split("\n").map((line) => line.trim()).filter(Boolean).map(read);
  return { element: area, value: () => (said().length ? said() : undefined) };
}

/** One of some, or some of them. What ``offered`` brings comes later. An empty first one stands for no choice.
 * @param {string} label @param {any} value @param {Promise<Choice[]>} offered @param {{ several?: boolean, none?: string, numbers?: boolean }} how @returns {Input} */
export function choice(label, value, offered, { several = false, none = "", numbers = false }) {
  const kept = (Array.isArray(value) ? value : [value]).filter((one) => one !== undefined && one !== "").map(String);
  const box = /** @type {HTMLSelectElement} */ (make("select", { "aria-label": label, multiple: several, size: several ? 4 : undefined }));
  const fill = (/** @type {Choice[]} */ choices) => {
    const known = choices.map((one) => String(one.value));
    const unknown = kept.filter((one) => !known.includes(one)).map((one) => ({ value: one, label: numbers ? `#${one}` : one }));
    const all = [...(none && !several ? [{ value: "", label: none }] : []), ...choices, ...unknown];
    box.replaceChildren(...all.map((one) => make("option", { value: one.value, selected: kept.includes(String(one.value)) }, one.label)));
  };
  fill([]);
  offered.then(fill);
  const read = (/** @type {string} */ one) => (numbers ? Number(one) : one);
  const said = () => [...box.selectedOptions].map((one) => one.value).filter(Boolean).map(read);
  return { element: box, value: () => (several ? (said().length ? said() : undefined) : said()[0]) };
}

/** @param {Record<string, string>} words @param {any} value @returns {Input} */
export function yesOrNo(words, value) {
  const box = select(words.value, [{ value: "true", label: words.yes }, { value: "false", label: words.no }], value === false ? "false" : "true");
  return { element: box, value: () => box.value === "true" };
}

/** A number with its unit, or, with ``fixed``, a date or time: {"daysAgo": 7} or "2026-05-01T09:00:00Z".
 * @param {Record<string, string>} words @param {any} value @param {string[]} units @param {"date" | "datetime-local"} fixed @returns {Input} */
export function moment(words, value, units, fixed) {
  const relative = value && typeof value === "object";
  const unit = relative ? Object.keys(value)[0] : typeof value === "string" ? "fixed" : units[0];
  const amount = number(words.amount, relative ? value[unit] : 7, { min: 0, step: 1, class: "segment-short" });
  const date = /** @type {HTMLInputElement} */ (make("input", { type: fixed, "aria-label": words.value }));
  if (typeof value === "string") date.value = fixed === "date" ? value.slice(0, 10) : local(new Date(value));
  const box = select(words.unit, [...units, "fixed"].map((one) => ({ value: one, label: words[one] })), unit);
  const show = () => {
    amount.element.hidden = box.value === "fixed";
    date.hidden = box.value !== "fixed";
  };
  box.addEventListener("change", show);
  show();
  const at = () => (date.value ? (fixed === "date" ? date.value : new Date(date.value).toISOString()) : undefined);
  const far = () => (amount.value() === undefined ? undefined : { [box.value]: amount.value() });
  return { element: make("span", { class: "segment-several" }, amount.element, date, box), value: () => (box.value === "fixed" ? at() : far()) };
}

/** What a field for local times wants: 2026-05-01T09:00. @param {Date} date */
function local(date) {
  return Number.isNaN(date.getTime()) ? "" : new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** {"days": 30}, or nothing: ever. @param {Record<string, string>} words @param {any} value @returns {Input} */
export function period(words, value) {
  const unit = value ? Object.keys(value)[0] : "";
  const amount = number(words.amount, value ? value[unit] : 30, { min: 0, step: 1, class: "segment-short" });
  const box = select(words.within, [{ value: "", label: words.ever }, { value: "days", label: words.lastDays }, { value: "hours", label: words.lastHours }], unit);
  const show = () => (amount.element.hidden = !box.value);
  box.addEventListener("change", show);
  show();
  return { element: make("span", { class: "segment-several" }, box, amount.element), value: () => (box.value ? { [box.value]: amount.value() } : undefined) };
}
