// A form that posts is sent once: the pressed button shows that it waits, a second press is ignored.
// Nothing is disabled, so the button's own name and value always reach the server.

const LONGEST = 15_000; // ms; afterwards the form can be sent again (a download, a lost connection)

/** @param {HTMLFormElement} form */
function settle(form) {
  delete form.dataset.sent;
  for (const button of form.elements) {
    if (button instanceof HTMLElement && "busy" in button.dataset) {
      delete button.dataset.busy;
      button.removeAttribute("aria-busy");
    }
  }
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || !(form instanceof HTMLFormElement)) return;
  const submitter = event.submitter;
  const method = submitter?.getAttribute("formmethod") ?? form.method;
  if (method.toLowerCase() !== "post") return;
  if ("sent" in form.dataset) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "";
  if (submitter) {
    submitter.dataset.busy = "";
    submitter.setAttribute("aria-busy", "true");
  }
  setTimeout(() => settle(form), LONGEST);
});

// Back shows the page as it was left; make it usable again.
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]"))
    settle(/** @type {HTMLFormElement} */ (form));
});
