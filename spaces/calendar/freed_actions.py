"""Giving claims back. What they held is kept as news until somebody who waits for time has read it."""

from collections.abc import Sequence

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.types import BigInteger

# One statement, so that news costs a booking no round trip of its own.
GIVE_BACK = text("""
    WITH gone AS (
        DELETE FROM claim WHERE city_id = :city_id AND holder_id = ANY(:holder_ids)
        RETURNING city_id, holder_id, unit_id, lane, part, during
    )
    INSERT INTO freed_claim (city_id, holder_id, unit_id, lane, part, during)
    SELECT city_id, holder_id, unit_id, lane, part, during FROM gone
""").bindparams(bindparam("holder_ids", type_=ARRAY(BigInteger)))


def give_back(session: Session, city_id: int, holder_ids: Sequence[int]) -> None:
    """Delete all claims of these holders. The caller has locked their units, and writes the sheets anew."""
    session.execute(GIVE_BACK, {"city_id": city_id, "holder_ids": list(holder_ids)})
