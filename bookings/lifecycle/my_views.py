"""My bookings: what is ahead, what waits, what was."""

from collections.abc import Mapping
from dataclasses import replace

from flask import render_template, request, url_for

from bookings.lifecycle import pages, policy
from bookings.lifecycle.queries import ListedBooking, past_bookings, requests_to_answer, upcoming_bookings
from bookings.series.pages import dates_text
from bookings.series.queries import SeriesHead, series_heads
from marketplace.clock import now
from marketplace.db import transaction
from marketplace.web.access import signed_in
from marketplace.web.request import current_actor, current_city, page_blueprint

blueprint = page_blueprint("my", __name__)

PAST_SHOWN = 20
LAST_PAGE = 10_000


@blueprint.get("/my/bookings")
@signed_in
def bookings() -> str:
    """The person's own and their organisations' bookings, and requests that wait for their answer."""
    city, actor, at = current_city(), current_actor(), now()
    today = at.astimezone(city.zone).date()
    page = page_number(request.args.get("page", ""))
    with transaction() as session:
        requests = requests_to_answer(session, actor, at=at)
        ahead = upcoming_bookings(session, actor, at=at)
        listed = [*requests, *ahead]
        heads = series_heads(
            session, city.id, {i.booking.series_id for i in listed if i.booking.series_id is not None}, at=at
        )
        past = past_bookings(session, actor, at=at, limit=PAST_SHOWN + 1, offset=(page - 1) * PAST_SHOWN)
    waiting = [item for item in ahead if item.booking.state == "awaiting_approval"]
    upcoming = [item for item in ahead if item.booking.state != "awaiting_approval"]

    def own(item: ListedBooking) -> pages.Row:
        # Of a booking that somebody else made for themselves: whose it is.
        return pages.row(item, city, today=today, shows_person=item.booking.person_id != actor.person_id)

    return render_template(
        "bookings/lifecycle/my_bookings.html",
        first_name=actor.name.partition(" ")[0],
        requests=[
            as_series(pages.row(item, city, today=today, shows_person=True, handles=True), item, heads)
            for item in requests
        ],
        waiting=[as_series(own(item), item, heads) for item in waiting],
        upcoming=[as_series(own(item), item, heads) for item in upcoming],
        past=[own(item) for item in past[:PAST_SHOWN]],
        page=page,
        next_url=url_for("my.bookings", page=page + 1, _anchor="past") if len(past) > PAST_SHOWN else None,
        previous_url=url_for("my.bookings", page=page - 1, _anchor="past") if page > 1 else None,
        search_url=url_for("search.results"),
        desk_url=url_for("timeline.day") if policy.works_somewhere(actor) else None,
    )


def as_series(row: pages.Row, item: ListedBooking, heads: Mapping[int, SeriesHead]) -> pages.Row:
    """The row of a series' next date as the row of the series."""
    head = heads.get(item.booking.series_id or 0)
    if head is None or item.booking.replaces_id is not None:
        return row
    waits = item.booking.state == "awaiting_approval"
    dates = dates_text(head.waiting if waits else head.ahead)
    url = url_for("series.show", reference=head.reference)
    return replace(
        row,
        when=pages.gettext("%(time)s · series, %(dates)s ahead", time=row.when, dates=dates),
        whole_time=pages.gettext("%(time)s · series, %(dates)s", time=row.whole_time, dates=dates),
        url=url if head.space_id == item.booking.space_id else row.url,
    )


def page_number(text: str) -> int:
    """The asked page; the first for anything that is none."""
    return min(max(int(text), 1), LAST_PAGE) if text.isascii() and text.isdigit() and len(text) < 9 else 1
