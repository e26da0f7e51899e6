"""Whom somebody may book a space for, as the pages offer it."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from bookings.lifecycle import limits
from bookings.lifecycle.asked import choices_kept_out
from bookings.lifecycle.forms import AskingForm
from bookings.lifecycle.pages import choice_note, gettext
from marketplace.accounts.actor import Actor
from marketplace.accounts.queries import organisations_of
from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.errors import Forbidden
from marketplace.timespan import Span
from spaces.catalog.models import Space
from spaces.rules.queries import confirmed_at_once

MYSELF = "myself"


@dataclass(frozen=True)
class Choices:
    """`rows` are (value, name, note). `at_once` says for each whether the booking is confirmed without an answer, and for
    oneself in any case; `keeps_out` why there is no choice at all."""

    rows: list[tuple[str, str, str]]
    at_once: Mapping[int | None, bool]
    needs_organisation: bool
    keeps_out: Forbidden | None

    @property
    def values(self) -> list[str]:
        return [value for value, _, _ in self.rows]

    def chosen(self, form: AskingForm) -> int | None:
        """Whom the form books for: the first choice, and then marked, where it names none of them."""
        if form.organisation.data not in self.values and self.rows:
            form.organisation.data = self.values[0]
        return organisation_id_of(form.organisation.data) if self.rows else None


def organisation_id_of(text: str | None) -> int | None:
    """The chosen organisation; 0, which nobody may book for, for what is no number."""
    if not text or text == MYSELF:
        return None
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def booking_choices(
    session: Session, city: City, space: Space, actor: Actor, *, during: Span | None = None
) -> Choices:
    """Oneself and the organisations that the space lets in; for one time also how much of it each may still have."""
    organisations = organisations_of(session, actor)
    only_organisations = space.who == "organisations"
    ids: list[int | None] = [*([] if only_organisations else [None]), *(o.id for o in organisations)]
    kept_out = choices_kept_out(session, space, actor, ids)
    ids = [id_ for id_ in ids if id_ not in kept_out]
    at_once = confirmed_at_once(session, space, [None, *ids])
    standing: limits.Standings = {id_: (None, []) for id_ in ids}
    if during is not None:
        standing = limits.standings(
            session,
            city,
            space,
            person_id=actor.person_id or 0,
            organisation_ids=ids,
            during=during,
            at=now(),
        )
    notes = {id_: choice_note(space, standing[id_], at_once=at_once[id_]) for id_ in ids}
    right = gettext("You have the right to book.")
    rows = [(str(o.id), o.name, f"{right} {notes[o.id]}".strip()) for o in organisations if o.id in notes]
    if None in notes:
        rows.insert(
            0, (MYSELF, gettext("Myself"), f"{actor.name}. {notes[None]}" if notes[None] else actor.name)
        )
    return Choices(
        rows,
        at_once,
        only_organisations and not organisations,
        next(iter(kept_out.values())) if kept_out and not rows else None,
    )
