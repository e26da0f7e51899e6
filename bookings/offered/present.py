"""Offers in the reader's words: why, when, for whom, and what one press does. No writes, no decisions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from babel.dates import format_date
from flask import url_for

from bookings.lifecycle.forms import new_submission
from bookings.lifecycle.pages import (
    Kept,
    button_text,
    drawing,
    gettext,
    local,
    place_text,
    space_url,
    time_args,
    time_text,
)
from bookings.offered.finding import Offered
from marketplace.cities.models import City
from marketplace.web.i18n import N_, format_money, format_span, localised, ngettext, reader_language
from spaces.pricing.present import from_text

WEEKDAYS = (
    N_("on Mondays"),
    N_("on Tuesdays"),
    N_("on Wednesdays"),
    N_("on Thursdays"),
    N_("on Fridays"),
    N_("on Saturdays"),
    N_("on Sundays"),
)


@dataclass(frozen=True)
class Card:
    """One offer on the page. `action` and `fields` are of the form that books it; without an action `href` leads to the
    checkout with all that is known filled in."""

    name: str
    url: str
    drawing: str
    when: str
    chip: str
    price: str
    why: str
    facts: list[str]
    button: str
    said: str
    asks: bool
    action: str | None
    href: str
    fields: Mapping[str, str]
    organisation: str
    space_id: int
    meeting: str
    meeting_name: str


def card(one: Offered, city: City, *, today: date) -> Card:
    found = one.found
    space, wish = found.space, found.wish
    name = place_text(space, found.venue)
    total = one.price.total
    whom = str(one.organisation.id) if one.organisation else "myself"
    kept = Kept(
        organisation=whom, purpose=wish.purpose, people=str(wish.people) if wish.people is not None else ""
    )
    args = time_args(found.during, city, whole_days=space.whole_days)
    price = format_money(total) if total else gettext("free of charge")
    facts = [
        wish.purpose,
        str(ngettext("%(num)d person", "%(num)d people", wish.people)) if wish.people else "",
        gettext("for %(organisation)s", organisation=one.organisation.name)
        if one.organisation
        else gettext("for myself"),
        gettext("payment is agreed with the owner") if total or one.is_least else "",
    ]
    return Card(
        name=name,
        url=space_url(space.id, found.during, city),
        drawing=drawing(space),
        when=time_text(found.during, city),
        chip=format_span(*local(found.during, city)),
        price=from_text(price) if one.is_least else price,
        why=reason_text(one, city, today=today),
        facts=[fact for fact in facts if fact],
        button=button_text(total, by_request=not one.at_once, is_least=one.is_least)
        if one.one_press or not one.at_once
        else gettext("Go on to book, %(price)s", price=from_text(price) if one.is_least else price),
        said=gettext("Book") if one.at_once else gettext("Request"),
        asks=not one.at_once,
        action=url_for("offered.press") if one.one_press else None,
        href=url_for("lifecycle.new", space_id=space.id, **args, **kept.as_args()),
        fields={
            "space": str(space.id),
            **args,
            "organisation": whom,
            "purpose": wish.purpose,
            "people": kept.people,
            "total": str(total.minor),
            "submission": new_submission(),
        },
        organisation=whom,
        space_id=space.id,
        meeting=wish.meeting,
        meeting_name=wish.purpose,
    )


def reason_text(one: Offered, city: City, *, today: date) -> str:
    """Why this is offered, in one sentence, and how it differs from the last time where it does."""
    found, facts = one.found, one.found.wish.facts
    ours = {"organisation": one.organisation.name} if one.organisation else {}
    source = found.wish.source
    if source == "annual":
        text = annual_text(one, facts["was_on"], ours, today=today)
    elif source == "habit":
        name = WEEKDAYS[facts["weekday"]]
        weekdays = gettext(name)
        text = (
            gettext("%(organisation)s is usually here %(weekdays)s.", weekdays=weekdays, **ours)
            if ours
            else gettext("You are usually here %(weekdays)s.", weekdays=weekdays)
        )
    elif source == "again":
        text = again_text(facts["times"], ours)
    elif source == "home":
        district = localised(found.district_names)
        text = gettext("Free in your home district, %(district)s.", district=district)
    elif one.organisation and one.organisation.kind == "association":
        text = gettext("At least %(num)s associations like yours use this.", num=facts["organisations"])
    else:
        text = gettext("At least %(num)s organisations like yours use this.", num=facts["organisations"])
    if found.is_near and source == "annual":
        nearest = gettext("That hour is taken; this is the nearest free time of the day.")
        text = f"{text} {nearest}"
    return text


def annual_text(one: Offered, was_on: date, ours: dict[str, str], *, today: date) -> str:
    values: dict[str, Any] = {"day": day_of_month(was_on), **ours}
    if one.found.instead_of is not None:
        values["place"] = place_text(*one.found.instead_of)
        if ours:
            return gettext(
                "%(organisation)s met at %(place)s on %(day)s. It cannot be had now; this is similar and near by.",
                **values,
            )
        return gettext(
            "You met at %(place)s on %(day)s. It cannot be had now; this is similar and near by.", **values
        )
    if was_on.year == today.year:
        if ours:
            return gettext("%(organisation)s met here on %(day)s this year.", **values)
        return gettext("You met here on %(day)s this year.", **values)
    if ours:
        return gettext("%(organisation)s met here on %(day)s last year.", **values)
    return gettext("You met here on %(day)s last year.", **values)


def again_text(times: int, ours: dict[str, str]) -> str:
    if ours:
        return str(
            ngettext(
                "%(organisation)s has booked this %(num)d time in a year.",
                "%(organisation)s has booked this %(num)d times in a year.",
                times,
                **ours,
            )
        )
    return str(
        ngettext(
            "You have booked this %(num)d time in a year.",
            "You have booked this %(num)d times in a year.",
            times,
        )
    )


def day_of_month(day: date) -> str:
    """26 November, as each language says it within a sentence."""
    language = reader_language()
    pattern = {"fi": "d. MMMM", "sv": "d MMMM", "en": "d MMMM"}[language]
    return str(format_date(day, pattern, locale=language))
