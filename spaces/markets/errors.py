"""Refusals about market squares."""

from collections.abc import Sequence

from marketplace.errors import N_, Conflict, FieldError, Invalid, NotFound
from spaces.markets.rules import told


class StallNotFound(NotFound):
    code = "stall-not-found"
    title = N_("We did not find this stall. It may have been taken off the plan.")


class ClassNotFound(NotFound):
    code = "stall-class-not-found"
    title = N_("We did not find this price class. It may have been removed.")


class NoMarket(NotFound):
    code = "no-market"
    title = N_("There are no stalls to book on this square.")


class NoSquare(Conflict):
    code = "no-square"
    title = N_("Draw the square first. Stalls stand on it.")


class ClassInUse(Conflict):
    code = "stall-class-in-use"
    title = N_("There are stalls in this price class. Move them to another one first.")


class MarketWrong(Invalid):
    """`fields` says what is wrong with a square, a grid, a stall, a class or a season."""

    code = "market-wrong"
    title = N_("The market cannot be drawn like this.")


class StallsOutside(MarketWrong):
    """These stalls do not lie inside the square; nothing was changed."""

    code = "stalls-outside"
    title = N_("Some stalls are outside the square.")

    def __init__(self, numbers: Sequence[str], field: str) -> None:
        text = (
            N_("Stall %(numbers)s is outside the square.")
            if len(numbers) == 1
            else N_("%(count)d stalls are outside the square: %(numbers)s.")
        )
        super().__init__(
            FieldError(field, self.code, text, (("count", len(numbers)), ("numbers", told(numbers))))
        )
        self.numbers = list(numbers)


class StallsOverlap(MarketWrong):
    """These stalls lie on each other; nothing was changed."""

    code = "stalls-overlap"
    title = N_("Some stalls lie on each other.")

    def __init__(self, pairs: Sequence[tuple[str, str]], field: str) -> None:
        pair_texts = [f"{first} – {second}" for first, second in pairs]
        text = N_("These stalls lie on each other: %(pairs)s.")
        super().__init__(FieldError(field, self.code, text, (("pairs", told(pair_texts)),)))
        self.pairs = list(pairs)


class NumbersTaken(MarketWrong):
    """A square has each number once."""

    code = "stall-numbers-taken"
    title = N_("These numbers are taken on the square.")

    def __init__(self, numbers: Sequence[str], field: str) -> None:
        text = N_("There is a stall with this number already: %(numbers)s.")
        super().__init__(FieldError(field, self.code, text, (("numbers", told(numbers)),)))
        self.numbers = list(numbers)


class NotReady(Conflict):
    """Nobody could book these stalls: they have no price or no market day."""

    code = "market-not-ready"
    title = N_("Give the stalls a price class with a price, and market days, before you publish them.")

    def __init__(self, numbers: Sequence[str]) -> None:
        super().__init__()
        self.numbers = list(numbers)
