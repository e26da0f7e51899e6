"""What a booking says beside who, when and how many, where its space asks for it."""

from dataclasses import dataclass

from spaces.pricing.rules import NO_BUILD_DAYS, BuildDays


@dataclass(frozen=True)
class Details:
    """`code` is the word of a discount, `build` the days of the booking that only build up and tear down."""

    code: str = ""
    build: BuildDays = NO_BUILD_DAYS


NO_DETAILS = Details()
