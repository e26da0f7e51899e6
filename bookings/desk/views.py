"""The owner's timeline with the queue of requests beside it, another time for a booking, and the week for the door."""

from dataclasses import replace
from datetime import date, timedelta

from flask import flash, render_template, request, url_for
from flask import redirect as go
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from bookings.desk import present
from bookings.desk.answer_actions import approve_request, decline_request, undo_request_answer
from bookings.desk.forms import MoveForm, Place
from bookings.desk.queries import (
    MOST_VENUES,
    days_of,
    desk_spaces,
    desk_venues,
    moved_span,
    queue_of,
    undoable,
    waiting_count,
)
from bookings.lifecycle import actions, pages, policy
from bookings.lifecycle.errors import (
    IllegalTransition,
    NotMovable,
    NotOpen,
    NotYourAnswer,
    TimeNotBookable,
    UndoOver,
)
from bookings.lifecycle.forms import DeclineForm, read_day
from bookings.lifecycle.pages import gettext
from bookings.lifecycle.queries import BookedSpace, answers_of, booking_for, normal_reference
from bookings.lifecycle.reasons import DECLINE_REASONS, choices_of
from bookings.series.errors import NothingWaits
from bookings.series.queries import series_heads
from marketplace.clock import now
from marketplace.db import transaction
from marketplace.errors import Invalid
from marketplace.money import Money
from marketplace.timespan import Span
from marketplace.web.access import signed_in
from marketplace.web.i18n import format_clock, format_day, localised, reader_language
from marketplace.web.problems import status_of
from marketplace.web.request import current_actor, current_city, page_blueprint
from spaces.calendar.errors import PiecesTaken, SlotTaken
from spaces.calendar.queries import calendar_of
from spaces.calendar.rules import DAY, midnight
from spaces.catalog.errors import NotYourVenue, SpaceNotFound
from spaces.catalog.policy import HANDLE, may_view, require_may_handle
from spaces.catalog.present import capital, opening_text
from spaces.catalog.queries import space_for
from spaces.equipment.queries import extra_names
from spaces.pricing.errors import CodeUsedUp

blueprint = page_blueprint("timeline", __name__)

Page = str | tuple[str, int] | Response
LARGEST_ID = 2**63 - 1
# A week has seven times as much to draw.
PAGE_SIZES = {"day": 200, "week": 50}
QUEUE_SHOWN = 30


def here() -> Place:
    city = current_city()
    today = now().astimezone(city.zone).date()
    return Place.read(request.args, request.args.getlist("answered"), today=today)


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())


def shown_days(place: Place) -> list[date]:
    if place.view == "day":
        return [place.day]
    return [monday_of(place.day) + timedelta(days=n) for n in range(7)]


@blueprint.get("/desk/timeline")
@signed_in
def day() -> Page:
    """Who has which of the own spaces, and what waits for an answer."""
    undone = normal_reference(request.args.get("undone", "")[:20]) or ""
    return desk_page(
        here(), refused=undone, said=gettext("Undone. The request waits again.") if undone else ""
    )


def desk_page(
    place: Place, *, form: DeclineForm | None = None, refused: str = "", said: str = "", status: int = 200
) -> Page:
    """`form` is a refused answer to the request `refused`, `said` what else there is to say about that request."""
    city, actor, at = current_city(), current_actor(), now()
    if not policy.works_somewhere(actor):
        raise NotYourVenue
    shown = shown_days(place)
    window = Span(midnight(shown[0], city.zone), midnight(shown[-1] + DAY, city.zone))
    size = PAGE_SIZES[place.view]
    language = reader_language()
    with transaction() as session:
        spaces, total = desk_spaces(
            session,
            actor,
            venue_id=place.venue_id,
            language=language,
            limit=size,
            offset=(place.page - 1) * size,
        )
        found = days_of(session, city, spaces, window)
        venues = desk_venues(session, actor, language=language)
        requests = queue_of(session, actor, at=at, answered=place.answered, limit=QUEUE_SHOWN)
        series_ids = {
            id_ for one in requests if (id_ := one.listed.booking.series_id) and one.stands_for_series
        }
        heads = series_heads(session, city.id, series_ids, at=at)
        waiting = waiting_count(session, actor)
        undo = undoable(session, actor, requests, at=at)
        answers = answers_of(session, city.id, [one.listed.booking.id for one in requests])
    if len(venues) > MOST_VENUES:
        # Too many to choose from: those of this page, and the one that is chosen.
        venues = list({venue.id: (venue.id, venue.names) for _, venue in spaces}.values())
    teller = present.Teller(city, actor, at, present.Addresses.on(place, shown[0]))
    told = [teller.entries(days) for days in found]
    rows = present.rows_of(found, told, shown, teller)
    first = (place.page - 1) * size
    today = at.astimezone(city.zone).date()
    html = render_template(
        "bookings/desk/timeline.html",
        place=place,
        rows=rows,
        shown=[(format_day(day), day == today) for day in shown],
        drawing=present.drawing_of(found, told, rows, shown, city),
        heading=present.day_heading(shown[0]) if place.view == "day" else present.week_heading(shown[0]),
        lead=present.lead_text(found, shown, city, total=total),
        waiting=waiting,
        queue=present.queue_rows(requests, city, at=at, heads=heads, undoable=undo, answers=answers),
        handles=policy.works_somewhere(actor, HANDLE),
        form=form,
        refused=refused,
        told=said,
        decline_reasons=choices_of(DECLINE_REASONS),
        venues=[("", gettext("All places")), *((str(key), localised(names)) for key, names in venues)],
        links=links_of(place, today),
        next_url=url_for("timeline.day", **place.args(page=place.page + 1)) if first + size < total else None,
        previous_url=url_for("timeline.day", **place.args(page=place.page - 1)) if place.page > 1 else None,
        range=(first + 1, first + len(rows), total),
    )
    return html, status


def links_of(place: Place, today: date) -> dict[str, str | None]:
    """The addresses round this page; None where there is nothing further."""
    step = DAY if place.view == "day" else 7 * DAY

    def to(**args: object) -> str:
        return url_for("timeline.day", **place.args(answered=None, **args))

    def day_url(day: date) -> str | None:
        readable = read_day(day.isoformat(), today=today)
        return to(day=readable.isoformat(), page=None) if readable else None

    return {
        "earlier": day_url(place.day - step),
        "today": to(day=today.isoformat()),
        "later": day_url(place.day + step),
        "day": to(view=None, page=None),
        "week": to(view="week", page=None),
        "listings": url_for("desk.listings"),
    }


def back_to_queue(place: Place, reference: str) -> Response:
    """To the desk as it was, with the answered request still in its place."""
    answered = [*(known for known in place.answered if known != reference), reference]
    url = url_for("timeline.day", **place.args(answered=answered), _anchor=f"q-{reference}")
    return go(url, 303)


@blueprint.post("/desk/requests/<reference>/approval")
@signed_in
def approve(reference: str) -> Page:
    """Yes, from the queue."""
    city, actor, place = current_city(), current_actor(), here()
    with transaction() as session:
        booked = booking_for(session, actor, reference)
        require_may_handle(actor, booked.venue)
        reference = booked.booking.reference
    try:
        with transaction() as session:
            booked = booking_for(session, actor, reference)
            approve_request(session, city, booked, actor=actor, at=now())
    except (IllegalTransition, NothingWaits):
        # Somebody was quicker; the row says what has become of it.
        pass
    return back_to_queue(place, reference)


@blueprint.post("/desk/requests/<reference>/refusal")
@signed_in
def decline(reference: str) -> Page:
    """No, from the queue, and why."""
    city, actor, place = current_city(), current_actor(), here()
    form = DeclineForm()
    with transaction() as session:
        booked = booking_for(session, actor, reference)
        require_may_handle(actor, booked.venue)
        reference = booked.booking.reference
    if not form.validate_on_submit():
        return desk_page(place, form=form, refused=reference, status=422)
    try:
        with transaction() as session:
            booked = booking_for(session, actor, reference)
            decline_request(
                session,
                city,
                booked,
                actor=actor,
                reason=form.reason.data or "",
                reason_code=form.code,
                at=now(),
            )
    except (IllegalTransition, NothingWaits):
        pass
    return back_to_queue(place, reference)


@blueprint.post("/desk/requests/<reference>/answer-undo")
@signed_in
def undo(reference: str) -> Page:
    """The answer was a slip: the request waits again, as if nothing had been said."""
    city, actor, place = current_city(), current_actor(), here()
    with transaction() as session:
        booked = booking_for(session, actor, reference)
        require_may_handle(actor, booked.venue)
        reference = booked.booking.reference
    try:
        with transaction() as session:
            booked = booking_for(session, actor, reference)
            undo_request_answer(session, city, booked, actor=actor, at=now())
    except (UndoOver, NotYourAnswer, SlotTaken, PiecesTaken, CodeUsedUp) as refusal:
        kept = replace(place, answered=(*(one for one in place.answered if one != reference), reference))
        return desk_page(
            kept, refused=reference, said=gettext(refusal.title), status=status_of(type(refusal))
        )
    rest = [known for known in place.answered if known != reference]
    url = url_for(
        "timeline.day", **place.args(answered=rest or None, undone=reference), _anchor=f"q-{reference}"
    )
    return go(url, 303)


@blueprint.route("/desk/bookings/<reference>/time", methods=["GET", "POST"])
@signed_in
def move(reference: str) -> Page:
    """Another time for a booking. A drag on the timeline posts here; the form is for everyone else."""
    city, actor, place, at = current_city(), current_actor(), here(), now()
    today = at.astimezone(city.zone).date()
    form = MoveForm()
    with transaction() as session:
        booked = booking_for(session, actor, reference)
        require_may_handle(actor, booked.venue)
    start = booked.booking.span.start.astimezone(city.zone)
    if request.method == "GET":
        form.on.data, form.clock.data = start.date().isoformat(), format_clock(start)
        return move_page(reference, form, place)
    if (
        not form.read(today=today, whole_days=booked.space.whole_days)
        or form.day is None
        or form.begins is None
    ):
        return move_page(reference, form, place, status=422)
    try:
        with transaction() as session:
            booked = booking_for(session, actor, reference)
            during = moved_span(
                session, city, booked.space, booked.booking.span, day=form.day, clock=form.begins
            )
            if during is None:
                raise NotOpen
            actions.move_booking(
                session,
                city,
                booked.booking,
                booked.space,
                booked.venue,
                actor=actor,
                during=during,
                at=at,
                note=form.note.data or "",
            )
    except SlotTaken as refusal:
        return move_page(reference, form, place, refused=refusal.title, status=status_of(type(refusal)))
    except PiecesTaken as few:
        return move_page(reference, form, place, few=few, status=status_of(PiecesTaken))
    except TimeNotBookable as invalid:
        return move_page(reference, form, place, refused=invalid.title, status=status_of(Invalid))
    except NotMovable as refusal:
        flash(gettext(refusal.title), "error")
        return go(url_for("lifecycle.booking", reference=reference), 303)
    flash(
        gettext(
            "Moved to %(time)s. A mail is on its way to %(name)s.",
            time=pages.time_text(during, city),
            name=booked.person.name,
        ),
        "success",
    )
    return go(url_for("timeline.day", **place.args(day=form.day.isoformat())), 303)


def move_page(
    reference: str,
    form: MoveForm,
    place: Place,
    *,
    refused: str = "",
    few: PiecesTaken | None = None,
    status: int = 200,
) -> Page:
    """The form, what is free on the day it names, and why the new time could not be had."""
    city, at = current_city(), now()
    with transaction() as session:
        booked = booking_for(session, current_actor(), reference)
        span = booked.booking.span
        today = at.astimezone(city.zone).date()
        day = read_day(form.on.data or "", today=today) or span.start.astimezone(city.zone).date()
        free = free_text(session, booked, day)
        told = gettext(refused) if refused else few_text(session, few) if few else ""
    booking = booked.booking
    html = render_template(
        "bookings/desk/move.html",
        booking=booking,
        room=pages.place_text(booked.space, booked.venue),
        drawing=pages.drawing(booked.space),
        when=pages.time_text(span, city, year=True),
        whom=booked.organisation.name if booked.organisation else booked.person.name,
        person=booked.person,
        total=Money(booking.total_minor, booking.currency),
        minutes=span.minutes,
        whole_days=booked.space.whole_days,
        form=form,
        errors=form.all_errors(),
        refused=told,
        free=free,
        back_url=url_for("timeline.day", **place.args()),
    )
    return html, status


def few_text(session: Session, few: PiecesTaken) -> str:
    """Which of the booking's equipment is not free enough at the new time."""
    return gettext(
        "The booking has %(wanted)d of this equipment, and %(left)d are free at the new time: %(name)s.",
        wanted=few.wanted,
        left=few.left,
        name=localised(dict(extra_names(session, current_actor().city_id, few.unit_id))),
    )


def free_text(session: Session, booked: BookedSpace, day: date) -> str:
    """Tue 1 Dec: free 7–9 and 18–22; the booking's own time counts as taken."""
    return free_text_of(session, booked.space.id, day)


def free_text_of(session: Session, space_id: int, day: date) -> str:
    city = current_city()
    window = Span(midnight(day, city.zone), midnight(day + DAY, city.zone))
    calendar = calendar_of(session, city.id, space_id, window, city.zone)
    text = opening_text(day, calendar.open, calendar.free, city)
    return f"{capital(format_day(day))}: {text}"


@blueprint.get("/desk/spaces/<int:space_id>/week.html")
@signed_in
def door(space_id: int) -> Page:
    """One page of paper for the door: times, and no person's name."""
    city, actor, at = current_city(), current_actor(), now()
    today = at.astimezone(city.zone).date()
    first = monday_of(read_day(request.args.get("day", ""), today=today) or today)
    shown = [first + timedelta(days=n) for n in range(7)]
    window = Span(midnight(shown[0], city.zone), midnight(shown[-1] + DAY, city.zone))
    with transaction() as session:
        space, venue = space_for(session, space_id, actor=actor)
        if not may_view(actor, venue):
            # That a space is on offer is no secret; its desk is.
            raise SpaceNotFound
        (found,) = days_of(session, city, [(space, venue)], window)
    return render_template(
        "bookings/desk/door.html",
        place=localised(venue.names),
        room=localised(space.names),
        street=pages.street_text(venue),
        heading=present.week_heading(first),
        year=shown[-1].year,
        days=present.door_days(found, shown, city),
        printed=pages.instant_text(at, city),
        space_url=url_for("catalog.space", space_id=space.id, _external=True),
        earlier=url_for("timeline.door", space_id=space.id, day=first - 7 * DAY),
        later=url_for("timeline.door", space_id=space.id, day=first + 7 * DAY),
        back_url=url_for("timeline.day", day=first.isoformat(), view="week", venue=venue.id),
    )
