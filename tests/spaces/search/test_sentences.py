"""The table of sentences, read as the search page reads them, against a city with districts and a venue."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from flask import Flask, g
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from marketplace.cities.models import City
from spaces.search.forms import Asked, read_asked
from spaces.search.words import meanings, search_words
from tests.factories.districts import make_district
from tests.factories.spaces import make_space, make_venue
from tests.spaces.search.sentences import ENGLISH, FINNISH, LATER, SWEDISH, THIRD, Sentence

NOW = datetime(2026, 11, 24, 4, 30, tzinfo=UTC)  # half past six in the morning there
TABLE: dict[str, list[Sentence]] = {
    language: [*table, *LATER[language], *THIRD[language]]
    for language, table in (("fi", FINNISH), ("sv", SWEDISH), ("en", ENGLISH))
}
# The share of sentences that must be understood whole.
LEAST_SHARE = 0.97
DISTRICTS = (
    ("Kallio", "Berghäll"), ("Sörnäinen", "Sörnäs"), ("Etu-Töölö", "Främre Tölö"), ("Vuosaari", "Nordsjö"), ("Pasila", "Böle"),
    ("Lauttasaari", "Drumsö"), ("Kluuvi", "Gloet"), ("Haaga", "Haga"), ("Herttoniemi", "Hertonäs"), ("Malmi", "Malm"),
    ("Käpylä", "Kottby"), ("Punavuori", "Rödbergen"),
)  # fmt: skip


@pytest.fixture
def helsinki(session: Session, city: City) -> City:
    """Twelve districts, and a venue on Helsinginkatu with a room in it."""
    for number, (fi, sv) in enumerate(DISTRICTS):
        make_district(
            session, city, names={"fi": fi, "sv": sv, "en": fi}, at=(24.7 + number * 0.05, 60.3), half=0.01
        )
    make_space(
        session,
        make_venue(
            session,
            city,
            names={"fi": "Torkkelin talo", "sv": "Torkelshuset"},
            streets={"fi": "Helsinginkatu 24", "sv": "Helsingegatan 24"},
        ),
    )
    session.commit()
    return city


def ask(session: Session, city: City, text: str, **more: str) -> Asked:
    return read_asked(session, city, MultiDict({"q": text, **more}), now=NOW)


def day_of(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text if len(text) > 5 else f"2026-{text}")


def expected_of(said: dict[str, Any], today: date) -> dict[str, Any]:
    return {
        "q": said.get("q", ""),
        "where": said.get("where", ""),
        "people": said.get("people"),
        "day": day_of(said.get("day")),
        "last": day_of(said.get("last")),
        "days": said.get("days", ""),
        "hours": said.get("hours", ""),
        "minutes": said.get("minutes"),
        "cents": None if said.get("euros") is None else said["euros"] * 100,
        "has": set(said.get("has", "").split()),
        "access": set(said.get("access", "").split()),
        "suits": set(said.get("suits", "").split()),
        "approval": set(said.get("approval", "").split()),
        "near": said.get("near", False),
        "means": True,
    }


def found_of(asked: Asked, said: dict[str, Any]) -> dict[str, Any]:
    q = asked.question
    stands_for = {code for word in search_words(asked.fields["q"]) for code in meanings(word)}
    return {
        "q": asked.fields["q"],
        "where": asked.fields["where"],
        "people": q.people,
        "day": q.day,
        "last": q.last_day,
        "days": "".join(str(number + 1) for number in sorted(q.weekdays)),
        "hours": f"{q.start_minute / 60:g}-{q.end_minute / 60:g}" if q.has_time else "",
        "minutes": q.minutes,
        "cents": q.max_price_minor,
        "has": set(q.equipment),
        "access": set(q.accessibility),
        "suits": set(q.viewpoints),
        "approval": set(q.approval),
        "near": asked.near_me,
        "means": said.get("means") is None or said["means"] in stands_for,
    }


@pytest.mark.parametrize("language", ["fi", "sv", "en"])
def test_sentences_fill_the_fields(
    app: Flask, session: Session, helsinki: City, language: str, record_property: Any
) -> None:
    assert len(TABLE[language]) >= 50
    wrong = []
    with app.test_request_context():
        g.lang = language
        for text, said in TABLE[language]:
            asked = ask(session, helsinki, text)
            expected, found = expected_of(said, NOW.date()), found_of(asked, said)
            differing = {
                name: (expected[name], found[name]) for name in expected if expected[name] != found[name]
            }
            if differing or asked.errors:
                wrong.append((text, differing, asked.errors))
    share = 1 - len(wrong) / len(TABLE[language])
    record_property("share", share)
    print(f"\n{language}: {share:.1%} of {len(TABLE[language])} sentences understood whole")
    assert share >= LEAST_SHARE, "\n".join(map(str, wrong))


@pytest.mark.parametrize("language", ["fi", "sv", "en"])
def test_what_a_sentence_put_in_the_fields_is_read_again(
    app: Flask, session: Session, helsinki: City, language: str
) -> None:
    with app.test_request_context():
        g.lang = language
        for text, _ in TABLE[language]:
            first = ask(session, helsinki, text)
            again = read_asked(session, helsinki, MultiDict(flat(first.args)), now=NOW)
            assert again.fields == first.fields, text
            assert not again.errors, text
            ours = {name: getattr(first.question, name) for name in vars(first.question) if name != "words"}
            theirs = {name: getattr(again.question, name) for name in vars(again.question) if name != "words"}
            assert ours == theirs, text


def flat(args: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (name, value)
        for name, values in args.items()
        for value in (values if isinstance(values, list) else [values])
        if value
    ]


def test_what_is_not_understood_is_told(app: Flask, session: Session, helsinki: City) -> None:
    make_space(session, make_venue(session, helsinki, names={"en": "Blue lagoon"}))
    session.commit()
    with app.test_request_context():
        g.lang = "en"
        asked = ask(session, helsinki, "lagoon for 40 people tomorrow")
        assert asked.question.words == ("lagoon",)
        assert asked.remarks == ["We also searched for the words: lagoon."]
        lost = ask(session, helsinki, "lagoon flubberish for 40 people tomorrow")
        assert lost.question.words == ("lagoon",)
        assert "Nothing has the word “flubberish”. We searched without it." in lost.remarks
        alone = ask(session, helsinki, "flubberish")
        assert alone.question.words == ("flubberish",)
        assert alone.fields["q"] == "flubberish"


def test_a_field_that_is_filled_counts_more_and_that_is_told(
    app: Flask, session: Session, helsinki: City
) -> None:
    with app.test_request_context():
        g.lang = "en"
        asked = ask(session, helsinki, "hall for 40 people tomorrow", people="10", when="Saturday")
        assert asked.question.people == 10
        assert asked.question.day == date(2026, 11, 28)
        assert asked.remarks == [
            "“40” was left out, since its own field says something else.",
            "“Wed 25 Nov” was left out, since its own field says something else.",
        ]


def test_near_me_is_a_wish_that_the_page_has_to_answer(app: Flask, session: Session, helsinki: City) -> None:
    with app.test_request_context():
        g.lang = "fi"
        asked = ask(session, helsinki, "sauna lähellä minua")
        assert asked.near_me
        assert asked.question.place is None
        assert not ask(session, helsinki, "sauna lähellä minua", where="Kallio").near_me


@pytest.mark.parametrize(
    ("typed", "place"),
    [("Herttoniem", "Herttoniemi"), ("Herttoniemssä", None), ("Lautasaari", "Lauttasaari"), ("Kallix", None)],
)
def test_a_place_with_one_letter_wrong_is_found(
    app: Flask, session: Session, helsinki: City, typed: str, place: str | None
) -> None:
    with app.test_request_context():
        g.lang = "fi"
        asked = ask(session, helsinki, "", where=typed)
        if place is None:
            assert "where" in asked.errors or asked.question.place is not None
        else:
            assert asked.fields["where"] == place


def test_days_in_the_address_become_words(app: Flask, session: Session, helsinki: City) -> None:
    args = [("from", "2026-11-30"), ("to", "2026-12-13"), ("weekday", "2"), ("weekday", "4")]
    for language, text in (
        ("fi", "ti 1.12. – su 13.12. tiistaisin ja torstaisin"),
        ("sv", "tis 1.12 – sön 13.12 tisdagar och torsdagar"),
        ("en", "Tue 1 Dec – Sun 13 Dec, Tuesdays and Thursdays"),
    ):
        with app.test_request_context():
            g.lang = language
            asked = read_asked(session, helsinki, MultiDict(args), now=NOW)
            assert asked.fields["when"] == text
            assert not asked.errors
            assert asked.question.last_day == date(2026, 12, 13)
            assert [day.day for day in asked.question.days] == [1, 3, 8, 10]


@pytest.mark.parametrize(
    "args",
    [
        {"from": "2026-13-01"},
        {"from": "x" * 10_000},
        {"from": "2026-12-05", "to": "2026-12-01"},
        {"from": "2026-12-05", "to": "9999-99-99"},
    ],
)
def test_wrong_days_in_the_address_are_told(
    app: Flask, session: Session, helsinki: City, args: dict[str, str]
) -> None:
    with app.test_request_context():
        g.lang = "en"
        asked = read_asked(session, helsinki, MultiDict(args), now=NOW)
        assert asked.question.day is None
        assert asked.notes == ["The days in the address could not be read, and were left out."]


def test_a_window_of_a_thousand_years_is_cut(app: Flask, session: Session, helsinki: City) -> None:
    with app.test_request_context():
        g.lang = "en"
        args = MultiDict({"from": "2026-11-24", "to": "3026-11-24"})
        asked = read_asked(session, helsinki, args, now=NOW)
        assert asked.question.last_day == date(2027, 2, 23)
        assert "three months at a time" in asked.errors["when"]


def test_of_a_window_that_has_begun_the_rest_is_asked(app: Flask, session: Session, helsinki: City) -> None:
    with app.test_request_context():
        g.lang = "fi"
        asked = ask(session, helsinki, "", when="1.11.2026 – 30.11.2026 klo 5–6")
        assert (asked.question.day, asked.question.last_day) == (date(2026, 11, 25), date(2026, 11, 30))
        gone = ask(session, helsinki, "", when="1.11.2026 – 5.11.2026")
        assert "when" in gone.errors
