// @ts-check
/// <reference lib="webworker" />
/* The service worker: shows each push, opens the right page at a click, and reports what happened.
 * The server puts its own address in the place of SIGNALIZE_SERVER.
 */
(() => {
  "use strict";

  const worker = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));
  const home = "SIGNALIZE_SERVER";
  const isSafari = /^((?!chrome|android).)*safari/i.test(worker.navigator.userAgent);
  const FALLBACK = { title: "You have news", body: "Open the page to see it.", navigate: "/" };
  const EXPIRED = { ...FALLBACK, title: "This message is over", body: "It arrived too late to be shown." };

  // What outlives this worker, in the Cache API: the snippet's notes, and reports that could not be sent.

  const cache = () => caches.open("signalize");

  /** What the page's snippet left for us. */
  async function notes() {
    try {
      return (await (await (await cache()).match("/signalize-state"))?.json()) ?? {};
    } catch {
      return {};
    }
  }

  /** Keeps the report until it is sent: one of a kind for each delivery. A large audience spreads over some seconds.
   * @param {string | undefined} token @param {string} event @param {string} [button] @param {number} [spread] */
  async function report(token, event, button, spread = 0) {
    if (!token) return;
    const body = JSON.stringify({ token, event, ...(button && { button }) });
    await (await cache()).put(`/signalize-report/${token}/${event}`, new Response(body));
    if (spread) await new Promise((resolve) => setTimeout(resolve, Math.random() * Math.min(spread, 25) * 1000));
    await send();
  }

  /** Sends what waits. Offline it stays, for the next event of any kind. */
  async function send() {
    const waiting = await cache();
    for (const key of await waiting.keys()) {
      if (!key.url.includes("/signalize-report/")) continue;
      const body = await (await waiting.match(key))?.text();
      const answer = body && (await fetch(`${home}/browser/reports`, { method: "POST", body, keepalive: true, credentials: "omit" }));
      // Later what the server could not take now; never again what it refuses.
      if (answer && (answer.status === 429 || answer.status >= 500)) return;
      await waiting.delete(key);
    }
  }

  const later = () => /** @type {any} */ (worker.registration).sync?.register("signalize-reports").catch(() => undefined);

  /** What the push says. Something is always shown: a silent push costs the permission.
   * @param {any} event */
  async function read(event) {
    try {
      // Safari has read a declarative message already.
      const { notification } = event.data ? event.data.json() : event;
      if (!notification.title) return FALLBACK;
      const { expires, person } = notification.data ?? {};
      const shown = { tag: notification.tag, data: notification.data };
      if (expires * 1000 < Date.now()) return { ...EXPIRED, tag: notification.tag };
      const known = person && (await notes()).person;
      // Somebody else uses the browser now: the text isn't theirs.
      return known === undefined || known === person ? notification : { ...FALLBACK, ...shown };
    } catch {
      return FALLBACK;
    }
  }

  /** @param {any} event */
  async function show(event) {
    const said = await read(event);
    await display(said).catch(() => display(FALLBACK));
    // Safari ends a subscription whose push takes long.
    if (!isSafari) await report(said.data?.token, "shown", "", said.data?.spread).catch(later);
  }

  /** @param {any} said */
  async function display({ title, body, lang, dir, icon, image, badge, tag, silent, requireInteraction, actions, navigate, data: about }) {
    // The same delivery once more, after a sender's death: by its tag it takes its twin's place, without another sound.
    const twins = about?.token && tag ? await worker.registration.getNotifications({ tag }) : [];
    const again = twins.some((one) => one.data?.token === about.token);
    await worker.registration.showNotification(String(title), {
      body, lang, dir, icon, image, badge, tag, requireInteraction,
      silent: silent || again,
      renotify: Boolean(tag) && !silent && !again,
      actions: actions?.map((/** @type {any} */ one) => ({ action: one.action, title: one.title })),
      data: {
        token: about?.token,
        links: { "": navigate, ...Object.fromEntries((actions ?? []).map((/** @type {any} */ one) => [one.action, one.navigate])) },
      },
    });
  }

  /** Only a page of the web may be opened.
   * @param {unknown} link */
  function page(link) {
    try {
      const url = new URL(String(link), worker.location.href);
      const local = /^(.+\.)?localhost$|^127\.|^\[::1\]$/.test(url.hostname);
      return url.protocol === "https:" || (url.protocol === "http:" && local) ? url.href : "";
    } catch {
      return "";
    }
  }

  /** @param {string} link */
  async function open(link) {
    const url = page(link);
    if (!url) return;
    const windows = await worker.clients.matchAll({ type: "window", includeUncontrolled: true });
    const there = windows.find((one) => one.url === url);
    await (there ? there.focus() : worker.clients.openWindow(url));
  }

  /** The browser has replaced or dropped the subscription: the server learns it at once, with the proof of the old one. */
  async function renew(/** @type {any} */ { oldSubscription, newSubscription }) {
    const { server, secureCode, clientId, applicationServerKey, endpoint, auth } = await notes();
    const key = applicationServerKey ?? oldSubscription?.options.applicationServerKey;
    const subscription = newSubscription ?? (key && (await worker.registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key })));
    if (!subscription || !server || subscription.endpoint === endpoint) return;
    const said = { clientId, applicationServerKey, subscription, previous: { endpoint, auth } };
    const answer = await fetch(`${server}/browser/${secureCode}/subscriptions`, {
      method: "POST", body: JSON.stringify(said), headers: { "Content-Type": "application/json" }, credentials: "omit",
    });
    if (!answer.ok) return;
    const changed = { endpoint: subscription.endpoint, auth: subscription.toJSON().keys.auth };
    await (await cache()).put("/signalize-state", new Response(JSON.stringify({ ...(await notes()), ...changed })));
  }

  worker.addEventListener("install", () => worker.skipWaiting());
  worker.addEventListener("activate", (event) => event.waitUntil(worker.clients.claim()));
  worker.addEventListener("push", (event) => event.waitUntil(show(event)));
  worker.addEventListener("sync", (/** @type {any} */ event) => event.tag === "signalize-reports" && event.waitUntil(send()));
  worker.addEventListener("message", (event) => event.data === "signalize-reports" && event.waitUntil(send().catch(later)));
  // The page's next visit would tell the server as well.
  worker.addEventListener("pushsubscriptionchange", (/** @type {any} */ event) => event.waitUntil(renew(event).catch(() => undefined)));

  worker.addEventListener("notificationclick", (event) => {
    const { token, links } = event.notification.data ?? {};
    // Notifications of a site's own worker are its own.
    if (!links) return;
    clicked.add(token);
    event.notification.close();
    event.waitUntil(
      Promise.all([open(links[event.action] ?? links[""]), report(token, "clicked", event.action).catch(later)]),
    );
  });

  // Firefox also reports as closed what its click handler closed.
  const clicked = new Set();
  worker.addEventListener("notificationclose", (event) => {
    const token = event.notification.data?.token;
    if (!clicked.delete(token)) event.waitUntil(report(token, "closed").catch(later));
  });
})();
