"""What few and many rules cost one claim: 10, those shipped, 1,000, and ten times those shipped.

The ten are taken evenly from the shipped ones. For more, variants of the shipped rules are
written as a pack of their own and stacked. On all codes, a variant is judged wherever its rule is,
with a condition of its own, and is so written that it adds nothing to what is said of the claim:
what grows is judging, not the report. On other codes, the variants of the rules about lines are
bound to codes that the claim does not bill. For comparison, verbatim copies: each finding is then
said ten times.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from benchmarks.measure import Row, Size, best
from benchmarks.sample import ready
from ivpush import Encounter, Engine, Pack
from ivpush.contract.result import Result
from ivpush.pack.folder import rules_folder

TIMES, MANY, FEW = 10, 1_000, 10
Variant = Callable[[dict[str, Any], int], dict[str, Any] | None]


class Growth(NamedTuple):
    """To how many rules the shipped ones grow, by which variants, and what that may cost."""

    name: str
    vary: Variant
    total: int
    target: str = ""


def rule_files(folder: Path) -> list[Path]:
    """The files of rules, without the pins beside them: cases that only hold a rule fast."""
    files = sorted((folder / "checks").rglob("*.yaml"))
    return [file for file in files if not file.name.endswith(".pins.yaml")]


def shipped() -> list[tuple[str, dict[str, Any]]]:
    """The rules as they are written, with their rooms."""
    return [
        (file.parent.name, yaml.load(file.read_text("utf-8"), Loader=yaml.CBaseLoader))
        for file in rule_files(rules_folder())
    ]


def written(
    folder: Path, rules: list[tuple[str, dict[str, Any]]], vary: Variant, wanted: int
) -> int:
    """Write variants, round after round, until there are as many as wanted."""
    count, ids = 0, dict.fromkeys((room for room, _ in rules), 0)
    while count < wanted:
        before = count
        for room, data in rules:
            if count == wanted or ids[room] > 999:
                continue
            variant = vary(dict(data), count)
            if variant is None:
                continue
            key = f"{data['id'][:4]}{ids[room]:03d}"
            ids[room] += 1
            count += 1
            variant |= {"id": key, "name": f"{data['name']}-{count}"}
            # A variant stands in a room that its model names as a cause, and would follow from itself.
            variant.pop("follows_from", None)
            path = folder / "checks" / room / f"{key}-{variant['name']}.yaml"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(yaml.safe_dump(variant, sort_keys=False), "utf-8")
        if count == before:  # no room takes a further variant
            break
    return count


def silent(results: list[Result]) -> Variant:
    """Variants that are judged and say nothing of the claims of these results."""
    unsure = {entry.rule for result in results for entry in result.unjudged}

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


def few() -> Engine:
    """The shipped pack with so few rules, of every room."""
    pack = Pack.load()
    # Cut after loading: a pack whose rules follow from absent ones is refused.
    return Engine(pack=pack.with_(rules=pack.rules[:: len(pack.rules) // FEW][:FEW]))


def stacked(name: str, vary: Variant, wanted: int) -> Engine:
    """The shipped rules with so many variants on top."""
    with tempfile.TemporaryDirectory() as folder:
        count = written(Path(folder), shipped(), vary, wanted)
        if count != wanted:
            raise SystemExit(f"{name}: {count} variants, {wanted} wanted")
        return Engine(packs=[folder])


def rows(size: Size) -> Iterator[Row | str]:
    """A clean claim and one with errors, under more and more rules."""
    base = Engine()
    claims = {
        name: ready(base, 6, wrong=wrong).encounter
        for name, wrong in (("a clean visit", False), ("a visit with errors", True))
    }
    own = len(base.pack.rules)
    billed = {line.code for claim in claims.values() for line in claim.lines or ()}
    on_all = silent([base.check(claim) for claim in claims.values()])
    on_others = elsewhere(billed, sorted(base.pack.codes))
    growths = [
        Growth("on all codes", on_all, MANY),
        Growth("on other codes", on_others, TIMES * own, target="at most 1.1"),
        Growth("on all codes", on_all, TIMES * own, target="at most 2"),
    ]
    if size > Size.QUICK:  # reading so many rules takes longer than judging them
        growths.insert(0, Growth("on other codes", on_others, MANY))
        growths.append(Growth("verbatim copies", lambda data, _: data, TIMES * own))
    ten = few()
    engines, targets = {"shipped": base, f"{len(ten.pack.rules)} rules": ten}, {}
    for growth in growths:
        grown = stacked(growth.name, growth.vary, growth.total - own)
        title = f"{growth.total:,} rules, {growth.name}"
        engines[title], targets[title] = grown, growth.target
        if growth.name != "verbatim copies":
            unchanged(growth.name, base, grown, claims)
    for name, claim in claims.items():
        seconds = best(
            {title: partial(engine.check, claim) for title, engine in engines.items()},
            rounds=size.of(30, 120),
            seconds=0.02,
        )
        shipped_seconds = seconds.pop("shipped")
        for title, taken in seconds.items():
            yield Row(
                f"{name}: {title} / {own} rules",
                taken / shipped_seconds,
                wanted=targets.get(title, ""),
                detail=f"{taken * 1e6:,.0f} us; {saying(engines[title].check(claim))}",
            )


def unchanged(name: str, base: Engine, grown: Engine, claims: dict[str, Encounter]) -> None:
    """Stop if the variants say anything of the claims: then the report would be measured too."""
    for claim in claims.values():
        before, after = base.check(claim), grown.check(claim)
        if saying(before) != saying(after):
            raise SystemExit(f"{name}: the variants say something of the claim")
        if (before.suggested, before.corrected) != (after.suggested, after.corrected):
            raise SystemExit(f"{name}: the variants change the answer")


def saying(result: Result) -> str:
    """How much a result says."""
    return f"{len(result.violations)} violations, {len(result.unjudged)} unjudged"
