// The week of one space, drawn above 600 px. The list of start times on the same page says the same in text.
//
//   <div class="cal cal--week only-d" data-week="id of a JSON block" data-href="/…?part=7" role="group" aria-label="…"></div>
//   {"date": "2026-11-23", "events": [{"start", "end", "kind": "free|taken|closed|mine|selected", "title"}],
//    "minTime": "07:00", "maxTime": "22:00", "locale": "fi", "step": 30}
//
// Times are wall-clock times of the space, without an offset, and are shown as they are.
import { createCalendar, destroyCalendar, Interaction, TimeGrid } from "@event-calendar/core";
import { calmRoles, element } from "./drawn.js";
import { loadStyle } from "./lazy.js";

const LOOKS = { free: "ev-free", taken: "ev-busy", closed: "ev-closed", mine: "ev-mine", selected: "ev-sel" };

/** The start that a press at `time` means: the step it falls in, inside a free span. */
function startAt(/** @type {string} */ time, /** @type {any[]} */ free, /** @type {number} */ step) {
  const span = free.find(({ start, end }) => start.slice(0, 16) <= time && time < end.slice(0, 16));
  if (!span) return null;
  const minutes = Number(time.slice(11, 13)) * 60 + Number(time.slice(14, 16));
  const floor = minutes - (minutes % step);
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  const snapped = `${time.slice(0, 11)}${two(Math.floor(floor / 60))}:${two(floor % 60)}`;
  return snapped < span.start.slice(0, 16) ? span.start.slice(0, 16) : snapped;
}

/** @param {HTMLElement} node */
export async function drawWeek(node) {
  const block = document.getElementById(node.dataset.week ?? "");
  if (!block) return;
  await loadStyle(CALENDAR_STYLE);
  const data = JSON.parse(block.textContent ?? "{}");
  const step = data.step ?? 30;
  const spans = data.events ?? [];
  const free = spans.filter((/** @type {any} */ span) => span.kind === "free");
  const weekday = new Intl.DateTimeFormat(data.locale, { weekday: "short" });
  const time = (/** @type {string} */ text) => text.replace("T", " ").slice(0, 16);

  const calendar = createCalendar(node, [TimeGrid, Interaction], {
    view: "timeGridWeek",
    date: data.date,
    firstDay: 1,
    locale: data.locale,
    allDaySlot: false,
    headerToolbar: { start: "", center: "", end: "" },
    slotMinTime: data.minTime ?? "07:00",
    slotMaxTime: data.maxTime ?? "22:00",
    slotHeight: 19,
    slotLabelInterval: "01:00",
    slotLabelFormat: (/** @type {Date} */ at) => String(at.getHours()),
    dayHeaderFormat: (/** @type {Date} */ day) => {
      const head = element("span", "", "cd");
      head.append(element("b", String(day.getDate())), ` ${weekday.format(day).replace(/\.$/, "")}`);
      return { domNodes: [head] };
    },
    eventContent: (/** @type {any} */ { event }) => ({
      domNodes: [element("span", event.title ?? "", "ec-t")],
    }),
    eventStartEditable: false,
    eventDurationEditable: false,
    pointer: false,
    dateClick: (/** @type {any} */ { dateStr }) => {
      const start = startAt(dateStr.slice(0, 16), free, step);
      if (!start || node.dataset.href == null) return;
      const url = new URL(node.dataset.href, location.href);
      url.searchParams.set("start", start);
      location.assign(url);
    },
    viewDidMount: () => calmRoles(node),
    eventAllUpdated: () => calmRoles(node),
    events: spans.map((/** @type {any} */ span) => ({
      start: time(span.start),
      end: time(span.end),
      title: span.title ?? "",
      display: span.kind === "free" ? "background" : "auto",
      classNames: [LOOKS[/** @type {keyof typeof LOOKS} */ (span.kind)] ?? "ev-busy"],
    })),
  });
  calmRoles(node);
  // htmx may take the calendar away with the page part that holds it.
  node.addEventListener("htmx:before:cleanup", () => destroyCalendar(calendar), { once: true });
}
