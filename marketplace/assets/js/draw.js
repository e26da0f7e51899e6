// Drawing an area to search in: a press on the map is a corner; with the keyboard the arrows move the map and Enter puts a
// corner in its middle. Who does not want to draw chooses districts among the filters.
//
//   <button type="button" data-map-draw>
//   <div data-map-drawing hidden><p role="status" data-how="…" data-corners="…{n}" data-few="…" data-crosses="…"></p>
//     <button data-draw="done"> <button data-draw="undo"> <button data-draw="cancel"></div>
import { circleMarker, layerGroup, polygon, polyline } from "leaflet/dist/leaflet-src.esm.js";

const FEWEST = 3;
const MOST = 60;

/** @typedef {[number, number]} Corner latitude, longitude */

/** @param {string} text @returns {Corner[]} */
export function cornersOf(text) {
  return text
    .split(";")
    .map((part) => /** @type {Corner} */ (part.split(",").map(Number)))
    .filter((corner) => corner.length === 2 && corner.every(Number.isFinite));
}

/** @param {Corner} a @param {Corner} b @param {Corner} c which side of a to b the point c lies on */
const side = (a, b, c) => Math.sign((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]));

/** @param {Corner[]} corners @returns {boolean} whether two of its sides cross */
export function crosses(corners) {
  const edges = corners.map((corner, n) => [corner, corners[(n + 1) % corners.length]]);
  return edges.some(([a, b], n) =>
    edges.some(
      ([c, d], m) =>
        m > n + 1 &&
        !(n === 0 && m === edges.length - 1) &&
        side(a, b, c) !== side(a, b, d) &&
        side(c, d, a) !== side(c, d, b),
    ),
  );
}

/** @param {any} group @param {Corner[]} corners shows the area that is searched */
export function drawArea(group, corners) {
  group.clearLayers();
  if (corners.length < FEWEST) return null;
  const shape = polygon(corners, { className: "area", interactive: false }).addTo(group);
  return shape.getBounds();
}

/**
 * @param {any} map
 * @param {(corners: Corner[]) => void} search
 */
export function offerDrawing(map, search) {
  const sketch = layerGroup().addTo(map);
  /** @type {Corner[]} */
  let corners = [];
  let drawing = false;

  const panel = () => /** @type {HTMLElement | null} */ (document.querySelector("[data-map-drawing]"));
  const opener = () => /** @type {HTMLElement | null} */ (document.querySelector("[data-map-draw]"));

  /** @param {"how" | "corners" | "few" | "crosses"} what */
  const say = (what) => {
    const line = /** @type {HTMLElement | null} */ (panel()?.querySelector("[role=status]"));
    if (line) line.textContent = (line.dataset[what] ?? "").replace("{n}", String(corners.length));
  };

  const show = () => {
    sketch.clearLayers();
    const style = { className: "area area--sketch", interactive: false };
    if (corners.length >= FEWEST) polygon(corners, style).addTo(sketch);
    else if (corners.length > 1) polyline(corners, style).addTo(sketch);
    for (const corner of corners) circleMarker(corner, { ...style, radius: 5 }).addTo(sketch);
  };

  /** @param {boolean} on */
  const turn = (on) => {
    drawing = on;
    corners = [];
    show();
    map.getContainer().classList.toggle("is-drawing", on);
    map.doubleClickZoom[on ? "disable" : "enable"]();
    const [box, button] = [panel(), opener()];
    if (box) box.hidden = !on;
    if (button) button.hidden = on;
    if (on) {
      say("how");
      map.getContainer().focus({ preventScroll: true });
      map.getContainer().scrollIntoView({ block: "nearest" });
    } else if (button) {
      button.focus();
    }
  };

  /** @param {any} at */
  const add = (at) => {
    if (corners.length >= MOST) return;
    corners.push([Number(at.lat.toFixed(5)), Number(at.lng.toFixed(5))]);
    show();
    say("corners");
  };

  const finish = () => {
    if (corners.length < FEWEST) return say("few");
    if (crosses(corners)) return say("crosses");
    const drawn = corners;
    turn(false);
    search(drawn);
  };

  map.on("click", (/** @type {any} */ event) => {
    if (drawing) add(event.latlng);
  });
  map.getContainer().addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (!drawing || event.target !== map.getContainer()) return;
    if (event.key === "Enter") {
      event.preventDefault();
      add(map.getCenter());
    } else if (event.key === "Backspace") {
      corners.pop();
      show();
      say("corners");
    }
  });
  document.addEventListener("keydown", (event) => {
    if (drawing && event.key === "Escape") turn(false);
  });
  document.addEventListener("click", (event) => {
    const pressed = event.target instanceof Element ? event.target.closest("[data-map-draw], [data-draw]") : null;
    if (!(pressed instanceof HTMLElement)) return;
    if ("mapDraw" in pressed.dataset) turn(true);
    else if (pressed.dataset.draw === "done") finish();
    else if (pressed.dataset.draw === "cancel") turn(false);
    else {
      corners.pop();
      show();
      say("corners");
    }
  });
}
