"""Money's stories, on a stand-in for Stripe that speaks real HTTP: a card, a card that is declined, a purchase left halfway,
a payment set aside until the owner approves, a cancellation that keeps a share, a supplier who gets paid, an association's
invoice and its credit note. What moves time moves it in the database; nothing waits for a clock."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import psycopg
import pytest
from playwright.sync_api import Page, expect

from marketplace.settings import ROOT
from tests.journeys.conftest import Product, axe_violations, eventually, rows, sign_in
from tests.stripe_standin import DECLINED, GOOD, StandIn

pytestmark = pytest.mark.journey

HELSINKI = ZoneInfo("Europe/Helsinki")
OWNER = "raha@example.org"
ASSOCIATION = "Koskelan asukasyhdistys ry"
IBAN = "FI21 1234 5600 0007 85"
amounts = count(2001)  # so that each story's money is told from another's

# Spaces by the hour that anybody books and nothing is asked for, of the city's services that no other journey looks after,
# and of a private company.
SPACES = """
    SELECT s.id, o.id, o.kind = 'company'
    FROM space s JOIN venue v ON v.id = s.venue_id JOIN organisation o ON o.id = v.owner_id
    WHERE s.state = 'published' AND NOT s.whole_days AND s.who = 'anyone' AND s.min_minutes <= 60
      AND s.max_minutes >= 60 AND s.terms_version IS NULL AND s.min_age IS NULL
      AND o.kind IN ('city_division', 'company') AND o.name NOT LIKE '%%nuorisopalvelut'
      AND NOT EXISTS (SELECT 1 FROM space_question q WHERE q.space_id = s.id)
      AND EXISTS (SELECT 1 FROM price p WHERE p.space_id = s.id AND p.per = 'hour' AND p.amount_minor > 0)
    ORDER BY s.id
"""
TIME = """
    SELECT hour.starts
    FROM space s CROSS JOIN generate_series(
        date_trunc('hour', now()) + interval '9 days', now() + interval '50 days', interval '1 hour') AS hour (starts)
    CROSS JOIN LATERAL tstzrange(hour.starts, hour.starts + interval '1 hour') AS wished (span)
    WHERE s.id = %s
      AND EXISTS (SELECT 1 FROM opening_month o WHERE o.space_id = s.id AND o.open @> wished.span)
      AND NOT EXISTS (SELECT 1 FROM claim c JOIN space_unit u ON u.unit_id = c.unit_id
                      WHERE u.space_id = s.id AND c.during && wished.span)
    ORDER BY hour.starts LIMIT 1
"""


@dataclass(frozen=True)
class Places:
    """Spaces of one city service, and one of a company; OWNER manages both owners."""

    product: Product
    city: tuple[int, ...]
    private: int
    company: int

    def priced(
        self, space_id: int, ways: str, *, approval: str = "instant", tiers: str = "[]", minor: int = 0
    ) -> datetime:
        """Let the space cost something in these ways; returns a free full hour of it."""
        with psycopg.connect(self.product.database_url) as connection:
            connection.execute("DELETE FROM price_variation WHERE space_id = %s", (space_id,))
            connection.execute(
                "UPDATE price SET per = 'hour', amount_minor = %s, minimum_minor = 0, ways = %s, cancel_tiers = %s"
                " WHERE space_id = %s",
                (minor or next(amounts), ways, tiers, space_id),
            )
            connection.execute("UPDATE space SET approval = %s WHERE id = %s", (approval, space_id))
            found = connection.execute(TIME, (space_id,)).fetchone()
        assert found is not None
        start: datetime = found[0].astimezone(HELSINKI)
        return start


@pytest.fixture(scope="module")
def places(product: Product) -> Iterator[Places]:
    """With a manager of their owners, who is nobody else's persona. The lists are as they were when it is over."""
    with psycopg.connect(product.database_url) as connection:
        found = connection.execute(SPACES).fetchall()
        owner = next(organisation for _, organisation, private in found if not private)
        company = next(organisation for _, organisation, private in found if private)
        city = tuple(space for space, organisation, _ in found if organisation == owner)
        private = next(space for space, organisation, _ in found if organisation == company)
        before = connection.execute(
            "SELECT s.id, s.approval, array_agg(p.ways ORDER BY p.valid_from) FROM space s JOIN price p ON p.space_id = s.id"
            " WHERE s.id = ANY(%s) GROUP BY 1, 2",
            ([*city, private],),
        ).fetchall()
        connection.execute(
            "INSERT INTO person (city_id, email, name, language, password_hash, email_verified_at)"
            " SELECT city_id, %s, 'Raija Halonen', language, password_hash, email_verified_at FROM person"
            " WHERE email = 'elina@example.org'",
            (OWNER,),
        )
        connection.execute(
            "INSERT INTO membership (city_id, organisation_id, person_id, role, accepted_at)"
            " SELECT p.city_id, o.id, p.id, 'manager', now() FROM person p, organisation o"
            " WHERE p.email = %s AND o.id = ANY(%s)",
            (OWNER, [owner, company]),
        )
        connection.execute(
            "UPDATE organisation SET business_id = '3402344-5' WHERE name = %s", (ASSOCIATION,)
        )
    yield Places(product, city, private, company)
    with psycopg.connect(product.database_url) as connection:
        for space, approval, ways in before:
            connection.execute("UPDATE space SET approval = %s WHERE id = %s", (approval, space))
            connection.execute(
                "UPDATE price SET ways = %s, cancel_tiers = '[]' WHERE space_id = %s", (ways[0], space)
            )


def clean(page: Page) -> None:
    page.wait_for_load_state("networkidle")
    assert axe_violations(page) == [], page.url
    wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wider <= 0, f"{page.url} is {wider} px too wide"


def money(minor: int, lang: str) -> str:
    """The figures of an amount as the language writes them."""
    whole, cents = divmod(minor, 100)
    return f"{whole}{'.' if lang == 'en' else ','}{cents:02d}" if cents else str(whole)


def shows(page: Page, minor: int, lang: str) -> None:
    expect(page.locator("main")).to_contain_text(money(minor, lang))


def checkout(space_id: int, start: datetime, lang: str) -> str:
    return f"/{lang}/spaces/{space_id}/booking?start={quote(start.isoformat())}&minutes=60"


def book(page: Page, space_id: int, start: datetime, lang: str) -> None:
    """Confirm by the checkout, as a person does."""
    page.goto(checkout(space_id, start, lang))
    clean(page)
    page.locator("form.co__form .co__go button.hds-button--primary").click()


def book_by_card(page: Page, space_id: int, start: datetime, lang: str) -> str:
    """To the page that says what is owed; returns the order's number."""
    book(page, space_id, start, lang)
    page.wait_for_url(re.compile(r"/orders/[^/]+/pay$"))
    clean(page)
    return page.url.split("/")[-2]


def to_the_service(page: Page, stripe: StandIn) -> None:
    page.locator("form[action$='/pay'] button").click()
    page.wait_for_url(f"{stripe.url}/c/pay/*")


def pay(page: Page, card: str) -> None:
    page.get_by_label("Card number").fill(card)
    page.get_by_role("button", name="Pay").click()


def one(product: Product, sql: str, *values: object) -> tuple[Any, ...]:
    with rows(product, sql, *values) as found:
        (row,) = found
    return row


def order(product: Product, number: str) -> dict[str, Any]:
    """What has become of an order, its booking, and its money."""
    names = ("state", "total", "vat", "refunded", "kept", "booking", "payment", "reference", "fee", "intent")
    row = one(
        product,
        "SELECT o.state, o.total_minor, o.vat_minor, o.refunded_minor, o.kept_minor, b.state, b.payment, b.reference,"
        " p.fee_minor, p.intent_external_id FROM booking_order o"
        " JOIN booking b ON b.id = (SELECT min(l.booking_id) FROM booking_order_line l WHERE l.order_id = o.id)"
        " LEFT JOIN payment p ON p.id = o.payment_id WHERE o.number = %s",
        number,
    )
    return dict(zip(names, row, strict=True))


def becomes(product: Product, number: str, **wanted: object) -> dict[str, Any]:
    eventually(lambda: wanted.items() <= order(product, number).items(), seconds=20)
    return order(product, number)


def mailed(product: Product, what: str, about: str) -> Callable[[], bool]:
    def found() -> bool:
        (sent,) = one(
            product,
            "SELECT count(*) FROM mail WHERE state = 'sent' AND template LIKE %s AND subject || body_text LIKE %s",
            f"%{what}",
            f"%{about}%",
        )
        return bool(sent)

    return found


def run_clock(product: Product) -> None:
    """What the worker's clock does each minute with orders, at once."""
    code = (
        "from wsgi import app; from marketplace.app import job_context; from bookings.checkout.jobs import sweep_orders\n"
        "with job_context(app): sweep_orders()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=product.environment,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("lang", "width"), [("fi", 360), ("sv", 1440), ("en", 360)])
def test_a_time_is_paid_by_card(
    open_browser: Callable[..., Page], places: Places, stripe: StandIn, lang: str, width: int
) -> None:
    space_id = places.city[0]
    start = places.priced(space_id, "{card}")
    page = open_browser(lang=lang, width=width)
    sign_in(page, "aino@example.org", lang)
    number = book_by_card(page, space_id, start, lang)
    owed = order(places.product, number)
    assert (owed["state"], owed["booking"]) == ("open", "awaiting_payment")
    shows(page, owed["total"], lang)
    expect(page.locator("[data-hold]")).to_be_visible()
    to_the_service(page, stripe)
    assert page.locator("body").get_attribute("data-locale") == lang
    expect(page.locator("[data-total]")).to_have_attribute("data-total", str(owed["total"]))
    pay(page, GOOD)
    page.wait_for_url(re.compile(r"/bookings/"))
    clean(page)
    paid = becomes(places.product, number, state="paid", booking="confirmed", payment="paid")
    expect(page.locator("main h1")).to_be_visible()
    page.locator(f"main a[href$='/orders/{number}']").first.click()
    page.wait_for_url(re.compile(rf"/orders/{number}$"))
    clean(page)
    for minor in (paid["total"], paid["vat"], paid["total"] - paid["vat"]):
        shows(page, minor, lang)
    page.goto(f"/{lang}/my/payments")
    clean(page)
    expect(page.locator(f"main a[href$='/orders/{number}']")).to_be_visible()
    eventually(mailed(places.product, "checkout/mail/paid", number), seconds=20)


def test_a_declined_card_is_tried_again(
    open_browser: Callable[..., Page], places: Places, stripe: StandIn
) -> None:
    space_id = places.city[0]
    start = places.priced(space_id, "{card}")
    page = open_browser(lang="sv", width=360)
    sign_in(page, "mikko@example.org", "sv")
    number = book_by_card(page, space_id, start, "sv")
    to_the_service(page, stripe)
    pay(page, DECLINED)
    expect(page.get_by_role("alert")).to_be_visible()
    # Back without having paid: told so, and the time is still held.
    page.get_by_role("link", name="Back").click()
    page.wait_for_url(re.compile(rf"/orders/{number}/(pay|back)"))
    expect(page.locator("main [role=alert]")).to_be_visible()
    clean(page)
    assert order(places.product, number)["booking"] == "awaiting_payment"
    to_the_service(page, stripe)
    pay(page, GOOD)
    page.wait_for_url(re.compile(r"/bookings/"))
    paid = becomes(places.product, number, state="paid", booking="confirmed")
    charges = [
        charge for charge in stripe.world.of_kind("charge") if charge["payment_intent"] == paid["intent"]
    ]
    assert [charge["amount"] for charge in charges if charge["paid"]] == [paid["total"]]


def test_a_time_left_unpaid_is_free_again(
    open_browser: Callable[..., Page], places: Places, stripe: StandIn
) -> None:
    space_id = places.city[0]
    start = places.priced(space_id, "{card}")
    page, other = open_browser(lang="fi", width=360), open_browser(lang="fi")
    sign_in(page, "aino@example.org", "fi")
    number = book_by_card(page, space_id, start, "fi")
    to_the_service(page, stripe)
    sign_in(other, "mikko@example.org", "fi")
    other.goto(checkout(space_id, start, "fi"))
    expect(other.locator("main [role=alert]")).to_be_visible()
    with psycopg.connect(places.product.database_url) as connection:
        connection.execute("UPDATE booking_order SET expires_at = now() WHERE number = %s", (number,))
    run_clock(places.product)
    becomes(places.product, number, state="expired", booking="expired")
    # The service is told, so that nobody pays for a time that is no longer theirs.
    eventually(lambda: stripe.world.of_kind("checkout.session")[0]["status"] == "expired", seconds=20)
    page.reload()
    page.get_by_role("link", name="Back").click()
    page.wait_for_url(re.compile(rf"/orders/{number}"))
    clean(page)
    assert page.locator("form[action$='/pay']").count() == 0
    page.goto(f"/fi/bookings/{order(places.product, number)['reference']}")
    clean(page)
    other.goto(checkout(space_id, start, "fi"))
    expect(other.locator("form.co__form")).to_be_visible()
    eventually(mailed(places.product, "checkout/mail/unpaid", number), seconds=20)


def test_a_request_is_paid_when_it_is_approved(
    open_browser: Callable[..., Page], places: Places, stripe: StandIn
) -> None:
    space_id = places.city[0]
    start = places.priced(space_id, "{card}", approval="handler")
    page, owner = open_browser(lang="en", width=360), open_browser(lang="en")
    sign_in(page, "aino@example.org", "en")
    number = book_by_card(page, space_id, start, "en")
    to_the_service(page, stripe)
    pay(page, GOOD)
    page.wait_for_url(re.compile(r"/bookings/"))
    clean(page)
    asked = becomes(places.product, number, state="authorised", booking="awaiting_approval")
    intent = stripe.world.get("payment_intent", asked["intent"])
    assert (intent["status"], intent["amount_received"]) == ("requires_capture", 0)
    sign_in(owner, OWNER, "en")
    owner.goto(f"/en/bookings/{asked['reference']}")
    clean(owner)
    owner.locator(f"form[action$='/{asked['reference']}/approval'] button").first.click()
    becomes(places.product, number, state="paid", booking="confirmed", payment="paid")
    assert stripe.world.get("payment_intent", asked["intent"])["amount_received"] == asked["total"]
    page.reload()
    clean(page)
    shows(page, asked["total"], "en")


def test_a_cancellation_keeps_a_share_and_gives_the_rest_back(
    open_browser: Callable[..., Page], places: Places, stripe: StandIn
) -> None:
    space_id = places.city[0]
    # Half from sixty days before on: whatever is free is nearer.
    tiers = '[{"hours": 1440, "kept_percent": 50}]'
    start = places.priced(space_id, "{card}", tiers=tiers, minor=4000)
    page = open_browser(lang="fi", width=360)
    sign_in(page, "aino@example.org", "fi")
    number = book_by_card(page, space_id, start, "fi")
    to_the_service(page, stripe)
    pay(page, GOOD)
    page.wait_for_url(re.compile(r"/bookings/"))
    paid = becomes(places.product, number, state="paid", booking="confirmed")
    kept = paid["total"] // 2
    page.locator("main a[href$='/cancellation']").click()
    page.wait_for_url(re.compile(r"/cancellation$"))
    clean(page)
    shows(page, kept, "fi")
    page.locator("form.co__form .acts button").first.click()
    page.wait_for_url(re.compile(rf"/bookings/{paid['reference']}"))
    back = becomes(places.product, number, booking="cancelled", payment="refunded", state="partly_refunded")
    assert (back["refunded"], back["kept"]) == (paid["total"] - kept, kept)
    refunds = [one for one in stripe.world.of_kind("refund") if one["payment_intent"] == paid["intent"]]
    assert [(one["amount"], one["status"]) for one in refunds] == [(paid["total"] - kept, "succeeded")]
    page.goto(f"/fi/bookings/{paid['reference']}")
    shows(page, kept, "fi")
    clean(page)
    page.goto(f"/fi/orders/{number}")
    shows(page, paid["total"] - kept, "fi")
    clean(page)
    eventually(mailed(places.product, "checkout/mail/refunded", number), seconds=20)


def test_a_supplier_gets_paid(open_browser: Callable[..., Page], places: Places, stripe: StandIn) -> None:
    start = places.priced(places.private, "{on_the_spot}", minor=5000)
    staff, owner, page = (open_browser(lang="sv", width=width) for width in (1440, 360, 360))
    sign_in(staff, "staff@example.org", "sv")
    staff.goto("/sv/desk/finance/terms")
    staff.locator("input[name=fee]").fill("10")
    staff.locator("main form button[type=submit], main form button.hds-button--primary").first.click()
    staff.wait_for_load_state()
    clean(staff)

    sign_in(owner, OWNER, "sv")
    account = f"/sv/desk/income/account?organisation={places.company}"
    owner.goto(account)
    clean(owner)
    owner.locator("main form button").click()
    owner.wait_for_load_state("networkidle")
    clean(owner)
    owner.locator("main a[href*='/account/service']").click()
    owner.wait_for_url(f"{stripe.url}/setup/**")
    owner.get_by_role("button", name="Submit", exact=True).click()
    owner.wait_for_url(re.compile(r"/desk/income/account\?"))
    clean(owner)
    state, external_id = one(
        places.product, "SELECT state, external_id FROM payee WHERE organisation_id = %s", places.company
    )
    assert state == "enabled"

    # Only now is a card of use; the price list offers it.
    owner.goto(f"/sv/desk/spaces/{places.private}/prices")
    clean(owner)
    owner.locator("label[for=ways-card]").click()
    owner.locator("label[for=ways-on_the_spot]").click()
    owner.locator("form#prices button.hds-button--primary").click()
    owner.wait_for_load_state("networkidle")
    clean(owner)

    sign_in(page, "mikko@example.org", "sv")
    number = book_by_card(page, places.private, start, "sv")
    to_the_service(page, stripe)
    pay(page, GOOD)
    page.wait_for_url(re.compile(r"/bookings/"))
    paid = becomes(places.product, number, state="paid", booking="confirmed")
    assert paid["fee"] == paid["total"] // 10
    charge = next(c for c in stripe.world.of_kind("charge") if c["payment_intent"] == paid["intent"])
    assert (charge["application_fee_amount"], charge["transfer_data"]["destination"]) == (
        paid["fee"],
        external_id,
    )
    stripe.world.pay_out(external_id)
    eventually(
        lambda: one(places.product, "SELECT count(*) FROM payout WHERE state = 'paid'")[0] == 1, seconds=20
    )
    owner.goto(f"/sv/desk/income?organisation={places.company}")
    clean(owner)
    for minor in (paid["total"], paid["fee"], paid["total"] - paid["fee"], paid["vat"]):
        shows(owner, minor, "sv")
    expect(owner.locator("section:has(#h-payouts) tbody tr")).to_have_count(1)


def test_an_association_is_invoiced_and_credited(open_browser: Callable[..., Page], places: Places) -> None:
    space_id = places.city[0]
    start = places.priced(space_id, "{invoice}", minor=6000)
    staff, page = open_browser(lang="en"), open_browser(lang="fi", width=360)
    sign_in(staff, "staff@example.org", "en")
    staff.goto("/en/desk/invoices/seller")
    for name, text in {
        "name": "Helsingin kaupunki",
        "business_id": "0201256-6",
        "street": "PL 1",
        "postcode": "00099",
        "locality": "Helsinki",
        "iban": IBAN,
        "bic": "NDEAFIHH",
        "payment_days": "14",
    }.items():
        staff.locator(f"main input[name={name}]").fill(text)
    staff.locator("main .form__go button").click()
    staff.wait_for_url(re.compile(r"/desk/invoices$"))
    clean(staff)

    sign_in(page, "aino@example.org", "fi")
    (organisation_id,) = one(places.product, "SELECT id FROM organisation WHERE name = %s", ASSOCIATION)
    page.goto(f"/fi/organisations/{organisation_id}/invoices/terms")
    clean(page)
    for name, text in {"street": "Suvilahdenkatu 4", "postcode": "00500", "locality": "Helsinki"}.items():
        page.locator(f"main input[name={name}]").fill(text)
    page.locator("main .form__go button").click()
    page.wait_for_url(re.compile(r"/invoices$"))
    clean(page)

    page.goto(checkout(space_id, start, "fi"))
    page.locator("#organisation label", has_text=ASSOCIATION).click()
    expect(page.locator(f"#organisation input[value='{organisation_id}']")).to_be_checked()
    expect(page.locator("#way input[value=invoice]")).to_be_checked()
    clean(page)
    page.locator("form.co__form .co__go button.hds-button--primary").click()
    page.wait_for_url(re.compile(r"/bookings/"))
    clean(page)
    reference = page.url.partition("?")[0].rpartition("/")[2]
    found = "SELECT i.id, i.number, i.gross_minor, i.reference FROM invoice i JOIN invoice_line l ON l.invoice_id = i.id"
    eventually(lambda: bool(count_of(places.product, organisation_id)), seconds=20)
    invoice_id, number, gross, viite = one(
        places.product, found + " WHERE i.organisation_id = %s AND i.kind = 'invoice'", organisation_id
    )
    page.goto(f"/fi/organisations/{organisation_id}/invoices")
    clean(page)
    page.locator(f"main a[href$='/invoices/{invoice_id}']").click()
    page.wait_for_url(re.compile(rf"/invoices/{invoice_id}$"))
    clean(page)
    shows(page, gross, "fi")
    assert viite in re.sub(r"\s", "", page.locator("main").inner_text())
    expect(page.locator("main")).to_contain_text(reference)
    for end, magic in (("invoice.pdf", b"%PDF-"), ("finvoice.xml", b"<?xml")):
        answer = page.request.get(f"/fi/invoices/{invoice_id}/{end}")
        assert (answer.status, answer.body()[: len(magic)]) == (200, magic)
        assert number in answer.headers["content-disposition"]
    eventually(mailed(places.product, "invoices/mail/issued", number), seconds=20)

    staff.goto(f"/en/desk/invoices?q={number}")
    clean(staff)
    staff.locator(f"main a[href$='/invoices/{invoice_id}']").click()
    staff.locator(f"main a[href$='/{invoice_id}/credit']").click()
    clean(staff)
    staff.locator("main .form__go button").click()  # without a reason nothing is credited
    staff.wait_for_selector("[aria-invalid=true]")
    clean(staff)
    staff.locator("main textarea[name=reason]").fill("The hall was closed")
    staff.locator("main .form__go button").click()
    staff.wait_for_url(re.compile(r"/invoices/\d+$"))
    clean(staff)
    note = one(
        places.product,
        "SELECT id, gross_minor FROM invoice WHERE credits_id = %s AND kind = 'credit_note'",
        invoice_id,
    )
    assert note[1] == -gross
    page.goto(f"/fi/invoices/{note[0]}")
    clean(page)
    expect(page.locator("main")).to_contain_text("The hall was closed")
    page.goto(f"/fi/invoices/{invoice_id}")
    clean(page)
    expect(page.locator(f"main a[href$='/invoices/{note[0]}']")).to_be_visible()


def count_of(product: Product, organisation_id: int) -> int:
    return int(one(product, "SELECT count(*) FROM invoice WHERE organisation_id = %s", organisation_id)[0])


def test_the_books_agree_with_the_service(
    open_browser: Callable[..., Page], places: Places, stripe: StandIn
) -> None:
    """After all of it: ledger, orders and gateway agree, every event was understood, and the city's view says so."""
    stripe.webhooks.flush()
    # What was told before our own rows knew of it is looked at again by the sweeper.
    places.product.command("payments", "sweep")
    eventually(
        lambda: one(places.product, "SELECT count(*) FROM gateway_event WHERE processed_at IS NULL")[0] == 0,
        seconds=20,
    )
    with rows(
        places.product, "SELECT kind, problem FROM gateway_event WHERE problem IS NOT NULL"
    ) as problems:
        assert problems == []
    places.product.command("payments", "verify")
    page = open_browser(lang="fi", width=360)
    sign_in(page, "staff@example.org", "fi")
    page.goto("/fi/desk/finance")
    clean(page)
    page.goto("/fi/desk/finance/terms")
    clean(page)
