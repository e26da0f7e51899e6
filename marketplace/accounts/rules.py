"""Pure decisions about organisations."""

from collections.abc import Mapping
from datetime import date, timedelta

from marketplace.accounts.business_id import normalised
from marketplace.errors import N_, FieldError

INVITATION_LIFE = timedelta(days=30)
# Kinds that always have a business id; an association gets one only when it registers.
NEEDS_BUSINESS_ID = ("company", "public_body", "city_division")


def leaves_no_manager(roles: Mapping[int, str], person_id: int, new_role: str | None) -> bool:
    """Whether giving this member `new_role` (None: out) leaves the organisation without a manager."""
    managers = {member for member, role in roles.items() if role == "manager"}
    return managers == {person_id} and new_role != "manager"


def business_id_problem(kind: str, text: str) -> FieldError | None:
    """What is wrong with a business id as typed, if anything."""
    if not text:
        if kind in NEEDS_BUSINESS_ID:
            return FieldError("business_id", "missing", N_("Write the business ID, such as 0201256-6."))
        return None
    if normalised(text) is None:
        return FieldError(
            "business_id",
            "wrong",
            N_("This is not a Finnish business ID. Check the digits; it looks like 0201256-6."),
        )
    return None


OLDEST = 120


def age_on(born: date, day: date) -> int:
    """Whole years on a day. Who was born on 29 February grows older on 1 March of the years that have no such day: only
    when the last of February is over have whole years passed."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def birth_date_problem(born: date, today: date) -> FieldError | None:
    """What is wrong with a date of birth, if anything."""
    if born > today or age_on(born, today) > OLDEST:
        return FieldError("birth_date", "unlikely", N_("Write the day you were born."))
    return None
