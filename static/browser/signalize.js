// @ts-check
/* The snippet. Loaded by
 *   <script id="_etLoader" type="text/javascript" charset="UTF-8" data-secure-code="…" src="…/code/signalize.js" async></script>
 * and gives the page `et_signalize`. Calls before that are queued, as [method, ...arguments]:
 *   window.et_signalize = window.et_signalize || []; et_signalize.push(["setCustomerId", "4711"])
 * Cookie names and values are Signalize's.
 */
(() => {
  "use strict";

  const loader = /** @type {HTMLScriptElement | null} */ (document.currentScript || document.getElementById("_etLoader"));
  const secureCode = loader?.dataset.secureCode ?? "";
  const early = window["et_signalize"];
  if (!loader || !/^[0-9a-zA-Z]{3,12}$/.test(secureCode) || (early && !Array.isArray(early))) return;
  if (loader.dataset.respectDnt === "true" && navigator.doNotTrack === "1") return;
  const supported = "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;
  // An iPhone has Web Push only on its Home Screen: the dialog explains that.
  if (!supported && !/iP(hone|ad|od)/.test(navigator.userAgent)) return;

  const settings = {
    signalizeServiceWorkerPath: "/sw.js",
    signalizeServiceWorkerScope: "",
    signalizeApiUrl: new URL(loader.src).origin,
    signalizeAutoStart: true,
    ...window["_etr"],
  };
  const server = settings.signalizeApiUrl;
  const DAY = 86_400_000;
  const MONTHS = Math.max(1, parseInt(loader.dataset.cookieLifetime ?? "24", 10) || 0);
  const RECIPIENT = "_et_coid";
  const OPT_IN = "et_oip";
  const ALLOWED = "et_allow_cookies";
  // Signalize's lifetimes of the opt-in cookie, in days; "later" closed the question unanswered.
  const OPT_IN_DAYS = { yes: 30, denied: 30, no: 30, later: 1 };
  const SYNCHRONISE_EVERY = DAY / 24;

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

  // With cookies blocked the id is this page's only, until the visitor opts in or allows cookies.
  let mayRemember = loader.dataset.blockCookies !== "true" || Boolean(recall(ALLOWED) || recall(RECIPIENT));
  const storedId = () => (/^[0-9a-f]{32}$/.test(recall(RECIPIENT)) ? recall(RECIPIENT) : "");
  let clientId = storedId() || randomId();

  function randomId() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  /** @param {string} id */
  function keep(id) {
    clientId = id;
    if (mayRemember) remember(RECIPIENT, id, MONTHS * 30);
    if (isReady) fill(document);
  }

  // The page's forms take the id along: `<input type="hidden" name="…" data-signalize="recipient-id">`.

  const FIELD = "[data-signalize=recipient-id]";
  let isReady = false;

  /** @param {any} root Also a text, which has no fields. */
  const fill = (root) => [root, ...(root.querySelectorAll?.(FIELD) ?? [])].forEach((one) => one.matches?.(FIELD) && (one.value = clientId));

  /** Forms that come later, too: only what was added is looked at. */
  function fillForms() {
    isReady = true;
    new MutationObserver((changes) => changes.forEach(({ addedNodes }) => addedNodes.forEach(fill))).observe(document, { childList: true, subtree: true });
  }

  /** @param {"yes" | "no" | "denied" | "later"} answer */
  const rememberAnswer = (answer) => remember(OPT_IN, answer === "later" ? "no" : answer, OPT_IN_DAYS[answer]);

  // What the service worker must know too stands in the Cache API, which both can read: written from opt-in on.

  /** @type {any} */
  let state = {};
  async function readState() {
    const cache = await caches.open("signalize");
    state = (await (await cache.match("/signalize-state"))?.json()) ?? {};
  }

  /** @param {object} changes */
  async function learn(changes) {
    await readState().catch(() => undefined);
    Object.assign(state, changes);
    try {
      await (await caches.open("signalize")).put("/signalize-state", new Response(JSON.stringify(state)));
    } catch {
      // Storage is closed: then it is known to this page only.
    }
  }

  // Our server.

  /** @param {string} path @param {object} [body] */
  async function call(path, body) {
    const answer = await fetch(`${server}/browser/${secureCode}/${path}`, {
      method: body ? "POST" : "GET",
      credentials: "omit",
      ...(body && { body: JSON.stringify(body), headers: { "Content-Type": "application/json" } }),
    });
    const said = answer.status === 204 ? {} : await answer.json();
    if (!answer.ok) throw Object.assign(new Error(said.message), { code: said.errorCode });
    return said;
  }

  /** Sends without waiting, also while the page goes away. @param {string} path @param {object} body */
  const beacon = (path, body) => navigator.sendBeacon(`${server}/browser/${path}`, JSON.stringify(body));

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

  /** The website, as the server describes it: its key, and when to ask. @type {any} */
  let config = {};
  const script = new URL(settings.signalizeServiceWorkerPath, location.href).href;
  const scope = new URL(settings.signalizeServiceWorkerScope || "./", script).href;

  /** @param {ServiceWorkerRegistration | undefined} registration */
  const scriptOf = (registration) => (registration?.active ?? registration?.waiting ?? registration?.installing)?.scriptURL;

  /** Our registrations: one, but for a visitor who was here before another worker came. */
  async function registrations() {
    if (!supported) return [];
    return (await navigator.serviceWorker.getRegistrations()).filter((one) => scriptOf(one) === script);
  }

  /** Where to register: beside another service worker, not in its place. */
  async function freeScope() {
    const there = (await navigator.serviceWorker.getRegistrations()).find((one) => one.scope === scope);
    return there && scriptOf(there) !== script ? `${scope}et-push/` : scope;
  }

  /** Resolves when the worker is active: only then a browser subscribes. One of ours elsewhere ends, so that nobody gets all twice. */
  async function register() {
    const place = await freeScope();
    for (const old of await registrations()) {
      if (old.scope !== place) {
        await (await old.pushManager.getSubscription())?.unsubscribe();
        await old.unregister();
      }
    }
    const worker = await navigator.serviceWorker.register(script, { scope: place });
    const coming = worker.installing ?? worker.waiting;
    if (!worker.active && coming) {
      await new Promise((resolve) => coming.addEventListener("statechange", () => coming.state === "activated" && resolve(true)));
    }
    return worker;
  }

  // What was found last: a page that is being left has no time to look.
  let isSubscribed = false;

  async function current() {
    for (const worker of supported && Notification.permission === "granted" ? await registrations() : []) {
      const subscription = await worker.pushManager.getSubscription();
      if (subscription) {
        isSubscribed = true;
        return subscription;
      }
    }
    isSubscribed = false;
    return null;
  }

  /** Subscribes with the server's key; a subscription with another key, or a stale one, is replaced.
   * @param {ServiceWorkerRegistration} worker @param {boolean} [stale] */
  async function pushSubscription(worker, stale) {
    const { applicationServerKey } = (config = await call("website"));
    const there = await worker.pushManager.getSubscription();
    const same = base64url(there?.options.applicationServerKey) === applicationServerKey;
    if (there && same && !stale) return there;
    // The server names the recipient by the old subscription, before it is gone.
    if (there && !same) await report(there).catch(() => undefined);
    await there?.unsubscribe();
    return worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(applicationServerKey) });
  }

  /** What the page told of its visitor. @type {any} */
  const profile = {};

  /** Tells the server, and keeps the recipient id that it knows this subscription by. Resolves to its answer.
   * @param {PushSubscription} subscription @param {object} [more] */
  async function report(subscription, more) {
    const { endpoint, keys } = subscription.toJSON();
    const applicationServerKey = base64url(subscription.options.applicationServerKey);
    const said = await call("subscriptions", {
      clientId,
      language: navigator.language,
      timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
      applicationServerKey,
      subscription: subscription.toJSON(),
      // Who held the subscription before this one keeps its recipient id.
      ...(state.endpoint && state.endpoint !== endpoint && { previous: { endpoint: state.endpoint, auth: state.auth } }),
      ...profile,
      ...more,
    });
    mayRemember = true;
    keep(said.clientId);
    rememberAnswer("yes");
    await learn({
      server, secureCode, clientId, applicationServerKey, endpoint, auth: keys?.auth, at: Date.now(),
      ...("customerId" in profile && { person: said.person }),
    });
    return said;
  }

  /** Subscribes, or subscribes anew. @param {object} [more] */
  async function attach(more) {
    const worker = await register();
    const said = await report(await pushSubscription(worker), more);
    if (said.stale) await report(await pushSubscription(worker, true), more);
  }

  async function synchronise() {
    await readState().catch(() => undefined);
    const subscription = await current();
    // The server is asked before a new id is written down: this subscription may have one.
    if (subscription && state.endpoint === subscription.endpoint && !storedId()) clientId = state.clientId;
    config = await call("website");
    const known =
      subscription?.endpoint === state.endpoint &&
      storedId() === state.clientId &&
      state.applicationServerKey === config.applicationServerKey &&
      Date.now() - state.at < SYNCHRONISE_EVERY;
    const lost = !subscription && supported && state.endpoint && Notification.permission === "granted";
    if ((subscription && !known) || lost) {
      await attach();
      for (const worker of await registrations()) {
        void worker.update().catch(() => undefined);
        worker.active?.postMessage("signalize-reports");
      }
    } else if (supported && Notification.permission === "denied" && recall(OPT_IN) !== "denied") {
      rememberAnswer("denied");
    }
  }

  // What happens on the page: sent by beacon, many at once.

  const OPT_IN_EVENTS = /^(optin_(shown|yes|no|closed)|permission_(granted|denied))$/;
  /** @type {{name: string, properties: object, at: number}[]} */
  let happened = [];

  const flush = async () => tellHappened(Boolean(await current()));

  /** @param {boolean} subscribed */
  function tellHappened(subscribed) {
    // Of who has not opted in we keep only how the dialog was answered.
    const batch = happened.filter((one) => subscribed || OPT_IN_EVENTS.test(one.name)).slice(-50);
    happened = subscribed ? [] : happened.filter((one) => !batch.includes(one)).slice(-50);
    const events = batch.map(({ name, properties, at }) => ({ name, properties, age: Date.now() - at }));
    if (events.length) beacon(`${secureCode}/events`, { clientId, events });
  }

  /** @param {string} name @param {object} [properties] */
  function track(name, properties = {}) {
    if (!happened.length) setTimeout(flush, 3_000);
    happened.push({ name, properties, at: Date.now() });
    if (happened.length === 20) void flush();
  }

  let page = "";
  let pages = 0;
  let afterView = () => undefined;
  function viewed() {
    if (page === location.pathname) return;
    page = location.pathname;
    pages += 1;
    try {
      if (mayRemember) sessionStorage.setItem("et_pages", String((pages = Number(sessionStorage.getItem("et_pages")) + 1)));
    } catch {
      // Storage is closed: only the pages of a single-page app are counted.
    }
    afterView();
    track("page_view", { page, title: document.title.slice(0, 200) });
  }

  /** @param {string} text */
  const fingerprint = (text) => [...text].reduce((sum, character) => (Math.imul(sum, 31) + character.charCodeAt(0)) | 0, 7);

  /** Tells the server now if this visitor has opted in, else together with the opt-in.
   * @param {object} changes */
  async function describe(changes) {
    Object.assign(profile, changes);
    await api.ready;
    const subscription = (await current())?.toJSON();
    const mark = fingerprint(JSON.stringify([subscription?.endpoint, changes]));
    const name = Object.keys(changes)[0];
    if (!subscription || state.told?.[name] === mark) return;
    // Until the server has answered, nobody may see what was meant for somebody else.
    if ("customerId" in changes) await learn({ person: "?" });
    const said = await call("recipient", { endpoint: subscription.endpoint, auth: subscription.keys?.auth, ...changes });
    await learn({ told: { ...state.told, [name]: mark }, ...("customerId" in changes && { person: said.person }) });
  }

  // The dialogs: a module of their own, loaded when they are first shown.

  /** @type {Promise<any> | undefined} */
  let dialogs;
  const loadDialogs = () => (dialogs ??= import(`${server}/code/opt-in.js`));

  /** Decides by the website's rules whether and when to ask. Bell and button don't ask: they are just there.
   * @param {{kind: string, trigger: string, after: number, paths: string[]} | null | undefined} rules */
  function watchForOptIn(rules) {
    if (document.querySelector("[data-signalize=preferences-page]")) void api.openPreferences();
    if (!rules || rules.kind === "link") return;
    const { kind, trigger, after, paths } = rules;
    const root = document.documentElement;
    let isDone = false;
    const isHere = () => !paths.length || paths.some((path) => (path.endsWith("*") ? location.pathname.startsWith(path.slice(0, -1)) : location.pathname === path));
    async function ask() {
      if (isDone || !isHere()) return;
      if (kind === "dialog" && (recall(OPT_IN) || api.permission === "denied" || (await current()))) return;
      if (isDone) return;
      isDone = true;
      await api.openOptIn(kind);
    }
    const view = {
      seconds: () => setTimeout(ask, after * 1000),
      pages: () => pages >= after && ask(),
      once: ask,
    }[kind === "dialog" ? trigger : "once"];
    afterView = () => void view?.();
    afterView();
    if (kind !== "dialog") return;
    if (trigger === "scroll") addEventListener("scroll", () => scrollY >= ((root.scrollHeight - innerHeight) * after) / 100 && ask(), { passive: true });
    if (trigger === "exit") root.addEventListener("mouseleave", (event) => event.clientY <= 0 && ask());
  }

  /** The page's own links: `<a data-signalize="opt-in">`, `<a data-signalize="preferences">`. */
  document.addEventListener("click", (event) => {
    const wish = /** @type {Element | null} */ (event.target)?.closest?.("[data-signalize=opt-in], [data-signalize=preferences]");
    if (!wish) return;
    event.preventDefault();
    void (wish.getAttribute("data-signalize") === "opt-in" ? api.openOptIn("dialog") : api.openPreferences());
  });

  const api = {
    /** The recipient id, to be stored with the customer. */
    getClientId: () => clientId,

    /** "default", "granted" or "denied". */
    get permission() {
      return supported ? Notification.permission : "default";
    },

    /** Whether this browser is subscribed now. */
    isSubscribed: async () => Boolean(await current()),

    /** Asks for permission and subscribes. To be called when the visitor clicks. Resolves to true, or to
     * false if they said no. `consentText` names the version of the text that they agreed to.
     * @param {{consentText?: string}} [options] */
    async subscribe({ consentText } = {}) {
      if (!supported) {
        await api.openOptIn("ios");
        return false;
      }
      const before = Notification.permission;
      const permission = await Notification.requestPermission();
      if (before !== permission) track(permission === "granted" ? "permission_granted" : "permission_denied");
      if (permission !== "granted") {
        rememberAnswer(permission === "denied" ? "denied" : "later");
        tell("declined", permission);
        return false;
      }
      await attach({ consentText });
      tell("subscribed", clientId);
      void flush();
      return true;
    },

    /** Ends the subscription, here and at the server. */
    async unsubscribe() {
      const subscription = await current();
      if (!subscription) return;
      const { endpoint, keys } = subscription.toJSON();
      await call("unsubscribe", { endpoint, auth: keys?.auth });
      await subscription.unsubscribe();
      rememberAnswer("no");
      await learn({ endpoint: "", auth: "", told: {} });
      tell("unsubscribed");
    },

    /** Whose browser this is; "" when they log out. `signature` is made by the site's backend:
     * the HMAC-SHA256 of the id under the website's identity secret, in hex.
     * @param {string} customerId @param {string} [signature] */
    setCustomerId: (customerId, signature = "") => describe({ customerId: String(customerId), signature }),

    /** Texts, numbers and booleans by name; null removes one. @param {Record<string, unknown>} attributes */
    setAttributes: (attributes) => describe({ attributes }),

    /** @param {string[]} interests */
    setInterests: (interests) => describe({ interests }),

    track,

    /** @param {string} [kind] */
    openOptIn: async (kind) => (await loadDialogs()).openOptIn(inside, kind),
    openPreferences: async () => (await loadDialogs()).openPreferences(inside),

    /** @param {"subscribed" | "unsubscribed" | "declined"} event @param {(detail: unknown) => void} listener */
    on(event, listener) {
      (listeners[event] ??= []).push(listener);
    },

    /** The queue's own method, which also works after loading. @param {[string, ...any[]] | (() => void)} call */
    push(call) {
      if (typeof call === "function") return call();
      const [method, ...values] = call;
      return /** @type {any} */ (api)[method]?.(...values);
    },

    /** Resolves when the recipient id is the one to keep. */
    ready: Promise.resolve(),
  };

  // What the dialogs' module is given.
  const inside = {
    api, call, recall, rememberAnswer, tell, track, secureCode, server, supported,
    /** What proves who the visitor is; nothing where they aren't subscribed. */
    async proof() {
      const subscription = (await current())?.toJSON();
      return subscription && { endpoint: subscription.endpoint, auth: subscription.keys?.auth };
    },
    language: document.documentElement.lang || navigator.language,
    get config() {
      return config;
    },
  };

  // A click in Safari's declarative push never reaches the worker: the link carries the report.
  const arrived = /^#et_push=([\w.-]+)(?:~(button-\d))?$/.exec(location.hash);
  if (arrived) {
    history.replaceState(history.state, "", location.pathname + location.search);
    beacon("reports", { token: arrived[1], event: "clicked", button: arrived[2] ?? "" });
  }

  api.ready = synchronise()
    .catch((error) => console.warn("Signalize:", error.message))
    .then(() => {
      fillForms();
      // Another tab may have been first.
      keep(storedId() || clientId);
      if (settings.signalizeAutoStart) watchForOptIn(config.optIn);
    });
  window["et_signalize"] = api;

  viewed();
  // A single-page app sets its title after the address.
  for (const target of [window["navigation"], window]) target?.addEventListener(target === window ? "popstate" : "navigatesuccess", () => setTimeout(viewed, 300));
  document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && tellHappened(isSubscribed));

  // Names that etracker's tag has: for pages that speak to it.

  /** etCommerce's values by their names: an order's members as they are, else a product and how many, or an order's number.
   * @param {string} name @param {any[]} values */
  function commerceProperties(name, [first, second]) {
    if (name === "order") return { ...first };
    if (/^order/.test(name)) return { orderNumber: first, products: second };
    return { product: first, quantity: second };
  }

  /** @param {Record<string, unknown>} names */
  const offer = (names) => Object.entries(names).forEach(([name, value]) => (/** @type {any} */ (window)[name] ??= value));
  offer({
    et_UserDefinedEvent: function (/** @type {any} */ object, /** @type {any} */ category, /** @type {any} */ action, /** @type {any} */ type, /** @type {any} */ value) {
      Object.assign(this, { object, category, action, type, value });
    },
    _etracker: {
      getCoid: api.getClientId,
      getConfigValue: (/** @type {string} */ name) => /** @type {any} */ (settings)[name],
      sendEvent: (/** @type {any} */ { action, ...properties }) => track(String(action), properties),
      areCookiesEnabled: () => mayRemember,
      enableCookies() {
        mayRemember = true;
        remember(ALLOWED, "1", 480);
        keep(clientId);
      },
    },
    etCommerce: {
      sendEvent: (/** @type {string} */ name, /** @type {any[]} */ ...values) => track(name, commerceProperties(name, values)),
    },
  });
  const commerce = window["etCommercePrepareEvents"];
  if (Array.isArray(commerce)) commerce.forEach((event) => window["etCommerce"].sendEvent(...[event].flat().filter((one) => one !== "sendEvent")));

  // Signalize's hook: a function, or an array of functions; later ones run at once.
  const waiting = window["_etrackerOnReady"];
  window["_etrackerOnReady"] = { push: (/** @type {() => void} */ run) => run() };
  (Array.isArray(waiting) ? waiting : [waiting]).forEach((run) => typeof run === "function" && run());
  early?.forEach(api.push);
})();
