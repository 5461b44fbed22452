/** @file What the person says about a reading: right, wrong, or the right words. */

import { sendFeedback } from "./api.js";
import { element } from "./elements.js";
import { speakIn } from "./language.js";

/** @typedef {import("./api.js").Result} Result */

/** @type {Result?} */
let about = null;

/** @param {(fault: unknown) => void} fail */
export function wireFeedback(fail) {
  const send = (/** @type {() => Promise<void>} */ telling) => telling().catch(fail);
  element("right").addEventListener("click", () => send(() => judge("right")));
  element("wrong").addEventListener("click", () => send(() => judge("wrong")));
  element("correction").addEventListener("submit", (event) => {
    event.preventDefault();
    send(correct);
  });
}

/**
 * Ask about this reading from now on.
 * @param {Result} result
 */
export function askAbout(result) {
  about = result;
  /** @type {HTMLFormElement} */ (element("correction")).reset();
  speakIn(element("said"), result.language);
  element("asked").textContent = result.abstained ? "Do you know what was said?" : "Was it right?";
  element("right").hidden = result.abstained;
  element("wrong").textContent = result.abstained ? "None of these" : "No, wrong";
  thank("");
}

/**
 * Put words into the correction, ready to be changed or sent.
 * @param {string} text
 */
export function prefill(text) {
  const said = /** @type {HTMLInputElement} */ (element("said"));
  said.value = text;
  said.focus();
  thank("Press “Send correction” if these are the words.");
}

/** @param {"right" | "wrong"} verdict */
async function judge(verdict) {
  if (!about) return;
  await sendFeedback(about.clip_id, { verdict });
  thank(verdict === "right" ? "Thank you. Noted as right." : "Thank you. Noted as wrong. What was it?");
  if (verdict === "wrong") element("said").focus();
}

async function correct() {
  if (!about) return;
  const text = /** @type {HTMLInputElement} */ (element("said")).value.trim();
  await sendFeedback(about.clip_id, { text });
  thank("Thank you. Your correction is noted.");
}

/** @param {string} text */
function thank(text) {
  element("thanks").textContent = text;
}
