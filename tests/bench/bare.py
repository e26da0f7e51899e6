"""The floor of the throughput bench: a bare Flask view that inserts one claim under the same exclusion constraint."""

import os
from datetime import datetime, timedelta

from flask import Flask, request
from sqlalchemy import create_engine, text
from sqlalchemy.exc import IntegrityError

app = Flask(__name__)
engine = create_engine(
    os.environ["MARKETPLACE_DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://")
)

CLAIM = text("""
    INSERT INTO claim (city_id, holder_id, unit_id, during)
    VALUES (:city_id, nextval('holder_id_seq'), :unit_id, tstzrange(:start, :end))
""")


@app.post("/claims")
def claim() -> tuple[str, int]:
    start = datetime.fromisoformat(request.form["start"])
    values = {
        "city_id": int(request.form["city_id"]),
        "unit_id": int(request.form["unit_id"]),
        "start": start,
        "end": start + timedelta(minutes=int(request.form["minutes"])),
    }
    try:
        with engine.begin() as connection:
            connection.execute(CLAIM, values)
    except IntegrityError:
        return "", 409
    return "", 201


@app.get("/health/ready")
def ready() -> str:
    return "ready"
