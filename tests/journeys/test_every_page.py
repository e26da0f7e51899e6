"""Every page, in three languages and at narrow and wide screens: no axe violation, no sideways scrolling, no console
error (the browser fixture watches for those)."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.journeys.conftest import Product, axe_violations, rows, sign_in

pytestmark = pytest.mark.journey

# Paths of each kind of reader; tests/architecture/test_walks.py sees to it that no page is missing. What stands in
# braces is found in the demo city by `things`.
PUBLIC = (
    "",
    "spaces",
    "spaces?q=kokous&people=20",
    "spaces?q=xyzzy",
    "spaces?when=gibberish&where=nowhere&people=many",
    "spaces/{space}",
    "spaces/{day_space}",
    "sign-in",
    "sign-in-link",
    "register",
    "check-mail/verify",
    "check-mail/sign_in",
    "check-mail/reset",
    "mail-link?token=no-such-token",
    "forgotten-password",
    "mailbox",
    "offer",
    "data-rules",
    "problems/slot-taken",
    "no-such-page",
)
PERSONAL = (
    "my/bookings",
    "my/bookings?show=past",
    "my/bookings?space=xyzzy&first=2026-12-02&last=2026-12-01",
    "bookings/{booking}",
    "bookings/{booking}/cancellation",
    "bookings/{booking}/change",
    "bookings/{booking}/people",
    "my/calendars",
    "my/payments",
    "my/payments?state=refunded&first=nonsense",
    "my/searches",
    "my/searches/new?people=20&where=Kallio",
    "profile",
    "profile/address",
    "profile/password",
    "profile/number",
    "organisations",
    "organisations/new",
    "organisations/{organisation}",
    "offer",
)
DESK = (
    "desk",
    "desk?q=xyzzy",
    "desk/spaces/new",
    "desk/spaces/new?venue={venue}",
    "desk/timeline",
    "desk/requests",
    "desk/requests?who=xyzzy&first=nonsense",
    "desk/today",
    "desk/timeline?view=week",
    "desk/timeline?venue={venue}",
    "desk/income",
    "desk/income?organisation={owner}&year=1",
    "desk/income/account?organisation={owner}",
    "desk/bookings/{hosted}/time",
    "bookings/{hosted}",
    "desk/spaces/{own_space}",
    "desk/spaces/{own_space}/hours",
    "desk/spaces/{own_space}/prices",
    "desk/spaces/{own_space}/rules",
    "desk/spaces/{own_space}/photos",
    "desk/spaces/{own_space}/history",
    "desk/spaces/{own_space}/booking",
    "desk/spaces/{own_space}/attendance",
    "desk/spaces/{own_space}/poster",
    "desk/spaces/{own_space}/door",
    "desk/spaces/{own_space}/calendars",
    "desk/spaces/{own_space}/week.html",
    "desk/venues/{venue}",
    "desk/venues/{venue}/accessibility",
    "desk/venues/{venue}/equipment",
    "desk/markets",
    "desk/markets/new",
    "organisations/{owner}",
    "organisations/{owner}/invitations",
    "organisations/{owner}/invoices",
    "organisations/{owner}/invoices/terms",
)
STAFF = (
    "desk/approvals",
    "desk/customer-groups",
    "desk/invoices",
    "desk/invoices?q=xyzzy&state=nonsense",
    "desk/invoices/seller",
    "desk/invoices/cost-objects",
    "counter/identities",
    "desk/finance",
    "desk/finance?show=events&month=nonsense",
    "desk/finance/terms",
    "desk/spaces/{own_space}",
)
# Pages that are walked by a story of their own, which brings about what they show.
WALKED_ELSEWHERE = {
    "invoices.one": "tests/bookings/invoices/test_pages.py issues an invoice first",
    "invoices.credit": "tests/bookings/invoices/test_pages.py issues an invoice first",
    "checkout.pay": "tests/bookings/checkout/test_checkout_pages.py orders first",
    "checkout.receipt": "tests/bookings/checkout/test_checkout_pages.py pays first",
    "lifecycle.new": "tests/journeys/test_supplier.py and test_find_and_book.py book through it",
    "attendance.arrive": "tests/journeys/test_at_the_door.py comes by it",
    "attendance.scan": "tests/journeys/test_at_the_door.py comes by it",
    "series.new": "tests/journeys/test_series.py makes a series first",
    "series.show": "tests/journeys/test_series.py makes a series first",
    "series.change": "tests/journeys/test_series.py makes a series first",
    "series.cancel": "tests/journeys/test_series.py makes a series first",
    "offered.pressed": "tests/journeys/test_offered.py presses first",
    "waiting.join": "tests/journeys/test_change_and_wait.py wants what is taken",
    "waiting.entry": "tests/journeys/test_change_and_wait.py wants what is taken",
    "saved_stop.stop": "tests/journeys/test_saved_search.py comes by it from a mail",
    "market.desk": "the market manager's story draws a square first",
    "market.stall": "the market manager's story draws a square first",
    "market.plan": "the market manager's story draws a square first",
    "identity.number_code": "tests/journeys/test_text_messages.py asks for a code first",
    "test_bank.page": "outside production only; who pays comes by it, tests/marketplace/payments looks at it",
    "test_bank.confirmation": "outside production only; who pays comes by it, tests/marketplace/payments looks at it",
    "test_bank.account": "outside production only; a supplier comes by it, tests/marketplace/payments looks at it",
    "mailbox.message": "development only; tests/marketplace/notifications looks at it",
}

THINGS = """
    SELECT
        (SELECT min(id) FROM space WHERE NOT whole_days) AS space,
        (SELECT coalesce(min(id) FILTER (WHERE whole_days), min(id)) FROM space) AS day_space,
        (SELECT b.reference FROM booking b JOIN person p ON p.id = b.person_id WHERE p.email = 'aino@example.org'
            AND b.state = 'confirmed' AND lower(b.during) > now() ORDER BY lower(b.during) LIMIT 1) AS booking,
        (SELECT m.organisation_id FROM membership m JOIN person p ON p.id = m.person_id
            WHERE p.email = 'aino@example.org' ORDER BY 1 LIMIT 1) AS organisation,
        own.space_id AS own_space,
        own.venue_id AS venue,
        own.owner_id AS owner,
        (SELECT b.reference FROM booking b JOIN space s ON s.id = b.space_id JOIN venue v ON v.id = s.venue_id
            WHERE v.owner_id = own.owner_id AND b.state = 'confirmed' AND lower(b.during) > now()
            ORDER BY lower(b.during) LIMIT 1) AS hosted
    FROM (
        SELECT s.id AS space_id, s.venue_id, v.owner_id
        FROM space s JOIN venue v ON v.id = s.venue_id JOIN membership m ON m.organisation_id = v.owner_id
            JOIN person p ON p.id = m.person_id
        WHERE p.email = 'elina@example.org' AND s.state = 'published' ORDER BY s.id LIMIT 1
    ) AS own
"""


@pytest.fixture
def things(product: Product) -> dict[str, object]:
    """What the paths are about."""
    with rows(product, THINGS) as found:
        (values,) = found
    names = ("space", "day_space", "booking", "organisation", "own_space", "venue", "owner", "hosted")
    assert None not in values, dict(zip(names, values, strict=True))
    return dict(zip(names, values, strict=True))


def check(page: Page, path: str, *, status: int | None = None) -> None:
    """With a status the page must be the one that was meant, and no refusal of it."""
    answer = page.goto(path)
    assert answer is not None
    assert status in {None, answer.status}, f"{path} answers {answer.status}"
    page.wait_for_load_state("networkidle")
    assert axe_violations(page) == [], path
    wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wider <= 0, f"{path} is {wider} px too wide"


@pytest.mark.parametrize("width", [320, 360, 1440])
@pytest.mark.parametrize("lang", ["fi", "sv", "en"])
def test_public_pages_are_clean(
    open_browser: Callable[..., Page], things: dict[str, object], lang: str, width: int
) -> None:
    page = open_browser(lang=lang, width=width)
    for path in PUBLIC:
        check(page, f"/{lang}/" + path.format(**things))


@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("lang", ["fi", "sv", "en"])
@pytest.mark.parametrize(
    ("email", "paths"),
    [("aino@example.org", PERSONAL), ("elina@example.org", DESK), ("staff@example.org", STAFF)],
    ids=["personal", "desk", "staff"],
)
def test_pages_for_people_are_clean(
    open_browser: Callable[..., Page],
    things: dict[str, object],
    email: str,
    paths: tuple[str, ...],
    lang: str,
    width: int,
) -> None:
    page = open_browser(lang=lang, width=width)
    sign_in(page, email, lang)
    for path in paths:
        check(page, f"/{lang}/" + path.format(**things), status=200)
