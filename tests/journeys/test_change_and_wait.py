"""A time is held while the checkout is filled in, booked, wanted by another who waits for it, changed, and offered on."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import Product, axe_violations, eventually, rows, sign_in

pytestmark = pytest.mark.journey

SPACE = """
    SELECT s.id FROM space s JOIN venue v ON v.city_id = s.city_id AND v.id = s.venue_id
    WHERE s.state = 'published' AND s.approval = 'instant' AND NOT s.whole_days AND s.who = 'anyone'
      AND s.terms_version IS NULL AND s.min_minutes <= 60 AND s.max_minutes >= 120 AND s.cancellation_hours <= 48
      AND NOT EXISTS (SELECT 1 FROM space_unit a JOIN space_unit b ON b.unit_id = a.unit_id AND b.space_id <> a.space_id
                      WHERE a.space_id = s.id)
      AND EXISTS (SELECT 1 FROM opening_month o
                  WHERE o.space_id = s.id AND o.open @> tstzrange(%s, %s))
      AND NOT EXISTS (SELECT 1 FROM claim c JOIN space_unit u ON u.unit_id = c.unit_id
                      WHERE u.space_id = s.id AND c.during && tstzrange(%s, %s))
    ORDER BY s.id DESC LIMIT 1
"""
HELSINKI = ZoneInfo("Europe/Helsinki")
numbers = count()


def free_space(product: Product, start: datetime) -> int:
    """An instant space that is open and free from two hours before to four hours after `start`."""
    window = (start - timedelta(hours=2), start + timedelta(hours=4))
    with rows(product, SPACE, *window, *window) as found:
        return int(found[0][0])


def checkout(space_id: int, start: datetime, lang: str) -> str:
    return f"/{lang}/spaces/{space_id}/booking?start={quote(start.isoformat())}&minutes=60"


def clean(page: Page) -> None:
    assert axe_violations(page) == []
    wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wider <= 0


@pytest.mark.parametrize(("lang", "width"), [("fi", 1440), ("sv", 360), ("en", 1440)])
def test_held_booked_changed_and_offered_to_the_next_in_line(
    open_browser: Callable[..., Page], product: Product, lang: str, width: int
) -> None:
    day = datetime.now(HELSINKI) + timedelta(days=6 + next(numbers))
    start = day.replace(hour=13, minute=0, second=0, microsecond=0)
    space_id = free_space(product, start)

    aino = open_browser(lang=lang, width=width)
    sign_in(aino, "aino@example.org", lang)
    aino.goto(checkout(space_id, start, lang))
    expect(aino.locator("#hold[role=timer]")).to_contain_text("10 min")
    clean(aino)
    with rows(product, "SELECT state, held_until > now() FROM booking ORDER BY id DESC LIMIT 1") as found:
        assert found == [("held", True)]

    # The other one is told at once, and may wait.
    mikko = open_browser(lang=lang, width=width)
    sign_in(mikko, "mikko@example.org", lang)
    mikko.goto(checkout(space_id, start, lang))
    clean(mikko)
    mikko.locator(f"main a[href*='/spaces/{space_id}/line']").click()
    clean(mikko)
    mikko.locator("main form button.hds-button--primary").click()
    mikko.wait_for_url(re.compile(r"/line/"))
    clean(mikko)
    place = mikko.url

    # A minute more, then yes.
    aino.locator("main form.co__form button.hds-button--primary").click()
    aino.wait_for_url(re.compile(r"/bookings/"))
    booking = aino.url.partition("?")[0]

    # One hour later instead: what it was is free again, and offered to the one who waits.
    aino.goto(f"{booking}/change")
    clean(aino)
    later = (start + timedelta(hours=2)).isoformat()
    aino.locator(f"input[name=when][value='{later}']").press("Space")
    aino.locator("#times button.hds-button--primary").click()
    aino.wait_for_url(re.compile(r"/bookings/[^/]+$"))
    expect(aino.locator("main")).to_contain_text("15.00")
    clean(aino)

    def offered() -> bool:
        with rows(
            product, "SELECT 1 FROM mail WHERE template LIKE '%%waiting/mail/offered' AND body_text LIKE %s",
            f"%{place.rpartition('/')[2]}%",
        ) as sent:  # fmt: skip
            return bool(sent)

    eventually(offered, seconds=30)
    stranger = open_browser(lang=lang, width=width)  # the mail is enough
    stranger.goto(place)
    clean(stranger)
    stranger.locator("main form button.hds-button--primary").click()
    with rows(
        product,
        "SELECT b.state, lower(b.during) FROM booking b JOIN person p ON p.id = b.person_id"
        " WHERE p.email = 'mikko@example.org' AND b.space_id = %s AND b.source = 'waiting' ORDER BY b.id DESC LIMIT 1",
        space_id,
    ) as found:
        assert found[0][0] == "confirmed"
        assert found[0][1] == start
    mikko.goto(place)
    clean(mikko)
