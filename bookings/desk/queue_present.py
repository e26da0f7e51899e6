"""What the queue's own page shows, in the reader's words: its chosen filters, and what has come of an answer to many."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import url_for

from bookings.desk.present import QueueRow
from bookings.desk.queue_forms import WAITED_DAYS, Asked
from bookings.desk.queue_queries import WaitingSpace
from bookings.lifecycle.errors import NotYourAnswer, UndoOver
from bookings.lifecycle.pages import gettext
from marketplace.errors import Refusal
from marketplace.web.i18n import N_, format_day, localised, ngettext
from spaces.calendar.errors import PiecesTaken, SlotTaken
from spaces.pricing.errors import CodeUsedUp

# The state that shows that a request has got its answer. What was confirmed may have become more since.
REACHED: Mapping[str, frozenset[str]] = {
    "approved": frozenset({"confirmed", "completed", "no_show", "awaiting_payment"}),
    "declined": frozenset({"declined"}),
    "undone": frozenset({"awaiting_approval"}),
}
# Why not, of a request that is there: by its state, and for an undo by the refusal.
BY_STATE: Mapping[str, str] = {
    "awaiting_approval": N_("It waits for an answer."),
    "awaiting_payment": N_("It had been approved already."),
    "confirmed": N_("It had been approved already."),
    "completed": N_("It had been approved already."),
    "no_show": N_("It had been approved already."),
    "declined": N_("It had been declined already."),
    "cancelled": N_("The booker has cancelled meanwhile."),
    "expired": N_("Nobody answered before the time began."),
}
REFUSALS: tuple[type[Refusal], ...] = (UndoOver, NotYourAnswer, SlotTaken, PiecesTaken, CodeUsedUp)
BY_CODE: Mapping[str, str] = {refusal.code: refusal.title for refusal in REFUSALS}


@dataclass(frozen=True)
class Tag:
    """A chosen filter and the address without it."""

    label: str
    url: str


@dataclass(frozen=True)
class Result:
    """What an answer to many has done. `missed` are those it did not reach: who, when, address, why."""

    title: str
    is_whole: bool
    missed: list[tuple[str, str, str, str]]
    lost: str
    undoable: list[str]
    undo_seconds: int


def result_of(asked: Asked, rows: Sequence[QueueRow]) -> Result | None:
    """None where nothing was answered, and where the one row says it all."""
    if not asked.did:
        return None
    shown = {row.reference: row for row in rows}
    codes = dict(asked.missed)
    told = [*asked.answered, *codes]
    if len(told) == 1 and told[0] in shown:
        return None
    done = [
        row
        for reference in asked.answered
        if (row := shown.get(reference)) and row.state in REACHED[asked.did]
    ]
    others = [row for ref in told if (row := shown.get(ref)) and row not in done]
    lost = len(set(told) - shown.keys())
    undo = [row for row in done if row.undo_seconds]
    return Result(
        done_text(asked.did, len(done)),
        not others and not lost,
        [(row.who, row.when, row.url, why_not(row.state, codes.get(row.reference, ""))) for row in others],
        ngettext(
            "%(num)d request is not among those that you answer.",
            "%(num)d requests are not among those that you answer.",
            lost,
        )
        if lost
        else "",
        [row.reference for row in undo],
        min((row.undo_seconds for row in undo), default=0),
    )


def done_text(did: str, count: int) -> str:
    if count == 0:
        return {
            "approved": gettext("No request was approved."),
            "declined": gettext("No request was declined."),
            "undone": gettext("No answer was taken back."),
        }[did]
    texts = {
        "approved": ngettext("%(num)d request was approved.", "%(num)d requests were approved.", count),
        "declined": ngettext("%(num)d request was declined.", "%(num)d requests were declined.", count),
        "undone": ngettext("%(num)d request waits again.", "%(num)d requests wait again.", count),
    }
    return str(texts[did])


def told_in_row(asked: Asked, rows: Sequence[QueueRow]) -> str:
    """Why the only request that was to be answered was not, unless its row says so by itself."""
    if asked.answered or len(asked.missed) != 1:
        return ""
    ((reference, code),) = asked.missed
    row = next((row for row in rows if row.reference == reference), None)
    if row is None or (row.answer and code not in BY_CODE):
        return ""
    return why_not(row.state, code)


def why_not(state: str, code: str) -> str:
    """By the code of the refusal, else by the state; what waits anyway has nothing to undo."""
    if code in BY_CODE and (code, state) != (UndoOver.code, "awaiting_approval"):
        return gettext(BY_CODE[code])
    return gettext(BY_STATE.get(state, Refusal.title))


def place_name(venue_names: Mapping[str, str], space_names: Mapping[str, str]) -> str:
    """Nuorisotila Pilvi, studio; the venue alone where no space is meant or it has the same name."""
    venue, space = localised(dict(venue_names)), localised(dict(space_names))
    return ", ".join(dict.fromkeys(name for name in (venue, space) if name))


def place_options(
    spaces: Sequence[WaitingSpace],
    asked: Asked,
    venue_names: Mapping[str, str],
    space_names: Mapping[str, str],
) -> list[tuple[str, str]]:
    """The places where something waits, each venue before its spaces, with the one that is chosen."""
    options = {"": gettext("All places")}
    venues: dict[int, list[WaitingSpace]] = {}
    for one in spaces:
        venues.setdefault(one.venue_id, []).append(one)
    for venue_id, inside in venues.items():
        count = sum(one.requests for one in inside)
        options[f"venue-{venue_id}"] = f"{place_name(inside[0].venue_names, {})} ({count})"
        if len(inside) > 1:
            for one in inside:
                name = place_name(one.venue_names, one.space_names)
                options[f"space-{one.space_id}"] = f"{name} ({one.requests})"
    if asked.place:
        options.setdefault(asked.place, place_name(venue_names, space_names))
    return list(options.items())


def waited_text(days: int) -> str:
    return str(ngettext("Longer than %(num)d day", "Longer than %(num)d days", days))


def waited_options() -> list[tuple[str, str]]:
    return [("", gettext("Any time")), *((str(days), waited_text(days)) for days in WAITED_DAYS)]


def tags_of(asked: Asked, venue_names: Mapping[str, str], space_names: Mapping[str, str]) -> list[Tag]:
    """The filters that are on, each removable."""
    wanted = asked.wanted
    labels: list[tuple[str, str]] = []
    if asked.place:
        labels.append(("place", place_name(venue_names, space_names)))
    if wanted.who:
        labels.append(("who", wanted.who))
    if wanted.first:
        labels.append(("first", gettext("From %(day)s", day=format_day(wanted.first, year=True))))
    if wanted.last:
        labels.append(("last", gettext("Until %(day)s", day=format_day(wanted.last, year=True))))
    if wanted.waited_days:
        labels.append(("waited", waited_text(wanted.waited_days)))
    if wanted.priced is not None:
        labels.append(("price", gettext("With a price") if wanted.priced else gettext("Free of charge")))
    return [
        Tag(label, url_for("timeline.requests", **asked.args(page=None, **{name: None})))
        for name, label in labels
    ]
