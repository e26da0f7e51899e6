"""When cancelling costs what: nothing at first, then a share of the price that grows towards the beginning, and a fee. Pure.

A price list without steps of its own has one: from the hours of the space's rules on, its `kept_percent`. Hours are
elapsed hours, so a change of the clocks shifts the wall time. What a booking has agreed to is such a schedule with its
instants, so that a moved or changed booking keeps what it was promised, and what it owes.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from marketplace.errors import N_, FieldError

MOST_TIERS = 6
MOST_HOURS = 366 * 24
MOST_FEE_MINOR = 10_000_000


@dataclass(frozen=True)
class CancelTier:
    """From `hours` before the beginning on, this share of the price is kept."""

    hours: int
    kept_percent: int

    def as_json(self) -> dict[str, Any]:
        return {"hours": self.hours, "kept_percent": self.kept_percent}


@dataclass(frozen=True)
class CancelTerms:
    """What a price list says of cancelling beside its one `kept_percent`: steps with falling hours and shares that never
    fall, a fee in minor units that is kept as soon as anything may be, and whether the share comes back when the very
    time is sold again."""

    tiers: tuple[CancelTier, ...] = ()
    fee_minor: int = 0
    refund_if_rebooked: bool = False

    def free_hours(self, cancellation_hours: int) -> int:
        """How long before the beginning cancelling costs nothing yet; `cancellation_hours` is the space's rule."""
        return self.tiers[0].hours if self.tiers else cancellation_hours

    def as_json(self) -> dict[str, Any]:
        """As the columns of a price keep it."""
        return {
            "cancel_tiers": [tier.as_json() for tier in self.tiers],
            "cancel_fee_minor": self.fee_minor,
            "refund_if_rebooked": self.refund_if_rebooked,
        }

    @classmethod
    def of_columns(
        cls, tiers: Iterable[Mapping[str, Any]] | None, fee_minor: int, refund_if_rebooked: bool
    ) -> "CancelTerms":
        return cls(
            tuple(CancelTier(one["hours"], one["kept_percent"]) for one in tiers or ()),
            fee_minor,
            refund_if_rebooked,
        )


NO_STEPS = CancelTerms()


def tidy_terms(terms: CancelTerms) -> CancelTerms:
    """The steps from the earliest on, without those at the beginning that keep nothing at all."""
    tiers = sorted(terms.tiers, key=lambda tier: -tier.hours)
    while tiers and not tiers[0].kept_percent and not terms.fee_minor:
        tiers.pop(0)
    return replace(terms, tiers=tuple(tiers))


def terms_faults(terms: CancelTerms) -> Iterator[FieldError]:
    """All that is wrong, each at its place: `tier-1` is the first step, `tiers` all of them, `cancel_fee` the fee."""
    if not 0 <= terms.fee_minor <= MOST_FEE_MINOR:
        yield FieldError("cancel_fee", "odd-amount", N_("Give an amount from 0 to 100,000."))
    if len(terms.tiers) > MOST_TIERS:
        yield FieldError("tiers", "too-many-tiers", N_("There are at most 6 steps."))
        return
    before: CancelTier | None = None
    for n, tier in enumerate(terms.tiers, 1):
        where, field = (("row", n),), f"tier-{n}"
        if not 1 <= tier.hours <= MOST_HOURS:
            yield FieldError(
                field, "odd-hours", N_("Step %(row)d: give a time from one hour to a year before."), where
            )
        if not 0 <= tier.kept_percent <= 100:
            yield FieldError(field, "odd-share", N_("Step %(row)d: give a share from 0 to 100."), where)
        if before is not None and tier.hours >= before.hours:
            yield FieldError(
                field, "same-hours", N_("Step %(row)d: two steps begin at the same time."), where
            )
        elif before is not None and tier.kept_percent < before.kept_percent:
            yield FieldError(
                field,
                "share-falls",
                N_("Step %(row)d: the share must not get smaller towards the beginning."),
                where,
            )
        before = tier


@dataclass(frozen=True)
class DatedTier:
    """After this instant this share of the price is kept; `hours` before the beginning, as the list says it."""

    after: datetime
    kept_percent: int
    hours: int

    def as_json(self) -> dict[str, Any]:
        return {"hours": self.hours, "kept_percent": self.kept_percent, "after": self.after.isoformat()}

    @classmethod
    def of_json(cls, one: Mapping[str, Any]) -> "DatedTier":
        return cls(datetime.fromisoformat(one["after"]), one["kept_percent"], one["hours"])


Schedule = tuple[DatedTier, ...]  # never empty; instants and shares never fall


def schedule_of(
    terms: CancelTerms, start: datetime, *, cancellation_hours: int, kept_percent: int
) -> Schedule:
    """The one rule: what a booking that begins at `start` agrees to, with steps or without."""
    tiers = terms.tiers or (CancelTier(cancellation_hours, kept_percent),)
    return tuple(
        DatedTier(start - timedelta(hours=tier.hours), tier.kept_percent, tier.hours) for tier in tiers
    )


def not_before(schedule: Schedule, at: datetime) -> Schedule:
    """The same steps, none of which begins before `at`: until then cancelling costs nothing."""
    return tuple(replace(tier, after=max(tier.after, at)) for tier in schedule)


def share_at(schedule: Schedule, at: datetime) -> int | None:
    """The share that is kept at `at`; None while cancelling costs nothing, not even the fee."""
    return next((tier.kept_percent for tier in reversed(schedule) if at > tier.after), None)


def carried_on(was: Schedule, following: Schedule, *, at: datetime) -> Schedule:
    """The schedule of a booking that its own person has changed at `at`: what was due is due, and the later time only
    puts off the steps that were still ahead."""
    due = share_at(was, at)
    if due is None:
        return following
    first = min(was[0].after, following[0].after)
    if len(was) == len(following) == 1:
        return (replace(following[0], after=first),)
    begun = DatedTier(first, due, following[0].hours)
    return (begun, *(tier for tier in following if tier.kept_percent > due))


def amount_kept(total_minor: int, kept_percent: int, fee_minor: int) -> int:
    """The share, half a minor unit rounded up, and the fee; never more than the price."""
    return min(total_minor, (total_minor * kept_percent + 50) // 100 + fee_minor)


def share_of(kept_minor: int, total_minor: int) -> str:
    """What of the price is kept, as people say it: none, half, all, or part."""
    if not kept_minor:
        return "none"
    if kept_minor >= total_minor:
        return "all"
    return "half" if kept_minor == (total_minor + 1) // 2 else "part"


def steps(
    schedule: Schedule, *, total_minor: int, fee_minor: int, start: datetime
) -> list[tuple[datetime, int]]:
    """(until, minor units kept): cancelling up to and at `until` costs so much. The last one ends at `start`, each costs
    more than the one before; the first costs nothing where free cancelling has an end before `start`."""
    found: list[tuple[datetime, int]] = []
    cost = 0
    for tier in (*schedule, None):
        until = start if tier is None else min(tier.after, start)
        if not found or until > found[-1][0]:
            if found and cost == found[-1][1]:
                found.pop()
            found.append((until, cost))
        cost = cost if tier is None else amount_kept(total_minor, tier.kept_percent, fee_minor)
    return found


def kept_at(schedule: Schedule, *, total_minor: int, fee_minor: int, at: datetime) -> int:
    """Minor units kept when it is cancelled at `at`."""
    share = share_at(schedule, at)
    return 0 if share is None else amount_kept(total_minor, share, fee_minor)
