// @ts-check

import { choice, lines, make, moment, number, period, select, text, yesOrNo } from "./inputs.js";

/* One condition: what to look at, what narrows it, how it compares, and with what. */

/** @typedef {import("./inputs.js").Input} Input */
/** @typedef {{ catalogue: any, words: Record<string, string>, offered: (of: string, name?: string) => Promise<any[]>, changed: () => void }} Builder */

const AGO = ["daysAgo", "hoursAgo", "daysAhead", "hoursAhead"];
const DAYS = ["daysAgo", "daysAhead"];

/** The operators, inputs and facts that conditions and an event's properties have in common. */
class Facts {
  /** @param {Builder} builder @param {any} facts @param {any} field */
  constructor(builder, facts, field) {
    this.builder = builder;
    this.facts = { ...facts };
    this.field = field;
    /** @type {Map<string, Input>} */
    this.inputs = new Map();
    this.place = make("span", { class: "segment-inputs" });
    this.place.addEventListener("change", (event) => this.onChange(/** @type {HTMLElement} */ (event.target)));
    this.draw();
  }

  get typed() {
    return this.field.operators === null;
  }

  get type() {
    const { types } = this.builder.catalogue;
    return types.find((/** @type {any} */ one) => one.value === this.facts.type) ?? types[0];
  }

  get operators() {
    return this.typed ? this.type.operators : this.field.operators;
  }

  draw() {
    const { words } = this.builder;
    this.inputs.clear();
    if (this.has("name")) this.inputs.set("name", text(words.name, this.facts.name, () => this.names(), words.name));
    for (const member of ["product", "page"]) {
      if (this.has(member)) this.inputs.set(member, text(words[member], this.facts[member], () => this.builder.offered(this.field.suggested[member]), words[member]));
    }
    if (this.has("message")) {
      this.inputs.set("message", choice(words.message, this.facts.message, this.builder.offered("messages"), { none: words.anyMessage, numbers: true }));
    }
    if (this.typed) this.inputs.set("type", asInput(select(words.type, this.builder.catalogue.types, this.type.value)));
    const op = this.operators.some((/** @type {any} */ one) => one.value === this.facts.op) ? this.facts.op : this.counts ? "atLeast" : this.operators[0].value;
    this.facts.op = op;
    this.inputs.set("op", asInput(select(words.operator, this.operators, op)));
    if (op !== "exists") this.inputs.set("value", this.valueInput(op));
    if (this.has("within")) this.inputs.set("within", period(words, this.facts.within));
    this.place.replaceChildren(...[...this.inputs.values()].map((one) => one.element));
  }

  /** @param {string} member */
  has(member) {
    return this.field.members.includes(member);
  }

  get counts() {
    return this.field.kind === "whole";
  }

  /** @param {string} op @returns {Input} */
  valueInput(op) {
    const { words } = this.builder;
    const kind = this.typed ? this.type.value : this.field.kind;
    const { value } = this.facts;
    const several = op === "in";
    if (kind === "choice") return choice(words.value, value, Promise.resolve(this.field.choices), { several });
    if (kind === "numbered") return choice(words.value, value, this.builder.offered(this.field.suggested.value), { several, numbers: true, none: words.choose });
    if (kind === "boolean") return yesOrNo(words, value);
    if (kind === "date") return moment(words, value, DAYS, "date");
    if (kind === "time") return moment(words, value, AGO, "datetime-local");
    if (kind === "whole") return number(words.value, value ?? 1, { min: 0, step: 1, class: "segment-short" });
    if (several) return lines(words.values, value, words.values, kind === "number" ? Number : String);
    if (kind === "number") return number(words.value, value, { step: "any" });
    return text(words.value, value, this.field.suggested.value && (() => this.builder.offered(this.field.suggested.value, this.inputs.get("name")?.value() ?? "")));
  }

  names() {
    return this.builder.offered(this.field.suggested.name);
  }

  /** What depends on what was chosen is drawn anew; the focus stays. @param {HTMLElement} target */
  async onChange(target) {
    const changed = [...this.inputs].find(([, input]) => input.element.contains(target))?.[0] ?? "";
    const before = this.facts;
    this.facts = this.read();
    if (changed === "name" && this.typed) {
      const known = (await this.names()).find((one) => one.value === this.facts.name);
      if (known?.type && known.type !== before.type) this.redraw({ type: known.type, value: undefined });
    }
    const isAnother = "value" in this.facts === (this.facts.op === "exists") || (before.op === "in") !== (this.facts.op === "in");
    if (changed === "type" || (changed === "op" && isAnother)) this.redraw({ value: undefined });
    this.builder.changed();
  }

  /** @param {any} facts */
  redraw(facts) {
    const focused = [...this.inputs].find(([, input]) => input.element.contains(document.activeElement))?.[0];
    Object.assign(this.facts, facts);
    this.draw();
    const element = this.inputs.get(focused ?? "")?.element;
    (element?.querySelector("input, select") ?? element)?.focus();
  }

  /** As the segment's JSON has it; a text that is missing is told by the server. @returns {any} */
  read() {
    const said = [...this.inputs].map(([name, input]) => [name, input.value()]);
    return Object.fromEntries(said.filter(([, value]) => value !== undefined));
  }
}

/** @param {HTMLSelectElement} box @returns {Input} */
const asInput = (box) => ({ element: box, value: () => box.value });

/** A property that the event must have: looks like an attribute. */
class Property extends Facts {
  /** @param {Builder} builder @param {any} facts @param {() => string} eventName */
  constructor(builder, facts, eventName) {
    super(builder, facts, { operators: null, members: ["name"], suggested: {} });
    this.eventName = eventName;
  }

  names() {
    return this.builder.offered("properties", this.eventName());
  }
}

export class Row {
  /** @param {Builder} builder @param {any} tree @param {boolean} negated @param {(row: Row) => void} remove */
  constructor(builder, tree, negated, remove) {
    const { words, catalogue } = builder;
    this.builder = builder;
    this.fields = new Map(catalogue.groups.flatMap((/** @type {any} */ group) => group.fields.map((/** @type {any} */ one) => [one.value, one])));
    const options = catalogue.groups.map((/** @type {any} */ group) => make("optgroup", { label: group.label }, ...group.fields.map((/** @type {any} */ one) => make("option", { value: one.value }, one.label))));
    this.box = /** @type {HTMLSelectElement} */ (make("select", { "aria-label": words.field, class: "segment-field" }, ...options));
    this.box.value = tree.field;
    this.box.addEventListener("change", () => (this.choose({}), builder.changed()));
    this.not = /** @type {HTMLInputElement} */ (make("input", { type: "checkbox" }));
    this.not.checked = negated;
    this.rest = make("div", { class: "segment-rest" });
    this.error = make("p", { class: "segment-error", id: `segment-error-${(Row.made += 1)}` });
    const removing = make("button", { type: "button", class: "segment-remove", "aria-label": words.remove, title: words.remove, onclick: () => remove(this) }, "×");
    this.element = make("div", { class: "segment-row", role: "group", "aria-label": words.condition, "aria-describedby": this.error.id },
      make("label", { class: "segment-not" }, this.not, words.not), this.box, this.rest, removing, this.error);
    this.element.addEventListener("focusout", (event) => {
      if (this.left || this.element.contains(/** @type {Node | null} */ (event.relatedTarget))) return;
      this.left = true;
      builder.changed();
    });
    this.left = false; // its mistakes are told when somebody has left it
    this.choose(tree);
  }

  /** @param {any} tree */
  choose(tree) {
    const { words } = this.builder;
    const field = this.fields.get(this.box.value);
    this.facts = new Facts(this.builder, tree, field);
    /** @type {Property[]} */
    this.properties = [];
    this.rest.replaceChildren(this.facts.place);
    if (!field.members.includes("properties")) return;
    this.adding = make("button", { type: "button", class: "segment-add", onclick: () => this.addProperty({}).place.querySelector("input")?.focus() }, words.addProperty);
    this.rest.append(this.adding);
    for (const one of tree.properties ?? []) this.addProperty(one);
  }

  /** @param {any} facts */
  addProperty(facts) {
    const property = new Property(this.builder, facts, () => this.facts?.inputs.get("name")?.value() ?? "");
    const remove = () => {
      this.properties = this.properties?.filter((one) => one !== property) ?? [];
      line.remove();
      this.adding?.focus();
      this.builder.changed();
    };
    const { words } = this.builder;
    const line = make("div", { class: "segment-property" }, property.place, make("button", { type: "button", class: "segment-remove", "aria-label": words.remove, onclick: remove }, "×"));
    this.properties?.push(property);
    this.adding?.before(line);
    return property;
  }

  focus() {
    this.box.focus();
  }

  /** The condition, and this row under its path. @param {string} path @param {Map<string, any>} places @returns {any} */
  tree(path, places) {
    const at = this.not.checked ? `${path}.not` : path;
    places.set(path, this);
    const properties = this.properties?.map((one) => one.read()) ?? [];
    const condition = { field: this.box.value, ...this.facts?.read(), ...(properties.length ? { properties } : {}) };
    places.set(at, this);
    return this.not.checked ? { not: condition } : condition;
  }

  /** @param {string[]} messages */
  say(messages) {
    const quiet = messages.length > 0 && !this.left;
    this.error.textContent = quiet ? this.builder.words.unfinished : messages.join(" ");
    this.error.classList.toggle("quiet", quiet);
    this.element.classList.toggle("segment-wrong", messages.length > 0 && !quiet);
  }
}
Row.made = 0;
