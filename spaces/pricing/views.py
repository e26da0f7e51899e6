"""The owner's pages about what a space costs: its list, what times would cost, earlier lists, discount codes."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from marketplace.cities.models import City
from marketplace.clock import now
from marketplace.db import transaction
from marketplace.errors import Conflict, FieldError, Invalid
from marketplace.timespan import Span
from marketplace.web.access import signed_in
from marketplace.web.i18n import format_day, format_money, format_number, format_span, gettext
from marketplace.web.request import current_actor, current_city, page_blueprint
from spaces.catalog.desk import desk_pages
from spaces.catalog.errors import SpaceNotFound
from spaces.catalog.models import Space, Venue
from spaces.catalog.queries import space_managed_by
from spaces.pricing import actions
from spaces.pricing.cancel_texts import CancelLine, cancel_line
from spaces.pricing.cancelling import MOST_TIERS, schedule_of, steps
from spaces.pricing.errors import CodeNotFound, DiscountWrong, PriceListWrong
from spaces.pricing.forms import ListFields, RowFields, TierFields, read_code, read_date
from spaces.pricing.lists import PERS, PriceList
from spaces.pricing.models import DiscountCode
from spaces.pricing.outdoor import TariffChoice
from spaces.pricing.present import (
    GROUP_NAMES,
    PER_NAMES,
    Example,
    choice_text,
    clock_text,
    code_text,
    example_span,
    examples,
    fault_text,
    list_text,
    options,
    weekday_name,
)
from spaces.pricing.queries import choices_on, codes_of, price_lists_of, vat_rates_on
from spaces.pricing.rules import CUSTOMER_GROUPS, DAY_MINUTES, Quote, quote
from spaces.pricing.ways import WAY_TEXTS

blueprint = page_blueprint("prices", __name__)

LARGEST_ID = 2**63 - 1
Page = str | tuple[str, int] | Response
# The fields of a code have other names in the form than in the refusal: the list has an amount too.
CODE_FIELDS = {"amount": "code_amount", "valid_until": "code_until"}


@dataclass(frozen=True)
class CancelExample:
    """A time, its price, and what cancelling it costs when."""

    when: str
    price: str
    line: CancelLine


def managed(session: Session, space_id: int) -> tuple[Space, Venue]:
    if space_id > LARGEST_ID:
        raise SpaceNotFound
    return space_managed_by(session, current_actor(), space_id)


def city_today(city: City) -> date:
    return now().astimezone(city.zone).date()


@blueprint.get("/desk/spaces/<int:space_id>/prices", endpoint="list")
@signed_in
def price_list(space_id: int) -> Page:
    """The list in force, or with `start` the one that begins on that day, as a form."""
    city = current_city()
    today = city_today(city)
    with transaction() as session:
        space, venue = managed(session, space_id)
        lists = price_lists_of(session, city.id, space.id)
        asked = read_date(request.args.get("start", ""))
        chosen = next((one for one in lists if one.valid_from == asked), in_force(lists, today))
        return page(session, space, venue, ListFields.of_list(chosen, today=today), lists=lists)


@blueprint.post("/desk/spaces/<int:space_id>/prices")
@signed_in
def change(space_id: int) -> Page:
    """Save the list; or, with `do`, only show what it would cost or one more row."""
    city = current_city()
    today = city_today(city)
    fields = ListFields.read(request.form)
    asked, wrong = fields.as_list()
    do = request.form.get("do", "save")
    try:
        with transaction() as session:
            space, venue = managed(session, space_id)
            if wrong or asked is None:
                raise PriceListWrong(*wrong)
            if do == "save":
                saved = actions.set_prices(session, space, venue, asked, actor=current_actor(), today=today)
            else:
                actions.checked_list(session, space, asked, today=today)
    except Invalid as refusal:
        show(fields, refusal)
        with transaction() as session:
            space, venue = managed(session, space_id)
            more = 2 if do == "row" else 1
            return page(
                session, space, venue, fields, blank=more, blank_tiers=int(do == "tier"), loud=do == "save"
            ), 422 if do == "save" else 200
    if do == "save":
        flash(
            gettext("The price list holds from %(day)s.", day=format_day(saved.valid_from, year=True)),
            "success",
        )
        return redirect(url_for("prices.list", space_id=space_id), 303)
    with transaction() as session:
        space, venue = managed(session, space_id)
        return page(
            session, space, venue, fields, blank=2 if do == "row" else 1, blank_tiers=int(do == "tier")
        )


@blueprint.post("/desk/spaces/<int:space_id>/prices/<valid_from>/withdrawal")
@signed_in
def withdraw(space_id: int, valid_from: str) -> Page:
    """Take away a list that has not begun."""
    city = current_city()
    day = read_date(valid_from)
    try:
        with transaction() as session:
            space, venue = managed(session, space_id)
            if day is not None:
                actions.withdraw_list(
                    session, space, venue, day, actor=current_actor(), today=city_today(city)
                )
    except Conflict as refusal:
        flash(gettext(refusal.title), "alert")
    return redirect(url_for("prices.list", space_id=space_id), 303)


@blueprint.post("/desk/spaces/<int:space_id>/discount-codes")
@signed_in
def add_code(space_id: int) -> Page:
    """A new discount code."""
    city = current_city()
    today = city_today(city)
    typed = {name: text[:60] for name, text in request.form.items()}
    asked, wrong = read_code(typed, today=today)
    try:
        with transaction() as session:
            space, venue = managed(session, space_id)
            if wrong or asked is None:
                raise DiscountWrong(*wrong)
            made = actions.make_code(session, space, venue, asked, actor=current_actor())
    except Invalid as refusal:
        with transaction() as session:
            space, venue = managed(session, space_id)
            lists = price_lists_of(session, city.id, space.id)
            fields = ListFields.of_list(in_force(lists, today), today=today)
            return page(
                session, space, venue, fields, lists=lists, typed=typed, code_errors=refusal.fields
            ), 422
    flash(gettext("The code %(code)s can be used.", code=made.code), "success")
    return redirect(url_for("prices.list", space_id=space_id, _anchor="codes"), 303)


@blueprint.post("/desk/spaces/<int:space_id>/discount-codes/<int:code_id>/end")
@signed_in
def end_code(space_id: int, code_id: int) -> Page:
    """A code that is valid no more."""
    city = current_city()
    with transaction() as session:
        space, venue = managed(session, space_id)
        if code_id > LARGEST_ID:
            raise CodeNotFound
        actions.end_code(session, space, venue, code_id, actor=current_actor(), today=city_today(city))
    flash(gettext("The code cannot be used any more."), "success")
    return redirect(url_for("prices.list", space_id=space_id, _anchor="codes"), 303)


def show(fields: ListFields, refusal: Invalid) -> None:
    """Put each fault beside its field or row."""
    for error in refusal.fields:
        text = fault_text(error)
        kind, _, n = error.field.partition("-")
        of_kind: dict[str, Sequence[RowFields | TierFields]] = {"row": fields.rows, "tier": fields.tiers}
        rows = of_kind.get(kind, ())
        if n.isdigit() and 1 <= int(n) <= len(rows):
            rows[int(n) - 1].errors.append(text)
        else:
            fields.errors.setdefault(error.field, []).append(text)


def page(
    session: Session,
    space: Space,
    venue: Venue,
    fields: ListFields,
    *,
    lists: list[PriceList] | None = None,
    blank: int = 1,
    blank_tiers: int = 0,
    loud: bool = True,
    typed: dict[str, str] | None = None,
    code_errors: tuple[FieldError, ...] = (),
) -> str:
    """The form with its examples; a list that cannot be used has none. `loud` sums up what is wrong above it."""
    city = current_city()
    today = city_today(city)
    lists = price_lists_of(session, city.id, space.id) if lists is None else lists
    current = in_force(lists, today)
    rates = vat_rates_on(session, city.id, today)
    choices = tariff_choices(session, city, fields, today)
    errors = list_errors(fields) if loud else []
    coded: dict[str, str] = {
        CODE_FIELDS.get(error.field, error.field): fault_text(error) for error in code_errors
    }
    shown, cancelled = shown_examples(session, city, space, fields)
    return render_template(
        "spaces/pricing/list.html",
        space=space,
        venue=venue,
        desk_pages=desk_pages,
        fields=fields.with_blank_rows(blank).with_blank_tiers(blank_tiers),
        way_options=[(way, gettext(text)) for way, text in WAY_TEXTS.items()],
        may_add_tier=len(fields.tiers) + blank_tiers < MOST_TIERS,
        tier_units=[("d", gettext("days")), ("h", gettext("hours"))],
        first_blank=len(fields.rows) + 1,
        errors=[*errors, *coded.items()],
        field_errors=or_nothing({name: " ".join(texts) for name, texts in fields.errors.items()}),
        shown=shown,
        cancel_example=cancelled,
        per_options=options(PER_NAMES, [per for per in PERS if per != "tariff" or choices]),
        tariff_options=[("", gettext("Choose …")), *((one.code, choice_text(one)) for one in choices)]
        if choices
        else [],
        group_options=[
            ("", options(GROUP_NAMES, ["everyone"])[0][1]),
            *options(GROUP_NAMES, CUSTOMER_GROUPS),
        ],
        weekdays=[(day, weekday_name(day)) for day in range(1, 8)],
        starts=[(minute, clock_text(minute)) for minute in range(0, DAY_MINUTES, 30)],
        ends=[(minute, clock_text(minute)) for minute in range(30, DAY_MINUTES + 1, 30)],
        vat_options=[(code, rate_text(code, points)) for code, points in rates.items()],
        today=today.isoformat(),
        lists=[list_row(one, current, city, today) for one in lists],
        codes=[code_row(code, city, today) for code in codes_of(session, city.id, space.id)],
        typed=or_nothing(typed or {}),
        coded=or_nothing(coded),
    )


def tariff_choices(session: Session, city: City, fields: ListFields, today: date) -> list[TariffChoice]:
    """What the city's tariff offers on the list's first day."""
    return choices_on(session, city.id, read_date(fields.valid_from) or today)


def or_nothing(values: dict[str, str]) -> dict[str, str]:
    """So that the template may ask for any field."""
    return defaultdict(str, values)


def list_errors(fields: ListFields) -> list[tuple[str, str]]:
    """(id of the field, text) for the summary."""
    found = [(name, text) for name, texts in fields.errors.items() for text in texts]
    found += [(f"row-{n}-amount", text) for n, row in enumerate(fields.rows, 1) for text in row.errors]
    return found + [
        (f"tier-{n}-number", text) for n, row in enumerate(fields.tiers, 1) for text in row.errors
    ]


def shown_examples(
    session: Session, city: City, space: Space, fields: ListFields
) -> tuple[list[Example], CancelExample | None]:
    """What some times would cost by the list as it stands in the form, and what cancelling one of them would."""
    if fields.errors or any(row.errors for row in fields.rows) or any(row.errors for row in fields.tiers):
        return [], None
    asked, _ = fields.as_list()
    if asked is None:
        return [], None
    try:
        list_ = actions.checked_list(session, space, asked, today=city_today(city))
    except Invalid:
        return [], None
    rate = vat_rates_on(session, city.id, list_.valid_from)[list_.vat_code]
    tariffs = actions.rows_chosen(session, space, list_.tariff, list_.valid_from) if list_.tariff else ()
    terms = list_.terms(city.currency, rate, space.area_m2, tariffs)
    minutes = min(max(space.min_minutes, 120), space.max_minutes, 1440)
    shown = examples(terms, city.zone, first=list_.valid_from, minutes=minutes)
    if terms.per == "tariff":
        return shown, None
    span = example_span(terms, city.zone, first=list_.valid_from, minutes=minutes)
    cost = quote(terms, span, city.zone)
    return shown, cancel_example(cost, span, space, city)


def cancel_example(cost: Quote, span: Span, space: Space, city: City) -> CancelExample | None:
    """The line of one time; None where cancelling it would cost nothing."""
    schedule = schedule_of(
        cost.cancel,
        span.start,
        cancellation_hours=space.cancellation_hours,
        kept_percent=cost.kept_percent,
    )
    fee = cost.cancel.fee_minor
    line = cancel_line(
        steps(schedule, total_minor=cost.total.minor, fee_minor=fee, start=span.start),
        total=cost.total,
        fee_minor=fee,
        refund_if_rebooked=cost.cancel.refund_if_rebooked,
        zone=city.zone,
        at=None,
    )
    when = format_span(span.start.astimezone(city.zone), span.end.astimezone(city.zone))
    return CancelExample(when, format_money(cost.total), line) if line else None


def rate_text(code: str, basis_points: int) -> str:
    return f"{format_number(basis_points / 100)}\u00a0%" + ("" if code == "standard" else f" ({code})")


def in_force(lists: Sequence[PriceList], today: date) -> PriceList | None:
    """The list that holds today; before any does, the one that comes first."""
    return next((one for one in lists if one.valid_from <= today), lists[-1] if lists else None)


def list_row(one: PriceList, current: PriceList | None, city: City, today: date) -> dict[str, Any]:
    ahead = one.valid_from > today
    return {
        "from": format_day(one.valid_from, year=True) if one.valid_from.year > 1900 else "",
        "texts": list_text(one, city.currency),
        "state": gettext("To come")
        if ahead
        else gettext("In force")
        if one is current
        else gettext("Earlier"),
        "kind": "info" if ahead else "success" if one is current else "neutral",
        "withdraw": one.valid_from.isoformat() if ahead else None,
    }


def code_row(code: DiscountCode, city: City, today: date) -> dict[str, Any]:
    over = code.valid_until is not None and code.valid_until < today
    used_up = code.max_uses is not None and code.uses >= code.max_uses
    until = format_day(code.valid_until, year=True) if code.valid_until else gettext("until further notice")
    return {
        "id": code.id,
        "code": code.code,
        "off": code_text(code, city.currency),
        "valid": f"{format_day(code.valid_from, year=True)} – {until}",
        "uses": f"{code.uses} / {code.max_uses}" if code.max_uses is not None else str(code.uses),
        "is_open": not over and not used_up,
    }
