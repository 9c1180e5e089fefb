"""Small visits for tests of one law each: administrations, a check, and what it bills.

    result = check(drip("a", "10:00", "11:31"), push("b", "12:00"), policies={"long_push": "infusion"})
    assert billed(result) == [("96365", 1), ("96366", 1), ("96375", 1)]

Every drug states its class and its access, so that nothing is asked but what a test leaves out.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from ivpush import Encounter, Engine, Result
from ivpush.contract.result import Equals, Question, SuggestedLine
from ivpush.engine import Worked
from tests.shipped import PACK

DAY, NEXT_DAY = "2026-03-02", "2026-03-03"


def dose(key: str, start: str | None, stop: str | None, **facts: Any) -> dict[str, Any]:
    """One administration; a time without a date is one of DAY, and None is left out."""
    record = {
        "id": key,
        "drug": f"drug {key}",
        "category": "therapeutic",
        "route": "IV",
        "site": "left arm",
        "start": start and (start if "T" in start else f"{DAY}T{start}"),
        "stop": stop and (stop if "T" in stop else f"{DAY}T{stop}"),
        **facts,
    }
    return {name: value for name, value in record.items() if value is not None}


def push(
    key: str, start: str | None = None, stop: str | None = None, **facts: Any
) -> dict[str, Any]:
    """An IV push of a drug of its own; without a stop it has no minutes."""
    return dose(key, start, stop, **{"method": "push", **facts})


def drip(
    key: str, start: str | None = None, stop: str | None = None, **facts: Any
) -> dict[str, Any]:
    """An infusion of a drug of its own."""
    return dose(key, start, stop, **{"method": "infusion", **facts})


def fluid(
    key: str, start: str | None = None, stop: str | None = None, **facts: Any
) -> dict[str, Any]:
    """Hydration."""
    return drip(key, start, stop, **{"drug": "saline", "category": "hydration", **facts})


def line(number: int, code: str, units: int = 1, **facts: Any) -> dict[str, Any]:
    """A claim line."""
    return {"number": number, "code": code, "units": units, **facts}


def visit(*administrations: dict[str, Any], **facts: Any) -> Encounter:
    """A hospital's visit, or an office's where ``setting="professional"``."""
    office = facts.get("setting") == "professional"
    form = {"place_of_service": "11"} if office else {"type_of_bill": "131"}
    record = {"id": "E1", "setting": "facility", "date": DAY, **form, **facts}
    return Encounter.model_validate({**record, "administrations": list(administrations)})


@lru_cache
def _engine(payer: str | None, policies: tuple[tuple[str, Any], ...]) -> Engine:
    return Engine(payer, policies=dict(policies), pack=PACK)


def work(
    *administrations: dict[str, Any], policies: dict[str, Any] | None = None, **facts: Any
) -> Worked:
    """A visit worked through under some policies, with what the engine derived."""
    engine = _engine(None, tuple((policies or {}).items()))
    return engine.work(visit(*administrations, **facts))


def check(
    *administrations: dict[str, Any], policies: dict[str, Any] | None = None, **facts: Any
) -> Result:
    """The result of a visit under some policies."""
    return work(*administrations, policies=policies, **facts).result


def billed(suggested: Result | tuple[SuggestedLine, ...]) -> list[tuple[str, int]]:
    """Codes with their units, a modifier behind its code, as suggested or as an answer bills."""
    lines = suggested.suggested if isinstance(suggested, Result) else suggested
    return [("-".join((line.code, *line.modifiers)), line.units) for line in lines]


def dated(result: Result) -> list[tuple[str, int, str]]:
    """Codes with their units and dates, as suggested."""
    return [(line.code, line.units, str(line.date)) for line in result.suggested]


def asked(result: Result) -> list[str]:
    """The facts that a result asks for."""
    return [question.missing for question in result.questions]


def question(result: Result, missing: str) -> Question:
    """The one question about a fact."""
    (about,) = [question for question in result.questions if question.missing == missing]
    return about


def answers(result: Result, missing: str) -> dict[Any, list[tuple[str, int]]]:
    """What each answer to a question about a plain fact bills."""
    return {
        answer.when.value: billed(answer.suggested)
        for answer in question(result, missing).answers
        if isinstance(answer.when, Equals)
    }


def reasons(result: Result) -> dict[str, str]:
    """Why each administration earns nothing, by its id."""
    return {entry.administration: entry.because for entry in result.not_billable}
