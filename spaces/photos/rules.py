"""What a photo may be, and where its files are. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from marketplace.errors import N_, FieldError

MOST_PHOTOS = 12
MOST_BYTES = 15 * 1024 * 1024
# Pixels of a file as it is handed in; the largest cameras of phones have 50 million.
MOST_PIXELS = 50_000_000
LEAST_WIDTH, LEAST_HEIGHT = 480, 320
# Neither side is longer than so many times the other: nothing else fits a page.
STEEPEST = 4
# Widths of the files that are kept, pixels; a photo that is narrower is kept at its own.
WIDTHS = (480, 960, 1600)
PREFIX = "photos/"
LONGEST_ALT = 300
LONGEST_CREDIT = 120
PLACES = ("first", "up", "down")


@dataclass(frozen=True)
class Picture:
    """What a page needs to show a photo."""

    key: str
    width: int
    height: int
    alts: dict[str, str]
    credit: str

    def sizes(self) -> list[tuple[int, int]]:
        """(the step in the file's name, its real width), each width once."""
        steps = [(step, step) for step in WIDTHS if step < self.width]
        return [*steps, (next(step for step in WIDTHS if step >= self.width), self.width)]


def file_key(key: str, width: int, ending: str) -> str:
    """Where the store has the file. `key` is 32 hexadecimal digits."""
    return f"{PREFIX}{key[:2]}/{key}-{width}.{ending}"


def files_of(key: str) -> list[str]:
    """All files of one photo: a WebP of each width, and the largest as JPEG for those who share a link."""
    return [*(file_key(key, width, "webp") for width in WIDTHS), file_key(key, WIDTHS[-1], "jpg")]


def key_of_file(stored: str) -> str:
    """The photo's key from a key of the store."""
    return stored.rpartition("/")[2].partition("-")[0]


def missing_languages(alts: dict[str, str], languages: Sequence[str]) -> list[str]:
    return [code for code in languages if not alts.get(code)]


def alt_problems(alts: dict[str, str], languages: Sequence[str]) -> list[FieldError]:
    """One language is enough; it has to be one that the city's pages are in."""
    if len(missing_languages(alts, languages)) < len(languages):
        return []
    text = N_(
        "Write what the photo shows, in at least one language. It is read aloud to those who do not see it."
    )
    return [FieldError(f"alts_{languages[0]}", "missing", text)]


def moved(ids: Sequence[int], photo_id: int, place: str) -> list[int]:
    """The order after one photo goes first, up or down; at the end of the row it stays where it is."""
    rest = [known for known in ids if known != photo_id]
    at = list(ids).index(photo_id)
    to = {"first": 0, "up": max(0, at - 1), "down": min(len(rest), at + 1)}[place]
    return [*rest[:to], photo_id, *rest[to:]]
