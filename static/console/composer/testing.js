// @ts-check
/* A test to one's own browsers: the draft is saved, and goes to them as it is. */
import { ask, button, dialog, label, labelled, make, notice, say, tell, texts, urls, words } from "./form.js";
import { save } from "./saving.js";

const problem = notice();
const done = make("p", { role: "status" });
const list = make("div", { className: "browsers", role: "group", "aria-label": words.myBrowsers });
const text = make("select");
const here = make("div", { className: "here" });
const clientId = make("input", { type: "text", className: "vTextField", maxLength: 32, spellcheck: false });
const name = make("input", { type: "text", className: "vTextField", maxLength: 60, placeholder: words.browserNameExample });
const adding = make("details", {}, make("summary", { textContent: words.addBrowser }),
  labelled(words.recipientId, clientId), labelled(words.browserName, name),
  make("p", { className: "quiet", textContent: words.recipientIdHelp }), button(words.add, () => add(clientId.value)));
const box = dialog(words.testTitle, make("p", { className: "quiet", textContent: words.testHelp }), list, here, adding,
  labelled(words.testLanguage, text), problem, done,
  make("div", { className: "actions" }, button(words.testSend, () => void send(), "button default")));

/** @param {Record<string, string>} values */
function body(values) {
  const said = new FormData();
  for (const [key, value] of Object.entries({ website: say("website"), ...values })) said.append(key, value);
  return said;
}

/** @param {string} id */
async function add(id) {
  const said = await ask(urls.addBrowser, body({ client_id: id.trim(), name: name.value }));
  tell(problem, said.problem);
  if (said.problem) return;
  clientId.value = name.value = "";
  adding.open = false;
  draw(said);
}

/** @param {any} said */
function draw(said) {
  const chosen = new Set([...list.querySelectorAll("input:not(:checked)")].map((one) => one.value));
  list.replaceChildren(...said.browsers.map((/** @type {any} */ one) => {
    const tick = make("input", { type: "checkbox", value: String(one.id), checked: one.reachable && !chosen.has(String(one.id)), disabled: !one.reachable });
    const gone = one.reachable ? "" : ` · ${words.unreachable}`;
    const remove = button(words.remove, async () => draw(await ask(one.remove, body({}))), "remark-link");
    remove.setAttribute("aria-label", `${words.remove}: ${one.name}`);
    return make("div", { className: "browser" }, make("label", {}, tick, ` ${one.name}${gone}`), remove);
  }));
  if (!said.browsers.length) list.append(make("p", { className: "quiet", textContent: words.noBrowsers }));
  here.replaceChildren(...(said.here ? [button(words.addThis, () => add(""))] : []));
  if (!said.browsers.length && !said.here) adding.open = true;
}

async function send() {
  done.replaceChildren();
  const id = await save();
  if (!id) return tell(problem, document.querySelector(".saved")?.textContent ?? words.failed);
  const said = body({ text: text.value });
  for (const one of list.querySelectorAll("input:checked")) said.append("browsers", one.value);
  const answer = await ask(urls.test.replace("/0/", `/${id}/`), said);
  tell(problem, answer.problem);
  if (!answer.problem) done.append(`${words.testSent} `, make("a", { href: answer.follow, target: "_blank", textContent: words.testFollow }));
}

async function open() {
  tell(problem, say("website") ? "" : words.websiteFirst);
  done.replaceChildren();
  const options = texts().map((prefix) => make("option", { value: label(prefix), textContent: label(prefix) }));
  text.replaceChildren(make("option", { value: "", textContent: words.ownLanguage }), ...options);
  box.showModal();
  if (!say("website")) return;
  const said = await ask(`${urls.browsers}?website=${encodeURIComponent(say("website"))}`);
  tell(problem, said.problem);
  if (!said.problem) draw(said);
}

document.querySelector("[data-test]")?.addEventListener("click", () => void open());
