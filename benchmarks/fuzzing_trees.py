"""Trees of lists and mappings with their structure changed.

Bytes changed at random are refused by the parsers; here the tree behind them is changed instead: a
value of another kind or at the end of its range, a key gone, repeated or renamed, a value from
elsewhere, lists within lists.
"""

from __future__ import annotations

import json
import pickle
import random
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from benchmarks.fuzzing import CANARY
from ivpush.pack.files import read_yaml
from ivpush.pack.folder import rules_folder

ODD: tuple[Any, ...] = (
    *("", "0", "-1", "1e9", "9" * 40, "9999-12-31", "0001-01-01", "2026-02-30", "no", "null", "~"),
    *("x" * 3_000, "{line.code}", "{line.nothing}", "{", "lines[0]", "1 <", "a\nb", "é", "IVP101"),
    *([], {}, [[]], [[["x"]]], ["x", "x"], {"x": {"y": "z"}}, {"from": "x", "to": []}, [{}]),
    CANARY,
)
_DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def copied(tree: Any) -> Any:
    """A copy that shares nothing with the tree; many times as fast as ``copy.deepcopy``."""
    return pickle.loads(pickle.dumps(tree))


def places(data: Any) -> list[tuple[Any, Any]]:
    """Every place of a tree: what holds it, and its key or number."""
    found: list[tuple[Any, Any]] = []
    holders = [data]
    while holders:
        holder = holders.pop()
        for step in list(holder) if isinstance(holder, dict) else range(len(holder)):
            found.append((holder, step))
            if isinstance(holder[step], dict | list):
                holders.append(holder[step])
    return found


def changed(data: Any, rng: random.Random) -> Any:
    """A copy of a tree that is changed in one to three places."""
    tree = copied(data)
    for _ in range(rng.randint(1, 3)):
        every = places(tree)
        if not every:
            break
        holder, step = rng.choice(every)
        other, place = rng.choice(every)
        value = copied(other[place])
        match rng.choice(("odd", "odd", "gone", "elsewhere", "list", "deep", "renamed")):
            case "odd":
                holder[step] = copied(rng.choice(ODD))
            case "gone":
                del holder[step]
            case "elsewhere":
                holder[step] = value
            case "list":
                holder[step] = [holder[step], value]
            case "deep":
                holder[step] = nested(holder[step], rng.randint(2, 40))
            case "renamed" if isinstance(holder, dict):
                holder[rng.choice(("x", "from", "id", f"{step}s"))] = holder.pop(step)
    return tree


def nested(value: Any, depth: int) -> Any:
    """A value within so many lists."""
    for _ in range(depth):
        value = [value]
    return value


@cache
def tree_of(path: Path) -> Any:
    """The data of a file of the pack."""
    return read_yaml(path.name, path.read_bytes()).data


def name_of(path: Path) -> str:
    """The name of a file within the pack."""
    return path.relative_to(rules_folder()).as_posix()


def yaml_of(tree: Any) -> bytes:
    """A tree as a file of a pack is written."""
    return yaml.dump(tree, Dumper=_DUMPER, sort_keys=False, allow_unicode=True).encode()


def text_of(tree: Any, rng: random.Random) -> bytes:
    """A tree as a file of a pack: most often in brackets, which are written ten times as fast."""
    if rng.random() < 0.25:
        return yaml_of(tree)
    return json.dumps(tree, ensure_ascii=False).encode()
