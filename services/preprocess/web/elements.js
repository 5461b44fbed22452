/** @file Small steps with the page's elements; text from outside goes in as text only. */

/**
 * The element with this id; one that is missing is a fault of the page.
 * @template {HTMLElement} Kind
 * @param {string} id
 * @returns {Kind}
 */
export function element(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`no #${id} in the page`);
  return /** @type {Kind} */ (found);
}

/**
 * A new element of this kind, with text.
 * @param {string} kind
 * @param {{text?: string, classes?: string[]}} [what]
 * @returns {HTMLElement}
 */
export function make(kind, { text = "", classes = [] } = {}) {
  const made = document.createElement(kind);
  made.textContent = text;
  made.classList.add(...classes);
  return made;
}

/**
 * An item of a list with one button in it.
 * @param {HTMLElement[]} inside
 * @param {() => void} press
 * @returns {HTMLLIElement}
 */
export function pressable(inside, press) {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...inside);
  button.addEventListener("click", press);
  const item = document.createElement("li");
  item.append(button);
  return item;
}

/**
 * Say something to those who listen to the page rather than see it.
 * @param {string} text
 */
export function announce(text) {
  element("status").textContent = text;
}

const VIEWS = ["start", "camera", "working", "result"];

/**
 * Show one view, and move the focus to its heading.
 * @param {"start" | "camera" | "working" | "result"} view
 */
export function show(view) {
  for (const name of VIEWS) element(name).hidden = name !== view;
  element(`${view}-title`).focus({ preventScroll: view === "start" });
}
