"""Small files of each format, as tests need them."""

import json
from pathlib import Path
from typing import Any

POINT = {"type": "Point", "coordinates": [24.951, 60.181]}
SQUARE = {
    "type": "Polygon",
    "coordinates": [[[24.95, 60.18], [24.952, 60.18], [24.952, 60.181], [24.95, 60.181], [24.95, 60.18]]],
}


def write(path: Path, data: Any) -> Path:
    path.write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
    return path


def collection(*features: Any, **more: Any) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": list(features), **more}


def feature(geometry: Any, **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def tprek_unit(unit_id: Any = 1, **fields: Any) -> dict[str, Any]:
    return {
        "id": unit_id,
        "org_id": "x",
        "name_fi": f"Talo {unit_id}",
        "latitude": 60.181,
        "longitude": 24.951,
        "street_address_fi": "Toinen linja 1",
        **fields,
    }


def room(room_id: int = 1, **fields: Any) -> dict[str, Any]:
    """A Varaamo reservation unit, REST v1."""
    return {
        "id": room_id,
        "name": {"fi": f"Huone {room_id}", "sv": None, "en": None},
        "spaces": [],
        "building": {"id": 7, "name": "Talo"},
        "reservation_unit_type": {"id": 2, "name": "Kokoustila"},
        "location": {
            "address_street": "Toinen linja 1",
            "coordinates": {"longitude": 24.951, "latitude": 60.181},
        },
        "max_persons": 12,
        **fields,
    }


def allu_row(row_id: int = 1, **fields: Any) -> dict[str, Any]:
    geometry = fields.pop("geometry", SQUARE)
    return feature(
        geometry,
        **{
            "id": row_id,
            "area_name": "Koetori",
            "section": "A",
            "application_kind": "OUTDOOREVENT",
            "is_active": True,
            "prices": [{"nature": "PUBLIC_FREE", "base_charge": 6000000}],
            "area_m2": 700,
            **fields,
        },
    )
