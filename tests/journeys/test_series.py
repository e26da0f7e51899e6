"""The story of a series: some dates are taken, one is skipped, the rest is changed, the end of it cancelled."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlencode, urlsplit
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect

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
    page.goto(f"{href.partition('?')[0]}?day={day.isoformat()}&minutes=60")
    found = [slot.get_attribute("href") or "" for slot in page.locator(".days .slot").all()]
    on_day = [link for link in found if parse_qs(urlsplit(link).query)["start"][0][:10] == day.isoformat()]
    page.goto(on_day[-1])
    page.locator(".pricebox a[href*='/series?']").click()
    page.wait_for_url(re.compile(r"/series\?"))
    start = datetime.fromisoformat(parse_qs(urlsplit(page.url).query)["start"][0])
    return page.url, start


def book_once(page: Page, url: str, start: datetime, lang: str) -> None:
    """Somebody else takes one of the dates on the ordinary way."""
    space = urlsplit(url).path.rpartition("/")[0]
    local = start.astimezone(ZoneInfo("Europe/Helsinki"))
    page.goto(f"{space}/booking?{urlencode({'start': local.isoformat(), 'minutes': 60})}")
    page.locator("form.co__form .co__go button.hds-button").first.click()
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
