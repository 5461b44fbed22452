/**
 * @file The lists beside the cards: active alerts, what was done, and reports.
 *
 * @typedef {{name: string, severity: string, summary: string, description: string, since: number,
 *            labels: Object<string, string>, runbook: string}} Alert
 * @typedef {{source: "alertmanager" | "monitor", problem: string, cure: string, alerts: Alert[]}} Alerts
 * @typedef {{action: string, kind: string, automation: string, done: boolean, reason: string, track: string,
 *            digest: string, language: string, by: string, at: number}} Action
 * @typedef {{name: string, kind: string, made_at: number, track: string, model: string, language: string,
 *            shadow: boolean, clips: number, drifted: string[], page: string}} Report
 */

import { element, make, sync } from "./elements.js";
import { clipsOf, languageOf, timeOf, trackOf } from "./words.js";

const LATEST = 10; // actions and reports that are shown
const SEVERITIES = { page: "Wakes somebody", ticket: "Can wait for the morning" };
const KINDS = {
  retrain: "Train again",
  "abort-canary": "End the canary",
  "roll-back": "Go back to the model before",
  "tell-users": "Tell the people at the cameras",
  repair: "Mend the software",
  accept: "Take what is seen now as the new normal",
};
const REPORTS = {
  "data-drift": "Drift of what came in and out",
  "data-quality": "What came in",
  "model-quality": "How right the readings were",
};

/** @param {Alerts} told */
export function writeAlerts(told) {
  const problem = element("alerts-problem");
  problem.hidden = !told.problem;
  const why = told.problem ? [make("p", { text: `${told.problem}.` }), make("p", { text: `To mend that: ${told.cure}.` })] : [];
  if (problem.textContent !== why.map((each) => each.textContent).join("")) problem.replaceChildren(...why);
  const none = element("no-alerts");
  none.hidden = told.alerts.length > 0;
  none.textContent = told.source === "alertmanager" ? "None is active." : "The monitor itself found nothing wrong.";
  sync(element("alerts"), told.alerts, {
    key: ({ name, labels }) => JSON.stringify([name, labels]),
    build: alertOf,
  });
}

/** @param {Alert} alert @returns {HTMLElement} */
function alertOf(alert) {
  const item = make("li", { "data-state": alert.severity === "ticket" ? "learning" : "drift" });
  item.append(make("h3", { text: alert.summary || alert.name }));
  const labels = Object.entries(alert.labels).filter(([name]) => !["alertname", "severity", "family"].includes(name));
  const facts = [SEVERITIES[alert.severity], `since ${timeOf(alert.since)}`, ...labels.map(([name, value]) => `${name} ${value}`)];
  item.append(make("p", { class: "hint", text: facts.filter(Boolean).join(" · ") }));
  if (alert.description) item.append(make("p", { text: alert.description }));
  if (alert.runbook) item.append(make("p", {}, make("a", { text: "What to do, step by step", href: alert.runbook })));
  return item;
}

/** @param {Action[]} actions */
export function writeActions(actions) {
  element("no-actions").hidden = actions.length > 0;
  sync(element("actions"), actions.slice(0, LATEST), { key: ({ action }) => action, build: actionOf });
}

/** @param {Action} action  one that is not done @returns {string} what a person has of it */
function waits({ kind, by, automation }) {
  if (kind === "accept") return by === "monitor" ? "Refused" : "Asked for";
  return automation === "observe" ? "Noted" : "Proposed";
}

/** @param {Action} action @returns {HTMLElement} */
function actionOf(action) {
  const state = action.done ? "Done" : waits(action);
  const language = action.language ? languageOf(action.language).name : "all languages";
  return make("li", {},
    make("h3", { text: `${state}: ${KINDS[action.kind] ?? action.kind}` }),
    make("p", { class: "hint", text: `${timeOf(action.at)} · by ${action.by} · ${trackOf(action)}, ${language}, bundle ${action.digest.slice(0, 12)}` }),
    make("p", { text: action.reason }),
  );
}

/** @param {Report[]?} reports  null: nobody makes any here */
export function writeReports(reports) {
  element("reports-part").hidden = reports === null;
  element("no-reports").hidden = Boolean(reports?.length);
  sync(element("reports"), (reports ?? []).slice(0, LATEST), { key: ({ name }) => name, build: reportOf });
}

/** @param {Report} report @returns {HTMLElement} */
function reportOf(report) {
  const whose = `${report.model}, ${languageOf(report.language).name}, ${trackOf(report)}`;
  const drifted = report.drifted.length ? ` · not as the reference: ${report.drifted.join(", ")}` : "";
  return make("li", {},
    make("h3", {}, make("a", { text: `${REPORTS[report.kind] ?? report.kind}: ${whose}`, href: report.page })),
    make("p", { class: "hint", text: `${timeOf(report.made_at)} · ${clipsOf(report.clips)}${drifted}` }),
  );
}
