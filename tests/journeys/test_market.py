"""A market manager's story: make a square, put 60 stalls on it in one step, price classes, a season of Saturdays, the list;
then a seller books a stall on the plan, and the next one finds it taken."""

import re
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from playwright.sync_api import Page, expect

from marketplace.clock import now
from tests.journeys.conftest import Product, axe_violations, rows, sign_in

pytestmark = pytest.mark.journey

NAMES = {"fi": "Kevättori", "sv": "Vårtorget", "en": "Spring market"}
# Three squares beside each other, one for each language.
MIDDLES = {"fi": ("60.2105", "24.9700"), "sv": ("60.2125", "24.9700"), "en": ("60.2145", "24.9700")}


def send(page: Page, form: str) -> None:
    """Press the form's first button and wait for the answer's page."""
    with page.expect_navigation():
        page.locator(f"form[action$='{form}'] button[type=submit]").first.click()
    page.wait_for_load_state("networkidle")


def check(page: Page) -> None:
    assert axe_violations(page) == []
    wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wider <= 0, f"{page.url} is {wider} px too wide"


def make_square(page: Page, lang: str) -> int:
    """From the desk to an outlined square; returns the place's id."""
    page.goto(f"/{lang}/desk")
    page.locator(f"main a[href='/{lang}/desk/markets']").click()
    check(page)
    page.locator("main a[href*='/desk/markets/new']").first.click()
    page.wait_for_load_state("networkidle")
    check(page)
    page.locator(f"input[name=new-venue_names_{lang}]").fill(NAMES[lang])
    page.locator("input[name=new-streets_fi]").fill("Käpylänkuja 1")
    lat, lon = MIDDLES[lang]
    page.locator("input[name=new-lat]").fill(lat)
    page.locator("input[name=new-lon]").fill(lon)
    page.locator("input[name=new-square_width]").fill("70")
    page.locator("input[name=new-square_length]").fill("50")
    page.locator("input[name=new-square_angle]").fill("20")
    page.locator("main form button[type=submit]").first.click()
    page.wait_for_url(re.compile(r"/desk/venues/\d+/market$"))
    page.wait_for_load_state("networkidle")
    check(page)
    return int(page.url.split("/")[-2])


def add_class(page: Page, lang: str, letter: str, name: str, amount: str) -> None:
    form = page.locator("form[action$='/market/classes']")
    if not form.is_visible():
        page.locator("#classes > details > summary").click()
    page.locator("select[name=new-class-code]").select_option(letter)
    page.locator(f"input[name=new-class-class_names_{lang}]").fill(name)
    page.locator("input[name=new-class-amount]").fill(amount)
    send(page, "/market/classes")
    expect(page.locator("#classes summary", has_text=name)).to_be_visible()


def put_sixty_stalls(page: Page) -> None:
    """Too wide first, then as it fits; the preview says both before anything is saved."""
    for name, value in {
        "rows": "6", "columns": "10", "width_m": "3", "depth_m": "3", "gap_m": "5", "aisle_m": "4",
        "number_prefix": "A",
    }.items():  # fmt: skip
        page.locator(f"input[name=grid-{name}]").fill(value)
    page.locator("label[for=grid-by_row]").click()
    page.locator("label[for=grid-electricity]").click()
    told = page.locator("[data-grid-text]")
    expect(told.locator("li")).to_have_count(1)
    expect(told).to_contain_text("A10")
    page.locator("input[name=grid-gap_m]").fill("1")
    expect(told.locator("li")).to_have_count(0)
    expect(told).to_contain_text("60")
    expect(told).to_contain_text("A1–F10")
    check(page)
    send(page, "/market/stalls")
    expect(page.locator("#stalls a.st__f")).to_have_count(60)


def move_rows_to_class(page: Page, letter: str) -> None:
    """The last three rows get the other class, all at once."""
    boxes = page.locator("input[name=stall]")
    for n in range(30, 60):
        boxes.nth(n).check()
    select = page.locator("select[name=many-class_id]")
    value = select.locator("option", has_text=re.compile(rf"^{letter},")).get_attribute("value")
    select.select_option(value)
    with page.expect_navigation():
        page.locator("form[action$='/stalls/changes'] button[value=change]").click()
    page.wait_for_load_state("networkidle")


def saturdays() -> tuple[date, date]:
    """The first Saturday a week from now, and the last of ten."""
    day = now().date() + timedelta(days=8)
    first = day + timedelta(days=(5 - day.weekday()) % 7)
    return first, first + timedelta(weeks=9)


def set_season(page: Page) -> None:
    first, last = saturdays()
    page.locator("input[name=season-first_day]").fill(first.isoformat())
    page.locator("input[name=season-last_day]").fill(last.isoformat())
    page.locator("label[for=season-days-5]").click()
    page.locator("input[name=season-opens]").fill("08:00")
    page.locator("input[name=season-closes]").fill("16:00")
    send(page, "/market/season")
    expect(page.locator("#season dl")).to_contain_text("A1–A10")


@pytest.mark.parametrize(("lang", "width"), [("fi", 1440), ("sv", 360), ("en", 1440)])
def test_a_market_from_an_empty_square_to_a_booked_stall(
    open_browser: Callable[..., Page], product: Product, lang: str, width: int
) -> None:
    page = open_browser(lang=lang, width=width)
    sign_in(page, "elina@example.org", lang)
    venue_id = make_square(page, lang)
    add_class(page, lang, "X", "edge", "38")
    add_class(page, lang, "Y", "middle", "24,50")
    page.locator("select[name=grid-class_id]").select_option(index=1)
    put_sixty_stalls(page)
    move_rows_to_class(page, "Y")
    set_season(page)
    check(page)
    send(page, "/market/publication")
    with rows(
        product,
        "SELECT s.state, p.amount_minor, count(*) FROM stall t JOIN space s ON s.id = t.space_id"
        " JOIN price p ON p.space_id = s.id JOIN opening_rule o ON o.space_id = s.id AND o.days = '{6}'"
        " WHERE t.venue_id = %s GROUP BY 1, 2 ORDER BY 2",
        venue_id,
    ) as found:
        assert found == [("published", 2450, 30), ("published", 3800, 30)]
    page.locator("#stalls a.st__f").first.click()
    page.wait_for_load_state("networkidle")
    check(page)

    seller = open_browser(lang=lang, width=width)
    sign_in(seller, "mikko@example.org", lang)
    seller.goto(f"/{lang}/markets/{venue_id}")
    check(seller)
    first, _ = saturdays()
    expect(seller.locator("#stalls input[name=day]")).to_have_value(first.isoformat())
    radios = seller.locator("#stalls input[name=stall]")
    expect(radios).to_have_count(60)
    # By keyboard, as a radio group: the arrow goes to the next stall.
    radios.nth(0).focus()
    seller.keyboard.press("Space")
    expect(seller.locator("#price")).to_contain_text("A1")
    seller.keyboard.press("ArrowRight")
    expect(seller.locator("#price")).to_contain_text("A2")
    expect(seller.locator("#price")).to_contain_text("38")
    check(seller)
    seller.locator("#price a.hds-button").click()
    seller.wait_for_url(re.compile(r"/booking\?"))
    seller.locator("form.co__form .co__go button.hds-button--primary").click()
    seller.wait_for_url(re.compile(r"/bookings/"))
    expect(seller.locator("main")).to_contain_text("A2")

    following = open_browser(lang=lang, width=width, javascript=False)
    following.goto(f"/{lang}/markets/{venue_id}")
    expect(following.locator(".st--taken")).to_have_count(1)
    expect(following.locator(".st--taken input")).to_be_disabled()
    expect(following.locator(".st--taken label")).to_contain_text("A2")
    following.locator("details.aslist summary").click()
    expect(following.locator("details.aslist li")).to_have_count(59)
    following.get_by_label(re.compile(r"^A3\b")).first.check()
    following.locator("#stalls button[type=submit]").click()
    following.wait_for_url(re.compile(r"stall=\d+"))
    expect(following.locator("#price")).to_contain_text("A3")
    assert "/booking?" in (following.locator("#price a.hds-button").get_attribute("href") or "")
