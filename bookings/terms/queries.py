"""Reads of the city's terms of money."""

from sqlalchemy.orm import Session

from bookings.terms.models import PaymentTerms


def terms_of(session: Session, city_id: int) -> PaymentTerms | None:
    return session.get(PaymentTerms, city_id)


def city_fee_basis_points(session: Session, city_id: int) -> int:
    """What the city keeps of private suppliers' income, in hundredths of a per cent."""
    terms = terms_of(session, city_id)
    return 0 if terms is None else terms.city_fee_basis_points


def gl_accounts(session: Session, city_id: int) -> dict[str, str]:
    """The bookkeeping's accounts by account of our ledger."""
    terms = terms_of(session, city_id)
    return {} if terms is None else dict(terms.gl_accounts)
