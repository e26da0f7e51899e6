"""Real places of the city, imported from its own files, are found and booked on a given day."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import Product, rows, sign_in

pytestmark = pytest.mark.journey

# Far enough for every notice, near enough for every horizon.
DAY = datetime.now(UTC).date() + timedelta(days=9)


def ask(page: Page, lang: str, what: str) -> None:
    """Say on the front page what is looked for, and the day."""
    page.goto(f"/{lang}/")
    page.locator("form.ask input[name=q]").fill(what)
    page.locator("form.ask input[name=when]").fill(f"{DAY.day}.{DAY.month}.{DAY.year}")
    page.locator("form.ask button[type=submit]").click()
    page.wait_for_url(re.compile(r"/spaces\?"))


def booked(product: Product, page: Page) -> tuple[str, str, str, str]:
    """(name of the space, first day, last day, state) of the booking that the page confirms, in the city's zone."""
    page.wait_for_url(re.compile(r"/bookings/"))
    reference = page.url.rpartition("/")[2].partition("?")[0]
    sql = """
        SELECT space.names->>'fi', (lower(during) AT TIME ZONE 'Europe/Helsinki')::date::text,
               ((upper(during) - interval '1 second') AT TIME ZONE 'Europe/Helsinki')::date::text, booking.state
        FROM booking JOIN space ON space.id = booking.space_id WHERE reference = %s
    """
    with rows(product, sql, reference) as found:
        [row] = found
    return row


def test_narinkka_a_is_found_and_booked_for_a_day(
    open_browser: Callable[..., Page], real_venues: Product
) -> None:
    page = open_browser(lang="en")
    sign_in(page, "mikko@example.org", "en")
    ask(page, "en", "Narinkka")
    row = page.locator("li.row", has=page.get_by_role("link", name="Narinkka A", exact=True))
    expect(row).to_contain_text("€600/day")
    row.locator("form button.slot").first.click()
    assert booked(real_venues, page) == ("Narinkka A", str(DAY), str(DAY), "confirmed")
    expect(page.locator("main")).to_contain_text("Narinkka A")
    expect(page.locator("main")).to_contain_text("1 day × €600")

    ask(page, "en", "Narinkka")
    expect(page.locator("li.row").first).to_contain_text("Narinkka B")
    expect(row).to_have_count(0)  # taken ones come after all that are free


def test_a_playground_house_is_found_and_booked_for_a_day(
    open_browser: Callable[..., Page], real_venues: Product
) -> None:
    page = open_browser(lang="fi", width=360)
    sign_in(page, "mikko@example.org", "fi")
    ask(page, "fi", "leikkipuisto Hilleri")
    row = page.locator("li.row", has=page.get_by_role("link", name=re.compile("^Leikkipuisto Hilleri")))
    row.get_by_role("link", name=re.compile("^Leikkipuisto Hilleri")).first.click()
    page.wait_for_url(re.compile(r"/spaces/\d+"))
    page.locator(f"#book a.slot[href*='{DAY.isoformat()}T14']").first.click()
    page.locator("#price a.hds-button").click()
    page.wait_for_url(re.compile(r"/booking"))
    page.locator("form.co__form .co__go button.hds-button--primary").click()
    assert booked(real_venues, page) == (
        "Leikkipuisto Hilleri, sisätilat", str(DAY), str(DAY), "confirmed",
    )  # fmt: skip
    page.goto("/fi/my/bookings")
    expect(page.locator("main")).to_contain_text("Leikkipuisto Hilleri")


def test_importing_again_changes_nothing(real_venues: Product, shared_data: Path) -> None:
    file = shared_data / "venues" / "allu_fixed_locations.geojson"
    assert " 0 places created, 0 updated, " in real_venues.command("spaces", "import", str(file))
