// The owner's desk: the day or week of many spaces, drawn above 600 px. The table on the same page says the same, and
// every drag has a form behind it.
//
//   <div class="cal tl only-d" data-timeline="id of a JSON block" role="group" aria-label="…"></div>
//   {"view": "day|week", "date": "2026-12-01", "locale": "fi", "first": 7, "last": 22,
//    "resources": [{"id", "title", "sub", "close"}],
//    "events": [{"id", "resource", "start", "end", "kind": "booking|waiting|part|closure|taken|shut", "title", "url", "move"}]}
//   <form data-drop data-text="Move {what} to {time}?" hidden>   asks before a drag is posted to the event's `move`
//   <form data-shut data-text="Close {what}, {time}?" hidden>    the same for free time and the resource's `close`
//
// Times are wall-clock times of the city, without an offset, and are shown as they are.
import { calmRoles, element } from "./drawn.js";
import { loadStyle } from "./lazy.js";

const SIDEBAR = 208; // px, as in desk.css

/** @param {HTMLElement} node @returns {any} */
function dataOf(node) {
  return JSON.parse(document.getElementById(node.dataset.timeline ?? "")?.textContent ?? "{}");
}

/** @param {any} event as in the data block */
function drawn(event) {
  return {
    id: event.id ?? `${event.resource}-${event.start}`,
    resourceIds: [event.resource],
    start: event.start.replace("T", " "),
    end: event.end.replace("T", " "),
    title: event.title,
    display: event.kind === "shut" ? "background" : "auto",
    classNames: [`o-${event.kind}`],
    startEditable: Boolean(event.move),
    durationEditable: false,
    extendedProps: { url: event.url, move: event.move, waits: event.kind === "waiting" },
  };
}

const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
const dayOf = (/** @type {Date} */ at) => `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
const clockOf = (/** @type {Date} */ at) => `${at.getHours()}.${two(at.getMinutes())}`;

/** @param {Date} start @param {Date} end @param {string} locale */
function spoken(start, end, locale) {
  const day = new Intl.DateTimeFormat(locale, { weekday: "short", day: "numeric", month: "numeric" });
  const until = dayOf(start) === dayOf(end) ? "" : `${day.format(end)} `;
  return `${day.format(start)} ${clockOf(start)}–${until}${clockOf(end)}`;
}

/**
 * Asks in place whether a drag is meant; the form then posts it to the endpoint that has a page of its own.
 * @param {string} selector the form
 * @param {string} action
 * @param {Record<string, string>} words for its sentence
 * @param {Record<string, string>} fields
 * @param {() => void} undo
 */
function ask(selector, action, words, fields, undo) {
  const form = /** @type {HTMLFormElement | null} */ (document.querySelector(selector));
  if (!form) return undo();
  for (const open of document.querySelectorAll("form.drop:not([hidden]) [data-keep]"))
    /** @type {HTMLElement} */ (open).click();
  form.action = action;
  for (const [name, value] of Object.entries(fields))
    /** @type {HTMLInputElement} */ (form.elements.namedItem(name)).value = value;
  let text = form.dataset.text ?? "";
  for (const [name, word] of Object.entries(words)) text = text.replace(`{${name}}`, word);
  form.querySelector("p")?.replaceChildren(text);
  form.hidden = false;
  /** @type {HTMLElement | null} */ (form.querySelector("input:not([type=hidden]), button"))?.focus();
  /** @type {HTMLButtonElement} */ (form.querySelector("[data-keep]")).onclick = () => {
    form.hidden = true;
    undo();
  };
}

/** @param {any} info @param {string} locale */
function askAboutDrop(info, locale) {
  const { start, end, title, extendedProps } = info.event;
  const words = { what: title, time: spoken(start, end, locale) };
  const fields = { on: dayOf(start), clock: clockOf(start) };
  ask("form[data-drop]", extendedProps.move, words, fields, info.revert);
}

/** @param {any} info @param {string} locale @param {() => void} undo */
function askAboutClosing({ start, end, resource }, locale, undo) {
  const { close } = resource?.extendedProps ?? {};
  if (!close) return undo();
  const words = { what: resource.title, time: spoken(start, end, locale) };
  const fields = {
    first_day: dayOf(start),
    opens: clockOf(start),
    last_day: dayOf(end),
    closes: clockOf(end),
  };
  ask("form[data-shut]", close, words, fields, undo);
}

/** @param {HTMLElement} node */
export async function drawTimeline(node) {
  const [{ createCalendar, destroyCalendar, Interaction, ResourceTimeline }] = await Promise.all([
    import("@event-calendar/core"),
    loadStyle(CALENDAR_STYLE),
  ]);
  const data = dataOf(node);
  const isDay = data.view === "day";
  const step = isDay ? 30 : 180; // minutes of one slot
  const slots = Math.ceil(((data.last - data.first) * 60) / step);
  const weekday = new Intl.DateTimeFormat(data.locale, { weekday: "short", day: "numeric", month: "numeric" });
  const calendar = createCalendar(node, [ResourceTimeline, Interaction], {
    view: isDay ? "resourceTimelineDay" : "resourceTimelineWeek",
    date: data.date,
    firstDay: 1,
    locale: data.locale,
    headerToolbar: { start: "", center: "", end: "" },
    slotMinTime: `${two(data.first)}:00`,
    slotMaxTime: `${two(data.last)}:00`,
    slotDuration: { minutes: step },
    snapDuration: "00:15",
    slotWidth: isDay ? Math.max(22, Math.floor((node.clientWidth - SIDEBAR - 2) / slots)) : 36,
    slotLabelInterval: isDay ? "01:00" : "03:00",
    slotLabelFormat: (/** @type {Date} */ at) => String(at.getHours()),
    dayHeaderFormat: (/** @type {Date} */ day) => (isDay ? "" : weekday.format(day)),
    resourceLabelContent: (/** @type {any} */ { resource }) => {
      const label = element("span", "", "rl");
      label.append(element("b", resource.title), element("span", resource.extendedProps.sub ?? ""));
      return { domNodes: [label] };
    },
    eventContent: (/** @type {any} */ { event }) => {
      const { url, waits } = event.extendedProps;
      const text = element(url ? "a" : "span", `${waits ? "? " : ""}${event.title}`, "ec-t");
      text.title = event.title;
      if (url) /** @type {HTMLAnchorElement} */ (text).href = url;
      // The browser's own dragging of links would take the booking's place.
      text.draggable = false;
      return { domNodes: [text] };
    },
    // A booking stays in its space.
    dragConstraint: (/** @type {any} */ { newResource }) => !newResource,
    eventDrop: (/** @type {any} */ info) => askAboutDrop(info, data.locale),
    selectable: data.resources.some((/** @type {any} */ { close }) => close),
    selectMinDistance: 8,
    unselectAuto: false,
    select: (/** @type {any} */ info) => askAboutClosing(info, data.locale, () => calendar.unselect()),
    pointer: false,
    viewDidMount: () => calmRoles(node),
    eventAllUpdated: () => calmRoles(node),
    resources: data.resources.map((/** @type {any} */ { id, title, sub, close }) => ({
      id,
      title,
      extendedProps: { sub, close },
    })),
    events: data.events.map(drawn),
  });
  calmRoles(node);
  node.dataset.drawn = "";
  // An answer in the queue brings a new data block.
  document.addEventListener("desk:renewed", () =>
    calendar.setOption("events", dataOf(node).events.map(drawn)),
  );
  node.addEventListener("htmx:before:cleanup", () => destroyCalendar(calendar), { once: true });
}

/** Takes the offers to undo away when their time is over; the server decides, this only tells. @param {HTMLElement} queue */
function endUndo(queue) {
  for (const form of queue.querySelectorAll("form[data-undo]")) {
    const offer = /** @type {HTMLFormElement} */ (form);
    setTimeout(() => {
      if (!offer.isConnected || "sent" in offer.dataset) return;
      const row = /** @type {HTMLElement | null} */ (offer.closest(".q, #result"));
      const had = offer.contains(document.activeElement);
      offer.remove();
      if (had) /** @type {HTMLElement | null} */ (row?.querySelector(".q__r") ?? row)?.focus();
    }, Number(offer.dataset.undo) * 1000);
  }
}

/** Answers in the queue are sent in place: the queue, and on the timeline its data and the table, come back. @param {HTMLElement} queue */
export function watchQueue(queue) {
  endUndo(queue);
  queue.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || !form.matches("[data-answer]")) return;
    event.preventDefault();
    if ("sent" in form.dataset) return;
    form.dataset.sent = "";
    event.submitter?.setAttribute("aria-busy", "true");
    // One form may have a button that says yes and one that says no, each with its own address.
    const own = event.submitter?.getAttribute("formaction");
    if (own) form.action = own;
    try {
      const answer = await fetch(form.action, { method: "POST", body: new FormData(form) });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById("queue");
      // Signed out, or an error page: the plain way shows it as the page it is.
      if (!fresh) throw new Error(String(answer.status));
      for (const id of ["queue", "timeline-block", "twin", "desk-lead"]) {
        const [old, now] = [document.getElementById(id), page.getElementById(id)];
        if (old && now) old.replaceChildren(...now.childNodes);
      }
      for (const place of [".deskbar", ".me"]) {
        const [old, now] = [document.querySelector(place), page.querySelector(place)];
        if (old && now) old.replaceChildren(...now.childNodes);
      }
      if (answer.redirected) history.replaceState(history.state, "", answer.url.replace(/#.*$/, ""));
      document.dispatchEvent(new Event("desk:renewed"));
      endUndo(queue);
      const said = queue.querySelector("[data-just], [aria-invalid=true]");
      if (said instanceof HTMLElement) said.focus();
    } catch {
      form.submit();
    }
  });
}

/** @param {HTMLElement} button */
export function offerPrint(button) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
