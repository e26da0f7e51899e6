// What htmx leaves open: an answer that does not hold the asked part, and a request that fails.

/**
 * The address to go to when the quick way fails.
 * @param {any} ctx htmx's request context
 * @returns {string | null} null unless it was a plain reading request
 */
function readableAddress(ctx) {
  return ctx?.request?.method === "GET" ? (ctx.response?.raw?.url ?? ctx.request.action) : null;
}

// A list with content is never blanked: an error page or a sign-in page is shown as the page it is.
document.addEventListener("htmx:before:swap", (event) => {
  const { ctx, tasks } = /** @type {CustomEvent} */ (event).detail;
  const main = tasks?.find((/** @type {any} */ task) => task.type === "main");
  if (!ctx?.select || !main || main.fragment.childElementCount > 0) return;
  event.preventDefault();
  const address = readableAddress(ctx);
  if (address) location.assign(address);
});

document.addEventListener("htmx:error", (event) => {
  const address = readableAddress(/** @type {CustomEvent} */ (event).detail.ctx);
  if (address) location.assign(address);
});
