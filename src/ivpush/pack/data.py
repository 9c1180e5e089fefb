"""What a pack holds beside its codes and rules: ranks, supervision, modifiers, words, tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from ivpush.errors import Fault
from ivpush.language.tree import fold
from ivpush.pack.codes import CodeRow, read_window
from ivpush.pack.drugs import DrugNames, DrugRow, Words
from ivpush.pack.files import Say, Sheet
from ivpush.pack.releases import NOTED, quarter_end

if TYPE_CHECKING:
    from ivpush.pack.files import Window
    from ivpush.pack.releases import Release

__all__ = [
    "Data",
    "SupervisionRow",
    "read_data",
    "read_word_lists",
]


@dataclass(frozen=True, slots=True)
class SupervisionRow:
    """The level and modes of supervision that one setting asks in some dates."""

    setting: str
    families: frozenset[str]
    level: str
    modes: frozenset[str]
    valid_from: date
    valid_to: date | None
    policy: tuple[tuple[str, str], ...]
    cites: tuple[str, ...]


@dataclass(slots=True)
class Data:
    """Everything of a pack that is looked up by date, payer or policy."""

    drugs: dict[str, DrugRow] = field(default_factory=dict)
    names: DrugNames = field(default_factory=lambda: DrugNames({}, Words()))
    ranks: dict[tuple[str, str], int] = field(default_factory=dict)
    supervision: list[SupervisionRow] = field(default_factory=list)
    modifiers: dict[str, str] = field(default_factory=dict)
    separate: frozenset[str] = frozenset()
    visit: frozenset[str] = frozenset()
    lifting: frozenset[str] = frozenset()
    lifted_from: date = date.max
    bill_kinds: dict[str, str] = field(default_factory=dict)
    phrases: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    sets: dict[str, frozenset[str]] = field(default_factory=dict)
    reasons: dict[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    questions: dict[str, tuple[str, str]] = field(default_factory=dict)
    words: dict[tuple[str, str], str] = field(default_factory=dict)
    releases: dict[str, list[Release]] = field(default_factory=dict)

    @property
    def denials(self) -> dict[tuple[str, str], bool]:
        """Denial codes by kind (CARC, RARC), and whether each is still active."""
        made: dict[tuple[str, str], bool] = {}
        for release in self.releases.get("denials", ()):
            made |= release.table
        return made

    def windows(
        self,
        codes: Mapping[str, CodeRow],
        limits: Mapping[str, list[tuple[date, date | None, int]]],
    ) -> Iterator[Window]:
        """Every window of dates in the data, for the boundaries between books."""
        for row in codes.values():
            yield row.valid_from, row.valid_to
        for rows in limits.values():
            for low, high, _ in rows:
                yield low, high
        for one in self.supervision:
            yield one.valid_from, one.valid_to
        for name, made in self.releases.items():
            for one_release in made:
                last = quarter_end(one_release.day) if name in NOTED else None
                yield one_release.day, last

    def release(self, name: str, day: date) -> Release | None:
        """The latest release of a table that is not after the date; of two, the later pack's."""
        able = [one for one in self.releases.get(name, ()) if one.day <= day]
        return max(able, key=lambda one: (one.day, one.pack)) if able else None


def read_data(sheets: Mapping[str, Sheet], codes: Mapping[str, CodeRow], say: Say) -> Data:
    """The data files of the base pack; faults are said with their places."""
    made = Data()
    for row in sheets["hierarchy"].data.get("hierarchy", ()):
        made.ranks[row["family"], row["technique"]] = int(row["rank"])
    for n, row in enumerate(sheets["supervision"].data.get("supervision", ())):
        place = sheets["supervision"].place(("supervision", n))
        low, high = read_window(row.get("in_force"), place, say)
        made.supervision.append(SupervisionRow(
            row["setting"], frozenset(row["families"]), row["level"], frozenset(row["modes"]), low,
            high, tuple(row.get("policy", {}).items()), tuple(row.get("cites", ())),
        ))  # fmt: skip
    marks = sheets["modifiers"].data
    made.modifiers = {row["kind"]: row["code"] for row in marks["modifiers"]}
    made.separate = frozenset(made.modifiers[kind] for kind in marks["separate"])
    made.visit = frozenset(made.modifiers[kind] for kind in marks["visit"])
    lifts = marks["lifts_pairs"]
    made.lifting = made.separate | frozenset(lifts["modifiers"])
    made.lifted_from = date.fromisoformat(lifts["on_either_line_from"])
    for kind, prefixes in sheets["supervision"].data.get("bills", {}).items():
        made.bill_kinds |= dict.fromkeys(prefixes, kind)
    made.phrases = tuple(sheets["phrases"].data["convenience"])
    made.needs = tuple(sheets["phrases"].data["need"])
    made.sets = {name: frozenset(those) for name, those in sheets["places"].data["places"].items()}
    words = sheets["reasons"].data
    for group in ("suggested", "not_billable", "trace"):
        for name, row in words[group].items():
            made.reasons[name] = (row["because"], tuple(row["cites"]))
    made.questions = {name: (row["who"], row["ask"]) for name, row in words["questions"].items()}
    made.words = {(name, answer): text for name, row in words["questions"].items()
                  for answer, text in row.get("answers", {}).items()}  # fmt: skip
    return made


def read_word_lists(layers: Sequence[Mapping[str, Any]], say: Say) -> dict[str, frozenset[str]]:
    """The word lists of words.yaml, folded; a later pack's list of a name stands for it."""
    lists: dict[str, frozenset[str]] = {}
    for layer in layers:
        sheet = layer.get("words.yaml")
        if not isinstance(sheet, Sheet):
            continue
        rows = sheet.data.get("words") if isinstance(sheet.data, dict) else None
        if not isinstance(rows, dict):
            say(Fault(sheet.place(), "holds no word lists", "write words:, then NAME: [word, …]"))
            continue
        for name, words in rows.items():
            if isinstance(words, list) and all(isinstance(word, str) for word in words):
                lists[name] = frozenset(fold(word) for word in words)
            else:
                say(Fault(sheet.place(("words", name)), "is no list of words", "write [word, …]"))
    return lists
