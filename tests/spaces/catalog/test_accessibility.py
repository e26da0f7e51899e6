"""What is told of a place's accessibility: three answers, sentences, and whom it suits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from marketplace.cities.models import City
from spaces.catalog.accessibility import (
    FACTS_OF_GROUP,
    GROUPS,
    MEASURES,
    VIEWPOINTS,
    Known,
    Sentence,
    problems,
    sentence_problem,
    settled,
    suited,
    told_groups,
    untold_groups,
    viewpoint_sql,
)
from spaces.catalog.accessibility_texts import MEASURED, SENTENCES
from spaces.catalog.vocabulary import ACCESSIBILITY
from tests.factories.spaces import make_venue

WHEELCHAIR = {"accessible_toilet", "step_free_entrance", "lift"}


def known(has=(), lacks=(), measures=None, sentences=()) -> Known:
    return Known(tuple(has), tuple(lacks), measures or {}, tuple(sentences))


def test_every_word_has_a_group_and_both_sentences_in_three_languages() -> None:
    assert {code for codes in FACTS_OF_GROUP.values() for code in codes} == set(ACCESSIBILITY)
    assert set(SENTENCES) == set(ACCESSIBILITY)
    assert set(FACTS_OF_GROUP) < set(GROUPS)
    assert set(MEASURED) == set(MEASURES)
    texts = [texts for pair in SENTENCES.values() for texts in pair] + list(MEASURED.values())
    assert all(set(one) == {"fi", "sv", "en"} and all(one.values()) for one in texts)
    assert all(one[lang] % {"number": 7} for one in MEASURED.values() for lang in one)


def test_rules_use_known_words_only() -> None:
    for point in VIEWPOINTS.values():
        used = {*point.needs, *point.never, *(code for some in point.one_of for code in some)}
        assert used <= set(ACCESSIBILITY)


def test_what_nobody_told_suits_nobody() -> None:
    assert suited((), ()) == []
    assert suited(WHEELCHAIR - {"lift"}, ()) == []


def test_a_told_lack_decides() -> None:
    assert suited(WHEELCHAIR, ()) == ["wheelchair", "rollator"]
    assert suited(WHEELCHAIR, {"wide_doors"}) == ["rollator"]
    assert suited(WHEELCHAIR, {"accessible_route"}) == []


codes = st.sampled_from(list(ACCESSIBILITY))


@given(st.sets(codes), st.sets(codes))
def test_one_more_fact_never_suits_fewer(has: set[str], more: set[str]) -> None:
    assert set(suited(has, ())) <= set(suited(has | more, ()))
    assert set(suited(has, more - has)) <= set(suited(has, ()))


def test_the_database_and_the_rules_agree(session: Session) -> None:
    """Every rule as SQL against the same rule in Python, over many sets of facts."""
    words = list(ACCESSIBILITY)
    samples = [
        (set(words[n % 5 :: step]), set(words[:: step + 2]) - set(words[n % 5 :: step]))
        for n in range(5)
        for step in (1, 2, 3, 4)
    ] + [(set(), set()), (WHEELCHAIR, set()), (WHEELCHAIR, {"wide_doors"}), (set(words), set())]
    for has, lacks in samples:
        for code in VIEWPOINTS:
            condition = viewpoint_sql(code, "h", "l")
            found = session.scalar(
                text(f"SELECT {condition} FROM (SELECT CAST(:h AS text[]) h, CAST(:l AS text[]) l) t"),
                {"h": sorted(has), "l": sorted(lacks)},
            )
            assert found == (code in suited(has, lacks)), (code, has, lacks)


@pytest.mark.parametrize(
    ("measures", "has", "lacks"),
    [
        ({"door_cm": 85}, ["wide_doors"], []),
        ({"door_cm": 80}, ["wide_doors"], []),
        ({"door_cm": 79}, [], ["wide_doors"]),
        ({"threshold_cm": 2}, [], []),
        ({"threshold_cm": 3}, [], ["step_free_entrance"]),
        ({"route_slope_percent": 6}, [], ["accessible_route"]),
        ({"route_slope_percent": 5}, [], []),
        ({"parking_places": 2}, ["accessible_parking"], []),
        ({"toilet_turning_cm": 150}, [], []),
    ],
)
def test_a_number_tells_its_fact_where_it_can(measures, has, lacks) -> None:
    assert settled((), (), measures) == (has, lacks)


@pytest.mark.parametrize(
    ("has", "lacks", "measures", "field"),
    [
        ({"wide_doors"}, set(), {"door_cm": 70}, "door_cm"),
        (set(), {"wide_doors"}, {"door_cm": 90}, "door_cm"),
        ({"step_free_entrance"}, set(), {"threshold_cm": 5}, "threshold_cm"),
        (set(), {"accessible_parking"}, {"parking_places": 2}, "parking_places"),
        (set(), {"accessible_toilet"}, {"toilet_turning_cm": 150}, "toilet_turning_cm"),
        ({"lift"}, {"lift"}, {}, "lift"),
        (set(), set(), {"door_cm": 4000}, "door_cm"),
        (set(), set(), {"parking_places": 0}, "parking_places"),
    ],
)
def test_contradictions_are_refused_at_their_field(has, lacks, measures, field: str) -> None:
    assert [problem.field for problem in problems(has, lacks, measures)] == [field]


def test_steps_beside_a_low_threshold_are_no_contradiction() -> None:
    assert problems(set(), {"step_free_entrance"}, {"threshold_cm": 1}) == []


@given(st.dictionaries(st.sampled_from(list(MEASURES)), st.integers(0, 600)), st.sets(codes), st.sets(codes))
def test_settled_facts_never_contradict_each_other(measures, has, lacks) -> None:
    lacks -= has
    if problems(has, lacks, measures):
        return
    yes, no = settled(has, lacks, measures)
    assert not set(yes) & set(no)
    assert has <= set(yes)
    assert lacks <= set(no)
    assert problems(yes, no, measures) == []


def test_the_page_says_what_is_there_what_is_not_and_what_nobody_told() -> None:
    told = known(["step_free_entrance"], ["induction_loop"], {"door_cm": 95})
    groups = {one.group: [texts["en"] for texts in one.sentences] for one in told_groups(told)}
    assert groups == {
        "entrance": [
            "The entrance has no differences in level and no thresholds over 2 cm high.",
            "The clear width of the door is 95 cm.",
        ],
        "hearing": ["The facility does not have an induction loop."],
    }
    assert untold_groups(told) == ["parking", "route", "interior", "toilet", "changing"]


def test_a_register_says_its_own_sentence_once() -> None:
    own = Sentence(
        "toilet", {"en": "An accessible toilet on floor 2."}, "tprek", codes=("accessible_toilet",)
    )
    told = known(["accessible_toilet"], sentences=[own])
    assert [one.sentences for one in told_groups(told)] == [({"en": "An accessible toilet on floor 2."},)]


def test_an_owner_who_says_otherwise_is_believed() -> None:
    own = Sentence("toilet", {"en": "An accessible toilet."}, "tprek", codes=("accessible_toilet",))
    (told,) = told_groups(known([], ["accessible_toilet"], sentences=[own]))
    assert [texts["en"] for texts in told.sentences] == ["The facility does not have an accessible toilet."]


def test_a_heading_of_the_register_is_kept() -> None:
    pool = Sentence("other", {"en": "No teaching pool."}, "tprek", heading={"en": "Sports facility"})
    (told,) = told_groups(known(sentences=[pool]))
    assert (told.group, told.heading) == ("other", {"en": "Sports facility"})


@given(
    st.builds(
        Sentence,
        st.sampled_from(list(GROUPS)),
        st.dictionaries(st.sampled_from(["fi", "sv", "en"]), st.text(min_size=1), min_size=1),
        st.sampled_from(["tprek", "desk"]),
        st.lists(codes, unique=True).map(tuple),
        st.lists(codes, unique=True).map(tuple),
        st.none() | st.dictionaries(st.sampled_from(["fi", "sv"]), st.text(min_size=1), min_size=1),
    )
)
def test_a_sentence_comes_back_from_its_row(sentence: Sentence) -> None:
    assert Sentence.of_json(sentence.as_json()) == sentence


def test_sentences_have_limits() -> None:
    one = Sentence("toilet", {"en": "x"}, "tprek")
    assert sentence_problem([one]) is None
    assert "more than" in (sentence_problem([one] * 101) or "")
    assert "longer" in (sentence_problem([Sentence("toilet", {"en": "x" * 2001}, "t")]) or "")
    assert "group" in (sentence_problem([Sentence("roof", {"en": "x"}, "t")]) or "")
    assert "no text" in (sentence_problem([Sentence("toilet", {}, "t")]) or "")


def test_the_database_keeps_yes_and_no_apart(session: Session, city: City) -> None:
    with pytest.raises(IntegrityError, match="ck_venue_accessibility"):
        make_venue(session, city, accessibility=["lift"], accessibility_lacks=["lift"])
