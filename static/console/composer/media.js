// @ts-check
/* The media library beside a picture's field: choose one, or upload it here. */
import { ask, button, changed, dialog, field, labelled, make, notice, say, tell, urls, words } from "./form.js";

const KINDS = ["icon", "image", "badge"];
let kind = "icon";
const file = make("input", { type: "file", accept: "image/png,image/jpeg,image/webp" });
const problem = notice();
const state = make("p", { className: "quiet", role: "status" });
const shown = make("div", { className: "pictures" });
const more = button(words.more, () => load(Number(more.dataset.before)));
const box = dialog(words.mediaLibrary, labelled(words.upload, file), problem, state, shown, more);

/** @param {{url: string}} picture */
function use(picture) {
  const input = field(kind);
  if (!input) return;
  input.value = picture.url;
  changed(input);
  box.close();
  input.focus();
}

/** @param {any} picture */
function card(picture) {
  const image = make("img", { src: picture.url, alt: "", loading: "lazy" });
  const one = button("", () => use(picture), "picture");
  one.append(image, make("strong", { textContent: picture.name }), make("span", { textContent: picture.size }));
  return one;
}

/** @param {number} [before] */
async function load(before) {
  const query = new URLSearchParams({ website: say("website"), kind, ...(before ? { before: String(before) } : {}) });
  const said = await ask(`${urls.pictures}?${query}`);
  tell(problem, said.problem);
  const cards = (said.pictures ?? []).map(card);
  if (before) shown.append(...cards);
  else shown.replaceChildren(...cards);
  more.dataset.before = said.before ?? "";
  more.hidden = !said.before;
  state.textContent = shown.children.length ? "" : words.noPictures;
}

file.addEventListener("change", async () => {
  if (!file.files?.length) return;
  const body = new FormData();
  for (const [name, value] of Object.entries({ website: say("website"), kind, file: file.files[0] })) body.append(name, value);
  state.textContent = words.uploading;
  const said = await ask(urls.upload, body);
  file.value = "";
  state.textContent = "";
  tell(problem, said.problem);
  if (!said.problem) use(said);
});

/** @param {string} wanted */
function open(wanted) {
  kind = wanted;
  shown.replaceChildren();
  more.hidden = true;
  tell(problem, say("website") ? "" : words.websiteFirst);
  file.disabled = !say("website") || !urls.upload;
  box.showModal();
  if (say("website")) void load();
}

if (urls.pictures) {
  for (const name of KINDS) field(name)?.after(button(words.choose, () => open(name), "button secondary beside"));
}
