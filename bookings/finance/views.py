"""My payments; the other pages of money join this blueprint."""

from flask import render_template, request, url_for

from bookings.finance import my_present
from bookings.finance.forms import Asked
from bookings.finance.my_queries import bought_by, found_orders, totals_of
from marketplace.accounts.queries import memberships_of
from marketplace.clock import now
from marketplace.db import transaction
from marketplace.money import Money
from marketplace.web.access import signed_in
from marketplace.web.request import current_actor, current_city, page_blueprint

blueprint = page_blueprint("finance", __name__)

PAGE_SIZE = 20


@blueprint.get("/my/payments")
@signed_in
def mine() -> str:
    """The person's own orders and those of the organisations they manage, as the address asks for them."""
    city, actor, at = current_city(), current_actor(), now()
    today = at.astimezone(city.zone).date()
    asked = Asked.read(request.args, organisations=actor.roles.keys(), today=today)
    with transaction() as session:
        organisations = [organisation for organisation, _ in memberships_of(session, actor)]
        totals = totals_of(session, actor, asked.wanted, city, at=at)
        last_page = max(1, -(-totals.count // PAGE_SIZE))
        page = min(asked.page, last_page)
        orders = found_orders(
            session, actor, asked.wanted, city, limit=PAGE_SIZE, offset=(page - 1) * PAGE_SIZE
        )
        bought = bought_by(session, city.id, [order.id for order in orders])
    names = {organisation.id: organisation.name for organisation in organisations}
    return render_template(
        "bookings/finance/mine.html",
        page_id="my",
        asked=asked,
        rows=[
            my_present.row_of(
                order,
                bought.get(order.id, []),
                names.get(order.organisation_id or 0),
                city=city,
                actor=actor,
                at=at,
            )
            for order in orders
        ],
        count=totals.count,
        to_pay=Money(totals.to_pay_minor, city.currency),
        sold=Money(totals.sold_minor - totals.refunded_minor, city.currency),
        refunded=Money(totals.refunded_minor, city.currency),
        choices=my_present.choices_of(organisations),
        tags=my_present.tags_of(asked, organisations),
        page=page,
        last_page=last_page,
        next_url=url_for("finance.mine", **asked.args(page=page + 1)) if page < last_page else None,
        previous_url=url_for("finance.mine", **asked.args(page=page - 1)) if page > 1 else None,
    )
