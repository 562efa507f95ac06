// @ts-check
/* What a colleague would remark, asked for while somebody writes. Each remark leads to its field. */
import { ask, button, field, form, make, say, texts, urls, words } from "./form.js";

const PAUSE = 700;
const SETTLED = 2500;
const LINKS = ["link", "first_button_link", "second_button_link"];
const list = document.querySelector(".remarks");
const summary = document.querySelector(".remarks-summary");
/** @type {ReturnType<typeof setTimeout>} */
let timer;
let latest = new AbortController();
/** @type {ReturnType<typeof setTimeout>} */
let linkTimer;
let asked = "";
/** @type {any[]} */
let ofWords = [];
/** @type {any[]} */
let ofLinks = [];

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

function draw() {
  const said = [...ofLinks, ...ofWords];
  list?.replaceChildren(...said.map(line));
  if (!summary) return;
  summary.textContent = said.length ? words.remarks.replace("{count}", String(said.length)) : words.noRemarks;
  summary.classList.toggle("serious", said.some((one) => one.serious));
}

async function look() {
  latest.abort();
  latest = new AbortController();
  const said = await ask(urls.remarks, new FormData(form), latest.signal);
  if (said.problem) return;
  ofWords = said.remarks;
  draw();
}

/** All addresses that a message names, and whose they are. */
function addresses() {
  const names = ["icon", "image", "badge", ...texts().flatMap((prefix) => LINKS.map((name) => `${prefix}-${name}`))];
  return [say("website"), ...names.map(say)].join("\n");
}

/** The server asks each of them, which takes a while: only when they are written, and only once. */
async function lookAtLinks() {
  const now = addresses();
  asked = now;
  const said = await ask(urls.links, new FormData(form));
  if (said.problem || now !== addresses()) return;
  ofLinks = said.remarks;
  draw();
  if (said.wait) linkTimer = setTimeout(lookAtLinks, said.wait * 1000);
}

export function lookSoon() {
  clearTimeout(timer);
  timer = setTimeout(() => look().catch(() => undefined), PAUSE);
  const now = addresses();
  if (!urls.links || now === asked) return;
  ofLinks = [];
  clearTimeout(linkTimer);
  if (now.includes("https://")) linkTimer = setTimeout(() => lookAtLinks().catch(() => undefined), SETTLED);
}
