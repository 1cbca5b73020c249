// Making and changing elements. Text only ever goes in as text: no string of a session is read as markup.

const SVG = "http://www.w3.org/2000/svg";

/** An element. `attributes` may hold `on` (listeners by event) and `key: false | null` for "not there". */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "on") for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    else setAttribute(element, name, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("focusable", "false");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `/static/icons.svg#${name}`);
  svg.append(use);
  return svg;
}

/** A button with an icon and words. */
export function button(words, onClick, { icon: name, kind = "plain", ...attributes } = {}) {
  const label = h("span", {}, words);
  return h("button", { type: "button", class: `button button--${kind}`, on: { click: onClick }, ...attributes },
    name ? icon(name) : null, label);
}

// The writers below touch the page only where something differs: an unchanged page is not read again by a screen reader.

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function setAttribute(element, name, value) {
  if (value === false || value === null || value === undefined) element.removeAttribute(name);
  else {
    const text = value === true ? "" : String(value);
    if (element.getAttribute(name) !== text) element.setAttribute(name, text);
  }
}

export function setHidden(element, hidden) {
  if (element.hidden !== hidden) element.hidden = hidden;
}

/** Makes `parent` hold exactly `nodes`, in order; those that are in place stay untouched and keep the focus. */
export function setChildren(parent, nodes) {
  const wanted = new Set(nodes);
  // What goes, goes first: a node that stays is then in its place already, and need not be moved, which costs the focus.
  for (const node of [...parent.childNodes]) if (!wanted.has(node)) node.remove();
  let at = parent.firstChild;
  for (const node of nodes) {
    if (node === at) at = at.nextSibling;
    else parent.insertBefore(node, at);
  }
}

/** Moves the focus to what is not a control, such as a heading. */
export function focusOn(element, { scroll = true } = {}) {
  if (!element.hasAttribute("tabindex")) element.setAttribute("tabindex", "-1");
  element.focus({ preventScroll: !scroll });
}

let ids = 0;
export const newId = (prefix) => `${prefix}-${(ids += 1)}`;
