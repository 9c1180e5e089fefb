"""The shipped rules in zen-engine and in Rust CEL, on the same facts of one visit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks import foreign
from benchmarks.measure import Row, Size, best
from benchmarks.sample import ready
from ivpush import Engine
from ivpush.claim import findings
from ivpush.engine import Worked


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
        work = engine.work(ready(engine, 6, wrong=wrong)[1])
        calls: dict[str, Any] = {"ours": lambda work=work: findings.run(work.facts, work.book)}
        skipped = {}
        for other, (cel, _, compiled) in makers.items():
            made = foreign.programs(work, compiled, cel=cel)
            agree(work, made, other)
            skipped[other] = len(made["skipped"])
            calls[other] = lambda made=made: foreign.run_all(made)
        found = best(calls, rounds=size.of(30, 120))
        for other, (_, target, _) in makers.items():
            yield Row(
                f"{name}: {other} / ours",
                found[other] / found["ours"],
                target,
                f"{found[other] * 1e6:,.0f} us, ours {found['ours'] * 1e6:,.0f}; without "
                f"{skipped[other]} rule(s) that it cannot say",
            )


def in_zen() -> Any:
    """What turns a text of zen-engine into a program."""
    import zen

    return lambda text: zen.compile_expression(text).evaluate


def in_cel() -> Any:
    """What turns a text of CEL into a program."""
    import cel

    return lambda text: cel.compile(text).execute


def agree(work: Worked, made: dict[str, Any], other: str) -> None:
    """Stop where the engines differ: a fast wrong answer is worth nothing."""
    ours = {
        (rule.id, id(subject))
        for rule, subject in work.found.broken
        if rule.id not in made["skipped"]
    }
    theirs = foreign.verdicts(made)
    if ours != theirs:
        raise SystemExit(f"{other} disagrees on {sorted({one for one, _ in ours ^ theirs})}")
