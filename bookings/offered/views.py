"""Booking what is offered with one press and undoing it; consent, what is not wanted, and the rules that people can see."""

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from bookings.lifecycle import one_press, pages
from bookings.lifecycle.choices import organisation_id_of
from bookings.lifecycle.errors import TimeNotBookable, TimeUnreadable
from bookings.lifecycle.forms import SUBMISSION, TEXT_MAX, plain_text, read_time, read_whole
from bookings.lifecycle.pages import Kept, gettext
from bookings.lifecycle.queries import booking_for
from bookings.lifecycle.rules import PRESSED
from bookings.lifecycle.views import Page, checkout_url, count_booking, known_space, unavailable_page
from bookings.offered import actions
from bookings.offered.errors import NotYourPress, PressOver
from bookings.offered.panels import undo_left
from bookings.offered.queries import consent_of, dismissals_of
from bookings.offered.rules import (
    COUNTED_AFTER,
    DISMISSALS_PER_HOUR,
    HOUR,
    LEAST_ORGANISATIONS,
    LEAST_PEOPLE,
    meeting_of,
)
from marketplace.accounts.queries import organisation_for
from marketplace.clock import now
from marketplace.db import transaction
from marketplace.errors import Conflict, Forbidden, Invalid
from marketplace.money import Money
from marketplace.web.access import public, signed_in
from marketplace.web.limits import limit
from marketplace.web.request import current_actor, current_city, page_blueprint
from spaces.calendar.errors import SlotTaken

blueprint = page_blueprint("offered", __name__)

# Where the small forms lead back to.
BACK = {
    "home": ("search.home", "offered"),
    "spaces": ("search.results", "offered"),
    "profile": ("identity.profile", "offered"),
    "rules": ("offered.rules", None),
}


def back() -> Response:
    endpoint, anchor = BACK.get(request.form.get("back", ""), BACK["home"])
    return redirect(url_for(endpoint, _anchor=anchor), 303)


def agrees() -> bool:
    """The answer of a button. Nothing else than a yes is one."""
    return request.form.get("agree") == "yes"


@blueprint.post("/offered/bookings")
@signed_in
def press() -> Page:
    """Book what was offered with one press; what has to be asked or agreed first goes by way of the checkout."""
    city, actor, at = current_city(), current_actor(), now()
    form = request.form
    kept = Kept(
        organisation=form.get("organisation", "")[:20],
        purpose=plain_text(form.get("purpose"))[:TEXT_MAX],
        people=form.get("people", "")[:20],
    )
    whom, people = organisation_id_of(kept.organisation), read_whole(kept.people)
    with transaction() as session:
        space, venue = known_space(session, read_whole(form.get("space")) or 0)
        try:
            during = read_time(form, now=at)
        except TimeUnreadable as unreadable:
            return unavailable_page(session, space, venue, None, unreadable, kept=kept)
        key = form.get("submission", "")
        needs_form = (
            not SUBMISSION.fullmatch(key)
            or (bool(kept.people) and people is None)
            or (whom is not None and not actor.may_book_for(whom))
            or one_press.asks_first(session, space, actor, organisation_id=whom, people=people)
            or one_press.is_binding(session, city, space, during, whom, at=at)
            or one_press.is_paid_first(session, city, space, during, whom, at=at)
        )
    checkout = checkout_url(space, during, kept)
    if needs_form:
        return redirect(checkout, 303)
    count_booking(actor)
    try:
        with transaction() as session:
            booking = actions.press_offer(
                session,
                city,
                space,
                actor=actor,
                during=during,
                purpose=kept.purpose,
                attendees=people,
                organisation_id=whom,
                submission=f"{key}:{space.id}:{int(during.start.timestamp())}",
                expected_total_minor=read_whole(form.get("total")),
                at=at,
            )
    except (SlotTaken, TimeNotBookable) as taken:
        with transaction() as session:
            return unavailable_page(session, space, venue, during, taken, kept=kept)
    except (Forbidden, Conflict, Invalid) as refusal:
        flash(gettext(refusal.title), "alert")
        return redirect(checkout, 303)
    return redirect(url_for("offered.pressed", reference=booking.reference), 303)


@blueprint.get("/offered/bookings/<reference>")
@signed_in
def pressed(reference: str) -> Page:
    """What one press has booked, and the button that takes it back."""
    city, actor = current_city(), current_actor()
    with transaction() as session:
        booked = booking_for(session, actor, reference)
        booking = booked.booking
        if booking.requested_at is None and booking.source == PRESSED:
            return redirect(url_for("search.home", _anchor="offered"), 303)
        if booking.source != PRESSED or booking.person_id != actor.person_id or booking.state != "confirmed":
            return redirect(url_for("lifecycle.booking", reference=booking.reference), 303)
        return render_template(
            "bookings/offered/pressed.html",
            booking=booking,
            left=undo_left(session, booking, at=now()),
            room=pages.place_text(booked.space, booked.venue),
            street=pages.street_text(booked.venue),
            drawing=pages.drawing(booked.space),
            when=pages.time_text(booking.span, city, year=True),
            whom=booked.organisation.name if booked.organisation else booked.person.name,
            total=Money(booking.total_minor, booking.currency),
            email=booked.person.email,
        )


@blueprint.post("/offered/bookings/<reference>/undoing")
@signed_in
def undo(reference: str) -> Page:
    """Take the press back, as if it had not been."""
    city, actor = current_city(), current_actor()
    try:
        with transaction() as session:
            booked = booking_for(session, actor, reference)
            if booked.booking.requested_at is None and booked.booking.source == PRESSED:
                return redirect(url_for("search.home", _anchor="offered"), 303)
            actions.undo_press(session, city, booked.booking, actor=actor, at=now())
    except (PressOver, NotYourPress, Forbidden) as refusal:
        flash(gettext(refusal.title), "error")
        return redirect(url_for("lifecycle.booking", reference=reference), 303)
    flash(gettext("Taken back. Nobody was told, and it costs you nothing."), "success")
    return redirect(url_for("search.home", _anchor="offered"), 303)


@blueprint.post("/offered/dismissals")
@signed_in
def dismissals() -> Page:
    """Do not offer a space, or a meeting, any more."""
    form, actor = request.form, current_actor()
    limit(f"dismiss:{actor.city_id}:{actor.person_id}", times=DISMISSALS_PER_HOUR, per=HOUR)
    whom = organisation_id_of(form.get("organisation"))
    meeting = meeting_of(plain_text(form.get("meeting"))) if form.get("do") == "meeting" else None
    with transaction() as session:
        space = None
        if not meeting:
            space, _ = known_space(session, read_whole(form.get("space")) or 0)
        actions.dismiss(
            session,
            current_city(),
            actor=actor,
            organisation_id=whom,
            space=space,
            meeting=meeting or None,
            at=now(),
        )
    flash(
        gettext("It is not offered to you for a year. You can take this back under “Why do I see these?”."),
        "success",
    )
    return back()


@blueprint.post("/offered/dismissals/<int:dismissal_id>/withdrawal")
@signed_in
def dismissal_withdrawal(dismissal_id: int) -> Page:
    with transaction() as session:
        actions.take_dismissal_back(session, dismissal_id, actor=current_actor())
    flash(gettext("It may be offered to you again."), "success")
    return redirect(url_for("offered.rules", _anchor="turned"), 303)


@blueprint.post("/offered/consent")
@signed_in
def consent() -> Page:
    """Let us offer spaces by what one has booked, or stop it."""
    with transaction() as session:
        actions.say_consent(session, actor=current_actor(), agrees=agrees(), at=now())
    flash(
        gettext("Saved. We offer you spaces by what you have booked.")
        if agrees()
        else gettext("Saved. What you have booked is not used for offers."),
        "success",
    )
    return back()


@blueprint.post("/organisations/<int:organisation_id>/counted")
@signed_in
def pool_consent(organisation_id: int) -> Page:
    """Let the organisation be counted among those of its kind, or stop it."""
    actor = current_actor()
    with transaction() as session:
        organisation_for(session, organisation_id, actor=actor)
        actions.say_pool_consent(session, organisation_id, actor=actor, agrees=agrees(), at=now())
    flash(
        gettext("Saved. The bookings are counted without a name.")
        if agrees()
        else gettext("Saved. The bookings are not counted any more."),
        "success",
    )
    return redirect(url_for("organisations.one", organisation_id=organisation_id), 303)


@blueprint.get("/data-rules")
@public
def rules() -> Page:
    """Which data offers are made of, by which rules, and how to stop it; for the signed-in also what they turned down."""
    actor = current_actor()
    answer, turned = None, []
    if actor.is_signed_in:
        with transaction() as session:
            answer = consent_of(session, actor)
            turned = dismissals_of(session, actor, at=now())
    return render_template(
        "bookings/offered/rules.html",
        page_id="data-rules",
        least=LEAST_ORGANISATIONS,
        people=LEAST_PEOPLE,
        days=COUNTED_AFTER.days,
        asks=actor.is_verified,
        agreed=answer is not None and answer.holds,
        answer=answer,
        turned=[
            (
                one.id,
                one.meeting or (pages.place_text(one.space, one.venue) if one.space and one.venue else ""),
                one.organisation or gettext("for myself"),
                one.expires_at.astimezone(current_city().zone).date(),
            )
            for one in turned
        ],
    )
