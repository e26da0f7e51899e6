"""The pages: who may see and do what, bad input, three languages."""

import re
from datetime import date

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from bookings.invoices.models import CostObject, Invoice, InvoicePayment, InvoiceSeller, InvoiceTerms
from marketplace.accounts.models import AuditEntry, Person
from spaces.catalog.models import Venue
from tests.bookings.invoices.conftest import Scene
from tests.factories.cities import make_city
from tests.factories.invoices import make_seller
from tests.factories.people import join, make_organisation, make_person, sign_in

TERMS = {
    "street": "Suvilahdenkatu 4",
    "postcode": "00500",
    "locality": "Helsinki",
    "rhythm": "monthly",
    "language": "sv",
    "email": "Laskut@Example.org",
    "e_address": "0037 1234 5671",
    "e_operator": "003721291126",
}
SELLER = {
    "name": "Helsingin kaupunki",
    "business_id": "0201256-6",
    "vat_number": "FI02012566",
    "street": "PL 1",
    "postcode": "00099",
    "locality": "Helsinki",
    "iban": "FI37 1590 3000 0007 76",
    "bic": "okoyfihh",
    "payment_days": "21",
    "late_fi": "Viivästyskorko 10,5 %",
}


def browser(app: Flask, scene: Scene, who: str) -> FlaskClient:
    """A browser of nobody, or signed in as one of the personas."""
    client = app.test_client()
    person = persona(scene, who)
    if person is not None:
        sign_in(scene.session, client, person)
    scene.session.commit()
    return client


def persona(scene: Scene, who: str) -> Person | None:
    if who == "nobody":
        return None
    if who in {"manager", "staff"}:
        return scene.manager if who == "manager" else scene.staff
    if who == "other staff":  # of another city
        other = make_city(scene.session, "turku")
        return make_person(scene.session, other, is_staff=True)
    person = make_person(scene.session, scene.city, name=who)
    if who in {"booker", "member"}:
        join(scene.session, person, scene.organisation, who)
    if who == "owner":  # runs the place, does not pay for it
        venue = scene.session.get_one(Venue, (scene.city.id, scene.space.venue_id))
        owner = scene.session.get_one(type(scene.organisation), (scene.city.id, venue.owner_id))
        join(scene.session, person, owner, "manager")
    return person


@pytest.mark.parametrize("path", ["", "/invoice.pdf", "/finvoice.xml"])
@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("nobody", 302),
        ("outsider", 404),
        ("member", 404),
        ("owner", 404),
        ("other staff", 302),
        ("booker", 200),
        ("manager", 200),
        ("staff", 200),
    ],
)
def test_who_sees_an_invoice(app: Flask, scene: Scene, who: str, status: int, path: str) -> None:
    invoice = scene.issued()
    answer = browser(app, scene, who).get(f"/en/invoices/{invoice.id}{path}")
    assert seen(answer.status_code) == status


def seen(status: int) -> int:
    """Whoever is not signed in is sent to sign in, by either redirect."""
    return 302 if status in {302, 303, 401} else status


@pytest.mark.parametrize(
    ("who", "status"),
    [("nobody", 302), ("outsider", 404), ("member", 404), ("booker", 200), ("manager", 200), ("staff", 200)],
)
def test_who_sees_the_list(app: Flask, scene: Scene, who: str, status: int) -> None:
    scene.issued()
    answer = browser(app, scene, who).get(f"/en/organisations/{scene.organisation.id}/invoices")
    assert seen(answer.status_code) == status
    assert ("2026-00001" in answer.text) == (status == 200)


@pytest.mark.parametrize(
    ("who", "status"),
    [("nobody", 302), ("outsider", 404), ("member", 404), ("booker", 403), ("manager", 303), ("staff", 303)],
)
def test_who_decides_how_invoices_come(app: Flask, scene: Scene, who: str, status: int) -> None:
    client = browser(app, scene, who)
    answer = client.post(f"/en/organisations/{scene.organisation.id}/invoices/terms", data=TERMS)
    scene.session.expire_all()
    terms = scene.session.scalars(select(InvoiceTerms)).one()
    assert answer.status_code == (303 if status == 303 else answer.status_code)
    assert seen(answer.status_code) == seen(status)
    assert (terms.rhythm == "monthly") == (who in {"manager", "staff"})
    if who == "manager":
        assert (terms.email, terms.e_address, terms.language) == ("laskut@example.org", "003712345671", "sv")
        assert scene.session.scalars(
            select(AuditEntry).where(AuditEntry.action == "invoice-terms.saved")
        ).one()


STAFF_PAGES = [
    ("GET", "/en/desk/invoices"),
    ("GET", "/en/desk/invoices/invoices.csv"),
    ("GET", "/en/desk/invoices/seller"),
    ("POST", "/en/desk/invoices/seller"),
    ("GET", "/en/desk/invoices/cost-objects"),
    ("POST", "/en/desk/invoices/cost-objects"),
    ("GET", "/en/desk/invoices/{id}/credit"),
    ("POST", "/en/desk/invoices/{id}/credit"),
    ("GET", "/en/desk/invoices/{id}/payments"),
    ("POST", "/en/desk/invoices/{id}/payments"),
]


@pytest.mark.parametrize(("method", "path"), STAFF_PAGES)
@pytest.mark.parametrize("who", ["outsider", "member", "booker", "manager", "owner"])
def test_the_citys_pages_are_for_its_staff(
    app: Flask, scene: Scene, who: str, method: str, path: str
) -> None:
    invoice = scene.issued()
    answer = browser(app, scene, who).open(path.format(id=invoice.id), method=method, data=SELLER)
    assert answer.status_code == 403


@pytest.mark.parametrize("language", ["fi", "sv", "en"])
def test_staffs_pages_in_each_language(app: Flask, scene: Scene, language: str) -> None:
    invoice = scene.issued()
    scene.order((700, 2550))
    client = browser(app, scene, "staff")
    for method, path in STAFF_PAGES:
        if method == "GET" and "payments" not in path:
            answer = client.get(path.format(id=invoice.id).replace("/en/", f"/{language}/"))
            assert answer.status_code == 200, path
    desk = client.get(f"/{language}/desk/invoices").text
    assert "2026-00001" in desk
    assert "Kallion Juniorit ry" in desk


@pytest.mark.parametrize(
    ("field", "bad"),
    [
        ("street", ""),
        ("street", "x" * 36),
        ("street", "a\u202eb"),
        ("postcode", "!!"),
        ("locality", " "),
        ("email", "nobody"),
        ("e_address", "<x>"),
        ("e_operator", ""),
        ("rhythm", "daily"),
        ("language", "de"),
    ],
)
def test_terms_that_cannot_be_are_told_beside_the_field(
    app: Flask, scene: Scene, field: str, bad: str
) -> None:
    client = browser(app, scene, "manager")
    answer = client.post(
        f"/en/organisations/{scene.organisation.id}/invoices/terms", data={**TERMS, field: bad}
    )
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    scene.session.expire_all()
    assert scene.session.scalars(select(InvoiceTerms)).one().rhythm == "at_once"


@pytest.mark.parametrize(
    ("field", "bad"),
    [
        ("name", ""),
        ("business_id", "0201256-7"),
        ("vat_number", "FI02012567"),
        ("iban", "FI3715903000000777"),
        ("iban", "DROP TABLE"),
        ("bic", "X"),
        ("payment_days", "91"),
        ("payment_days", "many"),
        ("payment_days", ""),
        ("late_fi", "x" * 71),
        ("email", "x@"),
    ],
)
def test_sellers_that_cannot_be(app: Flask, scene: Scene, field: str, bad: str) -> None:
    answer = browser(app, scene, "staff").post("/en/desk/invoices/seller", data={**SELLER, field: bad})
    assert answer.status_code == 422
    scene.session.expire_all()
    assert scene.session.scalars(select(InvoiceSeller)).one().iban == "FI2112345600000785"


def test_staff_writes_the_seller_and_the_trail_keeps_both_accounts(app: Flask, scene: Scene) -> None:
    assert browser(app, scene, "staff").post("/en/desk/invoices/seller", data=SELLER).status_code == 303
    scene.session.expire_all()
    seller = scene.session.scalars(select(InvoiceSeller)).one()
    assert (seller.iban, seller.bic, seller.payment_days) == ("FI3715903000000776", "OKOYFIHH", 21)
    assert seller.late_texts == {"fi": "Viivästyskorko 10,5 %"}
    entry = scene.session.scalars(select(AuditEntry).where(AuditEntry.action == "invoice-seller.saved")).one()
    assert (entry.details["before"]["iban"], entry.details["iban"]) == ("FI2112345600000785", seller.iban)


def test_a_suppliers_seller_is_its_own(app: Flask, scene: Scene) -> None:
    supplier = make_organisation(scene.session, scene.city, name="Sali Oy", kind="company")
    client = browser(app, scene, "staff")
    assert client.post(f"/en/desk/invoices/seller?supplier={supplier.id}", data=SELLER).status_code == 303
    assert client.get("/en/desk/invoices/seller?supplier=999999").status_code == 404
    assert client.get("/en/desk/invoices/seller?supplier=x").status_code == 404
    scene.session.expire_all()
    assert len(scene.session.scalars(select(InvoiceSeller)).all()) == 2


def test_the_suppliers_manager_sees_invoices_in_its_name(app: Flask, scene: Scene) -> None:
    supplier = make_organisation(scene.session, scene.city, name="Sali Oy", kind="company")
    make_seller(scene.session, scene.city, organisation_id=supplier.id, name="Sali Oy")
    invoice = scene.issued()
    person = make_person(scene.session, scene.city)
    join(scene.session, person, supplier, "manager")
    client = app.test_client()
    sign_in(scene.session, client, person)
    scene.session.commit()
    assert client.get(f"/en/invoices/{invoice.id}").status_code == 404
    own = scene.session.scalars(
        select(InvoiceSeller).where(InvoiceSeller.organisation_id == supplier.id)
    ).one()
    scene.session.get_one(Invoice, (scene.city.id, invoice.id)).seller_id = own.id
    scene.session.commit()
    assert client.get(f"/en/invoices/{invoice.id}").status_code == 200


def payment_data(client: FlaskClient, invoice: Invoice, **fields: str) -> dict[str, str]:
    page = client.get(f"/en/invoices/{invoice.id}").text
    found = re.search(r'name="submission"[^>]*value="([^"]+)"', page)
    assert found is not None
    return {"submission": found[1], "amount": "120,00", "paid_on": "2026-01-05", **fields}


def test_a_payment_is_registered_once_and_what_it_leaves_is_told(app: Flask, scene: Scene) -> None:
    invoice = scene.issued((12000, 2550))
    client = browser(app, scene, "staff")
    path = f"/en/desk/invoices/{invoice.id}/payments"
    data = payment_data(client, invoice, amount="100", bank_reference="ARK 1")
    for _ in range(2):
        answer = client.post(path, data=data, follow_redirects=True)
        assert "€20 is still missing" in answer.text
    data = payment_data(client, invoice, amount="21,00")
    assert "€1 came too much" in client.post(path, data=data, follow_redirects=True).text
    data = payment_data(client, invoice, amount="-1")
    assert "The invoice is paid." in client.post(path, data=data, follow_redirects=True).text
    assert len(scene.session.scalars(select(InvoicePayment)).all()) == 3


@pytest.mark.parametrize(
    ("field", "bad"),
    [("amount", ""), ("amount", "abc"), ("amount", "1,234"), ("amount", "--1"), ("amount", "-1"), ("paid_on", ""), ("paid_on", "2999-01-01"), ("paid_on", "31.12."), ("bank_reference", "x" * 36)],
)  # fmt: skip
def test_payments_that_cannot_be(app: Flask, scene: Scene, field: str, bad: str) -> None:
    invoice = scene.issued()
    client = browser(app, scene, "staff")
    data = payment_data(client, invoice, **{field: bad})
    answer = client.post(f"/en/desk/invoices/{invoice.id}/payments", data=data)
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
    assert scene.session.scalars(select(InvoicePayment)).all() == []


def test_staff_credits_on_the_page(app: Flask, scene: Scene) -> None:
    invoice = scene.issued((12000, 2550))
    client = browser(app, scene, "staff")
    path = f"/en/desk/invoices/{invoice.id}/credit"
    assert 'value="120"' in client.get(path).text
    for bad in ({"part_1": "x"}, {"part_1": "120,01"}, {"part_1": "5", "reason": ""}, {"part_1": "-5"}):
        answer = client.post(path, data={"reason": "Vesivahinko", "seen": "0", **bad})
        assert answer.status_code in {409, 422}
        assert 'aria-invalid="true"' in answer.text or 'role="alert"' in answer.text
    assert client.post(path, data={"reason": "Vesivahinko", "seen": "0"}).status_code == 409
    assert client.post(path, data={"reason": "Vesivahinko", "seen": "0", "part_1": "50"}).status_code == 303
    client.post(path, data={"reason": "Vesivahinko", "seen": "0", "part_1": "50"})
    notes = scene.session.scalars(select(Invoice).where(Invoice.kind == "credit_note")).all()
    assert [note.gross_minor for note in notes] == [-5000]
    page = client.get(f"/en/invoices/{invoice.id}").text
    assert notes[0].number in page
    assert client.get(f"/en/desk/invoices/{notes[0].id}/credit").status_code == 404


def test_cost_objects_are_set_and_taken_away(app: Flask, scene: Scene) -> None:
    venue = scene.session.get_one(Venue, (scene.city.id, scene.space.venue_id))
    client = browser(app, scene, "staff")
    path = "/en/desk/invoices/cost-objects"
    place = f"{venue.owner_id}:{venue.id}"
    for data in (
        {"place": "999:1", "cost_centre": "K1"},
        {"place": place, "cost_centre": "=1"},
        {"place": place, "gl_account": "x" * 25},
        {"place": "x"},
    ):
        assert client.post(path, data=data).status_code == 422
    for _ in range(2):
        assert client.post(path, data={"place": place, "cost_centre": "K1"}).status_code == 303
    assert client.post(path, data={"place": f"{venue.owner_id}:", "cost_centre": "K0"}).status_code == 303
    found = scene.session.scalars(select(CostObject.cost_centre)).all()
    assert sorted(found) == ["K0", "K1"]
    assert client.post(path, data={"place": place}).status_code == 303
    assert scene.session.scalars(select(CostObject.cost_centre)).all() == ["K0"]


@pytest.mark.parametrize(
    ("query", "is_there"),
    [
        ("", True),
        ("q=2026-00001", True),
        ("q=juniorit", True),
        ("q=%25", False),
        ("q=xyzzy", False),
        ("state=sent", True),
        ("state=paid", False),
        ("state=nonsense", True),
        ("state=credit_note", False),
        ("first=2026-11-25", False),
        ("last=2026-11-23", False),
        ("first=gibberish&page=-1", True),
        ("page=99999999999", False),
        ("q=%00", True),
    ],
)
def test_filters(app: Flask, scene: Scene, query: str, is_there: bool) -> None:
    invoice = scene.issued()
    answer = browser(app, scene, "staff").get(f"/en/desk/invoices?{query}")
    assert answer.status_code == 200
    assert (f"/en/invoices/{invoice.id}" in answer.text) == is_there


@pytest.mark.parametrize("rf", [False, True])
def test_an_invoice_is_found_by_its_reference(app: Flask, scene: Scene, rf: bool) -> None:
    from bookings.invoices import rules  # noqa: PLC0415

    invoice = scene.issued()
    reference = rules.grouped(rules.rf_of(invoice.reference) if rf else invoice.reference)
    answer = browser(app, scene, "staff").get("/en/desk/invoices", query_string={"q": reference})
    assert f"/en/invoices/{invoice.id}" in answer.text


def test_files_are_kept_by_no_cache_and_named_by_the_number(app: Flask, scene: Scene) -> None:
    invoice = scene.issued()
    answer = browser(app, scene, "booker").get(f"/sv/invoices/{invoice.id}/invoice.pdf")
    assert answer.data.startswith(b"%PDF-")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "2026-00001.pdf" in answer.headers["Content-Disposition"]


def test_the_organisations_page_leads_to_its_invoices(app: Flask, scene: Scene) -> None:
    page = browser(app, scene, "manager").get(f"/en/organisations/{scene.organisation.id}").text
    assert f"/en/organisations/{scene.organisation.id}/invoices/terms" in page
    member = browser(app, scene, "member").get(f"/en/organisations/{scene.organisation.id}").text
    assert "/invoices" not in member


def test_the_page_of_an_invoice_says_when_and_how_to_pay(app: Flask, scene: Scene) -> None:
    invoice = scene.issued()
    page = browser(app, scene, "booker").get(f"/en/invoices/{invoice.id}").text
    assert f"{invoice.due_on:%d.%m.%Y}" == f"{date(2026, 12, 8):%d.%m.%Y}"
    assert "08.12.2026" in page
    assert "Register a payment" not in page
