// @ts-check
/* The emoji picker: found by words in English and German, walked through with the arrow keys. */
import { button, dialog, insert, make, words } from "./form.js";

/** Each with words to find it by, and its name in both languages (CLDR). @type {[string, string, string, string][] | undefined} */
let known;
/** @type {HTMLInputElement} */
let wanted;
const isGerman = document.documentElement.lang.startsWith("de");
const search = make("input", { type: "search", placeholder: words.searchEmoji, "aria-label": words.searchEmoji });
const grid = make("div", { className: "emoji", role: "group", "aria-label": words.emoji });
const nothing = make("p", { className: "quiet", role: "status" });
const box = dialog(words.emoji, search, grid, nothing);

function draw() {
  const asked = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  const found = (known ?? []).filter(([, said]) => asked.every((/** @type {string} */ one) => ` ${said}`.includes(` ${one}`)));
  grid.replaceChildren(...found.map(([sign, , english, german]) => {
    const one = button(sign, () => (box.close(), insert(wanted, sign)), "emoji-one");
    one.title = isGerman ? german : english;
    one.setAttribute("aria-label", `${sign} ${one.title}`);
    one.tabIndex = -1;
    return one;
  }));
  if (grid.firstElementChild) grid.firstElementChild.tabIndex = 0;
  nothing.textContent = found.length ? "" : words.noEmoji;
}

/** How many stand in one line. */
function columns() {
  const top = grid.firstElementChild?.offsetTop;
  const below = [...grid.children].findIndex((one) => one.offsetTop > top);
  return below > 0 ? below : grid.children.length;
}

grid.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
  /** @type {Record<string, number>} */
  const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns(), ArrowUp: -columns() };
  if (!(event.key in steps)) return;
  event.preventDefault();
  const next = grid.children[[...grid.children].indexOf(document.activeElement) + steps[event.key]];
  (next ?? (steps[event.key] < 0 ? search : document.activeElement)).focus();
});
search.addEventListener("input", draw);
search.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
  if (!["ArrowDown", "Enter"].includes(event.key)) return;
  event.preventDefault();
  if (event.key === "Enter") grid.firstElementChild?.click();
  else grid.firstElementChild?.focus();
});

/** @param {HTMLInputElement} input */
export async function pickEmoji(input) {
  wanted = input;
  known ??= await (await fetch(new URL("emoji.json", import.meta.url))).json();
  search.value = "";
  draw();
  box.showModal();
  search.focus();
}
