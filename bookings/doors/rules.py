"""When the door's secret is shown, and when a lock that did not answer is asked again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from marketplace.timespan import Span

METHODS = ("none", "instruction", "code")
CHOICES = ("by_date", "in_turn")
GRANT_STATES = ("pending", "ready", "failed", "revoked")
MOST_MINUTES_BEFORE = 1440
USUAL_MINUTES_BEFORE = 60

EVER = datetime(1970, 1, 1, tzinfo=UTC)

# Ten tries in about six hours, then somebody must look: the desk says so from the first failure on.
MOST_ATTEMPTS = 10
FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=2)
# A list of codes is often written a few weeks ahead. That one lacks for a time further off is no trouble yet.
TROUBLE_WITHIN = timedelta(days=3)

# A booking in one of these has its door opened at its time.
ADMITTED = frozenset({"confirmed", "completed"})


def shown_span(during: Span, minutes_before: int) -> Span:
    """From `minutes_before` the beginning until the end: when the secret may be seen."""
    return during.widened(timedelta(minutes=minutes_before))


def is_shown(during: Span, minutes_before: int, at: datetime) -> bool:
    span = shown_span(during, minutes_before)
    return span.start <= at < span.end


def wait_after(attempts: int) -> timedelta | None:
    """How long to wait after so many failed tries; None when there is to be no other."""
    if attempts >= MOST_ATTEMPTS:
        return None
    doublings: int = 2 ** max(0, attempts - 1)
    return min(FIRST_WAIT * doublings, LONGEST_WAIT)


@dataclass(frozen=True)
class ListedCode:
    """A code of the owner's list; both days included, without an end where `last` is None."""

    id: int
    first: date
    last: date | None
    given_at: datetime | None = None

    def covers(self, first: date, last: date) -> bool:
        return self.first <= first and (self.last is None or last <= self.last)


def chosen_code(
    codes: Sequence[ListedCode], first: date, last: date, *, choice: str, kept_id: int | None = None
) -> ListedCode | None:
    """The code for these days: the one kept already if it still covers them, else by date the one whose period began
    last, or in turn the one that was given longest ago."""
    fitting = [code for code in codes if code.covers(first, last)]
    kept = next((code for code in fitting if code.id == kept_id), None)
    if kept is not None or not fitting:
        return kept
    if choice == "in_turn":
        return min(fitting, key=lambda code: (code.given_at is not None, code.given_at or EVER, code.id))
    return max(fitting, key=lambda code: (code.first, code.id))
