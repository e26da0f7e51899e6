"""The ledger's one writer."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from marketplace.payments.errors import MoneyDisagrees
from marketplace.payments.models import LedgerEntry, LedgerLine
from marketplace.payments.rules import Posting


def post(
    session: Session,
    city_id: int,
    *,
    kind: str,
    currency: str,
    reference: str,
    key: str,
    at: datetime,
    lines: Sequence[Posting],
    about: Mapping[str, Any] | None = None,
) -> LedgerEntry:
    """Write one entry, whose lines sum to zero. The same `key` is the same entry, however often it is posted.

    Raises ValueError where the lines do not balance, MoneyDisagrees where the key stands for other lines.
    """
    if len(lines) < 2 or sum(line.amount_minor for line in lines) != 0:
        raise ValueError(f"{key}: {len(lines)} lines do not balance")
    made: LedgerEntry | None = session.scalar(
        insert(LedgerEntry)
        .values(
            city_id=city_id,
            kind=kind,
            currency=currency,
            reference=reference,
            key=key,
            at=at,
            about=dict(about or {}),
        )
        .on_conflict_do_nothing(index_elements=["city_id", "key"])
        .returning(LedgerEntry)
    )
    if made is None:
        return the_same(session, city_id, currency=currency, key=key, lines=lines)
    session.add_all(
        LedgerLine(
            city_id=city_id,
            entry_id=made.id,
            position=position,
            account=line.account,
            party_id=line.party_id,
            vat_basis_points=line.vat_basis_points,
            amount_minor=line.amount_minor,
        )
        for position, line in enumerate(lines)
    )
    session.flush()
    return made


def the_same(
    session: Session, city_id: int, *, currency: str, key: str, lines: Sequence[Posting]
) -> LedgerEntry:
    """The entry that was posted with this key. Raises MoneyDisagrees where it says something else."""
    entry = session.scalars(
        select(LedgerEntry).where(LedgerEntry.city_id == city_id, LedgerEntry.key == key)
    ).one()
    posted = session.scalars(
        select(LedgerLine)
        .where(LedgerLine.city_id == city_id, LedgerLine.entry_id == entry.id)
        .order_by(LedgerLine.position)
    )
    known = [
        Posting(line.account, line.amount_minor, line.party_id, line.vat_basis_points) for line in posted
    ]
    if entry.currency != currency or known != list(lines):
        raise MoneyDisagrees(f"ledger entry {key} was posted with other lines")
    return entry
