"""My bookings: what is ahead, what waits, what was; and any of it as somebody looks for it."""

from collections.abc import Mapping
from dataclasses import replace

from flask import render_template, request, url_for

from bookings.lifecycle import my_present, pages, policy
from bookings.lifecycle.my_forms import Asked
from bookings.lifecycle.my_queries import found_bookings
from bookings.lifecycle.queries import ListedBooking, past_bookings, requests_to_answer, upcoming_bookings
from bookings.series.pages import dates_text
from bookings.series.queries import SeriesHead, series_heads
from marketplace.accounts.queries import memberships_of
from marketplace.clock import now
from marketplace.db import transaction
from marketplace.web.access import signed_in
from marketplace.web.request import current_actor, current_city, page_blueprint
from spaces.catalog.policy import HANDLE

blueprint = page_blueprint("my", __name__)

PAGE_SIZE = 20
AHEAD_SHOWN = 100
REQUESTS_SHOWN = 20


@blueprint.get("/my/bookings")
@signed_in
def bookings() -> str:
    """The person's own and their organisations' bookings: by section, or as a list of what the address asks for."""
    actor = current_actor()
    today = now().astimezone(current_city().zone).date()
    asked = Asked.read(request.args, organisations=actor.roles.keys(), today=today)
    return found_page(asked) if asked.is_filtered else sections_page(asked)


def sections_page(asked: Asked) -> str:
    """What waits for the reader's answer, what is ahead, what was."""
    city, actor, at = current_city(), current_actor(), now()
    today, page = at.astimezone(city.zone).date(), asked.page
    with transaction() as session:
        requests = requests_to_answer(session, actor, at=at, limit=REQUESTS_SHOWN + 1)
        ahead = upcoming_bookings(session, actor, at=at, limit=AHEAD_SHOWN + 1)
        listed = [*requests, *ahead]
        heads = series_heads(
            session, city.id, {i.booking.series_id for i in listed if i.booking.series_id is not None}, at=at
        )
        past = past_bookings(session, actor, at=at, limit=PAGE_SIZE + 1, offset=(page - 1) * PAGE_SIZE)
        organisations = memberships_of(session, actor)
    waiting = [item for item in ahead[:AHEAD_SHOWN] if item.booking.state == "awaiting_approval"]
    upcoming = [item for item in ahead[:AHEAD_SHOWN] if item.booking.state != "awaiting_approval"]

    return render_template(
        "bookings/lifecycle/my_bookings.html",
        asked=asked,
        found=None,
        first_name=actor.name.partition(" ")[0],
        requests=[
            as_series(pages.row(item, city, today=today, shows_person=True, handles=True), item, heads)
            for item in requests[:REQUESTS_SHOWN]
        ],
        more_requests=len(requests) > REQUESTS_SHOWN,
        waiting=[as_series(own_row(item), item, heads) for item in waiting],
        upcoming=[as_series(own_row(item), item, heads) for item in upcoming],
        more_ahead=len(ahead) > AHEAD_SHOWN,
        past=[own_row(item) for item in past[:PAGE_SIZE]],
        page=page,
        next_url=url_for("my.bookings", page=page + 1, _anchor="past") if len(past) > PAGE_SIZE else None,
        previous_url=url_for("my.bookings", page=page - 1, _anchor="past") if page > 1 else None,
        choices=my_present.choices_of([organisation for organisation, _ in organisations]),
        **links(),
    )


def found_page(asked: Asked) -> str:
    """One list of what the address asks for."""
    city, actor, at = current_city(), current_actor(), now()
    with transaction() as session:
        found, total = found_bookings(
            session,
            actor,
            asked.wanted,
            city,
            at=at,
            limit=PAGE_SIZE,
            offset=(asked.page - 1) * PAGE_SIZE,
        )
        ids = {i.booking.series_id for i in found if i.booking.series_id is not None}
        heads = series_heads(session, city.id, ids, at=at) if asked.wanted.shows_series_once else {}
        organisations = [organisation for organisation, _ in memberships_of(session, actor)]
    last_page = max(1, -(-total // PAGE_SIZE))
    page = min(asked.page, last_page)
    return render_template(
        "bookings/lifecycle/my_bookings.html",
        asked=asked,
        requests=[],
        waiting=[],
        found=[as_series(own_row(item), item, heads) for item in found],
        total=total,
        heading=my_present.heading_of(asked.wanted),
        tags=my_present.tags_of(asked, organisations),
        first_name=actor.name.partition(" ")[0],
        page=page,
        last_page=last_page,
        next_url=url_for("my.bookings", **asked.args(page=page + 1)) if page < last_page else None,
        previous_url=url_for("my.bookings", **asked.args(page=page - 1)) if page > 1 else None,
        choices=my_present.choices_of(organisations),
        **links(),
    )


def links() -> dict[str, str | None]:
    actor = current_actor()
    return {
        "search_url": url_for("search.results"),
        "desk_url": url_for("timeline.day") if policy.works_somewhere(actor) else None,
        "queue_url": url_for("timeline.requests") if policy.works_somewhere(actor, HANDLE) else None,
    }


def own_row(item: ListedBooking) -> pages.Row:
    """Of a booking that somebody else made for themselves it says whose it is."""
    city, actor = current_city(), current_actor()
    today = now().astimezone(city.zone).date()
    return pages.row(item, city, today=today, shows_person=item.booking.person_id != actor.person_id)


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
