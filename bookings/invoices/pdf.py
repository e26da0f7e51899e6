"""An invoice as PDF, made of the stored rows in the asked language: texts in reading order, headings again on each page.

The font is Hanken Grotesk, as on the pages (`fonts/`, made of the package's latin, latin-ext, vietnamese and cyrillic-ext
files at weights 400 and 600). It has the letters of the languages of Europe that are written with Latin ones; what it lacks
is written with the nearest letter it has, or a question mark.
"""

import unicodedata
from datetime import datetime
from pathlib import Path

from flask_babel import gettext
from fpdf import FPDF
from fpdf.enums import TableBordersLayout
from fpdf.fonts import FontFace, TTFFont

from bookings.invoices import rules
from bookings.invoices.models import Invoice
from bookings.invoices.queries import SeenInvoice
from bookings.invoices.texts import BuyerTexts, SellerTexts
from marketplace.cities.models import City
from marketplace.money import Money
from marketplace.notifications.mail import writing_for
from marketplace.web.i18n import NBSP, format_money, format_number, localised, reader_language

FONTS = Path(__file__).parent / "fonts"
FAMILY = "hanken"
MARGIN, LINE = 18.0, 5.2  # mm
SMALL, BODY, LARGE = 8.5, 9.5, 18  # points
GREY = 89
MODULE, BAR_HEIGHT = 0.3, 12.0  # mm; the guide asks for 10 mm at least
COLUMNS = (92, 18, 20, 20, 24)  # mm together 174


class Paper(FPDF):
    """A4 with the seller and the page's number at the foot."""

    def __init__(self, foot: str, *, compress: bool) -> None:
        super().__init__(format="A4")
        self.foot = foot
        self.set_compression(compress)
        self.add_font(FAMILY, "", FONTS / "HankenGrotesk-Regular.ttf")
        self.add_font(FAMILY, "B", FONTS / "HankenGrotesk-SemiBold.ttf")
        self.letters = letters_of(self.fonts[FAMILY])
        self.set_margins(MARGIN, MARGIN, MARGIN)
        self.set_auto_page_break(True, margin=24)
        self.alias_nb_pages("{pages}")
        self.set_font(FAMILY, size=BODY)

    def close(self) -> None:
        """Let go of the fonts' files, which fpdf reads from until the end."""
        for font in self.fonts.values():
            if isinstance(font, TTFFont):
                font.ttfont.close()

    def footer(self) -> None:
        self.set_y(-16)
        self.set_font(FAMILY, size=SMALL)
        self.set_text_color(GREY)
        page = gettext("Page %(page)s of %(pages)s", page=self.page_no(), pages="{pages}")
        self.cell(130, LINE, self.drawable(self.foot))
        self.cell(0, LINE, self.drawable(str(page)), align="R")
        self.set_text_color(0)

    def drawable(self, text: str) -> str:
        """The text in letters that the font has."""
        return "".join(self.nearest(letter) for letter in unicodedata.normalize("NFC", text))

    def nearest(self, letter: str) -> str:
        if ord(letter) in self.letters:
            return letter
        kind = unicodedata.category(letter)
        if kind == "Zs":
            return " "
        if kind.startswith(("C", "M", "Z")):
            return ""
        plain = "".join(one for one in unicodedata.normalize("NFKD", letter) if ord(one) in self.letters)
        return plain or "?"

    def say(self, text: str, *, size: float = BODY, bold: bool = False, width: float = 0) -> None:
        """One paragraph."""
        self.set_font(FAMILY, "B" if bold else "", size)
        self.multi_cell(
            width, LINE * size / BODY, self.drawable(text), align="L", new_x="LMARGIN", new_y="NEXT"
        )
        self.set_font(FAMILY, size=BODY)

    def pairs(self, rows: list[tuple[str, str]], *, width: float = 42) -> None:
        """Names and what they stand for."""
        for name, value in rows:
            if value:
                self.set_text_color(GREY)
                self.cell(width, LINE, self.drawable(name))
                self.set_text_color(0)
                self.multi_cell(0, LINE, self.drawable(value), align="L", new_x="LMARGIN", new_y="NEXT")

    def keep(self, height: float) -> None:
        """Begin a new page where this much does not fit on this one."""
        if self.get_y() + height > self.page_break_trigger:
            self.add_page()


def letters_of(font: object) -> frozenset[int]:
    """The code points that an embedded font can draw."""
    if not isinstance(font, TTFFont):
        raise TypeError("the invoice's font is embedded")
    return frozenset(font.cmap)


def pdf_of(city: City, seen: SeenInvoice, language: str, *, compress: bool = True) -> bytes:
    """The file, in a language of the city."""
    with writing_for(city, language):
        return drawn(seen, language, compress=compress)


def drawn(seen: SeenInvoice, language: str, *, compress: bool) -> bytes:
    invoice = seen.invoice
    seller, buyer = SellerTexts(**invoice.seller), BuyerTexts(**invoice.buyer)
    title = title_of(invoice)
    paper = Paper(
        ", ".join(part for part in (seller.name, seller.business_id, seller.vat_number) if part),
        compress=compress,
    )
    paper.set_lang(language)
    paper.set_title(paper.drawable(f"{title} {invoice.number}"))
    paper.set_author(paper.drawable(seller.name))
    paper.set_creation_date(invoice.issued_at)
    paper.add_page()
    head(paper, seen, seller, buyer, title)
    table(paper, seen, language)
    sums(paper, seen)
    if invoice.kind == "invoice":
        how_to_pay(paper, seen, seller)
    made = bytes(paper.output())
    paper.close()
    return made


def title_of(invoice: Invoice) -> str:
    return str(gettext("Credit note") if invoice.kind == "credit_note" else gettext("Invoice"))


def money(minor: int, currency: str) -> str:
    """With its cents always, as in books."""
    if minor % 100:
        return format_money(Money(minor, currency))
    mark = "." if reader_language() == "en" else ","
    # The least amount with cents has the form; its digits are replaced.
    return format_money(Money(minor + (1 if minor >= 0 else -1), currency)).replace(f"{mark}01", f"{mark}00")


def date_text(day: datetime | object) -> str:
    return f"{day:%d.%m.%Y}"


def head(paper: Paper, seen: SeenInvoice, seller: SellerTexts, buyer: BuyerTexts, title: str) -> None:
    invoice = seen.invoice
    paper.say(seller.name, size=12, bold=True)
    paper.say(f"{seller.street}, {seller.postcode} {seller.locality}", size=SMALL)
    contact = ", ".join(part for part in (seller.email, seller.phone) if part)
    if contact:
        paper.say(contact, size=SMALL)
    paper.ln(6)
    paper.say(f"{title} {invoice.number}", size=LARGE, bold=True)
    paper.ln(3)
    lines = [buyer.name, buyer.recipient, buyer.street, f"{buyer.postcode} {buyer.locality}"]
    if buyer.country != seller.country:
        lines.append(buyer.country)
    paper.say("\n".join(line for line in lines if line))
    paper.ln(3)
    rows = [
        (gettext("Date"), date_text(invoice.issued_on)),
        (gettext("Business ID"), buyer.business_id),
        (gettext("Your reference"), buyer.buyer_reference),
    ]
    if seen.credited is not None:
        credited = f"{seen.credited.number}, {date_text(seen.credited.issued_on)}"
        rows.append((gettext("Credits invoice"), credited))
        rows.append((gettext("Reason"), invoice.credit_reason))
    else:
        rows.append((gettext("Due date"), date_text(invoice.due_on)))
        rows.append((gettext("Reference number"), rules.grouped(invoice.reference)))
    paper.pairs([(str(name), value) for name, value in rows])
    paper.ln(4)


def table(paper: Paper, seen: SeenInvoice, language: str) -> None:
    currency = seen.invoice.currency
    paper.set_font(FAMILY, size=SMALL)
    paper.set_draw_color(200)
    heads = (
        gettext("What"),
        gettext("VAT rate"),
        gettext("Net"),
        gettext("VAT"),
        gettext("Total"),
    )
    with paper.table(
        col_widths=COLUMNS,
        width=sum(COLUMNS),
        align="LEFT",
        text_align=("LEFT", "RIGHT", "RIGHT", "RIGHT", "RIGHT"),
        borders_layout=TableBordersLayout.HORIZONTAL_LINES,
        headings_style=FontFace(emphasis="BOLD"),
        line_height=4.4,
        padding=(1.2, 1, 1.2, 0),
    ) as grid:
        grid.row([paper.drawable(str(text)) for text in heads])
        for line in seen.lines:
            text = f"{localised(line.texts, language)} ({line.booking_reference})"
            grid.row(
                [
                    paper.drawable(text),
                    rate_text(line.vat_basis_points),
                    paper.drawable(money(line.net_minor, currency)),
                    paper.drawable(money(line.vat_minor, currency)),
                    paper.drawable(money(line.gross_minor, currency)),
                ]
            )
    paper.set_font(FAMILY, size=BODY)
    paper.ln(4)


def rate_text(basis_points: int) -> str:
    return f"{format_number(basis_points / 100)}{NBSP}%"


def sums(paper: Paper, seen: SeenInvoice) -> None:
    invoice, currency = seen.invoice, seen.invoice.currency
    rates = rules.sums_by_rate(seen.lines)
    paper.keep(LINE * (len(rates) + 4))
    rows = [
        (
            str(gettext("VAT %(rate)s", rate=rate_text(rate.basis_points))),
            str(
                gettext(
                    "%(vat)s of %(net)s",
                    vat=money(rate.vat_minor, currency),
                    net=money(rate.net_minor, currency),
                )
            ),
        )
        for rate in rates
    ]
    rows.append((str(gettext("Price without tax")), money(invoice.net_minor, currency)))
    rows.append((str(gettext("VAT in all")), money(invoice.vat_minor, currency)))
    paper.pairs(rows)
    text = gettext("To your credit") if invoice.kind == "credit_note" else gettext("To pay")
    paper.say(f"{text}: {money(abs(invoice.gross_minor), currency)}", size=12, bold=True)
    if invoice.kind == "credit_note":
        paper.say(str(gettext("Nothing is to be paid. The credit lowers what is owed on the invoice.")))
    paper.ln(4)


def how_to_pay(paper: Paper, seen: SeenInvoice, seller: SellerTexts) -> None:
    invoice = seen.invoice
    paper.keep(78)
    paper.say(str(gettext("How to pay")), size=12, bold=True)
    paper.pairs(
        [
            (str(gettext("Paid to")), seller.name),
            ("IBAN", rules.grouped_iban(seller.iban)),
            ("BIC", seller.bic),
            (str(gettext("Reference number")), rules.grouped(invoice.reference)),
            (str(gettext("Reference in RF form")), rules.grouped(rules.rf_of(invoice.reference))),
            (str(gettext("Due date")), date_text(invoice.due_on)),
            (str(gettext("Amount")), money(invoice.gross_minor, invoice.currency)),
        ]
    )
    late = localised(seller.late_texts)
    if late:
        paper.say(late, size=SMALL)
    digits = rules.bank_barcode(seller.iban, invoice.reference, invoice.gross_minor, invoice.due_on)
    if digits:
        paper.ln(3)
        bars(paper, digits)
        name = gettext("Bank barcode")
        paper.say(f"{name}:{NBSP}{digits}", size=SMALL)


def bars(paper: Paper, digits: str) -> None:
    """Code 128, set C. The same digits stand below it as text."""
    x, y = paper.l_margin, paper.get_y()
    paper.set_fill_color(0)
    for n, width in enumerate(rules.code_128_widths(digits)):
        if n % 2 == 0:
            paper.rect(x, y, width * MODULE, BAR_HEIGHT, style="F")
        x += width * MODULE
    paper.set_y(y + BAR_HEIGHT + 1.5)
