"""The checkout's hold: taken by the page once it is shown, so that a link alone, or a robot, holds nothing."""

from datetime import datetime, timedelta

from flask import redirect, render_template, request

from bookings.lifecycle import hold_actions, pages
from bookings.lifecycle.alternatives_present import NOTHING, Shown
from bookings.lifecycle.errors import HoldOver, TimeNotBookable
from bookings.lifecycle.forms import SUBMISSION, PlainForm, read_time
from bookings.lifecycle.models import Booking
from bookings.lifecycle.pages import gettext
from bookings.lifecycle.views import (
    Page,
    alternatives_shown,
    blueprint,
    checkout_url,
    kept_of_args,
    known_space,
)
from marketplace.clock import now
from marketplace.db import transaction
from marketplace.errors import Conflict, Forbidden, Invalid, Refusal, Unauthenticated
from marketplace.timespan import Span
from marketplace.web.access import signed_in
from marketplace.web.limits import limit
from marketplace.web.problems import status_of
from marketplace.web.request import current_actor, current_city
from spaces.calendar.errors import SlotTaken
from spaces.catalog.models import Space

HOLDS_PER_MINUTE = 20


@blueprint.post("/spaces/<int:space_id>/hold")
@signed_in
def hold(space_id: int) -> Page:
    """Hold the time that the checkout shows; the answer is the checkout's own line about it."""
    city, actor, at = current_city(), current_actor(), now()
    submission = request.form.get("submission", "")
    limit(f"hold:{actor.city_id}:{actor.person_id}", times=HOLDS_PER_MINUTE, per=timedelta(minutes=1))
    with transaction() as session:
        space, _ = known_space(session, space_id)
        during = read_time(request.args, now=at)
    if not PlainForm().validate_on_submit() or not SUBMISSION.fullmatch(submission):
        return redirect(checkout_url(space, during, kept_of_args()), 303)
    taken: Refusal
    for _ in range(2):
        try:
            with transaction() as session:
                held = hold_actions.hold_space(
                    session, city, space, actor=actor, during=during, submission=submission, at=at
                )
        except SlotTaken as refusal:
            # By another choice of this very person, or by a hold that is over but not swept yet.
            taken = refusal
            if not (drop_others(submission) or sweep_one(city.id, at)):
                break
        except (TimeNotBookable, Invalid, Conflict, Forbidden, Unauthenticated) as refusal:
            taken = refusal
            break
        else:
            drop_others(submission)
            return hold_line(space, held, at=at)
    with transaction() as session:
        space, venue = known_space(session, space_id)
        # Nothing is held, so nothing of what the page shows is lost by looking elsewhere.
        found = (
            alternatives_shown(session, space, venue, during, kept=kept_of_args())
            if isinstance(taken, SlotTaken)
            else NOTHING
        )
    return hold_line(space, None, at=at, refusal=taken, during=during, found=found)


@blueprint.post("/bookings/<reference>/hold")
@signed_in
def extend(reference: str) -> Page:
    """Hold the time for longer."""
    actor, at = current_actor(), now()
    with transaction() as session:
        found = hold_actions.hold_of(session, actor, reference)
        space, _ = known_space(session, found.space_id)
    if not PlainForm().validate_on_submit():
        return redirect(checkout_url(space, found.span, kept_of_args()), 303)
    try:
        with transaction() as session:
            held = hold_actions.extend_hold(session, hold_actions.hold_of(session, actor, reference), at=at)
    except HoldOver as refusal:
        return hold_line(space, None, at=at, refusal=refusal)
    if "HX-Request" not in request.headers:
        return redirect(checkout_url(space, held.span, kept_of_args()), 303)
    return hold_line(space, held, at=at)


def drop_others(submission: str) -> bool:
    """Give back what the person holds by other forms; returns whether there was anything."""
    actor, at = current_actor(), now()
    dropped = False
    for _ in range(10):
        with transaction() as session:
            if actor.person_id is None:
                return dropped
            other = hold_actions.other_hold(session, actor.city_id, actor.person_id, but=submission)
            if other is None:
                return dropped
            dropped = hold_actions.release_hold(session, other, at=at) or dropped
    return dropped


def sweep_one(city_id: int, at: datetime) -> bool:
    """Free one time whose hold is over, should the clock's round be late."""
    with transaction() as session:
        return hold_actions.lapse_hold(session, city_id, at=at)


def hold_line(
    space: Space,
    held: Booking | None,
    *,
    at: datetime,
    refusal: Refusal | None = None,
    during: Span | None = None,
    found: Shown = NOTHING,
) -> tuple[str, int]:
    """`found` is what is free instead of `during` where that could not be held."""
    html = render_template(
        "bookings/lifecycle/_hold.html",
        hold=pages.hold_shown(held, current_city(), at=at),
        refusal=gettext(refusal.title) if refusal is not None else None,
        found=found,
        other_times_url=pages.space_url(space.id, held.span if held else during, current_city()),
    )
    return html, status_of(type(refusal)) if refusal is not None else 200
