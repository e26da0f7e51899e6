"""The public, read-only API: spaces, their free times, districts. Served by the same queries as the pages.

Cookies are not read and answers do not depend on who asks, so any page of the web may call it.
"""

import math
from dataclasses import replace
from datetime import timedelta
from typing import Any

from flask import Flask, Response, current_app, g, jsonify, request, url_for
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag
from pydantic import BaseModel

from marketplace.accounts.actor import Actor
from marketplace.clock import now
from marketplace.db import transaction
from marketplace.geo import to_metric
from marketplace.identity.rules import network_of
from marketplace.web.access import public
from marketplace.web.limits import limit
from marketplace.web.request import client_ip, current_city
from partners.api import schemas
from partners.api.answers import details_of, district_of, free_days_of, space_of
from partners.api.cursor import CursorRefused, read_cursor, write_cursor
from partners.api.document import answers, document_of
from partners.api.errors import InvalidParameters
from partners.api.parameters import (
    FreeTimesQuery,
    NoQuery,
    SpacePath,
    SpacesQuery,
    refuse,
    repeated,
    wrong,
)
from partners.api.queries import availability, found_spaces, listed_space
from spaces.calendar.rules import days_between
from spaces.districts.errors import DistrictNotFound
from spaces.districts.queries import district_of_id, districts_of
from spaces.equipment.queries import offered_extras
from spaces.rules.queries import rules_of
from spaces.search.question import MAX_DAYS_AHEAD, Place, Question
from spaces.search.spelling import mend_words, put_right
from spaces.search.words import search_words

PER_MINUTE = 600
# What says when a space is free is asked for anew each time; a tag spares sending what has not changed.
DISTRICTS_SECONDS = 3600
EXPOSED = "ETag, Link, Retry-After, X-Request-Id"


class PublicBlueprint(APIBlueprint):
    """A blueprint that takes no forms, so that it needs no token of one."""

    csrf_exempt = True


api = PublicBlueprint("api", __name__, url_prefix="/api/v1")
SPACES = Tag(name="Spaces", description="Spaces that can be booked, and when they are free.")
DISTRICTS = Tag(name="Districts", description="Areas of the city.")


@api.record
def answer_errors(state: Any) -> None:
    """Let flask-openapi3 hand us what Pydantic finds."""
    app: Flask = state.app
    app.validation_error_callback = refuse  # type: ignore[attr-defined]


@api.before_request
def forget_the_browser() -> None:
    """Nobody in particular asks, in the language of the request alone; each address only so often."""
    city = current_city()
    g.actor = Actor(city.id, source="api", ip=client_ip())
    g.lang = request.accept_languages.best_match(city.languages) or "en"
    if request.method == "GET":
        limit(f"api:{network_of(client_ip())}", times=PER_MINUTE, per=timedelta(minutes=1))


@api.after_app_request
def open_to_all(response: Response) -> Response:
    """Scripts of any origin may read the answers, also that an address does not exist; no cookie goes along."""
    if request.path.startswith("/api/"):
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["Access-Control-Expose-Headers"] = EXPOSED
    return response


@api.get(
    "/spaces",
    operation_id="listSpaces",
    tags=[SPACES],
    summary="Find spaces",
    description="Published spaces that match every filter, the best first. Go on with `next_url` until it is null.",
    responses=answers(schemas.Spaces, "A part of the list."),
)
@public
def spaces(query: SpacesQuery) -> Response:
    city, at = current_city(), now()
    problems = repeated(dict(request.args.lists()), SpacesQuery)
    problems += query.problems(today=at.astimezone(city.zone).date(), days_ahead=MAX_DAYS_AHEAD)
    if query.near and not all(
        map(math.isfinite, to_metric(query.near[1], query.near[0], crs=city.metric_crs))
    ):
        problems.append(wrong("near", "out-of-area"))
    asked = {"city": city.slug, **query.as_asked()}
    asked.pop("cursor", None)
    page = 1
    if query.cursor is not None:
        try:
            page = read_cursor(query.cursor, asked, key=secret())
        except CursorRefused as error:
            problems.append(wrong("cursor", error.code))
    with transaction() as session:
        if query.district is not None:
            try:
                district_of_id(session, city.id, query.district)
            except DistrictNotFound:
                problems.append(wrong("district", "unknown-district"))
        if problems:
            raise InvalidParameters(*problems)
        words = search_words(query.q or "")
        corrected = mend_words(session, city, words)
        question = replace(question_of(query, page), words=put_right(words, corrected))
        found = found_spaces(session, city, question, now=at)
    following = write_cursor(page + 1, asked, key=secret()) if page < found.pages else None
    next_url = None if following is None else here(cursor=following)
    answer = schemas.Spaces(
        spaces=[space_of(hit, city) for hit in found.hits],
        total=found.total,
        total_is_more=found.is_more,
        corrected=corrected,
        free=found.free if query.when is not None else None,
        next_cursor=following,
        next_url=next_url,
    )
    response = answered(answer, seconds=0)
    if next_url:
        response.headers["Link"] = f'<{next_url}>; rel="next"'
    return response


@api.get(
    "/spaces/<int:space_id>",
    operation_id="getSpace",
    tags=[SPACES],
    summary="One space",
    description="A published space with its texts and its next free times.",
    responses=answers(schemas.SpaceDetails, "The space.", missing="There is no such space."),
)
@public
def space(path: SpacePath, query: NoQuery) -> Response:
    city = current_city()
    with transaction() as session:
        hit = listed_space(session, city, path.space_id, now=now())
        more = rules_of(session, hit.space)
        extras = offered_extras(session, city, hit.space.id, now().astimezone(city.zone).date())
    return answered(details_of(hit, city, more, extras), seconds=0)


@api.get(
    "/spaces/<int:space_id>/free-times",
    operation_id="listFreeTimes",
    tags=[SPACES],
    summary="Free times of a space",
    description="What is open, free and bookable on some days in a row, exact at the moment of asking.",
    responses=answers(schemas.FreeTimes, "The days.", missing="There is no such space."),
)
@public
def free_times(path: SpacePath, query: FreeTimesQuery) -> Response:
    city, at = current_city(), now()
    problems = repeated(dict(request.args.lists()), FreeTimesQuery)
    problems += query.problems(today=at.astimezone(city.zone).date(), days_ahead=MAX_DAYS_AHEAD)
    if problems:
        raise InvalidParameters(*problems)
    days = list(days_between(query.from_, query.to))
    with transaction() as session:
        known = availability(session, city, path.space_id, days, minutes=query.minutes, now=at)
    answer = schemas.FreeTimes(
        space_id=path.space_id,
        time_zone=city.time_zone,
        minutes=known.minutes,
        days=free_days_of(known.calendar, known.times, known.prices, days=days, zone=city.zone),
    )
    return answered(answer, seconds=0)


@api.get(
    "/districts",
    operation_id="listDistricts",
    summary="Districts",
    description="The areas that places are listed by, for `district` of the list of spaces.",
    tags=[DISTRICTS],
    responses=answers(schemas.Districts, "All districts."),
)
@public
def districts(query: NoQuery) -> Response:
    with transaction() as session:
        found = districts_of(session, current_city().id)
    return answered(
        schemas.Districts(districts=[district_of(district) for district in found]), seconds=DISTRICTS_SECONDS
    )


@api.get("/openapi.json", doc_ui=False)
@public
def document() -> Response:
    """What this API can do, for programs."""
    response = jsonify(document_of(api, current_city(), per_minute=PER_MINUTE))
    return kept(response, seconds=DISTRICTS_SECONDS)


def question_of(query: SpacesQuery, page: int) -> Question:
    """The search's question for these parameters."""
    return Question(
        place=Place(lat=query.near[0], lon=query.near[1], label="") if query.near else None,
        day=query.when,
        last_day=query.until,
        weekdays=frozenset(number - 1 for number in query.weekday),
        start_minute=query.from_ or 0,
        end_minute=1440 if query.to is None else query.to,
        minutes=query.minutes,
        people=query.people,
        purposes=frozenset(query.purpose),
        kinds=frozenset(query.kind),
        equipment=frozenset(query.equipment),
        accessibility=frozenset(query.accessibility),
        viewpoints=frozenset(query.suits),
        approval=frozenset({query.approval} if query.approval else ()),
        max_price_minor=query.max_price_minor,
        district_ids=frozenset({query.district} if query.district else ()),
        bbox=query.bbox,
        sort=query.sort,
        page=page,
        page_size=query.limit,
    )


def secret() -> str:
    return str(current_app.config["SECRET_KEY"])


def here(**changes: str) -> str:
    """This very address with some parameters changed."""
    values: dict[str, Any] = {**request.args.to_dict(flat=False), **changes}
    return url_for("api.spaces", _external=True, **values)


def answered(answer: BaseModel, *, seconds: int) -> Response:
    return kept(Response(answer.model_dump_json(), mimetype="application/json"), seconds=seconds)


def kept(response: Response, *, seconds: int) -> Response:
    """An answer that may be kept for so long, and after that is asked for again only if it has changed."""
    response.cache_control.public = True
    if seconds:
        response.cache_control.max_age = seconds
    else:
        response.cache_control.no_cache = True
    response.add_etag()
    response.make_conditional(request)
    return response
