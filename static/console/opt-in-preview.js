// @ts-check
/* Inside the preview's frame: draws the real dialog, with what the form around it says. */
import { ask, drawBell, drawButtons } from "/code/opt-in.js";

// A visitor of nobody: nothing is remembered, counted or asked of the browser.
const inner = {
  supported: true,
  rememberAnswer() {},
  track() {},
  call: async () => ({}),
  proof: async () => ({}),
  api: { permission: "default", isSubscribed: async () => false, subscribe: async () => true, openPreferences() {} },
};

/** @param {any} asked @param {string} step */
function draw(asked, step) {
  document.documentElement.dataset.look = asked.look.preview;
  document.querySelectorAll("[data-signalize-dialog], [data-signalize-bell]").forEach((one) => one.remove());
  const here = /** @type {HTMLElement} */ (document.getElementById("here"));
  here.replaceChildren();
  if (step !== "ask" || asked.look.kind === "dialog") return ask(inner, asked, step);
  if (asked.look.kind === "bell") return drawBell(inner, asked);
  const place = document.createElement(asked.look.kind === "button" ? "span" : "a");
  here.append(place);
  if (asked.look.kind === "button") return drawButtons(inner, asked, [place]);
  Object.assign(place, { href: "#", textContent: asked.words.label, onclick: () => ask(inner, asked) });
}

addEventListener("message", (event) => {
  if (event.origin === location.origin && event.source === parent) draw(event.data.asked, event.data.step);
});
parent.postMessage("ready", location.origin);
