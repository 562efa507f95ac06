// @ts-check
"use strict";

/* Saves a chart as a picture: the SVG, with the colours that it has on the page, drawn twice as large. */

const DRAWN = ["fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linejoin", "stroke-linecap", "font-family", "font-size"];
const SCALE = 2;

/** The chart as a document of its own. @param {SVGSVGElement} chart */
function standalone(chart) {
  const copy = /** @type {SVGSVGElement} */ (chart.cloneNode(true));
  const originals = [...chart.querySelectorAll("*")];
  [...copy.querySelectorAll("*")].forEach((part, number) => {
    const style = getComputedStyle(originals[number]);
    for (const name of DRAWN) part.setAttribute(name, style.getPropertyValue(name));
  });
  const { width, height } = chart.viewBox.baseVal;
  copy.setAttribute("width", String(width));
  copy.setAttribute("height", String(height));
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  return { text: new XMLSerializer().serializeToString(copy), width, height };
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
  const name = /** @type {HTMLElement} */ (button).dataset.png ?? "";
  const chart = /** @type {SVGSVGElement | null} */ (document.querySelector(`[data-chart="${name}"]`));
  if (!chart) continue;
  button.removeAttribute("hidden");
  button.addEventListener("click", () => void save(chart, name));
}
