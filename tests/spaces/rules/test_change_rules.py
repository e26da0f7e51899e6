"""Owners say who may book, how much, what is asked and accepted: the action, the page, copies and what people read."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts.models import AuditEntry, Organisation, Person
from marketplace.cities.models import City
from marketplace.errors import Invalid
from spaces.catalog.errors import NotYourVenue
from spaces.catalog.listing_actions import copy_space
from spaces.catalog.models import SpaceOrganisation, SpaceQuestion, TermsText
from spaces.rules.actions import AskedRules, change_rules
from spaces.rules.queries import confirmed_at_once, organisations_of_lines, rules_of
from spaces.rules.rules import AskedQuestion, option_key, version_of
from tests.factories.listings import Supplier, give, make_supplier
from tests.factories.people import join, make_organisation, make_person, sign_in
from tests.factories.rules import ask, demand_terms, name_organisation

FACTS: dict[str, Any] = {
    "approval": "instant", "who": "anyone", "min_age": None, "max_age": None, "attendees_min": None,
    "attendees_max": None, "quota_hours": None, "quota_period": "week", "max_open_per_person": None,
    "max_open_per_organisation": None, "trusted_groups": [],
}  # fmt: skip


def rules(**changes: Any) -> AskedRules:
    parts = {
        name: changes.pop(name) for name in ("terms", "members", "trusted", "questions") if name in changes
    }
    return AskedRules(facts={**FACTS, **changes}, **parts)


@pytest.fixture
def supplier(session: Session, city: City) -> Supplier:
    supplier = make_supplier(session, city, state="published")
    session.commit()
    return supplier


@pytest.fixture
def browser(app: Flask, session: Session) -> Callable[[Person], FlaskClient]:
    def start(person: Person) -> FlaskClient:
        client = app.test_client()
        sign_in(session, client, person)
        session.commit()
        return client

    return start


def club(
    session: Session, city: City, name: str, number: str | None = None, *, kind: str = "association"
) -> Organisation:
    organisation = make_organisation(session, city, name=name, kind=kind)
    organisation.business_id = number
    session.flush()
    return organisation


def test_rules_are_kept_with_before_and_after(session: Session, city: City, supplier: Supplier) -> None:
    space = supplier.space
    club(session, city, "Kallion Juniorit ry", "0201256-6")
    question = AskedQuestion(
        kind="choice", labels={"fi": "Missä?"}, options=({"fi": "Ulkona"}, {"fi": "Sisällä"})
    )
    asked = rules(
        who="members",
        members=["kallion juniorit RY"],
        max_open_per_person=2,
        min_age=18,
        questions=[question],
        terms={"fi": "Siivoa.", "en": ""},
    )
    changed = change_rules(session, space, supplier.venue, asked, actor=supplier.actor)
    assert set(changed) == {"who", "members", "max_open_per_person", "min_age", "questions", "terms"}
    more = rules_of(session, space)
    assert [one.name for one in more.members] == ["Kallion Juniorit ry"]
    assert (more.questions[0].labels, more.terms) == ({"fi": "Missä?"}, {"fi": "Siivoa."})
    entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "space.changed")).one()
    assert entry.details["after"]["members"] == ["Kallion Juniorit ry (0201256-6)"]
    assert entry.details["after"]["terms"] == {"fi": "Siivoa."}
    assert entry.details["before"]["questions"] == []
    assert "terms_version" not in entry.details["after"]
    assert change_rules(session, space, supplier.venue, asked, actor=supplier.actor) == []
    assert len(session.scalars(select(AuditEntry).where(AuditEntry.action == "space.changed")).all()) == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"min_age": 30, "max_age": 18}, "max_age"),
        ({"attendees_min": 9, "attendees_max": 8}, "attendees_max"),
        ({"attendees_min": 41}, "attendees_min"),
        ({"who": "members"}, "members"),
        ({"approval": "trusted"}, "trusted"),
        ({"who": "members", "members": ["Ei ole ry"]}, "members"),
        ({"approval": "trusted", "trusted": ["1234567-8"]}, "trusted"),
        ({"questions": [AskedQuestion("text", {})]}, "question-1-labels"),
        (
            {"questions": [AskedQuestion("choice", {"fi": "?"}, options=({"fi": "yksi"},))]},
            "question-1-options",
        ),
        (
            {"questions": [AskedQuestion("choice", {"fi": "?"}, options=({"fi": "a"}, {"fi": "a"}))]},
            "question-1-options",
        ),
        ({"questions": [AskedQuestion("number", {"fi": "?"}, least=3, most=2)]}, "question-1-most"),
        ({"questions": [AskedQuestion("text", {"fi": "?"})] * 13}, "questions"),
        ({"questions": [AskedQuestion("file", {"fi": "?"})] * 4}, "questions"),
    ],
)
def test_what_cannot_stand_is_refused_whole(
    session: Session, supplier: Supplier, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        change_rules(
            session,
            supplier.space,
            supplier.venue,
            rules(max_open_per_person=1, **changes),
            actor=supplier.actor,
        )
    assert field in [error.field for error in refused.value.fields]
    session.refresh(supplier.space)
    assert supplier.space.max_open_per_person is None
    assert session.scalars(select(SpaceQuestion)).all() == []


def test_a_quota_below_the_shortest_booking_is_refused(session: Session, supplier: Supplier) -> None:
    asked = rules(quota_hours=1, min_minutes=90, max_minutes=180)
    with pytest.raises(Invalid) as refused:
        change_rules(session, supplier.space, supplier.venue, asked, actor=supplier.actor)
    assert [error.field for error in refused.value.fields] == ["quota_hours"]


def test_questions_keep_their_rows_and_their_order(session: Session, supplier: Supplier) -> None:
    space = supplier.space
    first, second = ask(session, space), ask(session, space, "number")
    other = ask(session, make_supplier(session, session.get_one(City, space.city_id)).space)
    asked = [
        AskedQuestion("number", {"fi": "Montako?"}, id=second.id),
        AskedQuestion("text", {"fi": "Uusi?"}, id=other.id),  # another space's is not ours to change
    ]
    change_rules(session, space, supplier.venue, rules(questions=asked), actor=supplier.actor)
    found = rules_of(session, space).questions
    assert [(q.id == second.id, q.labels["fi"]) for q in found] == [(True, "Montako?"), (False, "Uusi?")]
    assert session.get(SpaceQuestion, (space.city_id, first.id)) is None
    session.refresh(other)
    assert (other.space_id, other.labels["fi"]) == (other.space_id, "Mikä text?")


def test_organisations_are_found_by_name_or_number(session: Session, city: City) -> None:
    one = club(session, city, "Kallion Juniorit ry", "0201256-6")
    halves = [make_organisation(session, city, name="Seura ry") for _ in range(2)]
    for name in ("Nuoriso", "Liikunta"):
        club(session, city, name, "1567535-0", kind="city_division")

    def found(*lines: str) -> tuple[list[str], list[str]]:
        organisations, problems = organisations_of_lines(session, city.id, lines, "members")
        return [o.name for o in organisations], [problem.code for problem in problems]

    assert found("KALLION JUNIORIT RY") == ([one.name], [])
    assert found("0201256-6", "Kallion Juniorit ry (0201256-6)") == ([one.name], [])
    assert found("Seura ry") == ([], ["several"])
    assert len(halves) == 2
    assert found("1567535-0") == ([], ["several"])
    assert found("Nuoriso (1567535-0)") == (["Nuoriso"], [])
    assert found("Väärä ry (0201256-6)") == ([], ["unknown"])
    assert found("%") == ([], ["unknown"])


def test_organisations_of_another_city_are_not_found(session: Session, city: City) -> None:
    from tests.factories.cities import make_city  # noqa: PLC0415

    make_organisation(session, make_city(session, slug="muu"), name="Muun kaupungin ry")
    assert organisations_of_lines(session, city.id, ["Muun kaupungin ry"], "members")[0] == []


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        ("nobody", False),
        ("member of the owner", False),
        ("crew", False),
        ("viewer", False),
        ("handler", False),
        ("manager", True),
        ("owner", True),
        ("staff", True),
    ],
)
def test_who_changes_rules(
    session: Session,
    city: City,
    supplier: Supplier,
    browser: Callable[[Person], FlaskClient],
    role: str,
    allowed: bool,
) -> None:
    person = make_person(session, city, is_staff=role == "staff")
    if role == "member of the owner":
        join(session, person, supplier.organisation, "booker")
    elif role not in {"nobody", "staff"}:
        give(session, supplier.venue, person, role)
    client = browser(person)
    path = f"/en/desk/spaces/{supplier.space.id}/rules"
    assert client.get(path).status_code == (200 if allowed else 404)
    assert client.post(path, data=form(max_open_per_person="3")).status_code == (303 if allowed else 404)
    session.refresh(supplier.space)
    assert (supplier.space.max_open_per_person == 3) is allowed


def test_the_action_itself_refuses_strangers(session: Session, city: City, supplier: Supplier) -> None:
    handler = give(session, supplier.venue, make_person(session, city), "handler")
    with pytest.raises(NotYourVenue):
        change_rules(session, supplier.space, supplier.venue, rules(), actor=handler)


def form(**changes: Any) -> dict[str, Any]:
    return {
        "approval": "instant",
        "who": "anyone",
        "min_minutes": "60",
        "max_minutes": "240",
        "interval_minutes": "30",
        "buffer_before_minutes": "0",
        "buffer_after_minutes": "0",
        "notice_minutes": "0",
        "horizon_days": "180",
        "cancellation_hours": "24",
        "quota_period": "week",
        **changes,
    }


def question_form(n: int, **changes: Any) -> dict[str, Any]:
    values = {"labels_fi": "Mitä?", "kind": "text", "required": "y", "place": str(n), **changes}
    return {f"question-{n}-{name}": value for name, value in values.items()}


def plain(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).replace("\u2060", "").replace("\u00a0", " ").split())


@pytest.fixture
def owner(browser: Callable[[Person], FlaskClient], supplier: Supplier) -> FlaskClient:
    return browser(supplier.person)


def test_the_page_saves_and_shows_everything_again(
    owner: FlaskClient, session: Session, city: City, supplier: Supplier
) -> None:
    club(session, city, "Kallion Juniorit ry", "0201256-6")
    session.commit()
    path = f"/en/desk/spaces/{supplier.space.id}/rules"
    assert "question-1-labels_fi" not in owner.get(path).text
    data = form(
        questions="2",
        approval="trusted",
        trusted="Kallion Juniorit ry",
        trusted_groups=["youth"],
        quota_hours="6",
        attendees_min="2",
        horizon_days="90",
        terms_en="Tidy up.",
        instructions_en="The key is in the box.",
        **question_form(1, place="2"),
        **question_form(
            2, labels_fi="Missä?", kind="choice", place="1", options_fi="Ulkona\r\n Sisällä ", required=""
        ),
    )
    del data["question-2-required"]
    assert owner.post(path, data=data).status_code == 303
    session.refresh(supplier.space)
    space = supplier.space
    assert (space.trusted_groups, space.quota_hours, space.attendees_min, space.horizon_days) == (
        ["youth"],
        6,
        2,
        90,
    )
    assert space.instructions == {"en": "The key is in the box."}
    questions = rules_of(session, space).questions
    assert [(q.labels["fi"], q.kind, q.required) for q in questions] == [
        ("Missä?", "choice", False),
        ("Mitä?", "text", True),
    ]
    assert questions[0].options == [{"fi": "Ulkona"}, {"fi": "Sisällä"}]
    page = owner.get(path).text
    for text in (
        "Kallion Juniorit ry (0201256-6)",
        "Tidy up.",
        "Missä?",
        "Ulkona\nSisällä",
        "The key is in the box.",
    ):
        assert text in page
    sentences = plain(page)
    for text in (
        "Confirmed at once: Youth work, Kallion Juniorit ry. The owner confirms the bookings of others.",
        "At most 6 h in a week, for each organisation and each person.",
        "For at least 2 people. The number is asked.",
        "The owner asks: Missä? · Mitä?",
        "You accept the terms of the space when you book.",
    ):
        assert text in sentences
    public = plain(owner.get(f"/en/spaces/{space.id}").text)
    assert "Confirmed at once: Youth work, Kallion Juniorit ry." in public
    assert "Tidy up." in public
    history = plain(owner.get(f"/en/desk/spaces/{space.id}/history").text)
    assert "Questions to the booker" in history
    assert "Missä?, Mitä?" in history


def test_looking_and_adding_a_question_save_nothing(
    owner: FlaskClient, session: Session, supplier: Supplier
) -> None:
    path = f"/en/desk/spaces/{supplier.space.id}/rules"
    data = form(questions="1", max_open_per_person="1", **question_form(1))
    look = owner.post(path, data={**data, "do": "look"})
    assert look.status_code == 200
    assert "A person has at most 1 open booking here at a time." in plain(look.text)
    row = owner.post(path, data={**data, "do": "row"})
    assert (row.status_code, 'name="question-2-labels_fi"' in row.text) == (200, True)
    assert 'name="questions" value="2"' in row.text
    session.refresh(supplier.space)
    assert (supplier.space.max_open_per_person, session.scalars(select(SpaceQuestion)).all()) == (None, [])


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"max_open_per_person": "0"}, "Write a whole number from 1 to 1000."),
        ({"quota_hours": "many"}, "Write a whole number from 1 to 744."),
        ({"quota_hours": "9" * 30}, "Write a whole number from 1 to 744."),
        ({"min_age": "200"}, "Write a whole number from 1 to 120."),
        ({"who": "members"}, "Name the organisations whose members may book."),
        ({"who": "kings"}, "Not a valid choice"),
        ({"approval": "trusted"}, "Name the organisations that you trust, or choose a customer group."),
        ({"trusted_groups": ["kings"]}, "not a valid"),
        (
            {"members": "Ei ole ry"},
            "No organisation here is called Ei ole ry. It must have been added first.",
        ),
        ({"members": "x\n" * 201}, "At most 200 lines."),
        ({"min_minutes": "300"}, "The longest booking is shorter than the shortest."),
        ({"terms_fi": "x" * 20_001}, "At most 20000 characters."),
        (
            {"questions": "1", **question_form(1, kind="choice", options_fi="vain yksi")},
            "Write at least two choices, one on each line.",
        ),
        (
            {"questions": "1", **question_form(1, kind="choice", options_fi="a\nb", options_en="a")},
            "Write as many choices in each language, in the same order.",
        ),
        ({"questions": "1", **question_form(1, kind="riddle")}, "Not a valid choice"),
        (
            {"questions": "1", **question_form(1, kind="number", least="5", most="2")},
            "The largest number is below the least.",
        ),
        ({"questions": "1", **question_form(1, labels_fi="x" * 201)}, "At most 200 characters."),
        (
            {"questions": "13", **{k: v for n in range(1, 14) for k, v in question_form(n).items()}},
            "At most 12 questions are asked.",
        ),
    ],
)
def test_a_wrong_form_says_where_and_saves_nothing(
    owner: FlaskClient, session: Session, supplier: Supplier, changes: dict[str, Any], text: str
) -> None:
    answer = owner.post(
        f"/en/desk/spaces/{supplier.space.id}/rules", data=form(cancellation_hours="7", **changes)
    )
    assert answer.status_code == 422
    assert text in plain(answer.text)
    session.refresh(supplier.space)
    assert supplier.space.cancellation_hours == 24
    assert session.scalars(select(SpaceQuestion)).all() == []


def test_odd_numbers_of_questions_do_no_harm(owner: FlaskClient, supplier: Supplier) -> None:
    path = f"/en/desk/spaces/{supplier.space.id}/rules"
    for count in ("-1", "x", "9" * 30, "999", "0"):
        assert owner.post(path, data=form(questions=count)).status_code == 303


def test_a_copy_has_the_same_rules(session: Session, city: City, supplier: Supplier) -> None:
    space = supplier.space
    trusted = make_organisation(session, city)
    space.approval, space.trusted_groups, space.min_age = "trusted", ["youth"], 18
    name_organisation(session, space, trusted, "trusted")
    version = demand_terms(session, space)
    ask(session, space, "choice")
    made = copy_space(session, space, supplier.venue, actor=supplier.actor, submission="a-copy-of-it")
    more = rules_of(session, made)
    assert (made.approval, made.trusted_groups, made.min_age, made.terms_version) == (
        "trusted", ["youth"], 18, version,
    )  # fmt: skip
    assert [one.id for one in more.trusted] == [trusted.id]
    assert [(q.kind, len(q.options)) for q in more.questions] == [("choice", 2)]
    assert more.questions[0].space_id == made.id
    assert confirmed_at_once(session, made, [trusted.id, None]) == {trusted.id: True, None: False}


def test_an_organisation_that_is_gone_is_named_no_more(
    session: Session, city: City, supplier: Supplier
) -> None:
    named = make_organisation(session, city)
    name_organisation(session, supplier.space, named)
    session.delete(named)
    session.flush()
    assert session.scalars(select(SpaceOrganisation)).all() == []


def test_terms_are_named_by_their_words(session: Session) -> None:
    assert version_of({"fi": "a", "en": "b"}) == version_of({"en": "b", "fi": "a", "sv": ""})
    assert version_of({"fi": "a"}) != version_of({"sv": "a"})
    assert version_of({}) is version_of({"fi": ""}) is None


def test_two_spaces_share_one_text_of_terms(session: Session, city: City, supplier: Supplier) -> None:
    other = make_supplier(session, city)
    for one in (supplier, other):
        change_rules(session, one.space, one.venue, rules(terms={"fi": "Siivoa."}), actor=one.actor)
    assert len(session.scalars(select(TermsText)).all()) == 1


def test_a_choice_is_called_by_its_first_words() -> None:
    assert option_key({"en": "Outside", "fi": "Ulkona"}) == "Ulkona"
    assert option_key({"en": "Outside"}) == "Outside"
    assert option_key({}) == ""
