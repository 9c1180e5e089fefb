"""The shipped rules in zen-engine and in Rust CEL, on the same facts of one visit."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from benchmarks import foreign
from benchmarks.measure import Row, Size, best
from benchmarks.sample import ready
from ivpush import Engine
from ivpush.claim import findings
from ivpush.engine import Worked
from ivpush.plural import counted


def rows(size: Size) -> Iterator[Row | str]:
    """The other engine's time over ours, its verdicts compared first."""
    makers = {}
    for name, cel, target, maker in (
        ("zen-engine", False, "at least 10", in_zen),
        ("Rust CEL", True, "at least 40", in_cel),
    ):
        try:
            makers[name] = (cel, target, maker())
        except ImportError:
            yield f"{name} is not installed; the extra 'bench' has it"
    engine = Engine()
    for name, wrong in (("a clean visit", False), ("a visit with errors", True)):
        work = engine.work(ready(engine, 6, wrong=wrong).encounter)
        calls: dict[str, Any] = {"ours": partial(findings.run, work.facts, work.book)}
        skipped = {}
        for other, (cel, _, compiled) in makers.items():
            programs = foreign.programs(work, compiled, cel=cel)
            agree(work, programs, other)
            skipped[other] = len(programs.skipped)
            calls[other] = partial(foreign.run_all, programs)
        seconds = best(calls, rounds=size.of(30, 120))
        for other, (_, target, _) in makers.items():
            yield Row(
                f"{name}: {other} / ours",
                seconds[other] / seconds["ours"],
                wanted=target,
                detail=f"{seconds[other] * 1e6:,.0f} us, ours {seconds['ours'] * 1e6:,.0f}; without "
                f"{counted(skipped[other], 'rule')} that it cannot say",
            )


def in_zen() -> Any:
    """What turns a text of zen-engine into a program."""
    import zen

    return lambda text: zen.compile_expression(text).evaluate


def in_cel() -> Any:
    """What turns a text of CEL into a program."""
    import cel

    return lambda text: cel.compile(text).execute


def agree(work: Worked, programs: foreign.Programs, other: str) -> None:
    """Stop where the engines differ: a fast wrong answer is worth nothing."""
    ours = {
        (rule.id, id(subject))
        for rule, subject in work.findings.broken
        if rule.id not in programs.skipped
    }
    theirs = foreign.verdicts(programs)
    if ours != theirs:
        raise SystemExit(f"{other} disagrees on {sorted({rule for rule, _ in ours ^ theirs})}")
