// @ts-check
"use strict";

/* The self-test's last step: this browser subscribes under a scope of its own, waits for its test, and is forgotten. */

(() => {
  const LOOK_EVERY = 1000;
  const LOOKS = 60;
  const form = /** @type {HTMLFormElement | null} */ (document.getElementById("push"));
  const place = document.getElementById("push-said");
  if (!form || !place) return;
  const words = form.dataset;
  const token = /** @type {HTMLInputElement} */ (form.elements.namedItem("csrfmiddlewaretoken")).value;
  let isOn = false;

  /** @param {string} tone @param {string} [line] @param {string} [more] */
  function say(tone, line = "", more = "") {
    if (!place) return;
    place.hidden = false;
    place.className = `finding finding-${tone}`;
    place.textContent = more ? `${line} ${more}` : line;
  }

  /** @param {string} text */
  const bytes = (text) =>
    Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (character) => character.charCodeAt(0));

  /** Resolves when the worker is active: only then a browser subscribes. */
  async function register() {
    const worker = await navigator.serviceWorker.register(words.worker ?? "", { scope: words.scope });
    const coming = worker.installing ?? worker.waiting;
    if (!worker.active && coming) {
      await new Promise((resolve) => coming.addEventListener("statechange", () => coming.state === "activated" && resolve(true)));
    }
    return worker;
  }

  /** @param {string | undefined} address @param {object} [body] */
  async function post(address, body) {
    const answer = await fetch(address ?? "", {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": token },
      body: JSON.stringify(body ?? {}),
    });
    if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).message ?? String(answer.status));
  }

  /** Whether it was shown. */
  async function follow() {
    for (let look = 0; look < LOOKS; look += 1) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY));
      const said = await (await fetch(words.state ?? "")).json();
      if (said.shown) return say("good", words.came);
      say(said.tone, said.line, said.more);
      if (said.done) return undefined;
    }
    return say("bad", words.waited, place?.textContent ?? "");
  }

  async function push() {
    if (!("serviceWorker" in navigator && "PushManager" in window)) return say("bad", words.unsupported);
    say("busy", words.asking);
    if ((await Notification.requestPermission()) !== "granted") return say("bad", words.denied);
    const website = /** @type {HTMLSelectElement} */ (form?.elements.namedItem("website"));
    const worker = await register();
    try {
      await (await worker.pushManager.getSubscription())?.unsubscribe();
      const applicationServerKey = bytes(website.selectedOptions[0].dataset.key ?? "");
      const subscription = await worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey });
      isOn = true;
      await post(form?.action, { website: website.value, subscription });
      say("busy", words.sending);
      await follow();
    } finally {
      await worker.unregister();
      if (isOn) await post(words.end);
      isOn = false;
    }
    return undefined;
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = /** @type {HTMLButtonElement} */ (form.querySelector("button"));
    button.disabled = true;
    await push().catch((error) => say("bad", error.message));
    button.disabled = false;
  });

  // Whoever leaves meanwhile is forgotten all the same.
  window.addEventListener("pagehide", () => {
    const said = new FormData();
    said.set("csrfmiddlewaretoken", token);
    if (isOn) navigator.sendBeacon(words.end ?? "", said);
  });
})();
