"""The line in one place: states of an entry, and how long an offer stands."""

from datetime import datetime, timedelta

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
    until = at + OFFER
    if until.hour >= EVENING or until.hour < MORNING:
        morning = until if until.hour < MORNING else until + timedelta(days=1)
        until = morning.replace(hour=MORNING, minute=0, second=0, microsecond=0)
    until = min(until, at + (start - at) / 2)
    return until if until - at >= SHORTEST_OFFER else None
