// @ts-check
/* The snippet. Loaded by
 *   <script id="_etLoader" type="text/javascript" charset="UTF-8" data-secure-code="…" src="…/code/signalize.js" async></script>
 * and gives the page `et_signalize`. Cookie names and values are Signalize's.
 */
(() => {
  "use strict";

  const loader = /** @type {HTMLScriptElement | null} */ (document.currentScript || document.getElementById("_etLoader"));
  const secureCode = loader?.dataset.secureCode ?? "";
  if (!loader || !/^[0-9a-zA-Z]{3,12}$/.test(secureCode) || window["et_signalize"]) return;
  if (loader.dataset.respectDnt === "true" && navigator.doNotTrack === "1") return;
  if (!("serviceWorker" in navigator && "PushManager" in window && "Notification" in window)) return;

  const settings = {
    signalizeServiceWorkerPath: "/sw.js",
    signalizeServiceWorkerScope: "",
    signalizeApiUrl: new URL(loader.src).origin,
    ...window["_etr"],
  };
  const DAY = 86_400_000;
  const MONTHS = Math.max(1, parseInt(loader.dataset.cookieLifetime ?? "24", 10) || 0);
  const RECIPIENT = "_et_coid";
  const OPT_IN = "et_oip";
  // Signalize's lifetimes of the opt-in cookie, in days; "later" closed the browser's question unanswered.
  const OPT_IN_DAYS = { yes: 30, denied: 30, no: 30, later: 1 };

  /** @type {Record<string, ((detail: unknown) => void)[]>} */
  const listeners = {};
  /** @param {string} event @param {unknown} [detail] */
  const tell = (event, detail) => (listeners[event] ?? []).forEach((listener) => listener(detail));

  // What the browser remembers: a first-party cookie, and the same in local storage as "value|expiry".

  /** @param {string} name */
  function recall(name) {
    const cookie = document.cookie.split("; ").find((one) => one.startsWith(`${name}=`));
    if (cookie) return cookie.slice(name.length + 1);
    try {
      const [value, expiry] = (localStorage.getItem(name) ?? "").split("|");
      return Number(expiry) > Date.now() ? value : "";
    } catch {
      return "";
    }
  }

  /** @param {string} name @param {string} value @param {number} days */
  function remember(name, value, days) {
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `${name}=${value}; Max-Age=${days * 86_400}; Path=/; SameSite=Lax${secure}`;
    try {
      localStorage.setItem(name, `${value}|${Date.now() + days * DAY}`);
    } catch {
      // Storage is closed: the cookie alone must do.
    }
  }

  // With cookies blocked the id is this page's only, until the visitor opts in.
  let mayRemember = loader.dataset.blockCookies !== "true" || Boolean(recall(RECIPIENT));
  let clientId = /^[0-9a-f]{32}$/.test(recall(RECIPIENT)) ? recall(RECIPIENT) : randomId();

  function randomId() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  /** @param {string} id */
  function keep(id) {
    clientId = id;
    if (mayRemember) remember(RECIPIENT, id, MONTHS * 30);
  }

  /** @param {"yes" | "no" | "denied" | "later"} answer */
  const rememberAnswer = (answer) => remember(OPT_IN, answer === "later" ? "no" : answer, OPT_IN_DAYS[answer]);

  // Our server.

  /** @param {string} path @param {object} [body] */
  async function call(path, body) {
    const answer = await fetch(`${settings.signalizeApiUrl}/browser/${secureCode}/${path}`, {
      method: body ? "POST" : "GET",
      credentials: "omit",
      ...(body && { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } }),
    });
    const said = answer.status === 204 ? {} : await answer.json();
    if (!answer.ok) throw Object.assign(new Error(said.message), { code: said.errorCode });
    return said;
  }

  /** @param {ArrayBuffer | null | undefined} buffer */
  const base64url = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer ?? new ArrayBuffer(0))))
      .replaceAll("+", "-")
      .replaceAll("/", "_")
      .replaceAll("=", "");

  /** @param {string} text */
  const bytes = (text) =>
    Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (character) => character.charCodeAt(0));

  // The browser's subscription.

  const script = new URL(settings.signalizeServiceWorkerPath, location.href);
  const scope = new URL(settings.signalizeServiceWorkerScope || "./", script).href;
  const registration = () => navigator.serviceWorker.getRegistration(scope);

  /** Resolves when the worker is active: only then a browser subscribes. */
  async function register() {
    const worker = await navigator.serviceWorker.register(script, { scope });
    const coming = worker.installing ?? worker.waiting;
    if (!worker.active && coming) {
      await new Promise((resolve) => coming.addEventListener("statechange", () => coming.state === "activated" && resolve(true)));
    }
    return worker;
  }

  /** Subscribes with the server's key; a subscription with another key is replaced.
   * @param {ServiceWorkerRegistration} worker */
  async function pushSubscription(worker) {
    const { applicationServerKey } = await call("website");
    const current = await worker.pushManager.getSubscription();
    if (current && base64url(current.options.applicationServerKey) === applicationServerKey) return current;
    // The server names the recipient by the old subscription, before it is gone.
    if (current) await report(current);
    await current?.unsubscribe();
    return worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(applicationServerKey) });
  }

  /** Tells the server, and keeps the recipient id that it knows this subscription by.
   * @param {PushSubscription} subscription */
  async function report(subscription) {
    const known = await call("subscriptions", {
      clientId,
      language: navigator.language,
      timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
      applicationServerKey: base64url(subscription.options.applicationServerKey),
      subscription: subscription.toJSON(),
    });
    mayRemember = true;
    keep(known.clientId);
    rememberAnswer("yes");
  }

  async function synchronise() {
    const worker = Notification.permission === "granted" ? await registration() : undefined;
    if (worker && (await worker.pushManager.getSubscription())) {
      await worker.update().catch(() => undefined);
      await report(await pushSubscription(worker));
    } else if (Notification.permission === "denied" && recall(OPT_IN) !== "denied") {
      rememberAnswer("denied");
    }
  }

  const api = {
    /** The recipient id, to be stored with the customer. */
    getClientId: () => clientId,

    /** "default", "granted" or "denied". */
    get permission() {
      return Notification.permission;
    },

    /** Whether this browser is subscribed now. */
    async isSubscribed() {
      const worker = Notification.permission === "granted" ? await registration() : undefined;
      return Boolean(worker && (await worker.pushManager.getSubscription()));
    },

    /** Asks for permission and subscribes. To be called when the visitor clicks. Resolves to true, or to
     * false if they said no. */
    async subscribe() {
      const permission = await Notification.requestPermission();
      if (permission !== "granted") {
        rememberAnswer(permission === "denied" ? "denied" : "later");
        tell("declined", permission);
        return false;
      }
      await report(await pushSubscription(await register()));
      tell("subscribed", clientId);
      return true;
    },

    /** Ends the subscription, here and at the server. */
    async unsubscribe() {
      const subscription = await (await registration())?.pushManager.getSubscription();
      if (!subscription) return;
      const { endpoint, keys } = subscription.toJSON();
      await call("unsubscribe", { endpoint, auth: keys?.auth });
      await subscription.unsubscribe();
      rememberAnswer("no");
      tell("unsubscribed");
    },

    /** @param {"subscribed" | "unsubscribed" | "declined"} event @param {(detail: unknown) => void} listener */
    on(event, listener) {
      (listeners[event] ??= []).push(listener);
    },

    /** Resolves when the recipient id is the one to keep. */
    ready: Promise.resolve(),
  };

  keep(clientId);
  api.ready = synchronise().catch((error) => console.warn("Signalize:", error.message));
  window["et_signalize"] = api;

  // Signalize's hook: a function, or an array of functions; later ones run at once.
  const waiting = window["_etrackerOnReady"];
  window["_etrackerOnReady"] = { push: (/** @type {() => void} */ run) => run() };
  (Array.isArray(waiting) ? waiting : [waiting]).forEach((run) => typeof run === "function" && run());
})();
