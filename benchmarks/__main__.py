"""Every figure in one run, as ratios: ``python -m benchmarks`` (extra: ``bench``)."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import yaml

from benchmarks import foreign
from benchmarks.measure import best, row
from benchmarks.sample import UNITS, billed, visit
from ivpush import Encounter, Engine, Pack, checks
from ivpush.engine import Worked
from ivpush.pack import rules_folder


def ready(engine: Engine, administrations: int, *, wrong: bool = False) -> tuple[bytes, Encounter]:
    """A visit billed as its chart supports (or with two errors), as bytes and as an encounter."""
    chart = visit(administrations)
    suggested = engine.check(Encounter.model_validate(chart)).suggested
    lines: list[dict[str, Any]] = [
        {"code": one.code, "units": one.units, "modifiers": list(one.modifiers)}
        for one in suggested
    ]
    given = Counter(one["hcpcs"] for one in chart["administrations"])
    lines += [{"code": hcpcs, "units": count * UNITS[hcpcs]} for hcpcs, count in given.items()]
    if wrong:
        lines[0]["units"] = 2
        lines.append({"code": "96368", "units": 1})
    raw = json.dumps(billed(chart, lines)).encode()
    return raw, Encounter.model_validate_json(raw)


def checking(engine: Engine) -> None:
    print("\ncheck, against model_validate_json of the same bytes")
    for name, wrong in (("a clean claim", False), ("a claim with errors", True)):
        raw, encounter = ready(engine, 6, wrong=wrong)
        found = best({
            "validate": lambda raw=raw: Encounter.model_validate_json(raw),
            "check": lambda encounter=encounter: engine.check(encounter).to_json(),
            "whole": lambda raw=raw: engine.check(Encounter.model_validate_json(raw)).to_json(),
        })  # fmt: skip
        row(f"{name}: ready encounter to result JSON", found["check"] / found["validate"], "at most 2",
            f"{1 / found['check']:,.0f}/s")  # fmt: skip
        row(f"{name}: bytes in to bytes out", found["whole"] / found["validate"], "at most 3",
            f"{1 / found['whole']:,.0f}/s")  # fmt: skip


def growth(engine: Engine) -> None:
    print("\ngrowth")
    small, large = ready(engine, 6)[1], ready(engine, 320)[1]
    found = best({"6": lambda: engine.check(small), "320": lambda: engine.check(large)})
    row(
        "cost per administration at 320 / at 6",
        found["320"] / 320 / (found["6"] / 6),
        "at most 1.5",
    )


def rules(engine: Engine) -> None:
    print("\nthe same rules on the same facts (verdicts compared first)")
    try:
        import cel
        import zen
    except ImportError:
        print("  install the extra 'bench' to compare with other engines")
        return

    def in_zen(text: str) -> foreign.Program:
        return zen.compile_expression(text).evaluate  # type: ignore[no-any-return]

    def in_cel(text: str) -> foreign.Program:
        return cel.compile(text).execute  # type: ignore[no-any-return]

    for name, wrong in (("a clean claim", False), ("a claim with errors", True)):
        work = engine.work(ready(engine, 6, wrong=wrong)[1])
        others = {"zen-engine": foreign.programs(work, in_zen, cel=False),
                  "Rust CEL": foreign.programs(work, in_cel, cel=True)}  # fmt: skip
        for other, made in others.items():
            agree(work, made, other)
        calls: dict[str, Any] = {"ours": lambda work=work: checks.run(work.facts, work.book)}
        for other, made in others.items():
            calls[other] = lambda made=made: foreign.run_all(made)
        found = best(calls)
        for other, target in (("zen-engine", "at least 10"), ("Rust CEL", "at least 40")):
            row(f"{name}: {other} / ours", found[other] / found["ours"], target,
                f"without {len(made['skipped'])} rule(s) that it cannot say")  # fmt: skip


def agree(work: Worked, made: dict[str, Any], other: str) -> None:
    """Stop where the engines differ: a fast wrong answer is worth nothing."""
    ours = {(rule.id, id(subject)) for rule, subject in work.found.broken
            if rule.id not in made["skipped"]}  # fmt: skip
    theirs = foreign.verdicts(made)
    if ours != theirs:
        sys.exit(f"{other} disagrees on {sorted({one for one, _ in ours ^ theirs})}")


def packs() -> None:
    print("\nloading the pack")
    folder = rules_folder()
    texts = [file.read_bytes() for file in sorted(folder.rglob("*.yaml"))]

    def c_reader() -> None:
        for text in texts:
            yaml.load(text, Loader=yaml.CBaseLoader)

    with tempfile.TemporaryDirectory() as cache:
        Pack.load(cache=Path(cache))
        found = best({"yaml": c_reader, "cold": Pack.load, "cached": lambda: Pack.load(cache=Path(cache))},
                     rounds=5, seconds=0.01)  # fmt: skip
    row("cold / C YAML reader on the same files", found["cold"] / found["yaml"], "at most 6")
    row(
        "cached / cold",
        found["cached"] / found["cold"],
        "below 1",
        f"{found['cached'] * 1e3:.0f} ms",
    )


def imports() -> None:
    print("\nimport, in processes of their own")

    def user_time(text: str) -> float:
        code = f"import time; a = time.process_time(); {text}; print(time.process_time() - a)"
        runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
                for _ in range(11)]  # fmt: skip
        return min(float(one.stdout) for one in runs)

    needed = user_time("import pydantic, yaml, dateutil.tz; pydantic.BaseModel")
    row("import ivpush / its dependencies", user_time("import ivpush") / needed, "at most 1.2")
    engine = user_time("import ivpush; ivpush.Engine, ivpush.Encounter")
    row("import ivpush with Engine and Encounter / its dependencies", engine / needed, "")


def main() -> None:
    """Run every section."""
    print(f"Python {sys.version.split()[0]}; ratios of one run, best of alternating rounds")
    engine = Engine()
    checking(engine)
    growth(engine)
    rules(engine)
    packs()
    imports()


if __name__ == "__main__":
    main()
