/** @file A reading in words: each shaded by how sure it is, marked as it is spoken; or, unsure, what it may be. */

import { element, make, pressable } from "./elements.js";
import { percent, speakIn } from "./language.js";

/** @typedef {import("./api.js").Result} Result */
/** @typedef {import("./api.js").Word} Word */
/** @typedef {import("./api.js").Alternative} Alternative */

const HIGH = 0.9;
const FAIR = 0.6;
const POSSIBILITIES = 3; // shown when the reader is not sure

/**
 * Write a reading into the page.
 * @param {Result} result
 * @param {{seek: (seconds: number) => void, choose: (text: string) => void}} on
 */
export function writeReading(result, on) {
  const unsure = result.abstained;
  element("result-title").textContent = unsure ? "Not sure. Perhaps one of these:" : "What was said";
  element("certainty").textContent = unsure ? "" : `${percent(result.confidence)} sure`;
  element("certainty").hidden = element("legend").hidden = element("words").hidden = unsure;
  element("guesses").hidden = !unsure;
  writeWords(unsure ? [] : result.words, result.language, on.seek);
  const best = { text: result.text, confidence: result.confidence };
  writeChoices("guesses", unsure ? [best, ...result.alternatives].slice(0, POSSIBILITIES) : [], result.language, on.choose);
  writeChoices("alternatives", unsure ? [] : result.alternatives, result.language, on.choose);
  element("others").hidden = unsure || result.alternatives.length === 0;
  writeFaces(result.faces);
}

/**
 * What to tell someone who listens to the page.
 * @param {Result} result
 */
export function spokenSummary(result) {
  if (!result.abstained) return `Read: ${result.text}. ${percent(result.confidence)} sure.`;
  const perhaps = [result.text, ...result.alternatives.map((other) => other.text)].slice(0, POSSIBILITIES);
  return `Not sure. Perhaps one of these: ${perhaps.join("; ")}.`;
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
    item.classList.add(level(word.confidence));
    item.style.setProperty("--sure", `${100 * word.confidence ** 2}%`); // squared, so that the eye sees doubts
    return item;
  }));
}

/** @param {string} id @param {Alternative[]} readings @param {string} language @param {(text: string) => void} choose */
function writeChoices(id, readings, language, choose) {
  speakIn(element(id), language);
  element(id).replaceChildren(...readings.map(({ text, confidence }) =>
    pressable([make("span", { text }), share(confidence)], () => choose(text))));
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
