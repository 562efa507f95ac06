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
  const EXPIRED = { title: "This message is over", body: "It arrived too late to be shown.", navigate: "/" };

  /** What the push says. Something is always shown: a silent push costs the permission.
   * @param {PushMessageData | null} data */
  function read(data) {
    try {
      const { notification } = data?.json();
      if (Number(notification.data?.expires) * 1000 < Date.now()) return { ...EXPIRED, tag: notification.tag };
      return notification.title ? notification : FALLBACK;
    } catch {
      return FALLBACK;
    }
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

  /** @param {string | undefined} token @param {string} event @param {string} [button] */
  async function report(token, event, button) {
    if (!token) return;
    const body = JSON.stringify({ token, event, ...(button && { button }) });
    await fetch(`${home}/browser/reports`, { method: "POST", body, keepalive: true, credentials: "omit" }).catch(() => undefined);
  }

  /** @param {PushMessageData | null} data */
  async function show(data) {
    const said = read(data);
    await display(said).catch(() => display(FALLBACK));
    // Safari ends a subscription whose push takes long.
    if (!isSafari) await report(said.data?.token, "shown");
  }

  /** @param {any} said */
  async function display({ title, body, lang, dir, icon, image, badge, tag, silent, requireInteraction, actions, navigate, data: about }) {
    await worker.registration.showNotification(String(title), {
      body, lang, dir, icon, image, badge, tag, silent, requireInteraction,
      renotify: Boolean(tag) && !silent,
      actions: actions?.map((/** @type {any} */ one) => ({ action: one.action, title: one.title })),
      data: {
        token: about?.token,
        links: { "": navigate, ...Object.fromEntries((actions ?? []).map((/** @type {any} */ one) => [one.action, one.navigate])) },
      },
    });
  }

  /** @param {string} link */
  async function open(link) {
    const url = page(link);
    if (!url) return;
    const windows = await worker.clients.matchAll({ type: "window", includeUncontrolled: true });
    const there = windows.find((one) => one.url === url);
    await (there ? there.focus() : worker.clients.openWindow(url));
  }

  worker.addEventListener("install", () => worker.skipWaiting());
  worker.addEventListener("activate", (event) => event.waitUntil(worker.clients.claim()));
  worker.addEventListener("push", (event) => event.waitUntil(show(event.data)));

  worker.addEventListener("notificationclick", (event) => {
    const { token, links = {} } = event.notification.data ?? {};
    event.notification.data && (clicked.add(token), event.notification.close());
    event.waitUntil(
      Promise.all([open(links[event.action] ?? links[""]), report(token, "clicked", event.action)]),
    );
  });

  // Firefox also reports as closed what its click handler closed.
  const clicked = new Set();
  worker.addEventListener("notificationclose", (event) => {
    const token = event.notification.data?.token;
    if (!clicked.delete(token)) event.waitUntil(report(token, "closed"));
  });

  worker.addEventListener("pushsubscriptionchange", (/** @type {any} */ event) =>
    event.waitUntil(
      (async () => {
        const key = event.oldSubscription?.options.applicationServerKey;
        const renewed = event.newSubscription ?? (key && (await worker.registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key })));
        // The page's snippet tells the server at the next visit, when it can prove whose it is.
        return renewed;
      })(),
    ),
  );
})();
