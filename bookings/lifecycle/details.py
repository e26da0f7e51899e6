"""What a booking says beside who, when and how many, where its space asks for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from bookings.lifecycle.answers import Given
from spaces.pricing.rules import NO_BUILD_DAYS, BuildDays, OutdoorUse


@dataclass(frozen=True)
class Details:
    """`code` is the word of a discount, `build` the days of the booking that only build up and tear down."""

    code: str = ""
    build: BuildDays = NO_BUILD_DAYS
    extras: Mapping[int, int] = field(default_factory=dict)  # pieces of equipment, by its id
    use: OutdoorUse | None = None  # of an outdoor area, where the city's tariff asks
    answers: Mapping[int, Given] = field(default_factory=dict)  # to the space's questions, by their ids
    terms: str = ""  # the version of the terms that the booker has read and accepts
    birth_date: date | None = None


NO_DETAILS = Details()
