// "Near me": the browser is asked where the reader is only when the button is pressed, and the answer goes into the
// field as text that can be read, changed and taken out.
//
//   <button type="button" data-near="id of the field">
//   <p role="status" data-near-said data-me="Near me" data-waits="…" data-denied="…" data-failed="…"></p>

// About a hundred metres: enough for what is near, and no more of a home address than that.
const DECIMALS = 3;
const OPTIONS = { maximumAge: 60_000, timeout: 10_000 };

/** @param {"waits" | "denied" | "failed" | ""} what */
function say(what) {
  for (const line of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("[data-near-said]"))) {
    line.textContent = what ? (line.dataset[what] ?? "") : "";
  }
}

/** @param {HTMLInputElement} field @param {GeolocationPosition} position */
function look(field, { coords }) {
  say("");
  const said = /** @type {HTMLElement | null} */ (document.querySelector("[data-near-said]"));
  const point = `${coords.latitude.toFixed(DECIMALS)}, ${coords.longitude.toFixed(DECIMALS)}`;
  field.value = `${said?.dataset.me ?? ""} ${point}`.trim();
  field.form?.requestSubmit();
}

document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("[data-near]") : null;
  if (!(button instanceof HTMLElement)) return;
  const field = document.getElementById(button.dataset.near ?? "");
  if (!(field instanceof HTMLInputElement)) return;
  if (!navigator.geolocation) {
    say("failed");
    return;
  }
  say("waits");
  navigator.geolocation.getCurrentPosition(
    (position) => look(field, position),
    (error) => say(error.code === error.PERMISSION_DENIED ? "denied" : "failed"),
    OPTIONS,
  );
});
