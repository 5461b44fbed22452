/**
 * @file One card for each group that is watched: how it stands, what speaks for that, what helps, and its windows.
 *
 * @typedef {import("./plots.js").Series} Series
 * @typedef {{measure: string, name: string, method: string, value: number?, threshold: number?, share: number,
 *            change: number}} Evidence
 * @typedef {{group: string, track: string, model: string, digest: string, language: string, shadow: boolean,
 *            clips: number, state: string, since: number, headline: string, said: string, todo: string,
 *            runbook: string, evidence: Evidence[]}} Group
 */

import { make, say, sync } from "./elements.js";
import { drawAll, tableOf } from "./plots.js";
import { amount, clipsOf, languageOf, shareOf, timeOf, trackOf } from "./words.js";

const EVERYBODY = "all";
const FEW = 2; // so many groups show their windows without being asked
const PLOTS = 6; // that are shown at once
const COLUMNS = ["What", "Judged by", "Came to", "Has to stay below", "Of the clips"];

/** @typedef {{windows: HTMLDetailsElement, plots: HTMLElement, more: HTMLDetailsElement, table: HTMLDetailsElement, none: HTMLElement,
 *             shown: Series[], mark: number?, first: string[]}} Parts
 *          mark: when the trouble began; first: names of what speaks for it */
/** @type {Map<HTMLElement, Parts>} */
const parts = new Map();
let made = 0;

/**
 * Write the cards of these groups.
 * @param {HTMLElement} parent @param {Group[]} groups @param {() => void} opened  told when windows are wanted
 */
export function writeCards(parent, groups, opened) {
  const few = groups.length <= FEW;
  sync(parent, groups, {
    key: ({ group }) => group,
    build: (group) => buildCard(group, few, opened),
    write: writeCard,
  });
  for (const card of parts.keys()) if (!card.isConnected) parts.delete(card);
}

/** The names of the groups whose windows are open. @returns {string[]} */
export function openGroups() {
  return [...parts].filter(([, { windows }]) => windows.open).map(([card]) => card.dataset.key ?? "");
}

/**
 * Write the windows of the cards that are open.
 * @param {Series[]} all @param {{from: number, to: number}} frame
 */
export function writeWindows(all, frame) {
  for (const [card, inside] of parts) {
    if (!inside.windows.open) continue;
    const { first, plots, more, none, mark } = inside;
    const own = all.filter(({ group }) => group === card.dataset.key);
    const speaking = own.filter(({ name }) => first.includes(name));
    inside.shown = [...speaking, ...own.filter((series) => !speaking.includes(series))];
    none.hidden = inside.shown.length > 0;
    more.hidden = inside.shown.length <= PLOTS;
    say(/** @type {HTMLElement} */ (more.querySelector("summary")), `${inside.shown.length - PLOTS} more`);
    drawAll(plots, inside.shown.slice(0, PLOTS), { ...frame, mark });
    drawAll(/** @type {HTMLElement} */ (more.querySelector(".plots")), inside.shown.slice(PLOTS), { ...frame, mark });
    writeTable(inside);
  }
}

/**
 * The card of the windows that are of no group.
 * @param {HTMLElement} card @param {() => void} opened
 */
export function addEverybody(card, opened) {
  card.dataset.key = EVERYBODY;
  card.append(addWindows(card, false, opened));
}

/** @param {Group} group @param {boolean} open @param {() => void} opened @returns {HTMLElement} */
function buildCard(group, open, opened) {
  const id = `card-${(made += 1)}`;
  const card = make("article", { class: "card", "aria-labelledby": id });
  card.append(
    make("h3", { id }),
    make("p", { class: "badge" }),
    make("p", { class: "said" }),
    make("p", { class: "todo" }),
    make("div", { class: "evidence" }),
    addWindows(card, open, opened),
    make("p", { class: "hint facts" }),
  );
  return card;
}

/** @param {HTMLElement} card @param {boolean} open @param {() => void} opened @returns {HTMLDetailsElement} */
function addWindows(card, open, opened) {
  const plots = make("div", { class: "plots" });
  const none = make("p", { class: "hint", text: "No windows of this time are kept." });
  const more = /** @type {HTMLDetailsElement} */ (make("details", { class: "more" }, make("summary"), make("div", { class: "plots" })));
  const table = /** @type {HTMLDetailsElement} */ (make("details", { class: "figures" }, make("summary", { text: "The same as a table" })));
  const windows = /** @type {HTMLDetailsElement} */ (make("details", {}, make("summary", { text: "Windows over time" }), plots, none, more, table));
  none.hidden = more.hidden = table.hidden = true;
  parts.set(card, { windows, plots, more, table, none, shown: [], mark: null, first: [] });
  windows.open = open;
  windows.addEventListener("toggle", () => windows.open && opened());
  table.addEventListener("toggle", () => writeTable(/** @type {Parts} */ (parts.get(card))));
  return windows;
}

/** @param {HTMLElement} card @param {Group} group */
function writeCard(card, group) {
  const part = (/** @type {string} */ name) => /** @type {HTMLElement} */ (card.querySelector(`.${name}`));
  const inside = /** @type {Parts} */ (parts.get(card));
  if (group.state === "drift" && card.dataset.state !== "drift") inside.windows.open = true;
  card.dataset.state = group.state;
  inside.mark = group.state === "drift" ? group.since : null;
  inside.first = group.evidence.map(({ name }) => name);
  writeTitle(/** @type {HTMLElement} */ (card.querySelector("h3")), group);
  say(part("badge"), group.since ? `${group.headline} since ${timeOf(group.since)}` : group.headline);
  say(part("said"), group.said);
  writeTodo(part("todo"), group);
  part("evidence").replaceChildren(...(group.evidence.length ? [evidenceOf(group)] : []));
  say(part("facts"), `${clipsOf(group.clips)} in the window. Bundle ${group.digest.slice(0, 12)}.`);
}

/** @param {HTMLElement} title @param {Group} group */
function writeTitle(title, group) {
  const { name, own } = languageOf(group.language);
  const whose = make("small", {}, `${name} `);
  if (own) whose.append(make("bdi", { text: own, lang: group.language }), " ");
  whose.append(`· ${trackOf(group)}`);
  title.replaceChildren(`${group.model} `, whose);
}

/**
 * What to do, and the way to the page that says how.
 * @param {HTMLElement} node @param {{todo: string, runbook: string}} told
 */
export function writeTodo(node, { todo, runbook }) {
  const link = node.querySelector("a")?.getAttribute("href") ?? "";
  node.hidden = !todo;
  if (node.dataset.todo === todo && link === runbook) return;
  node.dataset.todo = todo;
  node.replaceChildren(make("b", { text: "What to do: " }), todo);
  if (runbook) node.append(" ", make("a", { text: "How, step by step", href: runbook }));
}

/** @param {Group} group @returns {HTMLElement} */
function evidenceOf(group) {
  const head = make("tr", {}, ...COLUMNS.map((text) => make("th", { text, scope: "col" })));
  const rows = group.evidence.map((each) => make("tr", {},
    make("th", { text: each.name + wayOf(each.change), scope: "row" }),
    make("td", { text: each.method }),
    make("td", { text: amount(each.value) }),
    make("td", { text: amount(each.threshold) }),
    make("td", { text: shareOf(each.share) }),
  ));
  const table = make("table", {}, make("caption", { text: "What speaks for it" }), make("thead", {}, head), make("tbody", {}, ...rows));
  return make("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "What speaks for it" }, table);
}

/** @param {number} change */
function wayOf(change) {
  if (!change) return "";
  return change > 0 ? ` (rose by ${amount(change)})` : ` (fell by ${amount(-change)})`;
}

/** @param {Parts} inside */
function writeTable({ table, shown }) {
  table.hidden = !shown.length;
  const old = table.querySelector(".scroll");
  if (!table.open || !shown.length) {
    old?.remove();
    return;
  }
  const fresh = tableOf(shown, "Windows, the newest first");
  if (old) old.replaceChildren(fresh);
  else table.append(make("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "Windows as a table" }, fresh));
}
