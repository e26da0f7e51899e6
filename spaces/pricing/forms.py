"""Shapes of the price page's input: amounts as people write them, the list with its rows, a discount code."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from werkzeug.datastructures import MultiDict

from marketplace.errors import N_, FieldError
from spaces.pricing.actions import AskedCode
from spaces.pricing.cancelling import MOST_TIERS, CancelTerms, CancelTier
from spaces.pricing.lists import MOST_ROWS, PriceList
from spaces.pricing.outdoor import TariffChoice
from spaces.pricing.rules import DAY_MINUTES, WEEK, Variation
from spaces.pricing.ways import USUAL_WAYS, in_order

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
class TierFields:
    """A step of cancelling as it stands in the form: so many hours ("h") or days ("d") before, so many per cent."""

    number: str = ""
    unit: str = "d"
    percent: str = ""
    errors: list[str] = field(default_factory=list)

    @classmethod
    def of_tier(cls, tier: CancelTier) -> "TierFields":
        days, rest = divmod(tier.hours, 24)
        in_days = days > 1 and not rest
        return cls(str(days if in_days else tier.hours), "d" if in_days else "h", str(tier.kept_percent))

    @property
    def is_blank(self) -> bool:
        return not self.number and not self.percent

    def as_tier(self) -> CancelTier | None:
        """None for what is no step."""
        number, share = read_whole(self.number), read_whole(self.percent)
        if number is None or share is None:
            return None
        return CancelTier(number * (24 if self.unit == "d" else 1), share)


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
    tiers: list[TierFields] = field(default_factory=list)
    cancel_fee: str = ""
    refund_if_rebooked: bool = False
    ways: list[str] = field(default_factory=lambda: list(USUAL_WAYS))
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
            [TierFields.of_tier(tier) for tier in list_.cancel.tiers],
            amount_text(list_.cancel.fee_minor) if list_.cancel.fee_minor else "",
            list_.cancel.refund_if_rebooked,
            list(list_.ways),
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
            read_tiers(values),
            text("cancel_fee"),
            "refund_if_rebooked" in values,
            # A form that asks nothing of ways leaves the usual one; one with none of them ticked says so.
            list(in_order(values.getlist("ways"))) if "ways_asked" in values else list(USUAL_WAYS),
        )

    def read_cancel(self) -> tuple[CancelTerms, list[FieldError]]:
        """What is typed of cancelling, the steps put in order, and what of it cannot be read."""
        wrong: list[FieldError] = []
        tiers = [row.as_tier() for row in self.tiers]
        for n, tier in enumerate(tiers, 1):
            if tier is None:
                text = N_("Step %(row)d: write a whole number of hours or days, and a share from 0 to 100.")
                wrong.append(FieldError(f"tier-{n}", "unreadable", text, (("row", n),)))
        fee = read_amount(self.cancel_fee) if self.cancel_fee else 0
        if fee is None:
            wrong.append(FieldError("cancel_fee", "no-amount", NOT_AN_AMOUNT))
        found = [tier for tier in tiers if tier is not None]
        if len(found) == len(tiers):
            # As they are saved, so that what is wrong is told at the row that the reader sees.
            self.tiers.sort(key=hours_of_row)
            found.sort(key=lambda tier: -tier.hours)
        return CancelTerms(tuple(found), fee or 0, self.refund_if_rebooked), wrong

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
        cancel, unread = self.read_cancel() if self.per != "free" else (CancelTerms(), [])
        wrong += unread
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
            cancel,
            tuple(self.ways),
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

    def with_blank_tiers(self, count: int) -> "ListFields":
        room = max(0, min(count, MOST_TIERS - len(self.tiers)))
        return replace(self, tiers=[*self.tiers, *(TierFields() for _ in range(room))])


def hours_of_row(row: TierFields) -> int:
    """For the order of the steps: the earliest first."""
    tier = row.as_tier()
    return -tier.hours if tier is not None else 0


def read_tiers(values: MultiDict[str, str]) -> list[TierFields]:
    """The steps as typed, without empty ones and without the one whose button to remove it was pressed."""
    found = []
    for n in range(1, MOST_TIERS + 2):
        if f"tier-{n}-number" not in values or values.get("do") == f"drop-tier-{n}":
            continue
        number, percent = (
            values[f"tier-{n}-{name}"][:LONGEST].replace("\x00", "").strip()
            if f"tier-{n}-{name}" in values
            else ""
            for name in ("number", "percent")
        )
        unit = "h" if values.get(f"tier-{n}-unit") == "h" else "d"
        row = TierFields(number, unit, percent.removesuffix("%").strip())
        if not row.is_blank:
            found.append(row)
    return found


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
