"""Price lists in one cell of a table, as people write them.

A list is its first day, its base price, and what differs from it with bars between; a later list follows a semicolon:

    2026-01-01 20.00 per hour minimum=10.00 | association 10.00 | everyone 25.00 sa,su 08:00-24:00; 2027-01-01 22.00 per hour
    15.00 per slot slot=45; 2.50 per m2_day build=50 vat=reduced; free
    2026-01-01 per tariff tariff=allu/EVENT//zone-1//

Amounts are whole units of money with a point or a comma, tax included. Without a day the list has held all along. A base
price of `-` says that the prices for everyone cover the whole week by themselves. An empty cell tells nothing.
"""

import re
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from marketplace.errors import FieldError
from spaces.pricing.cancelling import NO_STEPS, CancelTerms, CancelTier
from spaces.pricing.lists import PERS, PriceList, faults, tidy
from spaces.pricing.outdoor import TariffChoice
from spaces.pricing.rules import CUSTOMER_GROUPS, DAY_MINUTES, WEEK, Variation
from spaces.pricing.ways import USUAL_WAYS, WAYS, in_order
from spaces.transfer.cells import joined, parts
from spaces.transfer.errors import RecordBroken
from spaces.transfer.hours_text import WEEKDAYS, days_text, read_days

FIELD = "prices"
# A list without a day holds from long ago, so that a page about the past has one too.
FIRST_DAY = date(2020, 1, 1)
MOST_LISTS = 20
FURTHEST = timedelta(days=5 * 365)
EVERYONE = "everyone"
OPTIONS = ("slot", "minimum", "build", "kept", "steps", "fee", "rebooked", "vat", "ways", "tariff")
BASE_PERS = tuple(per for per in PERS if per not in {"free", "tariff"})
DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
AMOUNT = re.compile(r"(\d{1,6})(?:[.,](\d{1,2}))?", re.ASCII)
STEP = re.compile(r"(\d{1,5}):(\d{1,3})", re.ASCII)
TIMES = re.compile(r"(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})", re.ASCII)


def prices_text(lists: Iterable[PriceList]) -> str:
    return joined(list_order(one) for one in sorted(lists, key=first_day))


def first_day(one: PriceList) -> date:
    return one.valid_from


def list_order(one: PriceList) -> str:
    words = [one.valid_from.isoformat()]
    if one.per == "free":
        words.append("free")
    elif one.per == "tariff":
        words += ["per", "tariff", f"tariff={tariff_text(one.tariff or TariffChoice())}"]
    else:
        words += ["-" if one.amount_minor is None else amount_text(one.amount_minor), "per", one.per]
    words += [f"slot={one.slot_minutes}"] if one.slot_minutes is not None else []
    words += [f"minimum={amount_text(one.minimum_minor)}"] if one.minimum_minor else []
    words += [f"build={one.build_percent}"] if one.build_percent != 100 else []
    if one.cancel.tiers:
        words.append(f"steps={steps_text(one.cancel)}")
    elif one.kept_percent != 100:
        words.append(f"kept={one.kept_percent}")
    words += [f"fee={amount_text(one.cancel.fee_minor)}"] if one.cancel.fee_minor else []
    words += ["rebooked=refund"] if one.cancel.refund_if_rebooked else []
    words += [f"vat={one.vat_code}"] if one.vat_code != "standard" else []
    words += [f"ways={ways_text(one.ways)}"] if one.ways != USUAL_WAYS else []
    return " | ".join([" ".join(words), *(row_order(row) for row in one.rows)])


def ways_text(ways: Iterable[str]) -> str:
    return ",".join(ways)


def read_ways(text: str) -> tuple[str, ...]:
    told = [word.strip() for word in text.split(",")]
    if not told or not set(told) <= set(WAYS):
        raise RecordBroken(FIELD, f"ways={text} are none of {', '.join(WAYS)}")
    return in_order(told)


def tariff_text(choice: TariffChoice) -> str:
    """Source, use, key, place, surface and payment class of the city's tariff; any but the first two may be empty."""
    return choice.code.replace("|", "/")


def steps_text(cancel: CancelTerms) -> str:
    """Hours before the beginning and the share that is kept from then on: 72:50,24:100."""
    return ",".join(f"{tier.hours}:{tier.kept_percent}" for tier in cancel.tiers)


def row_order(row: Variation) -> str:
    words = [row.group or EVERYONE, amount_text(row.amount_minor)]
    words += [days_text(row.days)] if row.days != WEEK else []
    if (row.from_minute, row.to_minute) != (0, DAY_MINUTES):
        words.append(f"{minute_text(row.from_minute)}-{minute_text(row.to_minute)}")
    return " ".join(words)


def amount_text(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02}"


def minute_text(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def read_prices(text: str) -> tuple[PriceList, ...] | None:
    """None where the cell tells nothing. Raises RecordBroken for the field "prices", with the list and the row."""
    told = [piece for piece in parts(text.replace("\n", ";")) if piece]
    if not told:
        return None
    if len(told) > MOST_LISTS:
        raise RecordBroken(FIELD, f"has {len(told)} lists; at most {MOST_LISTS} are taken")
    lists = tuple(sorted((read_list(piece) for piece in told), key=first_day))
    for one, following in pairwise(lists):
        if one.valid_from == following.valid_from:
            raise RecordBroken(FIELD, f"two lists begin on {one.valid_from}")
    return lists


def read_list(piece: str) -> PriceList:
    base, *rows = (part.strip() for part in piece.split("|"))
    words = base.split()
    given: dict[str, str] = {}
    while words and "=" in words[-1]:
        name, _, value = words.pop().partition("=")
        if name not in OPTIONS:
            raise RecordBroken(FIELD, f"{name!r} in {base!r} is none of {', '.join(OPTIONS)}")
        given[name] = value
    per: str
    amount: int | None
    valid_from = read_day(words.pop(0)) if words and DAY.fullmatch(words[0]) else FIRST_DAY
    if words == ["free"]:
        per, amount = "free", 0
    elif words == ["per", "tariff"]:
        per, amount = "tariff", 0
    elif len(words) == 3 and words[1] == "per" and words[2] in BASE_PERS:
        per, amount = words[2], None if words[0] == "-" else read_amount(words[0])
    else:
        raise RecordBroken(
            FIELD, f"{base!r} is not like 2026-01-01 20.00 per hour; after per comes {', '.join(BASE_PERS)}"
        )
    return PriceList(
        valid_from, per, amount,
        slot_minutes=read_whole("slot", given["slot"]) if "slot" in given else None,
        minimum_minor=read_amount(given["minimum"]) if "minimum" in given else 0,
        build_percent=read_whole("build", given["build"]) if "build" in given else 100,
        kept_percent=read_whole("kept", given["kept"]) if "kept" in given else 100,
        vat_code=given.get("vat", "standard"),
        rows=tuple(read_row(row) for row in rows),
        tariff=read_tariff(given["tariff"]) if "tariff" in given else None,
        cancel=read_cancel(given),
        ways=read_ways(given["ways"]) if "ways" in given else USUAL_WAYS,
    )  # fmt: skip


def read_cancel(given: Mapping[str, str]) -> CancelTerms:
    """What the list says of cancelling beside `kept`."""
    if "steps" in given and "kept" in given:
        raise RecordBroken(FIELD, "steps= stands in the place of kept=")
    if given.get("rebooked", "refund") != "refund":
        raise RecordBroken(FIELD, f"rebooked={given['rebooked']} is not rebooked=refund")
    tiers = []
    for piece in given["steps"].split(",") if "steps" in given else []:
        match = STEP.fullmatch(piece)
        if match is None:
            raise RecordBroken(FIELD, f"steps={given['steps']} is not like steps=72:50,24:100")
        tiers.append(CancelTier(int(match[1]), int(match[2])))
    fee = read_amount(given["fee"]) if "fee" in given else 0
    return CancelTerms(tuple(sorted(tiers, key=lambda tier: -tier.hours)), fee, "rebooked" in given)


def read_tariff(text: str) -> TariffChoice:
    try:
        return TariffChoice.of_code(text.replace("/", "|"))
    except ValueError:
        raise RecordBroken(
            FIELD, f"tariff={text} is not source/use/key/place/surface/class of the city's tariff"
        ) from None


def read_row(text: str) -> Variation:
    words = text.split()
    groups = (EVERYONE, *CUSTOMER_GROUPS)
    if not 2 <= len(words) <= 4 or words[0] not in groups:
        raise RecordBroken(
            FIELD, f"{text!r} is not like association 10.00 mo-fr 08:00-16:00; it is for {', '.join(groups)}"
        )
    days: frozenset[int] = WEEK
    start, end = 0, DAY_MINUTES
    for word in words[2:]:
        if match := TIMES.fullmatch(word):
            hour, minute, last_hour, last_minute = (int(part) for part in match.groups())
            start, end = hour * 60 + minute, last_hour * 60 + last_minute
            if max(minute, last_minute) > 59 or end > DAY_MINUTES:
                raise RecordBroken(FIELD, f"{word!r} are no times such as 08:00-16:00")
        else:
            try:
                days = frozenset(read_days(word.lower()))
            except RecordBroken as broken:
                raise RecordBroken(FIELD, f"{broken.reason}, or times such as 08:00-16:00") from None
    group = None if words[0] == EVERYONE else words[0]
    return Variation(read_amount(words[1]), group, days, start, end)


def read_amount(text: str) -> int:
    match = AMOUNT.fullmatch(text)
    if match is None:
        raise RecordBroken(FIELD, f"{text!r} is no amount such as 20.00")
    return int(match[1]) * 100 + int((match[2] or "").ljust(2, "0"))


def read_whole(name: str, text: str) -> int:
    if not re.fullmatch(r"\d{1,5}", text, re.ASCII):
        raise RecordBroken(FIELD, f"{name}={text} is no whole number")
    return int(text)


def read_day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise RecordBroken(FIELD, f"{text} is no day") from None


def check_lists(lists: Sequence[PriceList]) -> None:
    """What an owner's form would refuse too: a gap, rows that contradict each other. Raises RecordBroken.

    A price per hour of nothing is odd, but stored ones come back; the area is asked for where the list is written.
    """
    for one in lists:
        if unused := unused_option(one):
            raise RecordBroken(FIELD, f"the list from {one.valid_from}: {unused}")
        for fault in faults(tidy(one), has_area=True):
            if fault.code == "all-free":
                continue
            raise RecordBroken(FIELD, f"the list from {one.valid_from}: {fault_words(fault)}")


def check_writes(
    lists: Sequence[PriceList], *, has_area: bool, vat_codes: Callable[[date], Container[str]], today: date
) -> None:
    """What only a list that is to be written needs: an area, a tax rate, a first day that is not far off. Raises
    RecordBroken."""
    for one in lists:
        name = f"the list from {one.valid_from}"
        if one.per == "m2_day" and not has_area:
            raise RecordBroken(FIELD, f"{name}: the area of the space is not known, so m2_day gives no price")
        if one.valid_from > today + FURTHEST:
            raise RecordBroken(FIELD, f"{name}: a list begins within five years")
        if one.vat_code not in vat_codes(max(one.valid_from, today)):
            raise RecordBroken(FIELD, f"{name}: the city has no tax rate {one.vat_code!r} on its first day")


def unused_option(one: PriceList) -> str | None:
    """What a form leaves out in silence; in a file it is a mistake that somebody should see."""
    if one.per != "slot" and one.slot_minutes is not None:
        return f"slot={one.slot_minutes} belongs to a price per slot, not per {one.per}"
    if one.per not in {"day", "m2_day"} and one.build_percent != 100:
        return f"build={one.build_percent} belongs to a price per day, not per {one.per}"
    if one.per == "free" and one.kept_percent != 100:
        return f"kept={one.kept_percent} belongs to a price, and this one is free"
    if one.per == "free" and one.ways != USUAL_WAYS:
        return f"ways={ways_text(one.ways)} belongs to a price, and this one is free"
    if one.per == "free" and one.cancel != NO_STEPS:
        return "steps=, fee= and rebooked= belong to a price, and this one is free"
    if (one.tariff is not None) != (one.per == "tariff"):
        return "tariff= and per tariff belong together"
    if one.per in {"free", "tariff"} and (one.rows or one.minimum_minor):
        return f"{one.per} goes with no other prices"
    return None


def fault_words(fault: FieldError) -> str:
    """The fault in the words of the column: days, times and groups as the cell writes them."""
    values: dict[str, Any] = dict(fault.values)
    for name, value in values.items():
        if name == "day":
            values[name] = WEEKDAYS[value - 1]
        elif name in {"start", "end"}:
            values[name] = minute_text(value)
    return fault.text % values if values else fault.text


def same_content(one: PriceList, other: PriceList) -> bool:
    """Whether two lists say the same, from whatever day on. By the tariff the amount follows from its rows."""
    first, second = (stored_form(some, other.valid_from) for some in (one, other))
    if first.per == second.per == "tariff":
        first = replace(first, amount_minor=second.amount_minor)
    return first == second


def stored_form(one: PriceList, valid_from: date) -> PriceList:
    """The list as the database keeps it, beginning on this day: the base amount is always a number."""
    kept = tidy(one)
    # A tidy list by the tariff has forgotten what its rows come to.
    base = one.base_minor if one.per == "tariff" else kept.base_minor
    return replace(kept, valid_from=valid_from, amount_minor=base)


def lists_to_write(
    told: Sequence[PriceList], stored: Sequence[PriceList] | None, today: date
) -> list[PriceList]:
    """The lists that bring a space in step with what is told; `stored` None: the space is new, and takes them all.

    Of the days that are past only the list in force counts: where it differs, the told one holds from today on, and what
    was sold keeps its price. A list to come is replaced by the one that is told for its first day; others stay.
    """
    if stored is None:
        return [stored_form(one, one.valid_from) for one in told]
    writes = []
    begun = [one for one in told if one.valid_from <= today]
    if begun:
        holds = in_force(stored, today)
        if holds is None or not same_content(begun[-1], holds):
            writes.append(stored_form(begun[-1], today))
    known = {one.valid_from: one for one in stored}
    for one in told:
        if one.valid_from > today:
            old = known.get(one.valid_from)
            if old is None or not same_content(one, old):
                writes.append(stored_form(one, one.valid_from))
    return writes


def in_force(lists: Sequence[PriceList], day: date) -> PriceList | None:
    """The latest that has begun."""
    return max((one for one in lists if one.valid_from <= day), key=first_day, default=None)


def base_changed(holds: PriceList | None, per: str, amount_minor: int, vat_code: str, day: date) -> PriceList:
    """The list that follows when a file tells a base price alone: what else the owner has set stays where the price is
    for the same thing."""
    if holds is not None and holds.per == per and per != "free":
        return replace(holds, valid_from=day, amount_minor=amount_minor, vat_code=vat_code)
    return PriceList(day, per, amount_minor, vat_code=vat_code)
