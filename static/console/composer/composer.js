// @ts-check
/* The composer: a form that works by itself, and what makes it pleasant. Each part is a module beside this one. */
import { button, field, form, make, texts, urls, words } from "./form.js";
import { countAll } from "./counters.js";
import { pickEmoji } from "./emoji.js";
import { pickPlaceholder } from "./placeholders.js";
import { drawAll } from "./preview.js";
import { lookSoon } from "./remarks.js";
import { buildUtm } from "./utm.js";
import "./media.js";
import "./saving.js";
import "./testing.js";

/** @param {HTMLInputElement} input @param {...HTMLElement} tools */
function addTools(input, ...tools) {
  const row = make("div", { className: "tools", role: "group", "aria-label": words.tools }, ...tools);
  input.closest(".form-row")?.append(row);
  input.dataset.tools = "1";
}

/** The small buttons below the fields of each text that has none yet. */
function equip() {
  for (const prefix of texts()) {
    for (const name of ["title", "message"]) {
      const input = field(`${prefix}-${name}`);
      if (!input || input.dataset.tools) continue;
      const emoji = button("☺", () => void pickEmoji(input), "tool");
      emoji.setAttribute("aria-label", words.emoji);
      emoji.title = words.emoji;
      addTools(input, emoji, button(words.placeholderTool, () => void pickPlaceholder(input), "tool"));
    }
    const link = field(`${prefix}-link`);
    if (link && !link.dataset.tools) addTools(link, button(words.utmTool, () => buildUtm(link), "tool"), button(words.placeholderTool, () => void pickPlaceholder(link), "tool"));
  }
}

function follow() {
  drawAll();
  countAll();
  if (urls.remarks) lookSoon();
}

function followTexts() {
  equip();
  follow();
}

equip();
follow();
form.addEventListener("input", follow);
form.addEventListener("change", follow);
document.addEventListener("formset:added", followTexts);
document.addEventListener("formset:removed", followTexts);
