"""What changed between two packs, and what a payer's overlay changes of its pack.

``ivpush rules diff`` prints ``changes``, and ``ivpush rules list --payer`` prints ``payer_rows``.
Rules, policies, codes, limits, ranks and overlays are all taken as parts by name, so that one
comparison serves them all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

from ivpush.plural import counted

if TYPE_CHECKING:
    from ivpush.pack.pack import Pack
    from ivpush.pack.payers import Payer
    from ivpush.pack.rule import Rule

__all__ = [
    "Change",
    "as_row",
    "changes",
    "payer_rows",
]

_RULE_FIELDS = (
    "name",
    "title",
    "severity",
    "disposition",
    "valid_from",
    "valid_to",
    "for_each",
    "asked",
    "edit",
    "carc",
    "rarc",
    "why",
    "not_covered",
    "cites",
)
_RULE_TEXTS = ("when", "require", "message", "fix", "fix_otherwise")

Parts = Mapping[str, Any]
"""One thing of a pack, such as a rule or a row of codes, as its parts by name."""


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: kind of thing, its name, the part that differs, and both values as text.

    ``part`` is empty where the whole thing was added (``before`` is None) or removed (``after``).
    """

    kind: str
    name: str
    part: str
    before: str | None
    after: str | None

    @property
    def text(self) -> str:
        """One line for people."""
        if not self.part:
            return f"{self.kind} {self.name}: {'added' if self.before is None else 'removed'}"
        return f"{self.kind} {self.name}: {self.part}: {self.before} -> {self.after}"


def changes(old: Pack, new: Pack) -> Iterator[Change]:
    """Every difference, by kind and name; where nothing differs there is none.

    ::

        for change in changes(Pack.load("rules-2025"), Pack.load("rules")):
            print(change.text)      # limits push_max_minutes: rows: ... -> ...
    """
    before, after = _things_by_kind(old), _things_by_kind(new)
    for kind in before:
        yield from _compared(kind, before[kind], after[kind])


def as_row(change: Change) -> dict[str, Any]:
    """A change as a mapping, for JSON."""
    return {part.name: getattr(change, part.name) for part in fields(change)}


def _things_by_kind(pack: Pack) -> dict[str, dict[str, Parts]]:
    """Everything of a pack that is compared, in the order in which it is shown."""
    return {
        "rule": _rules(pack.rules),
        "policies": {name: asdict(policy) for name, policy in pack.policies.items()},
        "codes": {code: asdict(row) for code, row in pack.codes.items()},
        "limits": {name: {"rows": rows} for name, rows in pack.limits.items()},
        "rank": {" ".join(key): {"rank": rank} for key, rank in pack.data.ranks.items()},
        "payer": {name: _overlay(payer) for name, payer in pack.payers.items()},
    }


def _rules(rules: Iterable[Rule]) -> dict[str, Parts]:
    return {
        rule.id: {
            **{name: getattr(rule, name) for name in _RULE_FIELDS},
            **{key: rule.texts.get(key) for key in _RULE_TEXTS},
            "cases": [dict(case) for case in rule.every_case],
        }
        for rule in rules
    }


def _overlay(payer: Payer) -> Parts:
    """An overlay with each of its policies, severities and rules as a part of its own."""
    # As one part, a changed policy would print the whole overlay twice.
    parts: dict[str, Any] = {"title": payer.title, "cites": payer.cites}
    for part in ("policies", "severity", "off"):
        parts |= {f"{part} {name}": value for name, value in getattr(payer, part).items()}
    for rule, stated in _rules(payer.rules).items():
        parts |= {f"rule {rule} {key}": value for key, value in stated.items()}
    return parts


def _compared(
    kind: str, before: Mapping[str, Parts], after: Mapping[str, Parts]
) -> Iterator[Change]:
    for name in sorted(before.keys() | after.keys()):
        if name not in before:
            yield Change(kind, name, part="", before=None, after=name)
        elif name not in after:
            yield Change(kind, name, part="", before=name, after=None)
        else:
            yield from _changed_parts(kind, name, before[name], after[name])


def _changed_parts(kind: str, name: str, before: Parts, after: Parts) -> Iterator[Change]:
    # Parts keep the order in which a rule or an overlay states them.
    for part in dict.fromkeys((*before, *after)):
        old, new = before.get(part), after.get(part)
        if old == new:
            continue
        # A rule may have fifty cases; how many there are says more than all of them in one line.
        show = _count_of_cases if part == "cases" else _shown
        yield Change(kind, name, part, before=show(old), after=show(new))


def _count_of_cases(cases: Any) -> str:
    return counted(len(cases or ()), "case")


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, frozenset):
        return ", ".join(sorted(map(str, value)))
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_shown(part)}" for key, part in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(map(_shown, value)) or "none"
    return str(value).lower() if isinstance(value, bool) else str(value)


# What a payer changes


def payer_rows(payer: Payer, pack: Pack) -> list[dict[str, Any]]:
    """What an overlay changes, as rows of kind, name, the base pack's value and the payer's."""
    names = {rule.id: f"{rule.id} {rule.name}" for rule in pack.every_rule}
    severities = {rule.id: rule.severity for rule in pack.every_rule}
    policies = [
        _row("policy", name, _as_json(pack.policies[name].default), _as_json(value))
        for name, value in payer.policies.items()
    ]
    changed = [
        _row("severity", names[rule], severities[rule], severity)
        for rule, severity in payer.severity.items()
    ]
    off = [_row("off", names[rule], severities[rule], why) for rule, why in payer.off.items()]
    own = [
        _row("own rule", f"{rule.id} {rule.name}", "none", f"{rule.severity}: {rule.title}")
        for rule in payer.rules
    ]
    return [*policies, *changed, *off, *own]


def _row(kind: str, name: str, base: Any, payer: Any) -> dict[str, Any]:
    return {"kind": kind, "name": name, "base": base, "payer": payer}


def _as_json(value: Any) -> Any:
    """A policy's value as JSON has it."""
    if isinstance(value, frozenset):
        return sorted(value)
    return dict(value) if isinstance(value, Mapping) else value
