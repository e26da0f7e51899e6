"""A stand-in for Stripe: a real HTTP server that speaks as much of Stripe's API as the product uses.

`with StandIn() as stripe:` in tests; `python -m tests.stripe_standin --port 12111 --webhooks http://…` beside a running
service, with MARKETPLACE_STRIPE_API_BASE at its address.
"""

from tests.stripe_standin.server import CONNECT_SECRET, KEY, SECRET, StandIn
from tests.stripe_standin.webhooks import body_of, signature
from tests.stripe_standin.world import (
    ASKS_TO_CONFIRM,
    DECLINED,
    DISPUTED,
    GOOD,
    NO_FUNDS,
    REFUND_FAILS,
    REFUND_PENDS,
    VERSION,
    stripe_fee,
)

__all__ = [
    "ASKS_TO_CONFIRM",
    "CONNECT_SECRET",
    "DECLINED",
    "DISPUTED",
    "GOOD",
    "KEY",
    "NO_FUNDS",
    "REFUND_FAILS",
    "REFUND_PENDS",
    "SECRET",
    "VERSION",
    "StandIn",
    "body_of",
    "signature",
    "stripe_fee",
]
