"""What cancelling costs when, in the reader's words: the list that is drawn as a line."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from marketplace.money import Money
from marketplace.web.i18n import (
    N_,
    format_clock,
    format_day,
    format_duration,
    format_money,
    gettext,
    reader_language,
)
from spaces.pricing.cancelling import CancelTerms, schedule_of, share_of, steps
from spaces.pricing.rules import Quote

WHATS = {
    "none": N_("Free of charge"),
    "half": N_("Half of the price is kept, %(price)s"),
    "part": N_("%(price)s is kept"),
    "all": N_("The whole price is kept, %(price)s"),
}
AT = {"fi": " klo\xa0", "sv": " kl.\xa0", "en": ", "}


@dataclass(frozen=True)
class CancelRow:
    """One stretch of the line: what is kept, until when. `share` is none, half, part or all; `place` over, now or ahead."""

    share: str
    what: str
    when: str
    place: str


@dataclass(frozen=True)
class CancelLine:
    """The whole line, and what is to be said beside it."""

    rows: list[CancelRow]
    notes: list[str]


def moment_text(at: datetime, zone: ZoneInfo) -> str:
    """pe 4.12. klo 17.00."""
    local = at.astimezone(zone)
    return f"{format_day(local.date())}{AT[reader_language()]}{format_clock(local)}"


def cancel_line(
    found: Sequence[tuple[datetime, int]],
    *,
    total: Money,
    fee_minor: int,
    refund_if_rebooked: bool,
    zone: ZoneInfo,
    at: datetime | None,
) -> CancelLine | None:
    """The line of these steps, as seen `at`, or at no time (None); None where cancelling never costs anything."""
    if not total or not any(kept for _, kept in found):
        return None
    rows, before = [], None
    for until, kept in found:
        is_last = until == found[-1][0]
        if not is_last:
            when = gettext("until %(time)s", time=moment_text(until, zone))
        else:
            when = gettext("after that") if before else gettext("until the booking begins")
        place = place_of(before, until, at)
        share = share_of(kept, total.minor)
        price = format_money(Money(kept, total.currency))
        rows.append(CancelRow(share, gettext(WHATS[share], price=price), when, place))
        before = until
    notes = []
    fee = format_money(Money(min(fee_minor, total.minor), total.currency))
    if fee_minor:
        notes.append(gettext("What is kept includes a cancellation fee of %(price)s.", price=fee))
    if refund_if_rebooked:
        notes.append(
            gettext("If somebody else books the whole time again, all but the fee comes back.")
            if fee_minor
            else gettext("If somebody else books the whole time again, what was kept comes back.")
        )
    return CancelLine(rows, notes)


def place_of(since: datetime | None, until: datetime, at: datetime | None) -> str:
    if at is None:
        return "ahead"
    if until < at:
        return "over"
    return "now" if since is None or since < at else "ahead"


def line_before_booking(
    cost: Quote, start: datetime, *, cancellation_hours: int, zone: ZoneInfo, at: datetime
) -> CancelLine | None:
    """The line of a booking that could be made now; None where one sentence says it all: no steps, no fee."""
    terms = cost.cancel
    if terms == CancelTerms():
        return None
    schedule = schedule_of(
        terms, start, cancellation_hours=cancellation_hours, kept_percent=cost.kept_percent
    )
    return cancel_line(
        steps(schedule, total_minor=cost.total.minor, fee_minor=terms.fee_minor, start=start),
        total=cost.total,
        fee_minor=terms.fee_minor,
        refund_if_rebooked=terms.refund_if_rebooked,
        zone=zone,
        at=at,
    )


def terms_texts(terms: CancelTerms, currency: str) -> list[str]:
    """What a price list says of cancelling, as sentences for its owner."""
    texts = [
        gettext(
            "Cancelled less than %(time)s before, %(share)s %% of the price is kept.",
            time=format_duration(tier.hours * 60),
            share=tier.kept_percent,
        )
        for tier in terms.tiers
    ]
    if terms.fee_minor:
        fee = format_money(Money(terms.fee_minor, currency))
        texts.append(gettext("Cancellation fee: %(price)s.", price=fee))
    if terms.refund_if_rebooked:
        texts.append(gettext("What is kept comes back when the whole time is booked again."))
    return texts
