"""Where the time of a check goes: each stage alone, over the validation of the same visit.

It uses nothing newer than the stages themselves, so an older checkout can be measured by the same
code: ``PYTHONPATH=OLD/src:. python -m benchmarks --only stages``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any

import ivpush.engine
from benchmarks.measure import Row, Size, best, summed
from benchmarks.sample import ready
from ivpush import Encounter, Engine
from ivpush.claim import findings
from ivpush.claim.facts import encounter_facts, suggestion_facts
from ivpush.claim.lines import line_facts
from ivpush.claim.matching import match
from ivpush.coding.derivation import derive
from ivpush.coding.suggestions import drafts_of, suggested_lines
from ivpush.readers.json import record
from ivpush.testing.samples import lines


def rows(size: Size) -> Iterator[Row | str]:
    """The stages of one clean visit; then reading, checking and asking on realistic ones."""
    engine = Engine()
    raw, encounter = ready(engine, 6)
    calls = stages(engine, raw, encounter)
    found = best(calls, rounds=size.of(40, 120))
    for name, taken in found.items():
        if name != "validation":
            yield Row(
                f"a clean visit: {name} / validation",
                taken / found["validation"],
                detail=f"{taken * 1e6:,.0f} us",
            )
    yield f"a clean visit: {counted(engine, encounter)}"
    yield from realistic(engine, size)


def stages(engine: Engine, raw: bytes, encounter: Encounter) -> dict[str, Any]:
    """Each stage as a call, on what the stages before it gave."""
    done = engine.work(encounter)
    book, billed = done.book, done.facts.lines or ()

    def matching() -> Any:
        for line in billed:
            line.open_units = line.given.units
        made = match(list(billed), done.drafts, done.derived.facts)
        return suggestion_facts(done.drafts, made, encounter, book)

    return {
        "validation": lambda: Encounter.model_validate_json(raw),
        "services and roles": lambda: derive(encounter, book, None),
        "drafts": lambda: drafts_of(done.derived, encounter, book),
        "reasons of suggested lines": lambda: suggested_lines(done.drafts, book),
        "lines and drug lines": lambda: line_facts(encounter, book),
        "comparison with the claim": matching,
        "facts of the whole": lambda: encounter_facts(
            encounter, done.derived, list(billed), done.standing, book
        ),
        "rules": lambda: findings.run(done.facts, book),
        "violations": lambda: findings.violations(
            done.found, done.facts, book, done.result.corrected
        ),
        "result to JSON": done.result.to_json,
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
    raws = list(lines(1, count, engine=engine))
    both = [(raw, Encounter.model_validate_json(raw)) for raw in raws]
    open_ = [
        one
        for one in both
        if any(q.missing.endswith(".stop") for q in engine.check(one[1]).questions)
    ]
    calls = {
        "validation": lambda one: Encounter.model_validate_json(one[0]),
        "reading": lambda one: record("line", one[0]),
        "check": lambda one: engine.check(one[1]),
    }
    found = summed(calls, both, size.of(5, 9))
    for name, what in (("reading", "reading a line of NDJSON"), ("check", "a ready check")):
        yield Row(
            f"{count} realistic visits: {what} / validation",
            found[name] / found["validation"],
            detail=f"{found[name] / count * 1e6:,.0f} us",
        )
    asked = summed(calls, open_, size.of(5, 9))
    yield Row(
        f"those {len(open_)} with a missing stop: a ready check / validation",
        asked["check"] / asked["validation"],
        detail=f"{asked['check'] / len(open_) * 1e6:,.0f} us; {derivations(engine, open_):.0f} "
        "derivations of the chart each",
    )


def derivations(engine: Engine, both: list[tuple[bytes, Encounter]]) -> float:
    """How often a check derives the chart, on average."""
    module: Any = ivpush.engine
    plain, seen = module.derive, []

    def counting(*given: Any) -> Any:
        seen.append(None)
        return plain(*given)

    module.derive = counting
    try:
        for _, encounter in both:
            engine.check(encounter)
    finally:
        module.derive = plain
    return len(seen) / len(both)
