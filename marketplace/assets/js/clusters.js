// All matches of the question on the map: those that would lie on each other are one mark with their number, which comes
// closer when pressed; one alone leads to its page. A grid of the screen's pixels is enough for that, and ten thousand
// take a few milliseconds.
//
//   <div id="map-data" hidden data-url="/…/spaces/map?…" data-space="/…/spaces/0" data-one="…" data-one-free="…"
//        data-many="{n} …" data-many-free="{n} …, {free} …"></div>
import { divIcon, latLngBounds, layerGroup, marker } from "leaflet/dist/leaflet-src.esm.js";

const CELL = 72; // px; two marks side by side do not touch
const STEPS = 100_000; // positions are whole numbers of this part of a degree
const SAME_SPOT = 0.0004; // degrees; coming closer does not part what lies nearer together
const SIDE = 60; // px around the window that are drawn too

/** @typedef {{id: number, lat: number, lng: number, free: boolean}} Dot */
/** @typedef {{dots: Dot[], lat: number, lng: number, free: number}} Cluster */

/**
 * @param {{south: number, west: number, ids: number[], lat: number[], lon: number[], free: string}} data
 * @returns {Dot[]}
 */
export function decode(data) {
  let id = 0;
  return data.ids.map((more, n) => {
    id += more;
    return {
      id,
      lat: data.south + data.lat[n] / STEPS,
      lng: data.west + data.lon[n] / STEPS,
      free: data.free[n] === "1",
    };
  });
}

/**
 * Groups what falls into one cell of a grid.
 * @param {Iterable<Dot>} dots
 * @param {(dot: Dot) => {x: number, y: number}} pixel
 * @returns {Cluster[]}
 */
export function cluster(dots, pixel, cell = CELL) {
  /** @type {Map<string, Cluster>} */
  const cells = new Map();
  for (const dot of dots) {
    const { x, y } = pixel(dot);
    const key = `${Math.floor(x / cell)} ${Math.floor(y / cell)}`;
    const found = cells.get(key) ?? { dots: [], lat: 0, lng: 0, free: 0 };
    found.dots.push(dot);
    found.lat += dot.lat;
    found.lng += dot.lng;
    found.free += dot.free ? 1 : 0;
    cells.set(key, found);
  }
  return [...cells.values()].map((one) => ({
    ...one,
    lat: one.lat / one.dots.length,
    lng: one.lng / one.dots.length,
  }));
}

/** @param {string} text @param {number} n @param {number} free */
function fill(text, n, free) {
  return text.replace("{n}", n.toLocaleString()).replace("{free}", free.toLocaleString());
}

/**
 * Draws the marks and follows the map; `renew` reads the address of the data again, since the list may ask anew.
 * @param {any} map
 * @param {(bounds: any) => void} searchThere looks for what lies on one spot
 */
export function showAll(map, searchThere) {
  const group = layerGroup().addTo(map);
  /** @type {Dot[]} */
  let dots = [];
  let hasFree = false;
  let shown = "";
  /** @type {AbortController | undefined} */
  let waiting;

  const source = () => document.getElementById("map-data");

  const draw = () => {
    const words = source()?.dataset ?? {};
    const listed = new Set(
      [.../** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".row[data-lat]"))].map((row) =>
        Number(row.dataset.id),
      ),
    );
    const zoom = map.getZoom();
    const size = map.getSize();
    const pad = [SIDE / Math.max(1, size.y), SIDE / Math.max(1, size.x)];
    const seen = map.getBounds().pad(Math.min(1, Math.max(...pad)));
    group.clearLayers();
    const near = dots.filter((dot) => !listed.has(dot.id) && seen.contains([dot.lat, dot.lng]));
    for (const one of cluster(near, (dot) => map.project([dot.lat, dot.lng], zoom))) {
      mark(one, words).addTo(group);
    }
  };

  /** @param {Cluster} one @param {DOMStringMap} words */
  const mark = (one, words) => {
    const count = one.dots.length;
    const face = document.createElement("div");
    face.className = count === 1 ? "pin pin--one" : "pin pin--many";
    if (hasFree && one.free === 0) face.classList.add("pin--none");
    const name = document.createElement("span");
    name.className = "visually-hidden";
    const text = hasFree
      ? count === 1 && !one.free
        ? words.one
        : words[count === 1 ? "oneFree" : "manyFree"]
      : words[count === 1 ? "one" : "many"];
    name.textContent = fill(text ?? "{n}", count, one.free);
    if (count > 1) {
      const figure = document.createElement("span");
      figure.setAttribute("aria-hidden", "true");
      figure.textContent = count.toLocaleString();
      face.append(figure);
    }
    face.append(name);
    const made = marker([one.lat, one.lng], {
      icon: divIcon({ className: "pin-w", html: face, iconSize: [0, 0] }),
    });
    made.on("add", () => made.getElement()?.setAttribute("role", count === 1 ? "link" : "button"));
    // Leaflet makes a click of Enter.
    made.on("click", () => press(one, words));
    return made;
  };

  /** @param {Cluster} one @param {DOMStringMap} words */
  const press = (one, words) => {
    if (one.dots.length === 1) {
      location.assign((words.space ?? "").replace(/\/0(?=$|\?)/, `/${one.dots[0].id}`));
      return;
    }
    const bounds = latLngBounds(one.dots.map((dot) => [dot.lat, dot.lng]));
    const [north, east] = [bounds.getNorth() - bounds.getSouth(), bounds.getEast() - bounds.getWest()];
    if (Math.max(north, east) < SAME_SPOT || map.getZoom() >= map.getMaxZoom()) {
      searchThere(bounds);
      return;
    }
    // The pressed mark goes away; the map keeps the focus, and its new marks come next.
    map.getContainer().focus({ preventScroll: true });
    map.fitBounds(bounds, { padding: [48, 48], maxZoom: map.getMaxZoom() });
  };

  const renew = async () => {
    const url = source()?.dataset.url ?? "";
    if (!url || url === shown) return draw();
    waiting?.abort();
    const mine = new AbortController();
    waiting = mine;
    try {
      const answer = await fetch(url, { signal: mine.signal, headers: { Accept: "application/json" } });
      if (!answer.ok) return draw();
      const data = await answer.json();
      dots = decode(data);
      hasFree = data.free !== "";
      shown = url;
    } catch (error) {
      // The list has what the map has not; an answer that comes too late is not wanted.
      if (!(error instanceof DOMException && error.name === "AbortError")) dots = [];
      else return undefined;
    }
    return draw();
  };

  map.on("moveend", draw);
  return renew;
}
