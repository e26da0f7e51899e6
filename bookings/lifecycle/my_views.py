"""My bookings: what is ahead, what waits, what was."""

from flask import render_template, request, url_for

from bookings.lifecycle import pages, policy
from bookings.lifecycle.queries import past_bookings, requests_to_answer, upcoming_bookings
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
        past = past_bookings(session, actor, at=at, limit=PAST_SHOWN + 1, offset=(page - 1) * PAST_SHOWN)
    waiting = [item for item in ahead if item.booking.state == "awaiting_approval"]
    upcoming = [item for item in ahead if item.booking.state != "awaiting_approval"]
    return render_template(
        "bookings/lifecycle/my_bookings.html",
        first_name=actor.name.partition(" ")[0],
        requests=[pages.row(item, city, today=today, shows_person=True) for item in requests],
        waiting=[pages.row(item, city, today=today) for item in waiting],
        upcoming=[pages.row(item, city, today=today) for item in upcoming],
        past=[pages.row(item, city, today=today) for item in past[:PAST_SHOWN]],
        page=page,
        next_url=url_for("my.bookings", page=page + 1, _anchor="past") if len(past) > PAST_SHOWN else None,
        previous_url=url_for("my.bookings", page=page - 1, _anchor="past") if page > 1 else None,
        search_url=url_for("search.results"),
        desk_url=url_for("timeline.day") if policy.works_somewhere(actor) else None,
    )


def page_number(text: str) -> int:
    """The asked page; the first for anything that is none."""
    return min(max(int(text), 1), LAST_PAGE) if text.isascii() and text.isdigit() and len(text) < 9 else 1
