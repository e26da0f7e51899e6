"""The owner's queue: found by its filters, answered many at a time, taken back, and with nothing but plain forms."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count

import psycopg
import pytest
from playwright.sync_api import Page, expect

from marketplace.ids import new_reference
from tests.journeys.conftest import Product, axe_violations, rows, sign_in

pytestmark = pytest.mark.journey

# Each request has a day of its own, far from what other stories and the demo city book.
days = count(150)

SPACE = """
    SELECT s.id FROM space s JOIN venue v ON v.city_id = s.city_id AND v.id = s.venue_id
    JOIN membership m ON m.organisation_id = v.owner_id JOIN person p ON p.id = m.person_id
    WHERE p.email = 'elina@example.org' AND s.state = 'published' AND NOT s.whole_days ORDER BY s.id DESC LIMIT 1
"""
REQUEST = """
    WITH made AS (
        INSERT INTO booking (city_id, reference, space_id, person_id, during, state, requested_at, created_at,
            changed_at, lines, total_minor, vat_minor, currency, cancel_free_until, submission)
        SELECT s.city_id, %(reference)s, s.id, p.id, tstzrange(%(start)s, %(end)s), 'awaiting_approval',
            now(), now(), now(), '[]', 0, 0, 'EUR', %(start)s, %(reference)s
        FROM space s JOIN person p ON p.city_id = s.city_id AND p.email = 'aino@example.org' WHERE s.id = %(space)s
        RETURNING city_id, id, space_id, during
    )
    INSERT INTO claim (city_id, holder_id, unit_id, part, lane, during)
    SELECT made.city_id, made.id, su.unit_id, 0, 0, made.during
    FROM made JOIN space_unit su ON su.city_id = made.city_id AND su.space_id = made.space_id
"""
CANCEL = """
    WITH gone AS (UPDATE booking SET state = 'cancelled', changed_at = now() WHERE reference = %s RETURNING id)
    DELETE FROM claim USING gone WHERE claim.holder_id = gone.id
"""


def requested(product: Product, how_many: int) -> tuple[int, list[str]]:
    """A space of Elina's, and the references of requests that wait there, each a day later than the one before."""
    references = []
    with psycopg.connect(product.database_url) as connection:
        (space_id,) = connection.execute(SPACE).fetchone() or (0,)
        for _ in range(how_many):
            start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=next(days))
            reference = new_reference()
            connection.execute(
                REQUEST,
                {
                    "reference": reference,
                    "space": space_id,
                    "start": start,
                    "end": start + timedelta(hours=1),
                },
            )
            references.append(reference)
    return int(space_id), references


def cancelled_meanwhile(product: Product, reference: str) -> None:
    with psycopg.connect(product.database_url) as connection:
        connection.execute(CANCEL, [reference])


def states(product: Product, references: list[str]) -> list[str]:
    with rows(product, "SELECT reference, state FROM booking WHERE reference = ANY(%s)", references) as found:
        by_reference = dict(found)
    return [by_reference[reference] for reference in references]


def clean(page: Page) -> None:
    assert axe_violations(page) == [], page.url
    wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wider <= 0, page.url


def box(reference: str) -> str:
    return f"#q-{reference} input[name=request][form=many]"


def open_queue(page: Page, lang: str, space_id: int) -> None:
    """By the timeline and the filters, as an owner comes there."""
    page.goto(f"/{lang}/desk/timeline")
    page.locator(".queue__all a").click()
    page.wait_for_url(re.compile(r"/desk/requests"))
    clean(page)
    # Only places where something waits are offered: a venue's only such space stands for the venue.
    page.goto(f"/{lang}/desk/requests?place=space-{space_id}")
    page.locator("details.finder summary").click()
    page.locator("#f-who").fill("aino")
    page.locator("form[role=search] button").click()
    page.wait_for_url(re.compile(r"who=aino"))
    expect(page.locator(".tags .hds-tag")).to_have_count(2)


@pytest.mark.parametrize(("lang", "width"), [("fi", 1440), ("sv", 360)])
def test_many_requests_are_answered_at_once(
    open_browser: Callable[..., Page], product: Product, lang: str, width: int
) -> None:
    space_id, (first, second, third, gone) = requested(product, 4)
    page = open_browser(lang=lang, width=width)
    sign_in(page, "elina@example.org", lang)
    open_queue(page, lang, space_id)

    # By the keyboard: the space bar chooses, Enter does not send.
    page.locator(box(first)).focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Space")
    page.locator(box(second)).check()
    said = page.locator("#many [data-chosen]")
    expect(said).to_contain_text("2")
    clean(page)
    page.locator("#many > div button").click()
    result = page.locator("#result")
    expect(result).to_be_focused()
    expect(result).to_contain_text("2")
    clean(page)
    assert states(product, [first, second, third]) == ["confirmed", "confirmed", "awaiting_approval"]

    # A slip: both wait again, and are approved once more.
    result.locator("form[data-undo] button").click()
    expect(page.locator(box(first))).to_be_visible()
    assert states(product, [first, second]) == ["awaiting_approval"] * 2
    page.locator(box(first)).check()
    page.locator(box(second)).check()
    page.locator("#many > div button").click()
    expect(result.locator("form[data-undo]")).to_be_visible()
    assert states(product, [first, second]) == ["confirmed"] * 2

    # Of the rest one has been cancelled in the meantime; the other is declined, with a reason.
    page.locator(box(third)).check()
    page.locator(box(gone)).check()
    page.locator("#many summary").click()
    no = page.locator("#many .many__no button")
    no.click()
    expect(page.locator("#reason")).to_be_focused()
    clean(page)
    assert states(product, [third]) == ["awaiting_approval"]
    cancelled_meanwhile(product, gone)
    page.locator("#reason_code").select_option("closed")
    no.click()
    expect(result).to_be_focused()
    expect(result.locator("li")).to_have_count(1)
    expect(result.locator("li a")).to_have_attribute("href", f"/{lang}/bookings/{gone}")
    clean(page)
    assert states(product, [third, gone]) == ["declined", "cancelled"]
    with rows(
        product,
        "SELECT details->>'reason_code' FROM audit_entry a JOIN booking b ON b.id = a.subject_id"
        " WHERE a.action = 'booking.declined' AND b.reference = %s",
        third,
    ) as found:
        assert found == [("closed",)]


def test_without_script(open_browser: Callable[..., Page], product: Product) -> None:
    space_id, (first, second) = requested(product, 2)
    with rows(
        product, "SELECT min(lower(during))::date FROM booking WHERE reference = ANY(%s)", [first, second]
    ) as found:
        day = found[0][0]
    page = open_browser(lang="sv", width=360, javascript=False)
    sign_in(page, "elina@example.org", "sv")
    # Of these two days, so that nothing else is chosen with them.
    page.goto(f"/sv/desk/requests?place=space-{space_id}&first={day}&last={day + timedelta(days=2)}")
    page.locator(".many__all a.no-js").click()
    for reference in (first, second):
        expect(page.locator(box(reference))).to_be_checked()
    page.locator(box(second)).uncheck()
    page.locator("#many > div button").click()
    expect(page.locator(box(first))).to_have_count(0)
    page.locator(f"#q-{second} summary").click()
    page.locator(f"#q-{second} select").select_option("not-suitable")
    page.locator(f"#q-{second} details button").click()
    expect(page.locator(box(second))).to_have_count(0)
    assert states(product, [first, second]) == ["confirmed", "declined"]
