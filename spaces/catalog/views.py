"""The page of one space: what it is, when it is free, what a time costs, and the way to book it."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from flask import current_app, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from marketplace.accounts.models import Organisation
from marketplace.cities.models import City
from marketplace.clock import now as present_time
from marketplace.db import Localised, transaction
from marketplace.timespan import Span, day_span
from marketplace.web.access import public
from marketplace.web.i18n import gettext, localised
from marketplace.web.request import current_actor, current_city, page_blueprint
from spaces.calendar.queries import booking_rules, calendar_of, public_reasons
from spaces.calendar.rules import DAY, BookingRules, SpaceCalendar
from spaces.catalog.errors import SpaceNotFound
from spaces.catalog.models import Space, Venue
from spaces.catalog.parts import venue_spaces
from spaces.catalog.present import drawing, full_name, kind_name
from spaces.catalog.queries import is_on_plan, space_for
from spaces.catalog.shown import (
    LOOK_AHEAD_DAYS,
    Shown,
    free_spans,
    read_day,
    read_start,
    shown_month,
    shown_week,
    window_of,
)
from spaces.catalog.space_page import KEPT, SpacePage
from spaces.districts.models import District
from spaces.photos.present import sharing_address
from spaces.photos.present import shown as shown_photo
from spaces.photos.queries import photos_of, picture_of
from spaces.photos.rules import Picture
from spaces.pricing.queries import group_for, prices_on
from spaces.rules.queries import confirmed_at_once, rules_of

blueprint = page_blueprint("catalog", __name__)

LARGEST_ID = 2**63 - 1
LONGEST_TEXT = 200


@blueprint.get("/spaces/<int:space_id>")
@public
def space(space_id: int) -> str | tuple[str, int]:
    """A space that may be seen; a helpful 404 for any other."""
    city, actor, now = current_city(), current_actor(), present_time()
    with transaction() as session:
        try:
            if space_id > LARGEST_ID:
                raise SpaceNotFound  # noqa: TRY301 - too large for the database's integers
            found, venue = space_for(session, space_id, actor=actor)
        except SpaceNotFound as refusal:
            return not_found(gettext(refusal.title))
        return space_page(session, city, found, venue, now=now)


def not_found(title: str) -> tuple[str, int]:
    links = [
        {"label": gettext("Find a space"), "url": url_for("search.results")},
        {"label": gettext("Front page"), "url": url_for("search.home")},
    ]
    text = gettext("The address may be old, or the space is not offered any more.")
    return render_template("marketplace/error.html", code=404, title=title, text=text, links=links), 404


def space_page(session: Session, city: City, found: Space, venue: Venue, *, now: datetime) -> str:
    rules, zone = booking_rules(found), city.zone
    today = now.astimezone(zone).date()
    start = read_start(request.args.get("start", ""), zone, now=now)
    day = start.astimezone(zone).date() if start else read_day(request.args.get("day", ""))
    minutes = length_of(rules, request.args)
    page = SpacePage(
        space=found,
        venue=venue,
        owner=session.get_one(Organisation, (city.id, venue.owner_id)),
        rules=rules,
        city=city,
        now=now,
        minutes=minutes,
        kept=kept_of(request.args),
    )
    shown, calendar, first_free = look(session, page, day)
    page.reasons.update(public_reasons(session, city, found, shown.days))
    free = free_spans(calendar, rules, minutes=minutes, days=shown.days, zone=zone, now=now)
    chosen = chosen_span(start, free, calendar, page)
    refusal = page.refusal(calendar, chosen) if chosen else None
    together = venue_spaces(session, found)
    ids = {found.id, *(part.id for part in together.parts)}
    prices = prices_on(session, city, sorted(ids), chosen.start.astimezone(zone).date() if chosen else today)
    terms = prices.get(found.id)
    acting_for = current_actor().acting_for
    page.more = rules_of(session, found)
    page.at_once = confirmed_at_once(session, found, [acting_for])[acting_for]
    if terms is not None:
        page.group = group_for(session, city.id, terms, acting_for)
        page.free_hours = terms.cancel.free_hours(found.cancellation_hours)
    bookable = chosen if chosen and not refusal and terms else None
    pictures = [picture_of(photo) for photo in photos_of(session, found)]
    nearest = next_spans(free, chosen.start if chosen else now)
    return render_template(
        "spaces/catalog/space.html",
        session=session,
        page_id="search",
        page=page,
        space=found,
        venue=venue,
        owner=page.owner,
        name=localised(found.names),
        title=full_name(found, venue),
        kind=kind_name(found.kind),
        art=drawing(found.kind),
        photos=[shown_photo(one) for one in pictures],
        sharing=sharing_address(pictures[0]) if pictures else None,
        place=place_of(session, found, venue),
        back_url=url_for("search.results", **page.kept),
        has_question=bool(page.kept),
        parts=page.parts(together, prices),
        others=page.others(together),
        on_plan=is_on_plan(session, found),
        heading=page.heading(shown),
        previous_url=page.url(day=shown.previous, _anchor="times") if shown.previous else None,
        next_url=page.url(day=shown.following, _anchor="times") if shown.following else None,
        shown=shown,
        days=page.days(shown, calendar, free, bookable),
        week=page.week_data(shown, calendar, bookable) if not rules.whole_days else None,
        week_href=page.url(),
        first_free=first_free,
        chosen=chosen,
        refusal=refusal,
        box=page.price_box(bookable, terms) if bookable and terms else None,
        price=page.per_text(terms),
        price_texts=page.price_texts(terms),
        nearest=[
            (page.time_text(span), page.url(start=page.start_text(span), _anchor="price")) for span in nearest
        ],
        tiles=current_app.config["TILE_URL"],
        structured=structured(found, venue, page, pictures),
    )


def length_of(rules: BookingRules, args: MultiDict[str, str]) -> int:
    """The asked length if it may be booked, else the shortest one that covers it."""
    text = args.get("minutes", "")
    asked = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else None
    return rules.fitting_minutes(asked)


def kept_of(args: MultiDict[str, str]) -> dict[str, Any]:
    """The question that led here."""
    return {
        name: text
        for name in KEPT
        if (text := " ".join(args.get(name, "")[:LONGEST_TEXT].replace("\x00", "").split()))
    }


def look(session: Session, page: SpacePage, day: date | None) -> tuple[Shown, SpaceCalendar, Span | None]:
    """The days to show with their calendar. Without a day, those with the first free time of the next weeks."""
    rules, zone, today = page.rules, page.city.zone, page.today
    show = shown_month if rules.whole_days else shown_week
    first_free = None
    if day is None:
        last = today + timedelta(days=LOOK_AHEAD_DAYS)
        week_before = today - timedelta(days=today.weekday())
        calendar = calendar_of(
            session,
            page.city.id,
            page.space.id,
            window_of(week_before.replace(day=1) if rules.whole_days else week_before, last + 31 * DAY, zone),
            zone,
        )
        # A week at a time, since most spaces have something free in the first.
        for n in range(0, LOOK_AHEAD_DAYS, 7):
            days = [today + (n + m) * DAY for m in range(7)]
            free = free_spans(calendar, rules, minutes=page.minutes, days=days, zone=zone, now=page.now)
            first_free = next((spans[0] for spans in free.values() if spans), None)
            if first_free is not None:
                break
        day = first_free.start.astimezone(zone).date() if first_free else today
        return show(day, today=today, horizon_days=rules.horizon_days), calendar, first_free
    shown = show(day, today=today, horizon_days=rules.horizon_days)
    days_more = max(1, page.minutes // 1440) if rules.whole_days else 0
    window = window_of(shown.first, shown.last + days_more * DAY, zone)
    return shown, calendar_of(session, page.city.id, page.space.id, window, zone), first_free


def chosen_span(
    start: datetime | None,
    free: dict[date, list[Span]],
    calendar: SpaceCalendar,
    page: SpacePage,
) -> Span | None:
    """The time that begins at the asked start, whether or not it can be booked; a whole day by any hour of it."""
    if start is None:
        return None
    day = start.astimezone(page.city.zone).date()
    if page.rules.whole_days:
        opened = list(calendar.open.clipped(day_span(day, page.city.zone)))
        whole = [Span(opened[0].start, opened[-1].end)] if opened else []
        return next(iter(free.get(day) or whole), Span(start, start + DAY))
    return Span(start, start + timedelta(minutes=page.minutes))


def next_spans(free: dict[date, list[Span]], after: datetime) -> list[Span]:
    """Up to three free times, from this moment on where there are any."""
    spans = [span for spans in free.values() for span in spans]
    return ([span for span in spans if span.start >= after] or spans)[:3]


def place_of(session: Session, found: Space, venue: Venue) -> dict[str, str]:
    """Where it is, part by part; a name that is said already is left out."""
    district: Localised | None = session.scalar(
        select(District.names).where(District.city_id == venue.city_id, District.id == venue.district_id)
    )
    name, venue_name = localised(found.names), localised(venue.names)
    return {
        "venue": venue_name if venue_name not in name else "",
        "street": localised(venue.streets),
        "district": localised(district),
    }


def structured(found: Space, venue: Venue, page: SpacePage, pictures: Sequence[Picture]) -> dict[str, object]:
    """The place in the words of schema.org."""
    data: dict[str, object] = {
        "@context": "https://schema.org",
        "@type": "Place",
        "name": full_name(found, venue),
        "description": localised(found.descriptions),
        "url": url_for("catalog.space", space_id=found.id, _external=True),
        "publicAccess": True,
        "address": {
            "@type": "PostalAddress",
            "streetAddress": localised(venue.streets),
            "postalCode": venue.postcode or "",
            "addressLocality": localised(page.city.names),
            "addressCountry": page.city.country,
        },
    }
    if venue.lat is not None:
        data["geo"] = {"@type": "GeoCoordinates", "latitude": venue.lat, "longitude": venue.lon}
    if pictures:
        data["image"] = [sharing_address(one) for one in pictures]
    if found.capacity:
        data["maximumAttendeeCapacity"] = found.capacity
    return data
