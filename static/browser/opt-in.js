// @ts-check
/* The opt-in: dialog, bell and button. A module that the snippet loads when one of them is to be shown, and
 * gives what it knows. Everything stands in shadow roots: the page's styles and ours don't meet.
 */

/** @typedef {{look: any, language: string, words: Record<string, string>, help: Record<string, string>, interests: {key: string, name: string}[], textVersion: number}} Asked */

const RIGHT_TO_LEFT = /^(ar|fa|he|ur)\b/;
const STYLE = `
:host { all: initial; }
* { box-sizing: border-box; font: inherit; color: inherit; }
dialog, .bell, .button { font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; color: var(--ink); background: var(--paper); }
dialog { position: fixed; inset: 0; width: min(27rem, calc(100vw - 24px)); max-height: calc(100dvh - 24px); margin: auto; padding: 22px; overflow: auto; scrollbar-width: thin; border: 1px solid var(--line); border-radius: 18px; box-shadow: 0 12px 48px rgb(0 0 0 / 30%); animation: come 0.25s ease-out; }
dialog::backdrop { background: rgb(0 0 0 / 28%); }
dialog.wide { width: min(38rem, calc(100vw - 24px)); }
.top { margin-block: 12px auto; }
.bottom, .start, .end { margin-block: auto 12px; }
.start { margin-inline: 12px auto; }
.end { margin-inline: auto 12px; }
@keyframes come { from { opacity: 0; transform: translateY(12px); } }
header { display: flex; gap: 14px; align-items: flex-start; }
header > :nth-child(2) { flex: 1; min-width: 0; }
.logo { flex: none; width: 46px; height: 46px; border-radius: 12px; object-fit: cover; }
svg { padding: 9px; fill: var(--on); background: var(--accent); display: block; }
h2 { margin: 0; font-size: 1.15em; font-weight: 650; line-height: 1.3; overflow-wrap: anywhere; }
p { margin: 6px 0 0; overflow-wrap: anywhere; white-space: pre-line; }
fieldset { margin: 14px 0 0; padding: 0; border: 0; }
legend { padding: 0; font-weight: 600; }
section > h3, article > h3 { margin: 0; }
section, details, .page > fieldset { margin-top: 14px; padding-top: 14px; border-top: 1px solid var(--line); }
summary { cursor: pointer; font-weight: 600; min-height: 28px; }
h2:focus { outline: none; }
h3 { margin: 10px 0 0; font-size: 1em; font-weight: 600; }
article, dl, ul { margin: 10px 0 0; padding: 0; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: auto 1fr; gap: 4px 14px; }
dd { margin: 0; }
li, time { font-size: 0.875em; }
ul { list-style: none; }
.row { display: flex; flex-wrap: wrap; gap: 10px; margin-top: 10px; }
.page { font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; color: var(--ink); background: var(--paper); padding: 22px; border-radius: 18px; }
label { display: flex; gap: 10px; align-items: center; min-height: 36px; cursor: pointer; }
input { width: 20px; height: 20px; margin: 0; flex: none; accent-color: var(--accent); }
footer { display: flex; flex-wrap: wrap-reverse; gap: 10px; margin-top: 18px; justify-content: flex-end; }
button { min-height: 44px; padding: 9px 18px; border: 1px solid var(--edge); border-radius: 10px; background: none; font-weight: 600; cursor: pointer; }
.yes, .bell { color: var(--on); background: var(--accent); border-color: var(--accent); }
.close { flex: none; width: 44px; padding: 0; margin: -10px; border: 0; font-size: 1.4em; font-weight: 400; }
button:hover { filter: brightness(0.93); }
:focus-visible { outline: 3px solid var(--ink); outline-offset: 2px; }
.bell { position: fixed; inset-block-end: 20px; inset-inline-end: 20px; z-index: 2147483000; width: 56px; height: 56px; padding: 0; border-radius: 50%; box-shadow: 0 4px 18px rgb(0 0 0 / 30%); }
.bell.start { inset-inline: 20px auto; margin: 0; }
.bell.end { margin: 0; }
.bell svg { width: 54px; height: 54px; padding: 13px; background: none; }
.button { color: var(--on); background: var(--accent); border-color: var(--accent); }
[hidden] { display: none; }
.danger { color: var(--bad); border-color: var(--bad); }
@media (max-width: 30rem) { footer > * { flex: 1 1 auto; } dialog { padding: 18px; } }
.still { animation: none; }
@media (prefers-reduced-motion: reduce) { dialog { animation: none; } }
`;

/** @param {string} colour @returns {number} relative luminance, as WCAG counts it */
function luminance(colour) {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const channel = parseInt(colour.slice(at, at + 2), 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** @param {string} name @param {Record<string, any>} [properties] @param {(Node | string)[]} children */
export function make(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value === true) element.setAttribute(key, "");
    else if (value !== false && value !== undefined) element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

/** A shadow root with our styles in the website's colours. @param {HTMLElement} host @param {Asked} asked */
export function rootOf(host, { look, language }) {
  const root = host.shadowRoot ?? host.attachShadow({ mode: "open" });
  // The console's preview says in which look, and leaves the focus where it is.
  const dark = look.preview ? look.preview === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  const [paper, ink, accent] = dark ? look.dark : look.light;
  const on = luminance(accent) > 0.179 ? "#000000" : "#ffffff";
  const bad = luminance(paper) > 0.179 ? "#a8261d" : "#ff9c93";
  const colours = { paper, ink, accent, on, bad, line: `${ink}26`, edge: `${ink}99` };
  for (const [name, value] of Object.entries(colours)) host.style.setProperty(`--${name}`, value);
  host.style.colorScheme = dark ? "dark" : "light";
  host.lang = language;
  host.dir = RIGHT_TO_LEFT.test(language) ? "rtl" : "ltr";
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(STYLE);
  root.adoptedStyleSheets = [sheet];
  return root;
}

/** The website's logo, or a bell. @param {string} [logo] */
function picture(logo) {
  if (logo) return make("img", { class: "logo", src: logo, alt: "" });
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "logo");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", "M12 22a2.5 2.5 0 0 0 2.4-2H9.600A2.500 2.500 0 0 0 12 22zm7-6V11a7 7 0 0 0-5.500-6.800V3.500a1.500 1.500 0 0 0-3 0v.700A7 7 0 0 0 5 11v5l-2 2v1h18v-1z");
  svg.append(path);
  return svg;
}

/** A modal dialog: the browser keeps the focus in it, and Escape closes it. `closed` hears of leaving without an
 * answer. @param {Asked} asked @param {string} title @param {() => void} [closed] */
export function makeDialog(asked, title, closed) {
  const host = make("div", { "data-signalize-dialog": true });
  const root = rootOf(host, asked);
  const leave = () => (close(), closed?.());
  const dialog = /** @type {HTMLDialogElement} */ (make("dialog", { class: `${asked.look.position} ${asked.look.preview ? "still" : ""}`, "aria-labelledby": "title", oncancel: (/** @type {Event} */ event) => (event.preventDefault(), leave()) }));
  dialog.addEventListener("click", (event) => event.target === dialog && outside(dialog, event) && leave());
  const before = /** @type {HTMLElement | null} */ (document.activeElement);
  /** @param {string} title @param {string} text @param {(Node | string)[]} rest */
  function say(title, text, ...rest) {
    dialog.replaceChildren(
      make("header", {},
        picture(asked.look.logo),
        make("div", {}, make("h2", { id: "title", tabindex: "-1" }, title), text ? make("p", {}, text) : ""),
        make("button", { class: "close", type: "button", "aria-label": asked.help.close, onclick: leave }, "×")),
      ...rest,
    );
  }
  function show() {
    document.body.append(host);
    if (asked.look.preview) return void (dialog.open = true);
    dialog.showModal();
    /** @type {HTMLElement} */ (root.getElementById("title")).focus();
  }
  function close() {
    dialog.close();
    host.remove();
    before?.focus?.();
  }
  root.replaceChildren(dialog);
  say(title, "");
  return { dialog, say, show, close };
}

/** @param {Element} dialog @param {MouseEvent} event */
function outside(dialog, { clientX, clientY }) {
  const box = dialog.getBoundingClientRect();
  return clientX < box.left || clientX > box.right || clientY < box.top || clientY > box.bottom;
}

/** @param {string} text @param {() => void} act @param {string} [look] */
export const button = (text, act, look = "") => make("button", { type: "button", class: look, onclick: act }, text);

/** Asks, and follows the answer to its end. @param {any} inner @param {Asked} asked @param {string} [step] */
export function ask(inner, asked, step = "ask") {
  const { words, help } = asked;
  const { dialog, say, show, close } = makeDialog(asked, words.title, left);
  /** Signalize's answers: who closes the question is asked again tomorrow, who can't be asked in a month. */
  function left() {
    if (step === "homeScreen") inner.rememberAnswer("no");
    if (step !== "ask") return;
    inner.rememberAnswer("later");
    inner.track("optin_closed");
  }
  const enough = () => button(help.close, () => (left(), close()), "yes");
  const steps = {
    ask() {
      const topics = asked.interests.map(({ key, name }) => make("label", {}, make("input", { type: "checkbox", value: key }), name));
      say(words.title, words.message,
        topics.length ? make("fieldset", {}, make("legend", {}, help.interests), ...topics) : "",
        words.privacy_link ? make("p", {}, make("a", { href: words.privacy_link, target: "_blank", rel: "noopener" }, words.privacy || words.privacy_link)) : "",
        make("p", { role: "status", hidden: true }),
        make("footer", {}, button(words.no, no), button(words.yes, yes, "yes")));
    },
    thanks: () => say(help.thanks, help.change, make("footer", {}, button(help.settings, () => (close(), inner.api.openPreferences())), enough())),
    blocked: () => say(help.blocked, howToUnblock(help), make("footer", {}, enough())),
    homeScreen: () => say(help.homeScreen, help.homeScreenSteps, make("footer", {}, enough())),
  };
  /** @param {keyof typeof steps} next */
  function go(next) {
    step = next;
    steps[next]();
    /** @type {HTMLElement} */ (dialog.querySelector("#title")).focus();
  }
  function no() {
    inner.rememberAnswer("no");
    inner.track("optin_no");
    close();
  }
  async function yes() {
    inner.track("optin_yes");
    const ticked = Array.from(dialog.querySelectorAll("input:checked"), (box) => /** @type {HTMLInputElement} */ (box).value);
    try {
      // Still in the visitor's click: only then browsers ask.
      const subscribed = await inner.api.subscribe({ consentText: String(asked.textVersion) });
      if (subscribed && ticked.length) await inner.call("preferences", { ...(await inner.proof()), interests: ticked });
      if (subscribed) go("thanks");
      else if (inner.api.permission === "denied") go("blocked");
      else close();
    } catch {
      const status = /** @type {HTMLElement} */ (dialog.querySelector("[role=status]"));
      status.hidden = false;
      status.textContent = help.failed;
    }
  }
  go(/** @type {keyof typeof steps} */ (step));
  show();
  return close;
}

/** What to do in this browser. @param {Record<string, string>} help */
function howToUnblock(help) {
  const agent = navigator.userAgent;
  const phone = /android/i.test(agent) ? "Android" : "";
  if (/iphone|ipad/i.test(agent)) return help.blockedIphone;
  if (/firefox/i.test(agent)) return help[`blockedFirefox${phone}`];
  if (/chrome|chromium/i.test(agent)) return help[`blockedChrome${phone}`];
  return help.blockedSafari;
}

/** What is true of this browser, where nothing can be asked. @param {any} inner */
function stepFor(inner) {
  if (!inner.supported) return "homeScreen";
  return inner.api.permission === "denied" ? "blocked" : "ask";
}

/** The visitor clicks the bell or the button. @param {any} inner @param {Asked} asked */
async function clicked(inner, asked) {
  if (await inner.api.isSubscribed()) return inner.api.openPreferences();
  const step = stepFor(inner);
  inner.track("optin_shown", { kind: asked.look.kind, step });
  ask(inner, asked, step);
}

/** @param {any} inner @param {Asked} asked */
export function drawBell(inner, asked) {
  const host = make("div", { "data-signalize-bell": true });
  const side = asked.look.position === "start" ? "start" : "end";
  const bell = button("", () => clicked(inner, asked), `bell ${side}`);
  bell.append(picture());
  bell.setAttribute("aria-label", asked.words.label);
  bell.title = asked.words.label;
  rootOf(host, asked).replaceChildren(bell);
  document.body.append(host);
}

/** @param {any} inner @param {Asked} asked @param {Iterable<Element>} places */
export function drawButtons(inner, asked, places) {
  for (const place of places) {
    rootOf(/** @type {HTMLElement} */ (place), asked).replaceChildren(button(asked.words.label, () => clicked(inner, asked), "button"));
  }
}

/** The snippet's door. "bell" and "button" are drawn, everything else asks now.
 * @param {any} inner @param {string} [kind] @param {Iterable<Element>} [places] */
export async function openOptIn(inner, kind, places = document.querySelectorAll("[data-signalize=button]")) {
  const asked = await inner.call(`opt-in?language=${encodeURIComponent(inner.language)}`);
  if (kind === "bell") return drawBell(inner, asked);
  if (kind === "button") return drawButtons(inner, asked, places);
  if (!document.querySelector("[data-signalize-dialog]")) await clicked(inner, asked);
}

/** @param {any} inner */
export async function openPreferences(inner) {
  const { open } = await import(/** @type {string} */ (new URL("preferences.js", import.meta.url).href));
  return open(inner);
}
