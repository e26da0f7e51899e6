"""Equipment in the reader's words."""

from typing import Any

from marketplace.cities.models import City
from marketplace.errors import N_
from marketplace.money import Money
from marketplace.web import i18n
from marketplace.web.i18n import format_money, format_number, format_span, localised
from spaces.calendar.lanes import Peak
from spaces.equipment.queries import OfferedExtra
from spaces.pricing.rules import ExtraTerms

PER_TEXTS = {
    "free": N_("free of charge"),
    "booking": N_("%(price)s each"),
    "hour": N_("%(price)s/h each"),
    "day": N_("%(price)s/day each"),
}


def gettext(text: str, **values: Any) -> str:
    """Flask-Babel's, with a type."""
    return str(i18n.gettext(text, **values))


def price_text(terms: ExtraTerms) -> str:
    """ "€2.00/h each"; free of charge."""
    return amount_text(terms.per, terms.amount)


def amount_text(per: str, amount: Money) -> str:
    return gettext(PER_TEXTS[per], price=format_money(amount)) if per != "free" else gettext(PER_TEXTS[per])


def offer_text(one: OfferedExtra) -> str:
    """Tables: 20 there, €2.00 each."""
    return gettext(
        "%(name)s: %(stock)s there, %(price)s",
        name=localised(one.extra.names),
        stock=format_number(one.stock),
        price=price_text(one.terms),
    )


def peak_text(peak: Peak, city: City) -> str:
    """Tue 1 Dec 2026, 18.00–20.00: 12 promised."""
    span = format_span(peak.span.start.astimezone(city.zone), peak.span.end.astimezone(city.zone), year=True)
    return gettext("%(time)s: %(pieces)s promised", time=span, pieces=format_number(peak.pieces))
