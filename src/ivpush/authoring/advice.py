"""What is poor about a pack that is fit to be used: ``ivpush rules lint`` prints it as advice.

Nothing here stops a pack from being used; what does, the reader of the pack refuses.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
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
_NOT_COMPARED = frozenset({"name", "expect", "unjudged"})
"""Keys of a case that say nothing of the encounter: without them, equal cases repeat."""


def advice(pack: Pack) -> Iterator[Fault]:
    """Cases that repeat, boundaries with one side, sources and policies that nothing uses."""
    for rule in pack.every_rule:
        yield from _repeated_cases(rule)
        yield from _missing_cases(rule)
    yield from _unused_sources(pack)
    yield from _unused_policies(pack)


def _repeated_cases(rule: Rule) -> Iterator[Fault]:
    names: set[str] = set()
    first_with: dict[str, str] = {}
    for case in rule.every_case:
        name = str(case["name"])
        if name in names:
            yield Fault(rule.place, f"cases: the name '{name[:60]}' repeats", "rename one")
        names.add(name)
        # The same encounter under another name proves nothing that the first does not.
        encounter = _as_text(case)
        if encounter in first_with:
            problem = f"cases: '{name[:60]}' repeats '{first_with[encounter][:60]}'"
            yield Fault(rule.place, problem, "delete one")
        first_with.setdefault(encounter, name)


def _as_text(case: Mapping[str, Any]) -> str:
    """The encounter of a case, the same whatever the order of its keys."""
    return repr(
        sorted((key, repr(value)) for key, value in case.items() if key not in _NOT_COMPARED)
    )


def _missing_cases(rule: Rule) -> Iterator[Fault]:
    """Too few cases that break a rule or hold: two of each where it compares numbers, else one."""
    texts = [rule.texts.get(key, "") for key in ("when", "require")]
    least = 2 if any(map(_COMPARED.search, texts)) else 1
    broken = [bool(case["expect"]) for case in rule.every_case]
    if len(broken) >= least * 2:
        return
    for outcome, word in ((True, "break"), (False, "hold")):
        if broken.count(outcome) < least:
            problem = f"cases: fewer than {least} {word} the rule"
            yield Fault(rule.place, problem, "give both sides of each boundary")


def _unused_sources(pack: Pack) -> Iterator[Fault]:
    cited = {cite for rule in pack.every_rule for cite in rule.cites}
    for sheet in pack.sheets():
        cited.update(_cites(sheet.data))
    # A row of a table names its source in a cell, amid other words or alone.
    tables = [raw for _, raw in pack.tables()]
    for name in sorted(pack.sources.keys() - cited):
        if any(name.encode() in raw for raw in tables):
            continue
        yield Fault(f"sources.yaml: {name}", "is cited nowhere", "cite it or delete it")


def _cites(data: Any) -> Iterator[str]:
    """Every source under a key ``cites``, at any depth of a YAML file."""
    if isinstance(data, dict):
        for key, value in data.items():
            if key == "cites" and isinstance(value, list):
                yield from map(str, value)
            else:
                yield from _cites(value)
    elif isinstance(data, list):
        for value in data:
            yield from _cites(value)


def _unused_policies(pack: Pack) -> Iterator[Fault]:
    # The derivation reads policies as attributes of Policies, rules and rows by their name.
    read = set(Policies.__annotations__)
    read.update(re.findall(r"policy\.([a-z_A-Z0-9]+)", " ".join(_rule_texts(pack))))
    read.update(name for row in pack.data.supervision for name, _ in row.policy)
    for name in sorted(pack.policies.keys() - read):
        problem = "is read by no rule and no derivation"
        yield Fault(f"policies.yaml: {name}", problem, "delete it, or read it")


def _rule_texts(pack: Pack) -> Sequence[str]:
    return [text for rule in pack.every_rule for text in rule.texts.values()]
