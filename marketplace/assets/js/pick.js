// Choosing a point on a map: a press puts the pin and writes the two fields, which say the same in text and stay the
// truth; a point typed there moves the pin.
//
//   <div data-map data-pick="lat-field lon-field" …></div>
import { divIcon, marker } from "leaflet/dist/leaflet-src.esm.js";

/**
 * @param {any} map @param {string} ids of the fields for latitude and longitude
 */
export function pickPoint(map, ids) {
  const [lat, lon] = ids.split(" ").map((id) => /** @type {HTMLInputElement | null} */ (document.getElementById(id)));
  if (!lat || !lon) return;
  /** @type {any} */
  let pin = null;
  const put = (/** @type {[number, number]} */ at) => {
    const face = document.createElement("div");
    face.className = "pin pin--dot pin--on";
    pin?.remove();
    pin = marker(at, {
      icon: divIcon({ className: "pin-w", html: face, iconSize: [0, 0] }),
      interactive: false,
      keyboard: false,
    }).addTo(map);
  };
  map.on("click", (/** @type {{latlng: {lat: number, lng: number}}} */ event) => {
    lat.value = event.latlng.lat.toFixed(6);
    lon.value = event.latlng.lng.toFixed(6);
    put([event.latlng.lat, event.latlng.lng]);
  });
  const typed = (/** @type {HTMLInputElement} */ field) => Number(field.value.trim().replace(",", ".") || Number.NaN);
  const follow = (/** @type {boolean} */ move) => {
    const at = /** @type {[number, number]} */ ([typed(lat), typed(lon)]);
    if (!at.every(Number.isFinite) || Math.abs(at[0]) > 90 || Math.abs(at[1]) > 180) return;
    put(at);
    if (move) map.setView(at, Math.max(map.getZoom(), 13), { animate: false });
  };
  for (const field of [lat, lon]) field.addEventListener("change", () => follow(true));
  follow(true);
}
