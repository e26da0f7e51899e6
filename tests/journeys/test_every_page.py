"""Every page, in three languages and at narrow and wide screens: no axe violation, no sideways scrolling, no console
error (the browser fixture watches for those)."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.journeys.conftest import Product, axe_violations, rows, sign_in

pytestmark = pytest.mark.journey

PUBLIC = (
    "",
    "spaces",
    "spaces?q=kokous&people=20",
    "spaces?q=xyzzy",
    "spaces?when=gibberish&where=nowhere&people=many",
    "spaces/{space}",
    "spaces/{day_space}",
    "sign-in",
    "register",
    "forgotten-password",
    "mailbox",
    "problems/slot-taken",
    "no-such-page",
)
PERSONAL = ("my/bookings", "profile", "organisations", "organisations/new")


DESK = (
    "offer",
    "desk",
    "desk/spaces/new",
    "desk/timeline",
    "desk/timeline?view=week",
    "desk/spaces/{space}",
    "desk/spaces/{space}/hours",
    "desk/spaces/{space}/prices",
    "desk/spaces/{space}/history",
    "desk/venues/{venue}",
)


def check(page: Page, path: str) -> None:
    page.goto(path)
    page.wait_for_load_state("networkidle")
    assert axe_violations(page) == [], path
    wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wider <= 0, f"{path} is {wider} px too wide"


@pytest.mark.parametrize("width", [320, 360, 1440])
@pytest.mark.parametrize("lang", ["fi", "sv", "en"])
def test_public_pages_are_clean(
    open_browser: Callable[..., Page], product: Product, lang: str, width: int
) -> None:
    page = open_browser(lang=lang, width=width)
    with rows(
        product, "SELECT min(id) FILTER (WHERE NOT whole_days), min(id) FILTER (WHERE whole_days) FROM space"
    ) as found:
        space, day_space = found[0]
    for path in PUBLIC:
        check(page, f"/{lang}/" + path.format(space=space, day_space=day_space or space))


@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("lang", ["fi", "sv", "en"])
def test_personal_pages_are_clean(open_browser: Callable[..., Page], lang: str, width: int) -> None:
    page = open_browser(lang=lang, width=width)
    sign_in(page, "aino@example.org", lang)
    for path in PERSONAL:
        check(page, f"/{lang}/{path}")


@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("lang", ["fi", "sv", "en"])
def test_the_desk_is_clean(
    open_browser: Callable[..., Page], product: Product, lang: str, width: int
) -> None:
    page = open_browser(lang=lang, width=width)
    sign_in(page, "elina@example.org", lang)
    with rows(
        product,
        "SELECT s.id, s.venue_id FROM space s JOIN venue v ON v.id = s.venue_id JOIN membership m"
        " ON m.organisation_id = v.owner_id JOIN person p ON p.id = m.person_id"
        " WHERE p.email = 'elina@example.org' AND s.state = 'published' ORDER BY s.id LIMIT 1",
    ) as found:
        space, venue = found[0]
    for path in DESK:
        check(page, f"/{lang}/" + path.format(space=space, venue=venue))
