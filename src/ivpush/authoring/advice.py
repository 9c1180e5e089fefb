"""What is poor about a pack that is fit to be used: ``ivpush rules lint`` prints it as advice."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ivpush.errors import Fault
from ivpush.pack.policies import Policies

if TYPE_CHECKING:
    from ivpush.pack.pack import Pack
    from ivpush.pack.rule import Rule

__all__ = [
    "advice",
]

_COMPARED = re.compile(r"[<>]")


def advice(pack: Pack) -> Iterator[Fault]:
    """Cases that repeat, boundaries with one side, sources and policies that nothing uses."""
    rules = [*pack.rules, *(rule for payer in pack.payers.values() for rule in payer.rules)]
    for rule in rules:
        yield from _cases(rule)
    yield from _sources(pack, rules)
    yield from _policies(pack, rules)


def _cases(rule: Rule) -> Iterator[Fault]:
    names: set[str] = set()
    bodies: dict[str, str] = {}
    for case in rule.every_case:
        name = str(case["name"])
        if name in names:
            yield Fault(rule.place, f"cases: the name '{name[:60]}' repeats", "rename one")
        names.add(name)
        body = repr(sorted((key, repr(value)) for key, value in case.items()
                           if key not in {"name", "expect", "unjudged"}))  # fmt: skip
        if body in bodies:
            yield Fault(rule.place, f"cases: '{name[:60]}' repeats '{bodies[body][:60]}'",
                        "delete one")  # fmt: skip
        bodies.setdefault(body, name)
    fires = [bool(case["expect"]) for case in rule.every_case]
    least = (
        2 if any(_COMPARED.search(rule.texts.get(key, "")) for key in ("when", "require")) else 1
    )
    for wanted, word in ((True, "break"), (False, "hold")):
        if fires.count(wanted) < least and len(fires) < least * 2:
            yield Fault(rule.place, f"cases: fewer than {least} {word} the rule",
                        "give both sides of each boundary")  # fmt: skip


def _sources(pack: Pack, rules: list[Rule]) -> Iterator[Fault]:
    cited = {cite for rule in rules for cite in rule.cites}
    for sheet in pack.sheets():
        cited |= set(_cites(sheet.data))
    for name in sorted(pack.sources.keys() - cited):
        yield Fault(f"sources.yaml: {name}", "is cited nowhere", "cite it or delete it")


def _cites(data: Any) -> Iterator[str]:
    if isinstance(data, dict):
        for key, value in data.items():
            if key == "cites" and isinstance(value, list):
                yield from map(str, value)
            else:
                yield from _cites(value)
    elif isinstance(data, list):
        for value in data:
            yield from _cites(value)


def _policies(pack: Pack, rules: list[Rule]) -> Iterator[Fault]:
    texts = [text for rule in rules for text in rule.texts.values()]
    texts += [" ".join(f"policy.{name}" for name, _ in row.policy)
              for row in pack.data.supervision]  # fmt: skip
    read = set(re.findall(r"policy\.([a-z_A-Z0-9]+)", " ".join(texts)))
    read |= Policies.__annotations__.keys()
    for name in sorted(pack.policies.keys() - read):
        yield Fault(
            f"policies.yaml: {name}",
            "is read by no rule and no derivation",
            "delete it, or read it",
        )
