"""The built-in provider: a list of codes that the owner has written down, each good for a period of days."""

from sqlalchemy import select

from bookings.doors.models import AccessGrant, DoorCode, SpaceDoor
from bookings.doors.providers import Grant, Issued, NoCode
from bookings.doors.rules import ListedCode, chosen_code
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.db import transaction
from marketplace.timespan import local_days
from spaces.catalog.models import Space

NAME = "static"


class StaticCodes:
    """See `bookings.doors.providers.LockProvider`. Its transactions are its own, as a vendor's would be."""

    def issue(self, grant: Grant) -> Issued:
        at = now()
        with transaction() as session:
            # One grant of a space at a time, so that two do not get the same turn.
            session.execute(
                select(Space.id)
                .where(Space.city_id == grant.city_id, Space.id == grant.space_id)
                .with_for_update(key_share=True)
            )
            door = session.get(SpaceDoor, (grant.city_id, grant.space_id))
            found = session.scalars(
                select(DoorCode).where(DoorCode.city_id == grant.city_id, DoorCode.space_id == grant.space_id)
            )
            secrets = {row: row.secret for row in found}
            rows = {row.id: row for row, secret in secrets.items() if secret is not None}
            kept = grant.reference
            if grant.series_key is not None and kept is None:
                kept = session.scalar(
                    select(AccessGrant.reference)
                    .where(
                        AccessGrant.city_id == grant.city_id,
                        AccessGrant.series_key == grant.series_key,
                        AccessGrant.space_id == grant.space_id,
                        AccessGrant.provider == NAME,
                        AccessGrant.state == "ready",
                    )
                    .order_by(AccessGrant.id)
                    .limit(1)
                )
            days = local_days(grant.valid, session.get_one(City, grant.city_id).zone)
            code = chosen_code(
                [ListedCode(row.id, row.valid_from, row.valid_to, row.given_at) for row in rows.values()],
                days[0],
                days[-1],
                choice=door.choice if door is not None else "by_date",
                kept_id=int(kept) if kept is not None else None,
            )
            if code is None:
                raise NoCode("no code in the list covers this time")
            if str(code.id) != kept:
                rows[code.id].given_at = at
            return Issued(secrets[rows[code.id]] or "", str(code.id))

    def change(self, grant: Grant) -> Issued:
        return self.issue(grant)

    def revoke(self, grant: Grant) -> None:
        """A code of the list is not one booking's alone: it goes on being good until its period is over."""
