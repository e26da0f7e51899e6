"""The feeds themselves, and the pages where they are made, replaced and ended."""

from datetime import timedelta

from flask import Blueprint, Response, flash, g, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from bookings.feeds import actions
from bookings.feeds.calendar import file_of_bookings, file_of_taken
from bookings.feeds.errors import FeedExists, FeedNotFound, NoRightToFeed
from bookings.feeds.forms import FeedForm
from bookings.feeds.policy import Subject
from bookings.feeds.present import feed_rows, organisation_offers, space_offers
from bookings.feeds.queries import (
    bookings_in,
    feed_of_id,
    feed_of_token,
    feeds_of_space,
    own_feeds,
    taken_in,
    window_around,
)
from bookings.lifecycle.pages import gettext
from marketplace.accounts.queries import organisations_of
from marketplace.clock import now
from marketplace.db import transaction
from marketplace.web.access import public, signed_in
from marketplace.web.limits import limit
from marketplace.web.request import client_ip, current_actor, current_city, page_blueprint
from spaces.catalog.desk import desk_pages
from spaces.catalog.errors import SpaceNotFound
from spaces.catalog.policy import may_read
from spaces.catalog.queries import space_for

feeds = Blueprint("calendars", __name__)
blueprint = page_blueprint("feeds", __name__)
blueprints = [feeds, blueprint]

Page = str | tuple[str, int] | AnyResponse
READS_PER_HOUR = 60
GUESSES_PER_HOUR = 60
LONGEST_TOKEN = 100


@feeds.get("/calendars/<token>.ics")
@public
def read(token: str) -> AnyResponse:
    """The feed, for whoever knows its address. Programs have no cookie, so the language is its maker's."""
    city, at = current_city(), now()
    try:
        with transaction() as session:
            found = feed_of_token(session, city, token[:LONGEST_TOKEN])
    except FeedNotFound:
        limit(f"feed-guess:{client_ip()}", times=GUESSES_PER_HOUR, per=timedelta(hours=1))
        raise
    limit(f"feed:{city.id}:{found.feed.id}", times=READS_PER_HOUR, per=timedelta(hours=1))
    g.lang = found.person.language if found.person.language in city.languages else city.default_language
    changed = found.feed.created_at
    with transaction() as session:
        if found.feed.kind == "space_public":
            spans = taken_in(session, city, found.feed.space_id or 0, window_around(at))
            body = file_of_taken(city, found, spans, at=at)
            changed = at
        else:
            rows = bookings_in(session, found.feed, window_around(at))
            body = file_of_bookings(city, found, rows)
            changed = max([changed, *(row.booking.changed_at for row in rows)])
        actions.note_fetch(session, found.feed, at=at)
    response = Response(body, mimetype="text/calendar")
    response.headers["Content-Disposition"] = 'inline; filename="calendar.ics"'
    response.headers["Cache-Control"] = "private, max-age=300"
    response.headers["X-Robots-Tag"] = "noindex"
    response.add_etag()
    if found.feed.kind != "space_public":
        response.last_modified = changed
    return response.make_conditional(request)


@blueprint.get("/my/calendars")
@signed_in
def mine() -> Page:
    """The addresses that one has made, and those that one could make."""
    return my_page()


def my_page(*, made: str = "", made_id: int | None = None) -> str:
    actor = current_actor()
    with transaction() as session:
        rows = own_feeds(session, actor)
        organisations = organisations_of(session, actor)
    known = {(row.feed.kind, row.feed.organisation_id) for row in rows}
    return render_template(
        "bookings/feeds/mine.html",
        rows=feed_rows(rows, current_city()),
        offers=organisation_offers(organisations, known),
        made=made,
        made_id=made_id,
        action=url_for("feeds.make"),
        my_url=url_for("my.bookings"),
    )


@blueprint.post("/my/calendars")
@signed_in
def make() -> Page:
    """A new address. It is in this answer and never again."""
    actor, at = current_actor(), now()
    form = FeedForm()
    if not form.validate_on_submit():
        return my_page(), 422
    try:
        with transaction() as session:
            subject = subject_asked(session, form)
            feed, token = actions.make_feed(session, subject, actor=actor, at=at)
    except FeedExists as refusal:
        flash(gettext(refusal.title), "info")
        return back(form.space_id)
    return shown_once(token, feed.id, form.space_id)


def subject_asked(session: Session, form: FeedForm) -> Subject:
    """Raises SpaceNotFound, NoRightToFeed."""
    kind = form.kind.data
    if kind in {"space", "space_public"}:
        if form.space_id is None:
            raise SpaceNotFound
        space, venue = space_for(session, form.space_id, actor=current_actor())
        return Subject(kind, space=space, venue=venue)
    if kind == "organisation":
        if form.organisation_id is None:
            raise NoRightToFeed
        return Subject(kind, organisation_id=form.organisation_id)
    return Subject("person")


def back(space_id: int | None) -> AnyResponse:
    url = url_for("feeds.space", space_id=space_id) if space_id is not None else url_for("feeds.mine")
    return redirect(url, 303)


def shown_once(token: str, feed_id: int, space_id: int | None) -> Page:
    address = url_for("calendars.read", token=token, _external=True)
    if space_id is not None:
        return space_page(space_id, made=address, made_id=feed_id)
    return my_page(made=address, made_id=feed_id)


@blueprint.post("/my/calendars/<int:feed_id>/replacement")
@signed_in
def replace(feed_id: int) -> Page:
    """A new address for the same; the old one leads nowhere."""
    actor, at = current_actor(), now()
    with transaction() as session:
        old = feed_of_id(session, actor, feed_id)
        feed, token = actions.replace_feed(session, old, actor=actor, at=at)
    return shown_once(token, feed.id, feed.space_id if request.args.get("page") == "space" else None)


@blueprint.post("/my/calendars/<int:feed_id>/end")
@signed_in
def end(feed_id: int) -> Page:
    """The address leads nowhere from now on."""
    actor, at = current_actor(), now()
    with transaction() as session:
        feed = feed_of_id(session, actor, feed_id)
        actions.end_feed(session, feed, actor=actor, at=at)
    flash(gettext("The address is no longer in use. Programs that have it show nothing new."), "success")
    return back(feed.space_id if request.args.get("page") == "space" else None)


@blueprint.get("/desk/spaces/<int:space_id>/calendars")
@signed_in
def space(space_id: int) -> Page:
    """The feeds of one space, for those who see who uses it."""
    return space_page(space_id)


def space_page(space_id: int, *, made: str = "", made_id: int | None = None) -> str:
    actor = current_actor()
    with transaction() as session:
        space, venue = space_for(session, space_id, actor=actor)
        if not may_read(actor, venue):
            raise SpaceNotFound
        rows = feeds_of_space(session, actor, space)
    return render_template(
        "bookings/feeds/space.html",
        page_id="desk",
        desk_pages=desk_pages,
        space=space,
        venue=venue,
        rows=feed_rows(rows, current_city(), page="space", actor=actor, venue=venue),
        offers=space_offers(actor, space, venue, {row.feed.kind for row in rows}),
        made=made,
        made_id=made_id,
        action=url_for("feeds.make"),
    )
