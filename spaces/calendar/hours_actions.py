"""Writing a space's opening hours: weekly rules, exceptions, and how it keeps public holidays."""

from datetime import datetime

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
    require_may_set_hours(actor, session.get_one(Venue, (city.id, space.venue_id)))
    if overlap := equal_periods(hours.weekly):
        raise PeriodsOverlap(*overlap)
    session.refresh(space, with_for_update=True)
    today = at.astimezone(city.zone).date()
    before = hours_of(session, space, from_day=today)
    if seen is not None and seen != before.fingerprint:
        raise HoursChanged
    if hours.as_json() == before.as_json():
        return False
    keys = {"city_id": city.id, "space_id": space.id}
    session.execute(
        delete(OpeningRule).where(OpeningRule.city_id == city.id, OpeningRule.space_id == space.id)
    )
    session.execute(
        delete(OpeningException).where(
            OpeningException.city_id == city.id,
            OpeningException.space_id == space.id,
            OpeningException.last_day >= today,
        )
    )
    if hours.weekly:
        session.execute(
            insert(OpeningRule),
            [
                {
                    **keys,
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
                for rule in hours.weekly
            ],
        )
    if hours.exceptions:
        session.execute(
            insert(OpeningException),
            [
                {
                    **keys,
                    "first_day": one.hours.first_day,
                    "last_day": one.hours.last_day,
                    "opens": one.hours.opens,
                    "closes": one.hours.closes,
                    "state": one.hours.state,
                    "reasons": dict(one.reasons),
                }
                for one in hours.exceptions
            ],
        )
    space.holiday_rule = hours.holiday_rule
    session.flush()
    compile_spaces(session, city, [space.id])
    after = hours_of(session, space, from_day=today)
    audit(
        session,
        actor,
        "space.hours-changed",
        "space",
        space.id,
        before=before.as_json(),
        after=after.as_json(),
    )
    session.flush()
    return True
