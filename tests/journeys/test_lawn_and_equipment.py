"""What several share: a lawn with room for two parties, a pitch in halves, and the tables of a house."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import psycopg
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.journeys.conftest import Product, axe_violations, rows, sign_in

pytestmark = pytest.mark.journey

HELSINKI = ZoneInfo("Europe/Helsinki")
EVERY_SIZE = pytest.mark.parametrize(("lang", "width"), [("fi", 1440), ("sv", 360), ("en", 1440)])
# A full hour at least a week ahead at which all these spaces are open for four hours that nobody has any part of.
FREE_HOUR = """
    SELECT hour.starts
    FROM generate_series(date_trunc('hour', now()) + interval '7 days', now() + interval '50 days', interval '1 hour')
         AS hour (starts),
         tstzrange(hour.starts, hour.starts + interval '4 hours') AS wished (span)
    WHERE NOT EXISTS (
        SELECT 1 FROM space s WHERE s.id = ANY(%(spaces)s) AND NOT EXISTS (
            SELECT 1 FROM opening_month o WHERE o.space_id = s.id AND o.open @> wished.span))
      AND NOT EXISTS (
        SELECT 1 FROM claim c JOIN space_unit u ON u.unit_id = c.unit_id
        WHERE u.space_id = ANY(%(spaces)s) AND c.during && wished.span)
    ORDER BY hour.starts LIMIT 1
"""
# Outdoor places that are booked by the hour and share no part with another space, lawns first. Some sleep in winter.
LAWNS = """
    SELECT ARRAY[s.id], s.venue_id, u.unit_id FROM space s JOIN space_unit u ON u.space_id = s.id
    WHERE s.kind IN ('park', 'sports_field', 'barbecue_spot') AND s.state = 'published' AND s.approval = 'instant' AND NOT s.whole_days
      AND s.who = 'anyone' AND s.min_minutes <= 60 AND s.interval_minutes <= 60
      AND (SELECT count(*) FROM space_unit other WHERE other.unit_id = u.unit_id) = 1
    ORDER BY s.kind <> 'park', s.id
"""
# What is booked whole or in two halves, pitches first.
HALVES = """
    SELECT ARRAY[whole.id, min(half.id), max(half.id)]
    FROM space whole JOIN space_unit w ON w.space_id = whole.id
    JOIN space_unit h ON h.unit_id = w.unit_id AND h.space_id <> w.space_id JOIN space half ON half.id = h.space_id
    WHERE NOT whole.whole_days AND whole.state = 'published'
      AND NOT EXISTS (SELECT 1 FROM space s WHERE s.id IN (whole.id, half.id)
                      AND (s.approval <> 'instant' OR s.who <> 'anyone' OR s.min_minutes > 60))
    GROUP BY whole.id, whole.kind HAVING count(DISTINCT w.unit_id) = 2 AND count(*) = 2
    ORDER BY whole.kind <> 'sports_field', whole.id
"""
# Two spaces of one house that lend the same tables, many of them, and the one loudspeaker; neither is part of the other.
LENDERS = """
    SELECT ARRAY[one.space_id, two.space_id], many.id, single.id
    FROM space_extra one JOIN space_extra two ON two.extra_id = one.extra_id AND one.space_id < two.space_id
    JOIN extra many ON many.id = one.extra_id JOIN unit tables ON tables.id = many.unit_id
    JOIN space_extra loud ON loud.space_id = one.space_id JOIN extra single ON single.id = loud.extra_id
    JOIN unit only_one ON only_one.id = single.unit_id AND only_one.lanes = 1
    WHERE tables.lanes = 20 AND many.most = 12
      AND NOT EXISTS (SELECT 1 FROM space_unit a JOIN space_unit b ON a.unit_id = b.unit_id
                      WHERE a.space_id = one.space_id AND b.space_id = two.space_id)
    ORDER BY one.space_id, two.space_id
"""
LEFT = {
    "fi": ("8 on vapaana", "12 vapaana"),
    "sv": ("8 är lediga", "12 lediga"),
    "en": ("8 are free", "12 free"),
}
TABLES = {"fi": "Taittopöydät", "sv": "Fällbord", "en": "Folding tables"}
SPEAKER = {"fi": "Äänentoisto", "sv": "Ljudanläggning", "en": "PA system"}


def found_free(product: Product, sql: str) -> tuple[tuple[Any, ...], datetime]:
    """The first row of these whose spaces, its first column, are all free at some hour; and that hour."""
    with psycopg.connect(product.database_url) as connection:
        for row in connection.execute(sql).fetchall():
            hour = connection.execute(FREE_HOUR, {"spaces": row[0]}).fetchone()
            if hour is not None:
                return row, hour[0].astimezone(HELSINKI)
    raise AssertionError("the demo has none of these that is free for four hours in a month and a half")


def checkout(space_id: int, start: datetime, lang: str, *, minutes: int = 60) -> str:
    return f"/{lang}/spaces/{space_id}/booking?start={quote(start.isoformat())}&minutes={minutes}"


def clean(page: Page) -> None:
    assert axe_violations(page) == [], page.url
    wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wider <= 0, page.url


def press_book(page: Page) -> None:
    page.locator("form.co__form .co__go button.hds-button--primary").click()


def book_it(page: Page, address: str) -> str:
    """Book what the checkout at this address shows; returns the booking's page."""
    page.goto(address)
    press_book(page)
    page.wait_for_url(re.compile(r"/bookings/"))
    return page.url.partition("?")[0]


def add(page: Page, extra_id: int, pieces: str, name: str) -> None:
    """Add so many of this equipment; the price box says so before the booking is made."""
    page.locator(f"#extra-{extra_id}").fill(pieces)
    page.locator(f"#extra-{extra_id}").press("Tab")
    expect(page.locator(".ticket")).to_contain_text(f"{pieces} × {name}")


def cancel(page: Page, booking: str) -> None:
    page.goto(f"{booking}/cancellation")
    page.locator("form.co__form button.hds-button").first.click()
    page.wait_for_url(lambda address: "/cancellation" not in address)


def is_refused(page: Page) -> None:
    """The page that says that the time is taken, with what is free instead."""
    expect(page.locator("main [role=alert]")).to_be_visible()
    assert "/bookings/" not in page.url


def times_here(page: Page) -> Locator:
    return page.locator("section[aria-labelledby$='-times'] .slot")


def parties_of(product: Product, space_id: int, start: datetime) -> list[str]:
    """Who has this time, and none of them in another's place."""
    with rows(
        product,
        "SELECT p.email, c.lane FROM booking b JOIN person p ON p.id = b.person_id"
        " JOIN claim c ON c.holder_id = b.id AND c.part = 0"
        " WHERE b.space_id = %s AND lower(b.during) = %s AND b.state = 'confirmed'",
        space_id,
        start,
    ) as found:
        assert len({lane for _, lane in found}) == len(found)
        return sorted(email for email, _ in found)


@EVERY_SIZE
def test_two_parties_share_a_lawn_and_the_third_is_told_what_else_is_free(
    open_browser: Callable[..., Page], product: Product, lang: str, width: int
) -> None:
    ([space_id], venue_id, unit_id), start = found_free(product, LAWNS)
    owner = open_browser(lang=lang, width=width)
    sign_in(owner, "staff@example.org", lang)
    owner.goto(f"/{lang}/desk/venues/{venue_id}")
    part = owner.locator(f"form[action$='/units/{unit_id}']")
    owner.locator("details", has=part).locator("summary").click()
    part.locator("input[name$=lanes]").fill("2")
    part.locator("button[type=submit], button.hds-button").first.click()
    owner.wait_for_load_state()
    expect(owner.locator("#units summary", has_text="2").first).to_be_visible()
    clean(owner)

    people = {}
    for email in ("aino@example.org", "mikko@example.org", "elina@example.org"):
        people[email] = open_browser(lang=lang, width=width)
        sign_in(people[email], email, lang)
    aino, mikko, third = people.values()
    first = book_it(aino, checkout(space_id, start, lang))
    clean(aino)
    # There is room for one more at the very same time, and the space's page offers it.
    mikko.goto(f"/{lang}/spaces/{space_id}?day={start.date()}&minutes=60")
    clean(mikko)
    book_it(mikko, checkout(space_id, start, lang))
    assert parties_of(product, space_id, start) == ["aino@example.org", "mikko@example.org"]

    for minutes in (60, 120):
        third.goto(checkout(space_id, start, lang, minutes=minutes))
        is_refused(third)
        clean(third)
        expect(times_here(third).first).to_be_visible()
        expect(third.locator("section[aria-labelledby$='-spaces'] li").first).to_be_visible()
    times_here(third).first.click()
    third.wait_for_url(re.compile(r"/booking\?"))
    expect(third.locator("form.co__form")).to_be_visible()
    clean(third)

    owner.goto(f"/{lang}/desk/timeline?day={start.date()}&venue={venue_id}")
    clean(owner)
    for name in ("Aino", "Mikko"):
        expect(owner.locator("main")).to_contain_text(name)

    # One party goes home, and the third may come.
    cancel(aino, first)
    book_it(third, checkout(space_id, start, lang))
    assert parties_of(product, space_id, start) == ["elina@example.org", "mikko@example.org"]


@EVERY_SIZE
def test_a_half_and_the_whole_pitch_are_never_given_to_two(
    open_browser: Callable[..., Page], product: Product, lang: str, width: int
) -> None:
    ([whole, half, other_half],), start = found_free(product, HALVES)
    aino, mikko = open_browser(lang=lang, width=width), open_browser(lang=lang, width=width)
    sign_in(aino, "aino@example.org", lang)
    sign_in(mikko, "mikko@example.org", lang)
    book_it(aino, checkout(half, start, lang))

    # The whole from an hour earlier would end in Aino's time; its other half is free and one press away.
    mikko.goto(checkout(whole, start, lang, minutes=120))
    is_refused(mikko)
    clean(mikko)
    mikko.goto(checkout(whole, start, lang))
    is_refused(mikko)
    there = f"a.slot[href*='/spaces/{other_half}/booking?']"
    mikko.locator(f"section[aria-labelledby$='-spaces'] {there}").click()
    mikko.wait_for_url(re.compile(rf"/spaces/{other_half}/booking\?"))
    press_book(mikko)
    mikko.wait_for_url(re.compile(r"/bookings/"))
    clean(mikko)
    assert parties_of(product, half, start) == ["aino@example.org"]
    assert parties_of(product, other_half, start) == ["mikko@example.org"]

    # The other way round: where the whole is booked, neither half is to be had.
    later = start + timedelta(hours=2)
    book_it(mikko, checkout(whole, later, lang))
    for one in (half, other_half):
        aino.goto(checkout(one, later, lang))
        is_refused(aino)
    clean(aino)
    # But the half beside it in time is.
    aino.goto(checkout(half, later - timedelta(hours=1), lang))
    expect(aino.locator("form.co__form")).to_be_visible()


@EVERY_SIZE
def test_the_last_tables_go_to_the_quicker_one_and_come_back(
    open_browser: Callable[..., Page], product: Product, lang: str, width: int
) -> None:
    ([here, there], tables, speaker), start = found_free(product, LENDERS)
    aino, mikko = open_browser(lang=lang, width=width), open_browser(lang=lang, width=width)
    sign_in(aino, "aino@example.org", lang)
    sign_in(mikko, "mikko@example.org", lang)

    # Mikko has his form filled in while all twenty are there.
    mikko.goto(checkout(there, start, lang))
    mikko.locator("#purpose").fill("Kirpputori & kahvit")
    mikko.locator("#attendees").fill("25")
    add(mikko, tables, "12", TABLES[lang])
    clean(mikko)

    aino.goto(checkout(here, start, lang))
    add(aino, tables, "12", TABLES[lang])
    add(aino, speaker, "1", SPEAKER[lang])
    press_book(aino)
    aino.wait_for_url(re.compile(r"/bookings/"))
    expect(aino.locator("main")).to_contain_text(f"12 × {TABLES[lang]}, 1 × {SPEAKER[lang]}")
    clean(aino)
    booking = aino.url.partition("?")[0]

    press_book(mikko)
    expect(mikko.locator("main [role=alert]").first).to_be_visible()
    expect(mikko.locator("#equipment")).to_contain_text(LEFT[lang][0])
    assert mikko.locator("#purpose").input_value() == "Kirpputori & kahvit"
    assert mikko.locator("#attendees").input_value() == "25"
    assert mikko.locator(f"#extra-{tables}").input_value() == "12"
    expect(mikko.locator(f"#extra-{speaker}")).to_have_value("")
    clean(mikko)
    with rows(
        product,
        "SELECT b.state FROM booking b JOIN person p ON p.id = b.person_id"
        " WHERE p.email = 'mikko@example.org' AND b.space_id = %s AND lower(b.during) = %s",
        there,
        start,
    ) as found:
        assert found == [("held",)]  # his time is still his
    add(mikko, tables, "8", TABLES[lang])
    press_book(mikko)
    mikko.wait_for_url(re.compile(r"/bookings/"))
    expect(mikko.locator("main")).to_contain_text(f"8 × {TABLES[lang]}")

    owner = open_browser(lang=lang, width=width)
    sign_in(owner, "elina@example.org", lang)
    owner.goto(f"/{lang}/desk/timeline?day={start.date()}")
    for pieces in (12, 8):
        expect(owner.locator("main")).to_contain_text(f"{pieces} × {TABLES[lang]}")
    clean(owner)

    cancel(aino, booking)
    aino.goto(checkout(here, start, lang))
    expect(aino.locator("#equipment")).to_contain_text(LEFT[lang][1])
    with rows(
        product,
        "SELECT count(*) FROM booking_extra x JOIN extra e ON e.id = x.extra_id"
        " JOIN claim c ON c.holder_id = x.booking_id AND c.unit_id = e.unit_id"
        " JOIN booking b ON b.id = x.booking_id WHERE e.id = %s AND lower(b.during) = %s",
        tables,
        start,
    ) as found:
        assert found == [(8,)]
