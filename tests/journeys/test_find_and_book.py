"""The story: ask in one's own words, see free places, sign in, book with one click, get a mail, cancel."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import Product, axe_violations, eventually, rows, sign_in

pytestmark = pytest.mark.journey

SENTENCES = {
    "fi": "40 henkeä, lauantai-iltana, lähellä Kalliota",
    "sv": "40 personer, lördag kväll, nära Berghäll",
    "en": "40 people, Saturday evening, near Kallio",
}


def ask(page: Page, lang: str) -> None:
    """Type the whole wish into the first field of the front page."""
    page.goto(f"/{lang}/")
    page.locator("input[name=q]").first.fill(SENTENCES[lang])
    page.locator("form[role=search] button[type=submit], form.ask button[type=submit]").first.click()
    page.wait_for_url(re.compile(r"/spaces\?"))


@pytest.mark.parametrize("width", [1440, 360])
@pytest.mark.parametrize("lang", ["fi", "sv", "en"])
def test_a_person_finds_books_and_cancels(
    open_browser: Callable[..., Page], product: Product, lang: str, width: int
) -> None:
    page = open_browser(lang=lang, width=width)
    sign_in(page, "aino@example.org", lang)
    ask(page, lang)
    expect(page.locator("li.row").first).to_be_visible()
    assert page.locator("input[name=people]").first.input_value().startswith("40")
    assert axe_violations(page) == []

    row = page.locator("li.row", has=page.locator("form button.slot:not(.slot--ask)")).first
    name = row.locator("h2 a, h3 a").first.inner_text()
    row.locator("form button.slot").first.click()
    page.wait_for_url(re.compile(r"/bookings/"))
    expect(page.locator("main")).to_contain_text(name.split(",")[0].strip())
    assert axe_violations(page) == []
    reference = page.url.rstrip("/").rpartition("/")[2].partition("?")[0]

    def mailed() -> bool:
        with rows(
            product, "SELECT 1 FROM mail WHERE body_text LIKE %s AND state = 'sent'", f"%{reference}%"
        ) as found:
            return bool(found)

    eventually(mailed, seconds=20)

    page.goto(f"/{lang}/my/bookings")
    expect(page.locator("main")).to_contain_text(name.split(",")[0].strip())
    assert axe_violations(page) == []

    page.goto(f"/{lang}/bookings/{reference}/cancellation")
    assert axe_violations(page) == []
    page.locator("main form button[type=submit]").first.click()
    page.wait_for_url(lambda url: "/cancellation" not in url)
    with rows(product, "SELECT state FROM booking WHERE reference = %s", reference) as found:
        assert found == [("cancelled",)]


def test_the_slower_of_two_is_shown_what_is_still_free(open_browser: Callable[..., Page]) -> None:
    first, second = open_browser(), open_browser(lang="fi")
    sign_in(first, "aino@example.org", "en")
    sign_in(second, "mikko@example.org", "fi")
    ask(first, "en")
    second.goto(first.url.replace("/en/", "/fi/"))
    for page in (first, second):
        page.locator("li.row form button.slot:not(.slot--ask)").first.click()
    first.wait_for_url(re.compile(r"/bookings/"))
    expect(second.locator("main .slot").first).to_be_visible()
    assert "/bookings/" not in second.url
    assert axe_violations(second) == []


def test_the_story_works_without_javascript(open_browser: Callable[..., Page]) -> None:
    page = open_browser(javascript=False)
    sign_in(page, "mikko@example.org", "en")
    ask(page, "en")
    page.locator("li.row form button.slot:not(.slot--ask)").last.click()
    page.wait_for_url(re.compile(r"/bookings/"))


def test_one_who_is_not_signed_in_comes_back_to_the_booking(open_browser: Callable[..., Page]) -> None:
    page = open_browser()
    ask(page, "en")
    page.locator("li.row form button.slot:not(.slot--ask)").nth(1).click()
    page.wait_for_url(re.compile(r"/sign-in"))
    page.locator("input[name=email]").first.fill("mikko@example.org")
    page.locator("input[name=password]").fill("demo-tilaa-2026")
    page.locator("form:has(input[name=password]) button[type=submit]").first.click()
    page.wait_for_url(re.compile(r"/booking|/bookings/"))
