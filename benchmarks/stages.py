"""Where the time of a check goes: each stage alone, over the validation of the same visit.

An older checkout is measured by its own copy of this module, in turn with this one.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

from benchmarks.measure import Row, Size, best, summed
from benchmarks.sample import Visit, ready
from ivpush import Encounter, Engine
from ivpush.claim import findings
from ivpush.claim.facts import encounter_facts, suggestion_facts
from ivpush.claim.lines import line_facts
from ivpush.claim.matching import match
from ivpush.coding.derivation import derive
from ivpush.coding.questions import Asked
from ivpush.coding.suggestions import drafts_of, suggested_lines
from ivpush.readers.json import record
from ivpush.testing.samples import lines


def rows(size: Size) -> Iterator[Row | str]:
    """The stages of one clean visit; then reading, checking and asking on realistic ones."""
    engine = Engine()
    raw, encounter = ready(engine, 6)
    calls = stages(engine, raw, encounter)
    seconds = best(calls, rounds=size.of(40, 120))
    for name, taken in seconds.items():
        if name != "validation":
            yield Row(
                f"a clean visit: {name} / validation",
                taken / seconds["validation"],
                detail=f"{taken * 1e6:,.0f} us",
            )
    yield f"a clean visit: {counted(engine, encounter)}"
    yield from realistic(engine, size)


def stages(engine: Engine, raw: bytes, encounter: Encounter) -> dict[str, Any]:
    """Each stage as a call, on what the stages before it gave."""
    work = engine.work(encounter)
    book, billed = work.book, work.facts.lines or ()
    judged = findings.Judged(work.facts, work.findings, book)

    def compared() -> Any:
        matching = match(billed, work.drafts, work.derived)
        return suggestion_facts(work.coded, matching, book)

    return {
        "validation": lambda: Encounter.model_validate_json(raw),
        "services and roles": lambda: derive(encounter, book, work.standing),
        "drafts": lambda: drafts_of(work.derived, encounter, book),
        "reasons of suggested lines": lambda: suggested_lines(work.drafts, book),
        "lines and drug lines": lambda: line_facts(work.coded, book),
        "comparison with the claim": compared,
        "facts of the whole": lambda: encounter_facts(
            work.coded,
            lines=billed,
            suggestions=work.facts.suggestions,
            asked=Asked(),
            book=book,
        ),
        "rules": lambda: findings.run(work.facts, book),
        "violations": lambda: findings.worded(
            judged.heard(), work.facts, work.result.corrected
        ).violations(),
        "result to JSON": work.result.to_json,
        "the whole check": lambda: engine.check(encounter),
    }


def counted(engine: Engine, encounter: Encounter) -> str:
    """Bytecodes and calls of one check."""
    seen = {"call": 0, "opcode": 0}

    def trace(frame: FrameType, event: str, _arg: Any) -> Any:
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        if event in seen:
            seen[event] += 1
        return trace

    sys.settrace(trace)
    try:
        engine.check(encounter)
    finally:
        sys.settrace(None)
    return f"{seen['opcode']:,} bytecodes in {seen['call']:,} calls of Python functions"


def realistic(engine: Engine, size: Size) -> Iterator[Row]:
    """Realistic visits: reading a line of NDJSON, checking, and what a missing stop costs."""
    count = size.of(150, 600)
    visits = [
        Visit(raw, Encounter.model_validate_json(raw)) for raw in lines(1, count, engine=engine)
    ]
    unstopped = [visit for visit in visits if asks_for_stop(engine, visit.encounter)]
    calls: dict[str, Callable[[Visit], Any]] = {
        "validation": lambda visit: Encounter.model_validate_json(visit.raw),
        "reading": lambda visit: record("line", visit.raw),
        "check": lambda visit: engine.check(visit.encounter),
    }
    seconds = summed(calls, visits, size.of(5, 9))
    for name, what in (("reading", "reading a line of NDJSON"), ("check", "a ready check")):
        yield Row(
            f"{count} realistic visits: {what} / validation",
            seconds[name] / seconds["validation"],
            detail=f"{seconds[name] / count * 1e6:,.0f} us",
        )
    asked = summed(calls, unstopped, size.of(5, 9))
    yield Row(
        f"those {len(unstopped)} with a missing stop: a ready check / validation",
        asked["check"] / asked["validation"],
        detail=f"{asked['check'] / len(unstopped) * 1e6:,.0f} us; "
        f"{derivations(engine, unstopped):.0f} derivations of the chart each",
    )


def asks_for_stop(engine: Engine, encounter: Encounter) -> bool:
    """Whether a check asks when an infusion stopped."""
    questions = engine.check(encounter).questions
    return any(question.missing.endswith(".stop") for question in questions)


def derivations(engine: Engine, visits: list[Visit]) -> float:
    """How often a check derives the chart, on average."""
    calls = 0

    def count(frame: FrameType, event: str, _arg: Any) -> None:
        nonlocal calls
        calls += event == "call" and frame.f_code is derive.__code__

    sys.setprofile(count)
    try:
        for visit in visits:
            engine.check(visit.encounter)
    finally:
        sys.setprofile(None)
    return calls / len(visits)
