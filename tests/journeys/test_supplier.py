"""A supplier's story: found a company, describe a space, be approved by the city, be found in the search and booked."""

import re
from collections.abc import Callable
from itertools import count

import psycopg
import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import Product, axe_violations, eventually, rows, sign_in

pytestmark = pytest.mark.journey

NAMES = {"fi": "Laineen verstas", "sv": "Laines verkstad", "en": "Laine workshop"}
numbers = count(1)


def check_digit(digits: str) -> str | None:
    left = -sum(int(d) * w for d, w in zip(digits, (7, 9, 10, 5, 8, 4, 2), strict=True)) % 11
    return None if left == 10 else f"{digits}-{left}"


def business_id(start: int) -> str:
    """The first right one from `start` on."""
    return next(found for n in range(start, start + 20) if (found := check_digit(f"{n:07d}")))


def found_company(page: Page, lang: str) -> None:
    page.goto(f"/{lang}/offer")
    assert axe_violations(page) == []
    page.locator(f"main a[href='/{lang}/organisations/new']").click()
    page.locator("select[name=kind]").select_option("company")
    page.locator("input[name=name]").fill(f"{NAMES[lang]} Oy")
    page.locator("input[name=business_id]").fill(business_id(7654300 + 40 * next(numbers)))
    page.locator("main form button[type=submit]").first.click()
    page.wait_for_url(re.compile(r"/organisations/\d+$"))


def describe_space(page: Page, lang: str) -> int:
    """Fill the one form, wrongly first; returns the draft's id."""
    page.goto(f"/{lang}/offer")
    page.locator(".offer__next li", has_text=NAMES[lang]).locator("a").click()
    page.locator("main form button[type=submit]").first.click()
    expect(page.locator("[data-focus-first]")).to_be_visible()
    assert axe_violations(page) == []
    page.locator(f"input[name=venue_names_{lang}]").fill(f"{NAMES[lang]}, talo")
    page.locator("input[name=streets_fi]").fill("Vaasankatu 5")
    page.locator("input[name=lat]").fill("60.187")
    page.locator("input[name=lon]").fill("24.958")
    page.locator(f"input[name=names_{lang}]").fill(NAMES[lang])
    page.locator("input[name=capacity]").fill("15")
    page.locator("label", has=page.locator("xpath=self::*[@for='purposes-0']")).click()
    page.locator("main form button[type=submit]").first.click()
    page.wait_for_url(re.compile(r"/desk/spaces/\d+$"))
    assert axe_violations(page) == []
    return int(page.url.rpartition("/")[2])


def open_and_price(product: Product, space_id: int) -> None:
    """Hours and a price, by the tables themselves: their pages have journeys of their own."""
    with psycopg.connect(product.database_url) as connection:
        connection.execute(
            "INSERT INTO opening_rule (city_id, space_id, days, opens, closes)"
            " SELECT city_id, id, '{1,2,3,4,5,6,7}', '08:00', '22:00' FROM space WHERE id = %s",
            [space_id],
        )
        connection.execute(
            "INSERT INTO price (city_id, space_id, valid_from, per, amount_minor)"
            " SELECT city_id, id, '2020-01-01', 'hour', 1500 FROM space WHERE id = %s",
            [space_id],
        )


@pytest.mark.parametrize(("lang", "width"), [("fi", 1440), ("sv", 360), ("en", 1440)])
def test_a_supplier_is_approved_found_and_booked(
    open_browser: Callable[..., Page], product: Product, lang: str, width: int
) -> None:
    page = open_browser(lang=lang, width=width)
    sign_in(page, "mikko@example.org", lang)
    found_company(page, lang)
    space_id = describe_space(page, lang)
    open_and_price(product, space_id)
    page.locator("form[action$='/state']:has(input[value=submitted]) button").click()
    page.wait_for_url(re.compile(r"/desk/spaces/\d+$"))
    with rows(product, "SELECT state FROM space WHERE id = %s", space_id) as found:
        assert found == [("submitted",)]

    staff = open_browser(lang=lang)
    sign_in(staff, "staff@example.org", lang)
    staff.goto(f"/{lang}/desk/approvals")
    assert axe_violations(staff) == []
    staff.locator("li.prop", has_text=NAMES[lang]).locator("form[action$='/approval'] button").click()
    expect(staff.locator("li.prop", has_text=NAMES[lang])).to_have_count(0)

    def mailed() -> bool:
        with rows(
            product,
            "SELECT 1 FROM mail WHERE template LIKE '%%mail/approved' AND body_text LIKE %s AND state = 'sent'",
            f"%/desk/spaces/{space_id}%",
        ) as sent:
            return bool(sent)

    eventually(mailed, seconds=20)

    # The copy compiles the hours of the copy; saving the horizon compiles those of the space itself.
    page.goto(f"/{lang}/desk/spaces/{space_id}")
    page.locator("details.desk__rules summary").click()
    page.locator("input[name=horizon_days]").fill("120")
    page.locator("main form.form--wide button[type=submit]").click()
    page.wait_for_url(re.compile(r"/desk/spaces/\d+$"))
    page.goto(f"/{lang}/desk/spaces/{space_id}/history")
    assert axe_violations(page) == []
    page.goto(f"/{lang}/desk")
    assert axe_violations(page) == []
    wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wider <= 0

    resident = open_browser(lang=lang)
    sign_in(resident, "aino@example.org", lang)
    resident.goto(f"/{lang}/spaces?q={NAMES[lang]}")
    row = resident.locator("li.row", has_text=NAMES[lang]).first
    expect(row).to_be_visible()
    row.locator("form button.slot").first.click()
    resident.wait_for_url(re.compile(r"/booking\?|/bookings/"))
    if "/bookings/" not in resident.url:  # too soon to cancel free of charge, so the checkout says it first
        assert axe_violations(resident) == []
        resident.locator("main form button[type=submit]").last.click()
        resident.wait_for_url(re.compile(r"/bookings/"))
    expect(resident.locator("main")).to_contain_text(NAMES[lang])
