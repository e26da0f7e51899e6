"""The market desk: make a square, put a grid of stalls on it, price classes, a season, and the list."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask import Response, current_app, flash, jsonify, redirect, render_template, request, url_for
from shapely.geometry import mapping
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.db import transaction
from marketplace.errors import Conflict, Invalid
from marketplace.geo import shapes_to_metric, shapes_to_wgs84
from marketplace.web.access import signed_in
from marketplace.web.i18n import format_day, format_number, gettext, localised, ngettext
from marketplace.web.limits import limit
from marketplace.web.problems import field_message
from marketplace.web.request import current_actor, current_city
from spaces.calendar.queries import hours_of
from spaces.catalog.desk_forms import STATE_LABELS
from spaces.catalog.desk_queries import owner_of, venue_managed_by
from spaces.catalog.desk_views import STATE_KINDS, asked_organisation, managed_organisations
from spaces.catalog.models import Venue
from spaces.markets import actions, class_actions, season_actions
from spaces.markets.errors import ClassInUse, MarketWrong, NoSquare, NotReady
from spaces.markets.forms import (
    ClassForm,
    GridForm,
    ManyStallsForm,
    NewClassForm,
    NewMarketForm,
    SeasonForm,
    SquareForm,
    StallForm,
    Steps,
    show_fault,
)
from spaces.markets.present import (
    class_price_texts,
    drawing_of,
    facility_texts,
    runs_text,
    sides_text,
    size_text,
    stall_class_text,
)
from spaces.markets.queries import (
    PlacedStall,
    chosen_stalls,
    class_lists,
    class_of,
    classes_of,
    markets_of,
    square_of,
    stall_of,
    stalls_of,
)
from spaces.markets.rules import MOST_STALLS
from spaces.markets.views import blueprint
from spaces.pricing.errors import PriceListWrong
from spaces.pricing.lists import PriceList
from spaces.pricing.present import days_text, fault_text
from spaces.pricing.queries import vat_rates_on
from spaces.pricing.views import rate_text

Page = str | tuple[str, int] | AnyResponse
# A preview follows each number that is typed; a person cannot type faster than this.
PREVIEWS_PER_MINUTE = 120


@dataclass
class Forms:
    """The page's forms; the refused one is handed in with its messages, the others are made anew."""

    square: SquareForm | None = None
    grid: GridForm | None = None
    many: ManyStallsForm | None = None
    new_class: NewClassForm | None = None
    class_: ClassForm | None = None
    class_id: int = 0
    season: SeasonForm | None = None


@blueprint.get("/desk/markets")
@signed_in
def markets() -> Page:
    """The squares that the person looks after, and the way to a new one."""
    actor = current_actor()
    with transaction() as session:
        found = markets_of(session, actor)
        organisations = managed_organisations(session, actor)
    if not found and not organisations:
        return redirect(url_for("desk.offer"))
    return render_template(
        "spaces/markets/markets.html", page_id="desk", markets=found, organisations=organisations
    )


@blueprint.route("/desk/markets/new", methods=["GET", "POST"])
@signed_in
def new() -> Page:
    """A new square of an organisation that the person manages."""
    city, actor = current_city(), current_actor()
    with transaction() as session:
        owner = asked_organisation(session, actor)
    if owner is None:
        return redirect(url_for("market.markets"))
    form = NewMarketForm(prefix="new-")
    status = 200
    if not form.is_submitted():
        form.locality.data = localised(city.names)
    elif form.validate():
        try:
            with transaction() as session:
                made = actions.make_market(
                    session,
                    city,
                    owner,
                    form.venue_facts(),
                    form.outline(city),
                    actor=actor,
                    submission=form.submission.data or "",
                )
        except Invalid as refusal:
            form.show(refusal)
            status = 422
        else:
            flash(gettext("The square was added. Follow the steps below."), "success")
            return redirect(url_for("market.desk", venue_id=made.id), 303)
    else:
        status = 422
    return render_template(
        "spaces/markets/new.html",
        page_id="desk",
        form=form,
        owner=owner,
        languages_of_city=city.languages,
    ), status


@blueprint.get("/desk/venues/<int:venue_id>/market")
@signed_in
def desk(venue_id: int) -> Page:
    """The square with all its steps on one page."""
    with transaction() as session:
        return market_page(session, venue_managed_by(session, current_actor(), venue_id), Forms())


def market_page(
    session: Session,
    venue: Venue,
    forms: Forms,
    *,
    status: int = 200,
    trial: dict[str, Any] | None = None,
    unready: str = "",
) -> tuple[str, int]:
    """The whole page. `trial` is a grid that is looked at before it is made."""
    city = current_city()
    today = now().astimezone(city.zone).date()
    stalls, classes = stalls_of(session, venue), classes_of(session, venue)
    outline = square_of(venue)
    lists = class_lists(session, city.id, [one.id for one in classes])
    rates = vat_rates_on(session, city.id, today)
    in_class: dict[int | None, list[PlacedStall]] = {}
    for placed in stalls:
        in_class.setdefault(placed.stall.class_id, []).append(placed)
    class_rows = []
    for one in classes:
        form = forms.class_ if forms.class_ and forms.class_id == one.id else None
        if form is None:
            form = ClassForm(formdata=None, prefix=f"class{one.id}-")
            form.fill(one, in_force(lists.get(one.id, []), today), today=today)
        form.set_choices(rates, rate_text)
        class_rows.append(
            {
                "id": one.id,
                "code": one.code,
                "name": localised(one.names),
                "form": form,
                "count": len(in_class.get(one.id, ())),
                "prices": price_rows(lists.get(one.id, []), city, today),
            }
        )
    new_class = forms.new_class or new_class_form(venue, session, formdata=None)
    new_class.set_choices(rates, rate_text)
    grid = forms.grid
    if grid is None:
        grid = GridForm(formdata=None, prefix="grid-", classes=classes)
        grid.start_from(outline, city)
        if len(classes) == 1:
            grid.class_id.data = str(classes[0].id)
    square = forms.square
    if square is None:
        square = SquareForm(formdata=None, prefix="square-")
        square.fill(outline)
    seasons, has_hours = season_texts(session, stalls, city)
    published = sum(placed.space.state == "published" for placed in stalls)
    return render_template(
        "spaces/markets/desk.html",
        page_id="desk",
        venue=venue,
        owner=owner_of(session, venue),
        outline=outline,
        square_m2=square_area(venue, city),
        drawing=drawing_of(city, venue, stalls),
        map_data=map_data(outline, stalls),
        stalls=[stall_row(placed) for placed in stalls],
        classes=class_rows,
        unclassed=runs_text([placed.number for placed in in_class.get(None, ())]),
        forms=Forms(
            square,
            grid,
            forms.many or ManyStallsForm(formdata=None, prefix="many-", classes=classes),
            new_class,
            season=forms.season or SeasonForm(formdata=None, prefix="season-"),
        ),
        seasons=seasons,
        published=published,
        waits=next((placed.number for placed in stalls if placed.space.state == "submitted"), ""),
        steps=Steps(
            outline is not None,
            any(lists.values()),
            bool(stalls),
            bool(stalls) and has_hours,
            published > 0,
        ),
        trial=trial,
        unready=unready,
        chosen=frozenset(chosen_ids()),
        tiles=current_app.config["TILE_URL"],
        languages_of_city=city.languages,
        today=today,
    ), status


def square_area(venue: Venue, city: City) -> str:
    """Whole square metres, in words; "" without a square."""
    outline = square_of(venue)
    if outline is None:
        return ""
    return format_number(round(shapes_to_metric([outline], crs=city.metric_crs)[0].area))


def in_force(lists: list[PriceList], today: date) -> PriceList | None:
    """The list of today, else the first that comes."""
    return next((one for one in lists if one.valid_from <= today), lists[-1] if lists else None)


def price_rows(lists: list[PriceList], city: City, today: date) -> list[dict[str, Any]]:
    """The list in force and those to come, in the order of their days."""
    current = next((one for one in lists if one.valid_from <= today), None)
    shown = [one for one in reversed(lists) if one is current or one.valid_from > today]
    return [
        {
            "from": "" if one is current else format_day(one.valid_from, year=True),
            "texts": class_price_texts(one, city.currency),
        }
        for one in shown
    ]


def new_class_form(venue: Venue, session: Session, **kwargs: Any) -> NewClassForm:
    taken = [one.code for one in classes_of(session, venue)]
    form = NewClassForm(prefix="new-class-", taken=taken, **kwargs)
    if form.valid_from.data is None:
        form.valid_from.data = now().astimezone(current_city().zone).date()
    return form


def stall_row(placed: PlacedStall) -> dict[str, Any]:
    return {
        "id": placed.id,
        "number": placed.number,
        "size": size_text(placed),
        "class": stall_class_text(placed),
        "letter": placed.class_code,
        "facilities": facility_texts(placed),
        "electric": "electricity" in placed.space.equipment,
        "state": placed.space.state,
        "state_kind": STATE_KINDS.get(placed.space.state, "neutral"),
        "state_label": STATE_LABELS[placed.space.state],
    }


def map_data(outline: Any | None, stalls: list[PlacedStall]) -> dict[str, Any]:
    """What the browser's map draws: the square and the stalls as GeoJSON."""
    return {
        "square": None if outline is None else mapping(outline),
        "stalls": [{"number": one.number, "geometry": mapping(one.ground)} for one in stalls],
    }


def season_texts(
    session: Session, stalls: list[PlacedStall], city: City
) -> tuple[list[dict[str, str]], bool]:
    """The market days of the stalls in words, those that share them together; whether any stall has some."""
    today = now().astimezone(city.zone).date()
    told: dict[tuple[Any, ...], list[str]] = {}
    for placed in stalls:
        hours = hours_of(session, placed.space, from_day=today)
        coming = [rule for rule in hours.weekly if rule.valid_to is None or rule.valid_to >= today]
        told.setdefault((tuple(coming), hours.holiday_rule), []).append(placed.number)
    rows = []
    for (weekly, holidays), numbers in told.items():
        for rule in weekly:
            period = period_text(rule.valid_from, rule.valid_to)
            text = f"{days_text(rule.days)} {rule.opens.hour}.{rule.opens.minute:02d}–{rule.closes.hour}.{rule.closes.minute:02d}"
            if holidays == "closed":
                text += ", " + gettext("not on public holidays")
            rows.append(
                {
                    "numbers": runs_text(numbers),
                    "count": str(len(numbers)),
                    "period": period,
                    "hours": text,
                }
            )
    return rows, bool(rows)


def period_text(first: date | None, last: date | None) -> str:
    """From one day to another, or without an end."""
    if first is None and last is None:
        return str(gettext("until further notice"))
    return " – ".join(format_day(day, year=True) if day else "…" for day in (first, last))


def back(venue_id: int, anchor: str) -> AnyResponse:
    return redirect(url_for("market.desk", venue_id=venue_id, _anchor=anchor), 303)


@blueprint.post("/desk/venues/<int:venue_id>/market/square")
@signed_in
def square(venue_id: int) -> Page:
    """Draw the square, or change it."""
    city, actor, form = current_city(), current_actor(), SquareForm(prefix="square-")
    with transaction() as session:
        venue_managed_by(session, actor, venue_id)
    metric = form.metric(city) if form.validate() else None
    fields = {
        "outline": {"rectangle": "square_width", "file": "outline_file"}.get(form.how.data or "", "outline")
    }
    if metric is not None:
        try:
            with transaction() as session:
                venue = venue_managed_by(session, actor, venue_id)
                changed = actions.draw_square(session, city, venue, metric, actor=actor)
        except Invalid as refusal:
            for error in refusal.fields:
                show_fault(form, error, fields)
        else:
            flash(
                gettext("The square was drawn.") if changed else gettext("Nothing was different."), "success"
            )
            return back(venue_id, "square")
    with transaction() as session:
        venue = venue_managed_by(session, actor, venue_id)
        return market_page(session, venue, Forms(square=form), status=422)


def grid_form(session: Session, venue: Venue) -> GridForm:
    return GridForm(prefix="grid-", classes=classes_of(session, venue))


def try_grid(session: Session, venue: Venue, form: GridForm) -> dict[str, Any]:
    """What making this grid would do: in words, with the faults, and as GeoJSON. Nothing is written."""
    city = current_city()
    asked = form.asked(city) if form.validate() else None
    if asked is None:
        texts = [f"{form[name].label.text}: {errors[0]}" for name, errors in form.errors.items() if name]
        return {
            "ok": False,
            "text": gettext("Fill in the numbers of the grid."),
            "problems": texts,
            "stalls": [],
        }
    standing = stalls_of(session, venue)
    try:
        faults = actions.plan_faults(city, venue, standing, asked, fields=("rows", "number_prefix"))
    except NoSquare as refusal:
        return {"ok": False, "text": gettext(refusal.title), "problems": [], "stalls": []}
    problems = [field_message(error) for fault in faults for error in fault.fields]
    shapes = shapes_to_wgs84(asked.grounds, crs=city.metric_crs)
    wrong: set[str] = set()
    for fault in faults:
        wrong |= set(getattr(fault, "numbers", ()))
        wrong |= {number for pair in getattr(fault, "pairs", ()) for number in pair}
    return {
        "ok": not faults,
        "text": grid_text(len(asked.grounds), form, ok=not faults),
        "problems": problems,
        "numbers": f"{asked.numbers[0]}–{asked.numbers[-1]}",
        "stalls": [
            {"number": number, "wrong": number in wrong, "geometry": mapping(shape)}
            for number, shape in zip(asked.numbers, shapes, strict=True)
        ],
    }


def grid_text(count: int, form: Any, *, ok: bool) -> str:
    """60 stalls of 3 × 3 m, all inside the square."""
    size = sides_text(form.width_m.data, form.depth_m.data)
    text: str = ngettext("%(num)d stall of %(size)s", "%(num)d stalls of %(size)s", count, size=size)
    inside = gettext("all inside the square")
    return f"{text}, {inside}." if ok else f"{text}."


@blueprint.post("/desk/venues/<int:venue_id>/market/grid-preview")
@signed_in
def preview(venue_id: int) -> Response:
    """The grid as it would be, for the map; writes nothing."""
    actor = current_actor()
    limit(
        f"grid-preview:{actor.city_id}:{actor.person_id}", times=PREVIEWS_PER_MINUTE, per=timedelta(minutes=1)
    )
    with transaction() as session:
        venue = venue_managed_by(session, actor, venue_id)
        return jsonify(try_grid(session, venue, grid_form(session, venue)))


@blueprint.post("/desk/venues/<int:venue_id>/market/stalls")
@signed_in
def stalls(venue_id: int) -> Page:
    """Make the grid's stalls; with `do=look` only show them."""
    city, actor = current_city(), current_actor()
    with transaction() as session:
        venue = venue_managed_by(session, actor, venue_id)
        form = grid_form(session, venue)
        if request.form.get("do") == "look":
            return market_page(session, venue, Forms(grid=form), trial=try_grid(session, venue, form))
    asked = form.asked(city) if form.validate() else None
    status = 422
    if asked is not None:
        try:
            with transaction() as session:
                venue = venue_managed_by(session, actor, venue_id)
                made = actions.add_stalls(
                    session, city, venue, asked, actor=actor, submission=form.submission.data or "", at=now()
                )
        except Invalid as refusal:
            for error in refusal.fields:
                show_fault(form, error, {"prefix": "number_prefix"})
        except NoSquare as refusal:
            form.form_errors = [*form.form_errors, gettext(refusal.title)]
            status = 409
        else:
            flash(
                ngettext(
                    "%(num)d stall was put on the plan.", "%(num)d stalls were put on the plan.", len(made)
                ),
                "success",
            )
            return back(venue_id, "stalls")
    with transaction() as session:
        venue = venue_managed_by(session, actor, venue_id)
        return market_page(session, venue, Forms(grid=form), status=status)


def chosen_ids() -> list[int]:
    """The stalls that are ticked in the list."""
    texts = request.form.getlist("stall")[:MOST_STALLS]
    return sorted({int(text) for text in texts if text.isascii() and text.isdigit() and len(text) < 19})


@blueprint.post("/desk/venues/<int:venue_id>/market/stalls/changes")
@signed_in
def change_many(venue_id: int) -> Page:
    """One change of the ticked stalls: their class and facilities, or off the list, on it, off the plan."""
    city, actor, at = current_city(), current_actor(), now()
    ids, do = chosen_ids(), request.form.get("do", "")
    unready = ""
    with transaction() as session:
        venue = venue_managed_by(session, actor, venue_id)
        form = ManyStallsForm(prefix="many-", classes=classes_of(session, venue))
    if not ids:
        form.form_errors = [gettext("Choose first the stalls to change.")]
    elif not form.validate():
        pass
    elif do in {"publish", "hide", "remove"}:
        try:
            return change_state(venue_id, ids, do)
        except NotReady as refusal:
            unready = unready_text(refusal)
    elif not form.class_id.data and not form.facilities():
        form.form_errors = [gettext("Choose first what to change.")]
    else:
        with transaction() as session:
            venue = venue_managed_by(session, actor, venue_id)
            count = actions.change_stalls(
                session,
                city,
                venue,
                chosen_stalls(session, venue, ids),
                class_id=int(form.class_id.data) if form.class_id.data else None,
                facilities=form.facilities(),
                actor=actor,
                at=at,
            )
        flash(ngettext("%(num)d stall was changed.", "%(num)d stalls were changed.", count), "success")
        return back(venue_id, "list")
    with transaction() as session:
        venue = venue_managed_by(session, actor, venue_id)
        return market_page(session, venue, Forms(many=form), status=409 if unready else 422, unready=unready)


def change_state(venue_id: int, ids: list[int], do: str) -> AnyResponse:
    city, actor, at = current_city(), current_actor(), now()
    with transaction() as session:
        venue = venue_managed_by(session, actor, venue_id)
        chosen = chosen_stalls(session, venue, ids)
        if do == "publish":
            done = season_actions.publish_stalls(session, city, venue, chosen, actor=actor, at=at)
        elif do == "hide":
            hidden = season_actions.hide_stalls(session, venue, chosen, actor=actor, at=at)
        else:
            gone, archived = actions.remove_stalls(session, venue, chosen, actor=actor, at=at)
    if do == "publish":
        flash(*published_text(done))
    elif do == "hide":
        flash(
            ngettext(
                "%(num)d stall is off the list. Bookings that are there stay.",
                "%(num)d stalls are off the list. Bookings that are there stay.",
                hidden,
            ),
            "success",
        )
    else:
        text = ngettext("%(num)d stall was removed.", "%(num)d stalls were removed.", gone) if gone else ""
        if archived:
            text = f"{text} " + ngettext(
                "%(num)d stall has bookings, so it was archived and they stay.",
                "%(num)d stalls have bookings, so they were archived and the bookings stay.",
                archived,
            )
        flash(text.strip(), "success")
    return back(venue_id, "list")


def unready_text(refusal: NotReady) -> str:
    text: str = gettext(
        "%(numbers)s: nobody could book these yet. They need a price class with a price, and market days.",
        numbers=runs_text(refusal.numbers),
    )
    return text


def published_text(done: season_actions.MarketPublished) -> tuple[str, str]:
    """(what happened, kind of the message)."""
    if done.count:
        text = ngettext(
            "%(num)d stall is on the list now.", "%(num)d stalls are on the list now.", done.count
        )
        return text, "success"
    if done.waits:
        text = gettext(
            "The city looks at your first listing before a market is published. Stall %(number)s waits for its answer; "
            "publish the others when it has come by mail.",
            number=done.waits,
        )
        return text, "info"
    return gettext("All stalls are on the list already."), "info"


@blueprint.post("/desk/venues/<int:venue_id>/market/publication")
@signed_in
def publication(venue_id: int) -> Page:
    """Put the whole market on the list."""
    city, actor = current_city(), current_actor()
    try:
        with transaction() as session:
            venue = venue_managed_by(session, actor, venue_id)
            waiting = [one for one in stalls_of(session, venue) if one.space.state != "archived"]
            done = season_actions.publish_stalls(session, city, venue, waiting, actor=actor, at=now())
    except NotReady as refusal:
        with transaction() as session:
            venue = venue_managed_by(session, actor, venue_id)
            return market_page(session, venue, Forms(), status=409, unready=unready_text(refusal))
    flash(*published_text(done))
    return back(venue_id, "publish")


@blueprint.post("/desk/venues/<int:venue_id>/market/classes")
@signed_in
def new_class(venue_id: int) -> Page:
    """One more price class with its price."""
    city, actor = current_city(), current_actor()
    today = now().astimezone(city.zone).date()
    with transaction() as session:
        venue = venue_managed_by(session, actor, venue_id)
        form = new_class_form(venue, session)
        form.set_choices(vat_rates_on(session, city.id, today), rate_text)
    asked = form.price(today) if form.validate() else None
    if asked is not None:
        try:
            with transaction() as session:
                venue = venue_managed_by(session, actor, venue_id)
                made = class_actions.add_class(
                    session, venue, code=form.code.data or "", names=form.names(), actor=actor
                )
                class_actions.set_class_price(session, venue, made, asked, actor=actor, today=today)
        except Invalid as refusal:
            show_price_faults(form, refusal)
        else:
            flash(gettext("Price class %(code)s was added.", code=made.code), "success")
            return back(venue_id, "classes")
    with transaction() as session:
        venue = venue_managed_by(session, actor, venue_id)
        return market_page(session, venue, Forms(new_class=form), status=422)


def show_price_faults(form: Any, refusal: Invalid) -> None:
    for error in refusal.fields:
        if isinstance(refusal, PriceListWrong):
            name = "amount" if error.field.startswith("row") or error.field == "rows" else error.field
            field = form[name if name in form else "amount"]
            field.errors = [*field.errors, fault_text(error)]
        else:
            show_fault(form, error, {})


@blueprint.post("/desk/venues/<int:venue_id>/market/classes/<int:class_id>")
@signed_in
def change_class(venue_id: int, class_id: int) -> Page:
    """Another name or another price of a class, which all its stalls follow."""
    city, actor = current_city(), current_actor()
    today = now().astimezone(city.zone).date()
    form = ClassForm(prefix=f"class{class_id}-")
    with transaction() as session:
        venue = venue_managed_by(session, actor, venue_id)
        class_of(session, venue, class_id)
        form.set_choices(vat_rates_on(session, city.id, today), rate_text)
    asked = form.price(today) if form.validate() else None
    if asked is not None:
        try:
            with transaction() as session:
                venue = venue_managed_by(session, actor, venue_id)
                found = class_of(session, venue, class_id)
                renamed = class_actions.rename_class(session, venue, found, form.names(), actor=actor)
                known = class_lists(session, city.id, [class_id]).get(class_id, [])
                holds = next((one for one in known if one.valid_from <= asked.valid_from), None)
                if holds is None or not same_price(holds, asked):
                    count = class_actions.set_class_price(
                        session, venue, found, asked, actor=actor, today=today
                    )
                    text = ngettext(
                        "The price of %(num)d stall holds from %(day)s.",
                        "The price of %(num)d stalls holds from %(day)s.",
                        count,
                        day=format_day(asked.valid_from, year=True),
                    )
                else:
                    text = gettext("Saved.") if renamed else gettext("Nothing was different.")
        except Invalid as refusal:
            show_price_faults(form, refusal)
        else:
            flash(text, "success")
            return back(venue_id, "classes")
    with transaction() as session:
        venue = venue_managed_by(session, actor, venue_id)
        class_of(session, venue, class_id)
        return market_page(session, venue, Forms(class_=form, class_id=class_id), status=422)


def same_price(one: PriceList, other: PriceList) -> bool:
    """Whether two lists ask the same, whenever they begin."""

    def asks(list_: PriceList) -> tuple[Any, ...]:
        rows = frozenset((row.group, row.amount_minor) for row in list_.rows)
        return list_.per, list_.base_minor, list_.slot_minutes, list_.vat_code, rows

    return asks(one) == asks(other)


@blueprint.post("/desk/venues/<int:venue_id>/market/classes/<int:class_id>/removal")
@signed_in
def class_removal(venue_id: int, class_id: int) -> Page:
    """Take away a class that no stall is in."""
    actor = current_actor()
    try:
        with transaction() as session:
            venue = venue_managed_by(session, actor, venue_id)
            class_actions.remove_class(session, venue, class_of(session, venue, class_id), actor=actor)
    except ClassInUse as refusal:
        flash(gettext(refusal.title), "error")
    else:
        flash(gettext("The price class was removed."), "success")
    return back(venue_id, "classes")


@blueprint.post("/desk/venues/<int:venue_id>/market/season")
@signed_in
def season(venue_id: int) -> Page:
    """Market days for all stalls, or for some."""
    city, actor = current_city(), current_actor()
    form = SeasonForm(prefix="season-")
    with transaction() as session:
        venue = venue_managed_by(session, actor, venue_id)
        placed = [one for one in stalls_of(session, venue) if one.space.state != "archived"]
    chosen = form.chosen(placed) if form.validate() else None
    if chosen is not None and not chosen:
        form.form_errors = [gettext("There are no stalls yet. Put them on the plan first.")]
    elif chosen:
        try:
            with transaction() as session:
                venue = venue_managed_by(session, actor, venue_id)
                stalls_now = chosen_stalls(session, venue, [one.id for one in chosen])
                done = season_actions.set_season(
                    session, city, venue, stalls_now, form.season(), actor=actor, at=now()
                )
        except (MarketWrong, Invalid) as refusal:
            form.show(refusal)
        else:
            flash(*season_text(done, len(chosen)))
            return back(venue_id, "season")
    with transaction() as session:
        venue = venue_managed_by(session, actor, venue_id)
        return market_page(session, venue, Forms(season=form), status=422)


def season_text(done: season_actions.SeasonSet, count: int) -> tuple[str, str]:
    days = ngettext("%(num)d market day", "%(num)d market days", done.days)
    text = ngettext("%(num)d stall has %(days)s.", "%(num)d stalls have %(days)s.", count, days=days)
    if not done.outside:
        return text, "success"
    told = ngettext(
        "%(num)d booking is outside the market days now; it stays valid.",
        "%(num)d bookings are outside the market days now; they stay valid.",
        done.outside,
    )
    return f"{text} {told}", "alert"


@blueprint.route("/desk/venues/<int:venue_id>/market/stalls/<int:space_id>", methods=["GET", "POST"])
@signed_in
def stall(venue_id: int, space_id: int) -> Page:
    """One stall: its number, class and facilities, and where it stands."""
    city, actor = current_city(), current_actor()
    with transaction() as session:
        venue = venue_managed_by(session, actor, venue_id)
        placed = stall_of(session, venue, space_id)
        form = StallForm(prefix="stall-", classes=classes_of(session, venue))
        if not form.is_submitted():
            form.fill(placed)
            return stall_page(session, venue, placed, form)
        ground, right = form.ground(placed, city) if form.validate() else (None, False)
        if not right:
            return stall_page(session, venue, placed, form, status=422)
    status = 422
    try:
        with transaction() as session:
            venue = venue_managed_by(session, actor, venue_id)
            placed = stall_of(session, venue, space_id)
            changed = actions.change_stall(
                session,
                city,
                venue,
                placed,
                number=(form.number.data or "").upper(),
                equipment=form.equipment(placed),
                ground=ground,
                actor=actor,
            )
            class_id = int(form.class_id.data) if form.class_id.data else None
            moved = class_id is not None and actions.change_stalls(
                session, city, venue, [placed], class_id=class_id, facilities={}, actor=actor, at=now()
            )
    except Invalid as refusal:
        for error in refusal.fields:
            show_fault(form, error, {})
    except Conflict as refusal:
        form.form_errors = [*form.form_errors, gettext(refusal.title)]
        status = 409
    else:
        flash(gettext("Saved.") if changed or moved else gettext("Nothing was different."), "success")
        return redirect(url_for("market.stall", venue_id=venue_id, space_id=space_id), 303)
    with transaction() as session:
        venue = venue_managed_by(session, actor, venue_id)
        return stall_page(session, venue, stall_of(session, venue, space_id), form, status=status)


def stall_page(
    session: Session, venue: Venue, placed: PlacedStall, form: StallForm, *, status: int = 200
) -> tuple[str, int]:
    every = stalls_of(session, venue)
    return render_template(
        "spaces/markets/stall.html",
        page_id="desk",
        venue=venue,
        form=form,
        placed=placed,
        size=size_text(placed),
        state_label=STATE_LABELS[placed.space.state],
        state_kind=STATE_KINDS.get(placed.space.state, "neutral"),
        drawing=drawing_of(current_city(), venue, every),
        stalls=[stall_row(one) for one in every],
    ), status
