"""A supplier's story, by the pages alone: sign up, found a company, describe a space, be approved by the city, price it,
open it, be booked, close for a holiday and over a booking, and see the calendar."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count
from typing import Any, cast

import pytest
from playwright.sync_api import Locator, Page, expect

from marketplace.clock import now
from tests.journeys.conftest import Product, axe_violations, eventually, rows, sign_in

pytestmark = pytest.mark.journey

NAMES = {"fi": "Laineen verstas", "sv": "Laines verkstad", "en": "Laine workshop"}
HOLIDAY = {"fi": "Talvitauko", "sv": "Vinterpaus", "en": "Winter break"}
REPAIR = {"fi": "Lattia vahataan", "sv": "Golvet vaxas", "en": "The floor is waxed"}
TEN_EUROS = {"fi": "10 €", "sv": "10 €", "en": "€10"}
FIFTEEN_EUROS = {"fi": "15 €", "sv": "15 €", "en": "€15"}
PASSWORD = "a long sentence of mine"
numbers = count(1)


@dataclass(frozen=True)
class Story:
    """Who tells it, in which language, and the days it is about: weekdays some weeks ahead."""

    product: Product
    lang: str
    email: str
    name: str
    booked_on: date
    holiday: date


@pytest.fixture
def story(product: Product, lang: str) -> Story:
    today = now().date()
    monday = today + timedelta(days=21 - today.weekday())
    tuesday, thursday = monday + timedelta(days=1), monday + timedelta(days=3)
    n = next(numbers)
    return Story(product, lang, f"supplier{n}.{lang}@example.org", f"{NAMES[lang]} {n}", tuesday, thursday)


def check_digit(digits: str) -> str | None:
    left = -sum(int(d) * w for d, w in zip(digits, (7, 9, 10, 5, 8, 4, 2), strict=True)) % 11
    return None if left == 10 else f"{digits}-{left}"


def business_id(start: int) -> str:
    """The first right one from `start` on."""
    return next(found for n in range(start, start + 20) if (found := check_digit(f"{n:07d}")))


def is_clean(page: Page) -> None:
    assert axe_violations(page) == [], page.url
    wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wider <= 0, f"{page.url} is {wider} px too wide"


def sent_mail(story: Story, what: str, *, to: str, about: str = "") -> str:
    """The text of the mail, once the worker has sent it."""
    found: list[str] = []

    def arrived() -> bool:
        with rows(
            story.product,
            "SELECT body_text FROM mail WHERE template LIKE %s AND to_address = %s AND body_text LIKE %s"
            " AND state = 'sent' ORDER BY id DESC",
            f"%mail/{what}",
            to,
            f"%{about}%",
        ) as sent:
            found.extend(text for (text,) in sent)
        return bool(found)

    eventually(arrived, seconds=25)
    return found[0]


def sign_up(page: Page, story: Story) -> None:
    """From the invitation to offer a space to a confirmed account, and back to it."""
    page.goto(f"/{story.lang}/offer")
    is_clean(page)
    page.locator(f"main a[href*='/{story.lang}/register']").click()
    page.wait_for_url(re.compile(r"/register"))
    is_clean(page)
    page.locator("input[name=name]").fill("Mirja Laine")
    page.locator("input[name=email]").fill(story.email)
    page.locator("input[name=password]").fill(PASSWORD)
    page.locator("main form button[type=submit]").first.click()
    expect(page.locator("main h1")).to_be_visible()
    is_clean(page)
    text = sent_mail(story, "verify", to=story.email)
    address = re.search(r"https?://\S+", text)
    assert address
    page.goto(re.sub(r"^https?://[^/]+", "", address[0]))
    is_clean(page)
    if page.locator("main form").count():
        page.locator("main form button[type=submit]").first.click()
    page.wait_for_url(re.compile(r"/offer$"))


def found_company(page: Page, story: Story) -> None:
    page.locator(f"main a[href='/{story.lang}/organisations/new']").first.click()
    page.wait_for_url(re.compile(r"/organisations/new"))
    is_clean(page)
    page.locator("select[name=kind]").select_option("company")
    page.locator("input[name=name]").fill(f"{story.name} Oy")
    page.locator("input[name=business_id]").fill(business_id(7654300 + 40 * next(numbers)))
    page.locator("main form button[type=submit]").first.click()
    page.wait_for_url(re.compile(r"/organisations/\d+$"))


def describe_space(page: Page, story: Story) -> int:
    """Fill the one form, wrongly first; returns the draft's id."""
    page.goto(f"/{story.lang}/offer")
    page.locator(".supply__next li", has_text=story.name).locator("a").click()
    page.locator("main form button[type=submit]").first.click()
    expect(page.locator("[data-focus-first]")).to_be_focused()
    is_clean(page)
    lang = story.lang
    page.locator(f"input[name=venue_names_{lang}]").fill(f"{story.name}, talo")
    page.locator("input[name=streets_fi]").fill("Vaasankatu 5")
    page.locator("input[name=lat]").fill("60.187")
    page.locator("input[name=lon]").fill("24.958")
    page.locator(f"input[name=names_{lang}]").fill(story.name)
    page.locator("input[name=capacity]").fill("15")
    page.locator("label", has=page.locator("xpath=self::*[@for='purposes-0']")).click()
    page.locator("main form button[type=submit]").first.click()
    page.wait_for_url(re.compile(r"/desk/spaces/\d+$"))
    is_clean(page)
    return int(page.url.rpartition("/")[2])


def submit_and_be_approved(
    page: Page, story: Story, space_id: int, open_browser: Callable[..., Page]
) -> None:
    page.locator("form[action$='/state']:has(input[value=submitted]) button").click()
    with rows(story.product, "SELECT state FROM space WHERE id = %s", space_id) as found:
        assert found == [("submitted",)]
    staff = open_browser(lang=story.lang)
    sign_in(staff, "staff@example.org", story.lang)
    staff.goto(f"/{story.lang}/desk/approvals")
    is_clean(staff)
    staff.locator("li.prop", has_text=story.name).locator("form[action$='/approval'] button").click()
    expect(staff.locator("li.prop", has_text=story.name)).to_have_count(0)
    assert f"/desk/spaces/{space_id}" in sent_mail(story, "approved", to=story.email)


def open_page(page: Page, story: Story, space_id: int, what: str) -> None:
    """By the links beside the listing, as a person goes."""
    path = f"/{story.lang}/desk/spaces/{space_id}/{what}"
    page.locator(f"main nav a[href='{path}']").click()
    page.wait_for_url(re.compile(rf"{path}$"))
    is_clean(page)


def price_it(page: Page, story: Story, space_id: int) -> None:
    """15 € an hour, and 10 € on weekday mornings."""
    open_page(page, story, space_id, "prices")
    page.locator("select[name=per]").select_option("hour")
    page.locator("input[name=amount]").fill("15")
    page.locator("input[name=row-1-amount]").fill("10")
    page.locator("select[name=row-1-start]").select_option(str(8 * 60))
    page.locator("select[name=row-1-end]").select_option(str(12 * 60))
    for day in (6, 7):  # a new row holds every day
        page.locator(f"label[for=row-1-day-{day}]").click()
    # Each change brings the examples anew, and moves no focus.
    expect(page.locator("#examples table")).to_contain_text(TEN_EUROS[story.lang])
    page.locator("form#prices button.hds-button--primary").click()
    page.wait_for_load_state()
    is_clean(page)
    expect(page.locator("main")).to_contain_text(TEN_EUROS[story.lang])


def open_it(page: Page, story: Story, space_id: int) -> None:
    """Every day from 8 to 22: looked at first, then saved."""
    open_page(page, story, space_id, "hours")
    first = page.locator("fieldset.hours__row").first
    for n in range(7):
        first.locator(".hours__days label").nth(n).click()
    first.locator("input[name$=opens]").fill("08:00")
    first.locator("input[name$=closes]").fill("22:00")
    page.locator("button[name=preview]").click()
    expect(page.locator("#preview")).to_be_visible()
    expect(page.locator(".hours__changed").first).to_contain_text("8")
    is_clean(page)
    page.locator("#hours button[name=save]").first.click()
    expect(page.locator(".hours__changed")).to_have_count(0)
    is_clean(page)


def close_for_a_holiday(page: Page, story: Story, space_id: int) -> None:
    """A dated exception with a reason that everyone reads."""
    field = page.locator("input[name^=exceptions-][name$=first_day]").first
    row = page.locator("fieldset.hours__row", has=field)
    row.locator("input[name$=first_day]").fill(story.holiday.isoformat())
    row.locator("input[name$=last_day]").fill(story.holiday.isoformat())
    row.locator(f"input[name$=reason_{story.lang}]").fill(HOLIDAY[story.lang])
    page.locator("#hours button[name=save]").first.click()
    expect(page.locator(f"input[value='{HOLIDAY[story.lang]}']")).to_have_count(1)
    is_clean(page)
    page.goto(f"/{story.lang}/spaces/{space_id}?day={story.holiday}")
    expect(page.locator("main")).to_contain_text(HOLIDAY[story.lang])
    is_clean(page)


def book(booker: Page, story: Story, space_id: int, hour: int, price: str) -> str:
    """By a start time on the space's page; returns the reference."""
    booker.goto(f"/{story.lang}/spaces/{space_id}?day={story.booked_on}&minutes=60")
    slot = booker.locator(f"a.slot[href*='{story.booked_on}T{hour:02}'], form.slot").first
    slot.click()
    booker.wait_for_load_state()
    if "/booking" not in booker.url:  # chosen on the page first
        booker.locator("main a[href*='/booking?']").last.click()
        booker.wait_for_url(re.compile(r"/booking\?"))
    expect(booker.locator("main")).to_contain_text(price)
    is_clean(booker)
    booker.locator("form.co__form .co__go button.hds-button--primary").click()
    booker.wait_for_url(re.compile(r"/bookings/"))
    expect(booker.locator("main")).to_contain_text(story.name)
    return booker.url.rpartition("/")[2].partition("?")[0]


def close_over_bookings(page: Page, story: Story, space_id: int, *, keep: str, cancel: str) -> None:
    """The floor is waxed from 8 to 18: one of two bookings may stay, the other has to go."""
    page.goto(f"/{story.lang}/desk/spaces/{space_id}/hours")
    form = page.locator("form[action$='/closures']")
    form.locator("input[name=first_day]").fill(story.booked_on.isoformat())
    form.locator("input[name=last_day]").fill(story.booked_on.isoformat())
    form.locator("input[name=opens]").fill("08:00")
    form.locator("input[name=closes]").fill("18:00")
    form.locator(f"input[name=reason_{story.lang}]").fill(REPAIR[story.lang])
    form.locator("button[type=submit]").click()
    way = page.locator("#in-the-way")
    expect(way).to_contain_text("Aino")
    is_clean(page)
    for reference, choice in ((keep, "keep"), (cancel, "cancel")):
        one = way.locator("fieldset", has_text=reference)
        expect(one.locator("input:checked")).to_have_count(0)  # nothing is decided for the owner
        label_of(one, f"input[value={choice}]").click()
    page.locator("form[action$='/closures'] button[type=submit]").click()
    expect(page.locator("#in-the-way")).to_have_count(0)
    is_clean(page)
    with rows(
        story.product,
        "SELECT reference, state FROM booking WHERE reference IN (%s, %s) ORDER BY state",
        keep,
        cancel,
    ) as found:
        assert found == [(cancel, "cancelled"), (keep, "confirmed")]
    assert REPAIR[story.lang] in sent_mail(story, "displaced", to="aino@example.org", about=cancel)


def label_of(inside: Locator, field: str) -> Locator:
    name = inside.locator(field).get_attribute("id")
    return inside.locator(f"label[for='{name}']")


def see_the_calendar(story: Story, space_id: int, page: Page, narrow: Page) -> None:
    """The day and the week as drawings on a wide screen, as day lines on a phone; and the paper for the door."""
    page.goto(f"/{story.lang}/desk/timeline?day={story.booked_on}")
    drawn = page.locator(".tl")
    expect(drawn.locator(".o-booking")).to_have_count(1)
    expect(drawn.locator(".o-closure").first).to_contain_text(REPAIR[story.lang])
    expect(page.locator("#twin")).to_contain_text("Aino")
    is_clean(page)
    page.locator(".deskbar a", has_text=re.compile("Viikko|Vecka|Week")).click()
    page.wait_for_url(re.compile(r"view=week"))
    expect(page.locator(".tl .o-booking")).to_have_count(1)
    expect(page.locator("#twin")).to_contain_text(HOLIDAY[story.lang])
    is_clean(page)

    narrow.goto(f"/{story.lang}/desk/timeline?day={story.booked_on}")
    expect(narrow.locator(".tl")).to_be_hidden()
    expect(narrow.locator("#twin .dayline").first).to_be_visible()
    expect(narrow.locator("#twin")).to_contain_text("Aino")
    is_clean(narrow)

    page.locator("#twin a[href*='/week.html']").first.click()
    page.wait_for_url(re.compile(rf"/desk/spaces/{space_id}/week\.html"))
    door = page.locator(".doorweek__t")
    expect(door).to_contain_text(REPAIR[story.lang])
    expect(door).to_contain_text(HOLIDAY[story.lang])
    expect(door).not_to_contain_text("Aino")
    is_clean(page)


@pytest.mark.parametrize(("lang", "width"), [("fi", 1440), ("sv", 360), ("en", 1440)])
def test_a_suppliers_whole_story(open_browser: Callable[..., Page], story: Story, width: int) -> None:
    page = open_browser(lang=story.lang, width=width)
    sign_up(page, story)
    found_company(page, story)
    space_id = describe_space(page, story)
    submit_and_be_approved(page, story, space_id, open_browser)
    page.goto(f"/{story.lang}/desk/spaces/{space_id}")
    price_it(page, story, space_id)
    open_it(page, story, space_id)
    close_for_a_holiday(page, story, space_id)

    booker = open_browser(lang=story.lang)
    sign_in(booker, "aino@example.org", story.lang)
    booker.goto(f"/{story.lang}/spaces?q={story.name}&when={story.booked_on}")
    expect(booker.locator("li.row", has_text=story.name).first).to_be_visible()
    morning = book(booker, story, space_id, 9, TEN_EUROS[story.lang])
    afternoon = book(booker, story, space_id, 14, FIFTEEN_EUROS[story.lang])
    close_over_bookings(page, story, space_id, keep=afternoon, cancel=morning)

    wide, narrow = (page, open_browser(lang=story.lang, width=360)) if width == 1440 else (None, page)
    if wide is None:
        wide = open_browser(lang=story.lang)
    for other in {wide, narrow} - {page}:
        other.context.add_cookies(cast("Any", page.context.cookies()))  # the same person at another screen
    see_the_calendar(story, space_id, wide, narrow)

    page.goto(f"/{story.lang}/desk/spaces/{space_id}/history")
    is_clean(page)
    page.goto(f"/{story.lang}/desk")
    expect(page.locator("main")).to_contain_text(story.name)
    is_clean(page)
