"""What bookings show on the pages of lower rooms."""

from collections.abc import Sequence

from flask import g, render_template, request
from markupsafe import escape
from sqlalchemy.orm import Session

from bookings.lifecycle.pages import Kept
from bookings.lifecycle.queries import next_bookings
from bookings.lifecycle.views import alternatives_shown
from marketplace.clock import now
from marketplace.timespan import Span
from marketplace.web.i18n import format_span
from marketplace.web.request import current_city
from spaces.catalog.models import Space, Venue


def next_booking_panel(*, session: Session, space_id: int, space_ids: Sequence[int]) -> str:
    """The `listing-row` panel: when the space is used next. The rows of one page are read at once."""
    known: dict[tuple[int, ...], dict[int, Span]] = g.setdefault("next_bookings", {})
    key = tuple(space_ids)
    if key not in known:
        known[key] = next_bookings(session, current_city().id, space_ids, at=now())
    span = known[key].get(space_id)
    if span is None:
        return ""
    zone = current_city().zone
    return str(escape(format_span(span.start.astimezone(zone), span.end.astimezone(zone))))


def instead_panel(*, session: Session, space: Space, venue: Venue, wished: Span) -> str:
    """The `space-taken` panel: similar spaces at the time that the reader of a space's page asked for and cannot have.
    The space's other times are on the page itself."""
    if wished.start <= now() or space.state != "published":
        return ""
    kept = Kept(people=request.args.get("people", "")[:20], q=request.args.get("q", "")[:200])
    found = alternatives_shown(session, space, venue, wished, kept=kept, with_times=False)
    return render_template("bookings/lifecycle/_instead.html", found=found) if found else ""
