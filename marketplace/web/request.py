"""What every request knows: its city, its language and who is asking."""

import time
from collections.abc import Callable
from ipaddress import ip_address
from typing import cast
from urllib.parse import urlsplit

from flask import Blueprint, Flask, abort, current_app, g, request
from werkzeug.routing import BaseConverter, IntegerConverter, Map

from marketplace.accounts.actor import Actor
from marketplace.cities.models import City
from marketplace.cities.queries import city_of_host
from marketplace.db import transaction
from marketplace.web.i18n import LANGUAGES

# A city's row changes about never; half a minute keeps a new theme or name from being a mystery.
CITY_SECONDS = 30
# Anyone can make up host names, so only so many are remembered.
MOST_HOSTS = 1000


class LanguageConverter(BaseConverter):
    """fi, sv or en at the head of every page's path."""

    regex = "|".join(LANGUAGES)
    part_isolating = True


class IdConverter(IntegerConverter):
    """`<int:...>`: a number that a bigint column can hold; anything larger is a page that does not exist."""

    def __init__(self, map: Map, max: int = 2**63 - 1) -> None:  # noqa: A002 - werkzeug's own names
        super().__init__(map, max=max)


def page_blueprint(name: str, import_name: str) -> Blueprint:
    """A blueprint of pages for people, under /<language>/."""
    return Blueprint(name, import_name, url_prefix="/<lang:lang>")


def current_city() -> City:
    return cast(City, g.city)


def current_actor() -> Actor:
    return cast(Actor, g.actor)


def client_ip() -> str | None:
    """The asking address as the database takes it; None for a socket file, or what a proxy wrote that is no address."""
    try:
        address = ip_address((request.remote_addr or "").partition("%")[0])
    except ValueError:
        return None
    return str(address)


def is_api() -> bool:
    """Whether a program asks, not a browser."""
    return request.path.startswith("/api/")


def best_language(city: City) -> str:
    """The language to greet with: a person's own choice from the cookie, else what the browser asks for."""
    chosen = request.cookies.get("tilaa_language")
    if chosen in city.languages:
        return chosen
    return request.accept_languages.best_match(city.languages) or city.default_language


def install(app: Flask, *, load_actor: Callable[[City], Actor]) -> None:
    """Give each request its city, language and actor."""
    app.url_map.converters["lang"] = LanguageConverter
    app.url_map.converters["int"] = IdConverter
    cities: dict[str, tuple[float, City]] = {}
    public_host = urlsplit(app.config["BASE_URL"]).hostname

    @app.url_value_preprocessor
    def take_language(endpoint: str | None, values: dict[str, object] | None) -> None:
        g.lang = values.pop("lang", None) if values else None

    @app.url_defaults
    def give_language(endpoint: str, values: dict[str, object]) -> None:
        if "lang" not in values and current_app.url_map.is_endpoint_expecting(endpoint, "lang"):
            values["lang"] = g.get("lang") or "fi"

    @app.before_request
    def know_request() -> None:
        # Probes need no city, and "ready" has its own words for a database that is away.
        if request.endpoint in {"static", "health.live", "health.ready"}:
            return
        host = request.host.partition(":")[0].lower()
        until, city = cities.get(host, (0.0, None))
        if city is None or time.monotonic() > until:
            with transaction() as session:
                city = city_of_host(session, host, default_slug=app.config["CITY"])
            if city is None:
                abort(503)
            if not app.testing:
                if len(cities) >= MOST_HOSTS:
                    cities.clear()
                cities[host] = (time.monotonic() + CITY_SECONDS, city)
        if app.config["PRODUCTION"] and host not in {city.host, public_host}:
            # Our answers hold addresses with the asked host name, and caches on the way keep some of them.
            abort(400)
        g.city = city
        if g.lang is not None and g.lang not in city.languages:
            abort(404)
        if g.lang is None:
            # An address that leads nowhere still says in which language to answer.
            head = request.path.split("/", 2)[1]
            g.lang = head if head in city.languages else best_language(city)
        # The API never acts by a browser's cookie: whoever calls it says so in the request itself.
        g.actor = Actor(city.id, source="api", ip=client_ip()) if is_api() else load_actor(city)
