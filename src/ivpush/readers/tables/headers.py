"""Names of columns compared as people write them, and the texts that stand for an empty cell.

``opening`` finds the header by them, ``lookup`` the columns of a map, and ``reader`` those of the
contract, for which ``rules/maps/headers.csv`` lists the usual other names.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache

from ivpush.errors import Fault, PackError
from ivpush.pack.files import read_csv
from ivpush.pack.folder import rules_folder

__all__ = ["empty_texts", "fold", "folded_places", "named_as_ours", "usual_names"]

_BETWEEN = re.compile(r"[^0-9a-z]+")


def fold(name: str) -> str:
    """A name in small letters, its words parted by ``_``."""
    return _BETWEEN.sub("_", name.casefold()).strip("_")


def folded_places(columns: Sequence[str]) -> dict[str, int]:
    """Where each folded name stands; a name that two columns share is none."""
    counts = Counter(map(fold, columns))
    return {fold(name): at for at, name in enumerate(columns) if counts[fold(name)] == 1}


@cache
def usual_names() -> Mapping[str, Mapping[str, str]]:
    """The contract's column for other names, by table; from ``rules/maps/headers.csv``."""
    path = rules_folder() / "maps" / "headers.csv"
    names: dict[str, dict[str, str]] = {}
    for line, (table, name, column, _source) in read_csv(
        path.name, path.read_bytes(), ("table", "name", "column", "source")
    ):
        if name != fold(name) or name in names.setdefault(table, {}):
            place = f"{path.name}:{line}"
            raise PackError(Fault(place, "is not folded, or repeated", "write each name once"))
        names[table][name] = column
    return names


@cache
def empty_texts() -> frozenset[str]:
    """Texts that stand for an empty cell, in small letters; from ``rules/maps/empty.csv``."""
    path = rules_folder() / "maps" / "empty.csv"
    rows = read_csv(path.name, path.read_bytes(), ("text", "source"))
    return frozenset({"", *(text for _, (text, _source) in rows)})


def named_as_ours(table: str, columns: Sequence[str], known: Sequence[str]) -> list[str]:
    """The columns under the contract's names, as far as they are written otherwise."""
    taken = {name for name in columns if name in known}
    usual = usual_names().get(table, {})
    by_fold = {fold(name): name for name in known}
    renamed: list[str] = []
    for name in columns:
        plain = fold(name)
        own = by_fold.get(plain) or usual.get(plain)
        if name not in known and own is not None and own not in taken:
            taken.add(own)
            name = own
        renamed.append(name)
    return renamed
