/** @file How a reading came about, for those who want to know: model, grammar, picture, time taken. */

import { element, make } from "./elements.js";

/** @typedef {import("./api.js").Result} Result */

/** @type {Object<string, [string, (value: number) => string]>} the picture's measures that mean something to a person */
const PICTURE = {
  seconds: ["Length", (value) => `${value.toFixed(1)} s`],
  face_found: ["Face seen", (value) => `in ${Math.round(100 * value)} % of the pictures`],
  brightness: ["Brightness", (value) => `${Math.round(value)} of 255`],
  mouth_px: ["Mouth's width", (value) => `${Math.round(value)} pixels`],
  yaw_deg: ["Head turned by", (value) => `${Math.abs(Math.round(value))}°`],
};

/** @param {Result} result */
export function writeFacts(result) {
  const facts = [
    ["Model", `${result.model?.name} ${result.model?.version}`],
    ["Read as", result.grammar ?? "anything"],
    ["Faces", String(result.faces)],
    ...Object.entries(PICTURE)
      .filter(([measure]) => measure in result.quality)
      .map(([measure, [name, say]]) => [name, say(result.quality[measure])]),
  ];
  if ("total" in result.timings_ms) facts.push(["Took", `${Math.round(result.timings_ms.total)} ms`]);
  facts.push(["Clip", result.clip_id]);
  element("facts").replaceChildren(...facts.map(([name, value]) => {
    const fact = make("div");
    fact.append(make("dt", { text: name }), make("dd", { text: value }));
    return fact;
  }));
}
