/** @file What must be said of a model that learnt from drawn mouths: it never met anybody. */

import { make } from "./elements.js";
import { speakIn } from "./language.js";

/** @type {Object<string, string>} in the language of the page, and in that of who would rely on the reading */
const SAID = {
  en: "Only a trial: this model learnt from drawn mouths and never met a real speaker, so it is never sure.",
  ur: "صرف آزمائش: یہ ماڈل بنائے ہوئے ہونٹوں سے سیکھا ہے اور کسی حقیقی بولنے والے سے کبھی نہیں ملا، اس لیے اسے کبھی یقین نہیں ہوتا۔",
};

/**
 * Say so, or nothing.
 * @param {HTMLElement} node
 * @param {{language: string, synthetic: boolean} | undefined} model
 */
export function warnOf(node, model) {
  const languages = model?.synthetic ? [...new Set(["en", model.language])].filter((language) => language in SAID) : [];
  node.replaceChildren(...languages.map((language) => {
    const said = make("p", { text: SAID[language] });
    speakIn(said, language);
    return said;
  }));
  node.hidden = languages.length === 0;
}
