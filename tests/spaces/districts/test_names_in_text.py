"""What people write when they mean a district."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.cities.models import City
from spaces.districts.queries import district_in_words, district_of_words
from spaces.districts.words import Gazetteer
from tests.factories.districts import make_district

NAMES = [
    {"fi": "Kallio", "sv": "Berghäll"},
    {"fi": "Hakaniemi", "sv": "Hagnäs"},
    {"fi": "Sörnäinen", "sv": "Sörnäs"},
    {"fi": "Töölö", "sv": "Tölö"},
    {"fi": "Taka-Töölö", "sv": "Bortre Tölö"},
    {"fi": "Käpylä", "sv": "Kottby"},
    {"fi": "Itäkeskus", "sv": "Östra centrum"},
    {"fi": "Kamppi", "sv": "Kampen"},
    {"fi": "Vuosaari", "sv": "Nordsjö"},
    {"fi": "Pukinmäki", "sv": "Bocksbacka"},
    {"fi": "Kruununhaka", "sv": "Kronohagen"},
    {"fi": "Ruoholahti", "sv": "Gräsviken"},
    {"fi": "Katajanokka", "sv": "Skatudden"},
    {"fi": "Kaartinkaupunki", "sv": "Gardesstaden"},
    {"fi": "Viikki", "sv": "Vik"},
    {"fi": "Lauttasaari", "sv": "Drumsö"},
    {"fi": "Malmi", "sv": "Malm"},
    {"fi": "Östersundom", "sv": "Östersundom"},
    {"fi": "Punavuori", "sv": "Rödbergen"},
    {"fi": "Pohjois-Haaga", "sv": "Norra Haga"},
    {"fi": "Vanha Munkkiniemi", "sv": "Gamla Munksnäs"},
    {"fi": "Ulkosaaret", "sv": "Utöarna"},
    {"fi": "Arabianranta", "sv": "Arabiastranden"},
    {"fi": "Laakso", "sv": "Dal"},
]

WRITTEN = [
    ("Kallio", "Kallio"),
    ("Kalliossa", "Kallio"),
    ("Kalliosta", "Kallio"),
    ("Kallioon", "Kallio"),
    ("Kalliolla", "Kallio"),
    ("Kalliolta", "Kallio"),
    ("lähellä Kalliota", "Kallio"),
    ("Kallion kirjasto", "Kallio"),
    ("tila KALLIOSSA lauantaina", "Kallio"),
    ("kalliossakin", "Kallio"),
    ("near Kallio", "Kallio"),
    ("40 people, Saturday evening, near Kallio", "Kallio"),
    ("Kallio's halls", "Kallio"),
    ("Berghäll", "Kallio"),
    ("i berghäll", "Kallio"),
    ("Berghälls bibliotek", "Kallio"),
    ("berghall", "Kallio"),
    ("i Hagnäs", "Hakaniemi"),
    ("Hakaniemessä", "Hakaniemi"),
    ("Hakaniemestä", "Hakaniemi"),
    ("Hakaniemeen", "Hakaniemi"),
    ("Hakaniemen halli", "Hakaniemi"),
    ("Hakaniemeä", "Hakaniemi"),
    ("Sörnäisissä", "Sörnäinen"),
    ("Sörnäisistä", "Sörnäinen"),
    ("Sörnäisiin", "Sörnäinen"),
    ("Sörnäisten", "Sörnäinen"),
    ("Sörnäisessä", "Sörnäinen"),
    ("Sörnäistä", "Sörnäinen"),
    ("sornaisissa", "Sörnäinen"),
    ("Sörnäs", "Sörnäinen"),
    ("Töölössä", "Töölö"),
    ("Töölöstä", "Töölö"),
    ("Töölöön", "Töölö"),
    ("Töölön", "Töölö"),
    ("toolossa", "Töölö"),
    ("i Tölö", "Töölö"),
    ("Taka-Töölössä", "Taka-Töölö"),
    ("taka-töölöön", "Taka-Töölö"),
    ("i Bortre Tölö", "Taka-Töölö"),
    ("Käpylän", "Käpylä"),
    ("Käpylässä", "Käpylä"),
    ("Käpylään", "Käpylä"),
    ("Käpylää", "Käpylä"),
    ("in Kapyla", "Käpylä"),
    ("Itäkeskuksessa", "Itäkeskus"),
    ("Itäkeskuksen", "Itäkeskus"),
    ("Itäkeskukseen", "Itäkeskus"),
    ("Itäkeskusta", "Itäkeskus"),
    ("i Östra centrum", "Itäkeskus"),
    ("Kampissa", "Kamppi"),
    ("Kamppiin", "Kamppi"),
    ("Kampin keskus", "Kamppi"),
    ("Kamppia", "Kamppi"),
    ("Vuosaaressa", "Vuosaari"),
    ("Vuosaareen", "Vuosaari"),
    ("Vuosaaren", "Vuosaari"),
    ("Vuosaarta", "Vuosaari"),
    ("i Nordsjö", "Vuosaari"),
    ("Pukinmäessä", "Pukinmäki"),
    ("Pukinmäellä", "Pukinmäki"),
    ("Pukinmäkeen", "Pukinmäki"),
    ("Pukinmäen", "Pukinmäki"),
    ("Pukinmäkeä", "Pukinmäki"),
    ("Kruununhaassa", "Kruununhaka"),
    ("Kruununhakaan", "Kruununhaka"),
    ("Ruoholahdessa", "Ruoholahti"),
    ("Ruoholahteen", "Ruoholahti"),
    ("Ruoholahden", "Ruoholahti"),
    ("Ruoholahtea", "Ruoholahti"),
    ("Katajanokalla", "Katajanokka"),
    ("Katajanokkaa", "Katajanokka"),
    ("på Skatudden", "Katajanokka"),
    ("Kaartinkaupungissa", "Kaartinkaupunki"),
    ("Viikissä", "Viikki"),
    ("Viikkiin", "Viikki"),
    ("Lauttasaaressa", "Lauttasaari"),
    ("Drumsös badstrand", "Lauttasaari"),
    ("Malmilla", "Malmi"),
    ("Malmille", "Malmi"),
    ("Östersundomissa", "Östersundom"),
    ("Punavuoressa", "Punavuori"),
    ("Punavuorta", "Punavuori"),
    ("Haagassa", "Pohjois-Haaga"),
    ("Pohjois-Haagassa", "Pohjois-Haaga"),
    ("i Norra Haga", "Pohjois-Haaga"),
    ("i Haga", "Pohjois-Haaga"),
    ("Vanhassa Munkkiniemessä", "Vanha Munkkiniemi"),
    ("Munkkiniemessä", "Vanha Munkkiniemi"),
    ("Ulkosaarissa", "Ulkosaaret"),
    ("Arabianrannassa", "Arabianranta"),
    ("Laaksossa", "Laakso"),
    ("Kalliosta Töölöön", "Kallio"),
]


@pytest.fixture(scope="module")
def gazetteer() -> Gazetteer:
    return Gazetteer(dict(enumerate(NAMES)))


@pytest.mark.parametrize(("text", "name"), WRITTEN)
def test_a_name_is_found_in_every_form(gazetteer: Gazetteer, text: str, name: str) -> None:
    found = gazetteer.find(text)
    assert found is not None
    assert NAMES[found.key]["fi"] == name


@pytest.mark.parametrize(
    "text",
    ["", "pingis lauantaina", "kallis sali", "talossa", "a hall as big as a barn", "40", "🏀", "viikolla"],
)
def test_other_words_are_no_districts(gazetteer: Gazetteer, text: str) -> None:
    assert gazetteer.find(text) is None


def test_the_place_of_the_name_in_the_text_is_told(gazetteer: Gazetteer) -> None:
    text = "sali Bortre Tölö, tack"
    found = gazetteer.find(text)
    assert found is not None
    assert text[found.start : found.end] == "Bortre Tölö"


@given(st.text(max_size=200))
def test_any_text_gets_an_answer(text: str) -> None:
    found = Gazetteer(dict(enumerate(NAMES))).find(text) if len(text) < 3 else None
    assert found is None or 0 <= found.start < found.end <= len(text)


def test_a_part_of_a_district_leads_to_the_district(session, city: City) -> None:
    make_district(session, city, names={"fi": "Vartiokylä", "sv": "Botby"})
    kallio = make_district(session, city, names={"fi": "Kallio", "sv": "Berghäll"}, at=(24.90, 60.20))
    session.commit()
    vartiokyla = district_of_words(session, city, "sauna Itäkeskuksessa")
    assert vartiokyla is not None
    assert vartiokyla.names["fi"] == "Vartiokylä"
    assert district_of_words(session, city, "i Hagnäs") == kallio
    assert district_of_words(session, city, "jossakin") is None


def test_a_district_of_that_name_beats_the_byname(session, city: City) -> None:
    make_district(session, city, names={"fi": "Kallio", "sv": "Berghäll"})
    hakaniemi = make_district(session, city, names={"fi": "Hakaniemi", "sv": "Hagnäs"}, at=(24.9, 60.2))
    session.commit()
    answer = district_in_words(session, city, "tori Hakaniemessä")
    assert answer is not None
    district, found = answer
    assert district.id == hakaniemi.id
    assert (found.start, found.end) == (5, 17)
