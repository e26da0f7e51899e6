// The form that adds photos says at once what the server would refuse only after the files have been sent:
// a file that is too large, and a photo without words. Without this the server says the same.

/** @param {HTMLElement} form */
export function watchUploads(form) {
  form.addEventListener(
    "submit",
    (event) => {
      let first = null;
      for (const row of form.querySelectorAll("fieldset")) {
        const wrong = check(form, row);
        first ??= wrong;
      }
      if (!(first instanceof HTMLElement)) return;
      event.preventDefault();
      const box = first.closest("details");
      if (box) box.open = true;
      first.focus();
    },
    { capture: true },
  );
}

/**
 * @param {HTMLElement} form
 * @param {HTMLElement} row
 */
function check(form, row) {
  const file = row.querySelector("input[type=file]");
  const words = [...row.querySelectorAll("input[lang]")].filter((field) => field instanceof HTMLInputElement);
  if (!(file instanceof HTMLInputElement)) return null;
  const chosen = file.files?.[0];
  const tooLarge = chosen && chosen.size > Number(form.dataset.most);
  say(file, tooLarge ? `${chosen.name}: ${form.dataset.tooLarge}` : "");
  const wordless = chosen && words.length > 0 && words.every((field) => !field.value.trim());
  if (words[0]) say(words[0], wordless ? (form.dataset.needsWords ?? "") : "");
  if (tooLarge) return file;
  return wordless ? words[0] : null;
}

/**
 * The sentence below a field, as the server writes it.
 * @param {HTMLInputElement} field
 * @param {string} text
 */
function say(field, text) {
  const box = field.closest(".hds-text-input");
  const id = `${field.id}-error`;
  box?.classList.toggle("hds-text-input--invalid", Boolean(text));
  let line = document.getElementById(id);
  if (!text) {
    line?.remove();
    field.removeAttribute("aria-invalid");
    field.removeAttribute("aria-describedby");
    return;
  }
  if (!line) {
    line = document.createElement("span");
    line.id = id;
    line.className = "hds-text-input__error-text";
    box?.append(line);
  }
  line.textContent = text;
  field.setAttribute("aria-invalid", "true");
  field.setAttribute("aria-describedby", id);
}
