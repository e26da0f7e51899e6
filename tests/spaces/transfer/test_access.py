"""Accessibility in and out: the register's sentences, our columns, and the owner's own word."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from marketplace.cities.models import City
from spaces.catalog.accessibility import MEASURES, Sentence
from spaces.catalog.models import Space, SpaceUnit, Unit, Venue
from spaces.transfer.access_register import register_facts
from spaces.transfer.access_text import COLUMNS, measures_text, read_measures, read_sentences, sentences_text
from spaces.transfer.errors import RecordBroken
from tests.factories.spaces import make_space, make_venue
from tests.spaces.transfer.files import tprek_unit, write


def sentence(text: str, group: str = "In the facility") -> dict[str, Any]:
    return {
        "sentence_group_en": group,
        "sentence_group_fi": f"{group} (fi)",
        "sentence_en": text,
        "sentence_fi": f"{text} (fi)",
        "sentence_sv": f"{text} (sv)",
    }


def table(path: Path, *rows: dict[str, Any]) -> Path:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(dict.fromkeys(column for row in rows for column in row)))
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(out.getvalue(), encoding="utf-8")
    return path


def told(**cells: Any) -> dict[str, Any]:
    return {"place_source": "test", "place_id": "1", "space_id": "1", **cells}


def only(session: Session) -> Venue:
    session.expire_all()
    return session.scalars(select(Venue)).one()


@pytest.mark.parametrize(
    ("group", "text", "has", "lacks"),
    [
        ("The main entrance", "The entrance has thresholds over 2 cm high.", (), ("step_free_entrance",)),
        (
            "The main entrance",
            "There are no differences in level at the entrance.",
            ("step_free_entrance",),
            (),
        ),
        ("The main entrance", "The door opens automatically.", ("automatic_doors",), ()),
        ("In the facility", "There is a lift; the door opens automatically.", ("lift",), ()),
        ("In the facility", "There is a lift cramped for wheelchair users.", (), ()),
        ("In the facility", "The facility has an accessible toilet on floor 2.", ("accessible_toilet",), ()),
        ("In the facility", "The facility does not have an accessible toilet.", (), ("accessible_toilet",)),
        ("In the facility", "An induction loop is not available.", (), ("induction_loop",)),
        ("In the facility", "The hall has an induction loop.", ("induction_loop",), ()),
        ("Parking", "There are 2 accessible parking spaces.", ("accessible_parking",), ()),
        ("Sports facilities", "The pool is deep.", (), ()),
    ],
)
def test_a_sentence_states_only_what_it_says_outright(group: str, text: str, has: Any, lacks: Any) -> None:
    facts = register_facts([sentence(text, group)], source="tprek")
    assert (facts.has, facts.lacks) == (has, lacks)
    assert facts.sentences[0].texts["sv"] == f"{text} (sv)"


def test_an_affirmation_of_the_whole_outweighs_the_denial_of_a_part() -> None:
    facts = register_facts(
        [
            sentence("The facility has an accessible toilet on floor 2."),
            sentence("An accessible toilet is not available in the pool area.", "Sports facilities"),
        ],
        source="tprek",
    )
    assert (facts.has, facts.lacks) == (("accessible_toilet",), ())
    assert all(one.holds(facts.has, facts.lacks) for one in facts.sentences)


@pytest.mark.parametrize("value", ["none", {"a": 1}, 5])
def test_sentences_of_another_shape_are_refused(value: object) -> None:
    with pytest.raises(RecordBroken, match="should be a list"):
        register_facts(value, source="tprek")


def test_odd_sentences_are_left_out_and_long_ones_cut() -> None:
    facts = register_facts(
        [None, 5, {}, {"sentence_fi": " "}, {"sentence_en": "<b>x</b>" + "y" * 9000}] + [sentence("a")] * 300,
        source="tprek",
    )
    assert len(facts.sentences) <= 100
    assert len(facts.sentences[0].texts["en"]) == 2000
    assert facts.sentences[0].texts["en"].startswith("xy")


@given(
    st.dictionaries(st.sampled_from(list(MEASURES)), st.integers(0, 9999)),
)
def test_measures_come_back_from_a_cell(measures: dict[str, int]) -> None:
    assert read_measures(measures_text(measures)) == measures


plain_texts = st.text("abcåäö ;,\"'\\|=", min_size=1).map(lambda text: " ".join(text.split())).filter(bool)


@given(
    st.lists(
        st.builds(
            Sentence,
            st.sampled_from(["entrance", "other"]),
            st.dictionaries(st.sampled_from(["fi", "sv", "en"]), plain_texts, min_size=1),
            st.just("tprek"),
            st.just(("lift",)) | st.just(()),
            st.just(("ramp",)) | st.just(()),
            st.none() | st.dictionaries(st.sampled_from(["fi", "en"]), plain_texts, min_size=1),
        )
    ).map(tuple)
)
def test_sentences_come_back_from_a_cell(sentences: tuple[Sentence, ...]) -> None:
    assert read_sentences(sentences_text(sentences)) == (sentences or None)


@pytest.mark.parametrize(
    ("cells", "field"),
    [
        ({"accessibility": "escalator"}, "accessibility"),
        ({"accessibility": "lift", "accessibility_lacks": "lift"}, "accessibility_lacks"),
        ({"accessibility_measures": "door_cm=wide"}, "accessibility_measures"),
        ({"accessibility_measures": "roof_cm=3"}, "accessibility_measures"),
        ({"accessibility_measures": "door_cm=3"}, "accessibility_measures"),
        ({"accessibility": "wide_doors", "accessibility_measures": "door_cm=60"}, "accessibility_measures"),
        ({"accessibility_sentences": "{"}, "accessibility_sentences"),
        ({"accessibility_sentences": "[1]"}, "accessibility_sentences"),
        ({"accessibility_sentences": "[" * 100_000}, "accessibility_sentences"),
        (
            {"accessibility_sentences": '[{"group": "roof", "texts": {"fi": "x"}, "source": "t"}]'},
            "accessibility_sentences",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_its_column(
    session: Session, city: City, tmp_path: Path, import_file, rows_written, cells: Any, field: str
) -> None:
    make_space(session, make_venue(session, city, source="test", external_id="1"), external_id="1")
    before = rows_written()
    report = import_file(table(tmp_path / "a.csv", told(**cells)))
    assert [problem.field for problem in report.problems] == [field]
    assert rows_written() - before <= 1  # nothing but the trail of the import


def test_a_fact_told_one_way_leaves_the_other_list(
    session: Session, city: City, tmp_path: Path, import_file
) -> None:
    venue = make_venue(
        session, city, source="test", external_id="1", accessibility=["lift"], accessibility_lacks=["ramp"]
    )
    make_space(session, venue, external_id="1")
    session.commit()
    dry = import_file(table(tmp_path / "a.csv", told(accessibility_lacks="lift")), dry_run=True)
    assert {one.field: (one.old, one.new) for one in dry.changes[0].fields} == {
        "accessibility": (["lift"], []),
        "accessibility_lacks": (["ramp"], ["lift"]),
    }
    import_file(table(tmp_path / "a.csv", told(accessibility_lacks="lift")))
    assert (only(session).accessibility, only(session).accessibility_lacks) == ([], ["lift"])
    import_file(table(tmp_path / "b.csv", told(accessibility_measures="door_cm=95, threshold_cm=4")))
    stored = only(session)
    assert stored.accessibility == ["wide_doors"]
    assert stored.accessibility_lacks == ["step_free_entrance", "lift"]
    import_file(table(tmp_path / "c.csv", told(capacity=9)))
    assert only(session).accessibility_measures == {"door_cm": 95, "threshold_cm": 4}


@pytest.mark.parametrize(
    ("name", "ending"), [("csv", "csv"), ("xlsx", "xlsx"), ("geojson", "geojson"), ("geopackage", "gpkg")]
)
def test_all_of_it_comes_back_here_and_elsewhere(
    session: Session, city: City, tmp_path: Path, import_file, export, rows_written, name: str, ending: str
) -> None:
    unit = tprek_unit(
        1, accessibility_sentences=[sentence("=1+1"), sentence("The hall has an induction loop.")]
    )
    import_file(write(tmp_path / "u.json", [unit]))
    venue = only(session)
    venue.accessibility_measures = {"door_cm": 95, "toilet_turning_cm": 150}
    venue.accessibility = ["induction_loop", "wide_doors"]
    venue.accessibility_lacks = ["lift"]
    session.commit()
    path = export(name, ending)
    facts = [getattr(venue, column) for column in COLUMNS]
    before = rows_written()
    report = import_file(path)
    assert (report.unchanged, report.problems) == (1, [])
    assert rows_written() == before
    for model in (SpaceUnit, Space, Unit, Venue):
        session.execute(delete(model))
    assert import_file(path).problems == []
    again = only(session)
    assert [getattr(again, column) for column in COLUMNS] == facts


def test_an_owner_keeps_the_last_word_over_the_register(
    session: Session, city: City, tmp_path: Path, import_file
) -> None:
    path = tmp_path / "u.json"
    toilet, rough = (
        sentence("The facility has an accessible toilet."),
        sentence("The route to the entrance is rough.", "The route to the main entrance"),
    )
    import_file(write(path, [tprek_unit(1, accessibility_sentences=[toilet, rough])]))
    venue = only(session)
    assert (venue.accessibility, venue.accessibility_lacks) == (["accessible_toilet"], ["accessible_route"])
    venue.accessibility, venue.accessibility_lacks = ["accessible_route", "lift"], ["accessible_toilet"]
    session.commit()
    import_file(write(path, [tprek_unit(1, accessibility_sentences=[toilet, rough], phone="09 310")]))
    venue = only(session)
    assert venue.phone == "09 310"
    assert (venue.accessibility, venue.accessibility_lacks) == (
        ["accessible_route", "lift"],
        ["accessible_toilet"],
    )
    import_file(write(path, [tprek_unit(1, phone="09 311")]))
    venue = only(session)
    assert (venue.accessibility, len(venue.accessibility_sentences)) == (["accessible_route", "lift"], 2)


def test_a_fact_that_the_register_takes_back_goes(
    session: Session, city: City, tmp_path: Path, import_file
) -> None:
    path = tmp_path / "u.json"
    toilet, loop = (
        sentence("The facility has an accessible toilet."),
        sentence("The hall has an induction loop."),
    )
    import_file(write(path, [tprek_unit(1, accessibility_sentences=[toilet, loop])]))
    import_file(write(path, [tprek_unit(1, accessibility_sentences=[loop])]))
    venue = only(session)
    assert venue.accessibility == ["induction_loop"]
    assert json.dumps(venue.accessibility_sentences).count("toilet") == 0
