"""Reads of what a space asks of its bookers: questions, terms, organisations that its rules name."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, func, or_, select
from sqlalchemy.orm import Session

from marketplace.accounts.business_id import normalised
from marketplace.accounts.models import Organisation
from marketplace.db import Localised
from marketplace.errors import N_, FieldError
from spaces.catalog.models import Space, SpaceOrganisation, SpaceQuestion, TermsText
from spaces.pricing.queries import groups_of

BUSINESS_ID = re.compile(r"\d{7}-\d", re.ASCII)
# "Kallion Juniorit ry (1234567-8)", as the page writes it.
NAMED = re.compile(r"^(?P<name>.*?)\s*\(?(?P<number>\d{7}-\d)\)?$", re.ASCII)


@dataclass(frozen=True)
class SpaceRules:
    """What the rules of a space say beside its own columns."""

    questions: Sequence[SpaceQuestion]
    terms: Localised
    members: Sequence[Organisation]
    trusted: Sequence[Organisation]


def rules_of(session: Session, space: Space) -> SpaceRules:
    """All of it, for the pages that show it."""
    named = named_organisations(session, space)
    return SpaceRules(
        questions=questions_of(session, space),
        terms=terms_of(session, space.city_id, space.terms_version),
        members=named["member"],
        trusted=named["trusted"],
    )


# Made once: every booking asks it.
QUESTIONS = (
    select(SpaceQuestion)
    .where(SpaceQuestion.city_id == bindparam("city_id"), SpaceQuestion.space_id == bindparam("space_id"))
    .order_by(SpaceQuestion.position, SpaceQuestion.id)
)


def questions_of(session: Session, space: Space) -> Sequence[SpaceQuestion]:
    """The questions in their order."""
    return session.scalars(QUESTIONS, {"city_id": space.city_id, "space_id": space.id}).all()


def terms_of(session: Session, city_id: int, version: str | None) -> Localised:
    """The texts of a version; nothing where there is none."""
    if version is None:
        return {}
    return session.get_one(TermsText, (city_id, version)).texts


def named_organisations(session: Session, space: Space) -> dict[str, list[Organisation]]:
    """The organisations that the rules name, by their part and name."""
    found: dict[str, list[Organisation]] = {"member": [], "trusted": []}
    for role, organisation in session.execute(
        select(SpaceOrganisation.role, Organisation)
        .join(
            Organisation,
            (Organisation.city_id == SpaceOrganisation.city_id)
            & (Organisation.id == SpaceOrganisation.organisation_id),
        )
        .where(SpaceOrganisation.city_id == space.city_id, SpaceOrganisation.space_id == space.id)
        .order_by(Organisation.name, Organisation.id)
    ):
        found[role].append(organisation)
    return found


def ids_named(session: Session, space: Space, role: str) -> frozenset[int]:
    """Ids of the organisations with this part in the rules."""
    return frozenset(
        session.scalars(
            select(SpaceOrganisation.organisation_id).where(
                SpaceOrganisation.city_id == space.city_id,
                SpaceOrganisation.space_id == space.id,
                SpaceOrganisation.role == role,
            )
        )
    )


def trusted_among(
    session: Session, space: Space, organisation_ids: Collection[int | None]
) -> frozenset[int | None]:
    """Whose bookings are confirmed at once where the trusted need no answer; None is a person for themselves."""
    if space.approval != "trusted":
        return frozenset()
    ids = [id_ for id_ in organisation_ids if id_ is not None]
    named = ids_named(session, space, "trusted") if ids else frozenset()
    groups = groups_of(session, space.city_id, ids) if space.trusted_groups else {}
    return frozenset(
        id_
        for id_ in organisation_ids
        if id_ in named or (groups.get(id_, "") if id_ is not None else "resident") in space.trusted_groups
    )


def confirmed_at_once(
    session: Session, space: Space, organisation_ids: Collection[int | None]
) -> dict[int | None, bool]:
    """Whether a booking for each of these, and for oneself (None), needs no answer."""
    trusted = trusted_among(session, space, organisation_ids)
    return {id_: space.approval == "instant" or id_ in trusted for id_ in organisation_ids}


def organisations_of_lines(
    session: Session, city_id: int, lines: Sequence[str], field: str
) -> tuple[list[Organisation], list[FieldError]]:
    """The organisations that these lines name, each by its business id or its whole name, and what was not found."""
    typed = [match[0] for line in lines if (match := BUSINESS_ID.search(line))]
    numbers = {number for text in typed if (number := normalised(text))}
    known = session.scalars(
        select(Organisation)
        .where(
            Organisation.city_id == city_id,
            or_(
                Organisation.business_id.in_(sorted(numbers)),
                func.lower(Organisation.name).in_(sorted({line.lower() for line in lines})),
            ),
        )
        .order_by(Organisation.name, Organisation.id)
    ).all()
    found: dict[int, Organisation] = {}
    problems = []
    for line in lines:
        matching = [organisation for organisation in known if is_named(organisation, line)]
        if len(matching) == 1:
            found[matching[0].id] = matching[0]
            continue
        text = (
            N_("Several organisations are called %(name)s. Write the name and the business ID.")
            if matching
            else N_("No organisation here is called %(name)s. It must have been added first.")
        )
        problems.append(FieldError(field, "several" if matching else "unknown", text, (("name", line),)))
    return list(found.values()), problems


def is_named(organisation: Organisation, line: str) -> bool:
    """Whether the line means this organisation. Those that share a business id are told apart by the name beside it."""
    if match := NAMED.fullmatch(line):
        same_number = organisation.business_id == normalised(match["number"])
        name = match["name"].strip(" ,")
        return same_number and (not name or name.casefold() == organisation.name.casefold())
    return line.casefold() == organisation.name.casefold()


def line_of(organisation: Organisation) -> str:
    """How the page writes an organisation, and reads it back."""
    number = organisation.business_id
    return f"{organisation.name} ({number})" if number else organisation.name
