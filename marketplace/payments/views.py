"""The door that gateways come by."""

import logging

from flask import Blueprint, Response, request

from marketplace.clock import now
from marketplace.db import transaction
from marketplace.errors import NotFound
from marketplace.payments.gateway import ForgedEvent, gateways
from marketplace.payments.inbox import receive
from marketplace.web.access import public

log = logging.getLogger(__name__)

# Events are a few kilobytes; whoever sends more is none of ours.
MOST_BYTES = 256 * 1024

blueprint = Blueprint("payment_webhooks", __name__)
blueprint.csrf_exempt = True  # type: ignore[attr-defined] # a program sends to it, and signs what it sends


@blueprint.post("/payments/webhooks/<gateway>")
@public
def webhook(gateway: str) -> Response:
    """Believe it or not, keep it, say so: what it means is a job's work. 400 for what the gateway did not send."""
    known = gateways().get(gateway)
    if known is None:
        raise NotFound
    request.max_content_length = MOST_BYTES
    payload, at = request.get_data(cache=False), now()
    try:
        seen = known.read_event(payload, request.headers.get(f"{gateway}-signature", ""), at)
    except ForgedEvent as forged:
        log.warning("an event was not believed", extra={"gateway": gateway, "why": str(forged)})
        return Response("not believed\n", 400, mimetype="text/plain")
    with transaction() as session:
        receive(session, known, seen, at)
    return Response("kept\n", 200, mimetype="text/plain")
