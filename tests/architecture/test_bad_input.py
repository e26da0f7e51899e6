"""Whatever stands in an address, the answer is a page or a refusal, never an error of ours."""

import re
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from marketplace.cities.models import City
from marketplace.clock import now
from spaces.calendar.actions import compile_spaces
from tests.architecture.sources import python_files
from tests.factories.people import make_person, sign_in
from tests.factories.spaces import make_space, make_venue

READS = re.compile(r"args\.(?:get|getlist)\(\s*[\"'](\w+)[\"']|args\[[\"'](\w+)[\"']\]")
# Read through forms or tables of names, where the pattern above does not see them.
MORE_NAMES = {
    "access",
    "approval",
    "area",
    "bbox",
    "district",
    "end",
    "kind",
    "owner",
    "page",
    "people",
    "price",
    "q",
    "sort",
}
MORE_NAMES |= {"day", "minutes", "next", "start", "token", "when", "where"}
# The pages that read most, each parameter by itself.
ALONE = {
    "search.home": ["q", "when", "people"],
    "search.results": sorted(MORE_NAMES - {"day", "end", "next", "start", "token"}),
    "catalog.space": ["day", "minutes", "people", "q", "start", "when", "where"],
    "lifecycle.new": ["end", "minutes", "organisation", "people", "purpose", "q", "start"],
}
# Every third of these is also tried on every page at once.
ABSURD = [
    "<script>alert(1)</script>",
    "",
    " ",
    "//evil.example/",
    "x",
    "-1",
    "99999999999999999999",
    "0",
    "1.5",
    "9999-12-31T23:59:59-12:00",
    "NaN",
    "1e309",
    "\x00",
    "٣",
    "2026-02-30",
    "a" * 5000,
    "0001-01-01",
    "9999-12-31",
    "1e308,1e308,1e308,1e308",
    "nan,nan,nan,nan",
    "24,60,25,61,62",
    "\ud7ff\U0001f600 %s {0} ' \" \\",
    "25:99",
    "2027-03-28T03:30:00+02:00",
    "0001-01-01T00:00:00+14:00",
    "2027-03-28T03:30:00",
]


def names() -> list[str]:
    found = {
        name
        for path in python_files()
        for groups in READS.findall(path.read_text(encoding="utf-8"))
        for name in groups
        if name
    }
    return sorted(found | MORE_NAMES)


@pytest.fixture
def visitor(client: FlaskClient, session: Session, city: City) -> FlaskClient:
    """Signed in as staff, so that every page opens."""
    sign_in(session, client, make_person(session, city, is_staff=True))
    session.commit()
    return client


@pytest.fixture
def space_id(session: Session, city: City) -> int:
    space = make_space(session, make_venue(session, city))
    compile_spaces(session, city, [space.id])
    session.commit()
    return space.id


def path_of(rule: Rule, space_id: int) -> str:
    """The rule's address with plausible values."""
    path = rule.rule.replace("<lang:lang>", "en")
    path = re.sub(r"<int(?:\([^)]*\))?:space_id>", str(space_id), path)
    path = re.sub(r"<int(?:\([^)]*\))?:\w+>", "1", path)
    path = re.sub(r"<any\((\w+)[^)]*\):\w+>", r"\1", path)
    return re.sub(r"<[^>]+>", "ABCD-EFGH", path)


def pages(app: Flask) -> list[Rule]:
    return [
        rule
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and rule.endpoint != "static"
    ]


def test_no_value_of_any_parameter_is_our_error(app: Flask, visitor: FlaskClient, space_id: int) -> None:
    failures = []
    for rule in pages(app):
        path = path_of(rule, space_id)
        for value in ABSURD[::3]:
            answer = visitor.get(path, query_string=dict.fromkeys(names(), value))
            if answer.status_code >= 500:
                failures.append(f"{path} with {value[:40]!r} everywhere: {answer.status_code}")
            if answer.mimetype == "text/html" and "<script>alert" in answer.text:
                failures.append(f"{path} shows {value!r} unescaped")
            location = answer.headers.get("Location", "")
            if "evil.example" in location.partition("?")[0]:
                failures.append(f"{path} leads away to {location}")
    assert failures == []


@pytest.mark.parametrize("endpoint", sorted(ALONE))
def test_no_single_parameter_is_our_error(
    app: Flask, visitor: FlaskClient, space_id: int, endpoint: str
) -> None:
    """One at a time, so that the first wrong one does not hide the others."""
    (rule,) = [rule for rule in pages(app) if rule.endpoint == endpoint]
    path = path_of(rule, space_id)
    day = (now() + timedelta(days=5)).date()
    right = {
        "search.results": {"q": "hall", "when": day.isoformat(), "people": "4"},
        "lifecycle.new": {"start": f"{day}T12:00:00+02:00", "minutes": "60"},
    }.get(endpoint, {})
    failures = [
        f"{name}={value[:40]!r}: {answer.status_code}"
        for name in ALONE[endpoint]
        for value in ABSURD
        if (answer := visitor.get(path, query_string={**right, name: value})).status_code >= 500
    ]
    assert failures == []
