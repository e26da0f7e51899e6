// The map: districts as the base layer, pins from the list, marks for all other hits, the drawn area. The list is its twin
// in text.
//
//   <div class="map" data-map hx-morph-skip role="region" aria-label="..."
//        data-districts="/…geojson" data-tiles="https://…/{z}/{x}/{y}.png" data-attribution="…"
//        data-zoom-in="…" data-zoom-out="…"
//        data-counts='{"code": 31}' data-labels="no"
//        data-bounds="w,s,e,n" data-point="lat,lng" data-max-zoom="18" data-failed="said when the map cannot be drawn"></div>
import {
  control,
  divIcon,
  geoJSON,
  latLngBounds,
  layerGroup,
  map as leafletMap,
  marker,
  tileLayer,
} from "leaflet/dist/leaflet-src.esm.js";
import { showAll } from "./clusters.js";
import { cornersOf, drawArea, offerDrawing } from "./draw.js";
import { loadStyle } from "./lazy.js";
import { pickPoint } from "./pick.js";
import { askAgain } from "./search.js";

const MOVE_REST = 400; // ms after a move before the list follows

/** @param {string} tag @param {string} name @param {string} [text] */
function element(tag, name, text) {
  const node = document.createElement(tag);
  node.className = name;
  if (text) node.textContent = text;
  return node;
}

/** @param {HTMLElement} node */
function icon(node) {
  return divIcon({ className: "pin-w", html: node, iconSize: [0, 0] });
}

/** @param {string | undefined} text four numbers: west, south, east, north */
function boundsOf(text) {
  const [w, s, e, n] = (text ?? "").split(",").map(Number);
  return Number.isFinite(w) && Number.isFinite(n) ? latLngBounds([s, w], [n, e]) : null;
}

/** @param {HTMLElement} node */
export async function drawMap(node) {
  await loadStyle(MAP_STYLE);
  const options = node.dataset;
  const map = leafletMap(node, {
    zoomControl: false,
    scrollWheelZoom: false,
    zoomSnap: 0.1,
    maxZoom: Number(options.maxZoom ?? 18),
    fadeAnimation: false,
    zoomAnimation: !matchMedia("(prefers-reduced-motion: reduce)").matches,
  });
  map.attributionControl.setPrefix(false);
  if (options.attribution) map.attributionControl.addAttribution(options.attribution);
  control
    .zoom({ position: "topright", zoomInTitle: options.zoomIn ?? "+", zoomOutTitle: options.zoomOut ?? "−" })
    .addTo(map);
  // Our own moves must not be taken for the reader's.
  const state = { ours: 0, bounds: /** @type {any} */ (null) };
  /** @param {any} bounds */
  const show = (bounds, padding = 12, maxZoom = 15) => {
    state.ours = performance.now();
    map.fitBounds(bounds, { padding: [padding, padding], maxZoom, animate: false });
  };

  map.setView([60.19, 24.95], 11, { animate: false });
  if (options.tiles) tileLayer(options.tiles, { maxZoom: 18 }).addTo(map);
  const districts = options.districts ? drawDistricts(map, node, options) : Promise.resolve(null);

  const areas = layerGroup().addTo(map);
  const renewDots = showAll(map, (bounds) => searchIn(bounds.pad(0.1).extend(around(bounds.getCenter()))));
  const pins = layerGroup().addTo(map);
  const hits = drawPins(pins, options);
  const area = drawArea(areas, cornersOf(hiddenField("area")?.value ?? ""));
  const wanted = boundsOf(options.bounds) ?? boundsOf(hiddenField("bbox")?.value) ?? area ?? hits;
  if (wanted) show(wanted, options.bounds ? 0 : 48);
  offerDrawing(map, (corners) => {
    const seen = hiddenField("bbox");
    if (seen) seen.value = "";
    const field = hiddenField("area");
    if (field) field.value = corners.map((corner) => corner.join(",")).join(";");
    askAgain();
  });
  const land = await districts;
  if (!wanted && land) show(land);
  await renewDots();
  if (options.pick) pickPoint(map, options.pick);
  if (options.market) (await import("./market.js")).drawOnMap(map, node);

  document.addEventListener("row:point", (event) => {
    const { row, on } = /** @type {CustomEvent} */ (event).detail;
    highlight(pins, row.dataset.n, on);
  });
  document.addEventListener("htmx:after:swap", () => {
    const drawn = drawArea(areas, cornersOf(hiddenField("area")?.value ?? ""));
    const bounds = drawn ?? drawPins(pins, options);
    if (drawn) drawPins(pins, options);
    renewDots();
    if (bounds && !followBox()?.checked && !map.getBounds().contains(bounds)) show(bounds, 48);
  });
  new ResizeObserver(() => {
    state.ours = performance.now();
    map.invalidateSize({ animate: false });
  }).observe(node);
  followMoves(map, state);
}

/** @param {any} map @param {HTMLElement} node @param {DOMStringMap} options */
async function drawDistricts(map, node, options) {
  const answer = await fetch(options.districts ?? "", {
    headers: { Accept: "application/geo+json, application/json" },
  });
  if (!answer.ok) return null;
  const css = getComputedStyle(document.documentElement);
  const token = (/** @type {string} */ name) => css.getPropertyValue(name).trim();
  const counts = JSON.parse(options.counts ?? "{}");
  const overTiles = Boolean(options.tiles);
  /** @type {{marker: any, layer: any, count: number}[]} */
  const labels = [];
  const layer = geoJSON(await answer.json(), {
    interactive: false,
    style: () => ({
      color: token("--map-line"),
      weight: 1.2,
      fillColor: token("--map-land"),
      fillOpacity: overTiles ? 0 : 1,
    }),
    onEachFeature(feature, shape) {
      const { name, code } = feature.properties ?? {};
      const id = feature.id ?? code;
      if (options.labels === "no" || !(name || counts[id] != null)) return;
      const text = element("div", "dlabel");
      text.setAttribute("aria-hidden", "true");
      if (counts[id] != null) text.append(element("b", "", String(counts[id])));
      text.append(element("span", "", name ?? ""));
      const labelIcon = divIcon({ className: "dlabel-w", html: text, iconSize: [0, 0] });
      const centre = feature.properties.center
        ? [feature.properties.center[1], feature.properties.center[0]]
        : shape.getBounds().getCenter();
      labels.push({
        marker: marker(centre, { icon: labelIcon, interactive: false, keyboard: false }),
        layer: shape,
        count: Number(counts[id] ?? -1),
      });
    },
  }).addTo(map);
  /**
   * Writes no label over another: the largest figure first, without its name where only that much fits, and a name
   * alone only where its district is about wide enough for it.
   */
  const place = () => {
    /** @type {{left: number, right: number, top: number, bottom: number}[]} */
    const taken = [];
    const fits = (/** @type {{x: number, y: number}} */ at, /** @type {number} */ width, /** @type {number} */ height) => {
      const box = {
        left: at.x - width / 2 - 3,
        right: at.x + width / 2 + 3,
        top: at.y - height / 2 - 1,
        bottom: at.y + height / 2 + 1,
      };
      const free = taken.every(
        (other) =>
          box.right < other.left || other.right < box.left || box.bottom < other.top || other.bottom < box.top,
      );
      if (free) taken.push(box);
      return free;
    };
    for (const label of labels) {
      const bounds = label.layer.getBounds();
      const across =
        map.latLngToContainerPoint(bounds.getNorthEast()).x -
        map.latLngToContainerPoint(bounds.getSouthWest()).x;
      const face = label.marker.getIcon().options.html;
      const [figure, name] = [face.querySelector("b"), face.querySelector("span")];
      const at = map.latLngToContainerPoint(label.marker.getLatLng());
      const width = name.textContent.length * 7;
      const wide = across >= width * 0.8;
      if (figure) {
        name.hidden = !(wide && fits(at, width, 42));
        if (!name.hidden || fits(at, figure.textContent.length * 12, 24)) label.marker.addTo(map);
        else label.marker.remove();
      } else {
        name.hidden = !(wide && fits(at, width, 18));
        if (name.hidden) label.marker.remove();
        else label.marker.addTo(map);
      }
    }
  };
  labels.sort((one, other) => other.count - one.count);
  place();
  map.on("zoomend", place);
  return layer.getBounds().isValid() ? layer.getBounds() : null;
}

/**
 * One pin for every row of the list; returns what they cover.
 * @param {any} group @param {DOMStringMap} options
 */
function drawPins(group, options) {
  group.clearLayers();
  const points = [];
  for (const row of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".row[data-lat]"))) {
    const { n = "", lat, lng, price = "", name = "" } = row.dataset;
    const at = /** @type {[number, number]} */ ([Number(lat), Number(lng)]);
    if (!at.every(Number.isFinite) || !lat || !lng) continue;
    points.push(at);
    const face = element("div", "pin");
    face.append(
      element("i", "", n),
      element("span", "", price),
      element("span", "visually-hidden", `, ${name}`),
    );
    const pin = marker(at, { icon: icon(face), zIndexOffset: 100, riseOnHover: true });
    pin.row = n;
    pin.on("add", () => {
      const handle = pin.getElement();
      handle.setAttribute("role", "link");
      handle.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
        if (event.key === "Enter") goTo(row);
      });
      for (const kind of ["mouseenter", "focus"]) handle.addEventListener(kind, () => mark(row, face, true));
      for (const kind of ["mouseleave", "blur"]) handle.addEventListener(kind, () => mark(row, face, false));
    });
    pin.on("click", () => goTo(row));
    pin.addTo(group);
  }
  if (options.point) {
    const at = options.point.split(",").map(Number);
    points.push(/** @type {[number, number]} */ (at));
    const face = element("div", "pin pin--dot pin--on");
    marker(at, { icon: icon(face), interactive: false, keyboard: false }).addTo(group);
  }
  return points.length ? latLngBounds(points) : null;
}

/** @param {HTMLElement} row @param {HTMLElement} face @param {boolean} on */
function mark(row, face, on) {
  face.classList.toggle("pin--on", on);
  row.classList.toggle("is-on", on);
}

/** @param {any} group @param {string} n @param {boolean} on */
function highlight(group, n, on) {
  group.eachLayer((/** @type {any} */ pin) => {
    if (pin.row !== n) return;
    pin.getElement()?.firstElementChild?.classList.toggle("pin--on", on);
    pin.setZIndexOffset(on ? 1000 : 100);
  });
}

/** A pin leads to its row; where the list is hidden, on a phone, straight to the space. @param {HTMLElement} row */
function goTo(row) {
  const link = row.querySelector("h2 a, h3 a, a");
  if (!(link instanceof HTMLAnchorElement)) return;
  if (row.offsetParent === null) {
    location.assign(link.href);
    return;
  }
  row.scrollIntoView({ block: "center" });
  link.focus({ preventScroll: true });
}

/** @returns {HTMLInputElement | null} */
function followBox() {
  return document.querySelector("[data-map-follow]");
}

/** @param {string} name @returns {HTMLInputElement | null} a hidden control of the search form */
function hiddenField(name) {
  return document.querySelector(`form[data-search] [name=${name}], [name=${name}][form]`);
}

/** About thirty metres each way. @param {any} at */
function around(at) {
  return latLngBounds([at.lat - 0.0003, at.lng - 0.0006], [at.lat + 0.0003, at.lng + 0.0006]);
}

/** Asks for what lies in these bounds; anywhere without any. @param {any} [bounds] */
function searchIn(bounds) {
  const field = hiddenField("bbox");
  if (!field) return;
  const edges = bounds ? [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()] : [];
  field.value = edges.map((edge) => edge.toFixed(5)).join(",");
  askAgain();
}

/** @param {any} map @param {{ours: number}} state */
function followMoves(map, state) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let rest;
  map.on("moveend", () => {
    if (performance.now() - state.ours < 250 || !followBox()?.checked) return;
    clearTimeout(rest);
    rest = setTimeout(() => searchIn(map.getBounds()), MOVE_REST);
  });
  document.addEventListener("change", (event) => {
    if (event.target === followBox()) searchIn(followBox()?.checked ? map.getBounds() : undefined);
  });
}
