"""What the pages show of bookings, in the reader's words: texts, price lines, chips. No writes, no decisions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from babel.dates import format_date
from flask import url_for

from bookings.lifecycle.answers import field_of
from bookings.lifecycle.errors import QuotaUsedUp, TooManyOpen
from bookings.lifecycle.forms import AskingForm
from bookings.lifecycle.limits import Left
from bookings.lifecycle.models import Booking, BookingAnswer
from bookings.lifecycle.queries import ListedBooking, Step
from bookings.lifecycle.reasons import CANCEL_REASONS, DECLINE_REASONS, shown_reason
from bookings.lifecycle.rules import CHANGEABLE, LONGEST_HOLD, OPEN
from marketplace.cities.models import City
from marketplace.money import Money
from marketplace.timespan import Span
from marketplace.web import i18n
from marketplace.web.i18n import (
    N_,
    NBSP,
    format_clock,
    format_hours,
    format_money,
    format_number,
    format_span,
    localised,
    reader_language,
)
from marketplace.web.problems import field_message
from spaces.catalog.models import Space, Venue
from spaces.catalog.vocabulary import DRAWINGS, PURPOSES
from spaces.pricing.cancel_texts import CancelLine, cancel_line
from spaces.pricing.present import line_text, quote_lines
from spaces.pricing.rules import Quote


def gettext(text: str, **values: Any) -> str:
    """Flask-Babel's, with a type."""
    return str(i18n.gettext(text, **values))


STATES: Mapping[str, tuple[str, str]] = {
    "held": ("info", N_("Held for you")),
    "awaiting_payment": ("alert", N_("Waiting for payment")),
    "awaiting_approval": ("info", N_("Waiting for the owner")),
    "confirmed": ("success", N_("Confirmed")),
    "completed": ("neutral", N_("Over")),
    "declined": ("error", N_("Declined")),
    "cancelled": ("neutral", N_("Cancelled")),
    "expired": ("neutral", N_("Not answered in time")),
    "no_show": ("alert", N_("Nobody came")),
}

STEPS = {
    "booking.requested": N_("Booked"),
    "booking.asked": N_("Requested"),
    "booking.approved": N_("Approved by the owner"),
    "booking.declined": N_("Declined by the owner"),
    "booking.answer-undone": N_("The owner took the answer back"),
    "booking.cancelled": N_("Cancelled"),
    "booking.kept-returned": N_("Booked again by somebody else: the kept share came back"),
    "booking.moved": N_("Moved by the owner"),
    "booking.changed": N_("Changed"),
    "booking.change-asked": N_("Another time requested"),
    "booking.replaced": N_("Replaced by another time"),
    "booking.completed": N_("Over"),
    "booking.expired": N_("Not answered in time"),
    "booking.checked_in": N_("Somebody came"),
    "booking.check_in_undone": N_("Nobody has come after all"),
    "booking.no_show": N_("Nobody came"),
    "booking.no_show_undone": N_("Brought back: somebody came after all"),
    "booking.lapsed": N_("Not confirmed in time"),
    "booking.press-undone": N_("Taken back at once"),
    "booking.paid": N_("Paid"),
    "booking.authorised": N_("The money was set aside"),
    "booking.unpaid": N_("Not paid in time"),
    "booking.payment-lost": N_("The money could not be taken"),
    "booking.refunded": N_("The money was given back"),
    "booking.paid-late": N_("Paid too late"),
    "booking.entered": N_("Booked by the owner for the customer"),
    "booking.person-added": N_("A responsible person added"),
    "booking.person-removed": N_("A responsible person removed"),
}


@dataclass(frozen=True)
class Kept:
    """What the person has filled in, handed on to whatever they press next."""

    organisation: str = ""
    purpose: str = ""
    people: str = ""
    q: str = ""

    def as_args(self) -> dict[str, Any]:
        values = {
            "organisation": self.organisation,
            "purpose": self.purpose,
            "people": self.people,
            "q": self.q,
        }
        return {key: value for key, value in values.items() if value}


def status(state: str) -> tuple[str, str]:
    """(kind of label, text)."""
    kind, text = STATES[state]
    return kind, gettext(text)


def local(span: Span, city: City) -> tuple[datetime, datetime]:
    return span.start.astimezone(city.zone), span.end.astimezone(city.zone)


def time_text(span: Span, city: City, *, year: bool = False) -> str:
    """The whole time; on a narrow page it may break between the day and the hours, never within them."""
    text = format_span(*local(span, city), year=year)
    for at in ("klo", "kl."):
        text = text.replace(f"{NBSP}{at}", f" {at}")
    return text.replace(f",{NBSP}", ", ")


def instant_text(at: datetime, city: City) -> str:
    """ma 10.5. klo 18.00."""
    here = at.astimezone(city.zone)
    return gettext("%(day)s at %(clock)s", day=day_text(here.date()), clock=format_clock(here))


def day_text(day: date) -> str:
    language = reader_language()
    weekday = format_date(day, "ccc", locale=language).rstrip(".")
    if language == "en":
        return f"{weekday}\u00a0{day.day}\u00a0{format_date(day, 'MMM', locale='en')}"
    return f"{weekday}\u00a0{day.day}.{day.month}" + ("." if language == "fi" else "")


def place_text(space: Space, venue: Venue) -> str:
    """The venue's name, and the space's where it says more."""
    place, room = localised(venue.names), localised(space.names)
    return place if room in ("", place) else f"{place}, {room}"


def street_text(venue: Venue) -> str:
    town = " ".join(part for part in (venue.postcode, venue.locality) if part)
    return ", ".join(part for part in (localised(venue.streets), town) if part)


def drawing(space: Space) -> str:
    return f"art/{DRAWINGS.get(space.kind, 'meeting')}.svg"


def quote_rows(quote: Quote) -> list[tuple[str, ...]]:
    """The rows of `ui.price_lines` for a price that is still to be agreed."""
    rows: list[tuple[str, ...]] = [*quote_lines(quote)]
    # By the city's tariff the tax is a line among the others.
    if quote.total and not any(line.code == "tariff_vat" for line in quote.lines):
        rate = quote.vat_basis_points
        text = (
            gettext("VAT %(rate)s %%", rate=format_number(rate / 100))
            if rate is not None
            else gettext("of which VAT")
        )
        rows.append((gettext("Price without tax"), format_money(quote.total - quote.vat), "quiet"))
        rows.append((text, format_money(quote.vat), "quiet"))
    return rows


def seen_totals(minor: Mapping[str, int]) -> str:
    """The prices in minor units that the person sees, for the form: one number, or each choice's own."""
    totals = {value: str(cost) for value, cost in minor.items()}
    if len(set(totals.values())) == 1:
        return totals["myself"]
    return " ".join(f"{value}:{total}" for value, total in totals.items())


def booking_rows(booking: Booking) -> list[tuple[str, ...]]:
    """The same for a booking, from the lines it was sold at."""
    rows: list[tuple[str, ...]] = [
        (
            line_text(
                line["code"],
                Decimal(line["quantity"]),
                Money(line["unit_minor"], booking.currency),
                line.get("note", ""),
                line.get("about"),
            ),
            format_money(Money(line["total_minor"], booking.currency)),
        )
        for line in booking.lines
    ]
    if booking.total_minor and not any(line["code"] == "tariff_vat" for line in booking.lines):
        rows.append(
            (gettext("of which VAT"), format_money(Money(booking.vat_minor, booking.currency)), "quiet")
        )
    return rows


WAYS = {
    "card": (N_("By card"), N_("You pay now, and the time is yours.")),
    "invoice": (N_("By invoice"), N_("To the association or company that you book for.")),
    "on_the_spot": (N_("At the place"), N_("You pay nothing now: payment is agreed with the owner.")),
}


def way_rows(ways: Sequence[str], chosen: str | None) -> list[tuple[str, str, str, bool]]:
    """(value, name, description, is chosen) of each way of paying that can be chosen."""
    return [(way, gettext(WAYS[way][0]), gettext(WAYS[way][1]), way == chosen) for way in ways]


def way_text(ways: Sequence[str], chosen: str | None, *, by_request: bool) -> str:
    """What the way of paying means, said before the button."""
    if chosen == "card" and by_request:
        return gettext("You pay by card next. The money is only set aside until the owner has answered.")
    if chosen == "card":
        return gettext("You pay by card next. The time is held for you meanwhile.")
    if chosen == "invoice":
        return gettext("The association or company gets an invoice.")
    return gettext("You pay nothing now: payment is agreed with the owner.")


def button_text(total: Money, *, by_request: bool, is_least: bool = False, is_paid_now: bool = False) -> str:
    """The result with the sum, where it is known."""
    if is_paid_now and total and not is_least:
        return gettext("Go on and pay %(price)s", price=format_money(total))
    if is_least:
        return gettext("Send a request") if by_request else gettext("Book")
    price = format_money(total)
    if by_request:
        return gettext("Send a request, %(price)s", price=price) if total else gettext("Send a request")
    return gettext("Book %(price)s", price=price) if total else gettext("Book free of charge")


def cancel_text(total: Money, until: str | None, kept_percent: int) -> str:
    """What cancelling costs: nothing until then, afterwards the share of the price that is kept."""
    if not total or not kept_percent:
        return gettext("You can cancel until the booking begins.")
    share = format_number(kept_percent)
    if until is None:
        if kept_percent == 100:
            return gettext("The time for free cancellation has passed: the price is kept even if you cancel.")
        return gettext(
            "The time for free cancellation has passed: %(share)s %% of the price is kept if you cancel.",
            share=share,
        )
    if kept_percent == 100:
        return gettext(
            "You can cancel free of charge until %(time)s. After that the price is kept.", time=until
        )
    return gettext(
        "You can cancel free of charge until %(time)s. After that %(share)s %% of the price is kept.",
        time=until,
        share=share,
    )


def cancel_line_of(booking: Booking, city: City, *, at: datetime) -> CancelLine | None:
    """The line of a booking that goes in steps; None where the sentence of `cancel_text` says it all."""
    if not booking.is_in_steps:
        return None
    return cancel_line(
        booking.cancellation_steps,
        total=Money(booking.total_minor, booking.currency),
        fee_minor=booking.cancel_fee_minor,
        refund_if_rebooked=booking.refund_if_rebooked,
        zone=city.zone,
        at=at,
    )


def choice_note(
    space: Space, standing: tuple[TooManyOpen | QuotaUsedUp | None, Sequence[Left]], *, at_once: bool
) -> str:
    """What a choice of whom to book for would mean: whether somebody must confirm, and how much is left."""
    refusal, lefts = standing
    notes = []
    if space.approval == "trusted":
        notes.append(gettext("Confirmed at once.") if at_once else gettext("The owner confirms the booking."))
    if refusal is not None:
        notes.append(field_message(refusal.fields[0]))
    else:
        notes += [left_text(left) for left in lefts]
    return " ".join(notes)


# The order of the checkout's own fields on the page; those of questions stand before the terms.
LAST_FIELDS = ("birth_date", "question", "terms")


def checkout_errors(form: AskingForm) -> list[tuple[str, str]]:
    """(id, text) for the summary in the order of the page; an error of a question names it."""
    questions = {field_of(question): question for question in form.asked.questions}
    found: list[tuple[int, str, str]] = []
    for id_, text in form.all_errors():
        question = questions.get(id_)
        place = (
            LAST_FIELDS.index("question" if question else id_) + 1 if question or id_ in LAST_FIELDS else 0
        )
        if question:
            label = localised(question.labels)
            text = f"{label} {text}" if label.endswith("?") else f"{label}: {text}"  # noqa: PLW2901 - the same, named
            id_ = f"{id_}-0" if question.kind == "choice" else id_  # noqa: PLW2901 - the first of the choices
        found.append((place, id_, text))
    return [(id_, text) for _, id_, text in sorted(found, key=lambda one: one[0])]


def left_text(left: Left) -> str:
    """4 h left of 6 h in week 12."""
    refusal = QuotaUsedUp(
        kind=left.period.kind,
        first=left.period.first,
        left_minutes=left.left_minutes,
        quota_minutes=left.quota_minutes,
    )
    return field_message(refusal.fields[0])


def answer_views(booking: Booking, answers: Sequence[BookingAnswer]) -> list[tuple[str, str, str | None]]:
    """(question, answer, address of the file) as those who may read them see them."""
    return [
        (
            localised(answer.labels),
            answer.file_name or localised(answer.choice) or answer.words,
            url_for("lifecycle.answer_file", reference=booking.reference, position=answer.position)
            if answer.file_key
            else None,
        )
        for answer in answers
    ]


def purposes_of(space: Space) -> list[str]:
    """Suggestions for what a person arranges here."""
    return [gettext(PURPOSES[code]) for code in space.purposes if code in PURPOSES]


def time_args(span: Span, city: City, *, whole_days: bool) -> dict[str, Any]:
    """The time as the arguments of an address."""
    start, end = local(span, city)
    if whole_days:
        return {"start": start.isoformat(), "end": end.isoformat()}
    return {"start": start.isoformat(), "minutes": str(span.minutes)}


def space_url(space_id: int, span: Span | None, city: City, **more: str) -> str:
    """The space's page, on the week of this time."""
    args: dict[str, Any] = dict(more)
    if span is not None:
        start = span.start.astimezone(city.zone)
        args |= {"day": start.date().isoformat(), "start": start.isoformat(), "minutes": str(span.minutes)}
    return url_for("catalog.space", space_id=space_id, **args)


@dataclass(frozen=True)
class Row:
    """A booking in a list."""

    number: int
    weekday: str
    title: str
    when: str
    whole_time: str
    whose: str
    url: str
    kind: str
    label: str


def row(
    item: ListedBooking, city: City, *, today: date, shows_person: bool = False, handles: bool = False
) -> Row:
    start, _ = local(item.booking.span, city)
    language = reader_language()
    weekday = format_date(start.date(), "ccc", locale=language).rstrip(".")
    month = format_date(start.date(), "LLL", locale=language).rstrip(".")
    kind, label = booking_status(item.booking, handles=handles)
    whose = item.organisation_name or (item.person_name if shows_person else gettext("for myself"))
    return Row(
        start.day,
        f"{weekday}, {month}" + (f" {start.year}" if start.year != today.year else ""),
        place_text(item.space, item.venue),
        when_text(item.booking.span, city, today=today),
        time_text(item.booking.span, city),
        whose,
        url_for("lifecycle.booking", reference=item.booking.reference),
        kind,
        label,
    )


def when_text(span: Span, city: City, *, today: date) -> str:
    """ "tomorrow, 18.00–19.30"; the day itself stands beside it in the list."""
    start, end = local(span, city)
    if end.date() != start.date() and not ((end.date() - start.date()).days == 1 and end.hour < 6):
        return format_span(start, end)
    hours = format_hours(start, end)
    away = (start.date() - today).days
    if away == 0:
        return gettext("today, %(hours)s", hours=hours)
    if away == 1:
        return gettext("tomorrow, %(hours)s", hours=hours)
    return gettext("%(hours)s", hours=hours)


def step_rows(steps: Sequence[Step], city: City, booking: Booking) -> list[tuple[str, str]]:
    """(when, what) of the booking's history."""
    rows = []
    for step in steps:
        action = step.action
        if action == "booking.requested" and step.details.get("state") == "awaiting_approval":
            action = "booking.asked"
        if action in STEPS:
            rows.append((instant_text(step.at, city), gettext(STEPS[action])))
    return rows


def detail_of(steps: Sequence[Step], action: str, name: str) -> Any:
    """One fact of the history, such as the reason of a refusal."""
    return next((step.details.get(name) for step in reversed(steps) if step.action == action), None)


def reason_text(booking: Booking, steps: Sequence[Step]) -> str:
    """Why the request was declined or the booking cancelled, where somebody said it."""
    if booking.state == "declined":
        written = detail_of(steps, "booking.declined", "reason")
        return shown_reason(DECLINE_REASONS, booking.reason_code, written)
    if booking.state == "cancelled":
        reasons = detail_of(steps, "booking.cancelled", "reasons")
        written = localised(reasons) if reasons else detail_of(steps, "booking.cancelled", "reason")
        return shown_reason(CANCEL_REASONS, booking.reason_code, written)
    return ""


def booking_status(booking: Booking, *, handles: bool = False) -> tuple[str, str]:
    """As `status`, with whom a request waits for."""
    if booking.state == "expired" and booking.pay_until is not None:
        return "neutral", gettext("Not paid in time")
    if booking.state == "awaiting_approval" and booking.asked_at is not None:
        if handles:
            return "neutral", gettext("Waiting for the booker")
        return "alert", gettext("The owner asks for more")
    return status(booking.state)


def is_open(booking: Booking, at: datetime) -> bool:
    return booking.state in OPEN and booking.span.start > at


def is_changeable(booking: Booking, at: datetime) -> bool:
    return booking.state in CHANGEABLE and booking.span.start > at and booking.replaces_id is None


def hold_shown(held: Booking | None, city: City, *, at: datetime) -> dict[str, object] | None:
    """What the line says of a hold; None where there is none, or where it has become a booking."""
    if held is None or held.held_until is None or held.held_until <= at:
        return None
    left = held.held_until - at
    return {
        "reference": held.reference,
        "until": format_clock(held.held_until.astimezone(city.zone)),
        "seconds": int(left.total_seconds()),
        "minutes": -(-int(left.total_seconds()) // 60),
        "percent": min(100, round(100 * left / (held.held_until - held.created_at))),
        "extensible": held.held_until < held.created_at + LONGEST_HOLD,
        "url": url_for("lifecycle.extend", reference=held.reference),
    }
