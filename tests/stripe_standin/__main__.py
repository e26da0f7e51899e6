"""`python -m tests.stripe_standin --port 12111 --webhooks http://127.0.0.1:8000/payments/webhooks/stripe`"""

import argparse
import signal
import threading

from tests.stripe_standin import CONNECT_SECRET, KEY, SECRET, StandIn


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests.stripe_standin", description=__doc__)
    parser.add_argument("--port", type=int, default=12111)
    parser.add_argument("--webhooks", help="address that is told of events")
    given = parser.parse_args()
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    with StandIn(port=given.port) as stripe:
        if given.webhooks:
            stripe.send_webhooks_to(given.webhooks)
        print(f"MARKETPLACE_STRIPE_API_BASE={stripe.url}", flush=True)
        print(f"MARKETPLACE_STRIPE_KEY={KEY}", flush=True)
        print(f"MARKETPLACE_STRIPE_WEBHOOK_SECRET={SECRET}", flush=True)
        print(f"MARKETPLACE_STRIPE_CONNECT_WEBHOOK_SECRET={CONNECT_SECRET}", flush=True)
        ended.wait()


if __name__ == "__main__":
    main()
