/** @file The lips as the machine saw them, drawn over the clip. */

/** @typedef {import("./api.js").Lips} Lips */

const RING = 20; // points around the outside, and again around the inside

/** Draws the outline of the frame that is shown. Dashed lines: no face was found there, and the lips were guessed. */
export class LipOutline {
  /** @param {HTMLCanvasElement} canvas @param {HTMLVideoElement} video */
  constructor(canvas, video) {
    this.canvas = canvas;
    this.video = video;
    /** @type {Lips?} */
    this.lips = null;
    this.visible = true;
    this.seconds = 0;
    new ResizeObserver(() => this.draw()).observe(video);
  }

  /** @param {number} [seconds] the time of the picture to outline; the last one if not told */
  draw(seconds = this.seconds) {
    this.seconds = seconds;
    const { width, height } = this.#fit();
    const context = this.canvas.getContext("2d");
    const points = this.visible ? this.#points() : null;
    this.canvas.dataset.drawn = String(Boolean(points && context));
    if (!points || !context) return;
    const place = this.#picture(width, height);
    const placed = points.map(([x, y]) => [place.left + x * place.width, place.top + y * place.height]);
    context.setLineDash(this.lips?.seen[this.#frame()] ? [] : [4, 4]);
    for (const ring of [placed.slice(0, RING), placed.slice(RING)]) trace(context, ring, this.#colours());
  }

  /** Match the canvas to the video on the screen, in the screen's own dots, and wipe it. */
  #fit() {
    const { clientWidth: width, clientHeight: height } = this.video;
    const dots = window.devicePixelRatio;
    this.canvas.width = Math.round(width * dots);
    this.canvas.height = Math.round(height * dots);
    this.canvas.getContext("2d")?.scale(dots, dots);
    return { width, height };
  }

  /** Where the picture lies in the video's box, which may be of another shape. */
  #picture(/** @type {number} */ width, /** @type {number} */ height) {
    const { videoWidth, videoHeight } = this.video;
    const scale = Math.min(width / videoWidth, height / videoHeight);
    const shown = { width: videoWidth * scale, height: videoHeight * scale };
    return { ...shown, left: (width - shown.width) / 2, top: (height - shown.height) / 2 };
  }

  #frame() {
    return Math.min(Math.floor(this.seconds * (this.lips?.fps ?? 0) + 0.01), (this.lips?.points.length ?? 0) - 1);
  }

  #points() {
    return this.video.videoWidth ? this.lips?.points[this.#frame()] ?? null : null;
  }

  #colours() {
    const style = getComputedStyle(this.canvas);
    return { line: style.color, halo: style.outlineColor };
  }
}

/** @param {CanvasRenderingContext2D} context @param {number[][]} ring @param {{line: string, halo: string}} colours */
function trace(context, ring, { line, halo }) {
  context.beginPath();
  for (const [x, y] of ring) context.lineTo(x, y);
  context.closePath();
  context.lineJoin = "round";
  context.strokeStyle = halo;
  context.lineWidth = 4;
  context.stroke();
  context.strokeStyle = line;
  context.lineWidth = 2;
  context.stroke();
}
