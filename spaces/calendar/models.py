"""When a space is open and its units are taken. Nothing here knows people, money or states of a booking.

Three layers: the rules that an owner writes (OpeningRule, OpeningException), the truth compiled from them
(OpeningMonth) beside what is taken (Claim), and an index that may only rule out (DaySheet).
"""

from datetime import date, datetime, time

from psycopg.types.multirange import TimestamptzMultirange
from psycopg.types.range import TimestamptzRange
from sqlalchemy import BigInteger, CheckConstraint, Index, Integer, PrimaryKeyConstraint, Sequence, text
from sqlalchemy.dialects.postgresql import ARRAY, TSTZMULTIRANGE, TSTZRANGE, ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db import Base, CityRow, Localised, of_city
from spaces.calendar.rules import STATES, WEEKS

# Everything that can hold claims (a booking, a closure) draws its id here, so that a holder's id is unique.
HOLDER_IDS = Sequence("holder_id_seq", metadata=Base.metadata)

MAX_LANES = 1 << 16


class OpeningRule(CityRow, Base):
    """Weekly hours in wall-clock time within a period of dates (both included; open-ended where null).

    `closes` at or before `opens` means the next day; 00:00 to 00:00 is the whole day. `days` are ISO weekdays, `nth`
    is 1..5 or -1..-5 counted from the end of the month. Rules of one space with the same dates and priority are one
    period; the highest one that covers a day decides it alone.
    """

    __tablename__ = "opening_rule"
    __table_args__ = (
        Index(None, "city_id", "space_id"),
        CheckConstraint("days <@ ARRAY[1, 2, 3, 4, 5, 6, 7] AND cardinality(days) > 0", name="days"),
        CheckConstraint("valid_to IS NULL OR valid_from IS NULL OR valid_to >= valid_from", name="period"),
        CheckConstraint(f"weeks IN {WEEKS}", name="weeks"),
        CheckConstraint("nth BETWEEN -5 AND 5 AND nth <> 0", name="nth"),
        CheckConstraint(f"state IN {STATES}", name="state"),
        CheckConstraint("priority BETWEEN 0 AND 100", name="priority"),
        of_city("space_id", "space", ondelete="CASCADE"),
        {"info": {"copied_with": "space"}},
    )

    space_id: Mapped[int] = mapped_column(BigInteger)
    days: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    opens: Mapped[time]
    closes: Mapped[time]
    valid_from: Mapped[date | None]
    valid_to: Mapped[date | None]
    weeks: Mapped[str] = mapped_column(server_default="all")
    nth: Mapped[int | None]
    state: Mapped[str] = mapped_column(server_default="open")
    priority: Mapped[int] = mapped_column(server_default=text("0"))


class OpeningException(CityRow, Base):
    """Other hours on certain dates, which replace the weekly ones; closed where `opens` is null."""

    __tablename__ = "opening_exception"
    __table_args__ = (
        Index(None, "city_id", "space_id"),
        CheckConstraint("last_day >= first_day", name="period"),
        CheckConstraint("(opens IS NULL) = (closes IS NULL)", name="hours"),
        CheckConstraint(f"state IN {STATES}", name="state"),
        of_city("space_id", "space", ondelete="CASCADE"),
        {"info": {"copied_with": "space"}},
    )

    space_id: Mapped[int] = mapped_column(BigInteger)
    first_day: Mapped[date]
    last_day: Mapped[date]
    opens: Mapped[time | None]
    closes: Mapped[time | None]
    state: Mapped[str] = mapped_column(server_default="open")
    reasons: Mapped[Localised] = mapped_column(server_default="{}")


class OpeningMonth(Base):
    """The compiled opening spans that start in one local month. The truth for what is open.

    `open` can be booked; `staff` is for the owner's own people and shown to nobody else.
    """

    __tablename__ = "opening_month"
    __table_args__ = (
        PrimaryKeyConstraint("city_id", "month", "space_id"),
        of_city("space_id", "space", ondelete="CASCADE"),
    )

    city_id: Mapped[int] = mapped_column(BigInteger)
    month: Mapped[date]
    space_id: Mapped[int] = mapped_column(BigInteger)
    open: Mapped[TimestamptzMultirange] = mapped_column(TSTZMULTIRANGE)
    staff: Mapped[TimestamptzMultirange] = mapped_column(TSTZMULTIRANGE, server_default=text("'{}'"))


class Claim(Base):
    """A stretch of one lane of one unit that a holder has for itself, or keeps free as its buffer.

    The exclusion constraint lets no two claims of one lane meet, except buffers of different holders, which may
    overlap: a body's third range meets everything, a buffer's only bodies. The unit and lane are one number in a
    one-element range, because the embedded server has no btree_gist.
    """

    __tablename__ = "claim"
    __table_args__ = (
        PrimaryKeyConstraint("city_id", "holder_id", "unit_id", "lane", "part"),
        CheckConstraint(f"lane >= 0 AND lane < {MAX_LANES}", name="lane"),
        CheckConstraint("part IN (0, 1, 2)", name="part"),
        CheckConstraint(
            "NOT isempty(during) AND NOT lower_inf(during) AND NOT upper_inf(during)", name="during"
        ),
        ExcludeConstraint(
            (text("int8range(unit_id * 65536 + lane, unit_id * 65536 + lane, '[]')"), "&&"),
            (text("during"), "&&"),
            (
                text(
                    "(CASE WHEN part = 0 THEN '(,)'::int8range ELSE int8range(holder_id, holder_id, '[]') END)"
                ),
                "&&",
            ),
            name="claim_no_overlap",
            using="gist",
        ),
        of_city("unit_id", "unit"),
    )

    city_id: Mapped[int] = mapped_column(BigInteger)
    holder_id: Mapped[int] = mapped_column(BigInteger)
    unit_id: Mapped[int] = mapped_column(BigInteger)
    part: Mapped[int] = mapped_column(server_default=text("0"))  # 0 body, 1 buffer before, 2 buffer after
    lane: Mapped[int] = mapped_column(server_default=text("0"))
    during: Mapped[TimestamptzRange] = mapped_column(TSTZRANGE)


class FreedClaim(CityRow, Base):
    """A claim that was given back: news for whoever waits for time, read in batches and then dropped.

    Written by the statement that deletes the claim. It says what has perhaps become free; whether it is, and still is,
    says the calendar.
    """

    __tablename__ = "freed_claim"
    __table_args__ = (
        Index(None, "city_id", "batch"),
        of_city("unit_id", "unit", ondelete="CASCADE"),
    )

    holder_id: Mapped[int] = mapped_column(BigInteger)
    unit_id: Mapped[int] = mapped_column(BigInteger)
    lane: Mapped[int]
    part: Mapped[int]
    during: Mapped[TimestamptzRange] = mapped_column(TSTZRANGE)
    freed_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    # The reading that has taken it up: the highest id in it.
    batch: Mapped[int | None] = mapped_column(BigInteger)


class DaySheet(Base):
    """For each local day of a month a word of 48 bits: bit n is set when half hour n may be partly free.

    An index for the search: it may only rule out. `calendar.sheets` keeps it in the transaction that writes the claim.
    """

    __tablename__ = "day_sheet"
    __table_args__ = (
        PrimaryKeyConstraint("city_id", "month", "space_id"),
        of_city("space_id", "space", ondelete="CASCADE"),
    )

    city_id: Mapped[int] = mapped_column(BigInteger)
    month: Mapped[date]
    space_id: Mapped[int] = mapped_column(BigInteger)
    free: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))


class Closure(Base):
    """A holder of claims that is no booking: the owner keeps the space closed for a while.

    Its claims are of the kind of buffers, so that a closing may begin where a booking ends, whatever buffer that one
    has. What is kept open around bookings cuts a closing into stretches, one row each, with one `closing_id`.
    """

    __tablename__ = "closure"
    __table_args__ = (
        PrimaryKeyConstraint("city_id", "id"),
        Index(None, "city_id", "space_id"),
        of_city("space_id", "space", ondelete="CASCADE"),
    )

    city_id: Mapped[int] = mapped_column(BigInteger)
    id: Mapped[int] = mapped_column(BigInteger, HOLDER_IDS, server_default=HOLDER_IDS.next_value())
    space_id: Mapped[int] = mapped_column(BigInteger)
    closing_id: Mapped[int | None] = mapped_column(BigInteger)
    during: Mapped[TimestamptzRange] = mapped_column(TSTZRANGE)
    reasons: Mapped[Localised] = mapped_column(server_default="{}")
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
