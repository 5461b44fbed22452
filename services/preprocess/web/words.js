/** @file A reading in words: each shaded by how sure it is, marked as it is spoken; or, unsure, what it may be. */

import { element, make, pressable } from "./elements.js";
import { percent, speakIn } from "./language.js";

/** @typedef {import("./api.js").Result} Result */
/** @typedef {import("./api.js").Word} Word */
/** @typedef {import("./api.js").Alternative} Alternative */

const HIGH = 0.9;
const FAIR = 0.6;
const POSSIBILITIES = 3; // shown when the reader is not sure
const OTHERS = 5; // alternatives shown when it is: of a board there may be hundreds
const LIKELY_NONE = 0.5; // above it that was more likely than all phrases together
const LIKE_BEST = 1; // the look of readings that look like the best one

/**
 * Write a reading into the page.
 * @param {Result} result
 * @param {{seek: (seconds: number) => void, choose: (text: string) => void}} on
 */
export function writeReading(result, on) {
  const unsure = result.abstained;
  element("result-title").textContent = unsure ? perhapsOf(result) : "What was said";
  element("certainty").textContent = unsure ? "" : `${percent(result.confidence)} sure`;
  element("certainty").hidden = element("legend").hidden = element("words").hidden = unsure;
  element("guesses").hidden = !unsure;
  writeWords(unsure ? [] : result.words, result.language, on.seek);
  writeChoices("guesses", unsure ? offered(result) : [], result.language, on.choose);
  writeChoices("alternatives", unsure ? [] : result.alternatives.slice(0, OTHERS).map((other) => [other]), result.language, on.choose);
  writeNone(result.none ?? null);
  element("others").hidden = unsure || result.alternatives.length === 0;
  writeFaces(result.faces);
}

/**
 * What to tell someone who listens to the page.
 * @param {Result} result
 */
export function spokenSummary(result) {
  if (!result.abstained) return `Read: ${result.text}. ${percent(result.confidence)} sure.`;
  const perhaps = offered(result).map((group) => group.map((each) => each.text).join(", which looks like "));
  return `${perhapsOf(result)} ${perhaps.join("; ")}.${noneOf(result.none ?? null)}`;
}

/**
 * What is offered when the reader is not sure: a few readings, each followed by those that look the same on the lips.
 * Readings that look alike are apart only where there are no others.
 * @param {Result} result
 * @returns {Alternative[][]}
 */
export function offered(result) {
  const groups = [[{ text: result.text, confidence: result.confidence, look: LIKE_BEST }]];
  for (const other of result.alternatives) {
    const alike = other.look && groups.find((group) => group[0].look === other.look);
    if (alike) alike.push(other);
    else if (groups.length < POSSIBILITIES) groups.push([other]);
  }
  for (const group of groups) {
    while (groups.length < POSSIBILITIES && group.length > 1) groups.push(group.splice(1, 1));
  }
  return groups;
}

/**
 * Mark the word that is spoken at this time.
 * @param {Word[]} words @param {number} seconds
 */
export function markSpoken(words, seconds) {
  const now = words.findIndex((word) => word.start_s <= seconds && seconds < word.end_s);
  for (const [place, item] of [...element("words").children].entries()) {
    if (place === now) item.setAttribute("aria-current", "true");
    else item.removeAttribute("aria-current");
  }
}

/** @param {Word[]} words @param {string} language @param {(seconds: number) => void} seek */
function writeWords(words, language, seek) {
  const list = element("words");
  speakIn(list, language);
  list.replaceChildren(...words.map((word) => {
    const item = pressable([make("span", { text: word.text }), share(word.confidence)], () => seek(word.start_s));
    if (word.alike?.length) item.append(make("small", { text: `≈ ${word.alike.join(", ")}`, classes: ["alike"] }));
    item.classList.add(level(word.confidence));
    item.style.setProperty("--sure", `${100 * word.confidence ** 2}%`); // squared, so that the eye sees doubts
    return item;
  }));
}

/**
 * Readings to press, each with those that look the same below it.
 * @param {string} id @param {Alternative[][]} groups @param {string} language @param {(text: string) => void} choose
 */
function writeChoices(id, groups, language, choose) {
  speakIn(element(id), language);
  element(id).replaceChildren(...groups.map(([first, ...alike]) => {
    const item = pressable([make("span", { text: first.text }), share(first.confidence)], () => choose(first.text));
    if (alike.length) item.append(looksTheSame(alike, choose));
    return item;
  }));
}

/** @param {Alternative[]} readings @param {(text: string) => void} choose */
function looksTheSame(readings, choose) {
  const line = make("p", { classes: ["alike"] });
  const told = make("small", { text: "Looks the same:" });
  speakIn(told, "en");
  line.append(told, ...readings.map(({ text }) => {
    const button = make("button", { text });
    button.setAttribute("type", "button");
    button.addEventListener("click", () => choose(text));
    return button;
  }));
  return line;
}

/** @param {Result} result  one that is not sure */
function perhapsOf(result) {
  return (result.none ?? 0) > LIKELY_NONE ? "Probably none of your phrases. If one, perhaps:" : "Not sure. Perhaps one of these:";
}

/** @param {number?} none */
function writeNone(none) {
  element("none").hidden = none === null;
  element("none").textContent = noneOf(none).trim();
}

/** @param {number?} none probability that none of the person's phrases was said; null: there were none */
function noneOf(none) {
  if (none === null) return "";
  return ` None of your phrases: ${none < 0.01 ? "under 1 %" : percent(none)}.`;
}

/** @param {number} faces */
function writeFaces(faces) {
  element("faces").hidden = faces < 2;
  element("faces").textContent = `There are ${faces} faces here. This is what the one says whose lips move most.`;
}

/** @param {number} confidence */
function share(confidence) {
  const made = make("small", { text: confidence < 0.01 ? "under 1 %" : percent(confidence) });
  speakIn(made, "en");
  return made;
}

/** @param {number} confidence */
function level(confidence) {
  if (confidence >= HIGH) return "high";
  return confidence >= FAIR ? "fair" : "low";
}
