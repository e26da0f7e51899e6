"""What the API answers. Instants are RFC 3339 with the offset of the city's zone; money is whole minor units."""

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Answer(BaseModel):
    """Base of what is answered."""

    model_config = ConfigDict(frozen=True)


class LocalisedText(Answer):
    """A text in each language; null where nobody has written it."""

    fi: str | None = Field(description="Finnish.", examples=["Iso sali"])
    sv: str | None = Field(description="Swedish.", examples=["Stora salen"])
    en: str | None = Field(description="English.", examples=["Big hall"])


class MoneyAmount(Answer):
    """An amount, tax included."""

    amount_minor: int = Field(description="In minor units of the currency (cents).", examples=[2000])
    currency: str = Field(description="ISO 4217 code.", examples=["EUR"])


class Price(Answer):
    """What a space costs now."""

    per: Literal["hour", "day", "free", "slot", "fixed", "m2_day"] = Field(
        description="What the amount is for; `slot` is a started slot, `fixed` a whole booking, `m2_day` a square metre "
        "and day.",
        examples=["hour"],
    )
    amount: MoneyAmount = Field(
        description="The base price; times of the week and customer groups may have others. The price of a free time is "
        "that for a resident."
    )
    vat_percent: float = Field(
        description="Rate of the value-added tax inside the amount, in per cent.", examples=[25.5]
    )


class Location(Answer):
    """A point, WGS 84, degrees."""

    lat: float = Field(examples=[60.184])
    lon: float = Field(examples=[24.953])


class DistrictName(Answer):
    """The district that a venue lies in."""

    id: int = Field(examples=[12])
    names: LocalisedText


class Owner(Answer):
    """The organisation that runs the venue."""

    name: str = Field(examples=["City of Helsinki, Culture and Leisure"])
    kind: str = Field(
        description="association, company, public_body or city_division.", examples=["city_division"]
    )


class Venue(Answer):
    """The place that a space is in."""

    id: int = Field(examples=[7])
    names: LocalisedText
    streets: LocalisedText = Field(description="Street address.")
    postcode: str | None = Field(examples=["00530"])
    locality: str | None = Field(examples=["Helsinki"])
    location: Location | None = Field(description="Null where no coordinates are known.")
    district: DistrictName | None
    owner: Owner
    accessibility: list[str] = Field(
        description="Codes of what the venue offers; a code that is not here is unknown, not absent.",
        examples=[["step_free_entrance", "lift"]],
    )


class Booking(Answer):
    """How the space lets itself be booked."""

    min_minutes: int = Field(description="Shortest booking, minutes.", examples=[60])
    max_minutes: int = Field(description="Longest booking, minutes.", examples=[240])
    interval_minutes: int = Field(
        description="Starts are this far apart, counted from each opening, and lengths are its multiples.",
        examples=[30],
    )
    whole_days: bool = Field(description="Sold by whole days only.")
    buffer_before_minutes: int = Field(description="Kept free before a booking.", examples=[0])
    buffer_after_minutes: int = Field(description="Kept free after a booking.", examples=[15])
    notice_minutes: int = Field(description="Least time between booking and its beginning.", examples=[120])
    horizon_days: int = Field(description="How many days ahead one may book.", examples=[180])
    cancellation_hours: int = Field(
        description="Until how many hours before the beginning one may cancel.", examples=[24]
    )
    approval: str = Field(description="`instant`, or `handler`: someone answers first.", examples=["instant"])
    who: str = Field(description="`anyone` or `organisations`.", examples=["anyone"])


class FreeTime(Answer):
    """A time that could be booked when this was answered."""

    start: datetime = Field(examples=["2026-11-28T17:00:00+02:00"])
    end: datetime = Field(description="Exclusive.", examples=["2026-11-28T18:30:00+02:00"])
    price: MoneyAmount = Field(description="Of the whole time.")


class Space(Answer):
    """A space that can be booked."""

    id: int = Field(examples=[42])
    names: LocalisedText
    kind: str = Field(description="Code of the kind; more may come.", examples=["meeting_room"])
    purposes: list[str] = Field(
        description="Codes of what it is meant for; more may come.", examples=[["meeting", "course"]]
    )
    equipment: list[str] = Field(
        description="Codes of what is there; more may come.", examples=[["projector", "wifi"]]
    )
    capacity: int | None = Field(description="People; null where unknown.", examples=[40])
    area_m2: float | None = Field(description="Floor or ground area, square metres.", examples=[62.5])
    venue: Venue
    price: Price | None = Field(description="Null where no price is set: not for booking here yet.")
    booking: Booking
    distance_m: int | None = Field(
        description="Metres from `near` as the crow flies; null without `near`.", examples=[850]
    )
    is_free: bool | None = Field(
        description="With `when`: whether it has a free time then. Null without `when`."
    )
    free_times: list[FreeTime] = Field(
        description="With `when`: every bookable time of the asked length then."
    )
    next_free_times: list[FreeTime] = Field(
        description="The first bookable times within two weeks, where `free_times` is empty; at most five."
    )
    pages: LocalisedText = Field(
        description="Address of its page, where a person books it, in each language.",
        examples=[
            {
                "fi": "https://tilaa.example/fi/spaces/42",
                "sv": "https://tilaa.example/sv/spaces/42",
                "en": "https://tilaa.example/en/spaces/42",
            }
        ],
    )
    url: str = Field(
        description="Address of this space in the API.", examples=["https://tilaa.example/api/v1/spaces/42"]
    )


class SpaceDetails(Space):
    """A space with its texts."""

    descriptions: LocalisedText
    phone: str | None = Field(description="Of the venue.", examples=["+358 9 310 00000"])
    website: str | None = Field(description="Of the venue.", examples=["https://www.hel.fi/"])
    free_times_url: str = Field(
        description="Address of its free times; add `from` and `to`.",
        examples=["https://tilaa.example/api/v1/spaces/42/free-times"],
    )


class Spaces(Answer):
    """A part of the list."""

    spaces: list[Space]
    total: int = Field(description="How many spaces match in all.", examples=[128])
    free: int | None = Field(
        description="With `when`: how many of those may be free then, as far as the index tells; null without.",
        examples=[57],
    )
    next_cursor: str | None = Field(
        description="`cursor` of the next part; null at the end.", examples=["WzIsIjBmMTIiXQ.Jx0w"]
    )
    next_url: str | None = Field(description="Address of the next part; null at the end.")


class Opening(Answer):
    """A stretch of time; `end` is exclusive and may lie on the next day."""

    start: datetime = Field(examples=["2026-11-28T08:00:00+02:00"])
    end: datetime = Field(examples=["2026-11-28T22:00:00+02:00"])


class FreeDay(Answer):
    """One local day: from midnight to midnight, 23 or 25 hours long when the clocks change."""

    day: date = Field(examples=["2026-11-28"])
    open: list[Opening] = Field(description="When the space is open, cut at midnight.")
    free: list[Opening] = Field(description="The parts of `open` that nobody holds, buffers counted as held.")
    times: list[FreeTime] = Field(
        description="Every time of this length that can be booked and begins on this day."
    )


class FreeTimes(Answer):
    """The free times of a space for some days."""

    space_id: int = Field(examples=[42])
    time_zone: str = Field(description="IANA name.", examples=["Europe/Helsinki"])
    minutes: int = Field(description="The length that `times` are for.", examples=[90])
    days: list[FreeDay]


class District(Answer):
    """An area of the city that places are listed by."""

    id: int = Field(examples=[12])
    code: str = Field(description="The city's own code.", examples=["011"])
    names: LocalisedText
    label: Location = Field(description="A point inside, for a label.")


class Districts(Answer):
    """All of them, by code."""

    districts: list[District]


class FieldProblem(Answer):
    """What is wrong with one parameter."""

    pointer: str = Field(description="The parameter's name after a slash.", examples=["/people"])
    code: str = Field(examples=["not-a-number"])
    detail: str = Field(
        description="For people, in the language asked for.", examples=["Write a whole number."]
    )


class Problem(BaseModel):
    """An error after RFC 9457."""

    model_config = ConfigDict(extra="allow", title="Problem")

    type: str = Field(
        description="Address of a page about this kind of problem; its last part is a stable code.",
        examples=["https://tilaa.example/en/problems/invalid-parameters"],
    )
    title: str = Field(
        description="For people, in the language asked for.",
        examples=["Some of the parameters cannot be used."],
    )
    status: int = Field(examples=[422])
    instance: str = Field(description="Path of the request.", examples=["/api/v1/spaces"])
    errors: list[FieldProblem] | None = Field(
        default=None, description="With 422: one for each wrong parameter."
    )
