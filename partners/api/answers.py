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
from spaces.catalog.accessibility import Known, known_of, suited, told_groups
from spaces.catalog.models import SpaceQuestion
from spaces.districts.models import District
from spaces.equipment.queries import OfferedExtra
from spaces.photos.present import addresses_of, sharing_address
from spaces.photos.rules import Picture
from spaces.pricing.rules import PriceTerms, quote
from spaces.rules.queries import SpaceRules
from spaces.search.queries import Hit, Offer
from spaces.search.reason_texts import reason_text

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


def price_of(terms: PriceTerms | None, group: str = "resident") -> schemas.Price | None:
    if terms is None:
        return None
    return schemas.Price(
        per=terms.per,  # type: ignore[arg-type]  # a constraint of the table
        amount=money_of(terms.amount),
        vat_percent=terms.vat_basis_points / 100,
        quoted_for=group,
        other_prices=[
            schemas.OtherPrice(
                group=row.group,
                days=sorted(row.days),
                from_minute=row.from_minute,
                to_minute=row.to_minute,
                amount=schemas.MoneyAmount(amount_minor=row.amount_minor, currency=terms.amount.currency),
            )
            for row in (terms.variations if terms.per != "free" else ())
        ],
    )


def sentences_of(known: Known) -> list[schemas.AccessibilitySentence]:
    return [
        schemas.AccessibilitySentence(
            group=told.group, heading=texts_of(told.heading) if told.heading else None, text=texts_of(texts)
        )
        for told in told_groups(known)
        for texts in told.sentences
    ]


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
        accessibility_lacks=list(venue.accessibility_lacks),
        accessibility_measures=venue.accessibility_measures,
        suits=suited(venue.accessibility, venue.accessibility_lacks),
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
        trusted_groups=list(space.trusted_groups) if space.approval == "trusted" else [],
        who=space.who,
        min_age=space.min_age,
        max_age=space.max_age,
        attendees_min=space.attendees_min,
        attendees_max=space.attendees_max,
        max_open_per_person=space.max_open_per_person,
        max_open_per_organisation=space.max_open_per_organisation,
        quota_hours=space.quota_hours,
        quota_period=space.quota_period,
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


def photo_of(picture: Picture) -> schemas.Photo:
    return schemas.Photo(
        width=picture.width,
        height=picture.height,
        alt=texts_of(picture.alts),
        credit=picture.credit,
        files=[
            schemas.PhotoFile(width=width, url=url) for width, url in addresses_of(picture, external=True)
        ],
        jpeg_url=sharing_address(picture),
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
        price=price_of(hit.price, hit.group),
        booking=booking_of(hit),
        distance_m=None if hit.distance_m is None else round(hit.distance_m),
        is_free=hit.is_free,
        free_times=times_of(hit.offers, city),
        next_free_times=times_of(hit.next_offers[:NEXT_TIMES], city),
        reasons=[schemas.Reason(code=one.code, text=reason_text(one, city)) for one in hit.reasons],
        photos=[photo_of(picture) for picture in hit.pictures],
        pages=pages_of(space.id, city),
        url=url_for("api.space", space_id=space.id, _external=True),
    )


def question_of(question: SpaceQuestion) -> schemas.Question:
    return schemas.Question(
        id=question.id,
        kind=question.kind,  # type: ignore[arg-type]  # a constraint of the table
        labels=texts_of(question.labels),
        helps=texts_of(question.helps),
        required=question.required,
        options=[texts_of(option) for option in question.options],
        least=question.least,
        most=question.most,
    )


def extra_of(one: OfferedExtra) -> schemas.Extra:
    return schemas.Extra(
        id=one.extra.id,
        names=texts_of(one.extra.names),
        descriptions=texts_of(one.extra.descriptions),
        stock=one.stock,
        most=one.most,
        per=one.terms.per,  # type: ignore[arg-type]  # a constraint of the table
        amount=money_of(one.terms.amount),
    )


def details_of(
    hit: Hit, city: City, more: SpaceRules, extras: Sequence[OfferedExtra]
) -> schemas.SpaceDetails:
    """All that is told of one space."""
    space = hit.space
    return schemas.SpaceDetails(
        **space_of(hit, city).__dict__,
        descriptions=texts_of(space.descriptions),
        extras=[extra_of(one) for one in extras],
        questions=[question_of(question) for question in more.questions],
        terms=schemas.Terms(version=space.terms_version, texts=texts_of(more.terms))
        if space.terms_version
        else None,
        members=[one.name for one in more.members] if space.who == "members" else [],
        trusted=[one.name for one in more.trusted] if space.approval == "trusted" else [],
        accessibility_sentences=sentences_of(known_of(hit.venue)),
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
