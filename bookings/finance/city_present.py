"""What the city's staff look after, in words; and the ledger's month as its bookkeeping wants it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import url_for

from bookings.finance.city_queries import OTHER_MODE, Balance, Item, Place
from bookings.finance.words import (
    ACCOUNTS,
    DISPUTE_STATES,
    EVENT_CONTRADICTS,
    EVENT_PROBLEMS,
    ORDER_STATES,
    PAYMENT_STATES,
    REFUND_STATES,
)
from bookings.invoices.models import CostObject
from bookings.lifecycle.pages import gettext
from bookings.terms.rules import percent_text
from marketplace.cities.models import City
from marketplace.errors import N_
from marketplace.money import Money
from marketplace.payments.models import LedgerEntry, LedgerLine
from marketplace.payments.rules import ACCOUNTS as IN_ORDER
from marketplace.web.i18n import format_clock, format_day, ngettext, reader_language

SHOW_TEXTS: Mapping[str, str] = {
    "open": N_("Unpaid"),
    "failed": N_("Failed"),
    "late": N_("Paid late"),
    "disputed": N_("Disputed"),
    "refunds": N_("Refunds that failed"),
    "events": N_("Messages not understood"),
}
EXPLAINED: Mapping[str, str] = {
    "open": N_(
        "Orders that wait for their money. They are paid, or end by themselves when their time is over."
    ),
    "failed": N_("Payments that did not go through. The payer can try again as long as the time is held."),
    "late": N_(
        "Paid after the time to pay was over. The booking was restored, or the money goes back by itself."
    ),
    "disputed": N_("The payer’s bank asks for the money back. Answer it in the payment service."),
    "refunds": N_("Money that should have gone back to the payer and did not."),
    "events": N_("What the payment service told and we could not act upon."),
}
NOTHING: Mapping[str, str] = {
    "open": N_("Nothing waits for its money"),
    "failed": N_("No payment has failed"),
    "late": N_("Nothing was paid late"),
    "disputed": N_("Nothing is disputed"),
    "refunds": N_("Every refund has gone through"),
    "events": N_("Every message was understood"),
}
# What only the city's own sales have.
OF_PLACES = ("income", "kept_fee", "refunds")


@dataclass(frozen=True)
class ItemRow:
    """One row of a list. `retry` is the address to try it again at, where that is possible."""

    id: int
    title: str
    url: str | None
    who: str
    when: str
    state: tuple[str, str]
    note: str
    amount: Money | None
    retry: str | None


@dataclass(frozen=True)
class BalanceRow:
    label: str
    before: Money
    debit: Money
    credit: Money
    after: Money


def tabs_of(counts: Mapping[str, int], show: str) -> list[tuple[str, str, int, bool]]:
    """(text, address, how many, whether it is the shown one) of each list."""
    return [
        (gettext(text), url_for("finance.city", show=one), counts[one], one == show)
        for one, text in SHOW_TEXTS.items()
    ]


def headline_of(waiting: int) -> str:
    """The finding, before the figures."""
    if not waiting:
        return gettext("Nothing needs you just now.")
    text: str = ngettext("%(num)d thing needs you.", "%(num)d things need you.", waiting)
    return text


def item_row(item: Item, show: str, city: City) -> ItemRow:
    at = item.at.astimezone(city.zone)
    return ItemRow(
        item.id,
        item.number or item.state,
        url_for("checkout.receipt", number=item.number) if item.number and item.who else None,
        item.who,
        f"{format_day(at.date(), year=True)} {format_clock(at)}",
        state_of(item, show),
        note_of(item, show, city),
        Money(item.amount_minor, item.currency) if item.currency else None,
        retry_of(item, show),
    )


def state_of(item: Item, show: str) -> tuple[str, str]:
    if show == "events":
        return "error", gettext("Not acted upon")
    if show in {"open", "late"}:
        kind, text = ORDER_STATES[item.state]
        return kind, gettext(text)
    if show == "disputed":
        kind, text = DISPUTE_STATES[item.state]
        return kind, gettext(text)
    texts = PAYMENT_STATES if show == "failed" else REFUND_STATES
    return "error", gettext(texts[item.state])


def note_of(item: Item, show: str, city: City) -> str:
    """What else is to be told of it; a payment service's own words are given as they are."""
    if show == "events":
        return gettext(EVENT_PROBLEMS.get(item.code, EVENT_CONTRADICTS))
    if show == "open" and item.until is not None:
        until = item.until.astimezone(city.zone)
        when = f"{format_day(until.date())} {format_clock(until)}"
        return gettext("to be paid by %(when)s", when=when)
    return item.code


def retry_of(item: Item, show: str) -> str | None:
    if show == "refunds":
        return url_for("finance.again_refund", refund_id=item.id)
    if show == "events" and item.code != OTHER_MODE:
        return url_for("finance.again_event", event_id=item.id)
    return None


def account_text(account: str, basis_points: int | None) -> str:
    text = gettext(ACCOUNTS[account])
    return f"{text} {percent(basis_points)} %" if basis_points is not None else text


def percent(basis_points: int) -> str:
    """7,5 as the reader's language writes it."""
    return percent_text(basis_points, point="." if reader_language() == "en" else ",")


def balance_rows(balances: Sequence[Balance], city: City) -> list[BalanceRow]:
    """In the order of the ledger's own list of accounts."""

    def money(minor: int) -> Money:
        return Money(minor, city.currency)

    return [
        BalanceRow(
            account_text(one.account, one.vat_basis_points),
            money(one.before_minor),
            money(one.debit_minor),
            money(one.credit_minor),
            money(one.after_minor),
        )
        for one in sorted(balances, key=lambda one: (IN_ORDER.index(one.account), one.vat_basis_points or 0))
    ]


def books_header() -> list[str]:
    """Stable names for a program that reads them, whatever the reader's language."""
    return [
        "posting_date",
        "document",
        "kind",
        "reference",
        "account",
        "gl_account",
        "cost_centre",
        "internal_order",
        "vat_percent",
        "debit",
        "credit",
        "currency",
        "party",
    ]


def books_cells(
    entry: LedgerEntry,
    line: LedgerLine,
    party: str | None,
    *,
    city: City,
    accounts: Mapping[str, str],
    cost: CostObject | None,
) -> list[str | int | None]:
    """One line for the city's bookkeeping: cost objects stand on income, before the account that the city named for it."""
    own = cost if line.account in OF_PLACES else None
    rate, amount = line.vat_basis_points, line.amount_minor
    return [
        entry.at.astimezone(city.zone).date().isoformat(),
        str(entry.id),
        entry.kind,
        entry.reference,
        line.account,
        (own.gl_account if own is not None else "") or accounts.get(line.account, ""),
        own.cost_centre if own is not None else "",
        own.internal_order if own is not None else "",
        percent_text(rate) if rate is not None else None,
        amount if amount > 0 else None,
        -amount if amount < 0 else None,
        entry.currency,
        party,
    ]


def cost_of(place: Place | None, named: Mapping[tuple[int, int | None], CostObject]) -> CostObject | None:
    """The place's own, else its owner's."""
    if place is None:
        return None
    return named.get((place.owner_id, place.venue_id)) or named.get((place.owner_id, None))
