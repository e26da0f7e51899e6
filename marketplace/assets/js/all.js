// A box that ticks all boxes of one name in its form: <input type="checkbox" data-all="space">.
document.addEventListener("change", (event) => {
  const box = event.target;
  if (!(box instanceof HTMLInputElement) || !box.dataset.all || !box.form) return;
  for (const one of box.form.querySelectorAll(`input[type=checkbox][name="${box.dataset.all}"]`)) {
    /** @type {HTMLInputElement} */ (one).checked = box.checked;
  }
});
