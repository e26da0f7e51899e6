"""Reasons from a list, for a request that is declined and a booking that is cancelled.

What is kept is the code, for counting, and the words that were sent. Words from the list are shown in the reader's own
language, words of one's own as they were written.
"""

from collections.abc import Mapping
from functools import lru_cache

from flask_babel import force_locale

from marketplace.web.i18n import LANGUAGES, N_, gettext

OTHER = "other"
DECLINE_REASONS: Mapping[str, str] = {
    "not-suitable": N_("The space does not suit this use."),
    "closed": N_("The space is closed at that time."),
    "no-answer": N_("We asked for more information and did not get it."),
    "other-use": N_("Another use takes precedence at that time."),
    OTHER: N_("Another reason"),
}
CANCEL_REASONS: Mapping[str, str] = {
    "plans-changed": N_("My plans changed"),
    "found-another": N_("I found another space"),
    "not-suitable": N_("The space does not suit me"),
    "too-slow": N_("The answer took too long"),
    OTHER: N_("Another reason"),
}


def choices_of(reasons: Mapping[str, str]) -> list[tuple[str, str]]:
    """The list in the reader's language, beginning with none chosen."""
    return [("", gettext("Choose a reason")), *((code, gettext(text)) for code, text in reasons.items())]


def words_of(reasons: Mapping[str, str], code: str | None) -> str:
    """The list's words for a code in the reader's language; none for a reason of one's own."""
    return gettext(reasons[code]) if code and code != OTHER and code in reasons else ""


def shown_reason(reasons: Mapping[str, str], code: str | None, written: str | None) -> str:
    """What the reader is told: words that came from the list in their language, others as written."""
    own = written or ""
    if code is None or code == OTHER or code not in reasons:
        return own
    return gettext(reasons[code]) if own in known_words(reasons[code]) else own


@lru_cache(maxsize=64)
def known_words(text: str) -> frozenset[str]:
    """A text of the list in every language, and nothing written."""
    found = {""}
    for language in LANGUAGES:
        with force_locale(language):
            found.add(gettext(text))
    return frozenset(found)
