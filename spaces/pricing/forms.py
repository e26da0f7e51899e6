"""Shapes of the price page's input: amounts as people write them, the list with its rows, a discount code."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from werkzeug.datastructures import MultiDict

from marketplace.errors import N_, FieldError
from spaces.pricing.actions import AskedCode
from spaces.pricing.lists import MOST_ROWS, PriceList
from spaces.pricing.outdoor import TariffChoice
from spaces.pricing.rules import DAY_MINUTES, WEEK, Variation

AMOUNT = re.compile(r"(\d{1,6})(?:[.,](\d{1,2}))?", re.ASCII)
WHOLE = re.compile(r"\d{1,7}", re.ASCII)
LONGEST = 40
LONGEST_TARIFF = 300
BLANK_ROWS = 1
# Kinds of list whose amounts are not written here.
WITHOUT_AMOUNT = frozenset({"free", "tariff"})
NOT_AN_AMOUNT = N_("Write an amount such as 12 or 13,50.")


def read_amount(text: str) -> int | None:
    """ "13,50", "13.5 €" or "13" in minor units; None for what is no amount."""
    match = AMOUNT.fullmatch(re.sub(r"[\s€]", "", text[:LONGEST]))
    return int(match[1]) * 100 + int((match[2] or "").ljust(2, "0")) if match else None


def amount_text(minor: int | None) -> str:
    """An amount as it is put into a field: 13,50; whole euros without cents."""
    if minor is None:
        return ""
    return str(minor // 100) if minor % 100 == 0 else f"{Decimal(minor) / 100:.2f}".replace(".", ",")


def read_whole(text: str) -> int | None:
    plain = text[:LONGEST].strip()
    return int(plain) if WHOLE.fullmatch(plain) else None


def read_date(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip()) if len(text.strip()) == 10 else None
    except ValueError:
        return None


@dataclass
class RowFields:
    """A row as it stands in the form."""

    group: str = ""
    days: list[int] = field(default_factory=lambda: sorted(WEEK))
    start: str = "0"
    end: str = str(DAY_MINUTES)
    amount: str = ""
    errors: list[str] = field(default_factory=list)

    @property
    def is_blank(self) -> bool:
        """A row without an amount is one that nobody has filled in, or wants to be rid of."""
        return not self.amount.strip()


@dataclass
class ListFields:
    """The whole form: texts as typed, so that a refused list comes back as it was."""

    valid_from: str
    per: str = "hour"
    amount: str = ""
    slot_minutes: str = "30"
    minimum: str = ""
    build_percent: str = "100"
    vat_code: str = "standard"
    tariff: str = ""
    rows: list[RowFields] = field(default_factory=list)
    kept_percent: str = "100"
    errors: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def of_list(cls, list_: PriceList | None, *, today: date) -> "ListFields":
        """The list in force, to be changed from today on."""
        if list_ is None:
            return cls(today.isoformat())
        return cls(
            max(today, list_.valid_from).isoformat(),
            list_.per,
            amount_text(list_.base_minor) if list_.per not in WITHOUT_AMOUNT else "",
            str(list_.slot_minutes or 30),
            amount_text(list_.minimum_minor) if list_.minimum_minor else "",
            str(list_.build_percent),
            list_.vat_code,
            list_.tariff.code if list_.tariff else "",
            [
                RowFields(
                    row.group or "",
                    sorted(row.days),
                    str(row.from_minute),
                    str(row.to_minute),
                    amount_text(row.amount_minor),
                )
                for row in list_.rows
            ],
            str(list_.kept_percent),
        )

    @classmethod
    def read(cls, values: MultiDict[str, str]) -> "ListFields":
        def text(name: str) -> str:
            return values.get(name, "")[:LONGEST].replace("\x00", "").strip()

        rows = []
        for n in range(1, MOST_ROWS + 2):
            if f"row-{n}-amount" not in values:
                break
            days = sorted({int(day) for day in values.getlist(f"row-{n}-day")[:7] if day in set("1234567")})
            rows.append(
                RowFields(
                    text(f"row-{n}-group"),
                    days,
                    text(f"row-{n}-start"),
                    text(f"row-{n}-end"),
                    text(f"row-{n}-amount"),
                )
            )
        return cls(
            text("valid_from"),
            text("per"),
            text("amount"),
            text("slot_minutes"),
            text("minimum"),
            text("build_percent"),
            text("vat_code"),
            values.get("tariff", "")[:LONGEST_TARIFF].replace("\x00", ""),
            [row for row in rows if not row.is_blank],
            text("kept_percent"),
        )

    def as_list(self) -> tuple[PriceList | None, list[FieldError]]:
        """The list, or what cannot be read."""
        wrong: list[FieldError] = []
        valid_from = read_date(self.valid_from)
        if valid_from is None:
            wrong.append(FieldError("valid_from", "no-date", N_("Give the first day of the list.")))
        amounts: dict[str, int | None] = {}
        for name, typed in (("amount", self.amount), ("minimum", self.minimum)):
            counts = typed and self.per not in WITHOUT_AMOUNT
            amounts[name] = read_amount(typed) if counts else None
            if counts and amounts[name] is None:
                wrong.append(FieldError(name, "no-amount", NOT_AN_AMOUNT))
        if not self.amount and not self.rows and self.per not in WITHOUT_AMOUNT:
            wrong.append(FieldError("amount", "no-amount", NOT_AN_AMOUNT))
        rows = []
        for n, row in enumerate(self.rows if self.per not in WITHOUT_AMOUNT else [], 1):
            minor = read_amount(row.amount)
            if minor is None:
                wrong.append(
                    FieldError(
                        f"row-{n}",
                        "no-amount",
                        N_("Row %(row)d: write an amount such as 12 or 13,50."),
                        (("row", n),),
                    )
                )
                continue
            start, end = read_whole(row.start), read_whole(row.end)
            rows.append(
                Variation(
                    minor, row.group or None, frozenset(row.days), -1 if start is None else start, end or 0
                )
            )
        slot, share = read_whole(self.slot_minutes), read_whole(self.build_percent or "100")
        kept = read_whole(self.kept_percent or "100")
        if wrong or valid_from is None:
            return None, wrong
        list_ = PriceList(
            valid_from,
            self.per,
            amounts["amount"],
            slot,
            amounts["minimum"] or 0,
            -1 if share is None else share,
            self.vat_code,
            tuple(rows),
            self.choice,
            -1 if kept is None else kept,
        )
        return (replace(list_, amount_minor=0) if self.per in WITHOUT_AMOUNT else list_), []

    @property
    def choice(self) -> TariffChoice | None:
        """The chosen rows of the city's tariff; None where nothing is chosen, or nonsense."""
        try:
            return TariffChoice.of_code(self.tariff) if self.per == "tariff" else None
        except ValueError:
            return None

    def with_blank_rows(self, count: int = BLANK_ROWS) -> "ListFields":
        room = max(0, min(count, MOST_ROWS - len(self.rows)))
        return replace(self, rows=[*self.rows, *(RowFields() for _ in range(room))])


def read_code(values: Mapping[str, str], *, today: date) -> tuple[AskedCode | None, list[FieldError]]:
    """A discount code as typed, or what cannot be read."""
    wrong = []
    numbers: dict[str, int | None] = {}
    for name, read, text in (
        ("percent", read_whole, N_("Give a share from 1 to 100.")),
        ("code_amount", read_amount, NOT_AN_AMOUNT),
        ("max_uses", read_whole, N_("Give a whole number from 1 to 1,000,000.")),
    ):
        typed = values.get(name, "").strip()
        numbers[name] = read(typed) if typed else None
        if typed and numbers[name] is None:
            wrong.append(FieldError(name, "unreadable", text))
    days: dict[str, date | None] = {}
    for name in ("code_from", "code_until"):
        typed = values.get(name, "").strip()
        days[name] = read_date(typed) if typed else None
        if typed and days[name] is None:
            wrong.append(FieldError(name, "no-date", N_("Write a date such as 2027-05-31.")))
    if wrong:
        return None, wrong
    return (
        AskedCode(
            values.get("code", "")[: LONGEST + 1].replace("\x00", ""),
            numbers["percent"],
            numbers["code_amount"],
            days["code_from"] or today,
            days["code_until"],
            numbers["max_uses"],
        ),
        [],
    )
