"""The audit trail's one writer."""

from typing import Any

from sqlalchemy.orm import Session

from marketplace.accounts.actor import Actor
from marketplace.accounts.models import AuditEntry


def audit(session: Session, actor: Actor, action: str, kind: str, subject_id: int, **details: Any) -> None:
    """Write down that `actor` did `action` to the row `kind`/`subject_id`, in the present transaction."""
    session.add(
        AuditEntry(
            city_id=actor.city_id,
            person_id=actor.person_id,
            organisation_id=actor.acting_for,
            source=actor.source,
            ip=actor.ip,
            action=action,
            subject_kind=kind,
            subject_id=subject_id,
            details=details,
        )
    )
