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


class OtherPrice(Answer):
    """Another amount than the base price, for a part of the week, a customer group, or both."""

    group: str | None = Field(
        description="resident, association, youth or company; null for everyone. A group's price counts before one for "
        "everyone.",
        examples=["association"],
    )
    days: list[int] = Field(description="ISO weekdays, Monday is 1.", examples=[[1, 2, 3, 4, 5]])
    from_minute: int = Field(description="Wall-clock minutes after midnight.", examples=[480])
    to_minute: int = Field(description="Exclusive; 1440 is the day's end.", examples=[960])
    amount: MoneyAmount


class Price(Answer):
    """What a space costs now."""

    per: Literal["hour", "day", "free", "slot", "fixed", "m2_day", "tariff"] = Field(
        description="What the amount is for; `slot` is a started slot, `fixed` a whole booking, `m2_day` a square metre "
        "and day; `tariff` is the city's tariff for outdoor areas, of which the amount is the least for one unit of time.",
        examples=["hour"],
    )
    amount: MoneyAmount = Field(
        description="The base price, which the limit and the order by price go by; times of the week and customer groups "
        "may have others."
    )
    quoted_for: str = Field(
        description="The customer group that the prices of the free times are for: a resident where nobody is signed in.",
        examples=["resident"],
    )
    other_prices: list[OtherPrice] = Field(description="All other amounts; empty where there are none.")
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
        description="Codes of what is told to be there. A code neither here nor in `accessibility_lacks` is not told.",
        examples=[["step_free_entrance", "lift"]],
    )
    accessibility_lacks: list[str] = Field(
        description="Codes of what is told not to be there.", examples=[["induction_loop"]]
    )
    accessibility_measures: dict[str, int] = Field(
        description="Numbers: parking_places, route_slope_percent, threshold_cm, door_cm, toilet_turning_cm.",
        examples=[{"door_cm": 95}],
    )
    suits: list[str] = Field(
        description="Whom the place suits by what is told; the parameter `suits` says how each is decided.",
        examples=[["wheelchair", "rollator"]],
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
    approval: str = Field(
        description="`instant`; `handler`: someone answers first; `trusted`: at once for those in `trusted_groups` and "
        "the organisations that the space trusts, and someone answers the others.",
        examples=["instant"],
    )
    trusted_groups: list[str] = Field(
        description="With `trusted`: customer groups whose bookings are confirmed at once.",
        examples=[["youth", "association"]],
    )
    who: str = Field(
        description="`anyone`; `verified`: people whose identity the city has confirmed; `organisations`; `members`: "
        "certain organisations and their members.",
        examples=["anyone"],
    )
    min_age: int | None = Field(
        description="Least age of who books, in years on the day of use; null without a limit.", examples=[18]
    )
    max_age: int | None = Field(
        description="Highest age of people who book for themselves; null without a limit.", examples=[29]
    )
    attendees_min: int | None = Field(
        description="Fewest people; where this or `attendees_max` is a number, it must be told how many come.",
        examples=[2],
    )
    attendees_max: int | None = Field(description="Most people with one booking.", examples=[12])
    max_open_per_person: int | None = Field(
        description="Open bookings of one person here at a time; null without a limit.", examples=[2]
    )
    max_open_per_organisation: int | None = Field(
        description="Open bookings of one organisation here at a time; null without a limit.", examples=[4]
    )
    quota_hours: int | None = Field(
        description="Hours of one organisation, or one person for themselves, in each `quota_period`; null without a "
        "limit.",
        examples=[6],
    )
    quota_period: str = Field(
        description="`week`, from Monday, or `month`, in the city's zone.", examples=["week"]
    )


class FreeTime(Answer):
    """A time that could be booked when this was answered."""

    start: datetime = Field(examples=["2026-11-28T17:00:00+02:00"])
    end: datetime = Field(description="Exclusive.", examples=["2026-11-28T18:30:00+02:00"])
    price: MoneyAmount = Field(description="Of the whole time.")


class PhotoFile(Answer):
    """One size of a photo, WebP. Its address never changes what it shows."""

    width: int = Field(description="Pixels.", examples=[960])
    url: str = Field(
        examples=["https://tilaa.example/photos/4f0c7f4f6a4f4f0c7f4f6a4f4f0c7f4f-960.webp"],
    )


class Photo(Answer):
    """A photo of a space, as large as it is kept."""

    width: int = Field(description="Pixels of the largest file.", examples=[1600])
    height: int = Field(examples=[1067])
    alt: LocalisedText = Field(description="What it shows, in words.")
    credit: str = Field(description="Who took it; empty where nobody is named.", examples=["Aino Korhonen"])
    files: list[PhotoFile] = Field(description="The same photo in growing widths.")
    jpeg_url: str = Field(
        description="The largest file as JPEG.",
        examples=["https://tilaa.example/photos/4f0c7f4f6a4f4f0c7f4f6a4f4f0c7f4f-1600.jpg"],
    )


class Reason(Answer):
    """One thing that makes a space fit what was asked."""

    code: str = Field(description="More may come.", examples=["right-size"])
    text: str = Field(description="In the language of the request.", examples=["for 50, you are 40"])


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
    reasons: list[Reason] = Field(
        description="Why it answers the question, what tells most first; not what is so with every space of the part."
    )
    free_times: list[FreeTime] = Field(
        description="With `when`: every bookable time of the asked length then; of a window of days, those of the first four that have any."
    )
    next_free_times: list[FreeTime] = Field(
        description="The first bookable times within two weeks, where `free_times` is empty; at most five."
    )
    photos: list[Photo] = Field(description="In the order of its page; the first one stands for the space.")
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


class AccessibilitySentence(Answer):
    """One thing that the page says of the venue's accessibility."""

    group: str = Field(
        description="parking, route, entrance, interior, toilet, changing, hearing or other.",
        examples=["entrance"],
    )
    heading: LocalisedText | None = Field(description="A register's own name of the group, with `other`.")
    text: LocalisedText


class Question(Answer):
    """What a booker is asked."""

    id: int = Field(examples=[9])
    kind: Literal["text", "choice", "number", "file"] = Field(
        description="A file is a PDF, JPEG, PNG or WebP of at most 10 MB.", examples=["choice"]
    )
    labels: LocalisedText
    helps: LocalisedText = Field(description="Advice under the question.")
    required: bool
    options: list[LocalisedText] = Field(description="The choices, with `choice`.")
    least: int | None = Field(description="Of a number.", examples=[1])
    most: int | None = Field(description="Of a number.", examples=[10])


class Terms(Answer):
    """What a booker has to accept."""

    version: str = Field(
        description="Changes with every change of the texts.", examples=["3f1c9e0a7b5d42c1a8e6f0b2d4c6a8e0"]
    )
    texts: LocalisedText


class Extra(Answer):
    """Equipment that a booking of the space can add. Several spaces may share the stock."""

    id: int = Field(examples=[5])
    names: LocalisedText
    descriptions: LocalisedText
    stock: int = Field(description="How many pieces there are.", examples=[20])
    most: int = Field(description="How many one booking can add, if they are free.", examples=[10])
    per: Literal["free", "booking", "hour", "day"] = Field(
        description="What the amount of a piece is for.", examples=["booking"]
    )
    amount: MoneyAmount


class SpaceDetails(Space):
    """A space with its texts."""

    accessibility_sentences: list[AccessibilitySentence] = Field(
        description="The facts and what registers write, in the words of the Helsinki accessibility sentences."
    )

    descriptions: LocalisedText
    extras: list[Extra] = Field(description="Equipment that a booking can add.")
    questions: list[Question] = Field(description="Asked of every booker, in this order.")
    terms: Terms | None = Field(description="Null where nothing has to be accepted.")
    members: list[str] = Field(
        description="With `who` `members`: the organisations whose members may book.",
        examples=[["Kallion Juniorit ry"]],
    )
    trusted: list[str] = Field(
        description="With `approval` `trusted`: organisations whose bookings are confirmed at once.",
        examples=[["Kallion Juniorit ry"]],
    )
    phone: str | None = Field(description="Of the venue.", examples=["+358 9 310 00000"])
    website: str | None = Field(description="Of the venue.", examples=["https://www.hel.fi/"])
    free_times_url: str = Field(
        description="Address of its free times; add `from` and `to`.",
        examples=["https://tilaa.example/api/v1/spaces/42/free-times"],
    )


class Spaces(Answer):
    """A part of the list."""

    spaces: list[Space]
    total: int = Field(
        description="How many spaces match in all; with `near`, at most the five hundred nearest.",
        examples=[128],
    )
    total_is_more: bool = Field(description="Whether more match than the nearest ones that were looked at.")
    corrected: dict[str, str | None] = Field(
        description="Words of `q` that no space has, with those searched for instead; null where there is none like it.",
        examples=[{"koukous": "kokous"}],
    )
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
