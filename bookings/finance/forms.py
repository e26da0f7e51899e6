"""The shape of the filters in the addresses of the pages of money."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from flask_babel import lazy_gettext
from wtforms import StringField

from bookings.checkout.rules import STATES
from bookings.finance.my_queries import Wanted
from bookings.finance.words import ACCOUNTS as ACCOUNT_TEXTS
from bookings.lifecycle.forms import plain_text, read_days
from bookings.lifecycle.my_forms import page_number, read_organisation
from bookings.terms.rules import read_percent
from marketplace.payments.rules import ACCOUNTS
from marketplace.web.forms import Form
from spaces.pricing.ways import WAYS

WORDS_MAX = 100


@dataclass(frozen=True)
class Asked:
    """What the address of My payments asks for. `typed` are the dates as they stand in the form, `errors` what is wrong
    with them."""

    wanted: Wanted
    page: int = 1
    typed: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, values: Mapping[str, str], *, organisations: Collection[int], today: date) -> "Asked":
        """What cannot be read filters nothing; of a date it is said. `organisations` are those that may be named."""
        (first, last), errors = read_days(values, today=today)
        state, way = values.get("state", ""), values.get("way", "")
        wanted = Wanted(
            organisation_id=read_organisation(values.get("organisation", ""), organisations),
            state=state if state in STATES else "",
            way=way if way in WAYS else "",
            first=first,
            last=last,
        )
        typed = {name: plain_text(values.get(name, ""))[:WORDS_MAX] for name in ("first", "last")}
        return cls(wanted, page_number(values.get("page", "")), typed, errors)

    @property
    def is_filtered(self) -> bool:
        return not self.wanted.is_all or bool(self.errors)

    @property
    def organisation(self) -> str:
        id_ = self.wanted.organisation_id
        return "" if id_ is None else str(id_) if id_ else "me"

    def args(self, **other: Any) -> dict[str, Any]:
        """The arguments of an address with these filters."""
        wanted = self.wanted
        values: dict[str, Any] = {
            "organisation": self.organisation,
            "state": wanted.state,
            "way": wanted.way,
            "first": wanted.first.isoformat() if wanted.first else None,
            "last": wanted.last.isoformat() if wanted.last else None,
            "page": self.page if self.page > 1 else None,
            **other,
        }
        return {name: value for name, value in values.items() if value}


def read_month(text: str, *, today: date) -> date | None:
    """2026-11 as the first day of the month, from ten years back until this month; None for anything else."""
    if len(text) != 7 or text[4] != "-" or not (text[:4] + text[5:]).isdecimal() or not text.isascii():
        return None
    year, month = int(text[:4]), int(text[5:])
    if not 1 <= month <= 12 or not today.year - 10 <= year <= today.year:
        return None
    first = date(year, month, 1)
    return first if first <= today else None


def read_year(text: str, *, today: date) -> int:
    """The year of the text, from ten years back until this year; else this year."""
    if len(text) == 4 and text.isascii() and text.isdecimal() and today.year - 10 <= int(text) <= today.year:
        return int(text)
    return today.year


class TermsForm(Form):
    """The city's fee as a percentage, and an account of the city's bookkeeping for each of the ledger's."""

    fee = StringField(lazy_gettext("The city’s fee, per cent of what private providers sell by card"))

    @property
    def basis_points(self) -> int | None:
        return read_percent(plain_text(self.fee.data)[:WORDS_MAX])

    @property
    def accounts(self) -> dict[str, str]:
        return {name: plain_text(self[name].data)[:WORDS_MAX] for name in ACCOUNTS}

    def fill(self, fee: str, accounts: Mapping[str, str]) -> None:
        self.fee.data = fee
        for name in ACCOUNTS:
            self[name].data = accounts.get(name, "")


for _account in ACCOUNTS:
    setattr(TermsForm, _account, StringField(lazy_gettext(ACCOUNT_TEXTS[_account])))
