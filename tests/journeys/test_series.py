"""The story of a series: some dates are taken, one is skipped, the rest is changed, the end of it cancelled."""

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from urllib.parse import parse_qs, urlencode, urlsplit
from zoneinfo import ZoneInfo

import psycopg
import pytest
from playwright.sync_api import Page, expect
from psycopg.types.json import Jsonb

from marketplace.clock import now
from tests.journeys.conftest import Product, axe_violations, eventually, rows, sign_in

pytestmark = pytest.mark.journey
# Each language plays on a day of its own, so that no story is in the way of another.
AHEAD = {"fi": 9, "sv": 10, "en": 11}


def a_free_time(page: Page, lang: str) -> tuple[str, datetime]:
    """The address of the repeat page for the last start of a day some way ahead, at a hall that is booked at once."""
    day = now().astimezone(ZoneInfo("Europe/Helsinki")).date() + timedelta(days=AHEAD[lang])
    page.goto(f"/{lang}/spaces?approval=instant&kind=sports_hall&when={day.isoformat()}")
    href = page.locator("li.row h3 a, li.row h2 a").first.get_attribute("href") or ""
    return repeat_page(page, href.partition("?")[0], day)


def repeat_page(page: Page, space: str, day: date) -> tuple[str, datetime]:
    """From the space's page to the one that repeats the last free start of the day."""
    page.goto(f"{space}?day={day.isoformat()}&minutes=60")
    found = [slot.get_attribute("href") or "" for slot in page.locator(".days .slot").all()]
    on_day = [link for link in found if parse_qs(urlsplit(link).query)["start"][0][:10] == day.isoformat()]
    page.goto(on_day[-1])
    page.locator(".pricebox a[href*='/series?']").click()
    page.wait_for_url(re.compile(r"/series\?"))
    start = datetime.fromisoformat(parse_qs(urlsplit(page.url).query)["start"][0])
    return page.url, start


def book_once(page: Page, url: str, start: datetime, lang: str) -> None:
    """Somebody else takes one of the dates on the ordinary way, if the demo city's own people have not."""
    space = urlsplit(url).path.rpartition("/")[0]
    local = start.astimezone(ZoneInfo("Europe/Helsinki"))
    page.goto(f"{space}/booking?{urlencode({'start': local.isoformat(), 'minutes': 60})}")
    book = page.locator("form.co__form .co__go button.hds-button")
    if book.count():
        book.first.click()
        page.wait_for_url(re.compile(r"/bookings/"))


@pytest.mark.parametrize("width", [1440, 360])
@pytest.mark.parametrize("lang", ["fi", "sv", "en"])
def test_a_series_from_its_first_look_to_its_end(
    open_browser: Callable[..., Page], product: Product, lang: str, width: int
) -> None:
    page, other = open_browser(lang=lang, width=width), open_browser(lang=lang)
    sign_in(page, "aino@example.org", lang)
    sign_in(other, "mikko@example.org", lang)
    url, start = a_free_time(page, lang)
    assert axe_violations(page) == []
    zone = ZoneInfo("Europe/Helsinki")
    second, third = ((start.replace(tzinfo=None) + timedelta(weeks=n)).replace(tzinfo=zone) for n in (1, 2))
    for taken in (second, third):
        book_once(other, url, taken, lang)

    page.goto(url)
    refused = [f"#d-{taken.date().isoformat()}" for taken in (second, third)]
    expect(page.locator(f"{refused[0]}.ser__d--refused")).to_be_visible()
    other_times = page.locator(f"{refused[0]} input[type=radio]:not([value=''])")
    expect(other_times.first).to_be_attached()
    page.locator(f"{refused[0]} input[type=radio]:not([value='']) + label").first.click()
    expect(page.locator(f"{refused[0]}.ser__d--instead")).to_be_visible()
    assert axe_violations(page) == []

    page.locator("form.co__form .co__go button.hds-button").click()
    page.wait_for_url(re.compile(r"/series/[0-9A-Z]{4}-[0-9A-Z]{4}"))
    reference = urlsplit(page.url).path.rpartition("/")[2]
    assert axe_violations(page) == []
    expect(page.locator(".ser__l2")).to_have_count(10)
    # The skipped one can be tried again, and is still taken.
    page.locator("#dates form .linkbtn").first.click()
    page.wait_for_load_state()
    expect(page.locator("#dates form .linkbtn").first).to_be_visible()

    def mailed() -> bool:
        with rows(
            product, "SELECT count(*) FROM mail WHERE body_text LIKE %s AND state = 'sent'", f"%{reference}%"
        ) as found:
            return found == [(1,)]

    eventually(mailed, seconds=20)

    page.goto(f"/{lang}/series/{reference}/times?from=5")
    page.locator("#purpose").fill("Kuoro")
    page.locator("#shift").select_option(index=1 if start.weekday() != 1 else 2)
    expect(page.locator(".ser__l2")).to_have_count(6)
    assert axe_violations(page) == []
    page.locator("form.co__form .co__go button.hds-button").first.click()
    page.wait_for_url(lambda address: "/times" not in address)
    rest = urlsplit(page.url).path.rpartition("/")[2]
    assert rest != reference
    with rows(
        product,
        "SELECT count(*) FROM booking b JOIN series s ON s.id = b.series_id WHERE s.reference = %s",
        rest,
    ) as found:
        assert found == [(6,)]

    page.goto(f"/{lang}/my/bookings")
    expect(page.locator(f"a[href*='/series/{reference}']")).to_have_count(1)
    assert axe_violations(page) == []

    for one in (rest, reference):
        page.goto(f"/{lang}/series/{one}/cancellation")
        assert axe_violations(page) == []
        page.locator("form.co__form .acts button.hds-button").first.click()
        page.wait_for_url(lambda address: "/cancellation" not in address)
    with rows(
        product,
        "SELECT DISTINCT b.state FROM booking b JOIN series s ON s.id = b.series_id"
        " WHERE s.reference IN (%s, %s)",
        rest,
        reference,
    ) as found:
        assert found == [("cancelled",)]
    # For the same story at another width.
    with rows(
        product,
        "SELECT reference FROM booking WHERE person_id IN (SELECT id FROM person WHERE email"
        " = 'mikko@example.org') AND state = 'confirmed' AND lower(during) IN (%s, %s)",
        second,
        third,
    ) as found:
        for (single,) in found:
            other.goto(f"/{lang}/bookings/{single}/cancellation")
            other.locator("form.co__form button.hds-button").first.click()
            other.wait_for_url(lambda address: "/cancellation" not in address)


def a_hall_that_asks(product: Product) -> int:
    """A meeting room with terms to accept and a question; both are taken away again by `asks_nothing`."""
    found = """
        SELECT s.city_id, s.id FROM space s
        WHERE s.kind = 'meeting_room' AND s.state = 'published' AND s.approval = 'instant' AND NOT s.whole_days
          AND s.who = 'anyone' AND s.min_minutes <= 60 AND s.max_minutes >= 60 AND s.terms_version IS NULL
        ORDER BY s.id DESC LIMIT 1"""
    with psycopg.connect(product.database_url, autocommit=True) as database:
        city_id, space_id = database.execute(found).fetchone() or (0, 0)
        database.execute(
            "INSERT INTO terms_text (city_id, version, texts) VALUES (%s, 'journey', %s) ON CONFLICT DO NOTHING",
            (city_id, Jsonb({"fi": "Siivoa jälkesi.", "sv": "Städa efter dig."})),
        )
        database.execute("UPDATE space SET terms_version = 'journey' WHERE id = %s", (space_id,))
        database.execute(
            "INSERT INTO space_question (city_id, space_id, position, kind, labels, required, options)"
            " VALUES (%s, %s, 1, 'text', %s, true, '[]')",
            (city_id, space_id, Jsonb({"fi": "Mitä tilassa tapahtuu?", "sv": "Vad händer i lokalen?"})),
        )
    return int(space_id)


def asks_nothing(product: Product, space_id: int) -> None:
    with psycopg.connect(product.database_url, autocommit=True) as database:
        database.execute("UPDATE space SET terms_version = NULL WHERE id = %s", (space_id,))
        database.execute("DELETE FROM space_question WHERE space_id = %s", (space_id,))


@pytest.mark.parametrize("lang", ["fi", "sv"])
def test_a_series_in_a_space_with_terms_and_a_question(
    open_browser: Callable[..., Page], product: Product, lang: str
) -> None:
    space_id = a_hall_that_asks(product)
    try:
        page = open_browser(lang=lang, width=360)
        sign_in(page, "aino@example.org", lang)
        day = now().astimezone(ZoneInfo("Europe/Helsinki")).date() + timedelta(days=AHEAD[lang])
        repeat_page(page, f"/{lang}/spaces/{space_id}", day)
        assert axe_violations(page) == []

        page.locator("#times").fill("3")
        page.locator("#times").press("Tab")
        expect(page.locator(".ser__dates li")).to_have_count(3)
        press = page.locator("form.co__form .co__go button.hds-button").first
        press.click()
        expect(page.locator(".asks .error-text, .asks .hds-text-input__error-text")).to_have_count(2)
        assert axe_violations(page) == []
        page.locator(".asks textarea").fill("Konsertti")
        page.locator("#terms + label").click()
        # What is told outlives the looks that the page takes meanwhile.
        page.locator("#times").fill("4")
        page.locator("#times").press("Tab")
        expect(page.locator(".ser__dates li")).to_have_count(4)
        expect(page.locator(".asks textarea")).to_have_value("Konsertti")
        expect(page.locator("#terms")).to_be_checked()
        page.locator("form.co__form .co__go button.hds-button").first.click()
        page.wait_for_url(re.compile(r"/series/[0-9A-Z]{4}-[0-9A-Z]{4}"))
        reference = urlsplit(page.url).path.rpartition("/")[2]
        with rows(
            product,
            "SELECT b.terms_version, a.words FROM booking b JOIN series s ON s.id = b.series_id"
            " JOIN booking_answer a ON a.booking_id = b.id WHERE s.reference = %s",
            reference,
        ) as found:
            assert found == [("journey", "Konsertti")] * 4
        page.locator(".ser__l2 a").first.click()
        page.wait_for_url(re.compile(r"/bookings/"))
        expect(page.get_by_text("Konsertti")).to_be_visible()
        page.goto(f"/{lang}/series/{reference}/cancellation")
        page.locator("form.co__form .acts button.hds-button").first.click()
        page.wait_for_url(lambda address: "/cancellation" not in address)
    finally:
        asks_nothing(product, space_id)


def test_a_series_without_javascript(open_browser: Callable[..., Page]) -> None:
    page = open_browser(javascript=False)
    sign_in(page, "aino@example.org", "en")
    url, _ = a_free_time(page, "en")
    page.goto(url)
    page.locator("#times").fill("3")
    page.locator("form.co__form .no-js button").first.click()
    expect(page.locator(".ser__dates li")).to_have_count(3)
    page.locator("form.co__form .co__go button.hds-button").click()
    page.wait_for_url(re.compile(r"/series/[0-9A-Z]{4}-[0-9A-Z]{4}"))
    expect(page.locator(".ser__l2")).to_have_count(3)
