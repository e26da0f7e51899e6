"""A handler books for a customer who phones or writes. Joins the timeline's blueprint."""

from datetime import timedelta

from flask import flash, render_template, request, url_for
from flask import redirect as go
from sqlalchemy.orm import Session

from bookings.desk.customer_forms import CustomerForm
from bookings.desk.views import LARGEST_ID, Page, blueprint, free_text_of
from bookings.lifecycle import pages
from bookings.lifecycle.behalf_actions import Ask, Customer, book_for_customer, price_for_customer
from bookings.lifecycle.errors import NotOnOffer, NotOpen, TimeNotBookable
from bookings.lifecycle.forms import read_whole
from bookings.lifecycle.pages import gettext
from marketplace.clock import now
from marketplace.db import transaction
from marketplace.errors import Conflict, Invalid, Refusal, TooMany
from marketplace.timespan import Span
from marketplace.web.access import signed_in
from marketplace.web.i18n import reader_language
from marketplace.web.limits import limit
from marketplace.web.problems import field_message, status_of
from marketplace.web.request import current_actor, current_city
from spaces.calendar.queries import calendar_of
from spaces.calendar.rules import DAY, midnight
from spaces.catalog.errors import SpaceNotFound
from spaces.catalog.models import Space, Venue
from spaces.catalog.policy import require_may_handle
from spaces.catalog.queries import space_for
from spaces.pricing.rules import Quote

# Nobody answers the phone more often.
PER_HOUR = 60


def handled_space(session: Session, space_id: int) -> tuple[Space, Venue]:
    """Raises SpaceNotFound, NotYourVenue."""
    if space_id > LARGEST_ID:
        raise SpaceNotFound
    space, venue = space_for(session, space_id, actor=current_actor())
    require_may_handle(current_actor(), venue)
    return space, venue


def form_for(space: Space, **kwargs: object) -> CustomerForm:
    city = current_city()
    today = now().astimezone(city.zone).date()
    return CustomerForm(city=city, today=today, whole_days=space.whole_days, **kwargs)


@blueprint.get("/desk/spaces/<int:space_id>/booking")
@signed_in
def customer(space_id: int) -> Page:
    """The form, with the day and hour that the address names."""
    with transaction() as session:
        space, venue = handled_space(session, space_id)
        form = form_for(space, formdata=None)
        form.fill(request.args, now=now())
        form.language.data = reader_language()
        return customer_page(session, space, venue, form)


@blueprint.post("/desk/spaces/<int:space_id>/booking")
@signed_in
def enter(space_id: int) -> Page:
    """Book at once, or with `do` = look only say what it would cost."""
    city, actor, at = current_city(), current_actor(), now()
    with transaction() as session:
        space, venue = handled_space(session, space_id)
        form = form_for(space)
        during = wished(session, space, form) if form.validate_on_submit() else None
        if during is None or request.form.get("do") == "look":
            looks = request.form.get("do") == "look" and not form.errors
            return customer_page(session, space, venue, form, status=200 if looks else 422)
    try:
        limit(f"behalf:{city.id}:{actor.person_id}", times=PER_HOUR, per=timedelta(hours=1))
        with transaction() as session:
            booking = book_for_customer(
                session,
                city,
                space,
                venue,
                customer_in(form),
                ask=ask_in(form, during),
                actor=actor,
                submission=form.submission.data or "",
                at=at,
            )
    except Invalid as invalid:
        form.show(invalid)
        refused = invalid if isinstance(invalid, TimeNotBookable) else None
        with transaction() as session:
            return customer_page(session, space, venue, form, refusal=refused, status=422)
    except (Conflict, TooMany) as refusal:
        with transaction() as session:
            return customer_page(
                session, space, venue, form, refusal=refusal, status=status_of(type(refusal))
            )
    flash(gettext("Booked. A mail is on its way to %(email)s.", email=form.email.data), "success")
    return go(url_for("lifecycle.booking", reference=booking.reference), 303)


def wished(session: Session, space: Space, form: CustomerForm) -> Span | None:
    """The time that the form says; None, with an error beside a field, where there is none."""
    if not space.whole_days:
        if form.hours is None:
            form.ends.errors = [gettext("There is no time between these clock times on this day.")]
        return form.hours
    day, days = form.day, read_whole(form.days.data)
    if day is None or not days:
        return None
    city = current_city()
    window = Span(midnight(day, city.zone), midnight(day + days * DAY, city.zone))
    opened = list(calendar_of(session, city.id, space.id, window, city.zone).open.clipped(window))
    if not opened:
        form.show(NotOpen())
        form.on.errors = [*form.on.errors, gettext(NotOpen.title)]
        return None
    return Span(opened[0].start, opened[-1].end)


def customer_in(form: CustomerForm) -> Customer:
    return Customer(
        form.email.data or "",
        form.name.data or "",
        form.phone.data or None,
        form.language.data or "",
        form.organisation.data or "",
    )


def ask_in(form: CustomerForm, during: Span) -> Ask:
    reason = (form.free_reason.data or "") if form.is_free.data else ""
    return Ask(during, form.people, form.purpose.data or "", form.note.data or "", reason)


def price_in(session: Session, space: Space, form: CustomerForm) -> Quote | None:
    """What the form would cost as far as it can be read."""
    if (
        not form.is_submitted()
        or form.email.errors
        or form.on.errors
        or form.clock.errors
        or form.ends.errors
    ):
        return None
    during = wished(session, space, form)
    if during is None:
        return None
    try:
        return price_for_customer(
            session, current_city(), space, customer_in(form), ask=ask_in(form, during), at=now()
        )
    except NotOnOffer:
        return None
    except Invalid as invalid:
        if not form.organisation.errors:
            form.show(invalid)
        return None


def customer_page(
    session: Session,
    space: Space,
    venue: Venue,
    form: CustomerForm,
    *,
    refusal: Refusal | None = None,
    status: int = 200,
) -> Page:
    """The form, what is free on its day, and the price once it is known."""
    price = price_in(session, space, form)
    day = form.day or form.today
    if isinstance(refusal, TimeNotBookable):
        form.form_errors = []
    html = render_template(
        "bookings/desk/customer.html",
        space=space,
        room=pages.place_text(space, venue),
        drawing=pages.drawing(space),
        form=form,
        errors=form.all_errors(),
        refused=gettext(refusal.title) if refusal is not None else "",
        why=" ".join(field_message(error) for error in refusal.fields)
        if isinstance(refusal, Invalid)
        else "",
        free=free_text_of(session, space.id, day),
        rows=pages.quote_rows(price) if price is not None else [],
        total=price.total if price is not None else None,
        back_url=url_for("timeline.day", day=day.isoformat(), venue=venue.id),
    )
    return html, 422 if status == 200 and form.errors else status
