// @ts-check
/* What a colleague would remark, asked for while somebody writes. Each remark leads to its field. */
import { ask, button, field, form, make, urls, words } from "./form.js";

const PAUSE = 700;
const list = document.querySelector(".remarks");
const summary = document.querySelector(".remarks-summary");
/** @type {ReturnType<typeof setTimeout>} */
let timer;
let latest = new AbortController();

/** @param {string} name */
function go(name) {
  const input = field(name);
  const details = input?.closest("details");
  if (details) details.open = true;
  input?.focus();
}

/** @param {any} remark */
function line(remark) {
  const said = remark.language ? `${remark.language}: ${remark.sentence}` : remark.sentence;
  const held = remark.field && field(remark.field) ? button(said, () => go(remark.field), "remark-link") : said;
  return make("li", { className: remark.serious ? "remark serious" : "remark" }, held);
}

async function look() {
  latest.abort();
  latest = new AbortController();
  const body = new FormData(form);
  const said = await ask(urls.remarks, body, latest.signal);
  if (said.problem || !list || !summary) return;
  list.replaceChildren(...said.remarks.map(line));
  const serious = said.remarks.filter((/** @type {any} */ one) => one.serious).length;
  summary.textContent = said.remarks.length ? words.remarks.replace("{count}", said.remarks.length) : words.noRemarks;
  summary.classList.toggle("serious", serious > 0);
}

export function lookSoon() {
  clearTimeout(timer);
  timer = setTimeout(() => look().catch(() => undefined), PAUSE);
}
