/** @file Numbers, times and languages as people say them. */

const DAY_MS = 86_400_000;
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const exact = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const figure = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
const count = new Intl.NumberFormat("en");
const percent = new Intl.NumberFormat("en", { style: "percent", maximumFractionDigits: 1 });
const UNITS = { ratio: "", seconds: " s", bytes: " bytes", pixels: " px", degrees: "°", "gray levels": "", "squared gray levels": "" };

/** @param {number} at  Unix seconds @returns {string} the time of day; of another day the day too */
export function timeOf(at) {
  const date = new Date(at * 1000);
  return Math.abs(Date.now() - date.getTime()) < DAY_MS / 2 ? clock.format(date) : day.format(date);
}

/** @param {number} at  Unix seconds */
export function secondOf(at) {
  return exact.format(new Date(at * 1000));
}

/** @param {number?} value @param {string} [unit] @returns {string} */
export function amount(value, unit = "") {
  if (value === null) return "–";
  return unit === "ratio" ? percent.format(value) : `${figure.format(value)}${UNITS[unit] ?? (unit && ` ${unit}`)}`;
}

/** @param {number} clips */
export function clipsOf(clips) {
  return `${count.format(clips)} ${clips === 1 ? "clip" : "clips"}`;
}

/** @param {number} share  of the clips, 0 to 1; 0: not told */
export function shareOf(share) {
  return share ? percent.format(share) : "–";
}

/**
 * A language in English, and what it calls itself.
 * @param {string} code  BCP 47
 * @returns {{name: string, own: string}} own: "" where that is the same, or not known
 */
export function languageOf(code) {
  try {
    const name = new Intl.DisplayNames(["en"], { type: "language" }).of(code) ?? code;
    const own = new Intl.DisplayNames([code], { type: "language" }).of(code) ?? "";
    return { name, own: own === name || own === code ? "" : own };
  } catch {
    return { name: code || "any language", own: "" };
  }
}

/** @param {{track: string, shadow?: boolean}} whose */
export function trackOf({ track, shadow = false }) {
  return shadow ? `${track}, copies that no user sees` : track;
}
