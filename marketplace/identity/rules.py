"""Pure decisions about signing in."""

import re
from datetime import timedelta
from ipaddress import IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit

SESSION_LIFE = timedelta(days=30)
LINK_LIFE = {
    "verify": timedelta(hours=24),
    "change": timedelta(hours=24),
    "sign_in": timedelta(minutes=15),
    "reset": timedelta(minutes=60),
}
# A code for a mobile number: how long it works, and how often it may be typed.
CODE_LIFE = timedelta(minutes=10)
CODE_TRIES = 5
# Spent links and ended sessions are kept for a month, so that "used" can be told from "unknown".
KEPT = timedelta(days=30)

NOT_IN_PATHS = re.compile(r"[\x00-\x20\x7f\\]")
PAGES_OF_SIGNING_IN = re.compile(
    r"/(fi|sv|en)/(sign-in|sign-in-link|sign-out|register|check-mail|forgotten-password)(\?|$)"
)

BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "Mac"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def own_path(target: str | None, *, host: str) -> str | None:
    """`target` as a path of our own site, or None: nobody is sent elsewhere after signing in.

    A full address of this very host (a referrer) is cut down to its path.
    """
    if not target or len(target) > 2000 or NOT_IN_PATHS.search(target):
        return None
    try:
        parts = urlsplit(target)
    except ValueError:
        return None
    if parts.scheme or parts.netloc:
        if parts.scheme not in {"http", "https"} or parts.netloc != host:
            return None
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not target.startswith("/") or target.startswith("//") or PAGES_OF_SIGNING_IN.match(target):
        return None
    return target


def browser_name(user_agent: str | None) -> str | None:
    """What people call the browser and its device: "Firefox, Windows". None where it does not say."""
    text = user_agent or ""
    found = [next((name for mark, name in table if mark in text), None) for table in (BROWSERS, SYSTEMS)]
    return ", ".join(name for name in found if name) or None


def network_of(ip: str | None) -> str:
    """What counts as one place in rate limits: an IPv4 address, or the /64 that one IPv6 customer has."""
    try:
        address = ip_address(ip or "")
    except ValueError:
        return "unknown"
    if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
        return str(IPv6Network((int(address) >> 64 << 64, 64)))
    return str(getattr(address, "ipv4_mapped", None) or address)
