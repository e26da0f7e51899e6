"""An invoice as Finvoice 3.0 (Finance Finland, implementation guidelines 3.0): made of the stored rows whenever it is asked for.

A row has the quantity of one: prices include tax here, and a net price for each unit would not add up to the cent. What
was sold stands in its text. Texts are cut to the lengths of the schema.
"""

import re
from datetime import date, datetime
from xml.etree import ElementTree as ET

from bookings.invoices import rules
from bookings.invoices.models import InvoiceLine
from bookings.invoices.queries import SeenInvoice
from bookings.invoices.texts import BuyerTexts, SellerTexts

# (type code, UNTDID 1001, text) of the code list SPY, section 10.5 of the guidelines.
TYPES = {"invoice": ("INV01", "380", "INVOICE"), "credit_note": ("INV02", "381", "CREDIT NOTE")}
UNIT, UNIT_UN = "kpl", "C62"
NAME, STREET, FREE, TERMS, ARTICLE = 70, 35, 512, 70, 100
# What XML 1.0 cannot hold, escaped or not.
UNFIT = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def finvoice(seen: SeenInvoice) -> bytes:
    """The XML, UTF-8, without a SOAP envelope: the operator that sends it makes that."""
    invoice = seen.invoice
    seller, buyer = SellerTexts(**invoice.seller), BuyerTexts(**invoice.buyer)
    root = ET.Element("Finvoice", {"Version": "3.0"})
    if seller.e_address and buyer.e_address:
        transmission(root, seller, buyer, number=invoice.number, at=invoice.issued_at)
    seller_party(root, seller)
    put(root, "InvoiceRecipientLanguageCode", invoice.language.upper())
    buyer_party(root, buyer)
    details(root, seen, seller, buyer)
    barcode = rules.bank_barcode(seller.iban, invoice.reference, invoice.gross_minor, invoice.due_on)
    if barcode and invoice.kind == "invoice":
        put(root, "VirtualBankBarcode", barcode)
    for line in seen.lines:
        row(root, line, invoice.currency, invoice.language)
    payment(root, seen, seller)
    ET.indent(root)
    body: str = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'.encode()


def put(parent: ET.Element, tag: str, text: str, *, most: int | None = None, **attributes: str) -> ET.Element:
    element = ET.SubElement(parent, tag, attributes)
    element.text = UNFIT.sub("", text)[:most]
    return element


def put_filled(parent: ET.Element, tag: str, text: str, *, most: int | None = None) -> None:
    """The element, where there is anything to say."""
    if text:
        put(parent, tag, text, most=most)


def amount(minor: int) -> str:
    sign = "-" if minor < 0 else ""
    return f"{sign}{abs(minor) // 100},{abs(minor) % 100:02d}"


def percent(basis_points: int) -> str:
    text = f"{basis_points // 100},{basis_points % 100:02d}".rstrip("0")
    return text.rstrip(",")


def put_amount(parent: ET.Element, tag: str, minor: int, currency: str) -> None:
    put(parent, tag, amount(minor), AmountCurrencyIdentifier=currency)


def put_date(parent: ET.Element, tag: str, day: date) -> None:
    put(parent, tag, f"{day:%Y%m%d}", Format="CCYYMMDD")


def vat_code(basis_points: int) -> str:
    """UNTDID 5305: standard rate, or exempt."""
    return "S" if basis_points else "E"


def transmission(
    root: ET.Element, seller: SellerTexts, buyer: BuyerTexts, *, number: str, at: datetime
) -> None:
    message = ET.SubElement(root, "MessageTransmissionDetails")
    sender = ET.SubElement(message, "MessageSenderDetails")
    address(sender, "FromIdentifier", seller.e_address)
    put(sender, "FromIntermediator", seller.e_operator, most=STREET)
    receiver = ET.SubElement(message, "MessageReceiverDetails")
    address(receiver, "ToIdentifier", buyer.e_address)
    put(receiver, "ToIntermediator", buyer.e_operator, most=STREET)
    about = ET.SubElement(message, "MessageDetails")
    put(about, "MessageIdentifier", number, most=61)
    put(about, "MessageTimeStamp", at.isoformat(timespec="seconds"))


def address(parent: ET.Element, tag: str, text: str) -> None:
    """An e-invoice address; an OVT says that it is one (ISO 6523, 0216)."""
    scheme = {"SchemeID": "0216"} if re.fullmatch("0037[0-9]{8,13}", text) else {}
    put(parent, tag, text, most=STREET, **scheme)


def seller_party(root: ET.Element, seller: SellerTexts) -> None:
    party = ET.SubElement(root, "SellerPartyDetails")
    put(party, "SellerPartyIdentifier", seller.business_id, most=STREET)
    put(party, "SellerOrganisationName", seller.name, most=NAME)
    put_filled(party, "SellerOrganisationTaxCode", seller.vat_number, most=STREET)
    place = ET.SubElement(party, "SellerPostalAddressDetails")
    put(place, "SellerStreetName", seller.street, most=STREET)
    put(place, "SellerTownName", seller.locality, most=STREET)
    put(place, "SellerPostCodeIdentifier", seller.postcode, most=STREET)
    put(place, "CountryCode", seller.country)
    put_filled(root, "SellerOrganisationUnitNumber", seller.e_address, most=STREET)
    information = ET.SubElement(root, "SellerInformationDetails")
    put_filled(information, "SellerPhoneNumber", seller.phone, most=STREET)
    put_filled(information, "SellerCommonEmailaddressIdentifier", seller.email, most=NAME)
    account = ET.SubElement(information, "SellerAccountDetails")
    put(account, "SellerAccountID", seller.iban, IdentificationSchemeName="IBAN")
    put(account, "SellerBic", seller.bic, IdentificationSchemeName="BIC")


def buyer_party(root: ET.Element, buyer: BuyerTexts) -> None:
    party = ET.SubElement(root, "BuyerPartyDetails")
    put_filled(party, "BuyerPartyIdentifier", buyer.business_id, most=STREET)
    put(party, "BuyerOrganisationName", buyer.name, most=NAME)
    place = ET.SubElement(party, "BuyerPostalAddressDetails")
    put(place, "BuyerStreetName", buyer.street, most=STREET)
    put(place, "BuyerTownName", buyer.locality, most=STREET)
    put(place, "BuyerPostCodeIdentifier", buyer.postcode, most=STREET)
    put(place, "CountryCode", buyer.country)
    put_filled(root, "BuyerOrganisationUnitNumber", buyer.e_address, most=STREET)
    put_filled(root, "BuyerContactPersonName", buyer.recipient, most=STREET)


def details(root: ET.Element, seen: SeenInvoice, seller: SellerTexts, buyer: BuyerTexts) -> None:
    invoice, currency = seen.invoice, seen.invoice.currency
    told = ET.SubElement(root, "InvoiceDetails")
    for tag, text in zip(
        ("InvoiceTypeCode", "InvoiceTypeCodeUN", "InvoiceTypeText"), TYPES[invoice.kind], strict=True
    ):
        put(told, tag, text)
    put(told, "OriginCode", "Original")
    put(told, "InvoiceNumber", invoice.number, most=20)
    put_date(told, "InvoiceDate", invoice.issued_on)
    if seen.credited is not None:
        put(told, "OriginalInvoiceNumber", seen.credited.number, most=20)
        put_date(told, "OriginalInvoiceDate", seen.credited.issued_on)
    put_filled(told, "BuyerReferenceIdentifier", buyer.buyer_reference, most=NAME)
    put_amount(told, "RowsTotalVatExcludedAmount", invoice.net_minor, currency)
    put_amount(told, "InvoiceTotalVatExcludedAmount", invoice.net_minor, currency)
    put_amount(told, "InvoiceTotalVatAmount", invoice.vat_minor, currency)
    put_amount(told, "InvoiceTotalVatIncludedAmount", invoice.gross_minor, currency)
    for rate in rules.sums_by_rate(seen.lines):
        taxed = ET.SubElement(told, "VatSpecificationDetails")
        put_amount(taxed, "VatBaseAmount", rate.net_minor, currency)
        put(taxed, "VatRatePercent", percent(rate.basis_points))
        put(taxed, "VatCode", vat_code(rate.basis_points))
        put_amount(taxed, "VatRateAmount", rate.vat_minor, currency)
    put_filled(told, "InvoiceFreeText", invoice.credit_reason, most=FREE)
    terms = ET.SubElement(told, "PaymentTermsDetails")
    put_date(terms, "InvoiceDueDate", invoice.due_on)
    late = seller.late_texts.get(invoice.language) or ""
    if late and invoice.kind == "invoice":
        fine = ET.SubElement(terms, "PaymentOverDueFineDetails")
        put(fine, "PaymentOverDueFineFreeText", late, most=TERMS)


def row(root: ET.Element, line: InvoiceLine, currency: str, language: str) -> None:
    told = ET.SubElement(root, "InvoiceRow")
    text = line.texts.get(language) or next(iter(line.texts.values()), line.order_number)
    put(told, "ArticleName", text, most=ARTICLE)
    if len(text) > ARTICLE:
        put(told, "ArticleDescription", text, most=FREE)
    sign = "-1" if line.gross_minor < 0 else "1"
    put(told, "InvoicedQuantity", sign, QuantityUnitCode=UNIT, QuantityUnitCodeUN=UNIT_UN)
    put_amount(told, "UnitPriceAmount", abs(line.net_minor), currency)
    put(told, "RowPositionIdentifier", str(line.position))
    put(told, "RowFreeText", line.booking_reference, most=FREE)
    put(told, "RowVatRatePercent", percent(line.vat_basis_points))
    put(told, "RowVatCode", vat_code(line.vat_basis_points))
    put_amount(told, "RowVatAmount", line.vat_minor, currency)
    put_amount(told, "RowVatExcludedAmount", line.net_minor, currency)
    put_amount(told, "RowAmount", line.gross_minor, currency)


def payment(root: ET.Element, seen: SeenInvoice, seller: SellerTexts) -> None:
    """The payment order (EPI); a credit note's amount is negative and asks for nothing."""
    invoice = seen.invoice
    order = ET.SubElement(root, "EpiDetails")
    known = ET.SubElement(order, "EpiIdentificationDetails")
    put_date(known, "EpiDate", invoice.issued_on)
    put(known, "EpiReference", invoice.reference)
    parties = ET.SubElement(order, "EpiPartyDetails")
    bank = ET.SubElement(parties, "EpiBfiPartyDetails")
    put(bank, "EpiBfiIdentifier", seller.bic, IdentificationSchemeName="BIC")
    paid = ET.SubElement(parties, "EpiBeneficiaryPartyDetails")
    put(paid, "EpiNameAddressDetails", seller.name, most=STREET)
    put(paid, "EpiAccountID", seller.iban, IdentificationSchemeName="IBAN")
    asked = ET.SubElement(order, "EpiPaymentInstructionDetails")
    put(asked, "EpiRemittanceInfoIdentifier", invoice.reference, IdentificationSchemeName="SPY")
    put_amount(asked, "EpiInstructedAmount", invoice.gross_minor, invoice.currency)
    put(asked, "EpiCharge", "SHA", ChargeOption="SHA")
    put_date(asked, "EpiDateOptionDate", invoice.due_on)
