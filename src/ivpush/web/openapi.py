"""The description of the API as OpenAPI 3.1, drawn from the models that read and write.

``GET /openapi.json`` gives it. Every answer that an endpoint can give stands in it; a test calls
the endpoints with what it allows and with what it does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from http import HTTPStatus
from typing import Any, get_args

from ivpush._version import __version__
from ivpush.authoring.pages import encounter_schema, result_schema
from ivpush.contract.fields import Setting
from ivpush.web import cds
from ivpush.web.asked import GIVEN, PARAMETERS
from ivpush.web.batch import NDJSON
from ivpush.web.drawing import FORMS
from ivpush.web.fhir import FHIR
from ivpush.web.problems import MEDIA_TYPE
from ivpush.web.reading import ANY, JSON, TYPES
from ivpush.writers.why_not import why_not_adapter

__all__ = ["description"]

Schema = dict[str, Any]
_TEXT: Schema = {"type": "string"}
_PROBLEM: Schema = {
    "type": "object",
    "description": "RFC 9457. It names places and what to do, and repeats nothing that was sent.",
    "required": ["type", "title", "status", "detail", "instance", "faults"],
    "properties": {
        "type": _TEXT,
        "title": _TEXT,
        "status": {"type": "integer"},
        "detail": _TEXT,
        "instance": _TEXT,
        "faults": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"place": _TEXT, "problem": _TEXT, "remedy": _TEXT},
            },
        },
    },
}
_SAID = {
    400: "The request is not one of this server, or asks for what does not exist.",
    401: "The token is missing or wrong.",
    403: "A page of another site sent it.",
    404: "There is no such thing.",
    405: "The path has no such method.",
    408: "The body did not come in time.",
    413: "The body is larger than the server takes.",
    415: "The body is of a type that is not read here.",
    422: "The body is not what is asked for.",
    500: "ivpush failed.",
    503: "The server is busy, or the request took too long.",
}
_WORDS: dict[str, Sequence[str]] = {
    "coverage": ("true", "false"),
    "form": (*FORMS,),
    "show_text": ("true", "false"),
    "format": ("json", *TYPES.values()),
    "setting": get_args(Setting),
}
"""Parameters that take some words only."""
_OF_ALL = (400, 401, 403, 405, 500, 503)
_OF_BODIES = (408, 413, 415, 422)


@cache
def description() -> Schema:
    """The whole description."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "ivpush",
            "version": __version__,
            "summary": "Checks infusion and injection claims against the chart.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "paths": _paths(),
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        # The first, empty one: a server that only this machine can call needs no token.
        "security": [{}, {"token": []}],
    }


def _paths() -> Schema:
    return {
        "/healthz": {"get": _operation("Says that the server answers.", _any_json())},
        "/metrics": {
            "get": _operation("Counts for Prometheus.", {"text/plain": {"schema": _TEXT}})
        },
        **_checks(),
        **_catalogue(),
        **_of_others(),
    }


def _checks() -> Schema:
    """What takes encounters."""
    encounter, result = _ref("Encounter"), _ref("Result")
    body = {JSON: {"schema": encounter}, **{type_: {"schema": _TEXT} for type_ in TYPES}}
    check = _operation(
        "One encounter checked; of FHIR, X12, HL7 and tables all that the body holds.",
        {JSON: {"schema": {"anyOf": [result, _ref("Checked")]}}},
        asks=(*GIVEN, "coverage", "map"),
        body=body,
    )
    batch = _operation(
        "An encounter a line checked: a result, or why there is none, a line.",
        {NDJSON: {"schema": _TEXT}},
        asks=(*GIVEN, "coverage"),
        body={NDJSON: {"schema": _TEXT}},
    )
    convert = _operation(
        "What a body holds, as encounters of our own JSON.",
        {JSON: {"schema": _ref("Converted")}},
        asks=("setting", "timezone", "map", "format"),
        body={**body, ANY: {"schema": {"type": "string", "format": "binary"}}},
    )
    why_not = _operation(
        "Why a code was not suggested: the condition that fails, and on which fact.",
        {JSON: {"schema": _ref("WhyNot")}},
        asks=(*GIVEN, "code"),
        body={JSON: {"schema": encounter}},
    )
    timeline = _operation(
        "The encounter drawn against the clock.",
        {type_: {"schema": _TEXT} for type_ in FORMS.values()},
        asks=(*GIVEN, "form", "show_text"),
        body={JSON: {"schema": encounter}},
    )
    return {
        "/v1/timeline": {"post": timeline},
        "/v1/check": {"post": check},
        "/v1/check-batch": {"post": batch},
        "/v1/convert": {"post": convert},
        "/v1/why-not": {"post": why_not},
    }


def _catalogue() -> Schema:
    """What the pack says, without an encounter."""
    rule = _operation("A rule with sources and cases.", _any_json(), more=(404,))
    rule_id = {"name": "id", "in": "path", "required": True, "schema": _TEXT}
    return {
        "/v1/rules": {"get": _operation("The rules.", _any_json())},
        "/v1/rules/{id}": {"get": rule, "parameters": [rule_id]},
        "/v1/payers": {"get": _operation("The payers' overlays.", _any_json())},
        "/v1/policies": {"get": _operation("The policies.", _any_json())},
        "/v1/maps": {"get": _operation("The shipped column maps.", _any_json())},
        "/v1/examples": {"get": _operation("Encounters to try.", _any_json())},
        "/v1/codes": {"get": _operation("The codes of drug administration.", _any_json())},
    }


def _of_others() -> Schema:
    """What other standards ask for."""
    resource: Schema = {"schema": {"type": "object"}}
    validate = _operation(
        "Resources checked; the findings as an OperationOutcome.",
        {FHIR: resource},
        asks=GIVEN,
        body={FHIR: resource, JSON: resource},
    )
    cards = _operation(
        "Cards of CDS Hooks.", _any_json(), asks=GIVEN, body={JSON: {"schema": _call()}}
    )
    return {
        "/fhir/$validate": {"post": validate},
        "/fhir/Bundle/$validate": {"post": validate},
        "/cds-services": {"get": _operation("What CDS Hooks are offered.", _any_json())},
        f"/cds-services/{cds.SERVICE}": {"post": cards},
    }


def _operation(
    summary: str,
    answer: Schema,
    *,
    asks: tuple[str, ...] = (),
    body: Schema | None = None,
    more: tuple[int, ...] = (),
) -> Schema:
    statuses = [*_OF_ALL, *more, *(_OF_BODIES if body is not None else ())]
    operation: Schema = {
        "summary": summary,
        "parameters": [_parameter(name) for name in asks],
        "responses": {
            str(int(HTTPStatus.OK)): {"description": "The answer.", "content": answer},
            **{str(status): _refused(status) for status in sorted(statuses)},
        },
    }
    if body is not None:
        operation["requestBody"] = {"required": True, "content": body}
    return operation


def _parameter(name: str) -> Schema:
    schema: Schema = {"type": "array", "items": _TEXT} if name == "policy" else _TEXT
    if name in _WORDS:
        schema = {"type": "string", "enum": [*_WORDS[name]]}
    parameter: Schema = {"required": True} if name == "code" else {}
    return {
        **parameter,
        "name": name,
        "in": "query",
        "description": PARAMETERS[name],
        "schema": schema,
    }


def _refused(status: int) -> Schema:
    return {"description": _SAID[status], "content": {MEDIA_TYPE: {"schema": _ref("Problem")}}}


def _any_json() -> Schema:
    return {JSON: {"schema": {"type": "object"}}}


def _call() -> Schema:
    return {
        "type": "object",
        "required": ["hook", "prefetch"],
        "properties": {"hook": {"const": cds.HOOK}, "prefetch": {"type": "object"}},
    }


def _listed(*names: str) -> Schema:
    """A list of objects of texts."""
    properties = dict.fromkeys(names, _TEXT)
    items = {"type": "object", "required": [*names], "properties": properties}
    return {"type": "array", "items": items}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _schemas() -> Schema:
    schemas: Schema = {"Problem": _PROBLEM}
    why_not = why_not_adapter().json_schema(by_alias=True, mode="serialization")
    models = {"Encounter": encounter_schema(), "Result": result_schema(), "WhyNot": why_not}
    for name, schema in models.items():
        schemas |= {key: _lifted(part) for key, part in schema.get("$defs", {}).items()}
        own = {key: part for key, part in schema.items() if key not in {"$defs", "$schema"}}
        schemas[name] = _lifted(own)
    for name, documents in (("Checked", "results"), ("Converted", "encounters")):
        kind = "Result" if documents == "results" else "Encounter"
        schemas[name] = {
            "type": "object",
            "required": [documents, "set_aside", "notes"],
            "properties": {
                documents: {"type": "array", "items": _ref(kind)},
                "set_aside": _listed("place", "reason"),
                "notes": _listed("place", "message"),
            },
        }
    return schemas


def _lifted(schema: Any) -> Any:
    """A schema whose references lead to the components of the description."""
    if isinstance(schema, list):
        return [_lifted(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    lifted = {key: _lifted(part) for key, part in schema.items()}
    if isinstance(lifted.get("$ref"), str):
        lifted["$ref"] = lifted["$ref"].replace("#/$defs/", "#/components/schemas/")
    return lifted
