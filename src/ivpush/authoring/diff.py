"""What changed between two packs: rules, policies, codes, limits, ranks and payers' overlays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ivpush.pack.pack import Pack
    from ivpush.pack.payers import Payer
    from ivpush.pack.rule import Rule

__all__ = [
    "Change",
    "changes",
]

_PLAIN = ("name", "title", "severity", "disposition", "valid_from", "valid_to", "for_each",
          "asked", "edit", "carc", "rarc", "why", "not_covered", "cites")  # fmt: skip


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
    """Every difference, by kind and name; where nothing differs there is none."""
    yield from _compared("rule", _rules(old.rules), _rules(new.rules))
    for kind in ("policies", "codes"):
        yield from _compared(kind, *(
            {name: asdict(one) for name, one in getattr(pack, kind).items()} for pack in (old, new)
        ))  # fmt: skip
    yield from _compared("limits", *({name: {"rows": rows} for name, rows in pack.limits.items()}
                                     for pack in (old, new)))  # fmt: skip
    yield from _compared("rank", *({" ".join(key): {"rank": rank}
                                    for key, rank in pack.data.ranks.items()}
                                   for pack in (old, new)))  # fmt: skip
    yield from _compared("payer", *({name: _payer(one) for name, one in pack.payers.items()}
                                    for pack in (old, new)))  # fmt: skip


def _rules(rules: tuple[Rule, ...]) -> dict[str, dict[str, Any]]:
    return {
        rule.id: {
            **{name: getattr(rule, name) for name in _PLAIN},
            **{
                key: rule.texts.get(key)
                for key in ("when", "require", "message", "fix", "fix_otherwise")
            },
            "cases": [dict(case) for case in rule.every_case],
        }
        for rule in rules
    }


def _payer(payer: Payer) -> dict[str, Any]:
    made: dict[str, Any] = {"title": payer.title, "cites": payer.cites}
    for part in ("policies", "severity", "off"):
        made |= {f"{part} {name}": one for name, one in getattr(payer, part).items()}
    for name, rule in _rules(payer.rules).items():
        made |= {f"rule {name} {key}": one for key, one in rule.items()}
    return made


def _compared(
    kind: str, old: Mapping[str, Mapping[str, Any]], new: Mapping[str, Mapping[str, Any]]
) -> Iterator[Change]:
    for name in sorted(old.keys() | new.keys()):
        before, after = old.get(name), new.get(name)
        if before is None or after is None:
            yield Change(kind, name, "", None if before is None else name,
                         None if after is None else name)  # fmt: skip
            continue
        for part in dict.fromkeys((*before, *after)):
            one, other = before.get(part), after.get(part)
            if one == other:
                continue
            if part == "cases":
                yield Change(kind, name, part, f"{len(one or ())} cases",
                             f"{len(other or ())} cases")  # fmt: skip
            else:
                yield Change(kind, name, part, _shown(one), _shown(other))


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, frozenset):
        return ", ".join(sorted(map(str, value)))
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_shown(one)}" for key, one in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(_shown(one) for one in value) or "none"
    return str(value).lower() if isinstance(value, bool) else str(value)


def as_row(change: Change) -> dict[str, Any]:
    """A change as a mapping, for JSON."""
    return {one.name: getattr(change, one.name) for one in fields(change)}
