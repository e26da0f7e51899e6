"""Add a mobile number, choose offers by text message, and remove it: by keyboard, in three languages, wide and narrow."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.factories.gateway import FakeGateway
from tests.journeys.conftest import axe_violations, eventually, sign_in

pytestmark = pytest.mark.journey


def clean(page: Page) -> None:
    assert axe_violations(page) == [], page.url
    wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wider <= 0, f"{page.url} is {wider} px too wide"


def press(page: Page, place: str) -> None:
    """By the keyboard alone."""
    page.locator(place).focus()
    page.keyboard.press("Enter")


@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("lang", ["fi", "sv", "en"])
def test_a_number_is_added_used_and_removed(
    open_browser: Callable[..., Page], gateway: FakeGateway, lang: str, width: int
) -> None:
    page = open_browser(lang=lang, width=width)
    sign_in(page, "mikko@example.org", lang)
    page.goto(f"/{lang}/profile")
    press(page, "#texts a.hds-button")
    page.wait_for_url(f"**/{lang}/profile/number")
    page.locator("#number").fill("09 310 1691")
    page.keyboard.press("Enter")
    page.wait_for_selector("[aria-invalid=true]")
    clean(page)
    page.locator("#number").fill("040 123 4567")
    before = len(gateway.taken)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/{lang}/profile/number/code")
    assert "040 1234567" in page.locator(".lead").inner_text()
    clean(page)
    eventually(lambda: len(gateway.taken) > before, seconds=20)
    code = re.search(r"\b\d{6}\b", gateway.taken[-1].text)
    assert code is not None
    for tries in range(5):
        page.locator("#code").fill(f"{(int(code[0]) + 1) % 10**6:06d}")
        with page.expect_navigation():
            page.keyboard.press("Enter")
        if tries in {0, 4}:
            clean(page)
    assert page.locator("#code").count() == 0, "five tries are all"
    before = len(gateway.taken)
    press(page, ".acts button.hds-button")
    page.wait_for_selector("#code")
    eventually(lambda: len(gateway.taken) > before, seconds=20)
    code = re.search(r"\b\d{6}\b", gateway.taken[-1].text)
    assert code is not None
    page.locator("#code").fill(code[0])
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/{lang}/profile#texts")
    page.locator("#wants_offers").focus()
    page.keyboard.press("Space")
    press(page, "#texts .form__go button")
    page.wait_for_load_state("networkidle")
    assert page.locator("#wants_offers").is_checked()
    clean(page)
    press(page, "#texts .linkbtn")
    page.wait_for_selector("#texts a.hds-button")
    assert page.locator("#wants_offers").count() == 0
