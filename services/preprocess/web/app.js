/** @file The page: a clip comes in by file, drop or camera; its words come out. Wires the modules together. */

import { Problem, captionsOf, deleteClip, lipsOf, readClip } from "./api.js";
import { Camera, cameraHindrance, cameraProblem } from "./camera.js";
import { announce, element, make, show } from "./elements.js";
import { writeFacts } from "./facts.js";
import { askAbout, prefill, wireFeedback } from "./feedback.js";
import { percent } from "./language.js";
import { LipOutline } from "./lips.js";
import { chosen, fillOptions, modelOf } from "./options.js";
import { Player } from "./player.js";
import { offerToSay, wireSpeech } from "./speech.js";
import { warnOf } from "./synthetic.js";
import { markSpoken, spokenSummary, writeReading } from "./words.js";

/** @typedef {import("./api.js").Result} Result */
/** @typedef {{clip: Blob, name: string, key: string, visit: string, choices: import("./api.js").Choices}} Order */

const clip = /** @type {HTMLVideoElement} */ (element("clip"));
const outline = new LipOutline(/** @type {HTMLCanvasElement} */ (element("outline")), clip);
const player = new Player({ video: clip, button: element("play"), position: element("position") }, { time: follow, unplayable: showWithoutClip });

/** this visit of the page: forgotten when it is left or loaded anew */
const visit = newName();
/** @type {Result?} what is shown */
let shown = null;
/** @type {Camera?} */
let camera = null;
/** @type {AbortController} stops what is under way */
let under = new AbortController();

/** @param {Blob} blob @param {string} name */
async function take(blob, name) {
  await read({ clip: blob, name, key: newName(), visit, choices: chosen() });
}

/** @param {Order} order */
async function read(order) {
  begin("working");
  const { signal } = under;
  try {
    const result = await readClip(order, tellSent, signal);
    reveal(result, order);
  } catch (fault) {
    if (signal.aborted) return;
    show("start");
    complain(fault, () => read(order));
  }
}

/** @param {number} share of the upload that has gone, 0 to 1 */
function tellSent(share) {
  const bar = /** @type {HTMLProgressElement} */ (element("progress"));
  if (share < 1) bar.value = share;
  else bar.removeAttribute("value");
  element("step").textContent = share < 1 ? `Sending: ${percent(share)}` : "Finding the lips and reading them";
}

/** @param {Result} result @param {Order} order */
function reveal(result, order) {
  shown = result;
  element("stage").hidden = element("clip-tools").hidden = false;
  element("unplayable").hidden = true;
  writeReading(result, { seek: (seconds) => player.playFrom(seconds), choose: prefill });
  askAbout(result);
  writeFacts(result);
  warnOf(element("drawn"), modelOf(result));
  linkCaptions(result, order.name);
  offerToSay(result.abstained ? null : result);
  show("result");
  announce(spokenSummary(result));
  player.load(order.clip, !matchMedia("(prefers-reduced-motion: reduce)").matches);
  showLips(result.clip_id);
}

/** @param {string} id  the words stand without the outline, so its failing is no alarm */
async function showLips(id) {
  outline.lips = null;
  const lips = await lipsOf(id).catch(() => null);
  if (shown?.clip_id !== id) return;
  outline.lips = lips;
  outline.draw();
}

/** @param {Result} result @param {string} name of the clip's file: its captions are called alike */
function linkCaptions(result, name) {
  for (const form of /** @type {const} */ (["srt", "vtt"])) {
    const link = /** @type {HTMLAnchorElement} */ (element(form));
    link.href = captionsOf(result.clip_id, form);
    link.download = `${name.replace(/\.[^.]*$/, "")}.${form}`;
  }
  const track = /** @type {HTMLTrackElement} */ (element("track"));
  track.srclang = result.language;
  track.src = captionsOf(result.clip_id, "vtt");
}

/** @param {number} seconds the time of the picture on the screen */
function follow(seconds) {
  outline.draw(seconds);
  if (shown) markSpoken(shown.words, seconds);
}

function showWithoutClip() {
  element("stage").hidden = element("clip-tools").hidden = true;
  element("unplayable").hidden = false;
}

async function openCamera() {
  begin("camera");
  const { signal } = under;
  const preview = /** @type {HTMLVideoElement} */ (element("preview"));
  try {
    camera = await Camera.open();
    if (signal.aborted) return closeCamera();
    preview.srcObject = camera.stream;
    await preview.play();
    /** @type {HTMLButtonElement} */ (element("record")).disabled = false;
    element("record").focus();
  } catch (fault) {
    if (!signal.aborted) restart(cameraProblem(fault), openCamera);
  }
}

async function record() {
  const { signal } = under;
  const button = /** @type {HTMLButtonElement} */ (element("record"));
  const bar = /** @type {HTMLProgressElement} */ (element("recorded"));
  if (!camera) return;
  button.disabled = true;
  try {
    const blob = await camera.record({
      count: (text) => { element("countdown").textContent = text; },
      recorded: (share) => { bar.value = share; },
      signal,
    });
    await take(blob, blob.type === "video/mp4" ? "recording.mp4" : "recording.webm");
  } catch (fault) {
    if (!signal.aborted) restart(cameraProblem(fault), openCamera);
  }
}

function closeCamera() {
  camera?.close();
  camera = null;
  /** @type {HTMLVideoElement} */ (element("preview")).srcObject = null;
  /** @type {HTMLProgressElement} */ (element("recorded")).value = 0;
  /** @type {HTMLButtonElement} */ (element("record")).disabled = true;
  element("countdown").textContent = "";
}

/** Leave whatever is shown or under way. @param {"start" | "camera" | "working"} view */
function begin(view) {
  under.abort(new DOMException("left by the person", "AbortError"));
  under = new AbortController();
  closeCamera();
  player.unload();
  shown = null;
  element("alert").replaceChildren();
  tellSent(0);
  announce("");
  show(view);
}

/** @param {import("./api.js").Told} told @param {() => void} again */
function restart(told, again) {
  begin("start");
  complain(new Problem(told, true), again);
}

/**
 * Say what went wrong and what to do about it; offer to try again where that may help.
 * @param {unknown} fault @param {() => void} [again]
 */
function complain(fault, again) {
  const problem = fault instanceof Problem ? fault : new Problem({ detail: String(fault) });
  const box = element("alert");
  box.replaceChildren(make("h2", { text: problem.title }), make("p", { text: sentence(problem.detail) }));
  if (problem.cure) box.append(make("p", { text: sentence(problem.cure), classes: ["cure"] }));
  if (problem.again && again) {
    const button = make("button", { text: "Try again", classes: ["button"] });
    button.addEventListener("click", again);
    box.append(button);
  }
  box.scrollIntoView({ block: "nearest" });
}

/** @param {string} text  the service writes clauses; people read sentences */
function sentence(text) {
  return text && text[0].toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");
}

async function remove() {
  if (!shown) return;
  try {
    await deleteClip(shown.clip_id);
    begin("start");
    announce("Deleted. Nothing of this clip is left on the service.");
  } catch (fault) {
    complain(fault, remove);
  }
}

/** A name that nobody guesses: of a visit, or of one sending, so that sending it again is not a second clip. */
function newName() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function wireSources() {
  const file = /** @type {HTMLInputElement} */ (element("file"));
  file.addEventListener("change", () => {
    const [picked] = file.files ?? [];
    if (picked) take(picked, picked.name);
    file.value = "";
  });
  const hindrance = cameraHindrance();
  /** @type {HTMLButtonElement} */ (element("open-camera")).disabled = Boolean(hindrance);
  element("no-camera").hidden = !hindrance;
  element("no-camera").textContent = hindrance;
  element("open-camera").addEventListener("click", openCamera);
  element("record").addEventListener("click", record);
}

function wireDrop() {
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    element("drop").classList.add("over");
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) element("drop").classList.remove("over");
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    element("drop").classList.remove("over");
    const dropped = event.dataTransfer?.files[0];
    if (dropped) take(dropped, dropped.name);
  });
}

function wireResult() {
  const lips = /** @type {HTMLInputElement} */ (element("show-lips"));
  const slow = /** @type {HTMLInputElement} */ (element("slow"));
  lips.addEventListener("change", () => { outline.visible = lips.checked; outline.draw(); });
  slow.addEventListener("change", () => { clip.playbackRate = clip.defaultPlaybackRate = slow.checked ? 0.5 : 1; });
  for (const id of ["again", "leave-camera", "cancel"]) element(id).addEventListener("click", () => begin("start"));
  element("delete").addEventListener("click", remove);
}

wireSources();
wireDrop();
wireResult();
wireSpeech();
wireFeedback((fault) => complain(fault));
fillOptions();
addEventListener("pagehide", closeCamera);
