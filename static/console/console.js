// @ts-check
"use strict";

/* What the console's pages do by themselves: renew a running message, ask before the irreversible, copy. */

const { copy: COPY = "", failed: FAILED = "" } = /** @type {HTMLScriptElement} */ (document.currentScript).dataset;

/**
 * Who is at one of its buttons stays there.
 * @param {HTMLElement} place
 */
async function renew(place) {
  const answer = await fetch(place.dataset.renew ?? place.dataset.later ?? "", { headers: { "X-Requested-With": "fetch" } });
  if (answer.redirected) location.reload();
  if (!answer.ok) throw new Error(String(answer.status));
  const form = place.contains(document.activeElement) ? document.activeElement?.closest("form") : null;
  place.innerHTML = await answer.text();
  if (form) {
    const same = place.querySelector(`form[action="${CSS.escape(form.getAttribute("action") ?? "")}"] button`);
    /** @type {HTMLElement | null} */ (same)?.focus();
  }
}

/** Above the page, for who sees it and who hears it: whether its numbers are still live. @returns {(isLive: boolean) => void} */
function liveness() {
  const status = document.createElement("div");
  status.setAttribute("role", "status");
  (document.querySelector("#content") ?? document.body).prepend(status);
  return (isLive) => {
    if (isLive === !status.firstChild) return;
    const said = Object.assign(document.createElement("p"), { className: "problem", textContent: FAILED });
    status.replaceChildren(...(isLive ? [] : [said]));
  };
}

/**
 * As long and as often as the page says.
 * @param {HTMLElement} place @param {(isLive: boolean) => void} tell
 */
function follow(place, tell) {
  const running = /** @type {HTMLElement | null} */ (place.querySelector("[data-running]"));
  if (!running) return;
  setTimeout(async () => {
    if (!document.hidden) await renew(place).then(() => tell(true), () => tell(false));
    follow(place, tell);
  }, Number(running.dataset.running));
}

// Django's picker labels its signs, which only a picture may be.
addEventListener("load", () => {
  for (const sign of document.querySelectorAll(".help-tooltip[aria-label]")) sign.setAttribute("role", "img");
});

for (const place of document.querySelectorAll("[data-renew]")) follow(/** @type {HTMLElement} */ (place), liveness());

// What takes the network comes once the page is there; without it the page is whole, too.
for (const place of document.querySelectorAll("[data-later]")) renew(/** @type {HTMLElement} */ (place)).catch(() => undefined);

// On a phone each row of a wide table is a card, where every value stands beside the heading of its column. Laid out
// like that, browsers forget that it is a table unless its parts say so.
const LEAST_COLUMNS = 3;
for (const table of /** @type {NodeListOf<HTMLTableElement>} */ (document.querySelectorAll("#result_list, .wide table, .scroll table"))) {
  const headings = [...(table.tHead?.rows[0]?.cells ?? [])].map((cell) => (cell.querySelector(".text") ?? cell).textContent?.trim() ?? "");
  if (headings.length < LEAST_COLUMNS) continue;
  table.classList.add("cards");
  table.setAttribute("role", "table");
  for (const part of [table.tHead, ...table.tBodies]) part?.setAttribute("role", "rowgroup");
  for (const row of table.rows) {
    row.setAttribute("role", "row");
    [...row.cells].forEach((cell, number) => {
      const isHeading = cell.tagName === "TH";
      cell.setAttribute("role", !isHeading ? "cell" : row.parentElement === table.tHead ? "columnheader" : "rowheader");
      if (!isHeading && cell.colSpan === 1) cell.dataset.heading = headings[number];
    });
  }
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
    if (!["Enter", " "].includes(/** @type {KeyboardEvent} */ (event).key)) return;
    event.preventDefault();
    void copy();
  });
}
