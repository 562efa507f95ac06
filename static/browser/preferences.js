// @ts-check
/* The preference page: what the visitor gets, what is stored of them, and out again. In a dialog, or in the page's
 * own place, `<div data-signalize="preferences-page">`. Everything is asked for with the proof of the subscription.
 */
import { button, make, makeDialog, openOptIn, rootOf } from "./opt-in.js";

/** @param {any} inner */
export async function open(inner) {
  const place = /** @type {HTMLElement | null} */ (document.querySelector("[data-signalize=preferences-page]"));
  const proof = await inner.proof();
  // Without a subscription nobody can prove who they are: then there is only the question.
  if (!proof) return openOptIn(inner, place ? "button" : "dialog", place ? [place] : []);
  const language = inner.language;
  /** @param {string} path @param {object} [body] */
  const call = (path, body) => inner.call(`preferences${path}`, { ...proof, language, ...body });
  const said = await call("");
  if (place) {
    const page = make("div", { class: "page" });
    rootOf(place, said).replaceChildren(page);
    draw(inner, call, said, (title, ...rest) => page.replaceChildren(make("h2", { tabindex: "-1" }, title), ...rest));
  } else if (!document.querySelector("[data-signalize-dialog]")) {
    const { dialog, say, show } = makeDialog({ ...said, help: said.words }, said.words.title);
    dialog.className = "wide";
    draw(inner, call, said, (title, ...rest) => say(title, "", ...rest));
    show();
  }
}

/** @typedef {(path: string, body?: object) => Promise<any>} Call */

/** @param {any} inner @param {Call} call @param {any} said @param {(title: string, ...rest: (Node | string)[]) => void} say */
function draw(inner, call, said, say) {
  const { words } = said;
  const status = make("p", { role: "status" });
  /** Does it, and says how it went. @param {() => Promise<string>} act */
  const attempt = (act) => async () => {
    status.textContent = "…";
    status.textContent = await act().catch(() => words.failed);
  };
  const end = (/** @type {string} */ text) => say(words.title, make("p", { role: "status" }, text));

  async function unsubscribe() {
    await inner.api.unsubscribe();
    end(words.unsubscribed);
    return "";
  }
  async function erase() {
    await call("/erase");
    await inner.api.unsubscribe();
    await forget();
    end(words.erased);
    return "";
  }
  async function sendTest() {
    await call("/test");
    return words.testSent;
  }
  async function download() {
    const file = new Blob([JSON.stringify(await call("/data"), null, 2)], { type: "application/json" });
    const link = /** @type {HTMLAnchorElement} */ (make("a", { href: URL.createObjectURL(file), download: "my-data.json" }));
    link.click();
    URL.revokeObjectURL(link.href);
    return "";
  }

  const sure = make("div", { hidden: true }, make("p", {}, words.eraseText),
    make("div", { class: "foot" }, button(words.eraseNo, () => (sure.hidden = true)), button(words.eraseYes, attempt(erase), "danger")));
  say(words.title,
    status,
    said.interests.length ? interests(call, said, attempt) : "",
    pause(call, said, status),
    make("section", {}, make("div", { class: "row" }, button(words.test, attempt(sendTest)))),
    details(words.history, ...(said.history.length ? said.history.map(message) : [make("p", {}, words.historyEmpty)])),
    details(words.stored, make("p", {}, words.storedText), facts(said), ...["subscriptions", "consents", "events", "automations"].flatMap((name) => rows(said, name)),
      make("div", { class: "foot" }, button(words.download, attempt(download)))),
    make("section", {}, make("h3", {}, words.leave),
      make("div", { class: "row" }, button(words.unsubscribe, attempt(unsubscribe)), button(words.erase, () => (sure.hidden = false), "danger")), sure),
  );
}

/** @param {Call} call @param {any} said @param {(act: () => Promise<string>) => () => Promise<void>} attempt */
function interests(call, { words, interests }, attempt) {
  /** @type {HTMLInputElement[]} */
  const boxes = interests.map(({ key, chosen }) => make("input", { type: "checkbox", value: key, checked: chosen }));
  const save = attempt(async () => {
    await call("", { interests: boxes.filter((box) => box.checked).map((box) => box.value) });
    return words.saved;
  });
  boxes.forEach((box) => box.addEventListener("change", save));
  return make("fieldset", {}, make("legend", {}, words.interests), ...boxes.map((box, at) => make("label", {}, box, interests[at].name)));
}

/** @param {Call} call @param {any} said @param {HTMLElement} status */
function pause(call, { words, pausedUntil, language }, status) {
  const text = make("p", {});
  const act = button("", async () => {
    try {
      ({ pausedUntil } = await call("", { paused: !isPaused() }));
      status.textContent = words.saved;
      tell();
    } catch {
      status.textContent = words.failed;
    }
  });
  const isPaused = () => Boolean(pausedUntil) && Date.parse(pausedUntil) > Date.now();
  function tell() {
    act.textContent = isPaused() ? words.resume : words.pause;
    text.textContent = isPaused() ? words.paused.replace("{until}", when(pausedUntil, language)) : words.pauseText;
  }
  tell();
  return make("section", {}, text, make("div", { class: "row" }, act));
}

/** @param {string} title @param {(Node | string)[]} rest */
const details = (title, ...rest) => make("details", {}, make("summary", {}, title), ...rest);

/** @param {any} one */
function message({ at, title, message, link }) {
  const safe = /^https?:\/\//.test(link);
  return make("article", {}, make("time", { datetime: at }, when(at)),
    make("h3", {}, safe ? make("a", { href: link }, title) : title), message ? make("p", {}, message) : "");
}

/** @param {any} said */
function facts({ stored: { recipient }, words, language }) {
  /** @param {string} name @param {any} value */
  const written = (name, value) => (/Seen|Until/.test(name) ? when(value, language) : typeof value === "object" ? JSON.stringify(value) : value);
  const known = Object.entries(recipient).filter(([, value]) => value && JSON.stringify(value).length > 2);
  return make("dl", {}, ...known.flatMap(([name, value]) => [make("dt", {}, words[name] ?? name), make("dd", {}, written(name, value))]));
}

/** A list, with all that there is of each. @param {any} said @param {string} name */
function rows({ stored, words, language }, name) {
  const line = (/** @type {any} */ { at, ...rest }) => {
    const values = Object.values(rest).filter((value) => value && JSON.stringify(value) !== "{}");
    return make("li", {}, ...(at ? [make("time", { datetime: at }, when(at, language)), " "] : []), values.map((value) => (typeof value === "object" ? JSON.stringify(value) : value)).join(", "));
  };
  return stored[name].length ? [make("h3", {}, words[name]), make("ul", {}, ...stored[name].map(line))] : [];
}

/** @param {string} time @param {string} [language] */
const when = (time, language) => new Date(time).toLocaleString(language, { dateStyle: "medium", timeStyle: "short" });

/** What the browser itself remembers of the visitor. */
async function forget() {
  document.cookie = "_et_coid=; Max-Age=0; Path=/";
  try {
    localStorage.removeItem("_et_coid");
    await caches.delete("signalize");
  } catch {
    // Storage is closed: nothing is in it.
  }
}
