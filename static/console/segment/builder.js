// @ts-check

import { Group } from "./group.js";
import { make } from "./inputs.js";

/* Builds the definition by clicking, above the field that holds it as JSON; shows whom it reaches beside it. */

const WAIT = 400;
const area = /** @type {HTMLTextAreaElement | null} */ (document.getElementById("id_definition"));
const aside = /** @type {HTMLElement | null} */ (document.querySelector("aside.reach[data-preview]"));
if (area && aside) start(area, aside, JSON.parse(document.getElementById("segment-catalogue")?.textContent ?? "{}"));

/** @param {HTMLTextAreaElement} area @param {HTMLElement} aside @param {any} catalogue */
function start(area, aside, catalogue) {
  const { words } = catalogue;
  const website = /** @type {HTMLSelectElement | null} */ (document.getElementById("id_website"));
  const websiteId = () => website?.value ?? aside.dataset.website ?? "";
  const place = make("div", { class: "segment-builder", role: "group", "aria-labelledby": "segment-label" });
  const label = area.form?.querySelector(`label[for="${area.id}"]`);
  if (label) label.id = "segment-label";
  const toggle = make("button", { type: "button", class: "segment-add", onclick: () => (isJson ? build() : showJson("")) }, words.asJson);
  const note = make("p", { class: "segment-error", role: "status" });
  const json = area.closest(".form-row")?.querySelector("div.help");
  area.before(place, note);
  area.after(toggle);
  /** @type {Group} */
  let root;
  /** @type {Map<string, any>} */
  let places = new Map();
  let isJson = false;
  let timer = 0;
  let asked = new AbortController();
  /** @type {Map<string, Promise<any[]>>} */
  const known = new Map();

  /** @param {string} of @param {string} name */
  function offered(of, name = "") {
    const query = new URLSearchParams({ website: websiteId(), of, name }).toString();
    if (!websiteId()) return Promise.resolve([]);
    const found = known.get(query) ?? fetch(`${aside.dataset.offered}?${query}`).then((answer) => (answer.ok ? answer.json() : { offered: [] })).then((said) => said.offered, () => []);
    known.set(query, found);
    return found;
  }

  function changed() {
    if (!isJson) {
      places = new Map();
      area.value = JSON.stringify(root.tree("$", places), null, 2);
    }
    clearTimeout(timer);
    timer = setTimeout(preview, WAIT);
  }

  /** @param {string} why */
  function showJson(why) {
    isJson = true;
    show(why);
    area.focus();
  }

  function build() {
    try {
      const tree = JSON.parse(area.value || "null");
      root = new Group({ catalogue, words, offered, changed }, tree ?? { all: [{ field: "language", op: "equals" }] }, 1, null);
      for (const member of tree ? [] : root.members) member.left = false;
    } catch {
      return showJson(words.badJson);
    }
    isJson = false;
    place.replaceChildren(root.element);
    show("");
    changed();
  }

  /** @param {string} why */
  function show(why) {
    note.textContent = why;
    place.hidden = !isJson ? false : true;
    area.hidden = !isJson;
    if (json) /** @type {HTMLElement} */ (json).hidden = !isJson;
    toggle.textContent = isJson ? words.byClicking : words.asJson;
  }

  /** The row that a path leads to, or the group it is in. @param {string} path */
  function at(path) {
    for (let end = path; ; end = end.replace(/(\.[^.[]*|\[\d+\])$/, "")) {
      if (places.has(end) || end === "$") return places.get(end) ?? root;
    }
  }

  /** @param {{ path: string, message: string }[]} problems */
  function tell(problems) {
    if (isJson) {
      note.textContent = problems.map((one) => `${one.path}: ${one.message}`).join(" ");
      return;
    }
    /** @type {Map<any, string[]>} */
    const said = new Map([...places.values()].map((one) => [one, []]));
    for (const { path, message } of problems) said.get(at(path))?.push(message);
    for (const [one, messages] of said) one.say(messages);
  }

  async function preview() {
    const found = /** @type {HTMLElement} */ (aside.querySelector(".reach-found"));
    const sentence = /** @type {HTMLElement} */ (aside.querySelector(".segment-sentence"));
    if (!websiteId()) return void (found.textContent = words.chooseWebsite);
    asked.abort();
    asked = new AbortController();
    aside.setAttribute("aria-busy", "true");
    const token = /** @type {HTMLInputElement} */ (area.form?.elements.namedItem("csrfmiddlewaretoken")).value;
    try {
      const body = new URLSearchParams({ csrfmiddlewaretoken: token, website: websiteId(), definition: area.value });
      const answer = await fetch(aside.dataset.preview ?? "", { method: "POST", body, signal: asked.signal });
      if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
      const said = await answer.json();
      tell(said.problems);
      sentence.textContent = said.sentence ?? "";
      if (said.html) found.innerHTML = said.html;
      else found.replaceChildren(make("p", { class: "quiet" }, words.unfinished));
      // Who listens is told the sentence and the number, and reads on as they like.
      const told = /** @type {HTMLElement} */ (aside.querySelector("[role=status]"));
      told.textContent = [said.sentence, (found.querySelector(".huge") ?? found).textContent].filter(Boolean).join(". ");
    } catch (error) {
      if (/** @type {Error} */ (error).name === "AbortError") return;
      found.replaceChildren(make("p", { class: "problem" }, words.failed));
    }
    aside.removeAttribute("aria-busy");
  }

  area.form?.addEventListener("input", (event) => {
    const target = /** @type {Element} */ (event.target);
    if (place.contains(target) || target === area) changed();
  });
  website?.addEventListener("change", () => (known.clear(), build()));
  build();
}
