"""The owner's pages of opening hours: write, preview, save; close a space and open it again."""

from datetime import date, datetime, timedelta
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from marketplace.accounts.actor import Actor
from marketplace.cities.models import City
from marketplace.clock import now as present_time
from marketplace.db import transaction
from marketplace.errors import Conflict, Invalid
from marketplace.timespan import Span
from marketplace.web.access import signed_in
from marketplace.web.i18n import gettext, ngettext
from marketplace.web.request import current_actor, current_city, page_blueprint
from spaces.calendar.closing_actions import close_space, reopen_space
from spaces.calendar.errors import (
    BookingsInTheWay,
    CannotGiveUp,
    HoursChanged,
    PeriodsOverlap,
    SlotTaken,
)
from spaces.calendar.forms import ClosingForm, HoursForm, choices_of, hours_form
from spaces.calendar.holders import Holder, holders
from spaces.calendar.hours import SpaceHours, all_spans
from spaces.calendar.hours_actions import set_hours
from spaces.calendar.present import (
    PreviewWeek,
    closing_shown,
    coming_holidays,
    overlap_text,
    preview,
    span_text,
)
from spaces.calendar.queries import closings_of, hours_of, takings
from spaces.calendar.rules import DAY, equal_periods, uncovered
from spaces.catalog.desk import desk_pages
from spaces.catalog.errors import SpaceNotFound
from spaces.catalog.models import Space, Venue
from spaces.catalog.queries import space_managed_by

blueprint = page_blueprint("hours", __name__)

Page = str | tuple[str, int] | Response

LARGEST_ID = 2**63 - 1
# Bookings further ahead than any horizon allows are not looked for.
FURTHEST = timedelta(days=5 * 366)
MOST_LISTED = 200


def day_of(at: datetime, city: City) -> date:
    return at.astimezone(city.zone).date()


def managed(session: Session, actor: Actor, space_id: int) -> tuple[Space, Venue]:
    """Raises SpaceNotFound, also for a number that the database cannot hold."""
    if space_id > LARGEST_ID:
        raise SpaceNotFound
    return space_managed_by(session, actor, space_id)


@blueprint.route("/desk/spaces/<int:space_id>/hours", methods=["GET", "POST"])
@signed_in
def week(space_id: int) -> Page:
    """The hours as a form. "preview" and "more" show the page again, "save" saves."""
    city, actor, at = current_city(), current_actor(), present_time()
    today = day_of(at, city)
    with transaction() as session:
        space, venue = managed(session, actor, space_id)
        saved = hours_of(session, space, from_day=today)
        if request.method == "GET":
            return hours_page(session, space, venue, saved, hours_form(saved), at=at)
        form = HoursForm()
        if "more" in request.form:
            form.add_blank_rows(rules=2, exceptions=1)
            return hours_page(session, space, venue, saved, form, at=at)
        form.validate()
        written = form.read()
        if written is not None and (overlap := equal_periods(written.weekly)):
            form.form_errors = [*form.form_errors, overlap_text(overlap)]
            written = None
        if written is None or "save" not in request.form:
            status = 200 if written is not None else 422
            return hours_page(session, space, venue, saved, form, at=at, written=written, status=status)
    return save(space_id, form, written, at=at)


def save(space_id: int, form: HoursForm, written: SpaceHours, *, at: datetime) -> Page:
    city, actor = current_city(), current_actor()
    today = day_of(at, city)
    try:
        with transaction() as session:
            space, _ = managed(session, actor, space_id)
            changed = set_hours(session, city, space, written, actor=actor, at=at, seen=form.seen.data or "")
            outside = outside_hours(session, city, space, written, actor=actor, at=at) if changed else []
    except (HoursChanged, PeriodsOverlap) as refusal:
        with transaction() as session:
            space, venue = managed(session, actor, space_id)
            saved = hours_of(session, space, from_day=today)
            fresh = hours_form(saved) if isinstance(refusal, HoursChanged) else form
            fresh.form_errors = [*fresh.form_errors, gettext(refusal.title)]
            status = 409 if isinstance(refusal, Conflict) else 422
            return hours_page(session, space, venue, saved, fresh, at=at, status=status)
    if not changed:
        flash(gettext("Nothing was changed."), "info")
    elif outside:
        flash(
            ngettext(
                "The hours are saved. %(num)d booking is outside them now; it stays valid.",
                "The hours are saved. %(num)d bookings are outside them now; they stay valid.",
                len(outside),
            ),
            "alert",
        )
    else:
        flash(gettext("The hours are saved."), "success")
    return redirect(url_for("hours.week", space_id=space_id), 303)


def outside_hours(
    session: Session, city: City, space: Space, hours: SpaceHours, *, actor: Actor, at: datetime
) -> list[Holder]:
    """The coming bookings of the space that these hours would not allow; they stay valid."""
    taken = takings(session, city.id, space.id, Span(at, at + FURTHEST))
    if not taken:
        return []
    first = min(one.span.start for one in taken).astimezone(city.zone).date()
    last = max(one.span.end for one in taken).astimezone(city.zone).date()
    opened = all_spans(hours.compiled(first - DAY, last, zone=city.zone, country=city.country).open)
    ids = {
        one.holder_id
        for one in taken
        if uncovered(one.span, opened, whole_days=space.whole_days, zone=city.zone)
    }
    # Others share the units, and have hours of their own.
    found = holders().describe(session, actor, sorted(ids))
    return [holder for holder in found if holder.space_id == space.id]


def hours_page(
    session: Session,
    space: Space,
    venue: Venue,
    saved: SpaceHours,
    form: HoursForm,
    *,
    at: datetime,
    written: SpaceHours | None = None,
    closing: ClosingForm | None = None,
    in_the_way: list[Holder] | None = None,
    others: list[int] | None = None,
    status: int = 200,
) -> tuple[str, int]:
    """The whole page; `written` are hours that are not saved yet, to be previewed."""
    city, actor = current_city(), current_actor()
    today = day_of(at, city)
    weeks = preview(saved, written or saved, city=city, today=today)
    outside = outside_hours(session, city, space, written or saved, actor=actor, at=at)
    return render_template(
        "spaces/calendar/hours.html",
        page_id="desk",
        space=space,
        venue=venue,
        desk_pages=desk_pages,
        form=form,
        closing=closing or closing_form(),
        weeks=weeks,
        is_preview=written is not None,
        changes=changes_of(weeks),
        outside=[shown(holder, city) for holder in outside[:MOST_LISTED]],
        in_the_way=[shown(holder, city) for holder in (in_the_way or [])],
        others=others or [],
        chosen=choices_of(request.form.to_dict()) if request.method == "POST" else (set(), set()),
        closings=[closing_shown(one, city) for one in closings_of(session, city.id, space.id, after=at)],
        holidays=coming_holidays(city, today),
        country=city.country,
    ), status


def changes_of(weeks: list[PreviewWeek]) -> int:
    return sum(day.changed for week in weeks for day in week.days)


def shown(holder: Holder, city: City) -> dict[str, Any]:
    return {"holder": holder, "when": span_text(holder.during, city)}


def closing_form() -> ClosingForm:
    return ClosingForm(formdata=None)


@blueprint.route("/desk/spaces/<int:space_id>/closures", methods=["GET", "POST"])
@signed_in
def close(space_id: int) -> Page:
    """Close the space; bookings in the way are listed, each with a choice, until all are decided."""
    if request.method == "GET":  # a reload after a refused form, or a change of language on it
        return redirect(url_for("hours.week", space_id=space_id, _anchor="closing"))
    city, actor, at = current_city(), current_actor(), present_time()
    form = ClosingForm()
    form.validate()
    during = form.read(city.zone)
    keep, cancel = choices_of(request.form.to_dict())
    waiting: list[int] = []
    behind: set[int] = set()
    status = 422
    if during is not None:
        try:
            with transaction() as session:
                space, _ = managed(session, actor, space_id)
                made = close_space(
                    session,
                    city,
                    space,
                    during,
                    form.reasons(),
                    actor=actor,
                    keep=keep,
                    cancel=cancel,
                    holders=holders(),
                    at=at,
                )
        except Invalid as refusal:
            form.show(refusal)
        except (BookingsInTheWay, CannotGiveUp, SlotTaken) as refusal:
            form.form_errors = [*form.form_errors, gettext(refusal.title)]
            status = 409
            if isinstance(refusal, BookingsInTheWay):
                behind = set(refusal.holder_ids)
        else:
            text = (
                gettext("The space is closed.")
                if made
                else gettext("All of it is kept, so nothing was closed.")
            )
            flash(text, "success" if made else "info")
            return redirect(url_for("hours.week", space_id=space_id, _anchor="closing"), 303)
    with transaction() as session:
        space, venue = managed(session, actor, space_id)
        found: list[Holder] = []
        if during is not None and during.end > at:
            span = Span(max(during.start, at), during.end)
            # Also what came into the way only when another was given up.
            in_the_way = {one.holder_id for one in takings(session, city.id, space.id, span)}
            waiting = sorted(in_the_way | behind)
            found = holders().describe(session, actor, waiting)
        unknown = sorted(set(waiting) - {holder.holder_id for holder in found})
        saved = hours_of(session, space, from_day=day_of(at, city))
        return hours_page(
            session,
            space,
            venue,
            saved,
            hours_form(saved),
            at=at,
            closing=form,
            in_the_way=found,
            others=unknown,
            status=status,
        )


@blueprint.post("/desk/spaces/<int:space_id>/closures/<int:closing_id>/end")
@signed_in
def reopen(space_id: int, closing_id: int) -> Response:
    city, actor = current_city(), current_actor()
    with transaction() as session:
        space, _ = managed(session, actor, space_id)
        reopen_space(session, city, space, min(closing_id, LARGEST_ID), actor=actor)
    flash(gettext("The closing is over. The times are free again."), "success")
    return redirect(url_for("hours.week", space_id=space_id, _anchor="closing"), 303)
