"""The queue on a page of its own: filtered, and answered many at a time. Joins the timeline's blueprint.

Each chosen request gets its answer in a transaction of its own, the same as from its row: what one of them refuses undoes
no other, and no lock is held longer than for one. What was done and what was not stands in the address of the page that
follows, which reads the reasons from the requests themselves; so it may be loaded again, and pressing twice does no harm.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from flask import redirect as go
from flask import render_template, url_for
from sqlalchemy import false
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from bookings.desk import present, queue_present
from bookings.desk.answer_actions import approve_request, decline_request, undo_request_answer
from bookings.desk.queries import Request, queue_of, undoable, waiting_count
from bookings.desk.queue_forms import MOST_AT_ONCE, Asked, ManyForm
from bookings.desk.queue_queries import chosen_place, matching, waiting_spaces, wanted_count
from bookings.desk.views import Page, blueprint
from bookings.lifecycle import policy
from bookings.lifecycle.errors import BookingNotFound, IllegalTransition
from bookings.lifecycle.queries import BookedSpace, answers_of, booking_for
from bookings.lifecycle.reasons import DECLINE_REASONS, choices_of
from bookings.series.errors import NothingWaits
from bookings.series.queries import series_heads
from marketplace.clock import now
from marketplace.db import transaction
from marketplace.errors import Refusal
from marketplace.web.access import signed_in
from marketplace.web.i18n import reader_language
from marketplace.web.request import current_actor, current_city
from spaces.catalog.errors import NotYourVenue
from spaces.catalog.policy import HANDLE, require_may_handle

PAGE_SIZE = 50


def asked_now() -> Asked:
    city = current_city()
    return Asked.read(today=now().astimezone(city.zone).date())


def require_answers() -> None:
    """Whoever answers nowhere has no queue. Raises NotYourVenue."""
    if not policy.works_somewhere(current_actor(), HANDLE):
        raise NotYourVenue


@blueprint.get("/desk/requests")
@signed_in
def requests() -> Page:
    """What waits for an answer, all of it or what the address asks for."""
    return requests_page(asked_now())


def requests_page(asked: Asked, *, form: ManyForm | None = None, status: int = 200) -> Page:
    """`form` is an answer to many that was refused before anything was done."""
    require_answers()
    city, actor, at = current_city(), current_actor(), now()
    with transaction() as session:
        wanted, venue_names, space_names = chosen_place(session, actor, asked.wanted)
        asked = replace(asked, wanted=wanted)
        total = wanted_count(session, actor, wanted, city, at=at)
        last_page = max(1, -(-total // PAGE_SIZE))
        asked = replace(asked, page=min(asked.page, last_page))
        found = shown_requests(session, asked, at=at, chosen=form.chosen if form else ())
        series_ids = {id_ for one in found if (id_ := one.listed.booking.series_id) and one.stands_for_series}
        heads = series_heads(session, city.id, series_ids, at=at)
        undo = undoable(session, actor, found, at=at)
        answers = answers_of(session, city.id, [one.listed.booking.id for one in found])
        spaces = waiting_spaces(session, actor, at=at, language=reader_language())
        waiting = waiting_count(session, actor)
    rows = present.queue_rows(found, city, at=at, heads=heads, undoable=undo, answers=answers)
    chosen = form.chosen if form else [row.reference for row in rows] if asked.ticks_all else ()
    html = render_template(
        "bookings/desk/requests.html",
        asked=asked,
        rows=rows,
        total=total,
        waiting=waiting,
        tags=queue_present.tags_of(asked, venue_names, space_names),
        places=queue_present.place_options(spaces, asked, venue_names, space_names),
        result=queue_present.result_of(asked, rows),
        form=form,
        just=just_of(asked),
        just_told=queue_present.told_in_row(asked, rows),
        waited_options=queue_present.waited_options(),
        chosen=set(chosen),
        decline_reasons=choices_of(DECLINE_REASONS),
        next_url=url_for("timeline.requests", **asked.args(page=asked.page + 1))
        if asked.page < last_page
        else None,
        previous_url=url_for("timeline.requests", **asked.args(page=asked.page - 1))
        if asked.page > 1
        else None,
        last_page=last_page,
    )
    return html, status


def just_of(asked: Asked) -> str:
    """The one request whose row says what has become of it; of several the result above them does."""
    told = [*asked.answered, *(reference for reference, _ in asked.missed)]
    return told[0] if len(told) == 1 else ""


def shown_requests(
    session: Session, asked: Asked, *, at: datetime, chosen: Sequence[str] = ()
) -> list[Request]:
    """A page of what waits, and among it, in its place, what has just been answered or chosen, whatever the filters say
    and whatever has become of it."""
    city, actor = current_city(), current_actor()
    waiting = queue_of(
        session,
        actor,
        at=at,
        which=matching(asked.wanted, city, at=at),
        soonest=asked.soonest,
        limit=PAGE_SIZE,
        offset=(asked.page - 1) * PAGE_SIZE,
    )
    told = [*asked.answered, *(reference for reference, _ in asked.missed), *chosen[:MOST_AT_ONCE]]
    if not told:
        return waiting
    answered = queue_of(session, actor, at=at, answered=told, which=false(), limit=0)
    both = {one.listed.booking.id: one for one in (*waiting, *answered)}.values()

    def place(one: Request) -> tuple[datetime, int]:
        booking = one.listed.booking
        return booking.span.start if asked.soonest else booking.created_at, booking.id

    return sorted(both, key=place)


@blueprint.post("/desk/requests/approvals")
@signed_in
def approve_many() -> Page:
    """Yes to all that are chosen."""
    city, actor = current_city(), current_actor()

    def approve(session: Session, booked: BookedSpace) -> None:
        approve_request(session, city, booked, actor=actor, at=now())

    return answer_many(approve, "approved")


@blueprint.post("/desk/requests/refusals")
@signed_in
def decline_many() -> Page:
    """No to all that are chosen, for one reason that each of them reads."""
    city, actor = current_city(), current_actor()
    form = ManyForm()

    def decline(session: Session, booked: BookedSpace) -> None:
        decline_request(
            session,
            city,
            booked,
            actor=actor,
            reason=form.reason.data or "",
            reason_code=form.code,
            at=now(),
        )

    return answer_many(decline, "declined", form=form)


@blueprint.post("/desk/requests/answers-undo")
@signed_in
def undo_many() -> Page:
    """The answers were a slip; those that are known already stay."""
    city, actor = current_city(), current_actor()

    def undo(session: Session, booked: BookedSpace) -> None:
        undo_request_answer(session, city, booked, actor=actor, at=now())

    return answer_many(undo, "undone")


def answer_many(
    answer: Callable[[Session, BookedSpace], None], did: str, *, form: ManyForm | None = None
) -> Page:
    """Give `answer` to each chosen request; a `form` must have its reason."""
    require_answers()
    asked, many = asked_now(), form or ManyForm()
    if not many.read(needs_reason=form is not None):
        return requests_page(replace(asked, did="", answered=(), missed=()), form=many, status=422)
    answered: list[str] = []
    missed: list[str] = []
    series: set[tuple[int, int]] = set()
    for reference in many.chosen:
        code = answer_one(answer, reference, series if did != "undone" else None)
        if code:
            missed.append(f"{reference}.{code}")
        else:
            answered.append(reference)
    return back(asked, did, answered, missed)


def answer_one(
    answer: Callable[[Session, BookedSpace], None], reference: str, series: set[tuple[int, int]] | None
) -> str:
    """The code of what kept this request from its answer, or none. `series` grows by the one that was answered with it: it
    stands in the queue once for each of its spaces, and is answered for all those of a place. None: one by one."""
    try:
        with transaction() as session:
            booked = booking_for(session, current_actor(), reference)
            require_may_handle(current_actor(), booked.venue)
            of_series = booked.booking.series_id is not None and booked.booking.replaces_id is None
            mine = (booked.booking.series_id or 0, booked.venue.id)
            if of_series and series is not None and mine in series:
                return ""
            answer(session, booked)
    except (BookingNotFound, NotYourVenue):
        return "not-found"
    except (IllegalTransition, NothingWaits):
        return "answered-already"
    except Refusal as refusal:
        return refusal.code
    if of_series and series is not None:
        series.add(mine)
    return ""


def back(asked: Asked, did: str, answered: list[str], missed: list[str]) -> Response:
    """To the page as it was, with what has come of it."""
    url = url_for(
        "timeline.requests", **asked.args(did=did, answered=answered, missed=missed), _anchor="result"
    )
    return go(url, 303)
