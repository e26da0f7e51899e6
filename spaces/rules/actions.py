"""The one writer of a space's rules of booking. Order of locks: the space, then its questions and named organisations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace.accounts.actor import Actor
from marketplace.accounts.audit import audit
from marketplace.accounts.models import Organisation
from marketplace.db import Localised
from marketplace.errors import FieldError, Invalid
from spaces.catalog import policy
from spaces.catalog.listing_actions import differences, locked_space
from spaces.catalog.models import Space, SpaceOrganisation, SpaceQuestion, TermsText, Venue
from spaces.catalog.rules import space_problems
from spaces.rules import rules
from spaces.rules.queries import (
    line_of,
    named_organisations,
    organisations_of_lines,
    questions_of,
    terms_of,
)
from spaces.rules.rules import AskedQuestion


@dataclass(frozen=True)
class AskedRules:
    """The rules as their owner wants them: columns of the space, and what stands beside it.

    `members` and `trusted` are lines that name organisations.
    """

    facts: Mapping[str, Any]
    terms: Localised = field(default_factory=dict)
    members: Sequence[str] = ()
    trusted: Sequence[str] = ()
    questions: Sequence[AskedQuestion] = ()


def change_rules(
    session: Session, space: Space, venue: Venue, asked: AskedRules, *, actor: Actor
) -> list[str]:
    """Make these the rules; returns the names of what changed. Raises NotYourVenue, Invalid; then nothing has changed.

    Bookings that are there keep what they were made by.
    """
    policy.require_may_manage(actor, venue)
    locked_space(session, space)
    named = checked(session, space, asked)
    facts = {**asked.facts, "terms_version": kept_terms(session, space.city_id, asked.terms)}
    before, after = differences(space, facts)
    note(before, after, "terms", terms_of(session, space.city_id, space.terms_version), clean(asked.terms))
    before.pop("terms_version", None), after.pop("terms_version", None)
    for name, value in facts.items():
        if getattr(space, name) != value:
            setattr(space, name, value)
    for name, organisations in named.items():
        old, new = keep_organisations(session, space, rules.PARTS[name], organisations)
        note(before, after, name, old, new)
    note(before, after, "questions", *keep_questions(session, space, asked.questions))
    if after:
        audit(session, actor, "space.changed", "space", space.id, before=before, after=after)
    session.flush()
    return list(after)


def checked(session: Session, space: Space, asked: AskedRules) -> dict[str, list[Organisation]]:
    """The named organisations, when everything can stand together. Raises Invalid with all that cannot."""
    whole = {
        name: asked.facts.get(name, getattr(space, name))
        for name in (
            "names", "min_minutes", "max_minutes", "whole_days", "capacity", "min_age", "max_age", "attendees_min",
            "attendees_max", "quota_hours", "who", "approval", "trusted_groups",
        )
    }  # fmt: skip
    problems: list[FieldError] = [*space_problems(whole), *rules.rule_problems(whole)]
    named: dict[str, list[Organisation]] = {}
    for name, lines in (("members", asked.members), ("trusted", asked.trusted)):
        named[name], unknown = organisations_of_lines(session, space.city_id, lines, name)
        problems += unknown
    if not any(problem.field in named for problem in problems):
        counts = {name: len(found) for name, found in named.items()}
        problems += rules.who_problems(whole, **counts)
    problems += rules.question_problems(asked.questions)
    if problems:
        raise Invalid(*problems)
    return named


def note(before: dict[str, Any], after: dict[str, Any], name: str, old: Any, new: Any) -> None:
    """Tell the audit trail of a part that differs."""
    if old != new:
        before[name], after[name] = old, new


def clean(texts: Localised) -> Localised:
    return {code: text for code, text in texts.items() if text}


def kept_terms(session: Session, city_id: int, terms: Localised) -> str | None:
    """The version of these terms, whose text is kept from now on."""
    version = rules.version_of(terms)
    if version is not None:
        session.execute(
            insert(TermsText)
            .values(city_id=city_id, version=version, texts=clean(terms))
            .on_conflict_do_nothing()
        )
    return version


def keep_organisations(
    session: Session, space: Space, role: str, organisations: Sequence[Organisation]
) -> tuple[list[str], list[str]]:
    """Let exactly these have the part; returns who had it before, and who has it now."""
    known = named_organisations(session, space)[role]
    wanted = {organisation.id: organisation for organisation in organisations}
    gone = [organisation.id for organisation in known if organisation.id not in wanted]
    if gone:
        session.execute(
            delete(SpaceOrganisation).where(
                SpaceOrganisation.city_id == space.city_id,
                SpaceOrganisation.space_id == space.id,
                SpaceOrganisation.role == role,
                SpaceOrganisation.organisation_id.in_(gone),
            )
        )
    for id_ in wanted.keys() - {organisation.id for organisation in known}:
        session.add(
            SpaceOrganisation(city_id=space.city_id, space_id=space.id, role=role, organisation_id=id_)
        )
    return [line_of(one) for one in known], sorted(line_of(one) for one in wanted.values())


def keep_questions(
    session: Session, space: Space, asked: Sequence[AskedQuestion]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Ask exactly these, in this order; returns the questions before and now. A known id keeps its row."""
    known = {question.id: question for question in questions_of(session, space)}
    before = [as_asked(question).told() for question in known.values()]
    for position, one in enumerate(asked, 1):
        row = known.pop(one.id, None) if one.id is not None else None
        if row is None:
            row = SpaceQuestion(city_id=space.city_id, space_id=space.id)
            session.add(row)
        row.position, row.kind, row.required = position, one.kind, one.required
        row.labels, row.helps = clean(dict(one.labels)), clean(dict(one.helps))
        row.options = [clean(dict(option)) for option in one.options]
        row.least, row.most = one.least, one.most
    for row in known.values():
        session.delete(row)
    session.flush()
    return before, [as_asked(question).told() for question in questions_of(session, space)]


def as_asked(question: SpaceQuestion) -> AskedQuestion:
    return AskedQuestion(
        kind=question.kind,
        labels=question.labels,
        helps=question.helps,
        required=question.required,
        options=tuple(question.options),
        least=question.least,
        most=question.most,
        id=question.id,
    )
