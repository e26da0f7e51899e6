"""The ledger balances and only grows, whoever writes to it."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.payments.errors import MoneyDisagrees
from marketplace.payments.ledger_actions import post
from marketplace.payments.models import LedgerEntry
from marketplace.payments.queries import balance, balances, lines_of_reference
from marketplace.payments.rules import Posting

SALE = [Posting("payer", 1255), Posting("income", -1000), Posting("vat", -255, vat_basis_points=2550)]


def posted(session: Session, city: City, lines: list[Posting] = SALE, key: str = "sale:1") -> LedgerEntry:
    return post(session, city.id, kind="sale", currency="EUR", reference="A", key=key, at=now(), lines=lines)


def checked(session: Session) -> None:
    """As at the end of a transaction."""
    session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))


def test_an_entry_is_posted_with_its_lines(session: Session, city: City) -> None:
    entry = posted(session, city)
    checked(session)
    assert balances(session, city.id, reference="A") == {"payer": 1255, "income": -1000, "vat": -255}
    assert balance(session, city.id, account="payer") == 1255
    assert balance(session, city.id) == 0
    assert [line.position for _, line in lines_of_reference(session, city.id, "A")] == [0, 1, 2]
    assert entry.about == {}


def test_the_same_key_is_the_same_entry(session: Session, city: City) -> None:
    assert posted(session, city).id == posted(session, city).id
    assert balance(session, city.id, account="payer") == 1255


def test_the_same_key_with_other_lines_is_refused(session: Session, city: City) -> None:
    posted(session, city)
    with pytest.raises(MoneyDisagrees):
        posted(session, city, [Posting("payer", 1), Posting("income", -1)])


@pytest.mark.parametrize(
    "lines", [[], [Posting("payer", 5)], [Posting("payer", 5), Posting("income", -4)]], ids=len
)
def test_what_does_not_balance_is_refused_before_the_database(
    session: Session, city: City, lines: list[Posting]
) -> None:
    with pytest.raises(ValueError, match="do not balance"):
        posted(session, city, lines)


ENTRY = (
    "INSERT INTO ledger_entry (city_id, kind, currency, reference, key, at)"
    " VALUES (:city, 'sale', 'EUR', 'B', 'b', now()) RETURNING id"
)
LINE = (
    "INSERT INTO ledger_line (city_id, entry_id, position, account, amount_minor)"
    " VALUES (:city, :entry, :position, 'payer', :amount)"
)


@pytest.mark.parametrize("sums", [[], [5], [5, -4], [1, 1]])
def test_the_database_refuses_an_entry_that_does_not_balance(
    session: Session, city: City, sums: list[int]
) -> None:
    entry = session.scalar(text(ENTRY), {"city": city.id})
    for position, amount in enumerate(sums):
        session.execute(text(LINE), {"city": city.id, "entry": entry, "position": position, "amount": amount})
    with pytest.raises(DBAPIError, match="ledger entry"):
        checked(session)


def test_a_line_added_later_is_refused(session: Session, city: City) -> None:
    entry = posted(session, city)
    checked(session)
    with pytest.raises(DBAPIError, match="sum to 5"):
        session.execute(text(LINE), {"city": city.id, "entry": entry.id, "position": 9, "amount": 5})


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_entry SET reference = 'X'",
        "UPDATE ledger_line SET amount_minor = amount_minor + 1",
        "DELETE FROM ledger_line",
        "DELETE FROM ledger_entry",
        "TRUNCATE ledger_line",
        "TRUNCATE ledger_entry CASCADE",
    ],
)
def test_what_was_posted_stays(session: Session, city: City, statement: str) -> None:
    posted(session, city)
    checked(session)
    with pytest.raises(DBAPIError, match="is refused"):
        session.execute(text(statement))


@pytest.mark.parametrize(
    "line",
    [
        Posting("no_such_account", 1),
        Posting("vat", 1),
        Posting("income", 1, vat_basis_points=2550),
        Posting("supplier", 1, party_id=2**40),
    ],
    ids=lambda line: line.account,
)
def test_the_database_refuses_lines_that_mean_nothing(session: Session, city: City, line: Posting) -> None:
    with pytest.raises(DBAPIError):
        posted(session, city, [line, Posting("payer", -1)])


def test_lines_of_nothing_are_refused(session: Session, city: City) -> None:
    with pytest.raises(DBAPIError):
        posted(session, city, [Posting("payer", 0), Posting("income", 0)])
