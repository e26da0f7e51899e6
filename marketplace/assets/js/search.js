// The search page: the form asks again on every change, the list and the map point at each other.
//
//   <form data-search="#results">   GET form; its controls may stand anywhere (form="id")
//   <section id="results" data-results>   replaced by the same element of the answer
//   <a data-more="#rows" href="?page=2">   appends the answer's rows; the next link comes with #pager
//   <a data-results-link href="...">       a plain link (a chosen filter) that renews the results

const TYPING = 300; // ms of rest before a typed text is asked

/** @type {ReturnType<typeof setTimeout> | undefined} */
let waiting;

/** @param {Element} node @param {Record<string, string>} attributes */
function setAll(node, attributes) {
  for (const [name, value] of Object.entries(attributes))
    if (!node.hasAttribute(name)) node.setAttribute(name, value);
}

/** Gives the plain links and forms their htmx attributes; runs before htmx reads the page. */
function wire() {
  const form = searchForm();
  if (!form) return;
  const target = form.dataset.search ?? "";
  const renew = {
    "hx-target": target,
    "hx-select": `${target} > *`,
    "hx-swap": "innerMorph",
    "hx-push-url": "true",
    "hx-indicator": target,
    "hx-sync": `${form.id ? `#${form.id}` : "this"}:replace`,
  };
  // The server explains wrong values at their fields; the browser's own bubbles would jump up while typing.
  form.noValidate = true;
  form.dataset.asked ??= asked(form);
  setAll(form, {
    "hx-get": form.getAttribute("action") || location.pathname,
    "hx-validate": "false",
    ...renew,
  });
  for (const link of document.querySelectorAll("a[data-results-link]")) {
    setAll(link, { "hx-get": link.getAttribute("href") ?? "", ...renew });
  }
  for (const link of document.querySelectorAll("a[data-more]")) {
    const rows = /** @type {HTMLElement} */ (link).dataset.more ?? "";
    setAll(link, {
      "hx-get": link.getAttribute("href") ?? "",
      "hx-target": rows,
      "hx-select": `${rows} > *`,
      "hx-swap": "beforeend",
      "hx-select-oob": "#pager",
    });
  }
}

/** @returns {HTMLFormElement | null} */
function searchForm() {
  return document.querySelector("form[data-search]");
}

/** Asks now, without leaving empty answers in the address. */
export function askAgain() {
  clearTimeout(waiting);
  const form = searchForm();
  if (!form || asked(form) === form.dataset.asked) return;
  form.requestSubmit();
}

/** What the form asks now, to skip a change event that follows a typed text. @param {HTMLFormElement} form */
function asked(form) {
  return new URLSearchParams(/** @type {any} */ (new FormData(form))).toString();
}

/** @param {Event} event @returns {boolean} whether a control of the search form spoke */
function isOurs(event) {
  const control = /** @type {HTMLInputElement} */ (event.target);
  return Boolean(control.form?.matches("form[data-search]")) && !control.closest("[data-search-manual]");
}

document.addEventListener("change", (event) => {
  if (isOurs(event)) askAgain();
});

document.addEventListener("input", (event) => {
  const control = event.target;
  if (
    !(control instanceof HTMLInputElement) ||
    !/^(text|search|number)$/.test(control.type) ||
    !isOurs(event)
  )
    return;
  clearTimeout(waiting);
  waiting = setTimeout(askAgain, TYPING);
});

document.addEventListener("htmx:config:request", (event) => {
  const { ctx } = /** @type {CustomEvent} */ (event).detail;
  if (!ctx.sourceElement.matches("form[data-search]")) return;
  ctx.sourceElement.dataset.asked = asked(ctx.sourceElement);
  for (const [name, value] of [...ctx.request.body]) if (value === "") ctx.request.body.delete(name);
});

document.addEventListener("htmx:before:request", (event) => {
  resultsOf(event)?.setAttribute("aria-busy", "true");
});

document.addEventListener("htmx:finally:request", (event) => {
  resultsOf(event)?.removeAttribute("aria-busy");
});

/** @param {Event} event @returns {HTMLElement | null} */
function resultsOf(event) {
  const target = /** @type {CustomEvent} */ (event).detail.ctx?.target;
  return target instanceof HTMLElement && "results" in target.dataset ? target : null;
}

document.addEventListener("htmx:after:swap", (event) => {
  const { ctx } = /** @type {CustomEvent} */ (event).detail;
  // The address decides what is ticked: a pressed "remove" link has to untick its box as well.
  for (const box of ctx.target?.querySelectorAll?.("input[type=checkbox],input[type=radio]") ?? []) {
    if (!box.matches("[data-map-follow]")) box.checked = box.defaultChecked;
  }
  const form = searchForm();
  if (form) form.dataset.asked = asked(form);
  openFilters();
});

// The first new row takes the focus after "more", so that reading goes on from there.
document.addEventListener("htmx:after:settle", (event) => {
  const { task, newContent } = /** @type {CustomEvent} */ (event).detail;
  if (task.type !== "main" || !task.sourceElement?.matches?.("[data-more]")) return;
  const first = newContent.find((/** @type {Node} */ node) => node instanceof Element);
  first?.querySelector("a")?.focus();
});

/** Wide screens have room for the filters; narrow ones start closed, as the server sends them. */
function openFilters() {
  if (!matchMedia("(min-width: 1241px)").matches) return;
  for (const box of document.querySelectorAll("details.filters__box")) box.setAttribute("open", "");
}

/** Pointing at a row marks its pin; map.js listens. @param {Event} event @param {boolean} on */
function point(event, on) {
  const row = event.target instanceof Element ? event.target.closest(".row[data-n]") : null;
  if (row) document.dispatchEvent(new CustomEvent("row:point", { detail: { row, on } }));
}

for (const kind of ["mouseover", "focusin"]) document.addEventListener(kind, (event) => point(event, true));
for (const kind of ["mouseout", "focusout"]) document.addEventListener(kind, (event) => point(event, false));

wire();
openFilters();
document.addEventListener("htmx:before:process", wire);
