// @ts-check
"use strict";

/* Saves a chart as a picture: title, legend and SVG, with the colours that they have on the page, drawn twice as large. */

const DRAWN = ["fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linejoin", "stroke-linecap", "font-family", "font-size"];
const SCALE = 2;
const MARGIN = 16;
const LINE = 24;
const LONGEST = 75;

/** @param {string} tag @param {Record<string, string | number>} about @param {string} [said] */
function draw(tag, about, said = "") {
  const part = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(about)) part.setAttribute(name, String(value));
  part.textContent = said;
  return part;
}

/** The same part with the look that it has on the page. @param {Element} part */
function dressed(part) {
  const copy = /** @type {SVGElement} */ (part.cloneNode(true));
  const copies = [copy, ...copy.querySelectorAll("*")];
  [part, ...part.querySelectorAll("*")].forEach((original, number) => {
    const style = getComputedStyle(original);
    for (const name of DRAWN) copies[number].setAttribute(name, style.getPropertyValue(name));
  });
  return copy;
}

/** The chart as a document of its own, under what the page says above it: of what, its title, its lines. @param {SVGSVGElement} chart */
function standalone(chart) {
  const figure = /** @type {HTMLElement} */ (chart.closest("figure"));
  const { width, height } = chart.viewBox.baseVal;
  const { color, fontFamily } = getComputedStyle(figure);
  const text = { x: MARGIN, fill: color, "font-family": fontFamily, "font-size": 13 };
  const picture = draw("svg", { xmlns: "http://www.w3.org/2000/svg", width });
  let y = 0;
  for (const [of, size] of /** @type {[Element | null, number][]} */ ([[document.querySelector("#content h1"), 18], [figure.querySelector("h3"), 15]])) {
    y += LINE;
    const said = of?.textContent?.trim() ?? "";
    const cut = said.length > LONGEST ? `${said.slice(0, LONGEST - 1)}…` : said;
    picture.append(draw("text", { ...text, y, "font-size": size, "font-weight": 600 }, cut));
  }
  for (const entry of figure.querySelectorAll(".legend li")) {
    y += LINE;
    const key = draw("g", { transform: `translate(${MARGIN} ${y - 8})` });
    key.append(dressed(/** @type {Element} */ (entry.querySelector(".key line"))));
    picture.append(key, draw("text", { ...text, x: MARGIN + 36, y }, entry.textContent?.trim()));
  }
  const plot = draw("g", { transform: `translate(0 ${(y += MARGIN)})` });
  plot.append(...[...chart.children].filter((part) => getComputedStyle(part).display !== "none").map(dressed));
  picture.append(plot);
  picture.setAttribute("height", String(y + height));
  return { text: new XMLSerializer().serializeToString(picture), width, height: y + height };
}

/** @param {SVGSVGElement} chart @param {string} name */
async function save(chart, name) {
  const { text, width, height } = standalone(chart);
  const picture = new Image();
  picture.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await picture.decode();
  const canvas = document.createElement("canvas");
  canvas.width = width * SCALE;
  canvas.height = height * SCALE;
  const brush = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  brush.fillStyle = getComputedStyle(/** @type {Element} */ (chart.closest(".card"))).backgroundColor;
  brush.fillRect(0, 0, canvas.width, canvas.height);
  brush.drawImage(picture, 0, 0, canvas.width, canvas.height);
  const link = document.createElement("a");
  link.download = `${name}.png`;
  link.href = canvas.toDataURL("image/png");
  link.click();
}

for (const button of document.querySelectorAll("[data-png]")) {
  const { png = "", file = "" } = /** @type {HTMLElement} */ (button).dataset;
  const chart = /** @type {SVGSVGElement | null} */ (document.querySelector(`[data-chart="${png}"]`));
  if (!chart) continue;
  button.removeAttribute("hidden");
  button.addEventListener("click", () => void save(chart, file));
}
