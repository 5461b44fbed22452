/** @file How readings are written: which way their language runs, and how a share is said. */

const RIGHT_TO_LEFT = new Set(["ar", "fa", "he", "ps", "sd", "ug", "ur"]);

/**
 * Mark an element's text as of this language, and the way that it runs.
 * @param {HTMLElement} node
 * @param {string} language BCP 47, as "en" or "ur"
 */
export function speakIn(node, language) {
  node.lang = language;
  node.dir = RIGHT_TO_LEFT.has(language.split("-")[0]) ? "rtl" : "ltr";
}

/**
 * A share in whole percent, rounded down: 100 % is said of certainty alone.
 * @param {number} share 0 to 1
 */
export function percent(share) {
  return `${Math.floor(share * 100)} %`;
}

/**
 * A language's name in English, or its tag if the browser knows none.
 * @param {string} language
 */
export function languageName(language) {
  return new Intl.DisplayNames(["en"], { type: "language", fallback: "code" }).of(language) ?? language;
}
