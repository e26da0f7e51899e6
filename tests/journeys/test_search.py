"""Searching in a real browser: by text, on the map and by keyboard alone."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import axe_violations
from tests.journeys.test_keyboard import tab_to

pytestmark = pytest.mark.journey

EVERYWHERE = [(lang, width) for lang in ("fi", "sv", "en") for width in (1440, 360)]
SENTENCES = {
    "fi": "vuosikokous 40 hengelle Hakaniemessä lauantaina klo 12-16",
    "sv": "årsmöte för 40 personer i Hagnäs på lördag kl. 12-16",
    "en": "annual meeting for 40 people in Hakaniemi on Saturday 12-16",
}
MAP = ".mapcol .map"
MARKS = f"{MAP} .pin--many"


def open_map(page: Page, lang: str, query: str = "") -> None:
    """The results with their map; on a phone the map takes the list's place."""
    page.goto(f"/{lang}/spaces{query}#map-panel")
    expect(page.locator(f"{MAP} .pin").first).to_be_visible()


def rests(page: Page) -> None:
    """The map has come to rest."""
    expect(page.locator(f"{MAP} .leaflet-pan-anim")).to_have_count(0)


def is_wide(page: Page) -> bool:
    return (page.viewport_size or {"width": 0})["width"] > 860


@pytest.mark.parametrize(("lang", "width"), EVERYWHERE)
def test_by_text(open_browser: Callable[..., Page], lang: str, width: int) -> None:
    page = open_browser(lang=lang, width=width)
    page.goto(f"/{lang}/")
    page.locator("#q").fill(SENTENCES[lang])
    page.locator("#q").press("Enter")
    page.wait_for_url(re.compile(r"/spaces\?"))
    # The sentence filled the fields, and each row says why it is there.
    assert page.locator("#n").input_value().startswith("40")
    assert "12–16" in page.locator("#d").input_value()
    assert page.locator("#w").input_value() in {"Hakaniemi", "Hagnäs"}
    expect(page.locator(".row__w").first).to_contain_text("40")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert axe_violations(page) == []
    # An order is part of the address, and Back takes it off again.
    page.locator("#sort").select_option("soonest")
    page.wait_for_url(re.compile("sort=soonest"))
    page.go_back()
    page.wait_for_url(lambda url: "sort=" not in url)
    expect(page.locator("#sort")).to_have_value("")


@pytest.mark.parametrize(("lang", "width"), EVERYWHERE)
def test_a_window_of_days_is_booked_from_its_row(
    open_browser: Callable[..., Page], lang: str, width: int
) -> None:
    evenings = {
        "fi": "arki-iltaisin kahden viikon aikana",
        "sv": "vardagskvällar de närmaste två veckorna",
        "en": "weekday evenings next two weeks",
    }
    page = open_browser(lang=lang, width=width)
    page.goto(f"/{lang}/spaces?minutes=120&when={evenings[lang]}")
    expect(page.locator(".slots__day form button.slot").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    if is_wide(page):
        # The field shows the whole window.
        assert page.evaluate("(n => n.scrollWidth <= n.clientWidth)(document.querySelector('#d'))")
    assert axe_violations(page) == []
    page.locator(".slots__day form button.slot").first.click()
    page.wait_for_url(re.compile("/sign-in"))


@pytest.mark.parametrize(("lang", "width"), EVERYWHERE)
def test_by_map(open_browser: Callable[..., Page], lang: str, width: int) -> None:
    page = open_browser(lang=lang, width=width)
    open_map(page, lang)
    expect(page.locator(MARKS).first).to_be_visible()
    assert axe_violations(page) == []

    # A mark of many comes closer, and the map keeps the focus.
    marks = "document.querySelectorAll('.mapcol .pin--many')"
    before = page.evaluate(f"[...{marks}].map(one => one.textContent).join()")
    largest = page.evaluate(
        f"[...{marks}].map(one => parseInt(one.textContent)).reduce((best, n, at, all) => n > all[best] ? at : best, 0)"
    )
    page.locator(MARKS).nth(largest).dispatch_event("click")
    expect(page.locator(MAP)).to_be_focused()
    page.wait_for_function(
        f"before => [...{marks}].map(one => one.textContent).join() !== before", arg=before
    )

    # The list follows the map when it is told to.
    page.locator("[data-map-follow]").check()
    page.wait_for_url(re.compile("bbox="))
    first = page.url
    box = page.locator(MAP).bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] * 0.7, box["y"] + box["height"] * 0.8
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 120, y - 90, steps=5)
    page.mouse.up()
    page.wait_for_url(lambda url: "bbox=" in url and url != first)
    page.locator("[data-map-follow]").uncheck()
    page.wait_for_url(lambda url: "bbox=" not in url)


@pytest.mark.parametrize(("lang", "width"), EVERYWHERE)
def test_by_a_drawn_area(open_browser: Callable[..., Page], lang: str, width: int) -> None:
    page = open_browser(lang=lang, width=width)
    open_map(page, lang)
    everything = page.locator("h1").text_content()
    page.locator("[data-map-draw]").click()
    box = page.locator(MAP).bounding_box()
    assert box is not None
    said = page.locator("[data-map-drawing] [role=status]")
    for n, (right, down) in enumerate(((0.85, 0.35), (0.9, 0.9), (0.1, 0.9), (0.2, 0.5)), 1):
        page.mouse.click(box["x"] + box["width"] * right, box["y"] + box["height"] * down)
        if n == 2:
            page.locator("[data-draw=done]").click()
            expect(said).to_have_text(said.get_attribute("data-few") or "")
    expect(said).to_contain_text("4")
    assert axe_violations(page) == []
    page.locator("[data-draw=done]").click()
    page.wait_for_url(re.compile("area="))
    expect(page.locator(f"{MAP} path.area")).to_have_count(1)
    expect(page.locator("h1")).not_to_have_text(everything or "")
    # It can be shared, gone back from and taken off.
    page.reload()
    expect(page.locator(".tags a")).to_have_count(1)
    if is_wide(page):
        expect(page.locator(f"{MAP} path.area")).to_have_count(1)
    page.go_back()
    page.wait_for_url(lambda url: "area=" not in url)
    expect(page.locator("h1")).to_have_text(everything or "")
    page.go_forward()
    page.wait_for_url(re.compile("area="))
    expect(page.locator("h1")).not_to_have_text(everything or "")
    page.locator(".tags a").first.click()
    page.wait_for_url(lambda url: "area=" not in url)
    expect(page.locator("h1")).to_have_text(everything or "")


@pytest.mark.parametrize("lang", ["fi", "sv", "en"])
def test_an_area_that_crosses_itself_is_not_searched(open_browser: Callable[..., Page], lang: str) -> None:
    page = open_browser(lang=lang)
    open_map(page, lang)
    page.locator("[data-map-draw]").click()
    box = page.locator(MAP).bounding_box()
    assert box is not None
    for right, down in ((0.85, 0.4), (0.2, 0.9), (0.85, 0.9), (0.2, 0.5)):
        page.mouse.click(box["x"] + box["width"] * right, box["y"] + box["height"] * down)
    page.locator("[data-draw=done]").click()
    said = page.locator("[data-map-drawing] [role=status]")
    expect(said).to_have_text(said.get_attribute("data-crosses") or "")
    assert "area=" not in page.url
    page.keyboard.press("Escape")
    expect(page.locator("[data-map-drawing]")).to_be_hidden()
    expect(page.locator("[data-map-draw]")).to_be_focused()


@pytest.mark.parametrize(("lang", "width"), EVERYWHERE)
def test_by_keyboard(open_browser: Callable[..., Page], lang: str, width: int) -> None:
    page = open_browser(lang=lang, width=width)
    page.goto(f"/{lang}/")
    tab_to(page, "#q")
    page.keyboard.type(SENTENCES[lang])
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/spaces\?"))
    if is_wide(page):
        # The focus on a row marks its pin, and the focus on a pin its row.
        expect(page.locator(f"{MAP} .pin").first).to_be_visible()
        tab_to(page, ".row h2 a")
        expect(page.locator(f"{MAP} .pin--on")).to_have_count(1)
        expect(page.locator(f"{MAP} .pin--on i")).to_have_text("1")
        tab_to(page, f"{MAP} [role=link]:has(.pin i)")
        expect(page.locator(".row.is-on")).to_have_count(1)
        page.keyboard.press("Enter")
        expect(page.locator(".row h2 a:focus")).to_have_count(1)

    # A district is chosen among the filters; on a phone they have to be opened.
    page.goto(f"/{lang}/spaces")
    if not is_wide(page):
        tab_to(page, ".filters__box > summary")
        page.keyboard.press("Enter")
    tab_to(page, "input[name=district]")
    page.keyboard.press("Space")
    page.wait_for_url(re.compile("district="))
    expect(page.locator(".tags a")).to_have_count(1)

    # An area is drawn with the arrows and Enter.
    page.goto(f"/{lang}/spaces")
    tab_to(page, ".skip[href='#map-panel']")
    page.keyboard.press("Enter")
    expect(page.locator(f"{MAP} .pin").first).to_be_visible()
    tab_to(page, "[data-map-draw]")
    page.keyboard.press("Enter")
    expect(page.locator(MAP)).to_be_focused()
    said = page.locator("[data-map-drawing] [role=status]")
    for n, way in enumerate(("ArrowRight", "ArrowDown", "ArrowLeft"), 1):
        page.keyboard.press("Enter")
        expect(said).to_contain_text(str(n))
        page.keyboard.press(way)
        rests(page)
    page.keyboard.press("Enter")
    expect(said).to_contain_text("4")
    for _ in range(3):  # the buttons stand before the map
        page.keyboard.press("Shift+Tab")
    expect(page.locator("[data-draw=done]")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("area="))


@pytest.mark.parametrize("lang", ["fi", "sv", "en"])
def test_near_me_is_asked_only_when_pressed(open_browser: Callable[..., Page], lang: str) -> None:
    page = open_browser(lang=lang)
    page.goto(f"/{lang}/spaces")
    assert page.locator("[data-near-said]").text_content() == ""
    # Without permission there is a message, and nothing else happens.
    page.locator(".near").click()
    said = page.locator("[data-near-said]")
    expect(said).to_have_text(said.get_attribute("data-denied") or "")
    page.context.grant_permissions(["geolocation"])
    page.context.set_geolocation({"latitude": 60.18412, "longitude": 24.95309})
    page.locator(".near").click()
    page.wait_for_url(re.compile("where="))
    assert page.locator("#w").input_value().endswith("60.184, 24.953")
    expect(page.locator(".row__w").first).to_contain_text("m ")
    assert axe_violations(page) == []


def test_the_districts_and_the_rest_work_without_javascript(open_browser: Callable[..., Page]) -> None:
    page = open_browser(javascript=False)
    page.goto("/en/spaces?q=meeting+near+me")
    expect(page.locator(".near")).to_be_hidden()
    expect(page.locator("[data-map-draw]")).to_be_hidden()
    expect(page.locator("#ask-errors")).to_contain_text("street address or a district")
    page.locator(".filters__box > summary").click()
    page.locator("input[name=district]").first.check()
    page.locator(".filters__go button").click()
    page.wait_for_url(re.compile("district="))
    expect(page.locator(".tags a")).to_have_count(1)
