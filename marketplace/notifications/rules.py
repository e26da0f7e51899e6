"""When a phone may ring."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

# Hours of the city's clock between which nobody is woken by a text message.
QUIET_FROM, QUIET_UNTIL = 21, 8
# What is over sooner after a night's wait is better not told at all.
WORTH_TELLING = timedelta(minutes=15)


def text_at(at: datetime, *, before: datetime, zone: ZoneInfo) -> datetime | None:
    """When a text message that is written at `at` leaves (UTC): at once by day, else at eight in the morning.

    None where it would be of no use then, since what it tells is over at `before`: then mail alone tells it. We do not ring
    at night even for that: who looks at the phone at night sees the mail.
    """
    leaves = at.astimezone(UTC)
    local = at.astimezone(zone)
    if QUIET_UNTIL <= local.hour < QUIET_FROM:
        return leaves if leaves < before.astimezone(UTC) else None
    morning = local.replace(hour=QUIET_UNTIL, minute=0, second=0, microsecond=0, fold=0)
    if local.hour >= QUIET_FROM:
        morning += timedelta(days=1)
    leaves = morning.astimezone(UTC)
    return leaves if before.astimezone(UTC) - leaves >= WORTH_TELLING else None
