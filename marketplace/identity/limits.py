"""How often one place and one address may try. Counted by digests, so that the counters name nobody."""

import logging
from datetime import timedelta
from hashlib import sha256

from flask import current_app
from flask_babel import ngettext

from marketplace.errors import TooMany
from marketplace.identity.rules import network_of
from marketplace.notifications.codes import number_digest
from marketplace.web.limits import limit
from marketplace.web.request import client_ip

log = logging.getLogger(__name__)

QUARTER, HOUR, DAY = timedelta(minutes=15), timedelta(hours=1), timedelta(days=1)
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


def count_code(city_id: int, person_id: int, number: str) -> None:
    """Count one code that a person has sent to a number (E.164). Raises TooMany.

    Each costs the city and rings somebody's phone: so there are limits for who asks, where from, and to which number; and
    one for the city's day, which bounds what the cleverest can make it pay. That one counts last, so that who is over
    their own limit takes nothing from the others.
    """
    place, digest = network_of(client_ip()), number_digest(number)
    limit(f"text-code:by:{city_id}:{person_id}", times=3, per=QUARTER)
    limit(f"text-code:by-day:{city_id}:{person_id}", times=6, per=DAY)
    limit(f"text-code:from:{place}", times=20, per=DAY)
    limit(f"text-code:to:{digest}", times=3, per=QUARTER)
    limit(f"text-code:to-day:{digest}", times=5, per=DAY)
    try:
        limit(f"text-code:city:{city_id}", times=current_app.config["SMS_CODES_PER_DAY"], per=DAY)
    except TooMany:
        log.warning("the day's codes by text message are used up", extra={"city_id": city_id})
        raise


def waiting_text(refusal: TooMany) -> str:
    """How long to wait, in words."""
    minutes = max(1, -(-refusal.retry_after // 60))
    if minutes > 120:
        hours = -(-minutes // 60)
        long: str = ngettext(
            "Too many attempts. Try again in %(num)d hour.",
            "Too many attempts. Try again in %(num)d hours.",
            hours,
        )
        return long
    text: str = ngettext(
        "Too many attempts. Try again in %(num)d minute.",
        "Too many attempts. Try again in %(num)d minutes.",
        minutes,
    )
    return text
