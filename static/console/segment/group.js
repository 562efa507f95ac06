// @ts-check

import { make, select } from "./inputs.js";
import { Row } from "./row.js";

/* Conditions and groups that are joined: all, at least one, none or not all of them hold. */

/** @typedef {import("./row.js").Builder} Builder */

const JOINS = ["all", "any", "none", "notAll"];
/** @type {Record<string, (members: any[]) => any>} */
const TREES = {
  all: (members) => ({ all: members }),
  any: (members) => ({ any: members }),
  none: (members) => ({ not: { any: members } }),
  notAll: (members) => ({ not: { all: members } }),
};
/** @type {Record<string, string>} */
const PATHS = { all: ".all", any: ".any", none: ".not.any", notAll: ".not.all" };

/** How a tree is joined, and its members; a condition stands alone. @param {any} tree @returns {[string, any[]]} */
function taken(tree) {
  if (tree.all) return ["all", tree.all];
  if (tree.any) return ["any", tree.any];
  if (tree.not?.any) return ["none", tree.not.any];
  if (tree.not?.all) return ["notAll", tree.not.all];
  return tree.not?.not ? ["none", [tree.not]] : ["all", [tree]];
}

export class Group {
  /** @param {Builder} builder @param {any} tree @param {number} depth @param {((group: Group) => void) | null} remove */
  constructor(builder, tree, depth, remove) {
    const { words, catalogue } = builder;
    this.builder = builder;
    this.depth = depth;
    const [join, members] = taken(tree);
    this.join = select(words.join, JOINS.map((one) => ({ value: one, label: words[one] })), join);
    this.list = make("div", { class: "segment-members" });
    this.addRow = this.button(words.addCondition, () => this.add({ field: "language", op: "equals" }).focus());
    const group = this.button(words.addGroup, () => this.add({ any: [{ field: "language", op: "equals" }] }).focus());
    this.error = make("p", { class: "segment-error" });
    const head = [this.join, ...(remove ? [make("button", { type: "button", class: "segment-remove", "aria-label": words.removeGroup, title: words.removeGroup, onclick: () => remove(this) }, "×")] : [])];
    // A group that is none takes two levels, and a condition in it a third one.
    const deeper = depth + 4 <= catalogue.limits.levels ? [group] : [];
    this.element = make("div", { class: "segment-group", role: "group", "aria-label": words.group },
      make("div", { class: "segment-head" }, ...head), this.list, this.error, make("div", { class: "segment-actions" }, this.addRow, ...deeper));
    /** @type {(Row | Group)[]} */
    this.members = [];
    for (const member of members) this.add(member, true);
  }

  /** @param {string} label @param {() => void} act */
  button(label, act) {
    return make("button", { type: "button", class: "segment-add", onclick: () => (act(), this.builder.changed()) }, label);
  }

  /** @param {any} tree */
  add(tree, wasThere = false) {
    const condition = tree.field ? tree : tree.not?.field ? tree.not : null;
    if (!condition && !tree.all && !tree.any && !tree.not) throw new TypeError("This is no condition and no group.");
    const member = condition
      ? new Row(this.builder, condition, condition !== tree, (row) => this.remove(row))
      : new Group(this.builder, tree, this.depth + 1, (group) => this.remove(group));
    if (member instanceof Row) member.left = wasThere;
    this.members.push(member);
    this.list.append(member.element);
    return member;
  }

  /** The focus goes on to what stood before. @param {Row | Group} member */
  remove(member) {
    const at = this.members.indexOf(member);
    this.members.splice(at, 1);
    member.element.remove();
    if (at > 0) this.members[at - 1].focus();
    else this.addRow.focus();
    this.builder.changed();
  }

  focus() {
    this.join.focus();
  }

  /** @param {string} path @param {Map<string, any>} places @returns {any} */
  tree(path, places) {
    const below = path + PATHS[this.join.value];
    places.set(path, this);
    places.set(below, this);
    return TREES[this.join.value](this.members.map((member, at) => member.tree(`${below}[${at}]`, places)));
  }

  /** @param {string[]} messages */
  say(messages) {
    this.error.textContent = messages.join(" ");
  }
}
