// @ts-check
/* The draft saves itself, a little after the last change. What is sent, is sent by a person. */
import { ask, field, form, make, urls, words } from "./form.js";

const PAUSE = 2000;
const state = document.querySelector(".saved");
let url = urls.save;
/** @type {ReturnType<typeof setTimeout>} */
let timer;
/** @type {Promise<string> | undefined} */
let running;
let isDirty = false;
let isRefused = false;
// Somebody else changed the draft: what this page says must not be written over theirs.
let isStale = false;
let isLeaving = false;

/** @param {string} sentence @param {string} [look] */
function say(sentence, look = "") {
  if (!state) return;
  state.textContent = sentence;
  /** @type {HTMLElement} */ (state).dataset.look = look;
}

/** What the form says; a text is deleted only by a person's own click on Save. */
function written() {
  const body = new FormData(form);
  for (const name of [...body.keys()]) if (name.endsWith("-DELETE")) body.delete(name);
  return body;
}

async function once() {
  isDirty = false;
  say(words.saving);
  const said = await ask(url, written()).catch(() => ({ problem: words.offline }));
  isRefused = !!said.problem;
  if (said.stale) stop();
  if (isRefused) {
    isDirty = true;
    say(`${words.notSaved} ${said.problem}`, "bad");
    return "";
  }
  ({ save: url } = said);
  const revision = field("revision");
  if (revision) revision.value = said.revision;
  for (const [name, value] of Object.entries(said.fields)) {
    const input = field(name);
    if (input) input.value = String(value);
  }
  markSaved(Object.keys(said.fields).length - 1);
  history.replaceState(null, "", said.url);
  if (!isDirty) say(`${words.saved} ${said.at}`, "good");
  return String(said.id);
}

/** No more is saved from this page, and its reload brings nothing of it back. */
function stop() {
  isStale = true;
  form.autocomplete = "off";
}

/** A saved text is no longer removed at once, but marked to be deleted, as Django does it. @param {number} count */
function markSaved(count) {
  for (let number = 0; number < count; number += 1) {
    const link = document.querySelector(`#texts-${number} .inline-deletelink`)?.parentElement;
    if (!link) continue;
    const name = `texts-${number}-DELETE`;
    const box = make("input", { type: "checkbox", name, id: `id_${name}` });
    link.replaceWith(make("span", { className: "delete" }, box, " ", make("label", { htmlFor: box.id, textContent: words.delete })));
  }
}

/** Saves now, and gives the draft's id, or nothing if that wasn't possible. */
export async function save() {
  clearTimeout(timer);
  if (running) await running;
  running = once().finally(() => (running = undefined));
  return running;
}

function later() {
  isDirty = true;
  clearTimeout(timer);
  if (!isLeaving && !isStale) timer = setTimeout(save, PAUSE);
}

if (url) {
  form.addEventListener("input", later);
  form.addEventListener("change", later);
  form.addEventListener("submit", (event) => {
    isLeaving = true;
    clearTimeout(timer);
    if (!running) return;
    // A draft that is just being made would else be made twice.
    event.preventDefault();
    const submitter = /** @type {SubmitEvent} */ (event).submitter;
    void running.then(() => form.requestSubmit(submitter));
  });
  addEventListener("beforeunload", (event) => isDirty && isRefused && !isLeaving && event.preventDefault());
  addEventListener("pagehide", () => {
    if (isDirty && !isRefused && !isLeaving) void fetch(url, { method: "POST", body: written(), keepalive: true });
  });
}
