"""What equipment shows on the pages of lower rooms."""

from flask import render_template
from sqlalchemy.orm import Session

from marketplace.clock import now
from marketplace.web.request import current_city
from spaces.equipment.present import price_text
from spaces.equipment.queries import offered_extras


def space_extras_panel(*, session: Session, space_id: int) -> str:
    """The `space-extras` panel: what a booking of the space can add."""
    city = current_city()
    offered = offered_extras(session, city, space_id, now().astimezone(city.zone).date())
    if not offered:
        return ""
    rows = [(one.extra, one.most, price_text(one.terms)) for one in offered]
    return render_template("spaces/equipment/panel.html", rows=rows)
