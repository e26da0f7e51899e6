// Every page. Links and forms work without any of this; the modules below only make them quicker.
import "htmx.org/dist/htmx.esm.js";
import { loadWhenSeen } from "./lazy.js";
import "./all.js";
import "./busy.js";
import { countDown } from "./countdown.js";
import "./menus.js";
import "./near.js";
import "./search.js";
import "./swaps.js";

function start() {
  focusErrors();
  for (const node of document.querySelectorAll("[data-map]")) {
    loadWhenSeen(/** @type {HTMLElement} */ (node), async () => (await import("./map.js")).drawMap);
  }
  for (const node of document.querySelectorAll("[data-week]")) {
    loadWhenSeen(/** @type {HTMLElement} */ (node), async () => (await import("./week.js")).drawWeek);
  }
  for (const node of document.querySelectorAll("[data-timeline]")) {
    loadWhenSeen(/** @type {HTMLElement} */ (node), async () => (await import("./timeline.js")).drawTimeline);
  }
  for (const node of document.querySelectorAll("[data-queue]")) {
    loadWhenSeen(/** @type {HTMLElement} */ (node), async () => (await import("./timeline.js")).watchQueue);
  }
  for (const node of document.querySelectorAll("[data-uploads]")) {
    import("./photos.js").then(({ watchUploads }) => watchUploads(/** @type {HTMLElement} */ (node)));
  }
  for (const node of document.querySelectorAll("[data-hold]:not([data-counting])")) {
    const line = /** @type {HTMLElement} */ (node);
    line.dataset.counting = "";
    countDown(line, "hold");
  }
  for (const node of document.querySelectorAll("[data-undo]:not(form):not([data-counting])")) {
    const line = /** @type {HTMLElement} */ (node);
    line.dataset.counting = "";
    countDown(line, "undo");
  }
  for (const node of document.querySelectorAll("[data-copy][hidden]")) {
    import("./copy.js").then(({ offerCopy }) => offerCopy(/** @type {HTMLElement} */ (node)));
  }
  for (const node of document.querySelectorAll("[data-print]")) {
    import("./timeline.js").then(({ offerPrint }) => offerPrint(/** @type {HTMLElement} */ (node)));
  }
}

/** After a refused form the summary takes the focus, so that it is the first thing read. */
function focusErrors() {
  const summary = document.querySelector("[data-focus-first]");
  if (summary instanceof HTMLElement && !location.hash) summary.focus();
}

start();
document.addEventListener("htmx:after:swap", () => start());
