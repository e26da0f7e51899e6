"""Reference numbers, due dates, sums by rate, parts of lines, the bank barcode."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import iso11649

from bookings.invoices import rules
from bookings.invoices.rules import Amounts
from marketplace.money import Money

BASES = st.integers(min_value=100, max_value=10**19 - 1)


@pytest.mark.parametrize(
    ("base", "reference"), [(1111, "11112"), (123456, "1234561"), (8685162596_1989, None)]
)
def test_known_reference_numbers(base: int, reference: str | None) -> None:
    made = rules.reference_of(base)
    if reference:
        assert made == reference
    assert rules.is_reference(made)


def test_the_federations_own_example() -> None:
    assert rules.is_reference("86851 62596 19897")
    assert rules.rf_of("868516259619897") == "RF0986851625" + "9619897"


@given(BASES)
def test_a_reference_goes_there_and_back(base: int) -> None:
    reference = rules.reference_of(base)
    rf = rules.rf_of(reference)
    assert rules.is_reference(reference)
    assert iso11649.is_valid(rf)
    assert rules.rf_rest(rf) == 1
    assert rules.plain_reference(rules.grouped(reference)) == reference
    assert rules.plain_reference(rules.grouped(rf)) == reference


@given(BASES, st.data())
def test_one_wrong_digit_is_seen(base: int, data: st.DataObject) -> None:
    reference = rules.reference_of(base)
    place = data.draw(st.integers(0, len(reference) - 1))
    digit = data.draw(st.sampled_from([one for one in "0123456789" if one != reference[place]]))
    wrong = reference[:place] + digit + reference[place + 1 :]
    # A first digit that becomes 0 is dropped, which another length tells as well.
    assert not rules.is_reference(wrong) or len(rules.plain_reference(wrong)) < len(reference)
    assert not iso11649.is_valid(rules.rf_of(reference)[:4] + wrong)


@given(st.integers(1, 10**6), st.integers(1, 10**6), st.integers(1, 10**7), st.integers(1, 10**7))
def test_no_two_invoices_share_a_reference(a: int, b: int, m: int, n: int) -> None:
    same = rules.reference_base(a, 2026, m) == rules.reference_base(b, 2026, n)
    assert not same or (a, m) == (b, n)


@pytest.mark.parametrize(
    "text", ["", "1", "12", "RF00", "RF1811112", "11113", "abc", "١١١١٢", "RF98 1111 2x"]
)
def test_what_is_no_reference(text: str) -> None:
    assert not rules.is_reference(text)


@pytest.mark.parametrize(
    ("issued", "days", "due"),
    [
        (date(2026, 11, 24), 14, date(2026, 12, 8)),
        (date(2026, 11, 22), 14, date(2026, 12, 7)),  # the sixth is Independence Day and a Sunday
        (date(2026, 12, 10), 14, date(2026, 12, 28)),  # Christmas Eve, two days of Christmas, a Sunday
        (date(2026, 11, 27), 0, date(2026, 11, 27)),
        (date(2026, 11, 28), 0, date(2026, 11, 30)),
    ],
)
def test_the_due_day_is_a_banking_day(issued: date, days: int, due: date) -> None:
    from spaces.calendar.public_holidays import holidays_of_year  # noqa: PLC0415

    assert rules.due_date(issued, days, is_holiday=lambda day: day in holidays_of_year("FI", day.year)) == due


LINES = st.lists(
    st.builds(
        lambda gross, rate: rules.RateSum(rate, gross - (vat := Money(gross).vat_included(rate).minor), vat),
        st.integers(-(10**7), 10**7),
        st.sampled_from([0, 1000, 1350, 1400, 2550]),
    ),
    max_size=40,
)


class Line:
    def __init__(self, one: rules.RateSum) -> None:
        self.net_minor, self.vat_minor, self.vat_basis_points = one.net_minor, one.vat_minor, one.basis_points


@given(LINES)
def test_the_sums_by_rate_are_the_whole_to_the_cent(rows: list[rules.RateSum]) -> None:
    lines = [Line(row) for row in rows]
    total = rules.total_of(lines)
    by_rate = rules.sums_by_rate(lines)
    assert sum(one.net_minor for one in by_rate) == total.net_minor
    assert sum(one.vat_minor for one in by_rate) == total.vat_minor
    assert sum(one.gross_minor for one in by_rate) == sum(row.gross_minor for row in rows)
    assert len({one.basis_points for one in by_rate}) == len(by_rate)


@given(st.integers(1, 10**7), st.sampled_from([0, 1000, 1350, 2550]), st.data())
def test_parts_of_a_line_never_come_to_more_than_the_line(gross: int, rate: int, data: st.DataObject) -> None:
    vat = Money(gross).vat_included(rate).minor
    line, already = Amounts(gross - vat, vat), Amounts(0, 0)
    while already.gross_minor < gross:
        left = gross - already.gross_minor
        part = rules.part_of(line, already, data.draw(st.integers(max(1, left // 3), left)))
        assert part.vat_minor >= 0
        assert part.net_minor >= 0 or part.gross_minor <= 2
        already = Amounts(already.net_minor + part.net_minor, already.vat_minor + part.vat_minor)
        assert abs(already.vat_minor * gross - vat * already.gross_minor) <= gross
    assert already == line
    with pytest.raises(ValueError, match="no more"):
        rules.part_of(line, already, 1)


@pytest.mark.parametrize("gross", [0, -1])
def test_nothing_and_less_cannot_be_credited(gross: int) -> None:
    with pytest.raises(ValueError, match="no more"):
        rules.part_of(Amounts(100, 0), Amounts(0, 0), gross)


@pytest.mark.parametrize(
    ("iban", "reference", "minor", "due", "digits"),
    [
        ("FI3715903000000776", "11112", 1225, date(2016, 12, 21), "437159030000007760000122500000000000000000011112161221"),
        ("FI3715903000000776", "RF9811112", 110, date(2017, 1, 1), "537159030000007760000011098000000000000000011112170101"),
        ("FI3715903000000776", "11112", 0, None, "437159030000007760000000000000000000000000011112000000"),
        ("FI7944052020036082", "868516259619897", 488315, date(2010, 6, 12), "479440520200360820048831500000000868516259619897100612"),
    ],
)  # fmt: skip
def test_known_bank_barcodes(iban: str, reference: str, minor: int, due: date | None, digits: str) -> None:
    assert rules.bank_barcode(iban, reference, minor, due) == digits
    assert len(digits) == 54


def test_a_barcode_is_for_finnish_accounts_and_amounts_that_fit() -> None:
    assert rules.bank_barcode("SE4550000000058398257466", "11112", 1, None) is None
    too_much = rules.bank_barcode("FI3715903000000776", "11112", 100_000_000, None)
    assert too_much is not None
    assert too_much[17:25] == "00000000"


def test_code_128_is_a_proper_code() -> None:
    signs = rules.CODE_128
    assert len(signs) == 107
    assert len(set(signs)) == 107
    assert all(sum(map(int, sign)) == 11 and len(sign) == 6 for sign in signs[:-1])
    # Each sign's bars are an even number of modules wide: what readers check a sign by.
    assert all(sum(map(int, sign[::2])) % 2 == 0 for sign in signs[:-1])
    assert sum(map(int, signs[-1])) == 13


def test_code_128_of_known_digits() -> None:
    # 123456 in set C: 105 + 1*12 + 2*34 + 3*56 = 353, 353 mod 103 = 44.
    assert rules.code_128_values("123456") == [105, 12, 34, 56, 44, 106]
    assert len(rules.code_128_widths("0" * 54)) == 6 * 29 + 7


@given(
    gross=st.integers(1, 1000),
    credited=st.integers(0, 1000),
    paid=st.integers(0, 2000),
    late=st.booleans(),
)
def test_what_becomes_of_an_invoice(gross: int, credited: int, paid: int, late: bool) -> None:
    today = date(2026, 12, 9)
    state = rules.state_of(
        gross_minor=gross,
        credited_minor=min(credited, gross),
        paid_minor=paid,
        due_on=date(2026, 12, 8) if late else today,
        today=today,
    )
    left = gross - min(credited, gross) - paid
    if min(credited, gross) == gross:
        assert state == "credited"
    elif left <= 0:
        assert state == "paid"
    else:
        assert state == ("overdue" if late else "sent")
