"""The line in one place: states of an entry, and how long an offer stands."""

from datetime import UTC, datetime, timedelta

STATES = ("waiting", "offered", "booked", "passed", "left", "over")
# In line: everything else is history.
IN_LINE = ("waiting", "offered")

# Long enough to read one's mail in, short enough for the next in line.
OFFER = timedelta(hours=4)
SHORTEST_OFFER = timedelta(minutes=15)
# A night's sleep is no answer: what is offered late stands until the morning.
MORNING = 9
EVENING = 21

MOST_ENTRIES = 10


def offer_until(at: datetime, start: datetime) -> datetime | None:
    """Until when an offer of a time that begins at `start` stands when it is made at `at`, both local to the city; None
    where it is too late to offer at all. It ends half of the way to the start at the latest, so that the next in line
    has a chance too."""
    until = (at.astimezone(UTC) + OFFER).astimezone(at.tzinfo)
    if until.hour >= EVENING or until.hour < MORNING:
        morning = until if until.hour < MORNING else until + timedelta(days=1)
        until = morning.replace(hour=MORNING, minute=0, second=0, microsecond=0)
    # Local times of one zone are subtracted by the clock on the wall, which is wrong in the nights it changes.
    offered, begins = at.astimezone(UTC), start.astimezone(UTC)
    until = min(until.astimezone(UTC), offered + (begins - offered) / 2)
    return until.astimezone(at.tzinfo) if until - offered >= SHORTEST_OFFER else None
