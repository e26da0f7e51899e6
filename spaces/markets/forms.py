"""Forms of the market desk: the square, the grid of stalls, one stall, many of them, price classes, the season."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from shapely import Point
from wtforms import (  # type: ignore[attr-defined]  # the stubs are older than SelectChoice
    BooleanField,
    DateField,
    FileField,
    RadioField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    TimeField,
)
from wtforms.validators import InputRequired, NumberRange, Optional

from marketplace.accounts.forms import OnceForm
from marketplace.cities.models import City
from marketplace.db import Localised
from marketplace.errors import FieldError
from marketplace.geo import shapes_to_metric, shapes_to_wgs84, to_metric
from marketplace.money import Money
from marketplace.web.i18n import format_money, gettext, lazy_gettext, localised
from marketplace.web.problems import field_message
from spaces.catalog.desk_forms import (
    CommaFloatField,
    VenueFields,
    fill_texts,
    line_field,
    number_field,
    texts_of,
)
from spaces.catalog.models import Venue
from spaces.catalog.rules import MOST_DAYS
from spaces.markets import rules
from spaces.markets.actions import FACILITIES, AskedStalls
from spaces.markets.models import CLASS_PERS, StallClass
from spaces.markets.queries import PlacedStall
from spaces.markets.season_actions import Season
from spaces.pricing.forms import amount_text, read_amount
from spaces.pricing.lists import PriceList
from spaces.pricing.present import GROUP_NAMES, PER_NAMES, weekday_name
from spaces.pricing.rules import DAY_MINUTES, WEEK, Variation

# Groups that may have an amount of their own; residents pay the base price.
GROUPS = ("association", "youth", "company")
LONGEST_FILE = rules.LONGEST_OUTLINE
LONGEST_NUMBERS = 4000
RANGE = re.compile(r"([A-ZÅÄÖ]{0,6})(\d{1,6})\s*[-–]\s*([A-ZÅÄÖ]{0,6})(\d{1,6})")


def metres(label: Any, least: float, most: float, *, needed: bool = True, **kwargs: Any) -> CommaFloatField:
    text = lazy_gettext("Write a number from %(least)s to %(most)s.", least=f"{least:g}", most=f"{most:g}")
    first = InputRequired(message=text) if needed else Optional()
    return CommaFloatField(label, validators=[first, NumberRange(least, most, message=text)], **kwargs)


def angle_field(label: Any) -> CommaFloatField:
    return metres(label, -360, 360, needed=False, default=0)


class RectangleFields:
    """A square by its middle and sides."""

    square_lat = metres(lazy_gettext("Middle, latitude"), -90, 90, needed=False)
    square_lon = metres(lazy_gettext("Middle, longitude"), -180, 180, needed=False)
    square_width = metres(lazy_gettext("Width, m"), 2, 1000, needed=False)
    square_length = metres(lazy_gettext("Length, m"), 2, 1000, needed=False)
    square_angle = angle_field(lazy_gettext("Turned clockwise, degrees"))


def rectangle_of(form: Any, city: City, centre: tuple[float, float]) -> Any:
    """The outline in metres around (lon, lat)."""
    return rules.rectangle(
        to_metric(*centre, crs=city.metric_crs),
        width=form.square_width.data,
        length=form.square_length.data,
        angle=form.square_angle.data or 0,
    )


class NewMarketForm(VenueFields, RectangleFields, OnceForm):
    """A new market square: its name, address and middle, and its sides where they are known."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Told on the place's own page; the middle of the square is its point.
        for name in ("accessibility", "square_lat", "square_lon"):
            if name in self._fields:
                del self[name]

    def venue_facts(self, known: Venue | None = None) -> dict[str, Any]:
        form: Any = self
        has_point = form.lat.data is not None and form.lon.data is not None
        return {
            "names": texts_of(form, "venue_names"),
            "streets": texts_of(form, "streets"),
            "postcode": form.postcode.data or None,
            "locality": form.locality.data or None,
            "lat": form.lat.data if has_point else None,
            "lon": form.lon.data if has_point else None,
        }

    def outline(self, city: City) -> Any | None:
        """The rectangle, where it is told whole."""
        told = (self.lat.data, self.lon.data, self.square_width.data, self.square_length.data)
        if any(value is None for value in told):
            return None
        return rectangle_of(self, city, (self.lon.data or 0.0, self.lat.data or 0.0))

    def validate(self, extra_validators: Any = None) -> bool:
        """Both sides are told, or neither: a field that is left empty is not validated by itself."""
        right = bool(super().validate(extra_validators))
        sides = (self.square_width, self.square_length)
        missing = [field for field in sides if not (field.raw_data and str(field.raw_data[0]).strip())]
        if len(missing) == 1:
            text = gettext("Give both sides of the square, or neither; you can draw it later.")
            missing[0].errors = [*missing[0].errors, text]
        return right and len(missing) != 1


class SquareForm(RectangleFields, OnceForm):
    """The outline of a square, as a rectangle by numbers or as a polygon."""

    how = RadioField(
        lazy_gettext("How do you give the outline?"),
        choices=[
            SelectChoice("outline", lazy_gettext("Draw it on the map, or paste GeoJSON")),
            SelectChoice("rectangle", lazy_gettext("A rectangle by its middle and sides")),
            SelectChoice("file", lazy_gettext("A GeoJSON file")),
        ],
        default="outline",
    )
    outline = TextAreaField(lazy_gettext("Corners as GeoJSON"))
    outline_file = FileField(lazy_gettext("GeoJSON file"))

    def metric(self, city: City) -> Any | None:
        """The outline in metres; None with messages at the fields."""
        if self.how.data == "rectangle":
            names = ("square_lat", "square_lon", "square_width", "square_length")
            missing = [name for name in names if self[name].data is None]
            for name in missing:
                self[name].errors = [*self[name].errors, gettext("Write a number.")]
            if missing:
                return None
            return rectangle_of(self, city, (self.square_lon.data or 0.0, self.square_lat.data or 0.0))
        field = self.outline_file if self.how.data == "file" else self.outline
        return outline_metric(field, self.text(), city)

    def text(self) -> str:
        if self.how.data != "file":
            return self.outline.data or ""
        upload = self.outline_file.data
        if not hasattr(upload, "stream"):
            return ""
        return str(upload.stream.read(LONGEST_FILE + 1).decode("utf-8", errors="replace"))

    def fill(self, outline: Any | None) -> None:
        if outline is not None and outline.geom_type == "Polygon":
            self.outline.data = geojson_text(outline)


def outline_metric(field: Any, text: str, city: City) -> Any | None:
    """A polygon given as text, in metres; None with a message at the field."""
    polygon, fault = rules.read_outline(text, field.short_name)
    if fault is not None:
        field.errors = [*field.errors, field_message(fault)]
        return None
    (metric,) = shapes_to_metric([polygon], crs=city.metric_crs)
    if not metric.is_valid or not all(abs(value) < 1e9 for value in metric.bounds):
        text = gettext("This outline is far from the city.")
        field.errors = [*field.errors, text]
        return None
    return metric


def geojson_text(polygon: Any) -> str:
    """A polygon of EPSG:4326 as short GeoJSON, to the centimetre."""
    rings = [polygon.exterior, *polygon.interiors]
    found = [[[round(float(x), 7), round(float(y), 7)] for x, y in ring.coords] for ring in rings]
    return json.dumps({"type": "Polygon", "coordinates": found}, separators=(",", ":"))


def class_choices(classes: Sequence[StallClass], first: str) -> list[Any]:
    return [
        SelectChoice("", first),
        *(SelectChoice(str(one.id), class_name(one.code, one.names)) for one in classes),
    ]


def class_name(code: str, names: Localised | None) -> str:
    """A, edge stalls."""
    name = localised(names or {})
    return f"{code}, {name}" if name else code


class GridForm(OnceForm):
    """A grid of equal stalls in one step."""

    rows = number_field(lazy_gettext("Rows"), 1, 100, default=2)
    columns = number_field(lazy_gettext("Stalls in a row"), 1, 200, default=10)
    width_m = metres(lazy_gettext("Width of a stall, m"), rules.LEAST_SIDE_M, rules.MOST_SIDE_M, default=3)
    depth_m = metres(lazy_gettext("Depth of a stall, m"), rules.LEAST_SIDE_M, rules.MOST_SIDE_M, default=3)
    gap_m = metres(lazy_gettext("Gap between stalls, m"), 0, rules.MOST_GAP_M, default=0.5)
    aisle_m = metres(lazy_gettext("Aisle between rows, m"), 0, rules.MOST_GAP_M, default=3)
    angle = angle_field(lazy_gettext("Rows turned, degrees"))
    corner_lat = metres(lazy_gettext("First corner, latitude"), -90, 90)
    corner_lon = metres(lazy_gettext("First corner, longitude"), -180, 180)
    number_prefix = line_field(lazy_gettext("Letter before the number"), 4)
    first_number = number_field(lazy_gettext("First number"), 0, 99_999, default=1)
    by_row = BooleanField(lazy_gettext("Each row has its own letter and begins anew: A1, A2 … B1, B2 …"))
    class_id = SelectField(lazy_gettext("Price class"), default="")
    electricity = BooleanField(lazy_gettext("Electricity"))
    water = BooleanField(lazy_gettext("Water"))

    def __init__(self, *args: Any, classes: Sequence[StallClass], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.class_id.choices = class_choices(classes, gettext("No class yet"))

    def start_from(self, outline: Any | None, city: City) -> None:
        """A first corner that lies on the square, along its sides."""
        if outline is None:
            return
        (metric,) = shapes_to_metric([outline], crs=city.metric_crs)
        found = rules.frame(metric)
        along, down = rules.axes(found.angle)
        inset = min(2.0, found.width / 10, found.depth / 10)
        corner = [
            middle - a * (found.width / 2 - inset) - d * (found.depth / 2 - inset)
            for middle, a, d in zip((found.x, found.y), along, down, strict=True)
        ]
        start = Point(*corner)
        if not metric.covers(start):  # a square that is no rectangle
            start = metric.representative_point()
        (point,) = shapes_to_wgs84([start], crs=city.metric_crs)
        self.corner_lat.data, self.corner_lon.data = round(point.y, 7), round(point.x, 7)
        self.angle.data = round(found.angle, 1)

    def asked(self, city: City) -> AskedStalls | None:
        """The stalls of the grid; None with messages at the fields."""
        form: Any = self
        if form.rows.data * form.columns.data > rules.MOST_STALLS:
            text = gettext("A square has at most 1,000 stalls.")
            form.rows.errors = [*form.rows.errors, text]
            return None
        numbers = rules.grid_numbers(
            form.rows.data,
            form.columns.data,
            prefix=(form.number_prefix.data or "").upper(),
            start=form.first_number.data,
            by_row=bool(form.by_row.data),
        )
        if numbers is None:
            text = gettext(
                "For a letter of its own for each row, begin with one from A to Z that leaves enough."
            )
            form.number_prefix.errors = [*form.number_prefix.errors, text]
            return None
        corner = to_metric(form.corner_lon.data, form.corner_lat.data, crs=city.metric_crs)
        if not all(abs(value) < 1e9 for value in corner):
            form.corner_lat.errors = [*form.corner_lat.errors, gettext("This point is far from the city.")]
            return None
        grid = rules.Grid(
            form.rows.data,
            form.columns.data,
            form.width_m.data,
            form.depth_m.data,
            form.gap_m.data,
            form.aisle_m.data,
            form.angle.data or 0,
            corner,
        )
        return AskedStalls(
            tuple(rules.grid_shapes(grid)),
            tuple(numbers),
            int(form.class_id.data) if form.class_id.data else None,
            tuple(code for code in FACILITIES if form[code].data),
        )


class StallForm(OnceForm):
    """One stall: its number and facilities, and its ground moved by numbers or drawn anew."""

    number = line_field(lazy_gettext("Number"), rules.LONGEST_NUMBER)
    class_id = SelectField(lazy_gettext("Price class"), default="")
    electricity = BooleanField(lazy_gettext("Electricity"))
    water = BooleanField(lazy_gettext("Water"))
    move_east = metres(lazy_gettext("Move east, m (west: less than 0)"), -1000, 1000, needed=False, default=0)
    move_south = metres(
        lazy_gettext("Move south, m (north: less than 0)"), -1000, 1000, needed=False, default=0
    )
    turn = angle_field(lazy_gettext("Turn clockwise, degrees"))
    outline = TextAreaField(lazy_gettext("Corners as GeoJSON"))

    def __init__(self, *args: Any, classes: Sequence[StallClass], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.class_id.choices = class_choices(classes, gettext("No class yet"))

    def fill(self, placed: PlacedStall) -> None:
        self.number.data = placed.number
        self.class_id.data = str(placed.stall.class_id or "")
        for code in FACILITIES:
            self[code].data = code in placed.space.equipment
        self.outline.data = geojson_text(placed.ground)

    @property
    def moves(self) -> bool:
        return any(self[name].data for name in ("move_east", "move_south", "turn"))

    def ground(self, placed: PlacedStall, city: City) -> tuple[Any | None, bool]:
        """(the new ground in metres or None for the old one, whether the fields are right)."""
        text = (self.outline.data or "").strip()
        ground = None
        if text and text != geojson_text(placed.ground):
            ground = outline_metric(self.outline, text, city)
            if ground is None:
                return None, False
        if self.moves:
            if ground is None:
                (ground,) = shapes_to_metric([placed.ground], crs=city.metric_crs)
            ground = rules.shifted(
                ground,
                east=self.move_east.data or 0,
                south=self.move_south.data or 0,
                turn=self.turn.data or 0,
            )
        return ground, True

    def equipment(self, placed: PlacedStall) -> list[str]:
        kept = [code for code in placed.space.equipment if code not in FACILITIES or self[code].data]
        return [*kept, *(code for code in FACILITIES if self[code].data and code not in kept)]


class ManyStallsForm(OnceForm):
    """One change of the chosen stalls; what is left as it is stays."""

    class_id = SelectField(lazy_gettext("Price class"), default="")
    electricity = SelectField(lazy_gettext("Electricity"), default="")
    water = SelectField(lazy_gettext("Water"), default="")

    def __init__(self, *args: Any, classes: Sequence[StallClass], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        same = gettext("As it is")
        self.class_id.choices = class_choices(classes, same)
        for code in FACILITIES:
            self[code].choices = [
                SelectChoice("", same),
                SelectChoice("yes", gettext("Yes")),
                SelectChoice("no", gettext("No")),
            ]

    def facilities(self) -> dict[str, bool]:
        return {code: self[code].data == "yes" for code in FACILITIES if self[code].data}


class PriceFields:
    """A class' name and what its stalls cost from a day on."""

    class_names_fi = line_field(lazy_gettext("Name of the class (%(language)s)", language="suomi"), 60)
    class_names_sv = line_field(lazy_gettext("Name of the class (%(language)s)", language="svenska"), 60)
    class_names_en = line_field(lazy_gettext("Name of the class (%(language)s)", language="English"), 60)
    per = SelectField(lazy_gettext("The price is"), default="day")
    amount = StringField(lazy_gettext("Price, tax included"))
    slot_minutes = number_field(lazy_gettext("Length of a slot, minutes"), 5, 1440, needed=False)
    valid_from = DateField(lazy_gettext("Holds from"), validators=[Optional()])
    vat_code = SelectField(lazy_gettext("Tax rate"), default="standard")
    group_association = StringField(lazy_gettext("Price for associations"))
    group_youth = StringField(lazy_gettext("Price for youth work"))
    group_company = StringField(lazy_gettext("Price for companies"))

    def set_choices(self, rates: Mapping[str, int], rate_text: Any) -> None:
        form: Any = self
        form.per.choices = [SelectChoice(code, gettext(PER_NAMES[code])) for code in CLASS_PERS]
        form.vat_code.choices = [
            SelectChoice(code, rate_text(code, points)) for code, points in rates.items()
        ]

    def names(self) -> Localised:
        form: Any = self
        return texts_of(form, "class_names")

    def price(self, today: date) -> PriceList | None:
        """The list; None with messages at the fields."""
        form: Any = self
        if form.per.data == "free":
            return PriceList(form.valid_from.data or today, "free", 0, vat_code=form.vat_code.data)
        amount = read_amount(form.amount.data or "")
        told = {name: (form[f"group_{name}"].data or "").strip() for name in GROUPS}
        groups = {name: read_amount(text) for name, text in told.items() if text}
        text = gettext("Write an amount such as 12 or 13,50.")
        wrong = [f"group_{name}" for name, minor in groups.items() if minor is None]
        for name in [*([] if amount is not None else ["amount"]), *wrong]:
            form[name].errors = [*form[name].errors, text]
        if amount is None or wrong:
            return None
        rows = tuple(
            Variation(minor, name, WEEK, 0, DAY_MINUTES)
            for name, minor in groups.items()
            if minor is not None
        )
        return PriceList(
            form.valid_from.data or today,
            form.per.data,
            amount,
            slot_minutes=form.slot_minutes.data if form.per.data == "slot" else None,
            vat_code=form.vat_code.data,
            rows=rows,
        )


class NewClassForm(PriceFields, OnceForm):
    """A new price class with its price."""

    code = SelectField(lazy_gettext("Letter"))

    def __init__(self, *args: Any, taken: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        free = [chr(n) for n in range(ord("A"), ord("Z") + 1) if chr(n) not in taken]
        self.code.choices = [SelectChoice(code, code) for code in free]
        if not self.is_submitted() and free:
            self.code.data = free[0]


class ClassForm(PriceFields, OnceForm):
    """The name and the price of a class that is there."""

    def fill(self, class_: StallClass, list_: PriceList | None, *, today: date) -> None:
        fill_texts(self, "class_names", class_.names)
        self.valid_from.data = today
        if list_ is None:
            return
        self.per.data = list_.per
        self.valid_from.data = max(today, list_.valid_from)
        self.amount.data = amount_text(list_.base_minor) if list_.per != "free" else ""
        self.slot_minutes.data = list_.slot_minutes
        self.vat_code.data = list_.vat_code
        for row in list_.rows:
            self[f"group_{row.group}"].data = amount_text(row.amount_minor)


def group_label(group: str, minor: int, currency: str) -> str:
    """Associations 20 €."""
    return f"{gettext(GROUP_NAMES[group])} {format_money(Money(minor, currency))}"


class SeasonForm(OnceForm):
    """Market days from one day to another."""

    first_day = DateField(
        lazy_gettext("First day"),
        validators=[InputRequired(message=lazy_gettext("Write the first day of the season."))],
    )
    last_day = DateField(
        lazy_gettext("Last day"),
        validators=[InputRequired(message=lazy_gettext("Write the last day of the season."))],
    )
    days = SelectMultipleField(lazy_gettext("Market days"), coerce=int)
    opens = TimeField(
        lazy_gettext("From"), validators=[InputRequired(message=lazy_gettext("Write a time such as 08:00."))]
    )
    closes = TimeField(
        lazy_gettext("To"), validators=[InputRequired(message=lazy_gettext("Write a time such as 16:00."))]
    )
    sold = RadioField(
        lazy_gettext("A stall is booked"),
        choices=[
            SelectChoice("day", lazy_gettext("for the whole market day")),
            SelectChoice("hours", lazy_gettext("by the hour")),
        ],
        default="day",
    )
    horizon_days = number_field(lazy_gettext("Booked at the earliest, days ahead"), 1, MOST_DAYS, default=365)
    numbers = StringField(lazy_gettext("Only these stalls"))
    closed_on_holidays = BooleanField(lazy_gettext("No market on public holidays"))
    replaces = BooleanField(lazy_gettext("In place of the market days that these stalls have now"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.days.choices = [SelectChoice(day, weekday_name(day)) for day in range(1, 8)]

    def season(self) -> Season:
        form: Any = self
        return Season(
            form.first_day.data,
            form.last_day.data,
            frozenset(form.days.data or ()),
            form.opens.data,
            form.closes.data,
            horizon_days=form.horizon_days.data,
            by_the_hour=form.sold.data == "hours",
            closed_on_holidays=bool(form.closed_on_holidays.data),
            replaces=bool(form.replaces.data),
        )

    def chosen(self, stalls: Sequence[PlacedStall]) -> list[PlacedStall] | None:
        """The stalls that the numbers name, all where none are told; None with a message at the field."""
        text = (self.numbers.data or "")[:LONGEST_NUMBERS].strip()
        if not text:
            return list(stalls)
        wanted, unknown = read_numbers(text, [one.number for one in stalls])
        if unknown:
            told = gettext("There is no stall with this number: %(numbers)s.", numbers=rules.told(unknown))
            self.numbers.errors = [*self.numbers.errors, told]
            return None
        return [one for one in stalls if one.number in wanted]


def read_numbers(text: str, known: Sequence[str]) -> tuple[set[str], list[str]]:
    """(numbers that are meant, parts that mean none): "A1-A10, B3" with single numbers and runs of one letter."""
    wanted: set[str] = set()
    unknown = []
    for part in (part.strip().upper() for part in text.split(",")):
        if not part:
            continue
        found = {part} & set(known)
        if not found and (run := RANGE.fullmatch(part)) and run[3] in {"", run[1]}:
            first, last = int(run[2]), int(run[4])
            found = {
                number
                for number in known
                if number.startswith(run[1])
                and number[len(run[1]) :].isdigit()
                and first <= int(number[len(run[1]) :]) <= last
            }
        wanted |= found
        if not found:
            unknown.append(part[:20])
    return wanted, unknown


@dataclass(frozen=True)
class Steps:
    """Which steps of making a market are done."""

    square: bool
    classes: bool
    stalls: bool
    season: bool
    published: bool


def show_fault(form: Any, error: FieldError, fields: Mapping[str, str]) -> None:
    """Put a fault beside the field that this form has for it."""
    name = fields.get(error.field, error.field)
    text = field_message(error)
    if name in form:
        form[name].errors = [*form[name].errors, text]
    else:
        form.form_errors = [*form.form_errors, text]
