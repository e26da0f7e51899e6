// The checkout's countdown: words each minute, said aloud at two minutes and when the time is no longer held.

const NEAR = 120; // seconds

/** @param {HTMLElement} node the line about the hold, with its seconds left in data-hold */
export function countDown(node) {
  const began = performance.now();
  const seconds = Number(node.dataset.hold);
  const words = node.querySelector("[data-hold-left]");
  const said = node.querySelector("[data-hold-said]");
  const bar = node.querySelector(".hold__bar i");
  const full = bar instanceof HTMLElement ? seconds / (parseFloat(bar.style.getPropertyValue("--left")) / 100) : seconds;
  let told = "";

  /** @param {string} key @param {string | undefined} text */
  function say(key, text) {
    if (!said || !text || told === key) return;
    told = key;
    said.textContent = text;
  }

  function tick() {
    if (!node.isConnected) return;
    // Measured, not counted: a page that slept in the background is right when it wakes.
    const left = Math.max(0, seconds - (performance.now() - began) / 1000);
    if (bar instanceof HTMLElement) bar.style.setProperty("--left", `${Math.round((100 * left) / full)}%`);
    if (left === 0) {
      node.classList.add("hold--over");
      if (words) words.textContent = "";
      const line = node.querySelector("p b");
      if (line && node.dataset.over) line.textContent = node.dataset.over;
      say("over", node.dataset.over);
      return;
    }
    if (words && node.dataset.left) words.textContent = node.dataset.left.replace("{n}", String(Math.ceil(left / 60)));
    if (left <= NEAR) say("near", node.dataset.near);
    setTimeout(tick, 1000);
  }

  tick();
}
