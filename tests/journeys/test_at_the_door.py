"""At the door: the code that appears near its time, coming by the poster and by the owner's hand, and not coming."""

import io
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
import segno
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from tests.journeys.conftest import Product, axe_violations, eventually, rows, sign_in

pytestmark = pytest.mark.journey

SPACE = """
    SELECT s.id, s.city_id FROM space s JOIN venue v ON v.city_id = s.city_id AND v.id = s.venue_id
    JOIN membership m ON m.organisation_id = v.owner_id JOIN person p ON p.id = m.person_id
    WHERE p.email = 'elina@example.org' AND s.state = 'published' AND s.approval = 'instant'
      AND NOT s.whole_days AND s.who = 'anyone' AND s.interval_minutes <= 60
      AND NOT EXISTS (SELECT 1 FROM space_attendance a WHERE a.space_id = s.id)
    ORDER BY s.id LIMIT 1
"""


def always_open_space(product: Product) -> int:
    """One of Elina's spaces, open round the clock and free of bookings now, so that the hour of the day is no matter."""
    with psycopg.connect(product.database_url) as connection:
        space_id, city_id = connection.execute(SPACE).fetchone() or (0, 0)
        assert space_id
        connection.execute("DELETE FROM opening_exception WHERE space_id = %s", [space_id])
        connection.execute("DELETE FROM opening_rule WHERE space_id = %s", [space_id])
        connection.execute(
            "INSERT INTO opening_rule (city_id, space_id, days, opens, closes)"
            " VALUES (%s, %s, '{1,2,3,4,5,6,7}', '00:00', '00:00')",
            [city_id, space_id],
        )
        connection.execute(
            "UPDATE space SET notice_minutes = 0, min_minutes = 30, max_minutes = 240, interval_minutes = 30,"
            " buffer_before_minutes = 0, buffer_after_minutes = 0, holiday_rule = 'as_usual' WHERE id = %s",
            [space_id],
        )
        connection.execute(
            "DELETE FROM claim WHERE unit_id IN (SELECT unit_id FROM space_unit WHERE space_id = %s)"
            " AND during && tstzrange(now() - interval '1 day', now() + interval '2 days')",
            [space_id],
        )
    product.command("calendar", "rebuild")
    return int(space_id)


def booked(product: Product, space_id: int, email: str, start: datetime, end: datetime) -> str:
    """A confirmed booking with its claim, as if it had been made this morning; the way the pages do it cannot begin in
    the past."""
    reference = f"{uuid4().hex[:4].upper()}-{uuid4().hex[:4].upper()}"
    with psycopg.connect(product.database_url) as connection:
        connection.execute(
            """
            WITH made AS (
                INSERT INTO booking (city_id, reference, space_id, person_id, during, state, requested_at, created_at,
                    changed_at, lines, total_minor, vat_minor, currency, cancel_free_until, submission)
                SELECT s.city_id, %(reference)s, s.id, p.id, tstzrange(%(start)s, %(end)s), 'confirmed',
                    now(), now(), now(), '[]', 0, 0, 'EUR', %(start)s, %(reference)s
                FROM space s JOIN person p ON p.city_id = s.city_id AND p.email = %(email)s WHERE s.id = %(space)s
                RETURNING city_id, id, space_id, during
            )
            INSERT INTO claim (city_id, holder_id, unit_id, part, lane, during)
            SELECT made.city_id, made.id, su.unit_id, 0, 0, made.during
            FROM made JOIN space_unit su ON su.city_id = made.city_id AND su.space_id = made.space_id
            """,
            {"reference": reference, "space": space_id, "email": email, "start": start, "end": end},
        )
    return reference


def state_of(product: Product, reference: str) -> tuple[str, bool]:
    with rows(
        product, "SELECT state, checked_in_at IS NOT NULL FROM booking WHERE reference = %s", reference
    ) as found:
        return found[0]


def reads_as(code: Locator, address: str) -> bool:
    """Whether the picture on the screen is the code of this address, square by square."""
    matrix = segno.make(address, error="m", micro=False).matrix
    picture = Image.open(io.BytesIO(code.screenshot())).convert("L")
    squares: Any = picture.load()
    side = picture.width / (len(matrix) + 8)
    return all(
        (squares[int((x + 4.5) * side), int((y + 4.5) * side)] < 128) == bool(bit)
        for y, line in enumerate(matrix)
        for x, bit in enumerate(line)
    )


def clean(page: Page) -> None:
    assert axe_violations(page) == [], page.url
    wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wider <= 0, page.url


def set_up_the_door(owner: Page, lang: str, space_id: int) -> str:
    """The owner asks for check-in and writes codes down; returns the address in the poster."""
    owner.goto(f"/{lang}/desk/spaces/{space_id}/attendance")
    clean(owner)
    owner.locator("label[for=mode-2]").click()
    owner.locator("input[name=release_minutes]").fill("3")
    owner.locator("main form button[type=submit]").first.click()
    expect(owner.locator("[data-focus-first]")).to_be_visible()
    owner.locator("input[name=release_minutes]").fill("15")
    owner.locator("main form button[type=submit]").first.click()
    owner.locator(f"a[href='/{lang}/desk/spaces/{space_id}/poster']").click()
    clean(owner)
    address = owner.locator(".poster__a").inner_text()
    assert reads_as(owner.locator(".qrbox svg"), address)
    owner.goto(f"/{lang}/desk/spaces/{space_id}/door")
    owner.locator("label[for=way-2]").click()
    owner.locator(f"textarea[name=texts_{lang}]").fill("Sininen ovi")
    owner.locator("main form button[type=submit]").first.click()
    owner.locator("textarea[name=codes]").fill("4719")
    owner.locator("input[name=valid_from]").fill("2026-01-01")
    owner.locator("form[action$='/codes'] button").click()
    expect(owner.locator("#code-list")).to_contain_text("4719")
    clean(owner)
    return address


@pytest.mark.parametrize(("lang", "width"), [("fi", 360), ("sv", 1440), ("en", 360)])
def test_at_the_door(open_browser: Callable[..., Page], product: Product, lang: str, width: int) -> None:
    space_id = always_open_space(product)
    owner = open_browser(lang=lang, width=width)
    sign_in(owner, "elina@example.org", lang)
    address = set_up_the_door(owner, lang, space_id)
    present = datetime.now(UTC).replace(second=0, microsecond=0)
    # The door's minutes count from here, whatever the minute of the hour.
    soon, late = present + timedelta(minutes=20), present + timedelta(hours=3)
    first = booked(product, space_id, "aino@example.org", soon, soon + timedelta(minutes=60))
    far = booked(product, space_id, "aino@example.org", late, late + timedelta(minutes=30))

    aino = open_browser(lang=lang, width=width)
    sign_in(aino, "aino@example.org", lang)
    aino.goto(f"/{lang}/bookings/{far}")
    expect(aino.locator(".doorway")).to_be_visible()
    assert "4 7 1 9" not in aino.content()

    # No job knows of these bookings: the owner's next change of the list has the lock asked for them.
    owner.goto(f"/{lang}/desk/spaces/{space_id}/door")
    owner.locator("textarea[name=codes]").fill("80#22")
    owner.locator("input[name=valid_from]").fill("2099-01-01")
    owner.locator("form[action$='/codes'] button").click()

    def has_code() -> bool:
        aino.goto(f"/{lang}/bookings/{first}")
        return "4 7 1 9" in aino.content()

    eventually(has_code, seconds=20)
    clean(aino)
    shown = aino.locator(".qrbox svg")
    expect(shown).to_be_visible()
    aino.goto(f"/{lang}/my/bookings")
    expect(aino.locator("#doors")).to_contain_text("4 7 1 9")
    clean(aino)

    # By the poster.
    aino.goto(address)
    clean(aino)
    aino.locator("main article form button").click()
    expect(aino.locator("main article")).not_to_contain_text("button")
    assert state_of(product, first) == ("confirmed", True)

    # By the owner's hand, taken back, and again.
    with psycopg.connect(product.database_url) as connection:
        connection.execute("UPDATE booking SET checked_in_at = NULL WHERE reference = %s", [first])
    owner.goto(f"/{lang}/desk/today")
    clean(owner)
    row = owner.locator(f"#b-{first}")
    row.locator("form:has(input[value=here]) button").click()
    row.locator("form:has(input[value=not_here]) button").click()
    expect(row.locator("form:has(input[value=here]) button")).to_be_visible()
    row.locator("form:has(input[value=here]) button").click()
    expect(row.locator("form:has(input[value=not_here]) button")).to_be_visible()
    assert state_of(product, first) == ("confirmed", True)


@pytest.mark.parametrize(("lang", "width"), [("fi", 1440), ("sv", 360), ("en", 1440)])
def test_nobody_comes_and_another_books_the_time(
    open_browser: Callable[..., Page], product: Product, lang: str, width: int
) -> None:
    space_id = always_open_space(product)
    with psycopg.connect(product.database_url) as connection:
        connection.execute(
            "INSERT INTO space_attendance (city_id, space_id, mode, release_minutes, since, poster_token)"
            " SELECT city_id, id, 'required', 5, now() - interval '1 day', %s FROM space WHERE id = %s",
            [uuid4().hex, space_id],
        )
    present = datetime.now(UTC).replace(second=0, microsecond=0)
    began = present - timedelta(minutes=present.minute % 30 + 30)
    missed = booked(product, space_id, "aino@example.org", began, began + timedelta(hours=3))
    mikko = open_browser(lang=lang, width=width)
    sign_in(mikko, "mikko@example.org", lang)
    owner = open_browser(lang=lang)
    sign_in(owner, "elina@example.org", lang)
    owner.goto(f"/{lang}/desk/today")
    row = owner.locator(f"#b-{missed}")
    # The clock's round comes each minute; where it is not quick enough the owner's own press does the same.
    if row.locator("form:has(input[value=no_show]) button").count():
        row.locator("form:has(input[value=no_show]) button").click()
    eventually(lambda: state_of(product, missed)[0] == "no_show", seconds=90)
    owner.goto(f"/{lang}/desk/today")
    clean(owner)
    start = began + timedelta(hours=1, minutes=30)
    mikko.goto(f"/{lang}/spaces/{space_id}/booking?start={start:%Y-%m-%dT%H:%M}%2B00:00&minutes=30")
    mikko.locator("form.co__form .co__go button.hds-button--primary").click()
    mikko.wait_for_url(re.compile(r"/bookings/[0-9A-Z]{4}-[0-9A-Z]{4}"))
    # The time is Mikko's now, so the owner cannot bring the first one back.
    row = owner.locator(f"#b-{missed}")
    row.locator("form:has(input[value=came_after_all]) button").click()
    owner.wait_for_load_state("networkidle")
    assert state_of(product, missed)[0] == "no_show"
