// @ts-check
"use strict";

/** @param {string} id */
const find = (id) => /** @type {HTMLElement & {disabled: boolean}} */ (document.getElementById(id));
const help = find("help");
const STEPS = ["stored", "accepted", "shown", "clicked"];

/** @param {string} state */
const explain = (state) => (help.textContent = help.dataset[state] ?? state);

async function refresh() {
  const signalize = window["et_signalize"];
  const subscribed = await signalize.isSubscribed();
  find("client-id").textContent = signalize.getClientId();
  find("subscribe").disabled = subscribed || signalize.permission === "denied";
  find("push").disabled = find("basket").disabled = !subscribed;
  find("unsubscribe").hidden = !subscribed;
  explain(subscribed ? "granted" : signalize.permission === "denied" ? "denied" : "default");
}

/** Runs one of the buttons, and says what went wrong. @param {string} id @param {() => Promise<unknown>} act */
function on(id, act) {
  find(id).addEventListener("click", async () => {
    find(id).disabled = true;
    explain("loading");
    try {
      await act();
      await refresh();
    } catch (error) {
      await refresh();
      explain(/** @type {Error} */ (error).message);
    }
  });
}

/** What automations can begin with: docs/automations.md. */
async function putIntoBasket() {
  window["et_signalize"].track("insertToBasket", { product: { name: find("product").textContent, price: 19 } });
}

async function order() {
  window["et_signalize"].track("order", { orderNumber: String(Date.now()).slice(-6), value: 19 });
  const worker = await navigator.serviceWorker.ready;
  const subscription = (await worker.pushManager.getSubscription())?.toJSON();
  const answer = await fetch("/demo/push", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ endpoint: subscription?.endpoint, auth: subscription?.keys?.auth }),
  });
  const said = await answer.json();
  if (!answer.ok) throw new Error(said.message);
  void follow(said.status);
}

/** @param {string} token */
async function follow(token) {
  find("progress").hidden = false;
  for (let look = 0; look < 120; look += 1) {
    const said = await (await fetch(`/demo/messages/${token}`)).json();
    const reached = ["stored", ...said.states, ...said.reported];
    const last = Math.max(...STEPS.map((step, index) => (reached.includes(step) ? index : -1)));
    for (const step of document.querySelectorAll("#progress li")) {
      const index = STEPS.indexOf(/** @type {HTMLElement} */ (step).dataset.step ?? "");
      step.classList.toggle("done", index <= last);
    }
    if (said.reasons.length) explain(said.reasons.join(", "));
    if (reached.includes("clicked")) return;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

find("copy").addEventListener("click", async () => {
  await navigator.clipboard.writeText(find("client-id").textContent ?? "");
  find("copy").textContent = find("copy").dataset.done ?? "";
});

function start() {
  on("subscribe", () => window["et_signalize"].subscribe());
  on("unsubscribe", () => window["et_signalize"].unsubscribe());
  on("basket", putIntoBasket);
  on("push", order);
  window["et_signalize"].ready.then(refresh);
}

if (!("serviceWorker" in navigator && "PushManager" in window)) explain("unsupported");
else if (window["et_signalize"]) start();
else window["_etrackerOnReady"] = [start];
