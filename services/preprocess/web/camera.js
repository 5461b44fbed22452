/** @file The webcam: a preview, a countdown, and three seconds of video without sound. */

const SECONDS = 3;
const COUNT_FROM = 3;
const PART_MS = 100; // how often the recorder hands out what it has
const HEAD_BYTES = 1024; // a file's head alone is smaller; with its first picture it is larger
const KINDS = ["video/webm;codecs=vp8", "video/webm", "video/mp4"];
const PICTURE = { facingMode: "user", width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 30 } };

/** @returns {string} why no camera can be had here, or "" if one may be */
export function cameraHindrance() {
  if (!window.isSecureContext) return "To record here, open this page by https or on the machine that runs it.";
  if (!navigator.mediaDevices || !window.MediaRecorder) return "This browser cannot record.";
  return "";
}

/** An open camera. Close it as soon as it is not needed: its light tells people that they are seen. */
export class Camera {
  /** @param {MediaStream} stream */
  constructor(stream) {
    this.stream = stream;
  }

  /** Ask for the camera, without the microphone. Rejects with a DOMException if it is refused or missing. */
  static async open() {
    return new Camera(await navigator.mediaDevices.getUserMedia({ video: PICTURE, audio: false }));
  }

  close() {
    for (const track of this.stream.getTracks()) track.stop();
  }

  /**
   * Count down, then record.
   * @param {{count: (text: string) => void, recorded: (share: number) => void, signal: AbortSignal}} tell
   * @returns {Promise<Blob>}
   */
  async record({ count, recorded, signal }) {
    for (let left = COUNT_FROM; left > 0; left -= 1) {
      count(String(left));
      await pause(1000, signal);
    }
    count("");
    const clip = await this.#take(() => count("Speak"), recorded, signal);
    count("");
    return clip;
  }

  /**
   * Three seconds from the first picture that is really there: encoders take their time to begin.
   * @param {() => void} begun @param {(share: number) => void} recorded @param {AbortSignal} signal
   * @returns {Promise<Blob>}
   */
  async #take(begun, recorded, signal) {
    const mimeType = KINDS.find((kind) => MediaRecorder.isTypeSupported(kind));
    const recorder = new MediaRecorder(this.stream, { mimeType, videoBitsPerSecond: 2_500_000 });
    /** @type {Blob[]} */
    const parts = [];
    recorder.addEventListener("dataavailable", (event) => parts.push(event.data));
    const stopped = new Promise((resolve) => recorder.addEventListener("stop", resolve, { once: true }));
    recorder.start(PART_MS);
    try {
      while (parts.reduce((bytes, part) => bytes + part.size, 0) < HEAD_BYTES) {
        if (recorder.state !== "recording") throw new DOMException("the camera went away", "NotReadableError");
        await pause(PART_MS / 2, signal);
      }
      begun();
      for (let step = 1; step <= 10 * SECONDS; step += 1) {
        await pause(100, signal);
        recorded(step / (10 * SECONDS));
      }
    } finally {
      recorder.stop();
    }
    await stopped;
    return new Blob(parts, { type: recorder.mimeType.split(";")[0] });
  }
}

/**
 * What a person can do about a camera that did not open.
 * @param {unknown} fault
 * @returns {{title: string, detail: string, cure: string}}
 */
export function cameraProblem(fault) {
  const name = fault instanceof DOMException ? fault.name : "";
  const title = "The camera did not open";
  if (name === "NotAllowedError") {
    return { title, detail: "This page may not use it.", cure: "Allow the camera beside the address bar, then try again." };
  }
  if (name === "NotFoundError") {
    return { title, detail: "There is none on this machine.", cure: "Plug one in, or choose a video file." };
  }
  return { title, detail: "Another program may be using it.", cure: "Close that program, then try again." };
}

/** @param {number} milliseconds @param {AbortSignal} signal @returns {Promise<void>} */
function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => { clearTimeout(timer); reject(signal.reason); }, { once: true });
  });
}
