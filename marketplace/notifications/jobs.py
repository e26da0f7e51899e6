"""What the clock does with what was sent."""

from datetime import timedelta

from sqlalchemy import delete

from marketplace.clock import now
from marketplace.db import transaction
from marketplace.notifications.models import NumberCode, TextLink, TextMessage

# Long enough to answer "I never got it", no longer: a number is personal data.
KEPT = timedelta(days=30)


def forget_old_texts() -> None:
    """Drop text messages of a month ago, and codes and short addresses that no longer work (nightly)."""
    at = now()
    with transaction() as session:
        session.execute(delete(TextMessage).where(TextMessage.created_at < at - KEPT))
        session.execute(delete(NumberCode).where(NumberCode.expires_at < at - timedelta(days=1)))
        session.execute(delete(TextLink).where(TextLink.expires_at < at))
