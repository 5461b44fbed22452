/**
 * @file The service's doors, as the page uses them. Every refusal becomes a `Problem`.
 *
 * @typedef {{text: string, confidence: number, look: number}} Alternative
 *          look: the same for readings that look the same on the lips, 1 like the best reading, 0 not told
 * @typedef {{text: string, start_s: number, end_s: number, confidence: number, alike: string[]}} Word
 *          seconds from the clip's start; alike: words that look the same and could stand there
 * @typedef {{title?: string, detail?: string, cure?: string}} Told  the parts of problem+json (RFC 9457) for people
 * @typedef {{name: string, version: string, digest: string}} ModelName
 * @typedef {{clip_id: string, state: "reading" | "read" | "failed", text: string, confidence: number,
 *            abstained: boolean, alternatives: Alternative[], words: Word[], quality: Object<string, number>,
 *            faces: number, language: string, grammar: string?, none: number?, model: ModelName?, track: string,
 *            timings_ms: Object<string, number>, problem: Told?}} Result
 * @typedef {{fps: number, seen: boolean[], points: number[][][]}} Lips
 *          a frame has 40 [x, y], shares of the picture's width and height: 20 around the outside, 20 around the inside
 * @typedef {{name: string, kind: string, language: string, grammar: string, default: boolean, digest: string,
 *   synthetic: boolean}} Model
 * @typedef {{model: string, grammar: string, language: string, phrases: string, hotwords: string}} Choices
 *          "" leaves it to the service; phrases and hotwords one a line
 */

const CLIPS = "/v1/clips";
const POLL_MS = 500;
const PATIENCE_MS = 120_000;

/** A refusal in a person's words: what is wrong, and what can be done about it. */
export class Problem extends Error {
  /** @param {Told} told @param {boolean} [again] may work if repeated */
  constructor({ title = "This clip could not be read", detail = "", cure = "" }, again = false) {
    super(detail || title);
    this.title = title;
    this.detail = detail;
    this.cure = cure;
    this.again = again;
  }
}

const AWAY = {
  title: "LipSol cannot be reached",
  detail: "The connection broke before there was an answer.",
  cure: "Check that the service runs and that the video is not huge, then try again.",
};

/**
 * Send a clip and wait for its reading. The same `key` again gives the same clip, not a second one.
 * @param {{clip: Blob, name: string, key: string, visit: string, choices: Choices}} order
 *        visit: names the clips of one visit of the page, by which the service knows that somebody tries again
 * @param {(share: number) => void} sent  told how much has gone, 0 to 1
 * @param {AbortSignal} signal
 * @returns {Promise<Result>}
 */
export async function readClip({ clip, name, key, visit, choices }, sent, signal) {
  const form = new FormData();
  form.append("session", visit);
  for (const [field, value] of Object.entries(choices)) if (value) form.append(field, value);
  form.append("file", clip, name);
  return awaitReading(await upload(form, key, sent, signal), signal);
}

/**
 * XMLHttpRequest, because fetch does not tell how much of an upload has gone.
 * @param {FormData} form @param {string} key @param {(share: number) => void} sent @param {AbortSignal} signal
 * @returns {Promise<Result>}
 */
function upload(form, key, sent, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", `${CLIPS}?wait=true`);
    request.setRequestHeader("Idempotency-Key", key);
    request.upload.addEventListener("progress", (event) => sent(event.loaded / event.total));
    request.upload.addEventListener("load", () => sent(1));
    request.addEventListener("load", () => {
      if (request.status < 300) resolve(JSON.parse(request.responseText));
      else reject(problem(request.status, request.responseText));
    });
    request.addEventListener("error", () => reject(new Problem(AWAY, true)));
    request.addEventListener("abort", () => reject(signal.reason));
    signal.addEventListener("abort", () => request.abort(), { once: true });
    request.send(form);
  });
}

/**
 * The reading itself: asked for again while the service still reads.
 * @param {Result} result @param {AbortSignal} signal
 * @returns {Promise<Result>}
 */
async function awaitReading(result, signal) {
  const deadline = Date.now() + PATIENCE_MS;
  while (result.state !== "read") {
    if (result.state === "failed") throw new Problem(result.problem ?? {});
    if (Date.now() > deadline) throw new Problem({ ...AWAY, detail: "The reading takes far longer than it should." }, true);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    result = await (await call(`${CLIPS}/${result.clip_id}`, { signal })).json();
  }
  return result;
}

/** @returns {Promise<Model[]>} */
export async function listModels() {
  return (await (await call("/v1/models")).json()).models;
}

/** @param {string} id @returns {Promise<Lips>} */
export async function lipsOf(id) {
  return (await call(`${CLIPS}/${id}/lips`)).json();
}

/**
 * @param {string} id @param {{text: string} | {verdict: "right" | "wrong"} | {gave_up: true}} told
 * @param {string} consent  the wording that was agreed to, "" for none
 * @returns {Promise<boolean>} whether mouth and words are kept to teach
 */
export async function sendFeedback(id, told, consent) {
  const headers = { "Content-Type": "application/json" };
  const body = JSON.stringify(consent ? { ...told, consent } : told);
  const answer = await call(`${CLIPS}/${id}/feedback`, { method: "POST", headers, body });
  return (await answer.json()).kept;
}

/** @param {string} id */
export async function withdrawFeedback(id) {
  await call(`${CLIPS}/${id}/feedback`, { method: "DELETE" });
}

/** @param {string} id */
export async function deleteClip(id) {
  await call(`${CLIPS}/${id}`, { method: "DELETE" });
}

/** @param {string} id @param {"srt" | "vtt"} form */
export function captionsOf(id, form) {
  return `${CLIPS}/${id}/captions.${form}`;
}

/** @param {string} path @param {RequestInit} [how] */
async function call(path, how = {}) {
  const answer = await fetch(path, how).catch((fault) => {
    throw how.signal?.aborted ? fault : new Problem(AWAY, true);
  });
  if (!answer.ok) throw problem(answer.status, await answer.text());
  return answer;
}

/** @param {number} status @param {string} body  problem+json (RFC 9457), or whatever a proxy in between says */
function problem(status, body) {
  const again = status === 429 || status >= 500;
  try {
    return new Problem(JSON.parse(body), again);
  } catch {
    return new Problem({ detail: `The service answered ${status}.`, cure: "Try again in a moment." }, again);
  }
}
