"""Why a space is in the answer, told as codes: what is worth telling, and what is not."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from spaces.search.familiar import Use
from spaces.search.question import Place, Question
from spaces.search.reasons import Among, Match, among, reasons

MATCH = Match(
    capacity=50,
    purposes=["meeting", "annual_meeting"],
    kind="meeting_room",
    approval="instant",
    district_id=7,
    distance_m=348.0,
    price_minor=4000,
    minutes=120,
    told=["Nuorisotalo Vallila", "Täällä on flyygeli ja pieni keittiö."],
)
HAKANIEMI = Place(24.95, 60.18, "Hakaniemi", district_id=3)


def codes(match: Match, question: Question, others: Among = Among()) -> list[str]:  # noqa: B008 - frozen
    return [reason.code for reason in reasons(match, question, others)]


def facts(match: Match, question: Question, code: str, others: Among = Among()) -> Any:  # noqa: B008 - frozen
    return next(reason.facts for reason in reasons(match, question, others) if reason.code == code)


def test_a_plain_question_needs_no_reasons() -> None:
    assert codes(MATCH, Question()) == []


def test_the_distance_is_told_from_the_named_place() -> None:
    assert facts(MATCH, Question(place=HAKANIEMI), "near") == {"metres": 348, "place": "Hakaniemi"}


def test_inside_the_asked_district_metres_from_its_middle_are_not_told() -> None:
    assert codes(replace(MATCH, district_id=3), Question(place=HAKANIEMI)) == ["in-place"]


def test_from_a_bare_point_only_the_distance_is_told() -> None:
    assert facts(MATCH, Question(place=Place(24.9, 60.1, "x", is_point=True)), "away") == {"metres": 348}


def test_a_venue_without_a_position_has_no_distance() -> None:
    assert codes(replace(MATCH, distance_m=None), Question(place=HAKANIEMI)) == []


@pytest.mark.parametrize(
    ("people", "capacity", "fits"),
    [
        (40, 40, True),
        (40, 50, True),
        (40, 60, True),
        (40, 61, False),
        (40, 500, False),
        (4, 9, True),
        (4, 10, False),
        (40, None, False),
    ],
)
def test_a_room_of_the_right_size_says_so(people: int, capacity: int | None, fits: bool) -> None:
    found = codes(replace(MATCH, capacity=capacity), Question(people=people))
    assert found == (["size"] if fits else [])


def test_the_exact_purpose_is_told_but_not_what_all_rows_have() -> None:
    question = Question(purposes=frozenset({"annual_meeting"}))
    assert facts(MATCH, question, "meant-for") == {"purposes": ["annual_meeting"]}
    alike = among([MATCH] * 4, question, total=4, is_first_page=True)
    assert "meant-for" not in codes(MATCH, question, alike)
    other = replace(MATCH, purposes=["meeting"])
    mixed = among([MATCH, MATCH, other], question, total=3, is_first_page=True)
    assert "meant-for" in codes(MATCH, question, mixed)


def test_a_word_for_a_purpose_is_told_as_the_purpose() -> None:
    assert facts(MATCH, Question(words=("vuosikokous",)), "meant-for")["purposes"][0] == "annual_meeting"


def test_a_part_of_a_longer_word_and_a_word_of_the_description() -> None:
    piano = facts(MATCH, Question(words=("flyygeli",)), "mentions")
    assert piano["word"] == "flyygeli"
    house = facts(MATCH, Question(words=("talo",)), "part-of-word")
    assert house == {"word": "talo", "longer": "Nuorisotalo"}
    assert codes(MATCH, Question(words=("saippuakauppias",))) == []


def test_past_use_comes_first() -> None:
    used = replace(MATCH, used=Use(date(2026, 3, 2), by_organisation=True, times=3))
    found = reasons(used, Question(place=HAKANIEMI, people=40), Among())
    assert [reason.code for reason in found] == ["organisation-was-here", "near", "size"]
    assert found[0].facts == {"on": "2026-03-02", "times": 3}
    alone = replace(MATCH, used=Use(date(2026, 3, 2)))
    assert codes(alone, Question()) == ["you-were-here"]


def test_free_is_told_only_beside_what_costs() -> None:
    free = replace(MATCH, price_minor=0)
    assert codes(free, Question(), among([free] * 5, Question(), total=5, is_first_page=True)) == []
    mixed = among([free, MATCH, MATCH], Question(), total=3, is_first_page=True)
    assert codes(free, Question(), mixed) == ["free-of-charge"]


def test_the_cheapest_is_one_row_of_the_first_page_for_equal_lengths() -> None:
    cheap, question = replace(MATCH, price_minor=1000), Question()
    rows = [cheap, MATCH, MATCH]
    assert facts(cheap, question, "cheapest", among(rows, question, total=3, is_first_page=True)) == {}
    of_ten = among(rows, question, total=90, is_first_page=True)
    assert facts(cheap, question, "cheapest", of_ten) == {"first": 3}
    for others in (
        among(rows, question, total=90, is_first_page=False),
        among([cheap, cheap, MATCH], question, total=3, is_first_page=True),
        among([cheap, MATCH], question, total=2, is_first_page=True),
        among([cheap, MATCH, replace(MATCH, minutes=60)], question, total=3, is_first_page=True),
    ):
        assert "cheapest" not in codes(cheap, question, others)


def test_at_once_is_told_only_where_others_have_to_be_asked_for() -> None:
    asked = replace(MATCH, approval="handler")
    others = among([MATCH, asked], Question(), total=2, is_first_page=True)
    assert codes(MATCH, Question(), others) == ["at-once"]
    assert codes(asked, Question(), others) == []
    assert codes(MATCH, Question(), among([MATCH], Question(), total=1, is_first_page=True)) == []
