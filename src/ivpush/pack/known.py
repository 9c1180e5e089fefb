"""What the files of a pack may refer to, as far as it was read: the context of every check.

``Pack`` fills it step by step, sources first; the kinds of values (``shapes.words.Named`` and the
expressions of rules) ask it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import field

from ivpush.language.vocabulary import Names
from ivpush.records import record

__all__ = ["Known"]


@record
class Known:
    """Names of the pack by what they name; None where it was not read yet, and nothing is checked.

    ``known.sources`` are the ids of sources.yaml, ``kinds`` those of modifiers.yaml, ``cells`` the
    codes by column and word of codes.yaml, ``denials`` whether a code of a kind (CARC, RARC) is
    active.
    """

    # None is not the empty set: an empty one would refuse every name.
    sources: Collection[str] | None = None
    policies: Collection[str] | None = None
    kinds: Collection[str] | None = None
    codes: Collection[str] | None = None
    cells: Mapping[str, Mapping[str, Collection[str]]] = field(default_factory=dict)
    denials: Mapping[tuple[str, str], bool] = field(default_factory=dict)
    names: Names | None = None
    rules: Collection[str] | None = None
    checked: bool = False
    """Whether all was checked when its bundle was built, so that texts need not be read yet."""
