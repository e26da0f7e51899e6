"""A supplier's income and payouts in the reader's words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from babel.dates import format_date

from bookings.finance.income_queries import IncomeLine
from bookings.finance.rules import MonthIncome
from bookings.finance.words import ACCOUNTS, PAYEE_STATES, PAYOUT_STATES, missing_texts
from bookings.terms.rules import percent_text
from marketplace.accounts.models import Organisation
from marketplace.cities.models import City
from marketplace.money import Money
from marketplace.payments.models import Payee, Payout
from marketplace.web.i18n import format_day, gettext, reader_language


@dataclass(frozen=True)
class MonthRow:
    """A month, or a whole year, of income; `back` and `fee` are shown as what goes away."""

    label: str
    sold: Money
    back: Money
    vat: Money
    fee: Money
    left: Money


@dataclass(frozen=True)
class PayoutRow:
    arrives: str
    state: tuple[str, str]
    amount: Money


def month_name(month: date) -> str:
    """November 2026, in the reader's language."""
    return format_date(month, "LLLL y", locale=reader_language()).capitalize()


def percent(basis_points: int) -> str:
    """7,5 as the reader's language writes it."""
    return percent_text(basis_points, point="." if reader_language() == "en" else ",")


def month_row(income: MonthIncome, city: City) -> MonthRow:
    def money(minor: int) -> Money:
        return Money(minor, city.currency)

    return MonthRow(
        month_name(income.month),
        money(income.sold_minor),
        money(-income.back_minor),
        money(income.vat_minor),
        money(-income.fee_minor),
        money(income.left_minor),
    )


def payout_row(payout: Payout) -> PayoutRow:
    kind, text = PAYOUT_STATES[payout.state]
    return PayoutRow(
        format_day(payout.arrives_on, year=True),
        (kind, gettext(text)),
        Money(payout.amount_minor, payout.currency),
    )


def account_state(account: Payee | None) -> tuple[str, str]:
    """Kind and text of the state of a supplier's account."""
    kind, text = PAYEE_STATES[account.state if account is not None else ""]
    return kind, gettext(text)


def missing_of(account: Payee | None) -> list[str]:
    return (
        [gettext(text) for text in missing_texts(list(account.requirements))] if account is not None else []
    )


def supplier_options(suppliers: Sequence[Organisation], chosen: Organisation) -> list[tuple[str, str]]:
    """The owners to choose from; the chosen one is among them also when it has no place any more."""
    options = [(str(one.id), one.name) for one in suppliers]
    return options if str(chosen.id) in dict(options) else [(str(chosen.id), chosen.name), *options]


def income_header() -> list[str]:
    return [
        gettext("Date"),
        gettext("Order number"),
        gettext("Account"),
        gettext("VAT %"),
        gettext("Amount"),
    ]


def income_cells(line: IncomeLine, city: City) -> list[str | int | None]:
    rate = line.vat_basis_points
    return [
        line.at.astimezone(city.zone).date().isoformat(),
        line.reference,
        gettext("Income, with VAT") if line.account == "supplier" else gettext(ACCOUNTS[line.account]),
        percent_text(rate) if rate is not None else None,
        line.amount_minor,
    ]
