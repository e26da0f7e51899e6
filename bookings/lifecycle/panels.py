"""What bookings show on the pages of lower rooms."""

from collections.abc import Sequence

from flask import g
from markupsafe import escape
from sqlalchemy.orm import Session

from bookings.lifecycle.queries import next_bookings
from marketplace.clock import now
from marketplace.timespan import Span
from marketplace.web.i18n import format_span
from marketplace.web.request import current_city


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
