"""All matches of a question for the map, in few bytes: positions only, never kept, so that they are as fresh as the list."""

import json
from dataclasses import replace
from datetime import datetime
from itertools import pairwise

from sqlalchemy import text
from sqlalchemy.orm import Session

from marketplace.cities.models import City
from spaces.search.queries import limit_time, matched
from spaces.search.question import Question

MOST_DOTS = 12_000
# Positions are whole numbers of this part of a degree, about a metre.
STEPS = 100_000


def dots_json(session: Session, city: City, question: Question, *, now: datetime) -> str:
    """JSON with one place in each list for each match that has a position, by id.

    `ids` are differences, each from the one before; `lat` and `lon` count steps of 1/100,000 degree from `south` and
    `west`; `free` has 1 for each that may be free when asked, and is "" without a day. `total` counts also those that
    are more than MOST_DOTS.
    """
    limit_time(session)
    base, values = matched(replace(question, place=None, sort="best"), city, now=now)
    row = session.execute(
        text(f"""
            WITH found AS MATERIALIZED (
                SELECT id, lat, lon, is_free FROM ({base}) matched WHERE lat IS NOT NULL
            ), shown AS MATERIALIZED (SELECT * FROM found ORDER BY id LIMIT :most)
            SELECT (SELECT count(*) FROM found) AS total,
                   array_agg(id ORDER BY id) AS ids,
                   array_agg(round(lat * :steps)::int ORDER BY id) AS lat,
                   array_agg(round(lon * :steps)::int ORDER BY id) AS lon,
                   string_agg(CASE WHEN is_free THEN '1' WHEN NOT is_free THEN '0' END, '' ORDER BY id) AS free
            FROM shown
        """),
        {**values, "most": MOST_DOTS, "steps": STEPS},
    ).one()
    ids, lats, lons = row.ids or [], row.lat or [], row.lon or []
    south, west = min(lats, default=0), min(lons, default=0)
    return json.dumps(
        {
            "total": row.total,
            "south": south / STEPS,
            "west": west / STEPS,
            "ids": [*ids[:1], *(later - earlier for earlier, later in pairwise(ids))],
            "lat": [lat - south for lat in lats],
            "lon": [lon - west for lon in lons],
            "free": row.free or "",
        },
        separators=(",", ":"),
    )
