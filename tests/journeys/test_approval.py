"""A time that the owner must confirm: asked for, asked about, answered, approved; another declined with its reason."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from urllib.parse import quote
from zoneinfo import ZoneInfo

import psycopg
import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import Product, axe_violations, eventually, rows, sign_in

pytestmark = pytest.mark.journey

HELSINKI = ZoneInfo("Europe/Helsinki")
# A space of Elina's that she answers for, and a full hour from which it is free for four.
SPACE = """
    SELECT s.id, hour.starts
    FROM space s JOIN venue v ON v.id = s.venue_id JOIN membership m ON m.organisation_id = v.owner_id
    JOIN person p ON p.id = m.person_id
    CROSS JOIN generate_series(
        date_trunc('hour', now()) + interval '9 days', now() + interval '50 days', interval '1 hour') AS hour (starts)
    CROSS JOIN LATERAL tstzrange(hour.starts, hour.starts + interval '4 hours') AS wished (span)
    WHERE p.email = 'elina@example.org' AND s.state = 'published' AND s.approval = 'handler' AND NOT s.whole_days
      AND s.who = 'anyone' AND s.min_minutes <= 60 AND s.terms_version IS NULL
      AND NOT EXISTS (SELECT 1 FROM space_question q WHERE q.space_id = s.id)
      AND EXISTS (SELECT 1 FROM opening_month o WHERE o.space_id = s.id AND o.open @> wished.span)
      AND NOT EXISTS (SELECT 1 FROM claim c JOIN space_unit u ON u.unit_id = c.unit_id
                      WHERE u.space_id = s.id AND c.during && wished.span)
    ORDER BY hour.starts, s.id LIMIT 1
"""


def free_time(product: Product) -> tuple[int, datetime]:
    with psycopg.connect(product.database_url) as connection:
        space_id, start = connection.execute(SPACE).fetchone() or (0, None)
    assert start is not None
    return int(space_id), start.astimezone(HELSINKI)


def clean(page: Page) -> None:
    assert axe_violations(page) == [], page.url
    wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wider <= 0, page.url


def checkout(space_id: int, start: datetime, lang: str) -> str:
    return f"/{lang}/spaces/{space_id}/booking?start={quote(start.isoformat())}&minutes=60"


def ask_for(page: Page, space_id: int, start: datetime, lang: str) -> str:
    """Send the request by the checkout; returns the booking's reference."""
    page.goto(checkout(space_id, start, lang))
    clean(page)
    page.locator("#purpose").fill("Nimipäivät")
    page.locator("form.co__form .co__go button.hds-button--primary").click()
    page.wait_for_url(re.compile(r"/bookings/"))
    clean(page)
    return page.url.partition("?")[0].rpartition("/")[2]


def state_of(product: Product, reference: str) -> str:
    with rows(product, "SELECT state FROM booking WHERE reference = %s", reference) as found:
        return str(found[0][0])


def write(page: Page, text: str, *, question: bool = False) -> None:
    page.locator("#talk textarea").fill(text)
    if question:
        page.locator("#talk label[for=question]").click()
    page.locator("#talk form button.hds-button").click()
    expect(page.locator("#talk .talk__t", has_text=text)).to_be_visible()


@pytest.mark.parametrize(("lang", "width"), [("fi", 1440), ("sv", 360), ("en", 1440)])
def test_a_request_is_asked_about_and_approved_and_another_declined(
    open_browser: Callable[..., Page], product: Product, lang: str, width: int
) -> None:
    space_id, start = free_time(product)
    aino, elina = open_browser(lang=lang, width=width), open_browser(lang=lang, width=width)
    sign_in(aino, "aino@example.org", lang)
    sign_in(elina, "elina@example.org", lang)
    wanted = ask_for(aino, space_id, start, lang)
    second = ask_for(aino, space_id, start + timedelta(hours=2), lang)
    assert [state_of(product, one) for one in (wanted, second)] == ["awaiting_approval"] * 2

    # The time is kept while it waits.
    mikko = open_browser(lang=lang, width=width)
    sign_in(mikko, "mikko@example.org", lang)
    mikko.goto(checkout(space_id, start, lang))
    expect(mikko.locator("main [role=alert]")).to_be_visible()

    elina.goto(f"/{lang}/bookings/{wanted}")
    clean(elina)
    write(elina, "Montako lasta tulee?", question=True)
    aino.goto(f"/{lang}/bookings/{wanted}")
    expect(aino.locator("#talk")).to_contain_text("Montako lasta tulee?")
    clean(aino)
    write(aino, "Kaksitoista.")

    elina.goto(f"/{lang}/bookings/{wanted}")
    expect(elina.locator("#talk")).to_contain_text("Kaksitoista.")
    elina.locator(f"form[action$='/{wanted}/approval'] button").first.click()
    elina.wait_for_load_state()
    assert state_of(product, wanted) == "confirmed"

    # Without a reason nothing is declined; with one it is.
    elina.goto(f"/{lang}/bookings/{second}")
    no = elina.locator(f"form[action$='/{second}/refusal']")
    if not no.locator("textarea").is_visible():
        elina.locator("details", has=no).locator("summary").click()
    no.locator("button").click()
    elina.wait_for_load_state()
    clean(elina)
    assert state_of(product, second) == "awaiting_approval"
    no.locator("textarea").fill("Remontti")
    no.locator("button").click()
    elina.wait_for_load_state()
    assert state_of(product, second) == "declined"

    def mailed() -> bool:
        with rows(
            product,
            "SELECT count(*) FROM mail WHERE state = 'sent' AND (body_text LIKE %s AND template LIKE %s"
            " OR body_text LIKE %s AND template LIKE %s)",
            f"%{wanted}%",
            "%lifecycle/mail/confirmed",
            "%Remontti%",
            "%lifecycle/mail/declined",
        ) as found:
            return bool(found[0][0] >= 2)

    eventually(mailed, seconds=40)
    aino.goto(f"/{lang}/bookings/{second}")
    expect(aino.locator("main")).to_contain_text("Remontti")
    clean(aino)
    # What was declined is free for others.
    mikko.goto(checkout(space_id, start + timedelta(hours=2), lang))
    expect(mikko.locator("form.co__form")).to_be_visible()
