"""What ten times as many rules cost one claim: ``python -m benchmarks.rules_growth``.

Nine variants of every shipped rule are written as a pack of their own and stacked. On all codes, a
variant is judged wherever its rule is, with a condition of its own, and is so written that it adds
nothing to what is said of the claim: what grows is judging, not the report. On other codes, the
variants of the rules about lines are bound to codes that the claim does not bill, as many as before.
For comparison, verbatim copies: each finding is then said ten times.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from benchmarks.__main__ import ready
from benchmarks.measure import best, row
from ivpush import Encounter, Engine
from ivpush.pack import rules_folder
from ivpush.result import Result

TIMES = 10
Variant = Callable[[dict[str, Any], int], dict[str, Any] | None]


def shipped() -> list[tuple[str, dict[str, Any]]]:
    """The rules as they are written, with their rooms."""
    return [
        (file.parent.name, yaml.load(file.read_text("utf-8"), Loader=yaml.CBaseLoader))
        for file in sorted((rules_folder() / "checks").rglob("*.yaml"))
    ]


def written(
    folder: Path, rules: list[tuple[str, dict[str, Any]]], vary: Variant, wanted: int
) -> int:
    """Write variants, round after round, until there are as many as wanted."""
    made, ids = 0, dict.fromkeys((room for room, _ in rules), 0)
    while made < wanted:
        before = made
        for room, data in rules:
            if made == wanted or ids[room] > 999:
                continue
            number = f"{data['id'][:4]}{ids[room]:03d}"
            one = vary(dict(data), made)
            if one is None:
                continue
            ids[room] += 1
            made += 1
            one |= {"id": number, "name": f"{data['name']}-{made}"}
            path = folder / "checks" / room / f"{number}-{one['name']}.yaml"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(yaml.safe_dump(one, sort_keys=False), "utf-8")
        if made == before:
            break
    return made


def silent(result: Result) -> Variant:
    """Variants that are judged and say nothing of the claim of a result."""
    unsure = {one.rule for one in result.unjudged}

    def vary(data: dict[str, Any], number: int) -> dict[str, Any]:
        own = f"encounter.questions < {1_000 + number}"
        if data["id"] in unsure:
            whole = f"({data['when']}) and " if "when" in data else ""
            data["when"] = f"{whole}encounter.questions > {1_000 + number}"
        else:
            data["require"] = f"({data['require']}) or {own}"
        return data

    return vary


def elsewhere(billed: set[str], codes: list[str]) -> Variant:
    """Variants of rules about lines, for codes that the claim does not bill."""
    others = [code for code in codes if code not in billed]

    def vary(data: dict[str, Any], number: int) -> dict[str, Any] | None:
        if data["for_each"] != "line":
            return None
        return data | {
            "codes": [others[number % len(others)], others[(7 * number + 3) % len(others)]]
        }

    return vary


def said(result: Result) -> tuple[int, int]:
    """How much a result says: violations and rules unjudged."""
    return len(result.violations), len(result.unjudged)


def measured(claim: Encounter, base: Engine) -> None:
    """One claim under the shipped rules and under ten times as many."""
    plain = base.check(claim)
    rules = shipped()
    wanted = (TIMES - 1) * len(rules)
    billed = {line.code for line in claim.lines or ()}
    variants: dict[str, tuple[Variant, str]] = {
        "on all codes": (silent(plain), "at most 2"),
        "on other codes": (elsewhere(billed, sorted(base.pack.codes)), "at most 1.1"),
        "verbatim copies": (lambda data, _: data, "no target"),
    }
    engines = {"shipped": base}
    for name, (vary, _) in variants.items():
        with tempfile.TemporaryDirectory() as folder:
            made = written(Path(folder), rules, vary, wanted)
            if made != wanted:
                raise SystemExit(f"{name}: {made} variants, {wanted} wanted")
            engines[name] = Engine(packs=[folder])
        result = engines[name].check(claim)
        if name != "verbatim copies" and said(result) != said(plain):
            raise SystemExit(f"{name}: the variants say something of the claim")
        if (result.suggested, result.corrected) != (plain.suggested, plain.corrected):
            raise SystemExit(f"{name}: the variants change the answer")
    found = best({name: lambda engine=engine: engine.check(claim) for name, engine in engines.items()},
                 seconds=0.05)  # fmt: skip
    for name, (_, target) in variants.items():
        count = len(engines[name].pack.rules)
        row(f"{count} rules, {name} / {len(rules)} rules", found[name] / found["shipped"], target,
            f"{found[name] * 1e6:,.0f} us, says {said(engines[name].check(claim))}")  # fmt: skip


def main() -> None:
    """A clean claim and one with errors."""
    base = Engine()
    for name, wrong in (("a clean claim", False), ("a claim with errors", True)):
        print(f"\n{name}")
        measured(ready(base, 6, wrong=wrong)[1], base)


if __name__ == "__main__":
    main()
