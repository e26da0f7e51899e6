"""A file of records: read, decoded and told what format it is, before any record is looked at."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError

from marketplace.geo import WGS84
from spaces.transfer.errors import FileRefused, RecordBroken
from spaces.transfer.geopackage import MAGIC, gpkg_records
from spaces.transfer.limits import read_content
from spaces.transfer.tables import csv_records, xlsx_records
from spaces.transfer.text import kind_of

LONGEST_WALK = 6


@dataclass(frozen=True)
class Document:
    """The records of a file. `metric_crs` is the city's, for areas in m²; `name` says which collection it is.

    `kind` is json, csv, xlsx or gpkg; `crs` is what a GeoPackage names for its layer.
    """

    path: Path
    data: Any
    metric_crs: int
    kind: str = "json"
    crs: str | None = None

    @property
    def name(self) -> str:
        if (
            isinstance(self.data, Mapping)
            and isinstance(self.data.get("name"), str)
            and self.data["name"].strip()
        ):
            return str(self.data["name"]).strip()
        return self.path.name.split(".")[0]

    def records(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Each record with its place in the file; what is no object is handed out as {"": it} for its reader to refuse."""
        word = "row" if self.kind in {"csv", "xlsx"} else "record"
        for at, record in enumerate(records_in(self.data), start=1):
            place = record.get("row", at) if word == "row" else at
            yield f"{word} {place}", record if isinstance(record, Mapping) else {"": record}

    def to_wgs84(self) -> Transformer | None:
        """From the CRS that an older GeoJSON names to lon/lat; None where it is that already."""
        crs = self.data.get("crs") if isinstance(self.data, Mapping) else None
        if not crs and not self.crs:
            return None
        name = self.crs or (crs.get("properties", {}).get("name") if isinstance(crs, Mapping) else None)
        try:
            given = CRS.from_user_input(name)
        except CRSError as error:
            raise FileRefused(
                f"{self.path.name} names a coordinate reference system that is not known: {name!r}."
            ) from error
        if given.equals(CRS.from_epsg(4326), ignore_axis_order=True):
            return None
        return Transformer.from_crs(given, WGS84, always_xy=True)


def read_document(path: Path, *, metric_crs: int) -> Document:
    """The records of a file, gzipped or not, told by its first bytes. Raises FileRefused with one sentence."""
    content = read_content(path)
    if content.startswith(MAGIC):
        data, crs = gpkg_records(content, path.name)
        return Document(path, data, metric_crs, "gpkg", crs)
    if content.startswith(b"PK\x03\x04"):
        return Document(path, xlsx_records(content, path.name), metric_crs, "xlsx")
    if not content.strip():
        raise FileRefused(f"{path.name} is empty.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise FileRefused(f"{path.name} is not UTF-8 text (line {line}); save it as UTF-8.") from error
    del content
    if is_csv(text, path):
        return Document(path, csv_records(text, path.name), metric_crs, "csv")
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise FileRefused(
            f"{path.name} is not JSON: {error.msg} at line {error.lineno}, column {error.colno}."
        ) from error
    except RecursionError as error:
        raise FileRefused(f"{path.name} is nested too deeply to be a list of places.") from error
    if not isinstance(data, Mapping | list):
        raise FileRefused(f"{path.name} holds {kind_of(data)}, not records.")
    return Document(path, data, metric_crs)


def is_csv(text: str, path: Path) -> bool:
    """By the name, else by a first line that is no JSON or XML and names several columns, one of them an id."""
    if path.name.lower().removesuffix(".gz").endswith((".csv", ".tsv")):
        return True
    first = text.lstrip().partition("\n")[0]
    names = {name.strip(' "\r').lower() for name in re.split("[,;\t]", first)}
    return first[:1] not in "[{<" and len(names) > 2 and bool(names & {"place_id", "id", "space_id"})


def records_in(data: Any, depth: int = 0) -> list[Any]:
    """The records of the envelopes in use: a list, one record, a FeatureCollection, a page with `results`, GraphQL's
    data / edges / node."""
    if isinstance(data, list):
        return data
    if not isinstance(data, Mapping) or depth > LONGEST_WALK:
        return []
    if data.get("type") == "FeatureCollection":
        features = data.get("features")
        return features if isinstance(features, list) else []
    if isinstance(data.get("results"), list):
        return list(data["results"])
    if isinstance(data.get("edges"), list):
        return [edge.get("node") if isinstance(edge, Mapping) else edge for edge in data["edges"]]
    if set(data) <= {"data", "extensions", "errors"} and isinstance(data.get("data"), Mapping):
        inner = [value for value in data["data"].values() if isinstance(value, Mapping | list)]
        return records_in(inner[0], depth + 1) if inner else []
    return [data]


def named(where: str, record: Any, field: str) -> str:
    """The record's place in the file with its id, where it has one."""
    value = record.get(field) if isinstance(record, Mapping) else None
    return where if value is None else f"{where} ({field} {value})"


def properties_of(feature: Mapping[str, Any]) -> Mapping[str, Any]:
    """The properties of a GeoJSON feature. Raises RecordBroken where it has none."""
    properties = feature.get("properties")
    if not isinstance(properties, Mapping):
        raise RecordBroken("properties", f"should be an object, not {kind_of(properties)}")
    return properties


class Seen:
    """The ids of a file so far, each with the place where it stood first."""

    def __init__(self) -> None:
        self._where: dict[str, str] = {}

    def add(self, external_id: str, where: str) -> None:
        """Raises RecordBroken when the id was there before."""
        if external_id in self._where:
            raise RecordBroken("id", f"{external_id} is that of {self._where[external_id]} too")
        self._where[external_id] = where


def record_object(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """The record itself. Raises RecordBroken where the file has something else in its place."""
    if "" in record:
        raise RecordBroken("record", f"should be an object, not {kind_of(record[''])}")
    return record
