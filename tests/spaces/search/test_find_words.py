"""Words in the texts of spaces: compounds by their parts, words with letters wrong, and the vocabulary behind them."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, select, text
from sqlalchemy.orm import Session

from marketplace.cities.models import City
from marketplace.clock import now
from spaces.catalog.models import Space
from spaces.search.models import SearchWord
from spaces.search.queries import search
from spaces.search.question import Question
from spaces.search.spelling import letters_apart, mend_purpose, mend_words
from spaces.search.vocabulary import count_missing, learn_batch, sweep_words, text_batches
from tests.factories.cities import make_city
from tests.factories.spaces import make_space, make_venue


def found(session: Session, city: City, *words: str) -> set[str]:
    answer = search(session, city, Question(words=words), now=now())
    return {next(iter(hit.space.names.values())) for hit in answer.hits}


def named(session: Session, city: City, language: str, *names: str, **fields: Any) -> None:
    for name in names:
        venue = make_venue(session, city, names={"fi": "Osoite"}, streets={})
        make_space(session, venue, names={language: name}, kind="berth", purposes=[], **fields)
    session.flush()


@pytest.mark.parametrize(
    ("language", "name", "word"),
    [
        ("fi", "Nuorisotalo", "talo"),
        ("fi", "Nuorisotalon iso sali", "talo"),
        ("fi", "Grillipaikka", "grilli"),
        ("fi", "Grillipaikka", "paikka"),
        ("fi", "Juhlasali", "sali"),
        ("fi", "Juhlasalissa", "sali"),
        ("fi", "Kokoustila", "kokous"),
        ("fi", "Kerhohuone", "huone"),
        ("fi", "Kerhohuone", "kerho"),
        ("fi", "Rantasauna", "sauna"),
        ("fi", "Leikkipuisto", "puisto"),
        ("fi", "Pallokenttä", "kenttä"),
        ("fi", "Asukaspirtti", "pirtti"),
        ("sv", "Festlokalen", "lokal"),
        ("sv", "Ungdomsgården", "gård"),
        ("sv", "Idrottssal", "idrott"),
        ("en", "The classroom", "room"),
        ("en", "Barbecue gazebos", "gazebo"),
    ],
)
def test_a_compound_is_found_by_its_parts(
    session: Session, city: City, language: str, name: str, word: str
) -> None:
    named(session, city, language, name, "Muu")
    assert found(session, city, word) == {name}


def test_parts_are_sought_in_their_own_language_and_at_the_ends_only(session: Session, city: City) -> None:
    named(session, city, "en", "Dress rehearsal", "Hallway")
    named(session, city, "fi", "Metallipaja")
    assert found(session, city, "sali") == set()  # rehearsal ends like sal- in English only
    assert found(session, city, "tall") == set()


def test_words_of_the_venue_and_of_the_description_count(session: Session, city: City) -> None:
    venue = make_venue(
        session, city, names={"fi": "Kivinokan kesämaja"}, streets={"fi": "Kipparlahdenkuja 4"}
    )
    make_space(
        session, venue, names={"fi": "Tupa"}, descriptions={"fi": "Sopii sukujuhliin ja rapukesteihin."}
    )
    session.flush()
    for word in ("maja", "kesämaja", "kesämajalla", "rapukestit", "kipparlahdenkuja"):
        assert found(session, city, word) == {"Tupa"}, word


def test_a_renamed_space_is_found_at_once(session: Session, city: City) -> None:
    named(session, city, "fi", "Varasto")
    space = session.scalars(select(Space)).one()
    space.names = {"fi": "Lampaanpolskatalli"}
    session.flush()
    assert found(session, city, "talli") == {"Lampaanpolskatalli"}
    assert found(session, city, "varasto") == set()
    assert mend_words(session, city, ["lampaanploskatalli"]) == {"lampaanploskatalli": "lampaanpolskatalli"}


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("pirti", "Pirtti"),
        ("prirtti", "Pirtti"),
        ("asukaspritti", "Asukaspirtti"),  # begins like a purpose
        ("asukaspirtii", "Asukaspirtti"),
        ("verstashal", "Verstashalli"),
        ("vertsashalli", "Verstashalli"),  # ends like one
        ("ruuttonborg", "Ruuttunborg"),
        ("rutunborg", "Ruuttunborg"),
        ("ruttunborgissa", "Ruuttunborg"),
        ("partiopirtti", "Pirtti"),  # of a compound that nobody knows, the end
        ("hylkeenpyyntimaja", None),
    ],
)
def test_a_word_with_letters_wrong_finds_what_was_meant(
    session: Session, city: City, typed: str, name: str | None
) -> None:
    named(session, city, "fi", "Asukaspirtti", "Pirtti", "Verstashalli", "Ruuttunborg")
    instead = mend_words(session, city, [typed]).get(typed, typed)
    assert (instead is None) == (name is None)
    if instead is not None:
        assert name in found(session, city, instead)


def test_a_word_that_something_has_is_left_alone(session: Session, city: City) -> None:
    named(session, city, "fi", "Asukaspirtti")
    assert mend_words(session, city, ["pirtti", "asukaspirtillä", "kokous", "4711", "x'y"]) == {}


def test_a_purpose_with_a_letter_wrong_is_put_right() -> None:
    for typed, meant in (("synttrit", "synttärit"), ("kirppputori", "kirpputori"), ("kokuos", "kokous")):
        assert mend_purpose(typed) == meant
    assert mend_purpose("lampaanpolska") is None


def test_no_word_of_a_draft_or_of_another_city_is_suggested(session: Session, city: City) -> None:
    named(session, city, "fi", "Salaisuuspirtti", state="draft")
    other = make_city(session, slug="turku")
    named(session, other, "fi", "Ruuttunborg")
    assert mend_words(session, city, ["salaisuuspirti", "ruutunborg"]) == {
        "salaisuuspirti": None,
        "ruutunborg": None,
    }
    assert mend_words(session, other, ["ruutunborg"]) == {"ruutunborg": "ruuttunborg"}


@pytest.mark.parametrize(
    "word",
    [
        "",
        "'",
        "a:*",
        "sali & talo",
        "!!!!",
        "<->",
        "\\",
        "%",
        "ääääää",
        "x" * 5000,
        "talo:*|x",
        "🎉🎉🎉🎉",
        "ﬁﬁﬁﬁ",
    ],
)
def test_strange_words_find_nothing_and_do_no_harm(session: Session, city: City, word: str) -> None:
    named(session, city, "fi", "Nuorisotalo")
    assert found(session, city, word) <= {"Nuorisotalo"}
    mend_words(session, city, [word])


def test_letters_apart() -> None:
    pairs = (
        ("kokous", "kokuos", 1),
        ("talo", "talot", 1),
        ("", "ab", 2),
        ("sama", "sama", 0),
        ("abc", "xyz", 3),
    )
    for one, other, apart in pairs:
        assert letters_apart(one, other) == letters_apart(other, one) == apart


def test_the_vocabulary_is_whole_can_be_made_anew_and_is_swept(
    app: Flask, session: Session, city: City
) -> None:
    named(session, city, "fi", "Asukaspirtti", "Verstashalli")
    batches = text_batches(session, city.id)
    assert batches
    assert sum(count_missing(session, *batch) for batch in batches) == 0
    session.execute(delete(SearchWord).where(SearchWord.word == "verstashalli"))
    assert sum(count_missing(session, *batch) for batch in batches) == 1
    assert sum(learn_batch(session, *batch) for batch in batches) == 1
    assert sum(count_missing(session, *batch) for batch in batches) == 0
    session.execute(
        text(
            "INSERT INTO search_word (city_id, word, grams)"
            " SELECT :city, w, word_grams(w) FROM unnest(ARRAY['verstashalli', 'kadonnut']) w"
        ),
        {"city": city.id},
    )
    assert sweep_words(session, city.id) == 2
    kept = session.scalars(select(SearchWord.word).order_by(SearchWord.word)).all()
    assert "kadonnut" not in kept
    assert len(kept) == len(set(kept))
    assert sum(count_missing(session, *batch) for batch in batches) == 0


def test_a_change_that_leaves_the_texts_learns_nothing(session: Session, city: City) -> None:
    named(session, city, "fi", "Asukaspirtti")
    session.execute(delete(SearchWord))
    session.execute(text("UPDATE space SET capacity = 7"))
    assert session.scalars(select(SearchWord)).all() == []
    session.execute(text("""UPDATE space SET descriptions = '{"fi": "Uusi lattia"}'"""))
    assert "lattia" in session.scalars(select(SearchWord.word)).all()
