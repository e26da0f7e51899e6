"""Refusals around saved searches."""

from marketplace.errors import N_, Conflict, FieldError, Invalid, NotFound
from spaces.saved.rules import LONGEST_NAME, MOST_SAVED


class SearchNotFound(NotFound):
    code = "saved-search-not-found"
    title = N_("There is no such saved search. It may have been removed.")


class TooManySaved(Conflict):
    code = "too-many-saved-searches"
    title = N_("You have saved as many searches as one can. Remove one first.")

    def __init__(self) -> None:
        super().__init__(most=MOST_SAVED)


class NothingAsked(Conflict):
    code = "nothing-asked"
    title = N_("Say what, where or when you look for, then save the search.")


class NotUnderstood(Conflict):
    code = "search-not-understood"
    title = N_("Part of the search was not understood. Correct it, then save the search.")


class NameWrong(Invalid):
    code = "saved-search-name"
    title = N_("The search needs another name.")

    def __init__(self) -> None:
        super().__init__(
            FieldError(
                "name", "name", N_("Write a name of 1–%(most)d characters."), (("most", LONGEST_NAME),)
            )
        )
