"""The OpenAPI 3.1 document, made from the routes' own parameters and the answers' own models.

flask-openapi3 collects the paths; the schemas are Pydantic's, since its own drop `examples`.
"""

from collections.abc import Mapping
from typing import Any

from flask import url_for
from flask_openapi3.blueprint import APIBlueprint
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from marketplace.cities.models import City
from partners.api import schemas

VERSION = "1.0.0"
REF = "#/components/schemas/{model}"
MODELS: tuple[type[BaseModel], ...] = (
    schemas.Spaces,
    schemas.SpaceDetails,
    schemas.FreeTimes,
    schemas.Districts,
    schemas.Problem,
)
ABOUT = """Spaces of the city that anyone may use: what they are, where they are, what they cost and when they are free.

Read-only, open to everybody, without a key. Up to {per_minute} requests a minute from one address.

* Instants are RFC 3339 with the offset of the city's zone; stretches of time are half-open, the end is not included.
* Money is whole minor units (cents) with its currency, tax included.
* Texts come in every language at once; `Accept-Language` chooses the language of error messages.
* Errors are problem details (RFC 9457). A parameter that does not exist is refused, so that a misspelt filter is not silently no filter.
* New fields and new codes may appear; nothing that is here changes its meaning within /api/v1.
"""


def answers(model: type[BaseModel], description: str, *, missing: str | None = None) -> Any:
    """What a route answers: this, or a problem; `missing` says what a 404 means."""
    more = {} if missing is None else {"404": problem(missing)}
    return more | {
        "200": {
            "description": description,
            "headers": {
                "Cache-Control": {
                    "description": "How long the answer may be kept.",
                    "schema": {"type": "string"},
                },
                "ETag": {
                    "description": "For If-None-Match: an unchanged answer is an empty 304.",
                    "schema": {"type": "string"},
                },
            },
            "content": {"application/json": {"schema": {"$ref": REF.format(model=model.__name__)}}},
        },
        "422": problem("A parameter cannot be used, or does not exist."),
        "429": problem("Too many requests; `Retry-After` says how many seconds to wait."),
        "503": problem("The service is not available just now; `Retry-After` says how many seconds to wait."),
    }


def problem(description: str) -> dict[str, Any]:
    return {
        "description": description,
        "content": {
            "application/problem+json": {"schema": {"$ref": REF.format(model=schemas.Problem.__name__)}}
        },
    }


def document_of(blueprint: APIBlueprint, city: City, *, per_minute: int) -> dict[str, Any]:
    """The document as JSON values."""
    _, made = models_json_schema(
        [(model, "serialization") for model in MODELS], ref_template=REF, title=None, description=None
    )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"{city.product_name} – {city.names.get('en') or city.slug}",
            "version": VERSION,
            "summary": "Open data about city spaces and their free times.",
            "description": ABOUT.format(per_minute=per_minute),
            "license": {"name": "CC BY 4.0", "url": "https://creativecommons.org/licenses/by/4.0/"},
        },
        "servers": [{"url": url_for("root.language", _external=True).rstrip("/")}],
        "tags": [tag.model_dump(mode="json", exclude_unset=True) for tag in blueprint.tags],
        "paths": {
            path: tidy(item.model_dump(mode="json", by_alias=True, exclude_unset=True))
            for path, item in sorted(blueprint.paths.items())
        },
        "components": {"schemas": made["$defs"]},
    }


def tidy(item: Mapping[str, Any]) -> dict[str, Any]:
    """A path whose parameters may be left out, but are never null."""
    for operation in item.values():
        for parameter in operation.get("parameters", ()):
            schema = parameter["schema"]
            kinds = [kind for kind in schema.pop("anyOf", ()) if kind.get("type") != "null"]
            for kind in kinds:
                schema |= kind
            for key in ("title", "description", "example"):
                schema.pop(key, None)
            if schema.get("default", ...) is None:
                del schema["default"]
    return dict(item)
