"""What every template can use: the city, the reader, the menus, and the ways to write dates and money."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import Flask, current_app, g, request, url_for
from flask_babel import gettext
from markupsafe import Markup
from werkzeug.routing import Rule

from marketplace.accounts.actor import Actor
from marketplace.accounts.models import Organisation
from marketplace.accounts.queries import organisations_of
from marketplace.cities.models import City
from marketplace.db import reading
from marketplace.part import NavItem, Part
from marketplace.web import i18n
from marketplace.web.assets import asset

FOOTER_GROUPS = (i18n.N_("Service"), i18n.N_("Information"), i18n.N_("Support"))


def install(app: Flask) -> None:
    """Add the globals, filters and the values of each page."""
    parts: Sequence[Part] = app.extensions["parts"]
    app.jinja_env.globals.update(asset=asset, localised=i18n.localised, text_language=i18n.text_language)
    app.jinja_env.filters.update(
        localised=i18n.localised,
        day=i18n.format_day,
        clock=i18n.format_clock,
        money=i18n.format_money,
        number=i18n.format_number,
        distance=i18n.format_distance,
        duration=i18n.format_duration,
    )
    app.jinja_env.globals.update(
        format_span=i18n.format_span, format_hours=i18n.format_hours, panels=panels_of(parts)
    )

    @app.context_processor
    def page_values() -> dict[str, Any]:
        lang = i18n.reader_language()
        values: dict[str, Any] = {"lang": lang, "page_id": page_id(), "home_url": f"/{lang}/"}
        if "city" not in g:
            return (
                values
                | NOBODY
                | {"city": CityOnPage(None), "languages": [], "nav_items": [], "footer_groups": []}
            )
        city: City = g.city
        return {
            **values,
            "city": CityOnPage(city),
            "languages": language_links(city),
            "nav_items": menu(parts, "main"),
            "footer_groups": [
                {"title": gettext(title), "links": links}
                for title in FOOTER_GROUPS
                if (links := menu(parts, title))
            ],
            **person_values(g.get("actor") or Actor(city.id)),
        }


# What the frame shows when the request failed before the city was known.
NOBODY: dict[str, Any] = {
    "me": None,
    "act_as": [],
    "act_as_url": "",
    "my_url": "",
    "account_items": [],
    "profile_url": "",
    "sign_in_url": "/",
    "sign_out_url": "",
    "actor": None,
}


def page_id() -> str:
    """The endpoint's feature, such as "my" or "search"."""
    return (request.endpoint or "").partition(".")[0]


class CityOnPage:
    """The city in the reader's language; nameless when the request failed before the city was known."""

    def __init__(self, city: City | None) -> None:
        self.id = city.id if city else 0
        self.name = i18n.localised(city.names) if city else ""
        self.product_name = city.product_name if city else "Tilaa"
        self.logo_url = url_for("static", filename=city.logo_path) if city and city.logo_path else None
        self.theme_url = url_for("root.theme")


@dataclass(frozen=True)
class Corner:
    """What the header's corner knows of the signed-in person."""

    organisations: Sequence[Organisation] = ()
    waiting: int = 0


def corner_of(actor: Actor) -> Corner:
    """The corner, read when a page first shows it: most answers to forms lead on to another page and show none."""
    if request.blueprint in {None, "static", "api"}:
        return Corner()
    if "corner" not in g:
        parts: Sequence[Part] = current_app.extensions["parts"]
        with reading() as session:
            g.corner = Corner(
                organisations_of(session, actor),
                sum(badge(session, actor) for part in parts for badge in part.badges),
            )
    corner: Corner = g.corner
    return corner


def without_corner() -> None:
    """Let this request's page show nothing that would have to be read: the database may be what failed."""
    g.setdefault("corner", Corner())


def person_values(actor: Actor) -> dict[str, Any]:
    """The signed-in person's corner of the header."""
    here = request.full_path.rstrip("?")
    values: dict[str, Any] = {
        "sign_in_url": url_for("identity.sign_in", next=here),
        "my_url": url_for("my.bookings"),
        "account_items": [],
        "profile_url": url_for("identity.profile"),
        "sign_out_url": url_for("identity.sign_out"),
        "act_as_url": url_for("identity.act_as"),
        "here": here,
        "me": None,
        "act_as": [],
        "actor": actor,
    }
    if actor.is_signed_in:
        corner = corner_of(actor)
        acting = next((o for o in corner.organisations if o.id == actor.acting_for), None)
        values["account_items"] = menu(current_app.extensions["parts"], "account")
        values["me"] = {
            "name": actor.name,
            "short_name": short_name(actor.name),
            "waiting": corner.waiting,
            "acting_for": acting.name if acting else None,
        }
        if corner.organisations:
            values["act_as"] = [
                {"label": gettext("Myself"), "value": "", "current": acting is None},
                *(
                    {"label": o.name, "value": str(o.id), "current": o is acting}
                    for o in corner.organisations
                ),
            ]
    return values


def short_name(name: str) -> str:
    """Aino Korhonen becomes Aino K."""
    first, _, rest = name.partition(" ")
    return f"{first} {rest[0]}." if rest else first


def language_links(city: City) -> list[dict[str, Any]]:
    """The same page in each of the city's languages."""
    here = request.view_args or {}
    endpoint = page_endpoint(request.url_rule)
    # Joined by hand: `url_for` takes names such as _scheme and endpoint for its own arguments.
    asked = urlencode(list(request.args.items(multi=True)))
    links = []
    for code in city.languages:
        if endpoint:
            url = url_for(endpoint, **{**here, "lang": code}) + (f"?{asked}" if asked else "")
        else:
            url = url_for("search.home", lang=code)
        links.append(
            {
                "code": code,
                "label": i18n.LANGUAGES[code],
                "url": url,
                "current": code == i18n.reader_language(),
            }
        )
    return links


def page_endpoint(rule: Rule | None) -> str | None:
    """The endpoint that answers GET at this address, so that a refused form can be read in another language too."""
    if rule is None or "<lang:lang>" not in rule.rule:
        return None
    same = (other for other in current_app.url_map.iter_rules() if other.rule == rule.rule)
    return next((other.endpoint for other in same if "GET" in (other.methods or ())), None)


def menu(parts: Sequence[Part], group: str) -> list[dict[str, Any]]:
    items: list[NavItem] = [item for part in parts for item in part.nav if item.group == group]
    return [
        {
            "label": gettext(item.label),
            "url": url_for(item.endpoint, **item.values),
            "current": request.endpoint == item.endpoint,
        }
        for item in items
    ]


def panels_of(parts: Sequence[Part]) -> Any:
    """`panels("name", ...)` in a template: what the parts above put in this place of a lower page."""

    def panels(name: str, **handed: Any) -> Markup:
        found = [panel for part in parts for panel in part.panels.get(name, ())]
        return Markup("").join(Markup(panel(**handed)) for panel in found)  # noqa: S704 - panels return rendered templates

    return panels
