"""``POST /fhir/$validate``: resources in, one OperationOutcome out, as FHIR's own operation does.

The outcome holds the issues of every encounter that the body held, and one for each record that
could not be read. Errors of the request itself are OperationOutcomes too, for callers of FHIR
expect no other kind.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from ivpush.engine import Worked
from ivpush.errors import Fault
from ivpush.readers import Note, Record
from ivpush.web.asked import GIVEN, Asked, asked_of
from ivpush.web.checking import judged, records_of
from ivpush.web.problems import RefusedError
from ivpush.web.reading import JSON, require_type
from ivpush.web.service import Service, service_of
from ivpush.writers.fhir import outcome

if TYPE_CHECKING:
    from starlette.requests import Request

__all__ = ["FHIR", "validate"]

FHIR = "application/fhir+json"
_VALIDATE = frozenset(GIVEN)


async def validate(request: Request) -> Response:
    """The findings of a Bundle, or of the resource in a Parameters, as an OperationOutcome."""
    service, asked = service_of(request), asked_of(request, _VALIDATE)
    require_type(request, {FHIR, JSON}, f"send {FHIR}")
    raw = await request.body()
    return Response(await service.run(_validated, raw, asked, service), media_type=FHIR)


def _validated(raw: bytes, asked: Asked, service: Service) -> bytes:
    issues: list[dict[str, Any]] = []
    for reading in records_of(_resource(raw), "fhir", asked, service):
        work = judged(reading, asked, service) if isinstance(reading, Record) else reading
        if isinstance(work, Worked):
            issues += outcome(work.result, reading.place)["issue"]
        elif isinstance(work, Note):
            issues.append(_issue("information", "informational", work.message, work.place))
        else:
            issues.append(_issue("error", "invalid", work.error.one_line, work.place))
    if not issues:
        issues.append(_issue("information", "informational", "It holds no encounter.", "the body"))
    return json.dumps({"resourceType": "OperationOutcome", "issue": issues}).encode()


def _issue(severity: str, code: str, text: str, place: str) -> dict[str, Any]:
    return {
        "severity": severity,
        "code": code,
        "details": {"text": text},
        "diagnostics": place,
    }


def _resource(raw: bytes) -> bytes:
    """The body, or the resource that stands in a Parameters, as $validate takes it."""
    try:
        parameters = json.loads(raw)
    except (ValueError, RecursionError):
        return raw  # the reader says what is wrong with it
    if not isinstance(parameters, dict) or parameters.get("resourceType") != "Parameters":
        return raw
    listed = parameters.get("parameter")
    for each in listed if isinstance(listed, list) else ():
        if isinstance(each, dict) and each.get("name") == "resource":
            return json.dumps(each.get("resource")).encode()
    fault = Fault("Parameters.parameter", "holds no resource", "name it 'resource'")
    raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, fault)
