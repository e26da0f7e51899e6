"""Sums on the pages and in the files are the ledger's, to the cent; no cell of a file is run as a formula."""

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bookings.finance.city_queries import balances_of
from bookings.finance.income_queries import income_by_month, income_lines
from bookings.finance.rules import EntrySum, MonthIncome, months_of, year_of
from bookings.invoices.models import CostObject
from bookings.terms.models import PaymentTerms
from bookings.terms.rules import MOST_FEE, city_fee, percent_text, read_percent
from marketplace.clock import now
from marketplace.money import Money
from marketplace.payments.models import LedgerLine
from marketplace.spreadsheets import amount, csv_text, harmless
from tests.bookings.finance.conftest import Reader, World
from tests.factories.finance import give_back, make_order

amounts = st.integers(-(10**9), 10**9)
months = st.dates(date(2026, 1, 1), date(2026, 12, 31)).map(lambda day: day.replace(day=1))
entries = st.builds(EntrySum, months, amounts, amounts, amounts)


@given(st.lists(entries))
def test_months_lose_nothing(sums: list[EntrySum]) -> None:
    found = months_of(sums)
    assert [one.month for one in found] == sorted({one.month for one in sums})
    year = year_of(found, 2026)
    assert year.sold_minor - year.back_minor == sum(one.gross_minor for one in sums)
    assert year.vat_minor == sum(one.vat_minor for one in sums)
    assert year.left_minor == sum(one.gross_minor - one.fee_minor for one in sums)
    assert all(one.sold_minor >= 0 and one.back_minor >= 0 for one in found)
    assert year_of([], 2026) == MonthIncome(date(2026, 1, 1))


@given(st.integers(0, 10_000))
def test_a_percentage_is_read_as_it_is_written(basis_points: int) -> None:
    assert read_percent(percent_text(basis_points)) == basis_points
    assert read_percent(percent_text(basis_points, point=".") + " %") == basis_points


@given(st.text(max_size=12))
def test_whatever_is_typed_is_a_percentage_or_none(text: str) -> None:
    read = read_percent(text)
    assert read is None or 0 <= read <= 10_000


@given(st.integers(0, 10**9), st.integers(0, MOST_FEE))
def test_the_fee_is_a_whole_share(total: int, basis_points: int) -> None:
    fee = city_fee(Money(total), basis_points).minor
    assert 0 <= fee <= total
    assert abs(Decimal(fee) - Decimal(total) * basis_points / 10_000) <= Decimal("0.5")


@given(amounts)
def test_amounts_in_files_are_exact(minor: int) -> None:
    assert Decimal(amount(minor).replace(",", ".")) * 100 == minor


@given(st.text())
def test_no_text_begins_as_a_formula(text: str) -> None:
    assert not harmless(text).startswith(("=", "+", "-", "@", "\t", "\r"))


@pytest.mark.parametrize("text", ["=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "'=1"])
def test_formulas_in_files_are_texts(text: str) -> None:
    ((cell, number),) = list(csv.reader(io.StringIO(csv_text([], [[text, -5]])), delimiter=";"))[1:]
    assert cell == f"'{text}"
    assert number == "-0,05"


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.booleans(), st.integers(1, 10**6), st.integers(0, 50), st.integers(0, 100), st.integers(1, 12)
        ),
        max_size=4,
    )
)
def test_income_is_the_ledgers(
    world: World, session: Session, sales: list[tuple[bool, int, int, int, int]]
) -> None:
    nested = session.begin_nested()
    for is_private, total, percent, back, month in sales:
        at = datetime(2026, month, 1, 0, 30, tzinfo=UTC)
        order = make_order(
            session,
            world.company_booking if is_private else world.division_booking,
            total=total,
            payee=world.company.id if is_private else None,
            fee=total * percent // 100 if is_private else 0,
            at=at,
        )
        if total * back // 100:
            give_back(session, order, total * back // 100, at=at)
    city = world.city
    for owner, is_private in ((world.company, True), (world.division, False)):
        year = year_of(income_by_month(session, city, owner.id, 2026), 2026)
        mine = [(total, back) for private, total, _, back, _ in sales if private == is_private]
        assert year.sold_minor == sum(total for total, _ in mine)
        assert year.back_minor == sum(total * back // 100 for total, back in mine)
        lines = income_lines(session, city, owner.id, 2026)
        assert sum(line.amount_minor for line in lines) == year.left_minor
    supplier = -sum(
        line.amount_minor
        for line in income_lines(session, city, world.company.id, 2026)
        if line.account == "supplier"
    )
    posted = session.scalar(
        select(func.coalesce(func.sum(LedgerLine.amount_minor), 0)).where(LedgerLine.account == "supplier")
    )
    # What orders credited suppliers with, payments have passed on: nothing is owed any more.
    assert posted == 0
    assert supplier == -sum(total - total * back // 100 for private, total, _, back, _ in sales if private)
    balances = balances_of(session, city, date(2026, 12, 1))
    assert sum(one.after_minor for one in balances) == 0
    nested.rollback()


def test_months_are_the_citys_own(world: World, session: Session) -> None:
    """Half an hour after midnight in Helsinki it is still the month before in London."""
    make_order(session, world.division_booking, at=datetime(2026, 9, 30, 21, 30, tzinfo=UTC))
    assert [one.month for one in income_by_month(session, world.city, world.division.id, 2026)] == [
        date(2026, 10, 1)
    ]
    assert [one.before_minor for one in balances_of(session, world.city, date(2026, 10, 1))] == [0] * 4


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), delimiter=";"))


def test_the_ledger_for_the_bookkeeping(reader: Reader, world: World, session: Session) -> None:
    session.add(
        PaymentTerms(city_id=world.city.id, gl_accounts={"gateway": "1910", "income": "3000", "vat": "2939"})
    )
    session.add(
        CostObject(
            city_id=world.city.id,
            organisation_id=world.division.id,
            venue_id=None,
            cost_centre="1234567890",
            internal_order="IO-1",
            gl_account="3100",
        )
    )
    world.company.name = '=HYPERLINK("http://example.org")'
    make_order(session, world.division_booking, total=4000, at=now())
    make_order(session, world.company_booking, total=10000, payee=world.company.id, fee=750, at=now())
    session.commit()
    answer = reader("staff").get("/en/desk/finance.csv")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    rows = rows_of(answer.text)
    (income,) = [row for row in rows if row["account"] == "income"]
    assert (income["gl_account"], income["cost_centre"], income["internal_order"]) == (
        "3100",
        "1234567890",
        "IO-1",
    )
    (vat,) = [row for row in rows if row["account"] == "vat"]
    assert (vat["gl_account"], vat["vat_percent"], vat["cost_centre"]) == ("2939", "25,5", "")
    assert {row["gl_account"] for row in rows if row["account"] == "gateway"} == {"1910"}
    suppliers = {row["party"] for row in rows if row["account"] == "supplier"}
    assert suppliers == {'\'=HYPERLINK("http://example.org")'}

    def total(column: str) -> Decimal:
        return sum((Decimal(row[column].replace(",", ".") or 0) for row in rows), Decimal(0))

    assert total("debit") == total("credit") > 0


def test_a_suppliers_file_adds_up_to_the_page(reader: Reader, world: World, session: Session) -> None:
    order = make_order(session, world.company_booking, total=9999, payee=world.company.id, fee=333, at=now())
    give_back(session, order, 1234, at=now())
    session.commit()
    rows = rows_of(reader("manager").get(f"/en/desk/income.csv?organisation={world.company.id}").text)
    year = year_of(income_by_month(session, world.city, world.company.id, now().year), now().year)
    assert sum(Decimal(row["Amount"].replace(",", ".")) for row in rows) * 100 == year.left_minor
