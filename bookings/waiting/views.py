"""Pages of the line: join it, take an offer from the mail by one press, leave."""

from datetime import datetime, timedelta

from flask import flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from bookings.lifecycle import pages
from bookings.lifecycle.actions import prices_for
from bookings.lifecycle.asked import at_once
from bookings.lifecycle.choices import organisation_id_of
from bookings.lifecycle.errors import TimeUnreadable
from bookings.lifecycle.forms import TEXT_MAX, PlainForm, plain_text, read_time, read_whole
from bookings.lifecycle.models import Booking
from bookings.lifecycle.pages import Kept, gettext
from bookings.lifecycle.views import alternatives_shown, known_space
from bookings.waiting import actions
from bookings.waiting.errors import EntryNotFound, NothingToWaitFor
from bookings.waiting.forms import WaitingForm
from bookings.waiting.queries import Waiting, place_in_line, waiting_of
from bookings.waiting.tokens import entry_of_token, token_of
from marketplace.accounts.actor import Actor
from marketplace.accounts.queries import organisations_of
from marketplace.clock import now
from marketplace.db import transaction
from marketplace.errors import Conflict, Forbidden, Invalid, Refusal
from marketplace.identity.queries import actor_of_person
from marketplace.money import Money
from marketplace.timespan import Span
from marketplace.web.access import public, signed_in
from marketplace.web.i18n import format_duration
from marketplace.web.limits import limit
from marketplace.web.problems import status_of
from marketplace.web.request import client_ip, current_actor, current_city, page_blueprint
from spaces.calendar.queries import booking_rules
from spaces.catalog.models import Space, Venue

blueprint = page_blueprint("waiting", __name__)

Page = str | tuple[str, int] | AnyResponse
GUESSES_PER_HOUR = 60


@blueprint.route("/spaces/<int:space_id>/line", methods=["GET", "POST"])
@signed_in
def join(space_id: int) -> Page:
    """Stand in line for a time of this space."""
    city, actor, at = current_city(), current_actor(), now()
    with transaction() as session:
        space, venue = known_space(session, space_id)
        try:
            wished = read_time(request.args, now=at)
        except TimeUnreadable:
            return redirect(pages.space_url(space.id, None, city), 303)
    form = WaitingForm(request.form if request.method == "POST" else None)
    if request.method == "GET":
        form.fill(wished, city, people=request.args.get("people", "")[:20])
        form.organisation.data = str(actor.acting_for) if actor.acting_for is not None else "myself"
        with transaction() as session:
            return join_page(session, space, venue, wished, form)
    refusal: Refusal | None = None
    if form.validate_on_submit() and (window := form.window(city)) is not None:
        limit(f"line:{city.id}:{actor.person_id}", times=20, per=timedelta(minutes=1))
        try:
            with transaction() as session:
                entry = actions.join_line(
                    session,
                    city,
                    space,
                    actor=actor,
                    within=window,
                    minutes=wished.minutes,
                    attendees=form.people,
                    organisation_id=organisation_id_of(form.organisation.data),
                    purpose=form.purpose.data or "",
                    at=at,
                )
        except NothingToWaitFor as free:
            flash(gettext(free.title), "info")
            return redirect(pages.space_url(space.id, window, city), 303)
        except Invalid as invalid:
            form.show(invalid)
        except (Conflict, Forbidden) as refused:
            refusal = refused
        else:
            return redirect(url_for("waiting.entry", token=token_of(city.id, entry.id)), 303)
    with transaction() as session:
        return join_page(session, space, venue, wished, form, refusal=refusal)


def join_page(
    session: Session,
    space: Space,
    venue: Venue,
    wished: Span,
    form: WaitingForm,
    *,
    refusal: Refusal | None = None,
) -> Page:
    city, actor = current_city(), current_actor()
    choices = [
        ("myself", gettext("Myself")),
        *((str(o.id), o.name) for o in organisations_of(session, actor)),
    ]
    status = 422 if request.method == "POST" else 200
    html = render_template(
        "bookings/waiting/join.html",
        room=pages.place_text(space, venue),
        when=pages.time_text(wished, city),
        length=format_duration(booking_rules(space).fitting_minutes(wished.minutes)),
        form=form,
        errors=form.all_errors(),
        choices=choices,
        refusal=gettext(refusal.title) if refusal is not None else None,
        capacity=space.capacity,
        found=alternatives_shown(session, space, venue, wished, kept=kept_of_form(form)),
        action=url_for(
            "waiting.join", space_id=space.id, **pages.time_args(wished, city, whole_days=space.whole_days)
        ),
        back_url=pages.space_url(space.id, wished, city),
    )
    return html, status_of(type(refusal)) if refusal is not None else status


def kept_of_form(form: WaitingForm) -> Kept:
    """What is filled in already, for who takes a time that is free now."""
    return Kept(
        organisation=(form.organisation.data or "")[:20],
        purpose=plain_text(form.purpose.data)[:TEXT_MAX],
        people=(form.attendees.data or "")[:20],
    )


@blueprint.get("/line/<token>")
@public
def entry(token: str) -> Page:
    """Where one stands, and the offer if there is one. Whoever has the mail's address may see it."""
    with transaction() as session:
        return entry_page(session, found_by(session, token), token)


@blueprint.post("/line/<token>/booking")
@public
def accept(token: str) -> Page:
    """Take the offer."""
    city, at = current_city(), now()
    if not PlainForm().validate_on_submit():
        return redirect(url_for("waiting.entry", token=token), 303)
    refusal: Refusal
    try:
        with transaction() as session:
            found = found_by(session, token)
            booking = actions.accept_offer(
                session,
                city,
                found.entry,
                actor=acting(session, found),
                at=at,
                expected_total_minor=read_whole(request.form.get("total")),
            )
    except (Conflict, Forbidden, Invalid) as refused:
        refusal = refused
        with transaction() as session:
            return entry_page(session, found_by(session, token), token, refusal=refusal)
    if current_actor().person_id == booking.person_id:
        return redirect(url_for("lifecycle.booking", reference=booking.reference, done=1), 303)
    return redirect(url_for("waiting.entry", token=token), 303)


@blueprint.post("/line/<token>/leaving")
@public
def leave(token: str) -> Page:
    """Stand in line no more."""
    if PlainForm().validate_on_submit():
        with transaction() as session:
            found = found_by(session, token)
            actions.leave_line(session, found.entry, actor=acting(session, found), at=now())
    return redirect(url_for("waiting.entry", token=token), 303)


def found_by(session: Session, token: str) -> Waiting:
    """The entry of a mail's address. Raises EntryNotFound, and TooMany for who tries many."""
    entry_id = entry_of_token(current_city().id, token)
    if entry_id is None:
        limit(f"line-guess:{client_ip()}", times=GUESSES_PER_HOUR, per=timedelta(hours=1))
        raise EntryNotFound
    return waiting_of(session, current_city().id, entry_id)


def acting(session: Session, found: Waiting) -> Actor:
    """The person in line, who proves by the address in their mail that it is them."""
    return actor_of_person(session, found.person, source="mail", ip=client_ip())


def entry_page(session: Session, found: Waiting, token: str, *, refusal: Refusal | None = None) -> Page:
    city, at = current_city(), now()
    waiting, space = found.entry, found.space
    hold = session.get(Booking, (city.id, waiting.booking_id)) if waiting.booking_id is not None else None
    offered = waiting.state == "offered" and hold is not None and hold.state == "held"
    total = offer_price(session, waiting.organisation_id, space, hold, at) if offered and hold else None
    html = render_template(
        "bookings/waiting/entry.html",
        waiting=waiting,
        offered=offered,
        room=pages.place_text(space, found.venue),
        window=pages.time_text(waiting.window, city),
        length=format_duration(booking_rules(space).fitting_minutes(waiting.minutes)),
        place=place_in_line(session, waiting) if waiting.state == "waiting" else None,
        when=pages.time_text(hold.span, city, year=True) if hold is not None else None,
        until=pages.instant_text(waiting.offered_until, city) if waiting.offered_until else None,
        total=total,
        button=pages.button_text(total, by_request=not at_once(session, space, waiting.organisation_id))
        if total is not None
        else "",
        booking_url=url_for("lifecycle.booking", reference=hold.reference)
        if hold is not None and waiting.state == "booked"
        else None,
        refusal=gettext(refusal.title) if refusal is not None else None,
        accept_url=url_for("waiting.accept", token=token),
        leave_url=url_for("waiting.leave", token=token),
        space_url=pages.space_url(space.id, waiting.window, city),
        email=found.person.email if current_actor().person_id == found.person.id else None,
    )
    return html, status_of(type(refusal)) if refusal is not None else 200


def offer_price(
    session: Session, organisation_id: int | None, space: Space, hold: Booking, at: datetime
) -> Money:
    _, prices = prices_for(session, current_city(), space, hold.span, [organisation_id], at=at)
    return prices[organisation_id].total
