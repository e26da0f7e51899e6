"""Writing a space's opening hours: weekly rules, exceptions, and how it keeps public holidays."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from sqlalchemy import delete, insert
from sqlalchemy.orm import Session

from marketplace.accounts.actor import Actor
from marketplace.accounts.audit import audit
from marketplace.cities.models import City
from spaces.calendar.actions import compile_spaces
from spaces.calendar.errors import HoursChanged, PeriodsOverlap
from spaces.calendar.hours import SpaceHours
from spaces.calendar.models import OpeningException, OpeningRule
from spaces.calendar.policy import require_may_set_hours
from spaces.calendar.queries import hours_of
from spaces.calendar.rules import equal_periods
from spaces.catalog.models import Space, Venue


def set_hours(
    session: Session,
    city: City,
    space: Space,
    hours: SpaceHours,
    *,
    actor: Actor,
    at: datetime,
    seen: str | None = None,
) -> bool:
    """Let `hours` be the space's weekly rules, holiday rule and exceptions from today on; returns whether anything changed.

    Exceptions that are over stay as they were, and so does every booking. `seen` is the fingerprint of the hours that
    the change was made to. Raises NotYourVenue, PeriodsOverlap, HoursChanged.
    """
    return bool(set_hours_of(session, city, [(space, hours)], actor=actor, at=at, seen=seen))


def set_hours_of(
    session: Session,
    city: City,
    asked: Sequence[tuple[Space, SpaceHours]],
    *,
    actor: Actor,
    at: datetime,
    seen: str | None = None,
) -> list[int]:
    """As `set_hours`, for several spaces, which are compiled together; returns the ids of those that changed."""
    today = at.astimezone(city.zone).date()
    changed: dict[int, tuple[SpaceHours, SpaceHours]] = {}
    for space, hours in sorted(asked, key=lambda pair: pair[0].id):
        require_may_set_hours(actor, session.get_one(Venue, (city.id, space.venue_id)))
        if overlap := equal_periods(hours.weekly):
            raise PeriodsOverlap(*overlap)
        session.refresh(space, with_for_update=True)
        before = hours_of(session, space, from_day=today)
        if seen is not None and seen != before.fingerprint:
            raise HoursChanged
        if hours.as_json() != before.as_json():
            changed[space.id] = before, hours
            space.holiday_rule = hours.holiday_rule
    if not changed:
        return []
    replace_hours(session, city, {id_: hours for id_, (_, hours) in changed.items()}, today=today)
    compile_spaces(session, city, changed)
    for space_id, (before, hours) in changed.items():
        audit(
            session, actor, "space.hours-changed", "space", space_id,
            before=before.as_json(), after=hours.as_json(),
        )  # fmt: skip
    session.flush()
    return list(changed)


def replace_hours(session: Session, city: City, wanted: Mapping[int, SpaceHours], *, today: date) -> None:
    """Write the rules and the exceptions that are not over in place of those that are there."""
    ids = list(wanted)
    session.execute(delete(OpeningRule).where(OpeningRule.city_id == city.id, OpeningRule.space_id.in_(ids)))
    session.execute(
        delete(OpeningException).where(
            OpeningException.city_id == city.id,
            OpeningException.space_id.in_(ids),
            OpeningException.last_day >= today,
        )
    )
    rules = [
        {
            "city_id": city.id,
            "space_id": space_id,
            "days": sorted(rule.days),
            "opens": rule.opens,
            "closes": rule.closes,
            "valid_from": rule.valid_from,
            "valid_to": rule.valid_to,
            "weeks": rule.weeks,
            "nth": rule.nth,
            "state": rule.state,
            "priority": rule.priority,
        }
        for space_id, hours in wanted.items()
        for rule in hours.weekly
    ]
    exceptions = [
        {
            "city_id": city.id,
            "space_id": space_id,
            "first_day": one.hours.first_day,
            "last_day": one.hours.last_day,
            "opens": one.hours.opens,
            "closes": one.hours.closes,
            "state": one.hours.state,
            "reasons": dict(one.reasons),
        }
        for space_id, hours in wanted.items()
        for one in hours.exceptions
    ]
    if rules:
        session.execute(insert(OpeningRule), rules)
    if exceptions:
        session.execute(insert(OpeningException), exceptions)
    session.flush()
