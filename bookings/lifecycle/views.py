"""Pages of booking a space: checkout, one-click booking, the booking's page, cancellation, the owner's answer."""

from dataclasses import replace
from datetime import datetime, timedelta

from flask import Response, flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from bookings.lifecycle import actions, added, one_press, pages, policy
from bookings.lifecycle.actions import Looked
from bookings.lifecycle.also import also_free
from bookings.lifecycle.alternatives import Sought, alternatives, is_taken_by_others
from bookings.lifecycle.alternatives_present import NOTHING, Shown, shown
from bookings.lifecycle.answer_files import fetch, kept_files
from bookings.lifecycle.asked import asked_of
from bookings.lifecycle.calendar_file import calendar_file as make_calendar_file
from bookings.lifecycle.choices import MYSELF, booking_choices, organisation_id_of
from bookings.lifecycle.details import Details
from bookings.lifecycle.errors import (
    AnswerNotFound,
    BuildDaysWrong,
    IllegalTransition,
    OutdoorUseWrong,
    SubmissionUsed,
    TimeNotBookable,
    TimeUnreadable,
    TooLateToCancel,
)
from bookings.lifecycle.forms import (
    TEXT_MAX,
    AskingForm,
    CancelForm,
    CheckoutForm,
    DeclineForm,
    QuickForm,
    asking_form,
    new_submission,
    plain_text,
    read_time,
    read_whole,
)
from bookings.lifecycle.hold_actions import held_at
from bookings.lifecycle.models import Booking
from bookings.lifecycle.outdoor import checked_use
from bookings.lifecycle.pages import Kept, gettext
from bookings.lifecycle.queries import (
    BookedSpace,
    answers_of,
    booking_for,
    history_of,
    own_booking_at,
)
from bookings.lifecycle.rules import free_until
from bookings.lifecycle.till import till, ways_for
from bookings.lifecycle.together import book_together, group_of
from marketplace.accounts.actor import Actor
from marketplace.clock import now
from marketplace.db import transaction
from marketplace.errors import Conflict, Forbidden, Invalid, Refusal, TooMany, Unavailable
from marketplace.money import Money
from marketplace.timespan import Span, local_days
from marketplace.web.access import public, signed_in
from marketplace.web.i18n import N_, format_money, localised
from marketplace.web.limits import limit
from marketplace.web.problems import field_message, status_of
from marketplace.web.request import current_actor, current_city, page_blueprint
from marketplace.web.uploads import takes_uploads
from spaces.calendar.errors import SlotTaken
from spaces.calendar.queries import booking_rules
from spaces.catalog.errors import SpaceNotFound
from spaces.catalog.models import Space, Venue
from spaces.catalog.queries import space_for
from spaces.equipment.errors import PiecesWrong
from spaces.equipment.errors import field_of as field_of_extra
from spaces.pricing.cancel_texts import line_before_booking
from spaces.pricing.queries import has_codes
from spaces.pricing.rules import NO_BUILD_DAYS, PriceTerms, Quote, asks_build, asks_each_time
from spaces.pricing.ways import USUAL_WAYS
from spaces.rules.present import age_text, attendance_text
from spaces.rules.queries import terms_of

blueprint = page_blueprint("lifecycle", __name__)

Page = str | tuple[str, int] | tuple[str, int, dict[str, str]] | AnyResponse
LARGEST_ID = 2**63 - 1
# Three files of the largest size with something to spare, so that one that is too large is told beside its field.
MOST_MEGABYTES = 35
TOO_LARGE = N_("The files are too large together. Each may have 10 MB.")
# A person at a keyboard never reaches this; a script that grabs times does.
BOOKINGS_PER_MINUTE = 30


def known_space(session: Session, space_id: int) -> tuple[Space, Venue]:
    if space_id > LARGEST_ID:
        raise SpaceNotFound
    return space_for(session, space_id, actor=current_actor())


@blueprint.get("/spaces/<int:space_id>/booking")
@signed_in
def new(space_id: int) -> Page:
    """The checkout: who, what, how many, for how much."""
    city, at = current_city(), now()
    args = request.args
    kept = kept_of_args()
    with transaction() as session:
        space, venue = known_space(session, space_id)
        try:
            during = read_time(args, now=at)
        except TimeUnreadable as refusal:
            return unavailable_page(session, space, venue, None, refusal, kept=kept)
        hold = held_at(session, current_actor(), space, during, at=at)
        try:
            if hold is None:
                actions.check_time(session, city, space, booking_rules(space), during, at=at)
        except (SlotTaken, TimeNotBookable) as refusal:
            return unavailable_page(session, space, venue, during, refusal, kept=kept)
        form = asking_form(CheckoutForm, asked_of(session, space, current_actor()), formdata=None)
        form.submission.data = hold.submission if hold is not None else None
        form.organisation.data = chosen_organisation(current_actor(), kept.organisation or None)
        form.purpose.data, form.attendees.data = kept.purpose, kept.people
        return checkout_page(session, space, venue, during, form)


@blueprint.post("/spaces/<int:space_id>/booking")
@takes_uploads(megabytes=MOST_MEGABYTES, too_large=TOO_LARGE)
@public
def create(space_id: int) -> Page:
    """Book what the checkout says. A second sending of the form leads to the first one's booking."""
    city, actor, at = current_city(), current_actor(), now()
    with transaction() as session:
        space, venue = known_space(session, space_id)
        form = asking_form(CheckoutForm, asked_of(session, space, actor))
        kept = kept_of_form(form)
        try:
            during = read_time(request.args, now=at)
        except TimeUnreadable as unreadable:
            return unavailable_page(session, space, venue, None, unreadable, kept=kept)
    if not actor.is_signed_in:
        # By way of the checkout, which asks to sign in and comes back with what was filled in.
        return redirect(checkout_url(space, during, kept), 303)
    refusal: Refusal | None = None
    if request.form.get("do") == "look":
        # Only what it would cost with what is filled in.
        with transaction() as session:
            return checkout_page(session, space, venue, during, form, only_look=True)
    if form.validate_on_submit():
        try:
            count_booking(actor)
            with kept_files(form), transaction() as session:
                if is_gone(session, space, during, form.submission.data or "", at=at):
                    raise SlotTaken  # noqa: TRY301 - told as when the booking itself finds it so
                others = [known_space(session, id_)[0] for id_ in form.also_ids]
                booking, *_ = book_together(
                    session,
                    city,
                    space,
                    [other for other in others if other.venue_id == space.venue_id],
                    actor=actor,
                    during=during,
                    purpose=form.purpose.data or "",
                    attendees=form.people,
                    organisation_id=organisation_id_of(form.organisation.data),
                    submission=form.submission.data or "",
                    at=at,
                    expected_total_minor=form.expected_total,
                    details=form.details,
                    way=form.chosen_way,
                )
            return done(booking)
        except (SlotTaken, TimeNotBookable) as taken:
            with transaction() as session:
                # Where something is asked, another time goes by way of its own checkout.
                posts = None if form.asked.is_anything else "lifecycle.create"
                return unavailable_page(session, space, venue, during, taken, kept=kept, posts=posts)
        except Invalid as invalid:
            form.show(invalid)
        except (Forbidden, Conflict, TooMany, Unavailable) as refused:
            refusal = refused
            if isinstance(refused, SubmissionUsed):
                form.submission.data = new_submission()
    with transaction() as session:
        return checkout_page(session, space, venue, during, form, refusal=refusal)


@blueprint.post("/spaces/<int:space_id>/quick-booking")
@public
def quick(space_id: int) -> Page:
    """Book with one press where nothing more is needed; else go on to the checkout with the time filled in."""
    city, actor, at = current_city(), current_actor(), now()
    with transaction() as session:
        space, venue = known_space(session, space_id)
        kept = Kept(
            people=request.form.get("people", "")[:20],
            purpose=plain_text(request.form.get("purpose"))[:TEXT_MAX],
            q=plain_text(request.form.get("q"))[:TEXT_MAX],
        )
        try:
            form = QuickForm.read(request.form, now=at)
        except TimeUnreadable as refusal:
            return unavailable_page(session, space, venue, None, refusal, kept=kept)
        # One list of results may give all its chips one key; each space and time is its own request.
        submission = f"{form.submission}:{space.id}:{int(form.during.start.timestamp())}"
        if form.submission and is_gone(session, space, form.during, submission, at=at):
            count_booking(actor)
            return unavailable_page(
                session, space, venue, form.during, SlotTaken(), kept=kept, posts="lifecycle.quick"
            )
        looked = one_press.look_at(session, city, space, form.during, actor.acting_for, at=at)
        one_click = is_one_click(session, actor, space, form, looked, at=at)
    if not one_click:
        return redirect(checkout_url(space, form.during, kept), 303)
    count_booking(actor)
    try:
        with transaction() as session:
            booking = actions.request_booking(
                session,
                city,
                space,
                actor=actor,
                during=form.during,
                purpose=form.purpose,
                attendees=form.attendees,
                organisation_id=actor.acting_for,
                submission=submission,
                at=at,
                expected_total_minor=form.total,
                looked=looked,
            )
    except (SlotTaken, TimeNotBookable) as refusal:
        with transaction() as session:
            return unavailable_page(
                session, space, venue, form.during, refusal, kept=kept, posts="lifecycle.quick"
            )
    except (Forbidden, Conflict, Invalid) as refusal:
        flash(gettext(refusal.title), "alert")
        return redirect(checkout_url(space, form.during, kept), 303)
    return done(booking)


def is_gone(session: Session, space: Space, during: Span, submission: str, *, at: datetime) -> bool:
    """Whether somebody else has a time that is still to come: the late ones of many need not ask for more."""
    person_id = current_actor().person_id
    return (
        person_id is not None
        and during.start > at
        and is_taken_by_others(session, space, during, person_id=person_id, submission=submission)
    )


def is_one_click(
    session: Session, actor: Actor, space: Space, form: QuickForm, looked: Looked | None, *, at: datetime
) -> bool:
    """Whether nothing has to be asked first, and nothing be said that would bind."""
    people, whom = form.attendees, actor.acting_for
    if not form.submission or (form.people and people is None):
        return False
    if looked is not None and one_press.binds(space, looked.terms, looked.prices[whom], form.during, at=at):
        return False
    return not (
        one_press.asks_first(session, space, actor, organisation_id=whom, people=people, looked=looked)
    )


def count_booking(actor: Actor) -> None:
    """Raises TooMany for one who books faster than people do."""
    limit(f"book:{actor.city_id}:{actor.person_id}", times=BOOKINGS_PER_MINUTE, per=timedelta(minutes=1))


def done(booking: Booking) -> AnyResponse:
    """On to the booking, or first to its payment."""
    if booking.state == "awaiting_payment":
        with transaction() as session:
            number = till().owed(session, booking)
        if number is not None:
            return redirect(url_for("checkout.pay", number=number), 303)
    return redirect(url_for("lifecycle.booking", reference=booking.reference, done=1), 303)


def kept_of_args() -> Kept:
    args = request.args
    return Kept(
        organisation=args.get("organisation", "")[:20],
        purpose=plain_text(args.get("purpose"))[:TEXT_MAX],
        people=args.get("people", "")[:20],
        q=plain_text(args.get("q"))[:TEXT_MAX],
    )


def kept_of_form(form: CheckoutForm) -> Kept:
    return Kept(
        organisation=(form.organisation.data or "")[:20],
        purpose=(form.purpose.data or "")[:TEXT_MAX],
        people=(form.attendees.data or "")[:20],
    )


def checkout_url(space: Space, during: Span, kept: Kept) -> str:
    args = pages.time_args(during, current_city(), whole_days=space.whole_days)
    return url_for("lifecycle.new", space_id=space.id, **args, **kept.as_args())


def chosen_organisation(actor: Actor, asked: str | None) -> str:
    """The row to mark first: what the address says, else whom the person acts for."""
    if asked is not None:
        return asked
    return str(actor.acting_for) if actor.acting_for is not None else "myself"


def checkout_page(
    session: Session,
    space: Space,
    venue: Venue,
    during: Span,
    form: CheckoutForm,
    *,
    refusal: Refusal | None = None,
    only_look: bool = False,
) -> tuple[str, int, dict[str, str]]:
    """The form with fresh data; the status says how it was refused, if it was."""
    city, actor, at = current_city(), current_actor(), now()
    choices = booking_choices(session, city, space, actor, during=during)
    if not form.submission.data:
        form.submission.data = new_submission()
    chosen = choices.chosen(form)
    terms, prices = checkout_prices(session, space, during, form, choices.values)
    price = prices.get(form.organisation.data or "", prices[MYSELF])
    free = (
        also_free(
            session,
            city,
            space,
            during,
            actor=actor,
            organisation_ids=[organisation_id_of(value) for value in prices],
            chosen=chosen,
            wanted=form.also_ids,
            at=at,
        )
        if choices.rows
        else []
    )
    taken_too = [one for one in free if one.space.id in form.also_ids]
    form.total.data = pages.seen_totals(
        {
            value: sum(
                (one.prices[organisation_id_of(value)].total.minor for one in taken_too), cost.total.minor
            )
            for value, cost in prices.items()
        }
    )
    total = sum((one.prices[chosen].total for one in taken_too), price.total)
    by_request = not choices.at_once[chosen]
    ways = ways_for(session, city, space, terms.ways, [chosen])[chosen] if total else USUAL_WAYS
    if form.way.data not in ways:
        form.way.data = ways[0] if ways else None
    form.renew_terms()
    # What is left of the equipment is told beside its numbers, so before the summary of what is wrong.
    equipment = added.equipment_rows(session, city, space, during, form)
    is_least = terms.per == "tariff" and not is_told(terms, form)
    status = 200
    if refusal is not None:
        status = status_of(type(refusal))
    elif form.is_submitted() and not only_look:
        status = 422
    until = free_until(during.start, price.cancel.free_hours(space.cancellation_hours))
    html = render_template(
        "bookings/lifecycle/checkout.html",
        space=space,
        place=localised(venue.names),
        room=pages.place_text(space, venue),
        street=pages.street_text(venue),
        drawing=pages.drawing(space),
        when=pages.time_text(during, city, year=True),
        back_url=pages.space_url(space.id, during, city, **back_args()),
        here=request.full_path.rstrip("?"),
        action=url_for(
            "lifecycle.create",
            space_id=space.id,
            **pages.time_args(during, city, whole_days=space.whole_days),
        ),
        hold=pages.hold_shown(held_at(session, actor, space, during, at=at), city, at=at),
        hold_url=url_for(
            "lifecycle.hold",
            space_id=space.id,
            **pages.time_args(during, city, whole_days=space.whole_days),
        ),
        form=form,
        errors=pages.checkout_errors(form),
        refusal=gettext(refusal.title) if refusal is not None else None,
        choices=choices.rows,
        rows=[
            *pages.quote_rows(price),
            *((localised(one.space.names), format_money(one.prices[chosen].total)) for one in taken_too),
        ],
        total=total,
        also=[
            (
                str(one.space.id),
                localised(one.space.names),
                one.prices[chosen].total,
                one.space.id in form.also_ids,
            )
            for one in free
        ],
        totals={value: cost.total for value, cost in prices.items()},
        asks_code=bool(form.code.data)
        or has_codes(session, city.id, space.id, at.astimezone(city.zone).date()),
        equipment=equipment,
        outdoor=added.outdoor_questions(terms),
        is_least=is_least,
        asks_build=asks_build(terms, len(local_days(during, city.zone))),
        repeats=not asks_each_time(terms, len(local_days(during, city.zone))),
        button=pages.button_text(
            total, by_request=by_request, is_least=is_least, is_paid_now=form.way.data == "card"
        ),
        ways=pages.way_rows(ways, form.way.data),
        offers_ways=terms.ways != USUAL_WAYS,
        way_text=pages.way_text(ways, form.way.data, by_request=by_request),
        suggestions=pages.purposes_of(space),
        is_verified=actor.is_verified,
        needs_organisation=choices.needs_organisation,
        by_request=by_request,
        always_by_request=space.approval == "handler",
        varies=len({choices.at_once[organisation_id_of(value)] for value in choices.values}) > 1,
        keeps_out=gettext(choices.keeps_out.title) if choices.keeps_out is not None else None,
        rules_url=url_for("catalog.space", space_id=space.id, _anchor="rules"),
        asked=form.asked,
        asks_file=form.asked.asks_file,
        attendance=attendance_text(space),
        ages=age_text(space),
        cancel_text=pages.cancel_text(
            total, pages.instant_text(until, city) if until > at else None, price.kept_percent
        ),
        cancel_line=line_before_booking(
            price, during.start, cancellation_hours=space.cancellation_hours, zone=city.zone, at=at
        )
        if not is_least
        else None,
    )
    headers = {"Retry-After": str(refusal.retry_after)} if isinstance(refusal, TooMany) else {}
    return html, status, headers


def checkout_prices(
    session: Session, space: Space, during: Span, form: CheckoutForm, choices: list[str]
) -> tuple[PriceTerms, dict[str, Quote]]:
    """What each choice would cost; without the code or the build days that cannot be used, which are told in the form."""
    ids: dict[str, int | None] = {value: organisation_id_of(value) for value in [MYSELF, *choices]}
    details = form.details
    while True:
        try:
            terms, prices = actions.prices_for(
                session, current_city(), space, during, list(ids.values()), at=now(), details=details
            )
        except Invalid as refusal:
            details = without_fault(form, details, refusal)
        else:
            return terms, {value: prices[id_] for value, id_ in ids.items()}


def without_fault(form: AskingForm, details: Details, refusal: Invalid) -> Details:
    """The details without that of them which has no price, so that what is shown is the price of the rest; the form tells
    what is wrong. Raises the refusal where no detail is at fault."""
    fields = {error.field for error in refusal.fields}
    if isinstance(refusal, PiecesWrong):
        told = any(field_of_extra(id_) in fields for id_ in form.extras.wrong)
        rest = replace(
            details, extras={id_: n for id_, n in details.extras.items() if field_of_extra(id_) not in fields}
        )
    else:
        told = any(form[name].errors for name in fields if name in form)
        if fields == {"code"}:
            rest = replace(details, code="")
        elif isinstance(refusal, BuildDaysWrong):
            rest = replace(details, build=NO_BUILD_DAYS)
        elif isinstance(refusal, OutdoorUseWrong):
            rest = replace(details, use=None)
        else:
            raise refusal
    if not told:
        form.show(refusal)
    return rest


def is_told(terms: PriceTerms, form: CheckoutForm) -> bool:
    """Whether enough is told of the use of an area for its price to be whole."""
    try:
        return checked_use(terms, form.use, whole=True) is not None
    except OutdoorUseWrong:
        return False


def back_args() -> dict[str, str]:
    """What the search asked, for the way back."""
    return {key: request.args[key][:TEXT_MAX] for key in ("q", "where", "when") if request.args.get(key)}


def unavailable_page(
    session: Session,
    space: Space,
    venue: Venue,
    during: Span | None,
    refusal: Refusal,
    *,
    kept: Kept,
    posts: str | None = None,
) -> tuple[str, int]:
    """Why this time cannot be had, and what is free instead, each one press away with the same data."""
    city = current_city()
    own = own_booking_at(session, current_actor(), space, during) if during is not None else None
    found = (
        alternatives_shown(session, space, venue, during, kept=kept, posts=posts)
        if during is not None
        else NOTHING
    )
    texts = [field_message(error) for error in refusal.fields] if isinstance(refusal, Invalid) else []
    html = render_template(
        "bookings/lifecycle/unavailable.html",
        title=gettext(refusal.title),
        texts=texts,
        taken=isinstance(refusal, SlotTaken),
        room=pages.place_text(space, venue),
        drawing=pages.drawing(space),
        when=pages.time_text(during, city, year=True) if during is not None else None,
        found=found,
        own_url=url_for("lifecycle.booking", reference=own.reference) if own else None,
        line_url=url_for(
            "waiting.join",
            space_id=space.id,
            **pages.time_args(during, city, whole_days=space.whole_days),
            **kept.as_args(),
        )
        if isinstance(refusal, SlotTaken) and during is not None and own is None
        else None,
        back_url=pages.space_url(space.id, None, city),
        search_url=url_for("search.results"),
    )
    return html, status_of(type(refusal))


def alternatives_shown(
    session: Session,
    space: Space,
    venue: Venue,
    during: Span,
    *,
    kept: Kept | None = None,
    posts: str | None = None,
    with_times: bool = True,
) -> Shown:
    """What is free instead of this time, as the pages show it, for whom the person books and for as many."""
    city, actor, kept = current_city(), current_actor(), kept or Kept()
    sought = Sought(
        space,
        venue,
        during,
        actor,
        organisation_id=wished_for(actor, kept.organisation),
        people=read_whole(kept.people),
    )
    found = alternatives(session, city, sought, at=now(), with_times=with_times)
    day = during.start.astimezone(city.zone).date()
    return shown(found, city, day=day, kept=kept, posts=posts)


def wished_for(actor: Actor, chosen: str) -> int | None:
    """The organisation that a form names, if the person may book for it, else the one they act for."""
    if not chosen:
        return actor.acting_for
    id_ = organisation_id_of(chosen)
    return id_ if id_ is not None and actor.may_book_for(id_) else None


@blueprint.get("/bookings/<reference>")
@signed_in
def booking(reference: str) -> Page:
    """The booking: what, when, what next. `done` in the address says that it has just been made."""
    with transaction() as session:
        booked = booking_for(session, current_actor(), reference)
        if booked.booking.reference != reference:
            return redirect(url_for("lifecycle.booking", reference=booked.booking.reference), 301)
        if booked.booking.requested_at is None and policy.is_own(current_actor(), booked.booking):
            # Held only: on to where it is agreed, or what else is free.
            return redirect(checkout_url(booked.space, booked.booking.span, Kept()), 303)
        return booking_page(session, booked, DeclineForm(formdata=None))


def booking_page(session: Session, booked: BookedSpace, form: DeclineForm, *, status: int = 200) -> Page:
    city, actor, at = current_city(), current_actor(), now()
    booking, space = booked.booking, booked.space
    history = history_of(session, booking)
    decides = policy.may_decide(actor, booked.venue)
    kind, label = pages.booking_status(booking, handles=decides and not policy.may_cancel(actor, booking))
    # Less than was said when it was cancelled, where the time was booked again.
    kept = booking.kept_minor or (
        pages.detail_of(history, "booking.cancelled", "kept_minor") if booking.kept_minor is None else 0
    )
    html = render_template(
        "bookings/lifecycle/booking.html",
        session=session,
        booked=booked,
        booking=booking,
        is_new="done" in request.args and policy.is_own(actor, booking),
        is_own=policy.is_own(actor, booking),
        is_responsible=policy.is_responsible(actor, booking),
        room=pages.place_text(space, booked.venue),
        street=pages.street_text(booked.venue),
        phone=booked.venue.phone,
        instructions=localised(space.instructions) if booking.state == "confirmed" else "",
        when=pages.time_text(booking.span, city, year=True),
        person=booked.person,
        whom=booked.organisation.name if booked.organisation else booked.person.name,
        owner=booked.owner.name,
        kind=kind,
        label=label,
        rows=pages.booking_rows(booking),
        equipment=added.equipment_text(booking.lines),
        use=added.use_text(booking.outdoor_use),
        total=Money(booking.total_minor, booking.currency),
        kept=Money(kept, booking.currency) if kept else None,
        reason=pages.reason_text(booking, history),
        steps=pages.step_rows(history, city, booking),
        together=[
            (
                url_for("lifecycle.booking", reference=other.reference),
                localised(session.get_one(Space, (city.id, other.space_id)).names),
                pages.status(other.state)[1],
            )
            for other in group_of(session, booking)
        ],
        can_cancel=policy.may_cancel(actor, booking) and pages.is_open(booking, at),
        can_change=policy.may_cancel(actor, booking) and pages.is_changeable(booking, at),
        can_decide=decides and booking.state == "awaiting_approval",
        answers=pages.answer_views(
            booking, answers_of(session, booking.city_id, [booking.id]).get(booking.id, [])
        )
        if policy.may_read_answers(actor, booking, booked.venue)
        else [],
        accepted_at=pages.instant_text(booking.terms_accepted_at, city)
        if booking.terms_accepted_at
        else None,
        terms=localised(terms_of(session, booking.city_id, booking.terms_version)),
        sees_person=decides or policy.is_own(actor, booking),
        cancel_text=pages.cancel_text(
            Money(booking.total_minor, booking.currency),
            pages.instant_text(booking.cancel_free_until, city) if booking.cancel_free_until > at else None,
            booking.kept_percent,
        ),
        cancel_line=pages.cancel_line_of(booking, city, at=at),
        form=form,
        space_url=pages.space_url(space.id, None, city),
        again_url=pages.space_url(space.id, booking.span, city),
        my_url=url_for("my.bookings"),
    )
    return html, status


@blueprint.route("/bookings/<reference>/cancellation", methods=["GET", "POST"])
@signed_in
def cancel(reference: str) -> Page:
    """Ask once more, saying what it costs; then give the time back."""
    city, actor, at = current_city(), current_actor(), now()
    form = CancelForm()
    with transaction() as session:
        booked = booking_for(session, actor, reference)
        policy.require_may_cancel(actor, booked.booking)
    there = url_for("lifecycle.booking", reference=booked.booking.reference)
    if booked.booking.state == "cancelled":
        return redirect(there, 303)
    if form.validate_on_submit():
        try:
            with transaction() as session:
                booked = booking_for(session, actor, reference)
                kept = actions.cancel_booking(
                    session,
                    city,
                    booked.booking,
                    actor=actor,
                    at=at,
                    reason=form.reason.data or "",
                    reason_code=form.code,
                )
        except (IllegalTransition, TooLateToCancel) as refusal:
            flash(gettext(refusal.title), "error")
        else:
            flash(cancelled_text(kept), "success")
        return redirect(there, 303)
    if not pages.is_open(booked.booking, at):
        flash(gettext(TooLateToCancel.title), "error")
        return redirect(there, 303)
    booking = booked.booking
    kept_now = booking.kept_at(at)
    return render_template(
        "bookings/lifecycle/cancellation.html",
        booking=booking,
        room=pages.place_text(booked.space, booked.venue),
        when=pages.time_text(booking.span, city, year=True),
        drawing=pages.drawing(booked.space),
        total=Money(booking.total_minor, booking.currency),
        kept=Money(kept_now, booking.currency),
        free_until=pages.instant_text(booking.cancel_free_until, city),
        cancel_line=pages.cancel_line_of(booking, city, at=at) if booking.state == "confirmed" else None,
        form=form,
        back_url=there,
    ), 422 if form.errors else 200


def cancelled_text(kept: Money) -> str:
    if kept:
        return gettext("The booking is cancelled. The price, %(price)s, is kept.", price=format_money(kept))
    return gettext("The booking is cancelled. It costs you nothing.")


@blueprint.get("/bookings/<reference>.ics")
@signed_in
def calendar_file(reference: str) -> Response:
    """The booking for a calendar program."""
    city = current_city()
    with transaction() as session:
        booked = booking_for(session, current_actor(), reference)
    booking, venue = booked.booking, booked.venue
    url = url_for("lifecycle.booking", reference=booking.reference, _external=True)
    body = make_calendar_file(
        city,
        booking,
        summary=pages.place_text(booked.space, venue),
        location=", ".join(part for part in (localised(venue.names), pages.street_text(venue)) if part),
        description=gettext("Booking %(reference)s", reference=booking.reference),
        url=url,
        point=(venue.lat, venue.lon) if venue.lat is not None and venue.lon is not None else None,
    )
    response = Response(body, mimetype="text/calendar")
    response.headers["Content-Disposition"] = f'attachment; filename="{booking.reference}.ics"'
    return response


@blueprint.get("/bookings/<reference>/answers/<int:position>")
@signed_in
def answer_file(reference: str, position: int) -> Response:
    """A file that the booker has sent, to be kept and never to be shown by the browser."""
    actor = current_actor()
    with transaction() as session:
        booked = booking_for(session, actor, reference)
        if not policy.may_read_answers(actor, booked.booking, booked.venue):
            raise AnswerNotFound
        answers = answers_of(session, actor.city_id, [booked.booking.id]).get(booked.booking.id, [])
    answer = next((one for one in answers if one.position == position and one.file_key), None)
    if answer is None:
        raise AnswerNotFound
    response = Response(fetch(answer).data, mimetype=answer.file_type)
    response.headers.set("Content-Disposition", "attachment", filename=answer.file_name or "file")
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "private, no-store"
    return response


@blueprint.post("/bookings/<reference>/approval")
@signed_in
def approve(reference: str) -> Page:
    """The owner says yes."""
    city, actor = current_city(), current_actor()
    try:
        with transaction() as session:
            booked = booking_for(session, actor, reference)
            actions.approve_booking(session, city, booked.booking, booked.venue, actor=actor, at=now())
        flash(gettext("Approved. A mail is on its way to %(name)s.", name=booked.person.name), "success")
    except IllegalTransition as refusal:
        flash(gettext(refusal.title), "error")
    return redirect(url_for("lifecycle.booking", reference=reference), 303)


@blueprint.post("/bookings/<reference>/refusal")
@signed_in
def decline(reference: str) -> Page:
    """The owner says no, and why."""
    city, actor = current_city(), current_actor()
    form = DeclineForm()
    try:
        with transaction() as session:
            booked = booking_for(session, actor, reference)
            if not form.validate_on_submit():
                return booking_page(session, booked, form, status=422)
            actions.decline_booking(
                session,
                city,
                booked.booking,
                booked.venue,
                actor=actor,
                reason=form.reason.data or "",
                reason_code=form.code,
                at=now(),
            )
        flash(gettext("Declined. A mail is on its way to %(name)s.", name=booked.person.name), "success")
    except IllegalTransition as refusal:
        flash(gettext(refusal.title), "error")
    return redirect(url_for("lifecycle.booking", reference=reference), 303)
