// Drawing on the market desk: the corners of a square, and the grid of stalls that follows its numbers. The form's fields
// are the truth; the map only writes and shows them.
//
//   <div data-map data-market="id of a JSON block" data-market-kind="square" data-field="textarea" data-radio="radio" …>
//   <div data-map data-market="id of a JSON block" data-market-kind="grid" data-field="lat lon" …>  in form[data-grid]
import { divIcon, geoJSON, latLngBounds, layerGroup, marker, polygon } from "leaflet/dist/leaflet-src.esm.js";

const REST = 400; // ms after the last change before the server is asked

/** @param {string} name */
const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** @param {string} text @param {string} name */
function label(text, name) {
  const face = document.createElement("div");
  face.className = name;
  face.textContent = text;
  return divIcon({ className: "pin-w", html: face, iconSize: [0, 0] });
}

/** @param {any} map @param {HTMLElement} node */
export function drawOnMap(map, node) {
  const block = document.getElementById(node.dataset.market ?? "");
  const data = JSON.parse(block?.textContent || "{}");
  const ground = layerGroup().addTo(map);
  if (node.dataset.marketKind === "grid" && data.square) {
    geoJSON(data.square, {
      interactive: false,
      style: () => ({ color: token("--line-2"), weight: 2, fillColor: "#f1efe9", fillOpacity: 1 }),
    }).addTo(ground);
  }
  drawStalls(ground, data.stalls ?? [], () => token("--ink-3"));
  if (node.dataset.marketKind === "square") drawCorners(map, node, data);
  else drawGrid(map, node, data);
}

/** @param {any} map @param {any} shape GeoJSON */
function show(map, shape) {
  const bounds = geoJSON(shape).getBounds();
  if (bounds.isValid()) map.fitBounds(bounds, { padding: [24, 24], maxZoom: 21, animate: false });
}

/**
 * @param {any} group
 * @param {{number: string, geometry: any, wrong?: boolean}[]} stalls
 * @param {(stall: {wrong?: boolean}) => string} colour
 */
function drawStalls(group, stalls, colour) {
  for (const stall of stalls) {
    geoJSON(stall.geometry, {
      interactive: false,
      style: () => ({
        color: colour(stall),
        weight: stall.wrong ? 3 : 1.5,
        dashArray: stall.wrong ? "4 3" : undefined,
        fillColor: token("--paper"),
        fillOpacity: 0.9,
      }),
    }).addTo(group);
  }
}

/** The corners of the square, in the textarea as GeoJSON. @param {any} map @param {HTMLElement} node @param {any} data */
function drawCorners(map, node, data) {
  const field = /** @type {HTMLTextAreaElement | null} */ (document.getElementById(node.dataset.field ?? ""));
  const radio = /** @type {HTMLInputElement | null} */ (document.getElementById(node.dataset.radio ?? ""));
  if (!field) return;
  const drawn = layerGroup().addTo(map);
  /** @type {[number, number][]} */
  let corners = [];

  const read = () => {
    try {
      const value = JSON.parse(field.value);
      const shape = value.features?.[0]?.geometry ?? value.geometry ?? value;
      const ring = shape.coordinates[0].slice(0, -1);
      corners = ring.map((/** @type {number[]} */ at) => [at[1], at[0]]);
    } catch {
      corners = [];
    }
    draw();
  };
  const write = () => {
    const ring = [...corners, ...corners.slice(0, 1)].map(([lat, lng]) => [
      Number(lng.toFixed(7)),
      Number(lat.toFixed(7)),
    ]);
    field.value = corners.length ? JSON.stringify({ type: "Polygon", coordinates: [ring] }) : "";
    if (radio) radio.checked = true;
    draw();
  };
  const draw = () => {
    drawn.clearLayers();
    if (corners.length > 1) {
      polygon(corners, {
        interactive: false,
        color: token("--city-brand"),
        weight: 2,
        fillOpacity: 0.12,
      }).addTo(drawn);
    }
    corners.forEach((at, n) => {
      const pin = marker(at, { icon: label("", "pin pin--dot pin--on"), draggable: true, keyboard: false });
      pin.on("dragend", () => {
        const { lat, lng } = pin.getLatLng();
        corners[n] = [lat, lng];
        write();
      });
      pin.addTo(drawn);
    });
  };

  map.on("click", (/** @type {{latlng: {lat: number, lng: number}}} */ event) => {
    corners.push([event.latlng.lat, event.latlng.lng]);
    write();
  });
  field.addEventListener("change", read);
  const form = field.form;
  form?.querySelector("[data-market-undo]")?.addEventListener("click", () => {
    corners.pop();
    write();
  });
  form?.querySelector("[data-market-clear]")?.addEventListener("click", () => {
    corners = [];
    write();
  });
  read();
  if (data.square) show(map, data.square);
  else if (node.dataset.point) map.setView(node.dataset.point.split(",").map(Number), 18, { animate: false });
}

/** The grid follows the form's numbers: the server computes it. @param {any} map @param {HTMLElement} node @param {any} data */
function drawGrid(map, node, data) {
  const [lat, lon] = (node.dataset.field ?? "")
    .split(" ")
    .map((id) => /** @type {HTMLInputElement | null} */ (document.getElementById(id)));
  const form = /** @type {HTMLFormElement | null} */ (node.closest("form[data-grid]"));
  if (!lat || !lon || !form) return;
  if (data.square) show(map, data.square);
  const drawn = layerGroup().addTo(map);
  const told = /** @type {HTMLElement | null} */ (form.querySelector("[data-grid-text]"));
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let rest;
  let asked = 0;

  const ask = async () => {
    const mine = ++asked;
    const sent = new FormData(form);
    let answer;
    try {
      const response = await fetch(form.dataset.grid ?? "", {
        method: "POST",
        body: new URLSearchParams(/** @type {any} */ (sent)),
        headers: { Accept: "application/json" },
      });
      answer = response.ok ? await response.json() : null;
    } catch {
      answer = null;
    }
    if (mine !== asked || !told) return;
    drawn.clearLayers();
    if (!answer) {
      told.textContent = told.dataset.failed ?? "";
      return;
    }
    drawStalls(drawn, answer.stalls, (stall) => token(stall.wrong ? "--err" : "--city-brand"));
    if (answer.stalls.length) {
      const first = answer.stalls[0];
      const centre = geoJSON(first.geometry).getBounds().getCenter();
      marker(centre, { icon: label(first.number, "dlabel market__first"), interactive: false, keyboard: false }).addTo(
        drawn,
      );
      const seen = latLngBounds(geoJSON(answer.stalls.map((/** @type {any} */ s) => s.geometry)).getBounds());
      if (seen.isValid() && !map.getBounds().intersects(seen)) map.fitBounds(seen, { animate: false });
    }
    const text = document.createElement("p");
    const bold = document.createElement("b");
    bold.textContent = answer.text;
    text.append(bold, answer.numbers ? ` ${answer.numbers}` : "");
    told.replaceChildren(text);
    if (answer.problems.length) {
      const list = document.createElement("ul");
      for (const problem of answer.problems) {
        const item = document.createElement("li");
        item.textContent = problem;
        list.append(item);
      }
      told.append(list);
    }
  };
  const later = () => {
    clearTimeout(rest);
    rest = setTimeout(ask, REST);
  };

  map.on("click", (/** @type {{latlng: {lat: number, lng: number}}} */ event) => {
    lat.value = event.latlng.lat.toFixed(7);
    lon.value = event.latlng.lng.toFixed(7);
    later();
  });
  form.addEventListener("input", later);
  ask();
}
