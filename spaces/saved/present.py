"""What the page of saved searches says, in the reader's language."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import url_for

from marketplace.cities.models import City
from marketplace.web.i18n import (
    format_clock,
    format_day,
    format_number,
    gettext,
    ngettext,
    reader_language,
)
from spaces.saved.models import SavedSearch
from spaces.saved.rules import MOST_SPACES, is_over


@dataclass(frozen=True)
class Row:
    """A saved search of the list."""

    id: int
    name: str
    summary: str  # the question in words, where the person has named it otherwise
    lang: str | None  # of the words, where they are not in the reader's language
    whose: str
    kind: str  # of the status label
    state: str
    notify: bool
    ended: bool
    more: list[str]
    url: str


def rows_of(found: list[tuple[SavedSearch, str | None]], city: City, *, at: datetime) -> list[Row]:
    """Those that go on first."""
    rows = [row_of(saved, organisation, city, at=at) for saved, organisation in found]
    return sorted(rows, key=lambda row: row.ended)


def row_of(saved: SavedSearch, organisation: str | None, city: City, *, at: datetime) -> Row:
    local = at.astimezone(city.zone)
    ended = is_over(saved.ends_on, saved.last_day, saved.end_minute, local=local)
    kind, state = state_of(saved, ended)
    return Row(
        id=saved.id,
        name=saved.name,
        summary=saved.summary if not saved.summary.startswith(saved.name) else "",
        lang=saved.language if saved.language != reader_language() else None,
        whose=organisation or "",
        kind=kind,
        state=state,
        notify=saved.notify,
        ended=ended,
        more=facts_of(saved, city, ended=ended),
        url=address_of(saved.params),
    )


def address_of(params: dict[str, Any]) -> str:
    """Where the question is asked again."""
    return url_for("search.results", **params)


def state_of(saved: SavedSearch, ended: bool) -> tuple[str, str]:
    """(kind of label, words)"""
    if ended:
        return "neutral", gettext("Ended: the dates have passed")
    if saved.is_unreadable:
        return "error", gettext("Cannot be searched any more: open it and correct it")
    if not saved.notify:
        return "neutral", gettext("No mail")
    if saved.is_wide:
        return "alert", gettext("No mail now")
    return "success", gettext("Mail when something frees up")


def facts_of(saved: SavedSearch, city: City, *, ended: bool) -> list[str]:
    facts = []
    if saved.is_wide and not ended:
        facts.append(
            gettext(
                "More than %(count)s spaces or days are free already. Narrow the search to be told of more.",
                count=format_number(MOST_SPACES),
            )
        )
    if saved.checked_at is not None and not (saved.is_wide or saved.is_unreadable or ended):
        free = len(saved.known)
        facts.append(
            gettext("Nothing was free when last looked at, %(time)s", time=moment(saved.checked_at, city))
            if not free
            else ngettext(
                "%(num)s free when last looked at, %(time)s",
                "%(num)s free when last looked at, %(time)s",
                free,
                time=moment(saved.checked_at, city),
            )
        )
    if saved.told_at:
        facts.append(gettext("Last mail %(time)s", time=moment(saved.told_at[-1], city)))
    if not ended:
        facts.append(gettext("Until %(day)s", day=format_day(saved.ends_on, year=True)))
    return facts


def moment(at: datetime, city: City) -> str:
    local = at.astimezone(city.zone)
    return f"{format_day(local.date())} {format_clock(local)}"
