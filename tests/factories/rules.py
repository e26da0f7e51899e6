"""Rules of spaces for tests: questions, terms, named organisations."""

from itertools import count
from typing import Any

from sqlalchemy.orm import Session

from marketplace.accounts.models import Organisation
from spaces.catalog.models import Space, SpaceOrganisation, SpaceQuestion, TermsText
from spaces.rules.rules import version_of

numbers = count(1)


def ask(session: Session, space: Space, kind: str = "text", **fields: Any) -> SpaceQuestion:
    """A question of the space, after those that are there."""
    values: dict[str, Any] = {
        "position": next(numbers),
        "kind": kind,
        "labels": {"fi": f"Mikä {kind}?", "en": f"Which {kind}?"},
        "options": [{"fi": "Sisällä", "en": "Inside"}, {"fi": "Ulkona", "en": "Outside"}]
        if kind == "choice"
        else [],
        **fields,
    }
    question = SpaceQuestion(city_id=space.city_id, space_id=space.id, **values)
    session.add(question)
    session.flush()
    return question


def demand_terms(session: Session, space: Space, **texts: str) -> str:
    """Terms that the space wants accepted; returns their version."""
    texts = texts or {"fi": "Siivoa jälkesi.", "en": "Tidy up after you."}
    version = version_of(texts)
    assert version is not None
    if session.get(TermsText, (space.city_id, version)) is None:
        session.add(TermsText(city_id=space.city_id, version=version, texts=texts))
        session.flush()
    space.terms_version = version
    session.flush()
    return version


def name_organisation(
    session: Session, space: Space, organisation: Organisation, role: str = "member"
) -> None:
    session.add(
        SpaceOrganisation(
            city_id=space.city_id, space_id=space.id, organisation_id=organisation.id, role=role
        )
    )
    session.flush()
