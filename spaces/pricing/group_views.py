"""The staff's page of customer groups: for which group the bookings of each organisation are priced."""

from collections.abc import Mapping
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response
from wtforms import SelectChoice, SelectField  # type: ignore[attr-defined]  # older stubs

from marketplace.accounts.models import ORGANISATION_KINDS
from marketplace.accounts.queries import locked_organisation
from marketplace.db import transaction
from marketplace.web.access import staff
from marketplace.web.forms import Form
from marketplace.web.i18n import N_, gettext
from marketplace.web.request import current_actor, current_city
from spaces.pricing.actions import give_group
from spaces.pricing.group_queries import GroupedOrganisation, WantedOrganisations, grouped_organisations
from spaces.pricing.present import GROUP_NAMES
from spaces.pricing.rules import CUSTOMER_GROUPS, GROUP_OF_KIND
from spaces.pricing.views import blueprint

PAGE_SIZE = 50
MOST_PAGES = 10_000
LONGEST_WORDS = 120
KIND_NAMES = {
    "association": N_("Association"),
    "company": N_("Company"),
    "public_body": N_("Other public body"),
    "city_division": N_("City"),
}


class GroupForm(Form):
    """The chosen group; nothing for what the kind says."""

    group = SelectField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.group.choices = [SelectChoice("", ""), *(SelectChoice(code, code) for code in CUSTOMER_GROUPS)]


def wanted_of(args: Mapping[str, str]) -> WantedOrganisations:
    """The filter of an address; what is not known is left out."""
    words = " ".join(args.get("q", "")[:LONGEST_WORDS].replace("\x00", " ").split())
    kind, group, page = args.get("kind", ""), args.get("group", ""), args.get("page", "")
    number = int(page) if page.isascii() and page.isdigit() and len(page) <= 5 else 1
    return WantedOrganisations(
        words,
        kind if kind in ORGANISATION_KINDS else "",
        group if group in CUSTOMER_GROUPS else "",
        min(max(number, 1), MOST_PAGES),
    )


def args_of(wanted: WantedOrganisations, page: int | None = None) -> dict[str, Any]:
    values = {"q": wanted.words, "kind": wanted.kind, "group": wanted.group, "page": page or 0}
    return {name: value for name, value in values.items() if value}


@blueprint.get("/desk/customer-groups")
@staff
def customer_groups() -> str:
    """The city's organisations with their groups."""
    city, wanted = current_city(), wanted_of(request.args)
    with transaction() as session:
        found, total = grouped_organisations(session, city.id, wanted, page_size=PAGE_SIZE)
    last = max(1, -(-total // PAGE_SIZE))
    return render_template(
        "spaces/pricing/customer_groups.html",
        page_id="desk",
        rows=[row_of(one) for one in found],
        total=total,
        wanted=wanted,
        last_page=last,
        kind_options=[("", gettext("All")), *((code, gettext(name)) for code, name in KIND_NAMES.items())],
        group_options=[
            ("", gettext("All")),
            *((code, gettext(GROUP_NAMES[code])) for code in CUSTOMER_GROUPS),
        ],
        here=args_of(wanted, wanted.page if wanted.page > 1 else None),
        next_url=page_url(wanted, wanted.page + 1) if wanted.page < last else None,
        previous_url=page_url(wanted, min(wanted.page - 1, last)) if wanted.page > 1 else None,
    )


def page_url(wanted: WantedOrganisations, page: int) -> str:
    return url_for("prices.customer_groups", **args_of(wanted, page))


def row_of(one: GroupedOrganisation) -> dict[str, Any]:
    organisation = one.organisation
    by_kind = GROUP_OF_KIND.get(organisation.kind, "resident")
    return {
        "id": organisation.id,
        "name": organisation.name,
        "business_id": organisation.business_id,
        "kind": gettext(KIND_NAMES[organisation.kind]),
        "group": gettext(GROUP_NAMES[one.group]),
        "given": one.given or "",
        "options": [
            ("", gettext("By its kind: %(group)s", group=gettext(GROUP_NAMES[by_kind]))),
            *((code, gettext(GROUP_NAMES[code])) for code in CUSTOMER_GROUPS),
        ],
    }


@blueprint.post("/desk/customer-groups/<int:organisation_id>")
@staff
def customer_group(organisation_id: int) -> Response:
    """Price the organisation's bookings for another group from now on."""
    city, actor, form = current_city(), current_actor(), GroupForm()
    with transaction() as session:
        organisation = locked_organisation(session, city.id, organisation_id)
        if not form.validate():
            flash(gettext("Nothing was changed. Choose one of the groups."), "error")
        elif give_group(session, organisation, form.group.data or None, actor=actor):
            flash(
                gettext("Saved: %(name)s. Later bookings have the new price.", name=organisation.name),
                "success",
            )
        else:
            flash(gettext("Nothing was different."), "success")
    wanted = wanted_of(request.args)
    there = args_of(wanted, wanted.page if wanted.page > 1 else None)
    return redirect(url_for("prices.customer_groups", **there, _anchor=f"o-{organisation_id}"), 303)
