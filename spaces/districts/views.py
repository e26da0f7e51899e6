"""Outlines for maps, and the home district on the profile."""

import json
from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from marketplace.accounts.actor import Actor
from marketplace.db import transaction
from marketplace.errors import FieldError, Invalid
from marketplace.web.access import public, signed_in
from marketplace.web.i18n import N_, gettext, localised
from marketplace.web.request import current_actor, current_city, page_blueprint
from spaces.districts.actions import choose_home_district
from spaces.districts.forms import HomeDistrictForm
from spaces.districts.models import District
from spaces.districts.queries import districts_of, home_district_of

blueprint = page_blueprint("districts", __name__)
# Outlines change when someone imports new ones; an hour late is fine.
MAX_AGE = 3600


@blueprint.get("/districts.geojson")
@public
def outlines() -> AnyResponse:
    """All districts as a FeatureCollection with names in the reader's language."""
    with transaction() as session:
        features = [feature(district) for district in districts_of(session, current_city().id)]
    body = json.dumps(
        {"type": "FeatureCollection", "features": features}, ensure_ascii=False, separators=(",", ":")
    )
    response = Response(body, mimetype="application/geo+json")
    response.cache_control.public = True
    response.cache_control.max_age = MAX_AGE
    response.add_etag()
    return response.make_conditional(request)


def feature(district: District) -> dict[str, Any]:
    return {
        "type": "Feature",
        "id": district.id,
        "properties": {
            "id": district.id,
            "code": district.code,
            "name": localised(district.names),
            "label": [round(district.lon, 5), round(district.lat, 5)],
        },
        "geometry": district.outline,
    }


@blueprint.post("/profile/home-district")
@signed_in
def home_district() -> AnyResponse:
    """Keep where the person lives."""
    city, actor = current_city(), current_actor()
    with transaction() as session:
        form = HomeDistrictForm(districts_of(session, city.id))
        if not form.validate_on_submit():
            raise Invalid(FieldError("district", "unknown", N_("Choose a district from the list.")))
        choose_home_district(session, actor, form.chosen)
    flash(gettext("Your home district was saved."), "success")
    return redirect(url_for("identity.profile"))


def home_district_panel(*, session: Session | None = None, actor: Actor | None = None, **_: Any) -> str:
    """The `profile` panel: a small form of its own beside the profile's."""
    if session is None:
        with transaction() as own:
            return home_district_panel(session=own, actor=actor)
    actor = actor or current_actor()
    if actor.person_id is None:
        return ""
    districts = districts_of(session, actor.city_id)
    if not districts:
        return ""
    home = home_district_of(session, actor.city_id, actor.person_id)
    form = HomeDistrictForm(districts, formdata=None, district=str(home.id) if home else "")
    return render_template("spaces/districts/home_district.html", form=form)
