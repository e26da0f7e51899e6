"""From what the search and the calendar know to what the API answers."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from flask import url_for

from marketplace.cities.models import City
from marketplace.db import Localised
from marketplace.money import Money
from marketplace.timespan import Span, SpanSet, day_span
from marketplace.web.i18n import LANGUAGES
from partners.api import schemas
from spaces.calendar.rules import SpaceCalendar
from spaces.districts.models import District
from spaces.pricing.rules import PriceTerms, quote
from spaces.search.queries import Hit, Offer

NEXT_TIMES = 5


def texts_of(texts: Localised) -> schemas.LocalisedText:
    return schemas.LocalisedText(**{code: texts.get(code) or None for code in LANGUAGES})


def money_of(money: Money) -> schemas.MoneyAmount:
    return schemas.MoneyAmount(amount_minor=money.minor, currency=money.currency)


def local(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone)


def opening_of(span: Span, zone: ZoneInfo) -> schemas.Opening:
    return schemas.Opening(start=local(span.start, zone), end=local(span.end, zone))


def time_of(span: Span, price: Money, zone: ZoneInfo) -> schemas.FreeTime:
    return schemas.FreeTime(start=local(span.start, zone), end=local(span.end, zone), price=money_of(price))


def times_of(found: Iterable[Offer], city: City) -> list[schemas.FreeTime]:
    return [time_of(offer.span, Money(offer.price_minor, city.currency), city.zone) for offer in found]


def price_of(terms: PriceTerms | None) -> schemas.Price | None:
    if terms is None:
        return None
    return schemas.Price(
        per=terms.per,  # type: ignore[arg-type]  # a constraint of the table
        amount=money_of(terms.amount),
        vat_percent=terms.vat_basis_points / 100,
    )


def venue_of(hit: Hit) -> schemas.Venue:
    venue = hit.venue
    located = None
    if venue.lat is not None and venue.lon is not None:
        located = schemas.Location(lat=venue.lat, lon=venue.lon)
    return schemas.Venue(
        id=venue.id,
        names=texts_of(venue.names),
        streets=texts_of(venue.streets),
        postcode=venue.postcode,
        locality=venue.locality,
        location=located,
        district=None
        if venue.district_id is None
        else schemas.DistrictName(id=venue.district_id, names=texts_of(hit.district_names)),
        owner=schemas.Owner(name=hit.owner_name, kind=hit.owner_kind),
        accessibility=list(venue.accessibility),
    )


def booking_of(hit: Hit) -> schemas.Booking:
    space = hit.space
    return schemas.Booking(
        min_minutes=space.min_minutes,
        max_minutes=space.max_minutes,
        interval_minutes=space.interval_minutes,
        whole_days=space.whole_days,
        buffer_before_minutes=space.buffer_before_minutes,
        buffer_after_minutes=space.buffer_after_minutes,
        notice_minutes=space.notice_minutes,
        horizon_days=space.horizon_days,
        cancellation_hours=space.cancellation_hours,
        approval=space.approval,
        who=space.who,
    )


def pages_of(space_id: int, city: City) -> schemas.LocalisedText:
    return schemas.LocalisedText(
        **{
            code: url_for("catalog.space", lang=code, space_id=space_id, _external=True)
            if code in city.languages
            else None
            for code in LANGUAGES
        }
    )


def space_of(hit: Hit, city: City) -> schemas.Space:
    """A row of the list."""
    space = hit.space
    return schemas.Space(
        id=space.id,
        names=texts_of(space.names),
        kind=space.kind,
        purposes=list(space.purposes),
        equipment=list(space.equipment),
        capacity=space.capacity,
        area_m2=space.area_m2,
        venue=venue_of(hit),
        price=price_of(hit.price),
        booking=booking_of(hit),
        distance_m=None if hit.distance_m is None else round(hit.distance_m),
        is_free=hit.is_free,
        free_times=times_of(hit.offers, city),
        next_free_times=times_of(hit.next_offers[:NEXT_TIMES], city),
        pages=pages_of(space.id, city),
        url=url_for("api.space", space_id=space.id, _external=True),
    )


def details_of(hit: Hit, city: City) -> schemas.SpaceDetails:
    """All that is told of one space."""
    return schemas.SpaceDetails(
        **space_of(hit, city).__dict__,
        descriptions=texts_of(hit.space.descriptions),
        phone=hit.venue.phone,
        website=hit.venue.website,
        free_times_url=url_for("api.free_times", space_id=hit.space.id, _external=True),
    )


def openings_of(spans: SpanSet, day: Span, zone: ZoneInfo) -> list[schemas.Opening]:
    return [opening_of(span, zone) for span in spans.clipped(day)]


def free_days_of(
    calendar: SpaceCalendar,
    found: Sequence[Span],
    prices: Mapping[date, PriceTerms | None],
    *,
    days: Sequence[date],
    zone: ZoneInfo,
) -> list[schemas.FreeDay]:
    """The days with what is open and free, and the bookable times of `found` that begin on each."""
    free = calendar.free
    answer = []
    for day in days:
        here = day_span(day, zone)
        terms = prices.get(day)
        times = [span for span in found if terms is not None and here.start <= span.start < here.end]
        answer.append(
            schemas.FreeDay(
                day=day,
                open=openings_of(calendar.open, here, zone),
                free=openings_of(free, here, zone),
                times=[time_of(span, quote(terms, span, zone).total, zone) for span in times]
                if terms
                else [],
            )
        )
    return answer


def district_of(district: District) -> schemas.District:
    return schemas.District(
        id=district.id,
        code=district.code,
        names=texts_of(district.names),
        label=schemas.Location(lat=round(district.lat, 6), lon=round(district.lon, 6)),
    )
