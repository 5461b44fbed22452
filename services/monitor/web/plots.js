/**
 * @file Windows as small plots, drawn by hand as SVG; each says in words what it shows.
 *
 * @typedef {{at: number, value: number?, clips: number}} Point
 * @typedef {{measure: string, name: string, unit: string, family: string, group: string, points: Point[]}} Series
 * @typedef {{from: number, to: number, mark: number?}} Frame  Unix seconds; mark: when the trouble began
 */

import { make, say, sync } from "./elements.js";
import { amount, timeOf } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT, EDGE] = [240, 56, 5];
const NOISE = 0.3; // of a value: the least that the height stands for

/**
 * Draw some series, each as a figure; those that are there already are drawn anew only where they changed.
 * @param {HTMLElement} parent @param {Series[]} all @param {Frame} frame
 */
export function drawAll(parent, all, frame) {
  sync(parent, all.map((series) => ({ series, frame })), {
    key: ({ series }) => series.measure,
    build: () => make("figure", {}, make("figcaption", {}, make("b"), " ", make("span"))),
    write: (figure, { series }) => write(figure, series, frame),
  });
}

/** @param {HTMLElement} figure @param {Series} series @param {Frame} frame */
function write(figure, series, frame) {
  const known = series.points.filter((point) => point.value !== null);
  const last = known.at(-1);
  const [name, now] = figure.querySelectorAll("b, span");
  say(/** @type {HTMLElement} */ (name), series.name);
  say(/** @type {HTMLElement} */ (now), last ? amount(last.value, series.unit) : "not known");
  figure.querySelector("svg")?.remove();
  if (last) figure.append(draw(series, known, frame));
}

/** @param {Series} series @param {Point[]} known @param {Frame} frame @returns {string} */
function inWords(series, known, { mark }) {
  const values = known.map(({ value }) => /** @type {number} */ (value));
  const [low, high] = [Math.min(...values), Math.max(...values)].map((value) => amount(value, series.unit));
  const began = known.length > 1 ? `${amount(values[0], series.unit)} at ${timeOf(known[0].at)}, ` : "";
  const end = `${amount(values.at(-1) ?? null, series.unit)} at ${timeOf(/** @type {Point} */ (known.at(-1)).at)}`;
  const range = known.length > 1 ? `; lowest ${low}, highest ${high}` : "";
  return `${series.name}: ${began}${end}${range}${mark ? `; the line marks ${timeOf(mark)}` : ""}.`;
}

/** @param {Series} series @param {Point[]} known @param {Frame} frame @returns {SVGElement} */
function draw(series, known, frame) {
  const values = known.map(({ value }) => /** @type {number} */ (value));
  const [low, high] = bounds(values);
  const x = (/** @type {number} */ at) => round(EDGE + (WIDTH - 2 * EDGE) * (at - frame.from) / (frame.to - frame.from));
  const y = (/** @type {number} */ value) => round(HEIGHT - EDGE - (HEIGHT - 2 * EDGE) * (value - low) / (high - low));
  const words = inWords(series, known, frame);
  const drawing = shape("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": words });
  if (frame.mark && frame.mark > frame.from) {
    drawing.append(shape("path", { class: "mark", d: `M${x(frame.mark)} 0V${HEIGHT}` }));
  }
  drawing.append(shape("path", { class: "line", d: path(series.points, x, y) }));
  const last = /** @type {Point} */ (known.at(-1));
  drawing.append(shape("circle", { class: "now", cx: x(last.at), cy: y(/** @type {number} */ (last.value)), r: 3.5 }));
  return drawing;
}

/**
 * What the plot's height stands for: all values, and so much more that a little noise stays little.
 * @param {number[]} values @returns {[number, number]}
 */
function bounds(values) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const middle = (low + high) / 2;
  const half = Math.max(high - low, NOISE * Math.abs(middle), Number.EPSILON) / 2;
  return [middle - half, middle + half];
}

/**
 * The line through the points, broken where nothing is known; a point between two gaps is a dot.
 * @param {Point[]} points @param {(at: number) => number} x @param {(value: number) => number} y
 */
function path(points, x, y) {
  let drawn = "";
  let broken = true;
  for (const { at, value } of points) {
    if (value !== null) drawn += broken ? `M${x(at)} ${y(value)}h0` : `L${x(at)} ${y(value)}`;
    broken = value === null;
  }
  return drawn;
}

/**
 * The same windows as a table, the newest first.
 * @param {Series[]} all @param {string} title
 * @returns {HTMLTableElement}
 */
export function tableOf(all, title) {
  const times = [...new Set(all.flatMap(({ points }) => points.map(({ at }) => at)))].sort((a, b) => b - a);
  const at = all.map((series) => new Map(series.points.map((point) => [point.at, point])));
  const head = make("tr", {}, make("th", { text: "Window from", scope: "col" }), make("th", { text: "Clips", scope: "col" }));
  head.append(...all.map(({ name }) => make("th", { text: name, scope: "col" })));
  const body = make("tbody");
  for (const time of times) {
    const clips = Math.max(...at.map((points) => points.get(time)?.clips ?? 0));
    const row = make("tr", {}, make("th", { text: timeOf(time), scope: "row" }), make("td", { text: String(clips) }));
    row.append(...all.map(({ unit }, n) => make("td", { text: amount(at[n].get(time)?.value ?? null, unit) })));
    body.append(row);
  }
  const caption = make("caption", { text: title, class: "unseen" });
  return /** @type {HTMLTableElement} */ (make("table", {}, caption, make("thead", {}, head), body));
}

/** @param {string} kind @param {Object<string, string | number>} attributes */
function shape(kind, attributes) {
  const made = document.createElementNS(SVG, kind);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  return made;
}

/** @param {number} value */
function round(value) {
  return Math.round(10 * value) / 10;
}
