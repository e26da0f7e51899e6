"""Which spaces somebody knows: where they, or the organisation they act for, have been before."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from marketplace.accounts.actor import Actor
from marketplace.cities.models import City
from spaces.search.familiar import Use

REMEMBERED = timedelta(days=2 * 365)

# Of the person and of the organisation only the last hundred bookings each, however often they book.
USED = text("""
    SELECT DISTINCT ON (space_id) space_id, max(starts) AS starts, is_ours, count(*) AS times FROM (
        (SELECT space_id, lower(during) AS starts, false AS is_ours FROM booking
         WHERE city_id = :city_id AND person_id = :person_id
           AND lower(during) BETWEEN :since AND :at AND state IN ('confirmed', 'completed')
         ORDER BY lower(during) DESC LIMIT 100)
        UNION ALL
        (SELECT space_id, lower(during), true FROM booking
         WHERE city_id = :city_id AND organisation_id = :organisation_id
           AND lower(during) BETWEEN :since AND :at AND state IN ('confirmed', 'completed')
         ORDER BY lower(during) DESC LIMIT 100)
    ) was GROUP BY space_id, is_ours ORDER BY space_id, starts DESC, is_ours
""")


def used_spaces(
    session: Session, city: City, *, person_id: int | None, organisation_id: int | None, at: datetime
) -> dict[int, Use]:
    """When the person or the organisation was in a space last, by its id; within the last two years."""
    values = {
        "city_id": city.id,
        "person_id": person_id,
        "organisation_id": organisation_id,
        "since": at - REMEMBERED,
        "at": at,
    }
    return {
        space_id: Use(starts.astimezone(city.zone).date(), by_organisation=is_ours, times=times)
        for space_id, starts, is_ours, times in session.execute(USED, values)
    }


class FamiliarByBookings:
    """Answers the search's port."""

    def used_spaces(self, session: Session, city: City, actor: Actor, *, at: datetime) -> Mapping[int, Use]:
        if actor.person_id is None:
            return {}
        return used_spaces(session, city, person_id=actor.person_id, organisation_id=actor.acting_for, at=at)
