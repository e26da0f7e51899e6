"""Every route says who may call it, writes nothing on a GET's behalf without a token, and survives odd addresses."""

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.routing.converters import NumberConverter

from marketplace.app import csrf
from marketplace.web.access import access_of
from tests.factories.people import make_person, sign_in

# Endpoints without a view of ours, and why they need no decision.
EXEMPT = {"static": "built assets, the same for everybody"}
ACCESSES = {"public", "signed_in", "staff"}
# Blueprints that take no forms, and why a token would be wrong there.
WITHOUT_TOKEN = {
    "payment_webhooks": "a gateway sends to it and signs what it sends: no cookie is looked at",
    "api": "reads only, and no cookie is looked at",
    "saved_stop": "a mail program sends to it, and the address itself says who may: no cookie is looked at",
}
BEYOND_BIGINT = 2**63


def test_every_route_has_an_access_decision(app: Flask) -> None:
    undecided = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.endpoint not in EXEMPT and access_of(app.view_functions[rule.endpoint]) not in ACCESSES
    }
    assert undecided == set()


def test_only_listed_blueprints_take_posts_without_a_token(app: Flask) -> None:
    exempt = {name for name, blueprint in app.blueprints.items() if getattr(blueprint, "csrf_exempt", False)}
    assert exempt == set(WITHOUT_TOKEN)
    assert {getattr(b, "name", b) for b in csrf._exempt_blueprints} == set(WITHOUT_TOKEN)
    for rule in app.url_map.iter_rules():
        if rule.endpoint.partition(".")[0] in WITHOUT_TOKEN and rule.endpoint not in {
            "saved_stop.stop",
            "payment_webhooks.webhook",
        }:
            assert (rule.methods or set()) <= {"GET", "HEAD", "OPTIONS"}, rule


def test_pages_for_people_carry_their_language_in_the_path(app: Flask) -> None:
    """So that a page can be shared, indexed and switched to another language."""
    without = {rule.endpoint for rule in app.url_map.iter_rules() if "<lang:lang>" not in rule.rule}
    pages = {
        endpoint
        for endpoint in without
        if endpoint.partition(".")[0]
        not in {"health", "root", "api", "calendars", "payment_webhooks", "pictures"}
    }
    assert pages == set(EXEMPT)


def test_endpoints_are_named_after_nouns_in_the_address(app: Flask) -> None:
    """A change of state is a noun of its own (`/bookings/<id>/cancellation`), not a verb in the address."""
    verbs = {"create", "update", "delete", "cancel", "edit", "remove", "do", "get", "set", "save", "submit"}
    for rule in app.url_map.iter_rules():
        words = {word for part in rule.rule.split("/") if "<" not in part for word in part.split("-")}
        assert not words & verbs, rule.rule


def test_an_id_that_no_database_can_hold_is_not_our_error(
    app: Flask, client: FlaskClient, session: Session, city
) -> None:
    staff = make_person(session, city, is_staff=True)
    sign_in(session, client, staff)
    session.commit()
    answers = {}
    for rule in app.url_map.iter_rules():
        numbers = [
            name for name, converter in rule._converters.items() if isinstance(converter, NumberConverter)
        ]
        if not numbers or rule.endpoint in EXEMPT:
            continue
        path = rule.rule
        for name in rule._converters:
            value = BEYOND_BIGINT if name in numbers else ("fi" if name == "lang" else "x")
            start = path.index("<")
            while not path[start : path.index(">", start)].endswith(name):
                start = path.index("<", start + 1)
            path = path[:start] + str(value) + path[path.index(">", start) + 1 :]
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            answers[f"{method} {rule.rule}"] = client.open(path, method=method).status_code
    assert answers
    assert {route: status for route, status in answers.items() if status >= 500} == {}
