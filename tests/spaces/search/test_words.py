"""What people write in the question, and what it means. Today is Tuesday, 24 November 2026."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from babel.messages.pofile import read_po
from flask import Flask, g

from marketplace.settings import ROOT
from spaces.catalog.vocabulary import KINDS, PURPOSES
from spaces.search.times import When, read_when, tidy
from spaces.search.when_text import write_when
from spaces.search.words import (
    ACCESS,
    SUITS,
    meanings,
    read_codes,
    read_length,
    read_people,
    read_price,
    search_words,
)

TODAY = date(2026, 11, 24)
SAT, SUN, WED, THU, FRI, MON = (date(2026, 11, d) for d in (28, 29, 25, 26, 27, 30))
ALL = (0, 24)

# (what is written in the field "when", day, from hour, to hour)
WHEN = [
    # Finnish
    ("tänään", TODAY, *ALL),
    ("tänä iltana", TODAY, 17, 22),
    ("huomenna", WED, *ALL),
    ("huomenna klo 18", WED, 18, 22),
    ("ylihuomenna", THU, *ALL),
    ("lauantai", SAT, *ALL),
    ("lauantaina", SAT, *ALL),
    ("lauantai-iltana", SAT, 17, 22),
    ("lauantaina illalla", SAT, 17, 22),
    ("la", SAT, *ALL),
    ("la 17–20", SAT, 17, 20),
    ("la klo 17.30-20", SAT, 17.5, 20),
    ("perjantaiaamuna", FRI, 7, 12),
    ("sunnuntain aamupäivä", SUN, 9, 12),
    ("ke iltapäivällä", WED, 12, 17),
    ("ti", TODAY, *ALL),
    ("ensi viikon torstaina", date(2026, 12, 3), *ALL),
    ("ensi torstaina klo 18–20", THU, 18, 20),
    ("viikonloppuna", SAT, *ALL),
    ("5.12.", date(2026, 12, 5), *ALL),
    ("5.12. klo 10–14", date(2026, 12, 5), 10, 14),
    ("la 5.12. klo 10–14", date(2026, 12, 5), 10, 14),
    ("lauantaina 5.12.2026 klo 10.00–14.00", date(2026, 12, 5), 10, 14),
    ("12. joulukuuta", date(2026, 12, 12), *ALL),
    ("2.1.", date(2027, 1, 2), *ALL),
    ("1.6.2027", date(2027, 6, 1), *ALL),
    ("kello 18", TODAY, 18, 22),
    ("klo 16–18", TODAY, 16, 18),
    ("maanantaina klo 8-10", MON, 8, 10),
    # Swedish
    ("i dag", TODAY, *ALL),
    ("idag", TODAY, *ALL),
    ("i kväll", TODAY, 17, 22),
    ("i morgon", WED, *ALL),
    ("imorgon kväll", WED, 17, 22),
    ("i övermorgon", THU, *ALL),
    ("i morgon bitti", WED, 7, 12),
    ("vardagskväll", TODAY, 17, 22),
    ("lördag", SAT, *ALL),
    ("på lördag kväll", SAT, 17, 22),
    ("lördagkväll", SAT, 17, 22),
    ("lör 17–20", SAT, 17, 20),
    ("lör 28.11 kl. 17–22", SAT, 17, 22),
    ("på torsdag kl. 18", THU, 18, 22),
    ("fredag eftermiddag", FRI, 12, 17),
    ("fredag fm", FRI, 9, 12),
    ("måndag morgon", MON, 7, 12),
    ("i helgen", SAT, *ALL),
    ("5 december", date(2026, 12, 5), *ALL),
    ("den 5 december kl. 10-14", date(2026, 12, 5), 10, 14),
    ("tis 1.12", date(2026, 12, 1), *ALL),
    ("nästa veckas torsdag", date(2026, 12, 3), *ALL),
    ("söndag 12–16", SUN, 12, 16),
    # English
    ("arki-iltana", TODAY, 17, 22),
    ("today", TODAY, *ALL),
    ("tonight", TODAY, 17, 22),
    ("tomorrow", WED, *ALL),
    ("tomorrow evening", WED, 17, 22),
    ("the day after tomorrow", THU, *ALL),
    ("Saturday", SAT, *ALL),
    ("Saturday evening", SAT, 17, 22),
    ("on Saturday 17-20", SAT, 17, 20),
    ("Sat 28 Nov, 17–22", SAT, 17, 22),
    ("next Friday 6pm-8pm", FRI, 18, 20),
    ("Friday 6 to 8 pm", FRI, 18, 20),
    ("from 5pm", TODAY, 17, 21),
    ("Sunday morning", SUN, 7, 12),
    ("Thursday afternoon", THU, 12, 17),
    ("this weekend", SAT, *ALL),
    ("weekday evening", TODAY, 17, 22),
    ("5 December", date(2026, 12, 5), *ALL),
    ("December 5th", date(2026, 12, 5), *ALL),
    ("5 Dec 2026, 10–14", date(2026, 12, 5), 10, 14),
    ("2026-12-05", date(2026, 12, 5), *ALL),
    ("2026-12-05 10:00-14:00", date(2026, 12, 5), 10, 14),
]


@pytest.mark.parametrize(("text", "day", "start", "end"), WHEN)
def test_the_time_is_read(text: str, day: date, start: float, end: float) -> None:
    when, rest = read_when(text, today=TODAY, alone=True)
    assert when is not None
    assert (when.day, when.start_minute / 60, when.end_minute / 60) == (day, start, end)
    assert rest == ""


@pytest.mark.parametrize(
    "text",
    [
        "",
        "joskus",
        "någon gång",
        "whenever",
        "31.2.",
        "20-18",
        "25.13.",
        "99:99",
        "12/13/14/15",
    ],
)
def test_what_is_no_time_is_left_alone(text: str) -> None:
    assert read_when(text, today=TODAY, alone=True)[0] is None


@pytest.mark.parametrize(
    "text", ["lautapeli-ilta", "saunailta", "bändi-ilta 20 hengelle", "bastukväll", "party evening"]
)
def test_an_evening_in_a_sentence_names_no_day(text: str) -> None:
    assert read_when(text, today=TODAY) == (None, text)


@pytest.mark.parametrize("language", ["fi", "sv", "en"])
def test_what_we_write_we_read(app: Flask, language: str) -> None:
    with app.test_request_context():
        g.lang = language
        for days in (*range(14), 100, 400, 730):
            for hours in ((0, 24), (17, 22), (8.5, 9.25)):
                start, end = (round(hour * 60) for hour in hours)
                when = When(TODAY + timedelta(days=days), start, end)
                text = write_when(when, TODAY)
                assert read_when(text, today=TODAY, alone=True) == (when, ""), text


@pytest.mark.parametrize(
    ("text", "access", "suits", "rest"),
    [
        ("esteetön juhlatila", {"step_free_entrance"}, set(), "juhlatila"),
        ("tillgänglig festlokal", {"step_free_entrance"}, set(), "festlokal"),
        ("wheelchair accessible meeting room", set(), {"wheelchair"}, "meeting room"),
        ("step-free hall", {"step_free_entrance"}, set(), "hall"),
        ("sali ja esteetön wc", {"accessible_toilet"}, set(), "sali ja"),
        ("sali", set(), set(), "sali"),
    ],
)
def test_a_wish_for_access_is_read(text: str, access: set[str], suits: set[str], rest: str) -> None:
    whom, left = read_codes(text, SUITS)
    facts, left = read_codes(left, ACCESS)
    assert (set(facts), set(whom), tidy(left)) == (access, suits, rest)


PEOPLE = [
    ("40", 40),
    ("40 henkeä", 40),
    ("40 hengelle", 40),
    ("12 hlö", 12),
    ("noin 25 henkilöä", 25),
    ("40 personer", 40),
    ("för 40 personer", 40),
    ("15 deltagare", 15),
    ("40 people", 40),
    ("1 person", 1),
    ("about 30 guests", 30),
    ("100 pax", 100),
    ("sali sadalle hengelle", 100),
    ("för hundra personer", 100),
    ("twenty people", 20),
    ("hall for 100", 100),
    ("sal för 100", 100),
]


@pytest.mark.parametrize(("text", "count"), PEOPLE)
def test_the_number_of_people_is_read(text: str, count: int) -> None:
    assert read_people(text, alone=True)[0] == count


@pytest.mark.parametrize("text", ["monta", "många", "a lot", "", "12.5.2027 klo 10"])
def test_what_is_no_number_of_people_is_left_alone(text: str) -> None:
    assert read_people(text, alone=True)[0] is None


@pytest.mark.parametrize("text", ["hall for 2 hours", "park för 3 dagar", "room for 10 am", "two rooms"])
def test_hours_and_days_in_a_sentence_are_no_people(text: str) -> None:
    assert read_people(text) == (None, text)


@pytest.mark.parametrize(
    ("text", "minutes", "rest"),
    [
        ("puisto päiväksi", 480, "puisto"),
        ("puisto koko päiväksi", 480, "puisto"),
        ("park för en dag", 480, "park"),
        ("park for a day", 480, "park"),
        ("hall all day", 480, "hall"),
        ("day care", None, "day care"),
    ],
)
def test_a_whole_day_is_a_length(text: str, minutes: int | None, rest: str) -> None:
    found, left = read_length(text)
    assert (found, tidy(left)) == (minutes, rest)


@pytest.mark.parametrize(
    ("text", "euros"),
    [
        ("sali alle 20 euroa tunti", 20),
        ("enintään 50 €", 50),
        ("lokal högst 30 €/h", 30),
        ("hall under 50 €", 50),
        ("room under €20", 20),
        ("max 15 e", 15),
        ("50 henkeä", None),
        ("maksuton kokoushuone", 0),
        ("gratis mötesrum", 0),
        ("meeting room free of charge", 0),
        ("free meeting room", None),
    ],
)
def test_a_price_limit_is_read(text: str, euros: int | None) -> None:
    assert read_price(text)[0] == euros


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("tila sählyvuorolle", ["sählyvuorolle"]),
        ("puisto päiväksi", ["puisto"]),
        ("park for a day", ["park"]),
        ("annual meeting of our association", ["annual meeting"]),
        ("yhdistyksen vuosikokous", ["vuosikokous"]),
        ("flea market", ["flea market"]),
        ("lokal för möte", ["möte"]),
        ("a room near the", []),
    ],
)
def test_the_words_worth_looking_for(text: str, words: list[str]) -> None:
    assert search_words(text) == words


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("sählyvuoro", "ball_games"),
        ("hallituksen", "meeting"),
        ("vuosikokous", "annual_meeting"),
        ("synttärit", "childrens_party"),
        ("kuoroharjoitus", "choir"),
        ("kirpputori", "market"),
        ("katujuhlat", "street"),
        ("grillipaikka", "barbecue_spot"),
        ("årsmöte", "annual_meeting"),
        ("styrelsemöte", "meeting"),
        ("barnkalas", "childrens_party"),
        ("bastu", "sauna"),
        ("loppis", "market"),
        ("birthday", "childrens_party"),
        ("yoga", "exercise"),
        ("rehearsal", "music"),
    ],
)
def test_everyday_words_mean_purposes_and_kinds(word: str, code: str) -> None:
    assert code in meanings(word)


@pytest.mark.parametrize("language", ["fi", "sv", "en"])
def test_our_own_words_are_understood(language: str) -> None:
    """The suggestions of the first field, in each language, lead to what they say."""
    say = translated(language)
    lost = [
        (code, say(label))
        for code, label in {**KINDS, **PURPOSES}.items()
        if not all(code in meanings(word) for word in search_words(say(label)))
        or not search_words(say(label))
    ]
    assert lost == []


def translated(language: str) -> Callable[[str], str]:
    if language == "en":
        return lambda text: text
    path = ROOT / "spaces" / "translations" / language / "LC_MESSAGES" / "messages.po"
    with path.open("rb") as file:
        catalog = read_po(file)
    return lambda text: str(catalog[text].string)
