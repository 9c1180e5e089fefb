"""The page of numbers: each number, modifier and word list of a pack, its file, and who reads it.

``pages`` writes it as ``docs/numbers.md``. What rules read is told by the texts of the rules; what
the coding of a chart reads is declared in ``pack.codes.Limits`` and ``pack.policies.Policies``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ivpush.authoring.catalogue import WRITTEN, table_head, table_row
from ivpush.pack.codes import Limits
from ivpush.pack.policies import Policies

if TYPE_CHECKING:
    from ivpush.pack.pack import Pack
    from ivpush.pack.policies import Policy

__all__ = ["numbers_page", "readers_of"]

_NAMED = re.compile(r"\b(policy|limits|modifier|words)\.([a-zA-Z_0-9]+)")
_INTRODUCTION = """\
Each number, modifier and word list stands in one file, and rules name it from there. A limit is
a dated number that no source disputes. A policy is a number on which sources disagree: its default
stands here, and a payer or `--policy NAME=VALUE` may change it.
"""


def numbers_page(pack: Pack) -> str:
    """Every number, modifier and word list: file, value, dates, reason, and who reads it."""
    readers = readers_of(pack)
    sections: dict[str, tuple[tuple[str, ...], Iterator[tuple[str, ...]]]] = {
        "Limits, in `rules/limits.yaml`": (
            ("limit", "value", "in force", "why", "sources", "read by"),
            _limit_rows(pack, readers),
        ),
        "Policies with a number or a list, in `rules/policies.yaml`": (
            ("policy", "default", "may be", "payers", "why", "sources", "read by"),
            _policy_rows(pack, readers),
        ),
        "Modifiers, in `rules/modifiers.yaml`": (
            ("kind", "modifier", "meaning", "sources", "read by"),
            _modifier_rows(pack, readers),
        ),
        "Word lists, in `rules/words.yaml`": (
            ("list", "words", "read by"),
            _word_rows(pack, readers),
        ),
    }
    lines = ["# Numbers, modifiers and word lists\n", WRITTEN, _INTRODUCTION]
    for title, (heads, rows) in sections.items():
        lines += [f"## {title}\n", *table_head(*heads)]
        lines += [table_row(*cells) for cells in rows]
        lines.append("")
    return "\n".join(lines).rstrip("\n") + "\n"


def readers_of(pack: Pack) -> dict[str, list[str]]:
    """For each ``limits.NAME`` and its like, who reads it: the coding of charts, then rules."""
    readers: dict[str, list[str]] = {}
    for root, declared in (("limits", Limits), ("policy", Policies)):
        for name in declared.__annotations__:
            readers[f"{root}.{name}"] = ["coding"]
    for rule in sorted(pack.every_rule, key=lambda rule: rule.id):
        named = {match[0] for text in rule.texts.values() for match in _NAMED.finditer(text)}
        for path in named:
            readers.setdefault(path, []).append(rule.id)
    return readers


def _read_by(readers: dict[str, list[str]], path: str) -> str:
    return ", ".join(readers.get(path, ()))


def _rows_of(pack: Pack, sheet: str, key: str) -> Any:
    """What stands under a key of one file of the pack, as it is written."""
    file = pack.sheet(sheet)
    return file.mapping.get(key, {}) if file is not None else {}


def _limit_rows(pack: Pack, readers: dict[str, list[str]]) -> Iterator[tuple[str, ...]]:
    for name, rows in sorted(_rows_of(pack, "limits", "limits").items()):
        for row in rows:
            window = row["in_force"]
            until = f" to {window['to']}" if "to" in window else ""
            yield (
                f"`limits.{name}`",
                f"{row['value']} {row['unit']}",
                f"from {window['from']}{until}",
                row["why"],
                ", ".join(row["cites"]),
                _read_by(readers, f"limits.{name}"),
            )


def _policy_rows(pack: Pack, readers: dict[str, list[str]]) -> Iterator[tuple[str, ...]]:
    for name, policy in sorted(pack.policies.items()):
        if policy.form in {"number", "words", "units"}:
            payers = [
                f"{payer.id}: {_shown(payer.policies[name])}"
                for payer in pack.payers.values()
                if name in payer.policies
            ]
            yield (
                f"`policy.{name}`",
                _shown(policy.default),
                _bounds(policy),
                "; ".join(payers),
                policy.why,
                ", ".join(policy.cites),
                _read_by(readers, f"policy.{name}"),
            )


def _bounds(policy: Policy) -> str:
    return f"{policy.low} to {policy.high}" if policy.form == "number" else policy.form


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{code} {units}" for code, units in sorted(value.items())) or "none"
    return ", ".join(sorted(value)) if isinstance(value, frozenset) else str(value)


def _modifier_rows(pack: Pack, readers: dict[str, list[str]]) -> Iterator[tuple[str, ...]]:
    for row in _rows_of(pack, "modifiers", "modifiers"):
        yield (
            f"`modifier.{row['kind']}`",
            row["code"],
            row["label"],
            ", ".join(row["cites"]),
            _read_by(readers, f"modifier.{row['kind']}"),
        )


def _word_rows(pack: Pack, readers: dict[str, list[str]]) -> Iterator[tuple[str, ...]]:
    for name, words in sorted(_rows_of(pack, "words", "words").items()):
        yield f"`words.{name}`", ", ".join(words), _read_by(readers, f"words.{name}")
