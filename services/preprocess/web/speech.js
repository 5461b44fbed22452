/** @file A voice for the words, for those who have none: only voices of this machine, so that nothing leaves it. */

import { element } from "./elements.js";

/** @type {{text: string, language: string}?} what can be said aloud */
let words = null;

/** Offer a voice as soon as the browser knows of one. */
export function wireSpeech() {
  if (!("speechSynthesis" in window)) return;
  speechSynthesis.addEventListener("voiceschanged", offer);
  element("say").addEventListener("click", say);
}

/**
 * Offer to say these words; null: nothing.
 * @param {{text: string, language: string}?} wanted
 */
export function offerToSay(wanted) {
  words = wanted;
  offer();
}

function offer() {
  element("say").hidden = !voice();
}

function say() {
  const chosen = voice();
  if (!words || !chosen) return;
  const utterance = new SpeechSynthesisUtterance(words.text);
  utterance.voice = chosen;
  utterance.lang = chosen.lang;
  speechSynthesis.cancel();
  speechSynthesis.speak(utterance);
}

/** @returns {SpeechSynthesisVoice | undefined} one of this machine's that speaks the words' language */
function voice() {
  const { language } = words ?? {};
  if (!language || !("speechSynthesis" in window)) return undefined;
  return speechSynthesis.getVoices().find((each) => each.localService && each.lang.split(/[-_]/)[0] === language);
}
