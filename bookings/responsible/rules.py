"""How many people a booking may have, and how fast they may be added."""

from datetime import timedelta

MOST_PEOPLE = 10
ADDED_PER_HOUR = 20
HOUR = timedelta(hours=1)
