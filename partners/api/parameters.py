"""What a request may ask: each parameter with its shape, and the words for what is wrong with one."""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from functools import lru_cache
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from marketplace.errors import N_, FieldError
from partners.api.errors import InvalidParameters
from spaces.catalog.accessibility import VIEWPOINTS
from spaces.catalog.vocabulary import ACCESSIBILITY, EQUIPMENT, KINDS, PURPOSES
from spaces.search.question import SORTS
from spaces.search.times import MOST_WINDOW_DAYS

DEFAULT_LIMIT, MAX_LIMIT = 20, 100
MAX_FREE_DAYS = 31
CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d|24:00")
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
WHOLE = re.compile(r"-?\d{1,18}")
DECIMAL = re.compile(r"-?\d{1,3}(\.\d{1,15})?")
APPROVALS = ("instant", "trusted", "handler")

# By code: our own, and those of Pydantic that can come up here.
TEXTS = {
    "missing": N_("This parameter is needed."),
    "extra_forbidden": N_("There is no parameter of this name."),
    "repeated": N_("Give this parameter once."),
    "string_too_long": N_("At most %(max_length)s characters."),
    "too_long": N_("At most %(max_length)s values."),
    "greater_than_equal": N_("At least %(ge)s."),
    "less_than_equal": N_("At most %(le)s."),
    "not-a-number": N_("Write a whole number."),
    "not-a-date": N_("Write a date as 2026-11-28."),
    "not-a-time": N_("Write a time as 17:30."),
    "not-a-point": N_("Write latitude and longitude in degrees, as 60.184,24.953."),
    "not-a-box": N_("Write west, south, east and north in degrees, as 24.93,60.17,24.97,60.19."),
    "unknown-code": N_("Choose one of: %(allowed)s."),
    "in-the-past": N_("This day has passed."),
    "too-far-ahead": N_("At most %(days)s days ahead."),
    "ends-before-start": N_("This must be after the beginning."),
    "needs-when": N_("A time of day needs `when`."),
    "needs-until": N_("Weekdays need `until`, the last day of a window."),
    "needs-near": N_("Sorting by distance needs `near`."),
    "too-many-days": N_("At most %(days)s days at a time."),
    "out-of-area": N_("This point lies too far from the city."),
    "not-a-cursor": N_("This is not a cursor of this service. Start again without it."),
    "other-question": N_("This cursor belongs to another question. Start again without it."),
    "unknown-district": N_("We do not know this district. /api/v1/districts lists them."),
}
OTHER = N_("This value cannot be used.")


def wrong(field: str, code: str, **values: Any) -> FieldError:
    """What is wrong with one parameter."""
    return FieldError(field, code.replace("_", "-"), TEXTS.get(code, OTHER), tuple(values.items()))


def refuse(error: ValidationError) -> Any:
    """Raise Pydantic's findings as our own refusal."""
    raise InvalidParameters(*(field_error(found) for found in error.errors(include_url=False))) from None


def field_error(found: ErrorDetails) -> FieldError:
    text = TEXTS.get(found["type"], OTHER)
    known = found.get("ctx", {}) if found["type"] in TEXTS else {}
    values = {name: str(value) for name, value in known.items() if f"%({name})s" in text}
    return wrong("/".join(str(part) for part in found["loc"]), found["type"], **values)


def matching(pattern: re.Pattern[str], code: str) -> Callable[[object], object]:
    """Refuses a text of another form, before Pydantic guesses what it might mean."""

    def check(value: object) -> object:
        if isinstance(value, str) and not pattern.fullmatch(value):
            raise PydanticCustomError(code, "unusable")
        return value

    return check


def read_day(value: object) -> object:
    if isinstance(value, str):
        try:
            return date.fromisoformat(value) if DAY.fullmatch(value) else _no_day()
        except ValueError:
            _no_day()
    return value


def _no_day() -> date:
    raise PydanticCustomError("not-a-date", "unusable")


def read_clock(value: object) -> object:
    """Minutes from midnight of an HH:MM; 24:00 is the day's end."""
    if isinstance(value, str):
        if not CLOCK.fullmatch(value):
            raise PydanticCustomError("not-a-time", "unusable")
        return int(value[:2]) * 60 + int(value[3:])
    return value


def numbers(text: str, count: int) -> list[float] | None:
    parts = [part.strip() for part in text.split(",")]
    fits = len(parts) == count and all(DECIMAL.fullmatch(part) for part in parts)
    return [float(part) for part in parts] if fits else None


def read_point(value: object) -> object:
    """(lat, lon) from "lat,lon"."""
    if isinstance(value, str):
        found = numbers(value, 2)
        if found is None or not (-90 <= found[0] <= 90 and -180 <= found[1] <= 180):
            raise PydanticCustomError("not-a-point", "unusable")
        return tuple(found)
    return value


def read_box(value: object) -> object:
    """(west, south, east, north) from the same with commas."""
    if isinstance(value, str):
        found = numbers(value, 4)
        if found is None or not -180 <= found[0] < found[2] <= 180 or not -90 <= found[1] < found[3] <= 90:
            raise PydanticCustomError("not-a-box", "unusable")
        return tuple(found)
    return value


def code_of(codes: Iterable[str]) -> tuple[AfterValidator, WithJsonSchema]:
    """A validator for one of these codes, and its place in the document."""
    allowed = list(codes)

    def known(value: str) -> str:
        if value not in allowed:
            raise PydanticCustomError("unknown-code", "unusable", {"allowed": ", ".join(allowed)})
        return value

    return AfterValidator(known), WithJsonSchema({"type": "string", "enum": allowed})


# Bounds stand before the check of the form, or the document loses them.
WHOLE_NUMBER = BeforeValidator(matching(WHOLE, "not-a-number"))
Day = Annotated[date, BeforeValidator(read_day)]
Clock = Annotated[
    int, BeforeValidator(read_clock), WithJsonSchema({"type": "string", "pattern": f"^({CLOCK.pattern})$"})
]
Weekday = Annotated[int, Field(ge=1, le=7), WHOLE_NUMBER]
DistrictId = Annotated[int, Field(ge=1, le=2**63 - 1), WHOLE_NUMBER]
Minutes = Annotated[int, Field(ge=5, le=31 * 1440), WHOLE_NUMBER]
People = Annotated[int, Field(ge=1, le=1_000_000), WHOLE_NUMBER]
PriceMinor = Annotated[int, Field(ge=0, le=2**31 - 1), WHOLE_NUMBER]
Limit = Annotated[int, Field(ge=1, le=MAX_LIMIT), WHOLE_NUMBER]
Point = Annotated[
    tuple[float, float],
    BeforeValidator(read_point),
    WithJsonSchema({"type": "string", "pattern": f"^{DECIMAL.pattern}, ?{DECIMAL.pattern}$"}),
]
Box = Annotated[
    tuple[float, float, float, float],
    BeforeValidator(read_box),
    WithJsonSchema({"type": "string", "pattern": f"^{DECIMAL.pattern}(, ?{DECIMAL.pattern}){{3}}$"}),
]
Kind = Annotated[str, *code_of(KINDS)]
Purpose = Annotated[str, *code_of(PURPOSES)]
Equipment = Annotated[str, *code_of(EQUIPMENT)]
Accessibility = Annotated[str, *code_of(ACCESSIBILITY)]
Viewpoint = Annotated[str, *code_of(VIEWPOINTS)]
Approval = Annotated[str, *code_of(APPROVALS)]
Sort = Annotated[str, *code_of(SORTS)]


def asked(description: str, example: Any = None, **more: Any) -> Any:
    """A parameter that may be left out."""
    extra = {} if example is None else {"example": example}
    return Field(default=more.pop("default", None), description=description, json_schema_extra=extra, **more)


class Parameters(BaseModel):
    """Base of query parameters: an unknown one is refused, so that a misspelt filter is not silently no filter."""

    model_config = ConfigDict(extra="forbid")

    @classmethod
    def model_json_schema(cls, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Kept after the first time: flask-openapi3 asks for it in every request."""
        return _schema(cls) if not args and not kwargs else super().model_json_schema(*args, **kwargs)

    def as_asked(self) -> dict[str, Any]:
        """What was given, as plain JSON values by the parameters' own names."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)


@lru_cache(maxsize=32)
def _schema(model: type[Parameters]) -> dict[str, Any]:
    return BaseModel.model_json_schema.__func__(model)  # type: ignore[attr-defined,no-any-return]


def repeated(names: Mapping[str, list[str]], model: type[BaseModel]) -> list[FieldError]:
    """Parameters given more than once that take one value."""
    lists = {
        field.alias or name
        for name, field in model.model_fields.items()
        if str(field.annotation).startswith("list")
    }
    return [
        wrong(name, "repeated") for name, values in names.items() if len(values) > 1 and name not in lists
    ]


class SpacesQuery(Parameters):
    """The filters of the list of spaces. All that are given must hold; a repeated one is explained at its place."""

    q: str | None = asked(
        "Words to look for in names, descriptions, purposes and kinds, in Finnish, Swedish or English.",
        "choir",
        max_length=200,
    )
    near: Point | None = asked(
        "Where to measure distances from: latitude and longitude in degrees (WGS 84), with a comma.",
        "60.184,24.953",
    )
    district: DistrictId | None = asked(
        "Id of the district that the venue lies in; `/districts` lists them.", 12
    )
    when: Day | None = asked(
        "A day, in the city's time zone, on which the space should be free.", "2026-11-28"
    )
    until: Day | None = asked(
        f"With `when`: the last day of a window of at most {MOST_WINDOW_DAYS} days, any of which will do.",
        "2026-12-11",
    )
    weekday: list[Weekday] = asked(
        "With `until`: only these weekdays count, 1 is Monday and 7 Sunday; repeat for any of several.",
        default=[],
        max_length=7,
    )
    from_: Clock | None = asked(
        "With `when`: not before this wall-clock time, on each of the days.",
        "17:00",
        alias="from",
        validation_alias="from",
    )
    to: Clock | None = asked("With `when`: not after this wall-clock time; 24:00 is the day's end.", "21:00")
    minutes: Minutes | None = asked(
        "How long the space is needed, in minutes. Spaces sell certain lengths: the shortest one that covers it counts.",
        90,
    )
    people: People | None = asked("How many people must fit in. Spaces of unknown capacity are included.", 40)
    kind: list[Kind] = asked("Kinds of space; repeat for any of several.", default=[], max_length=30)
    purpose: list[Purpose] = asked("What it is for; repeat for any of several.", default=[], max_length=30)
    equipment: list[Equipment] = asked(
        "What must be there; repeat for all of several.", default=[], max_length=40
    )
    accessibility: list[Accessibility] = asked(
        "What the venue must offer; repeat for all of several.", default=[], max_length=20
    )
    suits: list[Viewpoint] = asked(
        "Whom the venue must suit by what is told of it; repeat for all of several. "
        + " ".join(f"`{code}`: {point.rule}" for code, point in VIEWPOINTS.items()),
        default=[],
        max_length=4,
    )
    approval: Approval | None = asked(
        "`instant`: booked at once; `handler`: someone at the venue answers first.", "instant"
    )
    max_price_minor: PriceMinor | None = asked(
        "Highest price per hour (or per day, for spaces sold by the day) in minor units, tax included. 0 means free.",
        2000,
    )
    bbox: Box | None = asked(
        "Only venues inside this box: west, south, east, north in degrees (WGS 84).",
        "24.93,60.17,24.97,60.19",
    )
    sort: Sort = asked(
        "`best` weighs distance, size and price; free ones come first when `when` is given. `nearest` needs `near`;"
        " `soonest` looks a week ahead when `when` is not given.",
        default="best",
    )
    limit: Limit = asked("How many spaces at a time.", default=DEFAULT_LIMIT)
    cursor: str | None = asked(
        "Where to go on: `next_cursor` of the answer before. Every other parameter must stay as it was.",
        max_length=500,
    )

    def problems(self, *, today: date, days_ahead: int) -> list[FieldError]:
        """What is wrong with the parameters together."""
        found = []
        if self.when is not None and self.when < today:
            found.append(wrong("when", "in-the-past"))
        if self.when is not None and (self.when - today).days > days_ahead:
            found.append(wrong("when", "too-far-ahead", days=str(days_ahead)))
        if self.when is None:
            found += [
                wrong(name, "needs-when")
                for name, value in (("from", self.from_), ("to", self.to), ("until", self.until))
                if value is not None
            ]
        elif (self.from_ or 0) >= (1440 if self.to is None else self.to):
            found.append(wrong("from" if self.to is None else "to", "ends-before-start"))
        if self.when is not None and self.until is not None:
            if self.until < self.when:
                found.append(wrong("until", "ends-before-start"))
            elif (self.until - self.when).days >= MOST_WINDOW_DAYS:
                found.append(wrong("until", "too-many-days", days=str(MOST_WINDOW_DAYS)))
        if self.weekday and self.until is None:
            found.append(wrong("weekday", "needs-until"))
        if self.sort == "nearest" and self.near is None:
            found.append(wrong("sort", "needs-near"))
        return found


class FreeTimesQuery(Parameters):
    """Which days, and for how long."""

    from_: Day = Field(
        description="First day, in the city's time zone.",
        alias="from",
        json_schema_extra={"example": "2026-11-28"},
    )
    to: Day = Field(
        description=f"Last day, included; at most {MAX_FREE_DAYS} days in all.",
        json_schema_extra={"example": "2026-11-30"},
    )
    minutes: Minutes | None = asked(
        "Length in minutes. Rounded up to a length that the space sells, at most its longest; its shortest when left out.",
        90,
    )

    def problems(self, *, today: date, days_ahead: int) -> list[FieldError]:
        found = []
        if self.to < self.from_:
            found.append(wrong("to", "ends-before-start"))
        elif (self.to - self.from_).days >= MAX_FREE_DAYS:
            found.append(wrong("to", "too-many-days", days=str(MAX_FREE_DAYS)))
        if self.from_ < today:
            found.append(wrong("from", "in-the-past"))
        if (self.to - today).days > days_ahead:
            found.append(wrong("to", "too-far-ahead", days=str(days_ahead)))
        return found


class SpacePath(BaseModel):
    """Which space. Any number may be asked for; one that no space has is a 404, not a wrong parameter."""

    space_id: int = Field(
        description="Id of the space.", json_schema_extra={"example": 42, "minimum": 1, "maximum": 2**63 - 1}
    )


class NoQuery(Parameters):
    """For what takes no parameters."""
