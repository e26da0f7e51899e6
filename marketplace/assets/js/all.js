// A box that ticks all boxes of one name in its form: <input type="checkbox" data-all="space">. A line in the form may say
// how many are ticked: <p role="status" data-chosen="space" data-none="…" data-one="…" data-more="{n} …">.

/** @param {HTMLFormElement} form @param {string} name @returns {HTMLInputElement[]} also those outside that name the form */
function boxesOf(form, name) {
  return /** @type {HTMLInputElement[]} */ (
    [...form.elements].filter((one) => one instanceof HTMLInputElement && one.type === "checkbox" && one.name === name)
  );
}

/** @param {HTMLElement} line */
function tell(line) {
  const form = line.closest("form");
  if (!form) return;
  const { chosen = "", none = "", one = "", more = "" } = line.dataset;
  const boxes = boxesOf(form, chosen);
  const count = boxes.filter((box) => box.checked).length;
  const said = count === 0 ? none : count === 1 ? one : more.replace("{n}", String(count));
  if (line.textContent !== said) line.textContent = said;
  for (const all of form.elements) {
    if (!(all instanceof HTMLInputElement) || all.dataset.all !== chosen) continue;
    all.checked = count > 0 && count === boxes.length;
    all.indeterminate = count > 0 && count < boxes.length;
  }
}

function tellAll() {
  for (const line of document.querySelectorAll("[data-chosen]")) tell(/** @type {HTMLElement} */ (line));
}

document.addEventListener("change", (event) => {
  const box = event.target;
  if (!(box instanceof HTMLInputElement) || box.type !== "checkbox" || !box.form) return;
  if (box.dataset.all) for (const one of boxesOf(box.form, box.dataset.all)) one.checked = box.checked;
  const line = box.form.querySelector("[data-chosen]");
  if (line) tell(/** @type {HTMLElement} */ (line));
});

// Enter on a box of such a form would press the form's first button; it is for choosing only.
document.addEventListener("keydown", (event) => {
  const box = event.target;
  if (event.key !== "Enter" || !(box instanceof HTMLInputElement) || box.type !== "checkbox") return;
  if (box.form?.querySelector("[data-chosen]")) event.preventDefault();
});

document.addEventListener("desk:renewed", tellAll);
// A browser that goes back shows the boxes as they were left.
window.addEventListener("pageshow", tellAll);
