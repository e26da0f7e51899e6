// Countdowns: of a held time, in words each minute, and of one press that can be taken back, by the second. Said aloud when
// the end is near and when it has come.

/** @typedef {"hold" | "undo"} Kind */
/** When the end is near, in seconds, and what is shown of the seconds left. */
const KINDS = {
  hold: { near: 120, shown: minutes },
  undo: { near: 30, shown: clock },
};

/** @param {number} left */
function minutes(left) {
  return String(Math.ceil(left / 60));
}

/** @param {number} left */
function clock(left) {
  const whole = Math.ceil(left);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/**
 * @param {HTMLElement} node the line, with its seconds left in data-hold or data-undo
 * @param {Kind} kind
 */
export function countDown(node, kind) {
  const { near, shown } = KINDS[kind];
  const began = performance.now();
  const seconds = Number(node.dataset[kind]);
  const words = node.querySelector(`[data-${kind}-left]`);
  const said = node.querySelector(`[data-${kind}-said]`);
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
      node.classList.add("hold--over", `${kind}--over`);
      if (words) words.textContent = "";
      const line = node.querySelector("p b");
      if (line && node.dataset.over) line.textContent = node.dataset.over;
      say("over", node.dataset.over);
      return;
    }
    if (words && node.dataset.left) words.textContent = node.dataset.left.replace("{n}", shown(left));
    if (left <= near) say("near", node.dataset.near);
    setTimeout(tick, 1000);
  }

  tick();
}
