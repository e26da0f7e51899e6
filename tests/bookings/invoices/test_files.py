"""The files: PDF in three languages, Finvoice 3.0, the CSV of the accounting."""

import csv
import io
import re
from xml.etree import ElementTree as ET

import pytest
from sqlalchemy import select

from bookings.invoices import queries, rules
from bookings.invoices.actions import credit_invoice
from bookings.invoices.export import COLUMNS, csv_of
from bookings.invoices.finvoice import amount, finvoice, percent
from bookings.invoices.models import CostObject, Invoice, InvoiceLine
from bookings.invoices.pdf import Paper, pdf_of
from bookings.invoices.queries import ListFilter, SeenInvoice
from spaces.catalog.models import Venue
from tests.bookings.invoices.conftest import Scene
from tests.factories.bookings import NOW


def seen_of(scene: Scene, invoice: Invoice) -> SeenInvoice:
    return queries.whole_invoice(scene.session, invoice)


# The text of a PDF: what each text operator shows, through its font's own table of letters.


def text_of(pdf: bytes) -> str:
    maps = [letters(table) for table in re.findall(rb"begincmap.*?endcmap", pdf, re.DOTALL)]
    names = dict(re.findall(rb"/(F\d+) (\d+) 0 R", pdf))
    objects = dict(re.findall(rb"\n(\d+) 0 obj\n(.*?)endobj", pdf, re.DOTALL))
    by_font = {}
    for name, number in names.items():
        table = re.search(rb"/ToUnicode (\d+) 0 R", objects[number])
        assert table is not None
        by_font[name] = letters(objects[table[1]])
    assert maps
    said, font = [], b""
    for name, shown in re.findall(
        rb"/(F\d+) [\d.]+ Tf|(\((?:\\.|[^\\)])*\)|<[0-9a-fA-F]+>) ?(?:Tj|'|\])", pdf
    ):
        if name:
            font = name
        elif font:
            said.append("".join(by_font[font].get(code, "") for code in codes(shown)))
    return "\n".join(said)


def codes(shown: bytes) -> list[int]:
    if shown.startswith(b"<"):
        raw = bytes.fromhex(shown[1:-1].decode())
    else:
        raw = re.sub(
            rb"\\([nrtbf()\\])",
            lambda m: {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}.get(m[1], m[1]),
            shown[1:-1],
        )
    return [int.from_bytes(raw[n : n + 2], "big") for n in range(0, len(raw), 2)]


def letters(table: bytes) -> dict[int, str]:
    found = {}
    for pair in re.findall(rb"<([0-9A-Fa-f]{4})> <([0-9A-Fa-f]+)>\n", table):
        found[int(pair[0], 16)] = bytes.fromhex(pair[1].decode()).decode("utf-16-be")
    return found


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("fi", ("2026-00001", "FI21 1234 5600 0007 85", "120,00")),
        ("sv", ("2026-00001", "FI21 1234 5600 0007 85", "120,00")),
        ("en", ("Invoice 2026-00001", "How to pay", "120.00", "Due date", "08.12.2026")),
    ],
)
def test_the_pdf_says_it_in_each_language(scene: Scene, language: str, words: tuple[str, ...]) -> None:
    invoice = scene.issued()
    pdf = pdf_of(scene.city, seen_of(scene, invoice), language, compress=False)
    text = text_of(pdf).replace("\xa0", " ")
    assert [word for word in words if word not in text] == [], text
    assert rules.grouped(invoice.reference) in text
    assert rules.grouped(rules.rf_of(invoice.reference)) in text
    assert f"/Lang ({language})".encode() in pdf
    barcode = rules.bank_barcode("FI2112345600000785", invoice.reference, 12000, invoice.due_on)
    assert barcode is not None
    assert barcode in text
    # Who pays, what is sold, what it comes to, how to pay it: the order in which it is read aloud.
    order = [text.index(word) for word in ("Kallion Juniorit ry", "18.00", "95", "FI21")]
    assert order == sorted(order)
    # Drawn bars: 54 digits are 27 signs, with start, check and stop 30; three bars each, four in the last.
    assert len(re.findall(rb" re f\n", pdf)) >= 91


def test_names_beyond_latin_1_are_embedded_and_others_come_near(scene: Scene) -> None:
    scene.organisation.name = "Šiļķe Łódź & Ødegård ŋ Đorđe"
    scene.terms.recipient = "日本 \u202eﬁ"
    scene.session.commit()
    pdf = pdf_of(scene.city, seen_of(scene, scene.issued()), "en", compress=False)
    text = text_of(pdf)
    assert "Šiļķe Łódź & Ødegård ŋ Đorđe" in text
    assert "?? fi" in text


def test_letters_that_the_font_lacks() -> None:
    paper = Paper("", compress=True)
    assert paper.drawable("e\u0301 a\u2009b \u200bx 日 ①") == "é a b x ? 1"
    paper.close()


def test_two_hundred_lines_break_into_pages_with_headings(scene: Scene) -> None:
    invoice = scene.issued(*[(100 + n, 2550) for n in range(200)])
    pdf = pdf_of(scene.city, seen_of(scene, invoice), "en", compress=False)
    pages = len(re.findall(rb"/Type /Page\n", pdf))
    text = text_of(pdf)
    assert pages >= 4
    assert text.count("VAT rate") in {pages - 1, pages}  # the last page may hold the sums alone
    assert f"Page {pages} of" in text
    assert scene.session.query(InvoiceLine).count() == 200


def test_a_credit_note_asks_for_nothing(scene: Scene) -> None:
    invoice = scene.issued()
    note = credit_invoice(
        scene.session,
        scene.city,
        invoice,
        {1: 100},
        reason="Vesivahinko",
        seen_minor=0,
        at=NOW,
        actor=scene.clerk,
    )
    text = text_of(pdf_of(scene.city, seen_of(scene, note), "en", compress=False))
    assert "Credit note 2026-00002" in text
    assert "2026-00001" in text
    assert "Vesivahinko" in text
    assert "IBAN" not in text


def test_the_same_rows_make_the_same_pdf_whatever_has_changed_since(scene: Scene) -> None:
    invoice = scene.issued()
    first = text_of(pdf_of(scene.city, seen_of(scene, invoice), "fi", compress=False))
    scene.organisation.name, scene.seller.name = "Muu ry", "Muu kaupunki"
    scene.session.get_one(Venue, (scene.city.id, scene.space.venue_id)).names = {"fi": "Muu paikka"}
    scene.session.commit()
    assert text_of(pdf_of(scene.city, seen_of(scene, invoice), "fi", compress=False)) == first


# Finvoice 3.0

ROOT = (
    "MessageTransmissionDetails SellerPartyDetails SellerOrganisationUnitNumber SellerInformationDetails"
    " InvoiceRecipientLanguageCode BuyerPartyDetails BuyerOrganisationUnitNumber BuyerContactPersonName InvoiceDetails"
    " VirtualBankBarcode InvoiceRow EpiDetails"
).split()
DETAILS = (
    "InvoiceTypeCode InvoiceTypeCodeUN InvoiceTypeText OriginCode InvoiceNumber InvoiceDate OriginalInvoiceNumber"
    " OriginalInvoiceDate BuyerReferenceIdentifier RowsTotalVatExcludedAmount InvoiceTotalVatExcludedAmount"
    " InvoiceTotalVatAmount InvoiceTotalVatIncludedAmount VatSpecificationDetails InvoiceFreeText PaymentTermsDetails"
).split()
ROW = (
    "ArticleName ArticleDescription InvoicedQuantity UnitPriceAmount RowPositionIdentifier RowFreeText RowVatRatePercent"
    " RowVatCode RowVatAmount RowVatExcludedAmount RowAmount"
).split()


def in_order(element: ET.Element, names: list[str]) -> bool:
    places = [names.index(child.tag) for child in element]
    return places == sorted(places)


def minor(element: ET.Element | None) -> int:
    assert element is not None
    assert re.fullmatch(r"-?\d+,\d\d", element.text or "")
    assert element.get("AmountCurrencyIdentifier") == "EUR"
    return int((element.text or "").replace(",", ""))


def test_finvoice_has_its_elements_in_order_and_adds_up(scene: Scene) -> None:
    scene.terms.e_address, scene.terms.e_operator = "003712345671", "003721291126"
    scene.terms.recipient, scene.terms.buyer_reference = "Talous", "PROJ 7"
    scene.session.commit()
    invoice = scene.issued((12000, 2550), (5001, 1350), (700, 0))
    root = ET.fromstring(finvoice(seen_of(scene, invoice)))
    assert (root.tag, root.get("Version")) == ("Finvoice", "3.0")
    assert in_order(root, ROOT)
    details = root.find("InvoiceDetails")
    assert details is not None
    assert in_order(details, DETAILS)
    rows = root.findall("InvoiceRow")
    assert all(in_order(row, ROW) for row in rows)
    gross = minor(details.find("InvoiceTotalVatIncludedAmount"))
    assert gross == 17701 == sum(minor(row.find("RowAmount")) for row in rows)
    net = minor(details.find("InvoiceTotalVatExcludedAmount"))
    assert net == sum(minor(row.find("RowVatExcludedAmount")) for row in rows)
    rates = details.findall("VatSpecificationDetails")
    assert [one.findtext("VatRatePercent") for one in rates] == ["25,5", "13,5", "0"]
    assert [one.findtext("VatCode") for one in rates] == ["S", "S", "E"]
    assert sum(minor(one.find("VatBaseAmount")) + minor(one.find("VatRateAmount")) for one in rates) == gross
    assert details.findtext("InvoiceTypeCode") == "INV01"
    assert details.findtext("InvoiceDate") == "20261124"
    assert root.findtext(".//ToIntermediator") == "003721291126"
    sender = root.find(".//FromIdentifier")
    assert sender is not None
    assert sender.get("SchemeID") == "0216"
    assert root.findtext(".//EpiRemittanceInfoIdentifier") == invoice.reference
    assert minor(root.find(".//EpiInstructedAmount")) == gross
    assert root.findtext(".//EpiDateOptionDate") == "20261208"
    assert root.findtext("VirtualBankBarcode") == rules.bank_barcode(
        "FI2112345600000785", invoice.reference, gross, invoice.due_on
    )


def test_a_credit_notes_finvoice_is_negative_and_names_what_it_credits(scene: Scene) -> None:
    invoice = scene.issued()
    note = credit_invoice(
        scene.session, scene.city, invoice, {1: 5000}, reason="Syy", seen_minor=0, at=NOW, actor=scene.clerk
    )
    root = ET.fromstring(finvoice(seen_of(scene, note)))
    details = root.find("InvoiceDetails")
    assert details is not None
    assert in_order(details, DETAILS)
    assert details.findtext("InvoiceTypeCode") == "INV02"
    assert details.findtext("InvoiceTypeCodeUN") == "381"
    assert details.findtext("OriginalInvoiceNumber") == invoice.number
    assert minor(details.find("InvoiceTotalVatIncludedAmount")) == -5000
    assert root.find("VirtualBankBarcode") is None
    assert root.find("MessageTransmissionDetails") is None  # no e-invoice address


def test_finvoice_escapes_everything(scene: Scene) -> None:
    scene.organisation.name = "</BuyerOrganisationName><x>&\"' \x0b\ufffe]]>"
    scene.terms.street = "<!DOCTYPE x>" * 9
    scene.session.commit()
    root = ET.fromstring(finvoice(seen_of(scene, scene.issued())))
    assert root.findtext(".//BuyerOrganisationName") == "</BuyerOrganisationName><x>&\"' ]]>"
    assert len(root.findtext(".//BuyerStreetName") or "") == 35
    assert root.find(".//x") is None


@pytest.mark.parametrize(("value", "text"), [(0, "0,00"), (5, "0,05"), (-5, "-0,05"), (-123456, "-1234,56")])
def test_amounts_have_a_comma(value: int, text: str) -> None:
    assert amount(value) == text


@pytest.mark.parametrize(
    ("rate", "text"), [(2550, "25,5"), (1400, "14"), (0, "0"), (1005, "10,05"), (1000, "10")]
)
def test_rates_have_a_comma(rate: int, text: str) -> None:
    assert percent(rate) == text


# CSV


def test_the_books_have_a_row_for_each_line_with_its_cost_objects(scene: Scene) -> None:
    owner = scene.session.get_one(Venue, (scene.city.id, scene.space.venue_id)).owner_id
    fields = {"city_id": scene.city.id, "organisation_id": owner}
    scene.session.add(CostObject(**fields, cost_centre="OWNER", internal_order="I0", gl_account="300100"))
    scene.session.commit()
    scene.issued((12000, 2550), (5000, 1350))
    scene.session.add(
        CostObject(
            **fields, venue_id=scene.space.venue_id, cost_centre="VENUE", internal_order="I1", gl_account="3"
        )
    )
    scene.session.commit()
    scene.issued((100, 2550))
    rows = books(scene)
    assert [row["cost_centre"] for row in rows] == ["OWNER", "OWNER", "VENUE"]
    assert [row["gross"] for row in rows] == ["120,00", "50,00", "1,00"]
    assert rows[0]["gl_account"] == "300100"
    assert rows[0]["document_type"] == "DR"


def books(scene: Scene) -> list[dict[str, str]]:
    rows = queries.lines_for_books(scene.session, scene.clerk, ListFilter())
    numbers = queries.numbers_of(scene.session, scene.city.id, {one.credits_id for one, _ in rows})
    text = csv_of(rows, numbers).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text), delimiter=";"))


@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "+1", "-1", "@SUM", "\t=1", "\r=1", 'a;b"c\n=1'])
def test_no_cell_is_ever_a_formula(scene: Scene, name: str) -> None:
    scene.organisation.name = name
    scene.session.add(
        CostObject(
            city_id=scene.city.id,
            organisation_id=scene.session.get_one(Venue, (scene.city.id, scene.space.venue_id)).owner_id,
            cost_centre=name,
        )
    )
    scene.session.commit()
    scene.issued()
    (row,) = books(scene)
    assert set(row) == set(COLUMNS)
    for column in ("customer", "cost_centre", "text"):
        assert not row[column].startswith(("=", "+", "-", "@", "\t", "\r"))


def test_a_credit_note_in_the_books(scene: Scene) -> None:
    invoice = scene.issued()
    credit_invoice(
        scene.session, scene.city, invoice, {1: 5000}, reason="Syy", seen_minor=0, at=NOW, actor=scene.clerk
    )
    row = books(scene)[1]
    assert (row["document_type"], row["credits_number"], row["gross"]) == ("DG", invoice.number, "-50,00")
    assert scene.session.scalars(select(Invoice.id)).all()
