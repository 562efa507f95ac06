// @ts-check
"use strict";

/* The automation as a sentence: a form over the JSON of the field, which stays what is sent. Without this
   script the JSON itself is edited. What the sentence can't say (own conditions) is kept as it stands. */

const area = /** @type {HTMLTextAreaElement} */ (document.getElementById("id_definition"));
const known = JSON.parse(document.getElementById("automation-editor")?.textContent ?? "{}");
const words = known.words;
const KINDS = ["event", "page", "subscribed", "interest", "attribute", "date", "inactivity", "every", "feed"];
const DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const UNITS = ["minutes", "hours", "days"];
const FRESH = {
  event: { name: "order" }, page: { path: "/" }, subscribed: {}, interest: { name: "" }, attribute: { name: "" },
  date: { attribute: "birthday", every: "year", at: "09:00" }, inactivity: { days: 30 },
  every: { days: ["monday"], at: "09:00" }, feed: { url: "https://" },
};
const STEPS = {
  wait: () => ({ wait: { hours: 1 } }), until: () => ({ wait: { until: "09:00" } }),
  waitEvent: () => ({ wait: { event: { kind: "event", name: "order" }, timeout: { hours: 24 } } }),
  if: () => ({ if: { segment: segments()[0]?.id ?? 0 } }), send: () => ({ send: { template: templates()[0]?.id ?? 0 } }),
};

/** @type {any} */
let rule = null;
const box = document.createElement("div");
box.className = "sentence";

const website = () => /** @type {HTMLSelectElement|null} */ (document.getElementById("id_website"))?.value;
const ofWebsite = (list) => list.filter((one) => !website() || String(one.website) === website());
const templates = () => ofWebsite(known.templates);
const segments = () => ofWebsite(known.segments);

/** @param {string} tag @param {Record<string, any>} members @param {(Node|string)[]} inside */
function make(tag, members = {}, ...inside) {
  const element = Object.assign(document.createElement(tag), members);
  element.append(...inside);
  return element;
}

function changed(redraw = false) {
  area.value = JSON.stringify(rule, null, 2);
  if (redraw) draw();
}

/** A choice. @param {[string, string][]} options @param {(value: string) => void} set */
function choice(label, value, options, set) {
  const select = make("select", { onchange: () => { set(select.value); changed(true); } });
  select.setAttribute("aria-label", label);
  for (const [key, text] of options) select.append(make("option", { value: key, textContent: text, selected: String(key) === String(value) }));
  return select;
}

/** A field that stands in the member of an object. */
function field(owner, name, label, type = "text") {
  const input = make("input", { type, value: owner[name] ?? "" });
  if (type === "number") Object.assign(input, { min: "0", step: "1" });
  input.addEventListener("input", () => {
    owner[name] = type === "number" ? Math.trunc(Number(input.value)) : input.value;
    changed();
  });
  return make("label", {}, `${label} `, input);
}

/** A duration: {"hours": 1}. @param {any} owner */
function duration(owner, name) {
  const said = owner[name];
  const unit = UNITS.find((one) => one in said) ?? "hours";
  const number = make("input", { type: "number", min: "0", value: String(Math.abs(said[unit] ?? 1)) });
  number.setAttribute("aria-label", words[unit]);
  number.addEventListener("input", () => { owner[name] = { [unit]: Math.trunc(Number(number.value)) }; changed(); });
  const units = choice(words[unit], unit, UNITS.map((one) => [one, words[one]]), (other) => { owner[name] = { [other]: Math.trunc(Number(number.value)) }; });
  return [number, units];
}

function when() {
  const said = rule.when;
  const parts = [make("strong", { textContent: words.when }), choice(words.when, said.kind, KINDS.map((kind) => [kind, words[kind]]), (kind) => { rule.when = { kind, ...FRESH[kind] }; })];
  if (["event", "interest", "attribute"].includes(said.kind)) parts.push(field(said, "name", words.name));
  if (said.kind === "page") parts.push(field(said, "path", words.path));
  if (said.kind === "feed") parts.push(field(said, "url", words.url, "url"));
  if (said.kind === "inactivity") parts.push(field(said, "days", words.days, "number"));
  if (said.kind === "date") parts.push(...date(said));
  if (said.kind === "every") parts.push(...weekdays(said), field(said, "at", words.at, "time"));
  return make("div", {}, ...parts);
}

function date(said) {
  const unit = UNITS.find((one) => one in (said.offset ?? {})) ?? "days";
  const far = said.offset?.[unit] ?? 0;
  const set = (amount, one) => { said.offset = { [one]: amount }; changed(); };
  const number = make("input", { type: "number", min: "0", value: String(Math.abs(far)) });
  number.setAttribute("aria-label", words[unit]);
  let sign = far > 0 ? 1 : -1;
  number.addEventListener("input", () => set(sign * Math.trunc(Number(number.value)), unit));
  const yearly = make("input", { type: "checkbox", checked: "every" in said });
  yearly.addEventListener("change", () => { if (yearly.checked) said.every = "year"; else delete said.every; changed(); });
  return [
    field(said, "attribute", words.name), number,
    choice(words[unit], unit, UNITS.map((one) => [one, words[one]]), (one) => set(far, one)),
    choice(words.before, sign < 0 ? "-" : "+", [["-", words.before], ["+", words.after]], (value) => { sign = value === "-" ? -1 : 1; set(sign * Math.abs(Number(number.value)), unit); }),
    field(said, "at", words.at, "time"), make("label", {}, yearly, ` ${words.yearly}`),
  ];
}

function weekdays(said) {
  return DAYS.map((day) => {
    const tick = make("input", { type: "checkbox", checked: said.days.includes(day) });
    tick.addEventListener("change", () => { said.days = DAYS.filter((one) => (one === day ? tick.checked : said.days.includes(one))); changed(); });
    return make("label", {}, tick, ` ${words[day]}`);
  });
}

/** Everybody, a segment, or the conditions that stand there already. */
function audience(owner, label, mayBeNone) {
  const said = owner.if;
  const own = said && !("segment" in said);
  const options = segments().map((one) => [String(one.id), one.name]);
  if (mayBeNone) options.unshift(["", words.everybody]);
  if (own) options.unshift(["own", words.own]);
  return choice(label, own ? "own" : (said?.segment ?? ""), options, (value) => {
    if (value === "") delete owner.if;
    else if (value !== "own") owner.if = { segment: Number(value) };
  });
}

function unless() {
  const said = rule.unless?.[0];
  const input = make("input", { type: "text", value: said?.name ?? said?.path ?? "", placeholder: words.nothing });
  input.addEventListener("input", () => {
    const rest = (rule.unless ?? []).slice(1);
    const name = input.value.trim();
    const first = name.startsWith("/") ? { kind: "page", path: name } : { ...(said?.kind === "event" ? said : {}), kind: "event", name };
    rule.unless = name ? [first, ...rest] : rest;
    if (!rule.unless.length) delete rule.unless;
    changed();
  });
  return make("div", {}, make("label", {}, `${words.unless} `, input));
}

function stepParts(step) {
  if (step.wait && "until" in step.wait) return [make("strong", { textContent: words.until }), field(step.wait, "until", "", "time")];
  if (step.wait && "event" in step.wait) {
    const ends = make("input", { type: "checkbox", checked: step.wait.onTimeout === "end" });
    ends.addEventListener("change", () => { step.wait.onTimeout = ends.checked ? "end" : "continue"; changed(); });
    const event = step.wait.event;
    return [make("strong", { textContent: words.waitEvent }), field(event, event.kind === "page" ? "path" : "name", words.name), ...duration(step.wait, "timeout"), make("label", {}, ends, ` ${words.orEnd}`)];
  }
  if (step.wait) return [make("strong", { textContent: words.wait }), ...duration(step, "wait")];
  if (step.if) return [make("strong", { textContent: words.if }), audience(step, words.if, false)];
  const urgent = make("input", { type: "checkbox", checked: Boolean(step.send.transactional) });
  urgent.addEventListener("change", () => { if (urgent.checked) step.send.transactional = true; else delete step.send.transactional; changed(); });
  const hours = make("input", { type: "number", min: "0", value: step.send.validFor?.hours ?? "" });
  hours.addEventListener("input", () => {
    if (Number(hours.value) > 0) step.send.validFor = { hours: Math.trunc(Number(hours.value)) };
    else delete step.send.validFor;
    changed();
  });
  return [
    make("strong", { textContent: words.send }),
    choice(words.template, step.send.template, templates().map((one) => [String(one.id), one.name]), (value) => { step.send.template = Number(value); }),
    make("label", {}, urgent, ` ${words.transactional}`), make("label", {}, `${words.validFor} `, hours),
  ];
}

function move(from, to) {
  const [step] = rule.steps.splice(from, 1);
  if (to !== null) rule.steps.splice(to, 0, step);
  changed(true);
}

function tool(sign, label, act, disabled = false) {
  const button = make("button", { type: "button", textContent: sign, title: label, onclick: act, disabled });
  button.setAttribute("aria-label", label);
  return button;
}

function draw() {
  const list = make("ol");
  rule.steps.forEach((step, place) => {
    const named = `${words.step} ${place + 1}`;
    const tools = make("span", { className: "step-tools" },
      tool("↑", `${named}: ${words.up}`, () => move(place, place - 1), place === 0),
      tool("↓", `${named}: ${words.down}`, () => move(place, place + 1), place === rule.steps.length - 1),
      tool("×", `${named}: ${words.remove}`, () => move(place, null)));
    list.append(make("li", {}, ...stepParts(step), tools));
  });
  const adds = ["send", "wait", "until", "waitEvent", "if"].map((kind) =>
    make("button", { type: "button", textContent: `+ ${words[kind]}`, onclick: () => { rule.steps.push(STEPS[kind]()); changed(true); } }));
  box.replaceChildren(when(),
    make("div", {}, make("strong", { textContent: words.only }), audience(rule, words.only, true)),
    unless(), make("div", {}, make("strong", { textContent: words.then })), list, make("div", {}, ...adds));
}

/** Draws the sentence, if the JSON is one that it can say. */
function read() {
  try {
    rule = JSON.parse(area.value || "null") ?? { when: { kind: "event", name: "order" }, steps: [] };
    draw();
    box.hidden = false;
    return true;
  } catch {
    box.hidden = true;
    return false;
  }
}

if (area && !area.readOnly) {
  const details = make("details", {}, make("summary", { textContent: words.json }));
  const help = document.getElementById("id_definition_helptext") ?? "";
  area.replaceWith(make("div", { className: "sentence-field" }, box, details));
  details.append(area, help);
  details.open = !read();
  area.addEventListener("input", read);
  document.getElementById("id_website")?.addEventListener("change", read);
}
