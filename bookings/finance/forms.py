"""The shape of the filters in the addresses of the pages of money."""

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from flask_babel import lazy_gettext
from wtforms import StringField

from bookings.checkout.rules import STATES
from bookings.finance.my_queries import Wanted
from bookings.finance.words import ACCOUNTS as ACCOUNT_TEXTS
from bookings.lifecycle.forms import plain_text, read_days
from bookings.lifecycle.my_forms import AskedOf, page_number, read_organisation, typed_days
from bookings.terms.rules import read_percent
from marketplace.payments.rules import ACCOUNTS
from marketplace.web.forms import Form
from spaces.pricing.ways import WAYS

WORDS_MAX = 100


class Asked(AskedOf[Wanted]):
    """What the address of My payments asks for."""

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
        return cls(wanted, page_number(values.get("page", "")), typed_days(values), errors)

    def args(self, **other: Any) -> dict[str, Any]:
        """The arguments of an address with these filters."""
        return self.address({"state": self.wanted.state, "way": self.wanted.way}, other)


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
