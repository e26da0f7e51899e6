// What the drawn calendars share: the week of a space and the owner's timeline.

const ROLES = ["table", "rowgroup", "row", "cell", "columnheader", "rowheader"];

/** The calendar ships table roles that do not match its children; the text on the same page is the twin. @param {Element} node */
export function calmRoles(node) {
  for (const e of node.querySelectorAll(ROLES.map((role) => `[role=${role}]`).join()))
    e.removeAttribute("role");
  for (const e of node.querySelectorAll("[aria-colindex],[aria-rowindex]")) {
    e.removeAttribute("aria-colindex");
    e.removeAttribute("aria-rowindex");
  }
  for (const e of node.querySelectorAll("time[aria-label]")) e.removeAttribute("aria-label");
  for (const e of node.querySelectorAll("aside")) e.setAttribute("role", "presentation");
}

/** @param {string} tag @param {string} text @param {string} [name] */
export function element(tag, text, name) {
  const node = document.createElement(tag);
  node.textContent = text;
  if (name) node.className = name;
  return node;
}
