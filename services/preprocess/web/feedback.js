/** @file What the person says about a reading: right, wrong, the right words, or no help; and whether it may teach. */

import { sendFeedback, withdrawFeedback } from "./api.js";
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
  element("gave-up").addEventListener("click", () => send(giveUp));
  element("withdraw").addEventListener("click", () => send(takeBack));
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
  /** @type {HTMLFormElement} */ (element("correction")).reset(); // consent is for one clip
  element("withdraw").hidden = true;
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
  const kept = await tell(about, { verdict });
  thank(verdict === "right" ? `Thank you. Noted as right.${learned(kept)}` : "Thank you. Noted as wrong. What was it?");
  if (verdict === "wrong") element("said").focus();
}

async function giveUp() {
  if (!about) return;
  await sendFeedback(about.clip_id, { gave_up: true }, "");
  thank("Thank you. Noted that this reading was no help.");
}

async function correct() {
  if (!about) return;
  const text = /** @type {HTMLInputElement} */ (element("said")).value.trim();
  const kept = await tell(about, { text });
  thank(`Thank you. Your correction is noted.${learned(kept)}`);
}

/**
 * @param {Result} result @param {{text: string} | {verdict: "right" | "wrong"}} told
 * @returns {Promise<boolean>} whether LipSol may learn from it
 */
async function tell(result, told) {
  const consent = /** @type {HTMLInputElement} */ (element("consent"));
  const kept = await sendFeedback(result.clip_id, told, consent.checked ? consent.value : "");
  if (kept && about === result) element("withdraw").hidden = false;
  return kept;
}

async function takeBack() {
  if (!about) return;
  await withdrawFeedback(about.clip_id);
  element("withdraw").hidden = true;
  /** @type {HTMLInputElement} */ (element("consent")).checked = false;
  thank("Taken back. LipSol will not learn from this clip.");
}

/** @param {boolean} kept */
function learned(kept) {
  return kept ? " LipSol may learn from it." : "";
}

/** @param {string} text */
function thank(text) {
  element("thanks").textContent = text;
}
