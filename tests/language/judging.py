"""One visit with a claim, and what an expression about one of its lines is worth."""

from __future__ import annotations

from functools import cache
from typing import Any

from ivpush.engine import Worked
from ivpush.language.compiler import Compiled, compile_rule
from ivpush.language.evaluator import evaluate
from ivpush.language.parser import parse
from ivpush.language.vocabulary import Names
from tests.shipped import ENGINE, PACK
from tests.visits import DAY, drip, line, push, visit


@cache
def names() -> Names:
    """The vocabulary of the shipped rules."""
    return PACK.book(None, None).vocabulary


def claim() -> dict[str, Any]:
    """Three lines: a push, an infusion, and a drug that the chart does not hold."""
    return {
        "diagnoses": ["R11.2", "Z51.11"],
        "lines": [
            line(1, "96374", 2, modifiers=["59"], diagnosis_pointers=[1, 2], date=DAY),
            line(2, "96365"),
            line(3, "J1885"),
        ],
    }


@cache
def charted() -> Worked:
    """Three doses, of the last of which nobody stated the dose, the order or the stop."""
    chart = (
        push("a1", "10:00", dose=4, ordered=True),
        drip("a2", "11:00", "12:00", dose=5, ordered=False),
        drip("a3", "13:00"),
    )
    return ENGINE.work(visit(*chart, **claim()))


@cache
def claimed_alone() -> Worked:
    """The same claim without a chart."""
    return ENGINE.work(visit(**claim()).model_copy(update={"administrations": None}))


def env_of(number: int, work: Worked) -> dict[str, Any]:
    """What an expression about one line is judged by."""
    facts: Any = work.facts
    settled = {"policy": work.book.policy, "limits": work.book.limits}
    return {"encounter": facts, "subject": facts.lines[number - 1], **settled}


def rule_of(require: str, when: str | None = None) -> Compiled:
    """A rule about lines."""
    applies = None if when is None else parse(when, names(), "line")
    return compile_rule(applies, parse(require, names(), "line"), names(), "test")


def worth(text: str, number: int = 1, work: Worked | None = None) -> bool | None:
    """What the text is worth of one line; both forms must say the same."""
    env = env_of(number, work or charted())
    walked = evaluate(parse(text, names(), "line"), names(), env)
    assert walked is None or isinstance(walked, bool)
    assert rule_of(text).judge(*env.values()) == {True: 0, False: 1, None: 2}[walked]
    return walked


def lacking(
    text: str, number: int = 1, work: Worked | None = None, when: str | None = None
) -> list[str]:
    """The paths that a rule names where it cannot be judged."""
    return list(rule_of(text, when).missing(*env_of(number, work or charted()).values()))
