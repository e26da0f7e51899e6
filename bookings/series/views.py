"""Pages of repeated bookings: choose the dates, see what is free, book them; the series, its change, its end."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from flask import flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session

from bookings.lifecycle import added
from bookings.lifecycle import pages as booking_pages
from bookings.lifecycle.alternatives import Alternative, Sought, alternatives
from bookings.lifecycle.answer_files import kept_files
from bookings.lifecycle.asked import asked_of, at_once
from bookings.lifecycle.choices import booking_choices, organisation_id_of
from bookings.lifecycle.errors import (
    AskedMissing,
    PriceChanged,
    SubmissionUsed,
    TimeNotBookable,
    TimeUnreadable,
)
from bookings.lifecycle.forms import (
    TEXT_MAX,
    DeclineForm,
    asking_form,
    new_submission,
    plain_text,
    read_time,
    read_whole,
)
from bookings.lifecycle.hold_actions import held_at
from bookings.lifecycle.models import Booking
from bookings.lifecycle.pages import gettext
from bookings.lifecycle.policy import may_decide
from bookings.lifecycle.rules import OPEN
from bookings.lifecycle.views import (
    MOST_MEGABYTES,
    TOO_LARGE,
    Page,
    chosen_organisation,
    known_space,
    without_fault,
)
from bookings.series import actions, pages, policy
from bookings.series.change_actions import (
    Changed,
    Wish,
    change_dates,
    meant_bookings,
    plan_change,
)
from bookings.series.errors import CodeTooFew, DatesTaken
from bookings.series.forms import (
    MODES,
    MOST_NEAR,
    CancelForm,
    ChangeForm,
    OtherTime,
    RetryForm,
    SeriesForm,
    read_days,
    read_instead,
)
from bookings.series.models import SeriesSkip
from bookings.series.planning import (
    LEFT_OUT,
    Ask,
    Instead,
    Occurrence,
    adding_for,
    outlook,
    plan_series,
    told_again,
    total_of,
)
from bookings.series.queries import BookedSeries, bookings_of, series_for, skips_of, spaces_of
from bookings.series.rules import MOST_SHIFT, SCOPES, Change, is_ahead
from marketplace.accounts.actor import Actor
from marketplace.clock import now
from marketplace.db import transaction
from marketplace.errors import Conflict, Forbidden, Invalid, NotFound, Refusal, TooMany, Unavailable
from marketplace.money import Money
from marketplace.timespan import Span, local_days
from marketplace.web.access import public, signed_in
from marketplace.web.i18n import format_clock, format_duration, format_money
from marketplace.web.limits import limit
from marketplace.web.problems import status_of
from marketplace.web.request import current_actor, current_city, page_blueprint
from marketplace.web.uploads import takes_uploads
from spaces.calendar.errors import SlotTaken
from spaces.calendar.queries import booking_rules
from spaces.catalog.models import Space, Venue
from spaces.catalog.queries import space_for
from spaces.equipment.errors import PiecesWrong
from spaces.pricing.errors import CodeNotValid, CodeUsedUp
from spaces.pricing.queries import has_codes, price_on
from spaces.pricing.rules import asks_each_time
from spaces.rules.present import age_text, attendance_text

blueprint = page_blueprint("series", __name__)

# A series is up to 200 bookings, so fewer of them than of single ones; a look costs a tenth of that.
SERIES_PER_MINUTE = 10
LOOKS_PER_MINUTE = 120
MOST_CHOICES = 20


def count(actor: Actor, what: str, times: int) -> None:
    """Raises TooMany for one who is quicker than people are."""
    limit(f"series-{what}:{actor.city_id}:{actor.person_id}", times=times, per=timedelta(minutes=1))


def today_at(at: datetime) -> date:
    return at.astimezone(current_city().zone).date()


@blueprint.get("/spaces/<int:space_id>/series")
@signed_in
def new(space_id: int) -> Page:
    """The form with what is free on the next ten weeks."""
    city, actor, at = current_city(), current_actor(), now()
    count(actor, "look", LOOKS_PER_MINUTE)
    with transaction() as session:
        space, venue = known_space(session, space_id)
        try:
            during = read_time(request.args, now=at)
        except TimeUnreadable:
            return redirect(booking_pages.space_url(space.id, None, city))
        form = asking_form(SeriesForm, asked_of(session, space, actor), formdata=None)
        form.organisation.data = chosen_organisation(actor, request.args.get("organisation"))
        form.purpose.data = plain_text(request.args.get("purpose"))[:TEXT_MAX]
        form.attendees.data = request.args.get("people", "")[:20]
        return form_page(session, space, venue, during, form)


@blueprint.post("/spaces/<int:space_id>/series")
@takes_uploads(megabytes=MOST_MEGABYTES, too_large=TOO_LARGE)
@public
def create(space_id: int) -> Page:
    """Book the dates; with `do=look` only show what is free of what the form says now."""
    city, actor, at = current_city(), current_actor(), now()
    with transaction() as session:
        space, venue = known_space(session, space_id)
        form = asking_form(SeriesForm, asked_of(session, space, actor))
    try:
        during = read_time(request.args, now=at)
    except TimeUnreadable:
        return redirect(booking_pages.space_url(space.id, None, city), 303)
    if not actor.is_signed_in:
        args = booking_pages.time_args(during, city, whole_days=space.whole_days)
        return redirect(url_for("series.new", space_id=space.id, **args), 303)
    looks = request.form.get("do") == "look" or "near" in request.form
    count(actor, "look", LOOKS_PER_MINUTE)
    refusal: Refusal | None = None
    if not looks and form.validate_on_submit():
        try:
            count(actor, "create", SERIES_PER_MINUTE)
            with transaction() as session:
                actions.let_go_of_hold(session, space, during, actor=actor, at=at)
            with kept_files(form), transaction() as session:
                ask = ask_of(session, space, during, form, at=at)
                if ask is not None:
                    series = actions.create_series(
                        session,
                        city,
                        space,
                        ask,
                        actor=actor,
                        purpose=form.purpose.data or "",
                        attendees=form.people,
                        organisation_id=organisation_id_of(form.organisation.data),
                        submission=form.submission.data or "",
                        all_or_nothing=form.all_or_nothing,
                        at=at,
                        expected_total_minor=form.expected_total,
                        details=form.details,
                    )
                    return redirect(url_for("series.show", reference=series.reference, done=1), 303)
        except Invalid as invalid:
            form.show(invalid)
        except (Forbidden, Conflict, TooMany, Unavailable) as refused:
            refusal = refused
            if isinstance(refused, SubmissionUsed):
                form.submission.data = new_submission()
    with transaction() as session:
        return form_page(session, space, venue, during, form, refusal=refusal, looks=looks)


def ask_of(session: Session, space: Space, during: Span, form: SeriesForm, *, at: datetime) -> Ask | None:
    """What the form asks for; None when it cannot be read, which is said beside its fields."""
    city, today = current_city(), today_at(at)
    start = during.start.astimezone(city.zone)
    rule = form.rule(start.date(), today=today)
    if rule is None:
        return None
    minutes = during.minutes
    if space.whole_days:
        last = (during.end - timedelta(seconds=1)).astimezone(city.zone).date()
        minutes = ((last - start.date()).days + 1) * 1440
    return Ask(
        rule,
        None if space.whole_days else start.time().replace(fold=0),
        minutes,
        frozenset(read_days(request.form.getlist("leave_out"), today=today)),
        chosen_instead(session, read_instead(request.form, today=today)),
    )


def chosen_instead(session: Session, chosen: Mapping[date, OtherTime]) -> dict[date, Instead]:
    """The alternatives in spaces that the person may see; what has vanished is not chosen any more."""
    spaces: dict[int, Space] = {}
    for id_ in list(dict.fromkeys(other.space_id for other in chosen.values()))[:MOST_CHOICES]:
        try:
            spaces[id_], _ = space_for(session, id_, actor=current_actor())
        except NotFound:
            continue
    return {
        day: Instead(spaces[other.space_id], other.during)
        for day, other in chosen.items()
        if other.space_id in spaces
    }


def form_page(
    session: Session,
    space: Space,
    venue: Venue,
    during: Span,
    form: SeriesForm,
    *,
    refusal: Refusal | None = None,
    looks: bool = False,
) -> tuple[str, int]:
    """The form with what is free as of now; the status says how it was refused, if it was."""
    city, actor, at = current_city(), current_actor(), now()
    today = today_at(at)
    choices = booking_choices(session, city, space, actor)
    by_request = not choices.at_once[choices.chosen(form)]
    if form.mode.data not in MODES:
        form.mode.data = MODES[0]
    if not form.submission.data:
        form.submission.data = new_submission()
    form.renew_terms()
    first = during.start.astimezone(city.zone).date()
    terms = price_on(session, city, space.id, first)
    equipment = added.equipment_rows(session, city, space, during, form, with_left=False)
    plan = plan_of(session, space, during, form, at=at)
    total = total_of(plan, city.currency)
    form.total.data = str(total.minor)
    near = spaces_near(session, space, venue, plan, form, at=at)
    chosen = read_instead(request.form, today=today)
    booked = sum(one.booked is not None for one in plan)
    args = booking_pages.time_args(during, city, whole_days=space.whole_days)
    status = 200
    if refusal is not None:
        status = status_of(type(refusal))
    elif form.is_submitted() and not looks:
        status = 422
    html = render_template(
        "bookings/series/new.html",
        space=space,
        room=booking_pages.place_text(space, venue),
        street=booking_pages.street_text(venue),
        drawing=booking_pages.drawing(space),
        first=booking_pages.time_text(during, city, year=True),
        form=form,
        errors=booking_pages.checkout_errors(form),
        refusal=refusal_title(refusal) if refusal is not None else None,
        patterns=pages.pattern_choices(first),
        one_by_one=terms is not None and asks_each_time(terms, len(local_days(during, city.zone))),
        choices=choices.rows,
        rows=pages.date_rows(
            plan,
            city,
            today=today,
            chosen=chosen,
            near=near,
            venues={id_: v for id_, (_, v) in chosen_spaces(session, plan).items()},
        ),
        near=[day.isoformat() for day in near],
        booked=booked,
        booked_text=pages.dates_text(booked),
        refused=sum(one.is_refused for one in plan),
        total=total,
        button=pages.button_text(booked, total, by_request=by_request),
        by_request=by_request,
        is_verified=actor.is_verified,
        needs_organisation=choices.needs_organisation,
        keeps_out=gettext(choices.keeps_out.title) if choices.keeps_out is not None else None,
        rules_url=url_for("catalog.space", space_id=space.id, _anchor="rules"),
        asked=form.asked,
        asks_file=form.asked.asks_file,
        asks_code=bool(form.code.data) or has_codes(session, city.id, space.id, today),
        equipment=equipment,
        attendance=attendance_text(space),
        ages=age_text(space),
        suggestions=booking_pages.purposes_of(space),
        cancellation_hours=terms.cancel.free_hours(space.cancellation_hours)
        if terms is not None
        else space.cancellation_hours,
        action=url_for("series.create", space_id=space.id, **args),
        once_url=url_for("lifecycle.new", space_id=space.id, **args),
        back_url=booking_pages.space_url(space.id, during, city),
        here=request.full_path.rstrip("?"),
    )
    return html, status


def refusal_title(refusal: Refusal) -> str:
    if isinstance(refusal, DatesTaken):
        days = ", ".join(booking_pages.day_text(day) for day in refusal.days[:5])
        more = len(refusal.days) - 5
        if more > 0:
            days = gettext("%(days)s and %(num)s more", days=days, num=more)
        return f"{gettext(refusal.title)} {days}"
    return gettext(refusal.title)


def plan_of(
    session: Session, space: Space, during: Span, form: SeriesForm, *, at: datetime
) -> list[Occurrence]:
    """The dates as the form has them; none, with what is wrong in the form, when it asks for what cannot be."""
    hold = held_at(session, current_actor(), space, during, at=at)
    details = form.details
    try:
        ask = ask_of(session, space, during, form, at=at)
        while ask is not None:
            try:
                return plan_series(
                    session,
                    current_city(),
                    space,
                    ask,
                    organisation_id=allowed_organisation(form),
                    at=at,
                    with_times=True,
                    without=[hold.id] if hold is not None else [],
                    details=details,
                )
            except (CodeNotValid, CodeUsedUp, CodeTooFew, PiecesWrong) as refusal:
                details = without_fault(form, details, refusal)
    except Invalid as invalid:
        if not form.all_errors():
            form.show(invalid)
    except Conflict as refused:
        form.form_errors = [*form.form_errors, gettext(refused.title)]
    return []


def allowed_organisation(form: SeriesForm) -> int | None:
    """Whose prices are shown: never those of an organisation that the person has no right to book for."""
    id_ = organisation_id_of(form.organisation.data)
    return id_ if id_ is not None and current_actor().may_book_for(id_) else None


def chosen_spaces(session: Session, plan: Sequence[Occurrence]) -> dict[int, tuple[Space, Venue]]:
    ids = {one.booked.space.id for one in plan if one.booked is not None and one.is_moved}
    return spaces_of(session, current_city().id, ids) if ids else {}


def spaces_near(
    session: Session,
    space: Space,
    venue: Venue,
    plan: Sequence[Occurrence],
    form: SeriesForm,
    *,
    at: datetime,
) -> dict[date, Sequence[Alternative]]:
    """Other spaces for the refused dates that the person asked about: each is a search, so only for the last few."""
    asked = read_days(request.form.getlist("near") + request.form.getlist("near_kept"), today=today_at(at))
    found: dict[date, Sequence[Alternative]] = {}
    for one in plan:
        if one.day in asked and one.refusal is not None and len(found) < MOST_NEAR:
            sought = Sought(
                space,
                venue,
                one.wished,
                current_actor(),
                organisation_id=allowed_organisation(form),
                people=read_whole(form.attendees.data),
            )
            others = alternatives(session, current_city(), sought, at=at, with_times=False)
            found[one.day] = [
                other
                for other in others.spaces
                if other.offer.span.start.astimezone(current_city().zone).date() == one.day
                and not asked_of(session, other.space, current_actor()).is_anything
            ]
    return found


@blueprint.get("/series/<reference>")
@signed_in
def show(reference: str) -> Page:
    """All dates of a series, those that were skipped with their reasons, and what can be done."""
    with transaction() as session:
        booked = series_for(session, current_actor(), reference)
        if booked.series.reference != reference:
            return redirect(url_for("series.show", reference=booked.series.reference), 301)
        return series_page(session, booked, DeclineForm(formdata=None))


def series_page(session: Session, booked: BookedSeries, form: DeclineForm, *, status: int = 200) -> Page:
    city, actor, at = current_city(), current_actor(), now()
    series, today = booked.series, today_at(at)
    bookings, skips = bookings_of(session, series), skips_of(session, series)
    if not policy.is_of(actor, series):
        # Who runs one place sees what is booked there, not where else the person goes.
        bookings = [b for b in bookings if actions.is_at(session, b, booked.venue)]
    changes = policy.may_change(actor, series)
    rows = dates_of(session, booked, bookings, skips, changes=changes, at=at)
    live = [booking for booking in bookings if booking.state in OPEN]
    ahead = [booking for booking in live if is_ahead(booking.span, at)]
    spaces = spaces_of(session, city.id, {booking.space_id for booking in bookings})
    waiting = [
        b
        for b in live
        if b.state == "awaiting_approval"
        and b.replaces_id is None
        and spaces[b.space_id][1].id == booked.venue.id
    ]
    total = Money(
        sum(b.total_minor for b in bookings if b.state not in {"cancelled", "declined", "expired"}),
        city.currency,
    )
    last = max((b.span.start for b in live), default=None)
    html = render_template(
        "bookings/series/series.html",
        series=series,
        is_new="done" in request.args and policy.is_own(actor, series),
        is_own=policy.is_own(actor, series),
        room=booking_pages.place_text(booked.space, booked.venue),
        street=booking_pages.street_text(booked.venue),
        lead=pages.lead_text(series, city),
        rows=rows,
        dates=pages.dates_text(len(live)),
        ahead=len(ahead),
        last=pages.dated(last.astimezone(city.zone).date(), today=today) if last else None,
        skipped=sum(row.retry is not None for row in rows),
        waiting=len(waiting),
        waiting_text=pages.dates_text(len(waiting)),
        waiting_total=Money(sum(b.total_minor for b in waiting), city.currency),
        total=total,
        whom=booked.organisation.name if booked.organisation else booked.person.name,
        person=booked.person,
        owner=booked.owner.name,
        can_change=changes and bool(ahead),
        can_decide=may_decide(actor, booked.venue) and bool(waiting),
        form=form,
        space_url=booking_pages.space_url(booked.space.id, None, city),
        my_url=url_for("my.bookings"),
    )
    return html, status


def dates_of(
    session: Session,
    booked: BookedSeries,
    bookings: Sequence[Booking],
    skips: Sequence[SeriesSkip],
    *,
    changes: bool,
    at: datetime,
) -> list[pages.ListedDate]:
    """Bookings and skipped dates by place; a skipped one that is ahead says whether it could be had now."""
    city, today, series = current_city(), today_at(at), booked.series
    spaces = spaces_of(session, city.id, {booking.space_id for booking in bookings})
    moved = {skip.booking_id: skip for skip in skips if skip.booking_id is not None}
    rows = []
    for booking in bookings:
        elsewhere = booking.space_id != series.space_id
        skip = moved.get(booking.id)
        note = ""
        if skip is not None and skip.span != booking.span:
            note = gettext("Instead of %(time)s.", time=pages.hours_text(skip.span, city))
        if booking.replaces_id is not None:
            note = gettext("A new time that you have asked for.")
        rows.append(
            pages.listed_booking(
                booking,
                city,
                url=url_for("lifecycle.booking", reference=booking.reference),
                where=booking_pages.place_text(*spaces[booking.space_id]) if elsewhere else "",
                today=today,
                changeable=changes
                and booking.state in OPEN
                and booking.replaces_id is None
                and is_ahead(booking.span, at),
                note=note,
            )
        )
    rows += [
        pages.listed_skip(
            skip, city, today=today, retry=offer if changes and is_ahead(skip.span, at) else None
        )
        for skip, offer in retry_offers(session, booked, skips, at=at)
    ]
    return sorted(rows, key=lambda row: row.position)


def retry_offers(
    session: Session, booked: BookedSeries, skips: Sequence[SeriesSkip], *, at: datetime
) -> list[tuple[SeriesSkip, dict[str, object]]]:
    """Each date that has no booking, with what trying again would bring."""
    city, space = current_city(), booked.space
    open_skips = [skip for skip in skips if skip.booking_id is None]
    ahead = [skip for skip in open_skips if is_ahead(skip.span, at)]
    if not ahead:
        return [(skip, {}) for skip in open_skips]
    days = {skip.span.start.astimezone(city.zone).date() for skip in ahead}
    details = told_again(session, city, booked.series, space, at=at)
    adding = adding_for(session, city, space, details, days, at=at)
    view = outlook(
        session,
        city,
        [space],
        days,
        longest_minutes=max(skip.span.minutes for skip in ahead),
        organisation_id=booked.series.organisation_id,
        at=at,
        equipment=adding.pieces,
    )
    offers: list[tuple[SeriesSkip, dict[str, object]]] = []
    for skip in open_skips:
        url = url_for("series.retry", reference=booked.series.reference, position=skip.position)
        offer: dict[str, object] = {"url": url, "free": False, "left_out": skip.code == LEFT_OUT}
        if is_ahead(skip.span, at) and view.refusal_of(space, skip.span, adding) is None:
            total = view.priced(space, skip.span, adding).price.total
            button = (
                gettext("Book %(price)s", price=format_money(total))
                if total
                else gettext("Book free of charge")
            )
            if not at_once(session, space, booked.series.organisation_id):
                button = gettext("Send a request")
            offer |= {
                "free": True,
                "total": total.minor,
                "button": button,
                "submission": new_submission(),
            }
        offers.append((skip, offer))
    return offers


@blueprint.post("/series/<reference>/dates/<int:position>/booking")
@signed_in
def retry(reference: str, position: int) -> Page:
    """Try a skipped date again."""
    city, actor, at = current_city(), current_actor(), now()
    form = RetryForm()
    there = url_for("series.show", reference=reference, _anchor="dates")
    with transaction() as session:
        booked = series_for(session, actor, reference)
        policy.require_may_change(actor, booked.series)
    if not form.validate_on_submit() or position > 1000:
        return redirect(there, 303)
    total = read_whole(form.total.data)
    if total is None:
        # No price was on the button, so nothing is agreed to yet.
        look_again(reference, position)
        return redirect(there, 303)
    try:
        count(actor, "retry", LOOKS_PER_MINUTE)
        with transaction() as session:
            booked = series_for(session, actor, reference)
            booking = actions.retry_date(
                session,
                city,
                booked.series,
                booked.space,
                position,
                actor=actor,
                submission=form.key or new_submission(),
                at=at,
                expected_total_minor=total,
                details=told_again(session, city, booked.series, booked.space, at=at),
            )
        when = booking_pages.time_text(booking.span, city)
        said = (
            gettext("The request for %(time)s is on its way.", time=when)
            if booking.state == "awaiting_approval"
            else gettext("Booked: %(time)s.", time=when)
        )
        flash(said, "success")
    except AskedMissing as refusal:
        # Asked for the first time since, or in other words: the date's own checkout asks it.
        flash(gettext(refusal.title), "alert")
        return redirect(date_url(reference, position), 303)
    except SlotTaken:
        flash(gettext("The date is still taken. Try again later."), "alert")
    except (TimeNotBookable, Conflict, Forbidden, Invalid) as refusal:
        flash(gettext(refusal.title), "alert")
    return redirect(there, 303)


def date_url(reference: str, position: int) -> str:
    """The checkout of one skipped date."""
    with transaction() as session:
        booked = series_for(session, current_actor(), reference)
        skip = session.get_one(SeriesSkip, (booked.series.city_id, booked.series.id, position))
    args = booking_pages.time_args(skip.span, current_city(), whole_days=booked.space.whole_days)
    return url_for("lifecycle.new", space_id=booked.space.id, **args)


def look_again(reference: str, position: int) -> None:
    """Say whether a skipped date could be had by now; if so, its row has the button with the price."""
    with transaction() as session:
        booked = series_for(session, current_actor(), reference)
        offers = retry_offers(session, booked, skips_of(session, booked.series), at=now())
    if any(skip.position == position and offer.get("free") for skip, offer in offers):
        flash(gettext("The date is free now. Book it below."), "success")
    else:
        flash(gettext("The date is still taken. Try again later."), "alert")


def chosen_position() -> int:
    """The date that somebody began from; the first for anything that is none."""
    position = read_whole(request.values.get("from", ""))
    return position if position and position <= 1000 else 1


def scopes(bookings: Sequence[Booking], position: int, at: datetime) -> list[tuple[str, str, str]]:
    """(value, text, how many) of the ranges that make sense from this date."""
    texts = {
        "one": gettext("Only this date"),
        "following": gettext("This and the following dates"),
        "all": gettext("All dates ahead"),
    }
    found = []
    for scope in SCOPES if "from" in request.values else ("all",):
        number = len(meant_bookings(bookings, scope=scope, position=position, at=at))
        if number:
            found.append((scope, texts[scope], pages.dates_text(number)))
    return found


@blueprint.route("/series/<reference>/cancellation", methods=["GET", "POST"])
@signed_in
def cancel(reference: str) -> Page:
    """Which dates, and what that costs; then give them back."""
    city, actor, at = current_city(), current_actor(), now()
    form = CancelForm()
    position = chosen_position()
    with transaction() as session:
        booked = series_for(session, actor, reference)
        policy.require_may_change(actor, booked.series)
    there = url_for("series.show", reference=booked.series.reference)
    refusal: Refusal | None = None
    looks = request.form.get("do") == "look"
    if request.method == "GET":
        form.scope.data = request.args.get("scope") or ("one" if "from" in request.args else "all")
    elif not looks and form.validate_on_submit():
        try:
            with transaction() as session:
                booked = series_for(session, actor, reference)
                kept = actions.cancel_dates(
                    session,
                    city,
                    booked.series,
                    actor=actor,
                    scope=form.scope.data or "all",
                    position=position,
                    at=at,
                    expected_kept_minor=form.expected_kept,
                )
        except PriceChanged as changed:
            refusal = changed
        except Conflict as refused:
            flash(gettext(refused.title), "error")
            return redirect(there, 303)
        else:
            flash(cancelled_text(kept), "success")
            return redirect(there, 303)
    with transaction() as session:
        booked = series_for(session, actor, reference)
        bookings = [b for b in bookings_of(session, booked.series) if b.state in OPEN]
    return cancel_page(booked, bookings, form, position, refusal=refusal, there=there, at=at)


def cancel_page(
    booked: BookedSeries,
    bookings: Sequence[Booking],
    form: CancelForm,
    position: int,
    *,
    refusal: Refusal | None,
    there: str,
    at: datetime,
) -> Page:
    city = current_city()
    today = today_at(at)
    options = scopes(bookings, position, at)
    if not options:
        flash(gettext("None of these dates can be cancelled any more."), "error")
        return redirect(there, 303)
    if form.scope.data not in {value for value, _, _ in options}:
        form.scope.data = options[-1][0]
    found = actions.cancelling(bookings, scope=form.scope.data or "all", position=position, at=at)
    kept = Money(found.total_minor, city.currency)
    form.kept.data = str(kept.minor)
    costly = [b for b in found.bookings if found.kept[b.id]]
    html = render_template(
        "bookings/series/cancellation.html",
        room=booking_pages.place_text(booked.space, booked.venue),
        drawing=booking_pages.drawing(booked.space),
        lead=pages.lead_text(booked.series, city),
        series=booked.series,
        form=form,
        position=position if "from" in request.values else None,
        options=options,
        count=pages.dates_text(len(found.bookings)),
        free=len(found.bookings) - len(costly),
        costly=[
            (
                pages.moment(b.span, city, today=today),
                format_money(Money(found.kept[b.id], city.currency)),
            )
            for b in costly
        ],
        kept=kept,
        refusal=gettext(refusal.title) if refusal is not None else None,
        back_url=there,
    )
    return html, status_of(type(refusal)) if refusal is not None else 200


def cancelled_text(kept: Money) -> str:
    if kept:
        return gettext("The dates are cancelled. Of the price %(price)s is kept.", price=format_money(kept))
    return gettext("The dates are cancelled. It costs you nothing.")


@blueprint.route("/series/<reference>/times", methods=["GET", "POST"])
@signed_in
def change(reference: str) -> Page:
    """Another time, weekday, length, purpose or number of people, with what it costs before it is done."""
    city, actor, at = current_city(), current_actor(), now()
    form = ChangeForm()
    position = chosen_position()
    with transaction() as session:
        booked = series_for(session, actor, reference)
        policy.require_may_change(actor, booked.series)
    there = url_for("series.show", reference=booked.series.reference)
    count(actor, "look", LOOKS_PER_MINUTE)
    refusal: Refusal | None = None
    looks = request.form.get("do") == "look"
    valid = form.validate() if request.method == "POST" else True
    if request.method == "POST" and valid and not looks:
        try:
            with transaction() as session:
                booked = series_for(session, actor, reference)
                bookings = [b for b in bookings_of(session, booked.series) if b.state in OPEN]
                after = change_dates(
                    session,
                    city,
                    booked.series,
                    wish_of(booked, bookings, form, position, at=at),
                    actor=actor,
                    scope=form.scope.data or "following",
                    position=position,
                    all_or_nothing=form.mode.data == "all",
                    at=at,
                    expected_difference_minor=form.expected_difference,
                )
            flash(gettext("The dates are changed. A mail is on its way."), "success")
            return redirect(url_for("series.show", reference=after.reference), 303)
        except Invalid as invalid:
            form.show(invalid)
            valid = False
        except (Conflict, Forbidden) as refused:
            refusal = refused
    with transaction() as session:
        booked = series_for(session, actor, reference)
        return change_page(
            session, booked, form, position, refusal=refusal, valid=valid or looks, there=there, at=at
        )


def wish_of(
    booked: BookedSeries, bookings: Sequence[Booking], form: ChangeForm, position: int, *, at: datetime
) -> Wish:
    """What differs from the dates as they are; a field that says what the chosen date says already changes nothing."""
    city, series = current_city(), booked.series
    found = meant_bookings(bookings, scope=form.scope.data or "following", position=position, at=at)
    here = found[0] if found else None
    starts, minutes = form.starts, form.minutes
    if here is not None:
        clock = here.span.start.astimezone(city.zone).time().replace(fold=0)
        alike = len({b.span.start.astimezone(city.zone).time().replace(fold=0) for b in found}) == 1
        starts = None if starts == clock and alike else starts
        same_length = len({b.span.minutes for b in found}) == 1
        minutes = None if minutes == here.span.minutes and same_length else minutes
    if booked.space.whole_days:
        starts = minutes = None
    return Wish(
        Change(int(form.shift.data or 0), starts, minutes),
        form.purpose.data if form.purpose.data is not None else series.purpose,
        form.people,
    )


def change_page(
    session: Session,
    booked: BookedSeries,
    form: ChangeForm,
    position: int,
    *,
    refusal: Refusal | None,
    valid: bool,
    there: str,
    at: datetime,
) -> Page:
    city, series, today = current_city(), booked.series, today_at(at)
    bookings = [b for b in bookings_of(session, series) if b.state in OPEN]
    options = scopes(bookings, position, at)
    if not options:
        flash(gettext("None of these dates can be changed any more."), "error")
        return redirect(there, 303)
    values = {value for value, _, _ in options}
    if form.scope.data not in values:
        form.scope.data = "following" if "following" in values else options[0][0]
    found = meant_bookings(bookings, scope=form.scope.data, position=position, at=at)
    here = found[0]
    start = here.span.start.astimezone(city.zone)
    if request.method == "GET":
        form.clock.data, form.length.data = format_clock(start), str(here.span.minutes)
        form.purpose.data = here.purpose
        form.attendees.data = str(here.attendees or "")
        form.shift.data = "0"
    plan: list[Changed] = []
    if request.method == "POST" and not form.errors:
        wish = wish_of(booked, bookings, form, position, at=at)
        plan = plan_change(session, city, series, found, wish, scope=form.scope.data, at=at)
    more = sum(one.difference_minor for one in plan)
    form.difference.data = str(more)
    moves = sum(one.becomes is not None for one in plan)
    html = render_template(
        "bookings/series/change.html",
        series=series,
        space=booked.space,
        room=booking_pages.place_text(booked.space, booked.venue),
        drawing=booking_pages.drawing(booked.space),
        lead=pages.lead_text(series, city),
        form=form,
        errors=form.all_errors(),
        refusal=refusal_title(refusal) if refusal is not None else None,
        options=options,
        position=position if "from" in request.values else None,
        first=pages.moment(here.span, city, today=today),
        weekdays=[
            (str(n), pages.weekday_name(start.date() + timedelta(days=n)))
            for n in sorted(range(-MOST_SHIFT, MOST_SHIFT + 1), key=lambda n: (start.weekday() + n) % 7)
            if 0 <= start.weekday() + n <= 6
        ],
        lengths=[
            (str(n), format_duration(n))
            for n in sorted({*booking_rules(booked.space).lengths(), here.span.minutes})
        ],
        rows=pages.change_rows(plan, city, today=today),
        looked=request.method == "POST" and not form.errors,
        moves=moves,
        refused=sum(one.refusal is not None for one in plan),
        difference=pages.difference_text(more, city),
        button=change_button(len(found), more, city.currency),
        back_url=there,
    )
    status = 200
    if refusal is not None:
        status = status_of(type(refusal))
    elif not valid:
        status = 422
    return html, status


def change_button(dates: int, more: int, currency: str) -> str:
    text = pages.dates_text(dates)
    if more > 0:
        return gettext("Change %(dates)s, +%(price)s", dates=text, price=format_money(Money(more, currency)))
    return gettext("Change %(dates)s", dates=text)


@blueprint.post("/series/<reference>/approval")
@signed_in
def approve(reference: str) -> Page:
    """The owner says yes to all dates that wait."""
    city, actor = current_city(), current_actor()
    try:
        with transaction() as session:
            booked = series_for(session, actor, reference)
            actions.approve_series(session, city, booked.series, booked.venue, actor=actor, at=now())
        flash(gettext("Approved. A mail is on its way to %(name)s.", name=booked.person.name), "success")
    except Conflict as refusal:
        flash(gettext(refusal.title), "error")
    return redirect(url_for("series.show", reference=reference), 303)


@blueprint.post("/series/<reference>/refusal")
@signed_in
def decline(reference: str) -> Page:
    """The owner says no to all dates that wait, and why."""
    city, actor = current_city(), current_actor()
    form = DeclineForm()
    try:
        with transaction() as session:
            booked = series_for(session, actor, reference)
            if not form.validate_on_submit():
                return series_page(session, booked, form, status=422)
            actions.decline_series(
                session,
                city,
                booked.series,
                booked.venue,
                actor=actor,
                reason=form.reason.data or "",
                reason_code=form.code,
                at=now(),
            )
        flash(gettext("Declined. A mail is on its way to %(name)s.", name=booked.person.name), "success")
    except Conflict as refusal:
        flash(gettext(refusal.title), "error")
    return redirect(url_for("series.show", reference=reference), 303)
