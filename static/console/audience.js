// @ts-check

/* The composer's audience: whom it reaches, beside its fields; only segments of the chosen website. */

const WAIT = 400;
const place = /** @type {HTMLElement | null} */ (document.querySelector("[data-reach]"));
const website = /** @type {HTMLSelectElement | null} */ (document.getElementById("id_website"));
const segment = /** @type {HTMLSelectElement | null} */ (document.getElementById("id_segment"));
if (place && website && segment) start(place, website, segment);

/** @param {HTMLElement} place @param {HTMLSelectElement} website @param {HTMLSelectElement} segment */
function start(place, website, segment) {
  const form = /** @type {HTMLFormElement} */ (website.form);
  let timer = 0;
  let asked = new AbortController();

  /** Another website's segments can't be chosen. */
  function narrow() {
    const isOther = (/** @type {HTMLElement} */ one) => Boolean(one.dataset.website && website.value && one.dataset.website !== website.value);
    for (const option of segment.options) option.hidden = option.disabled = isOther(option);
    if (segment.selectedOptions[0]?.disabled) segment.value = "";
    for (const box of /** @type {NodeListOf<HTMLInputElement>} */ (form.querySelectorAll("[name=leave_out]"))) {
      const label = /** @type {HTMLElement} */ (box.closest("label"));
      label.hidden = box.disabled = isOther(box);
    }
    for (const link of /** @type {NodeListOf<HTMLAnchorElement>} */ (document.querySelectorAll("#add_id_segment, #change_id_segment"))) {
      if (!link.href) continue;
      const url = new URL(link.href);
      url.searchParams.set("website", website.value);
      link.href = url.href;
    }
  }

  async function ask() {
    if (!website.value) return;
    asked.abort();
    asked = new AbortController();
    place.setAttribute("aria-busy", "true");
    const body = new URLSearchParams();
    for (const [name, value] of new FormData(form)) {
      if (["csrfmiddlewaretoken", "website", "segment", "leave_out", "rest_hours"].includes(name)) body.append(name, String(value));
    }
    try {
      const answer = await fetch(place.dataset.reach ?? "", { method: "POST", body, signal: asked.signal });
      if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
      place.innerHTML = await answer.text();
    } catch (error) {
      if (/** @type {Error} */ (error).name === "AbortError") return;
      place.textContent = place.dataset.failed ?? "";
    }
    place.removeAttribute("aria-busy");
  }

  function changed() {
    narrow();
    clearTimeout(timer);
    timer = setTimeout(ask, WAIT);
  }

  // Django's window for a new segment tells its own jQuery only.
  const jQuery = /** @type {any} */ (window).django?.jQuery;
  jQuery(segment).on("change", changed);
  for (const one of [website, ...form.querySelectorAll("[name=leave_out], [name=rest_hours]")]) one.addEventListener("change", changed);
  changed();
}
