"""How often one place and one address may try. Counted by digests, so that the counters name nobody."""

from datetime import timedelta
from hashlib import sha256

from flask_babel import ngettext

from marketplace.errors import TooMany
from marketplace.identity.rules import network_of
from marketplace.web.limits import limit
from marketplace.web.request import client_ip

QUARTER, HOUR = timedelta(minutes=15), timedelta(hours=1)
# kind: (times from one place, times for one address, window)
LIMITS = {
    "password": (30, 10, QUARTER),
    "link": (20, 5, HOUR),
    "register": (20, 5, HOUR),
    "mail-link": (60, None, QUARTER),
}


def count_attempt(kind: str, address: str | None = None) -> None:
    """Count one attempt from this browser's place and at this address. Raises TooMany."""
    from_one_place, at_one_address, per = LIMITS[kind]
    limit(f"{kind}:from:{network_of(client_ip())}", times=from_one_place, per=per)
    if address is not None and at_one_address is not None:
        digest = sha256(address.encode()).hexdigest()[:32]
        limit(f"{kind}:at:{digest}", times=at_one_address, per=per)


def waiting_text(refusal: TooMany) -> str:
    """How long to wait, in words."""
    minutes = max(1, -(-refusal.retry_after // 60))
    text: str = ngettext(
        "Too many attempts. Try again in %(num)d minute.",
        "Too many attempts. Try again in %(num)d minutes.",
        minutes,
    )
    return text
