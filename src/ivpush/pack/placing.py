"""Where each file of a pack stands, and what is said of one that would be read nowhere.

``Pack`` asks it before anything is read: a rule that nobody reads looks like a rule that holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from ivpush.errors import Fault, nearest_word
from ivpush.pack.rule import ROOMS

__all__ = ["BASE_FILES", "PINS", "is_pins", "is_rule", "misplaced"]

# All of them are needed: without one of these files nothing else can be checked.
BASE_FILES = (
    "pack",
    "sources",
    "codes",
    "limits",
    "hierarchy",
    "policies",
    "supervision",
    "modifiers",
    "phrases",
    "places",
    "reasons",
    "drug_words",
)
"""The files of YAML that a base pack consists of, beside its rules, overlays and tables."""
PINS = ".pins.yaml"
_STACKED = frozenset({"sources.yaml", "words.yaml", "drugs.csv", "drug_names.csv"})
_BASE = frozenset(
    {
        *(f"{name}.yaml" for name in BASE_FILES),
        *_STACKED,
        "mutants.yaml",
        "samples.yaml",
        "terms.yaml",
    }
)
_TESTS = ".ivpush.yaml"
"""Files of cases for pytest, which may stand beside the rules that they test."""
_RULE = re.compile("[A-Z]{3}[0-9]{3}-.*")


def is_rule(name: str) -> bool:
    """Whether a file of a pack is a rule."""
    return _is_check(name) and not name.endswith(PINS)


def is_pins(name: str) -> bool:
    """Whether a file of a pack holds further cases of the rule beside it."""
    return _is_check(name) and name.endswith(PINS)


def _is_check(name: str) -> bool:
    parts = name.split("/")
    # checks/ROOM/FILE and nothing deeper: the room decides the first digit of the id.
    return len(parts) == 3 and parts[0] == "checks" and parts[1] in ROOMS and name.endswith(".yaml")


def misplaced(folder: str, names: Iterable[str], *, base: bool) -> Iterator[Fault]:
    """The files of a pack that would be read nowhere, and a pack without a file that is read."""
    names = [name for name in names if not name.endswith(_TESTS)]
    if not names:
        yield Fault(folder, "holds no file of a pack", f"put {_wanted()} into it")
    for name in names:
        if not _is_read(PurePosixPath(name), base=base):
            yield Fault(f"{folder}/{name}", "is read by nothing there", _remedy(name))


def _is_read(path: PurePosixPath, *, base: bool) -> bool:
    name = str(path)
    if name in (_BASE if base else _STACKED) or _is_check(name):
        return True
    top = path.parts[0] if len(path.parts) == 2 else ""
    if top == "maps":
        return base
    return (top, path.suffix) in {("payers", ".yaml"), ("tables", ".csv")}


def _remedy(name: str) -> str:
    """Where a file belongs, as far as its name tells."""
    path = PurePosixPath(name)
    suffix = path.suffix.lower().replace(".yml", ".yaml")
    if path.suffix != suffix:
        return f"name it {path.stem}{suffix}"
    if _RULE.fullmatch(path.name):
        rooms = ", ".join(ROOMS)
        near = nearest_word(path.parts[1], ROOMS) if path.parts[0] == "checks" else None
        if near is not None and near != path.parts[1]:
            return f"did you mean checks/{near}/{path.name}?"
        return f"put it into checks/ROOM/; the rooms are {rooms}"
    if name in _BASE:
        return f"only the base pack has it; a pack that is stacked on it may bring {_wanted()}"
    return f"a pack brings {_wanted()}"


def _wanted() -> str:
    return (
        "rules (checks/ROOM/ID-name.yaml), overlays (payers/ID.yaml), tables (tables/KIND-DATE.csv)"
        f", {', '.join(sorted(_STACKED))}"
    )
