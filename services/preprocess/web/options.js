/** @file What the person may choose before sending: language, model, and what may be said. */

import { listModels } from "./api.js";
import { element, make } from "./elements.js";
import { languageName } from "./language.js";
import { warnOf } from "./synthetic.js";

/** @typedef {import("./api.js").Model} Model */
/** @typedef {import("./api.js").Choices} Choices */

/** @type {Model[]} */
let models = [];

/** Fill the choices from the service. Without its models the page still works: the service then chooses. */
export async function fillOptions() {
  element("grammar").addEventListener("change", showPhrases);
  element("language").addEventListener("change", offerModels);
  element("model").addEventListener("change", warn);
  models = await listModels().catch(() => []);
  offerLanguages();
  offerModels();
}

/**
 * What was chosen; "" leaves it to the service.
 * @returns {Choices}
 */
export function chosen() {
  const language = /** @type {HTMLSelectElement} */ (element("language")).value;
  const model = /** @type {HTMLSelectElement} */ (element("model")).value;
  const grammar = /** @type {HTMLSelectElement} */ (element("grammar")).value;
  const own = grammar === "phrases";
  return { language, model, grammar: own ? "" : grammar, phrases: own ? lines("phrases") : "", hotwords: lines("hotwords") };
}

/** @param {import("./api.js").Result} result @returns {Model | undefined} what read it */
export function modelOf(result) {
  return models.find((model) => model.digest === result.model?.digest);
}

/** @param {string} id @returns {string} what was written there, a phrase or word a line, without empty ones */
function lines(id) {
  const written = /** @type {HTMLTextAreaElement} */ (element(id)).value.split("\n");
  return written.map((line) => line.trim()).filter(Boolean).join("\n");
}

function showPhrases() {
  const grammar = /** @type {HTMLSelectElement} */ (element("grammar")).value;
  element("phrases-field").hidden = grammar !== "phrases";
}

function offerLanguages() {
  const languages = [...new Set(models.map((model) => model.language))];
  element("language").replaceChildren(...languages.map((language) => option(language, languageName(language))));
  const usual = models.find((model) => model.default);
  if (usual) /** @type {HTMLSelectElement} */ (element("language")).value = usual.language;
  element("language-field").hidden = languages.length < 2;
}

function offerModels() {
  const { language } = chosen();
  const fitting = models.filter((model) => model.language === language);
  const named = fitting.map((model) => option(model.name, `${model.name} (${model.kind})`));
  element("model").replaceChildren(option("", "The usual one"), ...named);
  warn();
}

function warn() {
  const { language, model } = chosen();
  warnOf(element("choice-drawn"), models.find((each) => (model ? each.name === model : each.default && each.language === language)));
}

/** @param {string} value @param {string} text */
function option(value, text) {
  const made = /** @type {HTMLOptionElement} */ (make("option", { text }));
  made.value = value;
  return made;
}
