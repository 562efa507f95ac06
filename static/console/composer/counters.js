// @ts-check
/* How much of a title and a message is seen: said below each, coloured where something is cut, never blocking. */
import { field, form, make, platforms, texts, words } from "./form.js";
import { filled, platform } from "./preview.js";

/** @param {string} name @param {"title" | "body"} measure */
function count(name, measure) {
  const input = field(name);
  if (!input) return;
  const length = [...filled(input.value.trim())].length;
  const cut = platforms.filter((one) => length > one[measure]).map((one) => one.name);
  const counter = input.closest(".form-row")?.querySelector(".counter") ?? added(input);
  counter.textContent = `${length} / ${platform[measure]} ${platform.name}${cut.length ? ` · ${words.cut} ${cut.join(", ")}` : ""}`;
  counter.classList.toggle("over", length > platform[measure]);
  counter.classList.toggle("near", cut.length > 0);
}

/** @param {HTMLInputElement} input */
function added(input) {
  const counter = make("span", { className: "counter", id: `${input.id}_counter` });
  input.setAttribute("aria-describedby", counter.id);
  input.closest(".form-row")?.append(counter);
  return counter;
}

export function countAll() {
  for (const prefix of texts()) {
    count(`${prefix}-title`, "title");
    count(`${prefix}-message`, "body");
  }
}

form.addEventListener("preview", countAll);
