"""What can be refused about a booking. Every rule of the calendar has its own class, code and text."""

from datetime import date
from typing import Any, ClassVar

from marketplace.errors import N_, Conflict, FieldError, Forbidden, Invalid, NotFound
from spaces.calendar.rules import BookingRules


class BookingNotFound(NotFound):
    code = "booking-not-found"
    title = N_("We did not find this booking. It may belong to another account.")


class AnswerNotFound(NotFound):
    code = "answer-not-found"
    title = N_("We did not find this file. It may have been deleted.")


class OrganisationsOnly(Forbidden):
    code = "organisations-only"
    title = N_("Only organisations book this space. Choose one that you may book for.")


class NoRightToBook(Forbidden):
    code = "no-right-to-book"
    title = N_("You do not have the right to book for this organisation. Its manager can give it to you.")


class NoRightToCancel(Forbidden):
    code = "no-right-to-cancel"
    title = N_("Only the one who booked, or people who book for the organisation, can cancel.")


class NotOnOffer(Conflict):
    code = "not-on-offer"
    title = N_("This space cannot be booked just now.")


class PriceChanged(Conflict):
    """`total_minor` is the price now."""

    code = "price-changed"
    title = N_("The price has changed since you saw it. Check it and confirm again.")


class SubmissionUsed(Conflict):
    """The same form or idempotency key came with another space or time."""

    code = "submission-used"
    title = N_("This form has already been used for another booking. Open the page again.")


class TooManySpaces(Conflict):
    code = "too-many-spaces"
    title = N_("Ten spaces can be booked in one go.")


class BuildDaysWrong(Invalid):
    code = "build-days-wrong"
    title = N_("The build and tear-down days do not fit.")

    def __init__(self) -> None:
        super().__init__(
            FieldError("build_before", self.code, N_("At least one day must be for the occasion itself."))
        )


class OutdoorUseWrong(Invalid):
    """The fields are nature and area_m2."""

    code = "outdoor-use-wrong"
    title = N_("Tell how you use the area.")


class IllegalTransition(Conflict):
    """`state` is the present one, `asked` the one that may not follow it."""

    code = "illegal-transition"
    title = N_("The booking has changed meanwhile, so this is no longer possible.")


class UndoOver(Conflict):
    code = "undo-over"
    title = N_("It is too late to undo this: the answer has gone out.")


class NotYourAnswer(Forbidden):
    code = "not-your-answer"
    title = N_("Only the one who answered can undo it.")


class TooLateToCancel(Conflict):
    code = "too-late-to-cancel"
    title = N_("A booking that has begun cannot be cancelled.")


class NotMovable(Conflict):
    """`state` is the booking's present one."""

    code = "not-movable"
    title = N_("Only a booking that has not begun can be moved.")


class HoldOver(Conflict):
    code = "hold-over"
    title = N_("The time is no longer held for you. It may still be free.")


class NotChangeable(Conflict):
    """`state` is the booking's present one."""

    code = "not-changeable"
    title = N_("Only a booking that has not begun can be changed.")


class ChangePending(Conflict):
    code = "change-pending"
    title = N_("You have asked for another time already. The owner answers that first.")


class ChangeOverlaps(Conflict):
    code = "change-overlaps"
    title = N_(
        "The owner has to approve this change, and it needs a part of what you have now. Write to the owner."
    )


class ChangeAsked(Conflict):
    code = "change-asked"
    title = N_("Its booker has asked for another time of this booking. Answer that first.")


class PaidAlready(Conflict):
    code = "paid-already"
    title = N_("This booking is paid, and the change has another price. Write to the owner.")


class NoWayToPay(Invalid):
    code = "no-way-to-pay"
    title = N_(
        "This space is paid by invoice. Choose an association or company with a business ID to book for."
    )

    def __init__(self) -> None:
        super().__init__(FieldError("organisation", self.code, self.title))


class WayNotOffered(Invalid):
    code = "way-not-offered"
    title = N_("Choose how you pay.")

    def __init__(self) -> None:
        super().__init__(FieldError("way", self.code, self.title))


class TimeUnreadable(Invalid):
    code = "time-unreadable"
    title = N_("We could not read the time in this address.")


class TooManyPeople(Invalid):
    """`capacity` is how many fit."""

    code = "too-many-people"
    title = N_("More people than the space holds.")

    def __init__(self, capacity: int) -> None:
        text = N_("%(capacity)d people fit here.")
        super().__init__(
            FieldError("attendees", self.code, text, (("capacity", capacity),)), capacity=capacity
        )


class CustomerUnnamed(Invalid):
    code = "customer-unnamed"
    title = N_("A new customer needs a name.")

    def __init__(self) -> None:
        super().__init__(
            FieldError("name", self.code, N_("Write the name: this address has no account here yet."))
        )


class NotBookersOrganisation(Invalid):
    code = "not-bookers-organisation"
    title = N_("The customer does not book for this organisation.")

    def __init__(self) -> None:
        text = N_(
            "The customer has no right to book for an organisation of this name. Leave it out, or ask its manager."
        )
        super().__init__(FieldError("organisation", self.code, text))


class AttendeesOutOfRange(Invalid):
    code = "attendees-out-of-range"
    title = N_("The number of people is not believable.")

    def __init__(self) -> None:
        super().__init__(
            FieldError("attendees", self.code, N_("Write how many people come, at least 1, or leave it out."))
        )


class TimeNotBookable(Invalid):
    """A rule of the space forbids this time; `text` says which and what is allowed."""

    code = "time-not-bookable"
    title = N_("This time cannot be booked.")
    text: ClassVar[str] = title

    def __init__(self, **values: Any) -> None:
        super().__init__(FieldError("start", self.code, self.text, tuple(values.items())), **values)


class InThePast(TimeNotBookable):
    code = "in-the-past"
    title = N_("This time has passed.")
    text = N_("Choose a time that is still to come.")


class TooLateToBook(TimeNotBookable):
    code = "too-late-to-book"
    title = N_("It is too late to book this time.")
    text = N_("This space is booked at least %(hours)s h ahead.")


class TooFarAhead(TimeNotBookable):
    code = "too-far-ahead"
    title = N_("This time cannot be booked yet.")
    text = N_("This space can be booked %(days)d days ahead.")


class TooShort(TimeNotBookable):
    code = "too-short"
    title = N_("This time is too short.")
    text = N_("The shortest booking here is %(minutes)d minutes.")


class TooLong(TimeNotBookable):
    code = "too-long"
    title = N_("This time is too long.")
    text = N_("The longest booking here is %(hours)s h.")


class NotOpen(TimeNotBookable):
    code = "not-open"
    title = N_("The space is closed at this time.")
    text = N_("Choose a time within the opening hours.")


class OddLength(TimeNotBookable):
    code = "odd-length"
    title = N_("This length cannot be booked.")
    text = N_("Lengths here go in steps of %(minutes)d minutes.")


class OddStart(TimeNotBookable):
    code = "odd-start"
    title = N_("A booking cannot begin at this time.")
    text = N_("Bookings here begin every %(minutes)d minutes from the time the space opens.")


class WholeDaysOnly(TimeNotBookable):
    code = "whole-days-only"
    title = N_("This space is booked by whole days.")
    text = N_("Choose whole days, from opening to closing.")


def time_refusal(code: str, rules: BookingRules) -> TimeNotBookable:
    """The refusal for a code of the calendar's `why_not`, with what the space does allow."""
    longest = max(rules.max_minutes, rules.min_minutes)
    kinds: dict[str, tuple[type[TimeNotBookable], dict[str, Any]]] = {
        "in-the-past": (InThePast, {}),
        "too-late-to-book": (TooLateToBook, {"hours": hours(rules.notice_minutes)}),
        "too-far-ahead": (TooFarAhead, {"days": rules.horizon_days}),
        "too-short": (TooShort, {"minutes": rules.min_minutes}),
        "too-long": (TooLong, {"hours": hours(longest)}),
        "not-open": (NotOpen, {}),
        "odd-length": (OddLength, {"minutes": rules.interval_minutes}),
        "odd-start": (OddStart, {"minutes": rules.interval_minutes}),
        "whole-days-only": (WholeDaysOnly, {}),
    }
    kind, values = kinds[code]
    return kind(**values)


def hours(minutes: int) -> str:
    """90 as 1.5, 120 as 2."""
    return f"{minutes / 60:.2f}".rstrip("0").rstrip(".")


class IdentityNeeded(Forbidden):
    code = "identity-needed"
    title = N_("Only people whose identity the city has confirmed book this space.")


class MembersOnly(Forbidden):
    code = "members-only"
    title = N_("Only the organisations named in the rules of this space and their members book it.")


class TooYoung(Invalid):
    """`years` is the least age on the day of use."""

    code = "too-young"
    title = N_("You are too young to book this space.")

    def __init__(self, years: int, *, field: str = "organisation") -> None:
        text = N_("Whoever books is at least %(years)d years old on the day.")
        super().__init__(FieldError(field, self.code, text, (("years", years),)), years=years)


class TooOld(Invalid):
    """`years` is the highest age on the day of use."""

    code = "too-old"
    title = N_("You are too old to book this space for yourself.")

    def __init__(self, years: int, *, field: str = "organisation") -> None:
        text = N_("Whoever books for themselves is at most %(years)d years old on the day.")
        super().__init__(FieldError(field, self.code, text, (("years", years),)), years=years)


class TooManyOpen(Invalid):
    """`open` bookings are ahead here already, and no more than `most` may be."""

    code = "too-many-open"
    title = N_("There are as many open bookings here as the space allows.")

    def __init__(self, *, open: int, most: int) -> None:  # noqa: A002 - the word that bookers read
        text = N_(
            "Open bookings here at a time: %(most)d at most, and there are %(open)d. Cancel one, or wait until it is over."
        )
        super().__init__(
            FieldError("organisation", self.code, text, (("most", most), ("open", open))),
            open=open,
            most=most,
        )


class QuotaUsedUp(Invalid):
    """`left_minutes` of `quota_minutes` are left in the week or month that begins on `first`."""

    code = "quota-used-up"
    title = N_("This time is more than what is left of the hours.")

    def __init__(self, *, kind: str, first: date, left_minutes: int, quota_minutes: int) -> None:
        values: tuple[tuple[str, Any], ...] = (
            ("left", hours_and_minutes(left_minutes)),
            ("quota", hours_and_minutes(quota_minutes)),
        )
        if kind == "week":
            text = N_("%(left)s left of %(quota)s in week %(week)d.")
            values = (*values, ("week", first.isocalendar().week))
        else:
            text = N_("%(left)s left of %(quota)s in %(month)d/%(year)d.")
            values = (*values, ("month", first.month), ("year", first.year))
        super().__init__(
            FieldError("organisation", self.code, text, values),
            left_minutes=left_minutes,
            quota_minutes=quota_minutes,
            period=kind,
            period_start=first.isoformat(),
        )


class AttendeesMissing(Invalid):
    code = "attendees-missing"
    title = N_("The space asks how many people come.")

    def __init__(self) -> None:
        super().__init__(FieldError("attendees", self.code, N_("Write how many people come.")))


class TooFewPeople(Invalid):
    """`least` is how many come at the least."""

    code = "too-few-people"
    title = N_("Fewer people than the space is meant for.")

    def __init__(self, least: int) -> None:
        text = N_("The space is booked for at least %(least)d people.")
        super().__init__(FieldError("attendees", self.code, text, (("least", least),)), least=least)


class MorePeopleThanAllowed(Invalid):
    """`most` is how many may come with one booking."""

    code = "more-people-than-allowed"
    title = N_("More people than a booking may have.")

    def __init__(self, most: int) -> None:
        text = N_("The space is booked for at most %(most)d people.")
        super().__init__(FieldError("attendees", self.code, text, (("most", most),)), most=most)


class AskedMissing(Invalid):
    """Something that the space asks has no answer, or one that will not do; the fields say what."""

    code = "asked-missing"
    title = N_("The space asks for something more.")


def hours_and_minutes(minutes: int) -> str:
    """150 as 2 h 30 min; the same in every language."""
    whole, rest = divmod(minutes, 60)
    parts = [f"{whole}\u00a0h" if whole or not rest else "", f"{rest}\u00a0min" if rest else ""]
    return " ".join(part for part in parts if part)
