"""What else of the same place can be booked in the same go: a kitchen beside the hall."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bookings.lifecycle.actions import prices_for, window_around
from bookings.lifecycle.asked import asked_of, needs_attendees
from bookings.lifecycle.errors import NotOnOffer
from bookings.lifecycle.rules import out_of_reach
from marketplace.accounts.actor import Actor
from marketplace.cities.models import City
from marketplace.timespan import Span
from spaces.calendar.queries import booking_rules, calendars_of
from spaces.calendar.rules import why_not
from spaces.catalog.models import Space, SpaceUnit
from spaces.pricing.rules import Quote
from spaces.rules.queries import confirmed_at_once

MOST_OFFERED = 4
MOST_LOOKED_AT = 12


@dataclass(frozen=True)
class AlsoFree:
    """Another space of the place that is free at the time, and what it costs each choice of whom to book for."""

    space: Space
    prices: dict[int | None, Quote]


def also_free(
    session: Session,
    city: City,
    space: Space,
    during: Span,
    *,
    actor: Actor,
    organisation_ids: Sequence[int | None],
    chosen: int | None,
    wanted: Collection[int],
    at: datetime,
) -> list[AlsoFree]:
    """Spaces of the same place that share no part with this one, ask nothing of their own and are confirmed in the same
    way; those that are `wanted` already first, a few in all."""
    at_once = confirmed_at_once(session, space, [chosen])[chosen]
    others = [
        other
        for other in neighbours(session, space, wanted)
        if not needs_attendees(other)
        and other.who in {"anyone", space.who}
        and confirmed_at_once(session, other, [chosen])[chosen] == at_once
    ]
    # All their calendars at once: this is read by every look at a checkout.
    window = window_around(during, city.zone)
    calendars = calendars_of(session, city.id, [other.id for other in others], window, city.zone)
    found: list[AlsoFree] = []
    for other in others:
        if len(found) == MOST_OFFERED:
            break
        rules = booking_rules(other)
        if out_of_reach(rules, during, now=at) or why_not(
            calendars[other.id], rules, during, zone=city.zone, now=at
        ):
            continue
        if asked_of(session, other, actor).is_anything:
            continue
        try:
            terms, prices = prices_for(session, city, other, during, organisation_ids, at=at)
        except NotOnOffer:
            continue
        if terms.per != "tariff":
            found.append(AlsoFree(other, prices))
    return found


def neighbours(session: Session, space: Space, wanted: Collection[int]) -> list[Space]:
    """The other spaces on offer at the place that have no part in common with this one."""
    parts = select(SpaceUnit.unit_id).where(
        SpaceUnit.city_id == space.city_id, SpaceUnit.space_id == space.id
    )
    sharing = select(SpaceUnit.space_id).where(
        SpaceUnit.city_id == space.city_id, SpaceUnit.unit_id.in_(parts)
    )
    rows = session.scalars(
        select(Space)
        .where(
            Space.city_id == space.city_id,
            Space.venue_id == space.venue_id,
            Space.state == "published",
            Space.whole_days == space.whole_days,
            Space.kind != "market_stall",
            Space.id.not_in(sharing),
        )
        .order_by(Space.id.in_(list(wanted)).desc(), Space.id)
        .limit(MOST_LOOKED_AT)
    )
    return list(rows)
