/** @file The clip as it plays: tells the time of every picture, so that words and lips can follow. */

/**
 * Shows one clip at a time in a video element, from memory. The controls stand below the picture, not in it: the
 * browser's own would cover the mouth.
 */
export class Player {
  /**
   * @param {{video: HTMLVideoElement, button: HTMLButtonElement, position: HTMLInputElement}} parts
   * @param {{time: (seconds: number) => void, unplayable: () => void}} tell
   */
  constructor({ video, button, position }, { time, unplayable }) {
    this.video = video;
    this.button = button;
    this.position = position;
    this.address = "";
    this.wanted = false;
    this.time = time;
    video.addEventListener("error", () => this.address && unplayable());
    video.addEventListener("loadedmetadata", () => this.#findEnd());
    video.addEventListener("click", () => this.#toggle());
    for (const name of ["play", "pause", "ended"]) video.addEventListener(name, () => this.#label());
    for (const name of ["timeupdate", "seeked", "ended"]) video.addEventListener(name, () => this.#tell(video.currentTime));
    button.addEventListener("click", () => this.#toggle());
    position.addEventListener("input", () => { video.currentTime = Number(position.value); });
    this.#follow();
  }

  /** @param {Blob} clip @param {boolean} play at once */
  load(clip, play) {
    this.unload();
    this.wanted = play;
    this.address = URL.createObjectURL(clip);
    this.video.src = this.address;
  }

  unload() {
    if (!this.address) return;
    URL.revokeObjectURL(this.address);
    this.address = "";
    this.video.removeAttribute("src");
    this.video.load();
  }

  /** Play from a time, in seconds. A browser that refuses to play leaves the clip still. */
  playFrom(/** @type {number} */ seconds) {
    this.video.currentTime = seconds;
    this.video.play().catch(() => {});
  }

  /** A browser's own recording does not know how long it is until its end was looked for. */
  #findEnd() {
    if (this.video.duration !== Infinity) return this.#ready();
    this.video.addEventListener("durationchange", () => this.#ready(), { once: true });
    this.video.currentTime = Number.MAX_SAFE_INTEGER;
  }

  #ready() {
    this.position.max = String(this.video.duration);
    if (this.wanted) this.playFrom(0);
    else this.video.currentTime = 0;
  }

  #toggle() {
    if (this.video.paused) this.video.play().catch(() => {});
    else this.video.pause();
  }

  #label() {
    this.button.textContent = this.video.paused ? "Play" : "Pause";
  }

  /** @param {number} seconds */
  #tell(seconds) {
    if (!Number.isFinite(this.video.duration)) return;
    this.position.value = String(seconds);
    this.position.setAttribute("aria-valuetext", `${seconds.toFixed(1)} of ${this.video.duration.toFixed(1)} seconds`);
    this.time(seconds);
  }

  #follow() {
    if ("requestVideoFrameCallback" in this.video) {
      this.video.requestVideoFrameCallback((_, frame) => {
        this.#tell(frame.mediaTime);
        this.#follow();
      });
    } else {
      requestAnimationFrame(() => {
        if (!this.video.paused) this.#tell(this.video.currentTime);
        this.#follow();
      });
    }
  }
}
