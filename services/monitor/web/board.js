/**
 * @file The board: asks the monitor every few seconds and writes what changed, and nothing else.
 *
 * @typedef {import("./cards.js").Group} Group
 * @typedef {{at: number, state: string, headline: string, said: string, since: number?, counting: boolean,
 *            faults: string[], todo: string, runbook: string, groups: Group[]}} State
 */

import { addEverybody, openGroups, writeCards, writeTodo, writeWindows } from "./cards.js";
import { announce, element, say } from "./elements.js";
import { writeActions, writeAlerts, writeReports } from "./lists.js";
import { secondOf, timeOf } from "./words.js";

const EVERY_MS = 5_000;
const WINDOWS_MS = 60_000; // they change every few minutes
const PATIENCE_MS = 10_000;

/** @type {State | null} */
let last = null;
let away = false;
let drawn = 0;
let turn = 0; // an answer that comes after that of a later turn is old

/** @param {string} path @returns {Promise<any>} null: there is no such door here */
async function ask(path) {
  const answer = await fetch(path, { signal: AbortSignal.timeout(PATIENCE_MS), headers: { Accept: "application/json" } });
  if (answer.status === 404) return null;
  if (!answer.ok) throw new Error(`${path} answers ${answer.status}`);
  return answer.json();
}

/** @param {State} state */
function writeState(state) {
  element("overall").dataset.state = state.state;
  say(element("headline"), state.headline);
  say(element("said"), state.said);
  say(element("since"), state.since ? `Since ${timeOf(state.since)}.` : "");
  writeTodo(element("todo"), state);
  say(element("counting"), state.counting ? "This monitor counts what is read." : "Another one may count: what is shown here stands still.");
  element("no-groups").hidden = state.groups.length > 0;
  element("everybody").hidden = !state.groups.length;
  writeCards(element("groups"), state.groups, () => void refreshWindows());
  say(element("updated"), `Updated ${secondOf(state.at)}.`);
  document.title = `${state.headline} – LipSol's board`;
}

/**
 * What a person who listens is told: changes, and no more.
 * @param {State} state
 */
function tellChange(state) {
  const before = last;
  last = state;
  if (!before) return;
  const changed = state.groups.filter((group) => {
    const old = before.groups.find((each) => each.group === group.group);
    return old && (old.state !== group.state || old.headline !== group.headline);
  });
  if (before.headline !== state.headline || away) announce(`${state.headline}. ${state.said}`);
  else if (changed.length) announce(changed.map(({ model, track, headline }) => `${model}, ${track}: ${headline}.`).join(" "));
}

function tellAway() {
  if (away) return;
  away = true;
  element("overall").dataset.state = "away";
  say(element("headline"), "The monitor does not answer");
  say(element("said"), last ? `What is shown here is as of ${secondOf(last.at)}.` : "See that it runs, and that this page may reach it.");
  for (const name of ["since", "counting"]) say(element(name), "");
  element("todo").hidden = true;
  announce("The monitor does not answer.");
}

async function refreshWindows() {
  drawn = Date.now();
  const groups = openGroups();
  if (!groups.length) return;
  const to = drawn / 1000;
  const from = to - Number(/** @type {HTMLSelectElement} */ (element("span")).value);
  const asked = new URLSearchParams([["since", String(Math.floor(from))], ...groups.map((group) => ["group", group])]);
  try {
    writeWindows((await ask(`/v1/windows?${asked}`)) ?? [], { from, to });
  } catch {
    drawn = 0; // with the next turn again
  }
}

async function refresh() {
  const mine = (turn += 1);
  const lists = Promise.allSettled([
    ask("/v1/alerts").then(writeAlerts),
    ask("/v1/actions").then(writeActions),
    ask("/v1/reports").then(writeReports),
  ]);
  try {
    const state = await ask("/v1/state");
    if (mine < turn) return;
    writeState(state);
    tellChange(state);
    away = false;
  } catch {
    if (mine === turn) tellAway();
  }
  if (Date.now() - drawn > WINDOWS_MS) await refreshWindows();
  await lists;
}

/** Ask for ever; a page that nobody sees does not. */
async function keepOn() {
  if (!document.hidden) await refresh();
  setTimeout(keepOn, EVERY_MS);
}

addEverybody(element("everybody"), () => void refreshWindows());
element("span").addEventListener("change", () => void refreshWindows());
document.addEventListener("visibilitychange", () => void (document.hidden || refresh()));
void keepOn();
