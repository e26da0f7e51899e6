// A button that copies a field's text. It is hidden until there is a script to press it with.

/** @param {HTMLElement} button with the field's id in data-copy and the word to say afterwards in data-done */
export function offerCopy(button) {
  const field = document.getElementById(button.dataset.copy ?? "");
  if (!(field instanceof HTMLInputElement) || !navigator.clipboard) return;
  const words = button.querySelector("span:last-child");
  button.hidden = false;
  button.setAttribute("aria-live", "polite");
  button.addEventListener("click", async () => {
    field.select();
    await navigator.clipboard.writeText(field.value);
    if (words) words.textContent = button.dataset.done ?? "";
  });
}
