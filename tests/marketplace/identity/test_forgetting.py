"""Links, sessions and invitations are not kept for ever."""

from datetime import timedelta

from sqlalchemy import select

from marketplace.clock import now
from marketplace.identity.jobs import forget_old_links
from marketplace.identity.models import MailLink, SignedInSession
from tests.marketplace.identity.conftest import sign_in_at


def test_what_ended_a_month_ago_is_dropped(client, session, member, mailed_token):
    sign_in_at(client, member.email)
    client.post("/en/forgotten-password", data={"email": member.email})
    mailed_token()
    forget_old_links()
    assert session.scalars(select(MailLink)).all()
    assert session.scalars(select(SignedInSession)).all()
    session.scalars(select(MailLink)).one().expires_at = now() - timedelta(days=31)
    session.scalars(select(SignedInSession)).one().ended_at = now() - timedelta(days=31)
    session.commit()
    forget_old_links()
    assert session.scalars(select(MailLink)).all() == []
    assert session.scalars(select(SignedInSession)).all() == []
