// @ts-check
"use strict";

/* What the console's pages do by themselves: renew a running message, ask before the irreversible, copy. */

const RENEW_EVERY = 2000;
const COPY = /** @type {HTMLScriptElement} */ (document.currentScript).dataset.copy ?? "";

/** @param {HTMLElement} place */
async function renew(place) {
  if (document.hidden || !place.querySelector("[data-running]")) return;
  const answer = await fetch(place.dataset.renew ?? "", { headers: { "X-Requested-With": "fetch" } });
  if (answer.redirected) location.reload();
  else if (answer.ok && !place.contains(document.activeElement)) place.innerHTML = await answer.text();
}

for (const place of document.querySelectorAll("[data-renew]")) {
  setInterval(() => renew(/** @type {HTMLElement} */ (place)).catch(() => undefined), RENEW_EVERY);
}

document.addEventListener("submit", (event) => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  if (form.dataset.confirm && !window.confirm(form.dataset.confirm)) event.preventDefault();
});

for (const code of document.querySelectorAll("code.copyable")) {
  code.setAttribute("tabindex", "0");
  code.setAttribute("role", "button");
  code.setAttribute("title", COPY);
  const copy = async () => {
    await navigator.clipboard.writeText(code.textContent ?? "");
    code.classList.add("copied");
    setTimeout(() => code.classList.remove("copied"), 1500);
  };
  code.addEventListener("click", copy);
  code.addEventListener("keydown", (event) => {
    if (/** @type {KeyboardEvent} */ (event).key === "Enter") void copy();
  });
}
