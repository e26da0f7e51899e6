"""An association's annual meeting: last year's is offered, one press books it, it is taken back, and pressed again."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import psycopg
import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import Product, axe_violations, rows, sign_in

pytestmark = pytest.mark.journey

HELSINKI = ZoneInfo("Europe/Helsinki")
# A space that one press can book, its first free evening from so many days on, and who met there a year before.
MEETING = """
    INSERT INTO booking (city_id, reference, space_id, person_id, organisation_id, during, state, requested_at, purpose,
        attendees, lines, total_minor, vat_minor, currency, cancel_free_until, submission)
    SELECT s.city_id, %(reference)s, s.id, m.person_id, m.organisation_id, tstzrange(%(start)s, %(end)s), 'completed',
        %(start)s, %(purpose)s, 12, '[]', 0, 0, 'EUR', %(start)s, %(reference)s
    FROM (
        SELECT s.* FROM space s JOIN venue v ON v.city_id = s.city_id AND v.id = s.venue_id
        JOIN opening_month o ON o.city_id = s.city_id AND o.space_id = s.id
        WHERE s.state = 'published' AND s.approval = 'instant' AND s.who = 'anyone' AND NOT s.whole_days
            AND s.terms_version IS NULL AND s.min_age IS NULL AND s.capacity >= 12 AND s.max_minutes >= 120
            AND s.interval_minutes <= 60 AND s.attendees_min IS NULL AND s.quota_hours IS NULL
            AND NOT EXISTS (SELECT FROM space_question q WHERE q.city_id = s.city_id AND q.space_id = s.id)
            AND o.open @> tstzrange(%(again_start)s, %(again_end)s)
            AND NOT EXISTS (
                SELECT FROM space_unit su JOIN claim c ON c.unit_id = su.unit_id
                WHERE su.city_id = s.city_id AND su.space_id = s.id
                    AND c.during && tstzrange(%(again_start)s, %(again_end)s))
        ORDER BY s.id LIMIT 1
    ) s
    JOIN person p ON p.city_id = s.city_id AND p.email = 'aino@example.org'
    JOIN membership m ON m.city_id = p.city_id AND m.person_id = p.id AND m.role = 'manager'
    ORDER BY m.organisation_id LIMIT 1
    RETURNING id
"""


def hours(day: date) -> tuple[datetime, datetime]:
    return datetime.combine(day, time(16), HELSINKI), datetime.combine(day, time(18), HELSINKI)


def met_a_year_ago(product: Product, reference: str, purpose: str) -> None:
    """The same weekday comes again within two months; the first day on which some space is free is taken."""
    with psycopg.connect(product.database_url) as connection:
        for days in range(20, 45):
            again = datetime.now(HELSINKI).date() + timedelta(days=days)
            start, end = hours(again - timedelta(days=364))
            again_start, again_end = hours(again)
            made = connection.execute(
                MEETING,
                {
                    "reference": reference,
                    "purpose": purpose,
                    "start": start,
                    "end": end,
                    "again_start": again_start,
                    "again_end": again_end,
                },
            ).fetchone()
            if made:
                return
    pytest.fail("no space of the demo city is free on any of these days")


def states(product: Product, purpose: str) -> list[str]:
    sql = "SELECT state FROM booking WHERE purpose = %s AND source = 'offer' ORDER BY id"
    with rows(product, sql, purpose) as found:
        return [state for (state,) in found]


def clean(page: Page) -> None:
    assert axe_violations(page) == []
    wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wider <= 0, page.url


def offer(page: Page, purpose: str) -> Page:
    """The front page with the meeting among the offers."""
    expect(page.locator("#offered")).to_contain_text(purpose)
    return page


def press(page: Page, purpose: str) -> None:
    card = page.locator(".offer-main, .offer-list > .offer").filter(has_text=purpose).first
    card.locator("form.slot-form button").click()
    page.wait_for_url(lambda url: "/offered/bookings/" in url)


@pytest.mark.parametrize(
    ("lang", "width", "javascript"), [("fi", 1440, True), ("sv", 360, True), ("en", 1440, False)]
)
def test_last_years_meeting_is_one_press_away(
    open_browser: Callable[..., Page], product: Product, lang: str, width: int, javascript: bool
) -> None:
    purpose = f"Vuosikokous {lang}"
    met_a_year_ago(product, f"YEAR-{lang.upper()}00", purpose)
    page = open_browser(lang=lang, width=width, javascript=javascript)
    sign_in(page, "aino@example.org", lang)
    page.goto(f"/{lang}/")
    if page.locator(".offered-ask").count():
        if javascript:
            clean(page)
        page.locator(".offered-ask button[value=yes]").click()
        page.wait_for_load_state()
    offer(page, purpose)
    if javascript:
        clean(page)

    press(page, purpose)
    assert states(product, purpose) == ["confirmed"]
    undo = page.locator(".undo button")
    expect(undo).to_be_visible()
    if javascript:
        expect(page.locator("[data-undo-left]")).to_contain_text("1:")
        clean(page)
    # A slip: back as it was, and nobody was told.
    undo.click()
    page.wait_for_url(lambda url: "/offered/" not in url)
    assert states(product, purpose) == ["expired"]
    offer(page, purpose)

    press(page, purpose)
    assert states(product, purpose) == ["expired", "confirmed"]
    page.goto(f"/{lang}/")
    expect(page.locator(".offer-main, .offer-list > .offer").filter(has_text=purpose)).to_have_count(0)
    # Whoever sees why can also stop it.
    page.goto(f"/{lang}/data-rules")
    if javascript:
        clean(page)
