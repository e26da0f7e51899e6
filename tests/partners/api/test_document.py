"""The OpenAPI document is valid, complete, and what the API really does."""

from typing import Any

import pytest
import schemathesis
from flask.testing import FlaskClient
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

from tests.partners.api.conftest import Town

CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
]
EXAMPLES = 40


@pytest.fixture
def document(client: FlaskClient, town: Town) -> dict[str, Any]:
    answer = client.get("/api/v1/openapi.json")
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    found: dict[str, Any] = answer.get_json()
    return found


def test_the_document_is_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    schemathesis.openapi.from_dict(document).validate()


def nodes(value: Any):
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from nodes(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from nodes(inner)


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for node in nodes(document):
        if "$ref" in node:
            assert node["$ref"].removeprefix("#/components/schemas/") in schemas


def test_every_parameter_and_field_is_described(document: dict[str, Any]) -> None:
    for path in document["paths"].values():
        for parameter in path["get"].get("parameters", []):
            assert parameter["description"], parameter["name"]
            assert parameter["schema"].get("default", ...) is not None
    assert document["paths"]["/api/v1/spaces"]["get"]["operationId"] == "listSpaces"


def test_every_route_is_in_the_document(app, document: dict[str, Any]) -> None:
    routes = {
        rule.rule.replace("<int:", "{").replace(">", "}")
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("api.") and rule.endpoint != "api.document"
    }
    assert routes == set(document["paths"])


@pytest.mark.parametrize("operation", ["listSpaces", "getSpace", "listFreeTimes", "listDistricts"])
def test_what_the_document_promises_holds(app, document: dict[str, Any], town: Town, operation: str) -> None:
    """Random requests, right and wrong: no error of ours, and every answer has the shape that is written down."""
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)
    wanted = schema.find_operation_by_id(operation)
    modes = [
        GenerationMode.POSITIVE,
        *([GenerationMode.NEGATIVE] if wanted.query or wanted.path_parameters else []),
    ]

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=st.one_of([wanted.as_strategy(mode) for mode in modes]))
    def holds(case: schemathesis.Case[Any]) -> None:
        case.call_and_validate(checks=CHECKS)

    holds()
