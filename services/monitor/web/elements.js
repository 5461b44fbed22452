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
 * A new element of this kind.
 * @param {string} kind
 * @param {Object<string, string>} [what]  its text, and attributes
 * @param {...(Node | string)} inside
 * @returns {HTMLElement}
 */
export function make(kind, { text = "", ...attributes } = {}, ...inside) {
  const made = document.createElement(kind);
  if (text) made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...inside);
  return made;
}

/**
 * Write a text, unless it stands there already: who has it selected, or listens to it, is not disturbed.
 * @param {HTMLElement} node @param {string} text
 */
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * Say something to those who listen to the page rather than see it.
 * @param {string} text
 */
export function announce(text) {
  say(element("status"), text);
}

/** @type {WeakMap<Element, string>} what each child was last told */
const told = new WeakMap();

/**
 * Make a parent's children those of the items, in their order: nothing that stays the same is touched, and the child
 * that holds the focus is never moved.
 * @template Item
 * @param {HTMLElement} parent
 * @param {Item[]} items
 * @param {{key: (item: Item) => string, build: (item: Item) => HTMLElement,
 *          write?: (node: HTMLElement, item: Item) => void}} how  without write, an item that changed is built anew
 */
export function sync(parent, items, { key, build, write }) {
  const known = new Map([...parent.children].map((child) => [/** @type {HTMLElement} */ (child).dataset.key, child]));
  const wanted = items.map((item) => {
    const now = JSON.stringify(item);
    let node = /** @type {HTMLElement | undefined} */ (known.get(key(item)));
    if (!node || (!write && told.get(node) !== now)) node = build(item);
    if (write && told.get(node) !== now) write(node, item);
    node.dataset.key = key(item);
    told.set(node, now);
    return node;
  });
  for (const child of [...parent.children]) if (!wanted.includes(/** @type {HTMLElement} */ (child))) child.remove();
  arrange(parent, wanted);
}

/** @param {HTMLElement} parent @param {HTMLElement[]} wanted */
function arrange(parent, wanted) {
  if (wanted.length === parent.children.length && wanted.every((node, n) => node === parent.children[n])) return;
  const held = wanted.findIndex((node) => node.contains(document.activeElement));
  if (held < 0) {
    parent.append(...wanted);
  } else {
    wanted[held].before(...wanted.slice(0, held));
    wanted[held].after(...wanted.slice(held + 1));
  }
}
