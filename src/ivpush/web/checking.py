"""``POST /v1/check``, ``/v1/convert`` and ``/v1/why-not``: one body in, one answer out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http import HTTPStatus
from itertools import islice
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from ivpush.engine import Engine, Worked
from ivpush.errors import Fault, InputError, attempt
from ivpush.readers import Note, Reading, Record, SetAside
from ivpush.web.asked import GIVEN, Asked, asked_of
from ivpush.web.problems import RefusedError
from ivpush.web.reading import JSON, encounter_of, format_of, is_single, readings
from ivpush.web.service import Service, service_of
from ivpush.writers.why_not import why_not as explained
from ivpush.writers.why_not import why_not_adapter

if TYPE_CHECKING:
    from starlette.requests import Request

    from ivpush.contract.encounter import Encounter

__all__ = ["check", "convert", "judged", "records_of", "why_not", "worked"]

_CHECK = frozenset({*GIVEN, "coverage", "map"})
_WHY_NOT = frozenset({*GIVEN, "code"})
_CONVERT = frozenset({"setting", "timezone", "map", "format"})


async def check(request: Request) -> Response:
    """One encounter of JSON: its result; a body of another format: those of all it holds."""
    service, asked = service_of(request), asked_of(request, _CHECK)
    format_ = format_of(request, given=None, anything=False)
    raw = await request.body()
    answer = await service.run(_checked, raw, format_, asked, service)
    return Response(answer, media_type=JSON)


async def convert(request: Request) -> Response:
    """The encounters of a body as our own JSON, as they were understood."""
    service, asked = service_of(request), asked_of(request, _CONVERT)
    format_ = format_of(request, given=asked.format, anything=True)
    raw = await request.body()
    answer = await service.run(_converted, raw, format_, asked, service)
    return Response(answer, media_type=JSON)


async def why_not(request: Request) -> Response:
    """Why a code was not suggested for an encounter of JSON."""
    service, asked = service_of(request), asked_of(request, _WHY_NOT)
    if asked.code not in service.pack.codes:
        remedy = "GET /v1/codes lists them"
        fault = Fault("code", "is no code of this pack", remedy)
        raise RefusedError(HTTPStatus.BAD_REQUEST, fault)
    format_of(request, given=None, anything=False)
    raw = await request.body()
    return Response(await service.run(_answered, raw, asked.code, asked), media_type=JSON)


def _answered(raw: bytes, code: str, asked: Asked) -> bytes:
    answer = explained(asked.engine, encounter_of(raw, asked.read).encounter, code)
    return why_not_adapter().dump_json(answer, by_alias=True)


def worked(encounter: Encounter, engine: Engine, service: Service, *, coverage: bool) -> Worked:
    """What an engine makes of an encounter, without rules that are silent here, and counted."""
    work = engine.work(encounter)
    work.tell(service.settings.engine.silent, coverage=coverage)
    service.metrics.result(work.result)
    return work


def judged(record: Record, asked: Asked, service: Service) -> Worked | SetAside:
    """What came of a record; where ivpush fails on it, it is set aside."""
    work = attempt(worked, record.encounter, asked.engine, service, coverage=asked.coverage)
    return SetAside(record.place, work) if isinstance(work, InputError) else work


def _checked(raw: bytes, format_: str | None, asked: Asked, service: Service) -> bytes:
    if is_single(raw, format_):
        record = encounter_of(raw, asked.read)
        work = worked(record.encounter, asked.engine, service, coverage=asked.coverage)
        return work.result.to_json()
    results: list[bytes] = []
    aside: list[SetAside] = []
    notes: list[Note] = []
    for reading in records_of(raw, format_, asked, service):
        outcome = judged(reading, asked, service) if isinstance(reading, Record) else reading
        if isinstance(outcome, Worked):
            results.append(outcome.result.to_json())
        elif isinstance(outcome, SetAside):
            aside.append(outcome)
        else:
            notes.append(outcome)
    service.metrics.add("ivpush_set_aside_total", len(aside))
    return _gathered("results", results, aside, notes)


def _converted(raw: bytes, format_: str | None, asked: Asked, service: Service) -> bytes:
    encounters: list[bytes] = []
    aside: list[SetAside] = []
    notes: list[Note] = []
    for reading in records_of(raw, format_, asked, service):
        if isinstance(reading, Record):
            encounters.append(reading.encounter.model_dump_json(exclude_none=True).encode())
        elif isinstance(reading, SetAside):
            aside.append(reading)
        else:
            notes.append(reading)
    return _gathered("encounters", encounters, aside, notes)


def records_of(
    raw: bytes, format_: str | None, asked: Asked, service: Service
) -> Iterator[Reading]:
    """What a body holds; raises RefusedError past the most that one request may hold."""
    limits = service.settings.limits
    most, every = limits.records, readings(raw, asked.read, format_, limits)
    yield from islice(every, most)
    if next(every, None) is not None:
        fault = Fault("the body", f"holds more than {most:,} records", "split it")
        raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, fault)


def _gathered(name: str, documents: list[bytes], aside: list[SetAside], notes: list[Note]) -> bytes:
    """Documents that are JSON already, with what was set aside and what a reader said."""
    rest: dict[str, Any] = {
        "set_aside": [{"place": each.place, "reason": each.error.one_line} for each in aside],
        "notes": [{"place": each.place, "message": each.message} for each in notes],
    }
    # Joined as they stand, so that a result has the same bytes here as anywhere.
    listed = b",".join(documents)
    return b'{"%s":[%s],%s' % (name.encode(), listed, json.dumps(rest)[1:].encode())
