"""Accessibility in the reader's words: groups with their sentences, what nobody has told, whom a place suits."""

from collections.abc import Collection
from dataclasses import dataclass

from marketplace.db import Localised
from marketplace.web.i18n import gettext, localised
from spaces.catalog.accessibility import GROUPS, VIEWPOINTS, Known, told_groups, untold_groups
from spaces.catalog.present import in_a_row

# Registers that sentences come from, as people know them.
SOURCES = {"tprek": "Palvelukartta"}


@dataclass(frozen=True)
class AccessGroup:
    """A heading with its sentences, as localised texts so that the page can mark another language."""

    heading: str
    sentences: tuple[Localised, ...]


def group_name(group: str) -> str:
    return str(gettext(GROUPS[group]))


def access_groups(known: Known) -> list[AccessGroup]:
    return [
        AccessGroup(localised(told.heading) if told.heading else group_name(told.group), told.sentences)
        for told in told_groups(known)
    ]


def untold_text(known: Known) -> str:
    """The owner has not told about: toilet, hearing. Nothing where each group has something."""
    names = [group_name(group) for group in untold_groups(known)]
    text = in_a_row([lowered(name) for name in names])
    return str(gettext("The owner has not told about: %(list)s.", list=text)) if names else ""


def lowered(name: str) -> str:
    """As it stands inside a sentence."""
    return name[:1].lower() + name[1:]


@dataclass(frozen=True)
class AccessSection:
    """What the page of a space says of it."""

    groups: list[AccessGroup]
    untold: str
    suits: str
    sources: str


def access_section(known: Known) -> AccessSection:
    names = [gettext(VIEWPOINTS[code].label) for code in known.suits]
    sources = sorted({SOURCES.get(one.source, one.source) for one in known.sentences})
    return AccessSection(
        access_groups(known),
        untold_text(known),
        in_a_row([lowered(name) for name in names]),
        ", ".join(sources),
    )


def viewpoint_rows(suits: Collection[str]) -> list[tuple[str, str, bool]]:
    """(whom, the rule in words, whether it suits)."""
    return [(gettext(point.label), gettext(point.rule), code in suits) for code, point in VIEWPOINTS.items()]


def sentence_rows(known: Known) -> list[tuple[Localised, bool]]:
    """(text, whether the page shows it) of each imported sentence."""
    return [(sentence.texts, sentence.holds(known.has, known.lacks)) for sentence in known.sentences]
