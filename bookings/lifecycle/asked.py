"""What a space asks of who books it beside the time: who they are, their age, answers to its questions, its terms."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy.orm import Session

from bookings.lifecycle import policy
from bookings.lifecycle.answers import answer_problems
from bookings.lifecycle.details import Details
from bookings.lifecycle.errors import AskedMissing
from marketplace.accounts.actions import tell_birth_date
from marketplace.accounts.actor import Actor
from marketplace.accounts.models import Person
from marketplace.accounts.rules import birth_date_problem
from marketplace.cities.models import City
from marketplace.db import Localised
from marketplace.errors import N_, FieldError, Forbidden
from marketplace.timespan import Span
from spaces.catalog.models import Space, SpaceQuestion
from spaces.rules.queries import confirmed_at_once, ids_named, questions_of, terms_of


@dataclass(frozen=True)
class Asked:
    """What the checkout of a space has to ask this person."""

    questions: Sequence[SpaceQuestion] = ()
    terms: Localised = field(default_factory=dict)
    terms_version: str | None = None
    birth_date: bool = False
    attendees: bool = False

    @property
    def asks_file(self) -> bool:
        return any(question.kind == "file" for question in self.questions)

    @property
    def is_anything(self) -> bool:
        return bool(self.questions or self.terms_version or self.birth_date)


NOTHING_ASKED = Asked()


def asked_of(
    session: Session, space: Space, actor: Actor, *, questions: Sequence[SpaceQuestion] | None = None
) -> Asked:
    """The questions, unless they are known, the terms, and whether the day of birth and the number of people are needed."""
    has_age = space.min_age is not None or space.max_age is not None
    person = person_of(session, actor) if has_age else None
    return Asked(
        questions=questions_of(session, space) if questions is None else questions,
        terms=terms_of(session, space.city_id, space.terms_version),
        terms_version=space.terms_version,
        birth_date=has_age and person is not None and person.birth_date is None,
        attendees=needs_attendees(space),
    )


def needs_attendees(space: Space) -> bool:
    """Whether everybody must say how many come."""
    return space.attendees_min is not None or space.attendees_max is not None


def person_of(session: Session, actor: Actor) -> Person | None:
    return session.get(Person, (actor.city_id, actor.person_id)) if actor.person_id is not None else None


def choices_kept_out(
    session: Session, space: Space, actor: Actor, organisation_ids: Collection[int | None]
) -> dict[int | None, Forbidden]:
    """Those choices of whom to book for that the space does not let in, and why."""
    if space.who not in {"verified", "members"}:
        return {}
    person = person_of(session, actor)
    is_identified = person is not None and person.identified_at is not None
    named = ids_named(session, space, "member") if space.who == "members" else frozenset()
    found: dict[int | None, Forbidden] = {}
    for id_ in organisation_ids:
        try:
            policy.require_among(actor, space, id_, is_identified=is_identified, named=named)
        except Forbidden as refusal:
            found[id_] = refusal
    return found


def check_asked(
    session: Session,
    city: City,
    space: Space,
    *,
    actor: Actor,
    organisation_id: int | None,
    during: Span,
    details: Details,
    at: datetime,
    questions: Sequence[SpaceQuestion] | None = None,
) -> Sequence[SpaceQuestion]:
    """The questions of the space, read where they are not known, when it lets this booker in and everything it asks is answered.

    Raises IdentityNeeded, MembersOnly, AskedMissing with all
    that is missing or wrong, TooYoung, TooOld.
    """
    kept_out = choices_kept_out(session, space, actor, [organisation_id])
    if organisation_id in kept_out:
        raise kept_out[organisation_id]
    if questions is None:
        questions = questions_of(session, space)
    asks_age = policy.asks_age(space, organisation_id)
    person = person_of(session, actor) if asks_age else None
    born = None if person is None else person.birth_date or details.birth_date
    today = at.astimezone(city.zone).date()
    problems = [
        *(birth_date_problems(born, today) if asks_age else []),
        *answer_problems(questions, details.answers),
        *terms_problems(space.terms_version, details.terms),
    ]
    if problems:
        raise AskedMissing(*problems)
    if person is not None and born is not None:
        day = during.start.astimezone(city.zone).date()
        beside = "organisation" if person.birth_date else "birth_date"
        policy.require_age(space, organisation_id, born, day=day, field=beside)
    return questions


def keep_birth_date(
    session: Session,
    city: City,
    space: Space,
    *,
    actor: Actor,
    organisation_id: int | None,
    details: Details,
    at: datetime,
) -> None:
    """Keep the day of birth that was told with a booking which needed it, so that it is asked once."""
    if details.birth_date is None or not policy.asks_age(space, organisation_id):
        return
    person = person_of(session, actor)
    if person is not None and person.birth_date is None:
        today = at.astimezone(city.zone).date()
        tell_birth_date(session, person, details.birth_date, actor=actor, today=today)


def birth_date_problems(born: date | None, today: date) -> list[FieldError]:
    if born is None:
        text = N_("Tell the day you were born: this space has an age limit.")
        return [FieldError("birth_date", "birth-date-missing", text)]
    problem = birth_date_problem(born, today)
    return [problem] if problem else []


def terms_problems(version: str | None, accepted: str) -> list[FieldError]:
    """Terms are accepted as they are now: who has read an older text reads the new one first."""
    if version is None or accepted == version:
        return []
    if accepted:
        text = N_("The terms have changed since you opened the page. Read them and accept them again.")
        return [FieldError("terms", "terms-changed", text)]
    return [FieldError("terms", "terms-not-accepted", N_("Accept the terms of the space to book it."))]


def at_once(session: Session, space: Space, organisation_id: int | None) -> bool:
    """Whether a booking for this organisation, or for oneself, is confirmed without an answer."""
    return confirmed_at_once(session, space, [organisation_id])[organisation_id]
