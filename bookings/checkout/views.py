"""Pages of paying: what is owed and the way to the payment service, the way back, the receipt."""

from datetime import timedelta

from flask import flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from bookings.checkout import actions, policy, present
from bookings.checkout.errors import NothingToPay
from bookings.checkout.queries import SeenOrder, order_for
from bookings.lifecycle.forms import PlainForm
from bookings.lifecycle.pages import gettext, instant_text
from marketplace.clock import now
from marketplace.db import transaction
from marketplace.errors import Conflict, Forbidden, Unavailable
from marketplace.money import Money
from marketplace.payments.asking import open_at_gateway, settle_payment
from marketplace.payments.gateway import GatewayDown, GatewayRefused
from marketplace.payments.models import Payment
from marketplace.web.access import signed_in
from marketplace.web.i18n import N_, reader_language
from marketplace.web.limits import limit
from marketplace.web.request import current_actor, current_city, page_blueprint

blueprint = page_blueprint("checkout", __name__)

Page = str | tuple[str, int] | tuple[str, int, dict[str, str]] | Response
PAYMENTS_PER_MINUTE = 10
DOWN = N_("The payment service does not answer just now. Nothing has been charged. Try again in a moment.")
REFUSED = N_("The payment service did not accept the payment. Nothing has been charged. Try again.")
FAILED = N_(
    "The payment did not go through. Nothing has been charged. Try again, with another card if need be."
)


@blueprint.get("/orders/<number>/pay")
@signed_in
def pay(number: str) -> Page:
    """What is owed, until when, and one button."""
    with transaction() as session:
        seen = order_for(session, current_actor(), number)
        payment = actions.payment_of(session, seen.order)
    if seen.order.number != number:
        return redirect(url_for("checkout.pay", number=seen.order.number), 301)
    if seen.order.state != "open":
        return redirect(url_for("checkout.receipt", number=seen.order.number), 303)
    failed = payment is not None and (payment.state == "failed" or bool(payment.failure_code))
    return pay_page(seen, problem=gettext(FAILED) if failed else None)


@blueprint.post("/orders/<number>/pay")
@signed_in
def start(number: str) -> Page:
    """On to the payment service: the payment is written down first, then opened there, outside any transaction."""
    city, actor, at = current_city(), current_actor(), now()
    if not PlainForm().validate_on_submit():
        return redirect(url_for("checkout.pay", number=number), 303)
    limit(f"pay:{actor.city_id}:{actor.person_id}", times=PAYMENTS_PER_MINUTE, per=timedelta(minutes=1))
    try:
        with transaction() as session:
            seen = order_for(session, actor, number)
            if not policy.may_pay(actor, seen.order):
                raise Forbidden
            payment = actions.begin_payment(
                session,
                city,
                seen.order,
                actor=actor,
                return_path=url_for("checkout.back", number=seen.order.number),
                lines=present.checkout_lines(seen, city),
                language=reader_language(),
                at=at,
            )
        payment = open_at_gateway(payment.city_id, payment.id)
    except NothingToPay as over:
        flash(gettext(over.title), "alert")
        return redirect(url_for("checkout.receipt", number=seen.order.number), 303)
    except (GatewayDown, GatewayRefused, Unavailable):
        return pay_page(seen, problem=gettext(DOWN), status=503)
    except Conflict as refused:
        return pay_page(seen, problem=gettext(refused.title), status=409)
    if payment.state == "open" and payment.url:
        return redirect(payment.url, 303)
    if payment.state in {"authorised", "paid"}:
        return redirect(url_for("checkout.back", number=seen.order.number), 303)
    return pay_page(seen, problem=gettext(REFUSED), status=409)


@blueprint.get("/orders/<number>/back")
@signed_in
def back(number: str) -> Page:
    """Back from the payment service: what has become of the payment is asked there, whatever the address says."""
    actor = current_actor()
    with transaction() as session:
        seen = order_for(session, actor, number)
        payment = actions.payment_of(session, seen.order)
    problem = None
    if payment is not None and seen.order.state == "open":
        limit(f"pay-back:{actor.city_id}:{actor.person_id}", times=30, per=timedelta(minutes=1))
        payment, problem = asked(payment)
        with transaction() as session:
            seen = order_for(session, actor, number)
            known = actions.payment_of(session, seen.order)
            if known is not None:
                actions.follow_payment(session, seen.order, known, at=now())
            seen = order_for(session, actor, number)
    order = seen.order
    if order.state == "open":
        failed = payment is not None and (payment.state == "failed" or payment.failure_code)
        return pay_page(seen, problem=problem or (gettext(FAILED) if failed else None))
    if order.state in {"paid", "authorised"} and len(seen.bookings) == 1 and policy.is_own(actor, order):
        reference = seen.bookings[0].booking.reference
        return redirect(url_for("lifecycle.booking", reference=reference, done=1), 303)
    return redirect(url_for("checkout.receipt", number=order.number), 303)


def asked(payment: Payment) -> tuple[Payment, str | None]:
    """The payment as the payment service tells of it now, and what to say where it does not answer."""
    try:
        return settle_payment(payment.city_id, payment.id), None
    except (GatewayDown, GatewayRefused, Unavailable):
        return payment, gettext(
            "The payment service does not answer just now. If you have paid, this page says so in a moment."
        )


def pay_page(seen: SeenOrder, *, problem: str | None = None, status: int = 200) -> Page:
    city, at, order = current_city(), now(), seen.order
    html = render_template(
        "bookings/checkout/pay.html",
        order=order,
        parts=present.parts_of(seen, city),
        total=Money(order.total_minor - order.refunded_minor, order.currency),
        seller=present.seller_text(seen, city),
        left=present.time_left(order, city, at=at),
        is_over=actions.is_over(order, at),
        may_pay=policy.may_pay(current_actor(), order),
        waits=any(one.booking.state == "awaiting_payment" for one in seen.bookings),
        problem=problem,
    )
    return html, status, {"Cache-Control": "private, no-store"}


@blueprint.get("/orders/<number>")
@signed_in
def receipt(number: str) -> Page:
    """The receipt: the lines, the tax by rate, who sold and who pays, what has become of it. Made to be printed."""
    city, actor = current_city(), current_actor()
    with transaction() as session:
        seen = order_for(session, actor, number)
    order = seen.order
    if order.number != number:
        return redirect(url_for("checkout.receipt", number=order.number), 301)
    kind, label = present.state_label(order)
    return render_template(
        "bookings/checkout/receipt.html",
        order=order,
        kind=kind,
        label=label,
        parts=present.parts_of(seen, city),
        taxes=present.tax_rows(seen.lines, order.currency),
        total=Money(order.total_minor, order.currency),
        refunded=Money(order.refunded_minor, order.currency),
        left=Money(order.total_minor - order.refunded_minor, order.currency),
        seller=present.seller_text(seen, city),
        seller_id=seen.payee.business_id if seen.payee is not None else None,
        payer=seen.organisation.name if seen.organisation is not None else seen.person.name,
        payer_id=seen.organisation.business_id if seen.organisation is not None else None,
        made=instant_text(order.created_at, city),
        may_pay=order.state == "open" and policy.may_pay(actor, order),
    )
