/** @type {WeakSet<Element>} */
const known = new WeakSet();

/**
 * Draws a part once it has a size and is near the window: a hidden map costs a phone nothing.
 * @param {HTMLElement} node
 * @param {() => Promise<(node: HTMLElement) => void>} load gives the function that draws
 */
export function loadWhenSeen(node, load) {
  if (known.has(node)) return;
  known.add(node);
  const observer = new IntersectionObserver(
    async (entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      observer.disconnect();
      try {
        (await load())(node);
      } catch (error) {
        // The list or the times beside it say the same, so the page stays whole.
        if (node.dataset.failed) {
          node.className = "mapfail";
          node.replaceChildren(node.dataset.failed);
        } else {
          node.hidden = true;
        }
        console.error(error);
      }
    },
    { rootMargin: "200px" },
  );
  observer.observe(node);
}

/**
 * Adds a stylesheet that lies beside this script, and waits for it.
 * @param {string} name
 * @returns {Promise<void>}
 */
export function loadStyle(name) {
  const href = new URL(name, import.meta.url).href;
  const found = /** @type {HTMLLinkElement | null} */ (document.querySelector(`link[href="${href}"]`));
  if (found) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = href;
    link.onload = () => resolve();
    link.onerror = () => reject(new Error(`no ${name}`));
    // Before the city's own theme, which comes last.
    const theme = document.querySelector("link[data-theme-css]");
    if (theme) theme.before(link);
    else document.head.append(link);
  });
}
