"""The description is of the API that runs: every route stands in it, and every answer fits it."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft202012Validator
from schemathesis import checks as general
from schemathesis.specs.openapi import checks
from starlette.routing import Route

from ivpush.web.app import ROUTES
from ivpush.web.openapi import description
from tests.web.calls import EXAMPLE, JSON, get, post, usual

CHECKS = [
    general.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
"""Whether a call is refused is not asked: a schema says less than the contract."""
UNDESCRIBED = {"/", "/static/{name}", "/openapi.json"}
"""What a browser loads, and the description itself."""


def test_every_route_is_described() -> None:
    described = {
        (path, method.upper())
        for path, methods in description()["paths"].items()
        for method in methods
        if method != "parameters"
    }
    served = {
        (route.path, method)
        for route in ROUTES
        if isinstance(route, Route) and route.path not in UNDESCRIBED
        for method in (route.methods or set()) - {"HEAD"}
    }
    assert described == served
    assert get("/openapi.json") == description()


def test_a_result_fits_its_description() -> None:
    whole = {**description()["components"]["schemas"]["Result"], **description()}
    Draft202012Validator(whole).validate(post("/v1/check", EXAMPLE, JSON).json())


@schemathesis.serializer("application/x-ndjson", "application/edi-x12", "application/hl7-v2")
def _as_it_is(_context: Any, value: Any) -> bytes:
    """Types that schemathesis does not know: texts go out as they were made up."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


@pytest.mark.filterwarnings("ignore")
def test_no_call_fails_or_gets_an_answer_that_is_not_described() -> None:
    schema = schemathesis.openapi.from_asgi("/openapi.json", usual(), headers={"Host": "127.0.0.1"})
    operations: Any = schema.get_all_operations()
    for operation in operations:
        _call(operation.ok())


def _call(operation: Any) -> None:
    """Calls one operation with what its description allows, and with what it does not."""
    modes = [schemathesis.GenerationMode.POSITIVE]
    # Only what takes a body can be given a wrong one.
    modes += [schemathesis.GenerationMode.NEGATIVE] if operation.method == "post" else []
    for mode in modes:

        @settings(max_examples=3, suppress_health_check=list(HealthCheck))
        @given(operation.as_strategy(generation_mode=mode))
        def calls(case: Any) -> None:
            case.call_and_validate(headers={"Host": "127.0.0.1"}, checks=CHECKS)

        calls()
