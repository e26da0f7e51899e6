"""The filters of My bookings in the reader's words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import url_for

from bookings.lifecycle.my_forms import Asked
from bookings.lifecycle.my_queries import Wanted
from bookings.lifecycle.pages import STATES, gettext
from marketplace.accounts.models import Organisation
from marketplace.web.i18n import N_, format_day

SHOW_TEXTS: Mapping[str, str] = {
    "upcoming": N_("Upcoming"),
    "past": N_("Past"),
    "cancelled": N_("Cancelled and declined"),
}


@dataclass(frozen=True)
class Tag:
    """A chosen filter and the address without it."""

    label: str
    url: str


@dataclass(frozen=True)
class Choices:
    """The options of the filters: value and text."""

    shows: list[tuple[str, str]]
    organisations: list[tuple[str, str]]
    states: list[tuple[str, str]]


def choices_of(organisations: Sequence[Organisation]) -> Choices:
    return Choices(
        [("", gettext("All")), *((show, gettext(text)) for show, text in SHOW_TEXTS.items())],
        [
            ("", gettext("All")),
            ("me", gettext("Only for myself")),
            *((str(one.id), one.name) for one in organisations),
        ],
        [("", gettext("Any state")), *((state, gettext(text)) for state, (_, text) in STATES.items())],
    )


def heading_of(wanted: Wanted) -> str:
    return gettext(SHOW_TEXTS.get(wanted.show, N_("Bookings")))


def tags_of(asked: Asked, organisations: Sequence[Organisation]) -> list[Tag]:
    """The filters that are on, each removable."""
    wanted = asked.wanted
    names = {0: gettext("Only for myself"), **{one.id: one.name for one in organisations}}
    labels: list[tuple[str, str]] = []
    if wanted.show:
        labels.append(("show", gettext(SHOW_TEXTS[wanted.show])))
    if wanted.organisation_id is not None:
        labels.append(("organisation", names.get(wanted.organisation_id, "")))
    if wanted.state:
        labels.append(("state", gettext(STATES[wanted.state][1])))
    if wanted.words:
        labels.append(("space", wanted.words))
    if wanted.first:
        labels.append(("first", gettext("From %(day)s", day=format_day(wanted.first, year=True))))
    if wanted.last:
        labels.append(("last", gettext("Until %(day)s", day=format_day(wanted.last, year=True))))
    return [
        Tag(label, url_for("my.bookings", **asked.args(page=None, **{name: None}))) for name, label in labels
    ]
