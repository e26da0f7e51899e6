// The two minutes in which one press is taken back: minutes and seconds beside the button, said aloud near the end only.

const NEAR = 30; // seconds

/** @param {HTMLElement} node the line with its seconds left in data-undo */
export function countUndo(node) {
  const began = performance.now();
  const seconds = Number(node.dataset.undo);
  const words = node.querySelector("[data-undo-left]");
  const said = node.querySelector("[data-undo-said]");
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
      node.classList.add("hold--over", "undo--over");
      if (words) words.textContent = "";
      const line = node.querySelector("p b");
      if (line && node.dataset.over) line.textContent = node.dataset.over;
      say("over", node.dataset.over);
      return;
    }
    const whole = Math.ceil(left);
    const clock = `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
    if (words && node.dataset.left) words.textContent = node.dataset.left.replace("{n}", clock);
    if (left <= NEAR) say("near", node.dataset.near);
    setTimeout(tick, 1000);
  }

  tick();
}
