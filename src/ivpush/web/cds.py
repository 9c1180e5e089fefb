"""CDS Hooks 2.0: ``GET /cds-services`` says what is offered, ``POST`` gives cards.

The hook is encounter-discharge: the chart is then whole, and the claim is not yet sent. The caller
sends what the prefetch templates name; nothing is fetched from its FHIR server.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response

from ivpush.engine import Worked
from ivpush.errors import Fault
from ivpush.readers import Record
from ivpush.web.asked import GIVEN, Asked, asked_of
from ivpush.web.checking import judged, records_of
from ivpush.web.problems import RefusedError
from ivpush.web.reading import JSON, require_type
from ivpush.web.service import Service, service_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from ivpush.contract.result import Question, Result, Violation

__all__ = ["HOOK", "SERVICE", "cards", "discover"]

HOOK = "encounter-discharge"
SERVICE = "ivpush"
_CARDS = frozenset(GIVEN)
_INDICATORS = {"error": "critical", "warning": "warning", "info": "info"}
_MOST_SUMMARY = 139
"""Signs of a summary: CDS Hooks asks for fewer than 140."""
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|&~])")
_PREFETCH = {
    "encounter": "Encounter/{{context.encounterId}}",
    "administrations": (
        "MedicationAdministration?context=Encounter/{{context.encounterId}}"
        "&_include=MedicationAdministration:medication"
    ),
    "claims": "Claim?encounter=Encounter/{{context.encounterId}}",
}


async def discover(request: Request) -> Response:
    """The services that are offered, with what a caller should send along."""
    asked_of(request, frozenset())
    service = {
        "hook": HOOK,
        "id": SERVICE,
        "title": "Infusion and injection coding",
        "description": "What the chart supports, what a claim gets wrong, and what is open.",
        "prefetch": _PREFETCH,
    }
    return JSONResponse({"services": [service]})


async def cards(request: Request) -> Response:
    """A card for each finding and open question of the encounter that is being ended."""
    service, asked = service_of(request), asked_of(request, _CARDS)
    require_type(request, {JSON}, f"send {JSON}")
    raw = await request.body()
    return JSONResponse({"cards": await service.run(_cards, raw, asked, service)})


def _cards(raw: bytes, asked: Asked, service: Service) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = []
    for reading in records_of(_bundle(raw), "fhir", asked, service):
        if isinstance(reading, Record):
            work = judged(reading, asked, service)
            if isinstance(work, Worked):
                listed += _of_result(work.result)
    return listed


def _bundle(raw: bytes) -> bytes:
    """The resources of a call's prefetch as one Bundle; raises RefusedError where it has none."""
    try:
        call = json.loads(raw)
    except (ValueError, RecursionError):
        raise _unfit("the body", "is no JSON") from None
    if not isinstance(call, Mapping) or call.get("hook") != HOOK:
        raise _unfit("hook", f"is not {HOOK}")
    prefetch = call.get("prefetch")
    if not isinstance(prefetch, Mapping):
        raise _unfit("prefetch", "is missing")
    entries = [entry for given in prefetch.values() for entry in _entries(given)]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}).encode()


def _unfit(place: str, what: str) -> RefusedError:
    fault = Fault(place, what, "send what GET /cds-services asks for")
    return RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, fault)


def _entries(given: Any) -> Iterator[dict[str, Any]]:
    """A resource, or those of the searchset that a query gave; null: there was none."""
    if isinstance(given, Mapping) and given.get("resourceType") == "Bundle":
        entries = given.get("entry")
        for entry in entries if isinstance(entries, list) else ():
            yield entry if isinstance(entry, dict) else {"resource": entry}
    elif given is not None:
        yield {"resource": given}


def _of_result(result: Result) -> Iterator[dict[str, Any]]:
    for violation in result.violations:
        yield _card(result, _of_violation(violation))
    for question in result.questions:
        yield _card(result, _of_question(question))


def _of_violation(violation: Violation) -> dict[str, Any]:
    return {
        "uuid": violation.fingerprint,
        "summary": violation.message,
        "detail": f"{_plain(violation.message)}\n\n**{_plain(violation.fix)}**",
        "indicator": _INDICATORS[violation.severity],
        "topic": {"code": violation.rule, "display": violation.name},
    }


def _of_question(question: Question) -> dict[str, Any]:
    answers = [
        f"- {', '.join(_plain(f'{line.code} x {line.units}') for line in each.suggested) or 'none'}"
        for each in question.answers
    ]
    return {
        "uuid": question.missing,
        "summary": question.ask,
        "detail": "\n".join([_plain(question.ask), "", "What each answer bills:", "", *answers]),
        "indicator": "warning",
        "topic": {"code": question.missing, "display": "open question"},
    }


def _card(result: Result, stated: dict[str, Any]) -> dict[str, Any]:
    summary, topic = stated["summary"], stated["topic"]
    # The same card of the same encounter has the same id, so that it is not shown twice.
    named = uuid.uuid5(uuid.NAMESPACE_URL, f"urn:ivpush:{result.encounter}:{stated['uuid']}")
    return {
        "uuid": str(named),
        "summary": summary if len(summary) <= _MOST_SUMMARY else f"{summary[: _MOST_SUMMARY - 1]}…",
        "detail": stated["detail"],
        "indicator": stated["indicator"],
        "source": {
            "label": f"ivpush {result.ivpush}",
            "topic": {"system": "urn:ivpush:rule", **topic},
        },
    }


def _plain(text: str) -> str:
    """A text whose signs mean nothing to Markdown."""
    return _MARKDOWN.sub(r"\\\1", text)
