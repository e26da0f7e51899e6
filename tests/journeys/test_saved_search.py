"""Somebody saves a search, somebody else cancels, a mail comes, and one press books."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import Product, axe_violations, eventually, rows, sign_in

pytestmark = pytest.mark.journey

# A space that is booked at once, a day on which nobody has anything of it, and how it is asked for.
ROOM = """
    SELECT s.id, s.kind, s.capacity,
           to_char(d.day, 'DD.MM.YYYY'), to_char(d.day, 'YYYY-MM-DD')
    FROM space s JOIN venue v ON v.city_id = s.city_id AND v.id = s.venue_id,
         LATERAL (SELECT (now() AT TIME ZONE 'Europe/Helsinki')::date + n AS day FROM generate_series(%s, 60) n) d
    WHERE s.state = 'published' AND s.approval = 'instant' AND s.who = 'anyone' AND NOT s.whole_days
      AND s.kind = 'meeting_room' AND s.min_minutes <= 60 AND s.max_minutes >= 60
      AND EXISTS (
          SELECT FROM opening_month o, unnest(o.open) hours(span)
          WHERE o.city_id = s.city_id AND o.space_id = s.id
            AND span @> tstzrange((d.day + time '12:00') AT TIME ZONE 'Europe/Helsinki',
                                  (d.day + time '13:00') AT TIME ZONE 'Europe/Helsinki')
      )
      AND NOT EXISTS (
          SELECT FROM claim c JOIN space_unit u ON u.city_id = c.city_id AND u.unit_id = c.unit_id
          WHERE u.space_id = s.id AND c.during && tstzrange((d.day + time '08:00') AT TIME ZONE 'Europe/Helsinki',
                                                            (d.day + time '18:00') AT TIME ZONE 'Europe/Helsinki')
      )
    ORDER BY d.day, s.capacity DESC, s.id LIMIT 1
"""


def look(page: Page) -> None:
    """No axe violation, and nothing to scroll sideways for."""
    assert axe_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


@pytest.mark.parametrize(("lang", "width", "offset"), [("fi", 1440, 20), ("sv", 360, 30), ("fi", 360, 40)])
def test_what_is_cancelled_finds_who_waits_for_it(
    product: Product, open_browser: Callable[..., Page], lang: str, width: int, offset: int
) -> None:
    with rows(product, ROOM, offset) as found:
        space_id, kind, capacity, day, _ = found[0]
    # Somebody has it.
    holder = open_browser(lang=lang)
    sign_in(holder, "mikko@example.org", lang)
    question = f"when={day} 12-13&people={capacity}&kind={kind}&minutes=60"
    book_here(holder, lang, question, space_id)
    reference = holder.url.partition("/bookings/")[2].partition("?")[0]

    # Somebody else finds nothing there, and saves the search; signing in comes in between.
    page = open_browser(lang=lang, width=width)
    page.goto(f"/{lang}/spaces?{question}")
    look(page)
    page.locator("#save-search button").click()
    page.wait_for_url(lambda url: "/sign-in" in url)
    page.locator("input[name=email]").first.fill("aino@example.org")
    page.locator("input[name=password]").fill("demo-tilaa-2026")
    page.locator("form:has(input[name=password]) button[type=submit]").first.click()
    page.wait_for_url(lambda url: url.partition("#")[0].endswith(f"/{lang}/my/searches"))
    expect(page.locator(".saved")).to_have_count(1)
    look(page)
    page.locator(".saved__n summary").click()
    page.locator(".saved__n input[name=name]").fill("Kokous 12–13")
    look(page)
    page.locator(".saved__n button").click()
    expect(page.locator(".saved h2")).to_have_text("Kokous 12–13")
    assert mails_of(product) == []

    # It is given up, really: it was held for more than a moment.
    with rows(
        product,
        "UPDATE booking SET created_at = created_at - interval '1 hour' WHERE reference = %s RETURNING id",
        reference,
    ):
        pass
    holder.goto(f"/{lang}/bookings/{reference}/cancellation")
    holder.locator("main form button[type=submit]").last.click()
    holder.wait_for_url(lambda url: "/cancellation" not in url)
    product.command("saved-searches", "follow")
    eventually(lambda: len(mails_of(product)) == 1)
    (body, stop_url) = mails_of(product)[0]
    assert f"/spaces/{space_id}?" in body

    # From the mail to the booking: one press.
    address = re.search(r"https?://[^/\s]+/\w\w(/spaces\?\S+)", body)
    assert address is not None
    page.goto(f"/{lang}{address[1]}")
    look(page)
    page.locator(
        f'.slot[action*="/spaces/{space_id}/"] button, form[action*="/spaces/{space_id}/"] button'
    ).first.click()
    page.wait_for_url(lambda url: "/bookings/" in url or "/booking?" in url)
    assert "/bookings/" in page.url
    look(page)

    # And no more mail of this one.
    page.goto(re.sub(r"https?://[^/]+/\w\w/", f"/{lang}/", stop_url))
    look(page)
    page.locator("main form button").click()
    look(page)
    page.goto(f"/{lang}/my/searches")
    page.locator('form[action$="/removal"] button').first.click()
    expect(page.locator(".saved")).to_have_count(0)
    with rows(product, "DELETE FROM mail WHERE template LIKE 'spaces/saved/%%' RETURNING id"):
        pass


def book_here(page: Page, lang: str, question: str, space_id: int) -> None:
    page.goto(f"/{lang}/spaces?{question}")
    page.locator(f'form[action*="/spaces/{space_id}/"] button').first.click()
    page.wait_for_url(lambda url: "/bookings/" in url)


def mails_of(product: Product) -> list[tuple[str, str]]:
    with rows(
        product, "SELECT body_text, stop_url FROM mail WHERE template = 'spaces/saved/mail/freed' ORDER BY id"
    ) as found:
        return [(body, stop_url) for body, stop_url in found]
