"""A space's rules in the reader's words: for its own page, for the checkout, and for its owner who is changing them."""

from collections.abc import Sequence
from typing import Any

from marketplace.web import i18n
from marketplace.web.i18n import DASH, format_duration, format_number, localised
from spaces.calendar.rules import BookingRules
from spaces.catalog.models import Space, SpaceQuestion
from spaces.pricing.present import GROUP_NAMES


def gettext(text: str, **values: Any) -> str:
    """Flask-Babel's, with a type."""
    return str(i18n.gettext(text, **values))


def ngettext(one: str, many: str, num: int, **values: Any) -> str:
    return str(i18n.ngettext(one, many, num, **values))


def length_rule(rules: BookingRules) -> str:
    """1–3 h, starts every 30 min."""
    first, last = rules.lengths()[0], rules.lengths()[-1]
    if rules.whole_days:
        days = max(1, rules.longest // 1440)
        return ngettext("One day at a time", "At most %(num)s days at a time", days)
    if first == last:
        return gettext("%(length)s at a time", length=format_duration(first))
    if first >= 60 and last < 1440:
        hours = f"{format_number(first / 60)}{DASH}{format_number(last / 60)}"
        return gettext("%(hours)s h", hours=hours)
    return gettext(
        "%(shortest)s to %(longest)s", shortest=format_duration(first), longest=format_duration(last)
    )


def time_texts(space: Space, rules: BookingRules, free_hours: int) -> list[str]:
    """How long, how often, how far ahead, and until when it may be given back."""
    texts = []
    if rules.whole_days:
        texts.append(gettext("Booked by whole days."))
    else:
        texts.append(
            gettext(
                "Length %(length)s. A booking can start every %(interval)s.",
                length=length_rule(rules),
                interval=format_duration(rules.interval_minutes),
            )
        )
    if rules.notice_minutes:
        texts.append(gettext("Book at least %(notice)s ahead.", notice=format_duration(rules.notice_minutes)))
    texts.append(
        gettext("Can be booked up to %(days)s ahead.", days=format_duration(rules.horizon_days * 1440))
    )
    texts += buffer_texts(rules)
    if free_hours:
        hours = format_duration(free_hours * 60)
        texts.append(gettext("Cancel free of charge at least %(hours)s before.", hours=hours))
    else:
        texts.append(gettext("Cancel free of charge until the booking begins."))
    return texts


def buffer_texts(rules: BookingRules) -> list[str]:
    before, after = rules.buffer_before_minutes, rules.buffer_after_minutes
    if before and after:
        return [
            gettext(
                "Kept free before a booking %(before)s, after it %(after)s.",
                before=format_duration(before),
                after=format_duration(after),
            )
        ]
    if before:
        return [gettext("Kept free before a booking: %(before)s.", before=format_duration(before))]
    return [gettext("Kept free after a booking: %(after)s.", after=format_duration(after))] if after else []


def who_text(space: Space, members: Sequence[str]) -> str:
    """Who may book; "" where anyone may."""
    if space.who == "verified":
        return gettext("Only people whose identity the city has confirmed can book.")
    if space.who == "organisations":
        return gettext("Only associations and other organisations can book.")
    if space.who == "members" and not members:
        return gettext("Only members of certain organisations can book.")
    if space.who == "members":
        return gettext(
            "Only these organisations and their members can book: %(names)s.", names=joined(members)
        )
    return ""


def joined(names: Sequence[str]) -> str:
    return ", ".join(names)


def age_text(space: Space) -> str:
    """Whose age counts; "" without a limit."""
    texts = []
    if space.min_age:
        texts.append(
            gettext("Whoever books is at least %(years)d years old on the day.", years=space.min_age)
        )
    if space.max_age:
        years = space.max_age
        texts.append(
            gettext("Whoever books for themselves is at most %(years)d years old on the day.", years=years)
        )
    return " ".join(texts)


def approval_text(space: Space, trusted: Sequence[str]) -> str:
    """Who confirms; "" where every booking is confirmed at once."""
    if space.approval == "handler":
        return gettext("The owner confirms each booking.")
    if space.approval == "trusted":
        groups = [gettext(GROUP_NAMES[code]) for code in space.trusted_groups if code in GROUP_NAMES]
        names = joined([*groups, *trusted])
        if not names:
            return gettext("The owner confirms each booking.")
        return gettext(
            "Confirmed at once: %(names)s. The owner confirms the bookings of others.", names=names
        )
    return ""


def limit_texts(space: Space) -> list[str]:
    """How many bookings and hours at a time."""
    texts = []
    if most := space.max_open_per_person:
        texts.append(
            ngettext(
                "A person has at most %(num)d open booking here at a time.",
                "A person has at most %(num)d open bookings here at a time.",
                most,
            )
        )
    if most := space.max_open_per_organisation:
        texts.append(
            ngettext(
                "An organisation has at most %(num)d open booking here at a time.",
                "An organisation has at most %(num)d open bookings here at a time.",
                most,
            )
        )
    if hours := space.quota_hours:
        texts.append(
            gettext("At most %(hours)d h in a week, for each organisation and each person.", hours=hours)
            if space.quota_period == "week"
            else gettext(
                "At most %(hours)d h in a calendar month, for each organisation and each person.", hours=hours
            )
        )
    return texts


def attendance_text(space: Space) -> str:
    """How many come; "" where nobody asks."""
    least, most = space.attendees_min, space.attendees_max
    if least and most:
        return gettext("For %(least)s to %(most)s people. The number is asked.", least=least, most=most)
    if least:
        return gettext("For at least %(least)s people. The number is asked.", least=least)
    return gettext("For at most %(most)s people. The number is asked.", most=most) if most else ""


def question_text(questions: Sequence[SpaceQuestion]) -> str:
    """What is asked at the checkout; "" where nothing is."""
    labels = [localised(question.labels) for question in questions]
    return gettext("The owner asks: %(questions)s", questions=" · ".join(labels)) if labels else ""


def rule_texts(
    space: Space,
    rules: BookingRules,
    *,
    members: Sequence[str] = (),
    trusted: Sequence[str] = (),
    questions: Sequence[SpaceQuestion] = (),
    has_terms: bool = False,
    free_hours: int | None = None,
) -> list[str]:
    """Every rule as a sentence: first who, then how it is confirmed, how much and when, and what is asked. `free_hours` is
    until when cancelling is free of charge, where the price says something else than the rules."""
    terms = gettext("You accept the terms of the space when you book.") if has_terms else ""
    texts = [
        who_text(space, members),
        age_text(space),
        *time_texts(space, rules, space.cancellation_hours if free_hours is None else free_hours),
        approval_text(space, trusted),
        *limit_texts(space),
        attendance_text(space),
        question_text(questions),
        terms,
    ]
    return [text for text in texts if text]
