"""What a request asks beside its body: payer, policies, setting, zone, format, coverage, code.

Endpoints read their query by ``asked_of``, which refuses what none of them knows.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

from ivpush.errors import Fault, UsageError, did_you_mean
from ivpush.readers import ReadOptions
from ivpush.web.problems import RefusedError
from ivpush.web.service import service_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from ivpush.engine import Engine

__all__ = ["GIVEN", "PARAMETERS", "Asked", "asked_of"]

PARAMETERS = {
    "payer": "Overlay of encounters that name no payer; `GET /v1/payers` lists them.",
    "policy": "`NAME=VALUE`, may be repeated; `GET /v1/policies` lists them.",
    "setting": "`facility` or `professional`, for records that state none.",
    "timezone": "IANA zone of times without an offset.",
    "coverage": "`true`: the result says against what it was checked.",
    "map": "Column map of a table, by the name of a shipped one.",
    "format": "Format of the body, where its type does not say.",
    "code": "The code that was not suggested.",
    "form": "`svg`, a whole picture; or `part`, to be shown in a page.",
    "show_text": "`true`: with the chart's own words, such as names of drugs.",
}
"""Parameters of queries, with what each says."""
GIVEN = ("payer", "policy", "setting", "timezone")
"""Those of whatever checks a record."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A query that was understood."""

    engine: Engine
    read: ReadOptions
    coverage: bool
    show_text: bool
    format: str | None
    code: str | None


def asked_of(request: Request, known: frozenset[str]) -> Asked:
    """The query of a request; raises RefusedError where it does not fit, and repeats none of it."""
    query = request.query_params
    for name in query:
        if name not in known:
            fault = Fault("query", "holds a parameter that is unknown", did_you_mean(name, known))
            raise RefusedError(HTTPStatus.BAD_REQUEST, fault)
    for name in known - {"policy"}:
        if len(query.getlist(name)) > 1:
            raise RefusedError(HTTPStatus.BAD_REQUEST, Fault(name, "is repeated", "write it once"))
    return Asked(
        engine=_engine(request),
        read=_read(request),
        coverage=_flag(request, "coverage"),
        show_text=_flag(request, "show_text"),
        format=query.get("format"),
        code=query.get("code"),
    )


def _flag(request: Request, name: str) -> bool:
    value = request.query_params.get(name, "false")
    if value not in {"true", "false"}:
        fault = Fault(name, "is neither true nor false", "write true or false")
        raise RefusedError(HTTPStatus.BAD_REQUEST, fault)
    return value == "true"


def _engine(request: Request) -> Engine:
    service, query = service_of(request), request.query_params
    payer, policies = query.get("payer"), {}
    for text in query.getlist("policy"):
        name, _, policies[name] = text.partition("=")
        if name not in service.pack.policies:
            remedy = did_you_mean(name, service.pack.policies)
            raise RefusedError(HTTPStatus.BAD_REQUEST, Fault("policy", "is no policy", remedy))
    try:
        return service.engine(payer, policies)
    except UsageError as error:
        # The words of an error of ours may repeat the caller's; the place and remedy do not.
        faults = [
            Fault(fault.place, "is not among its values", fault.remedy) for fault in error.faults
        ]
        raise RefusedError(HTTPStatus.BAD_REQUEST, faults) from None


def _read(request: Request) -> ReadOptions:
    query = request.query_params
    map_ = query.get("map")
    if map_ is not None:
        from ivpush.readers.tables.maps import load_map, map_names  # noqa: PLC0415

        # Only by name: a path would let a caller read the files of this machine.
        if map_ not in map_names():
            remedy = did_you_mean(map_, map_names())
            raise RefusedError(HTTPStatus.BAD_REQUEST, Fault("map", "is no shipped map", remedy))
        load_map(map_)
    return ReadOptions(timezone=query.get("timezone"), setting=query.get("setting"), map=map_)
