"""The data of a pack: codes, limits, hierarchy, tables, drugs and payers' overlays."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any, get_args

from ivpush.book import Book
from ivpush.contract.result import Severity
from ivpush.drugnames import DrugNames, Words
from ivpush.errors import Fault, PackError, UsageError, did_you_mean
from ivpush.policies import Policy
from ivpush.rows import CodeRow, DrugRow, PairTable, SupervisionRow
from ivpush.rulefile import Known, Rule, read_rule, read_window
from ivpush.sheets import Sheet, read_csv

__all__ = [
    "QUARTERLY",
    "TABLES",
    "Data",
    "Payer",
    "Release",
    "own_rules",
    "quarter_end",
    "read_codes",
    "read_data",
    "read_limits",
    "read_payer",
    "read_tables",
    "with_bases",
    "words_of",
]

Say = Callable[[Fault], None]
Window = tuple[date, date | None]
FAMILIES = frozenset({"hydration", "therapeutic", "chemotherapy", "port"})
EARLY = timedelta(days=31)
"""How long before its quarter a release may be dated, as CMS posts some of them."""
QUARTERLY = frozenset({"ptp", "mue", "addon", "opps", "asp", "ndc"})
"""The tables that CMS publishes anew each quarter."""
_NOTED = ("ptp", "mue", "addon")
LIKE_FAMILY = 10
"""Codes that must share their first three digits before a number counts as the family's range."""
_CODE_KEYS = {"code", "label", "family", "technique", "role", "variant", "settings", "further",
              "once", "succeeded_by", "in_force", "cites"}  # fmt: skip
TABLES: dict[str, tuple[str, ...]] = {
    "ptp": ("setting", "column2", "indicator", "column1"),
    "mue": ("code", "professional", "facility", "mai_professional", "mai_facility"),
    "addon": ("add_on", "primary", "type"),
    "pos": ("pos", "facility", "name"),
    "tob": ("prefix", "use", "name"),
    "denials": ("kind", "code", "ended"),
    "ndc": ("ndc", "hcpcs"),
    "indicators": ("code", "status", "pctc", "global_days", "facility_na"),
    "opps": ("code", "status_indicator", "apc"),
    "asp": ("code", "dosage", "payment_limit"),
}
"""The tables that a pack may hold, ``tables/KIND-DATE.csv``, with their columns."""


def read_codes(sheet: Sheet, say: Say) -> dict[str, CodeRow]:
    """Rows of codes.yaml by code."""
    made: dict[str, CodeRow] = {}
    for n, row in enumerate(sheet.data.get("codes", ())):
        place = sheet.place(("codes", n))
        if not isinstance(row, dict) or not {"code", "family", "role", "in_force"} <= set(row):
            say(Fault(place, "is no row of codes", "write code, family, technique, role, in_force"))
            continue
        for key in set(row) - _CODE_KEYS:
            say(Fault(sheet.place(("codes", n, key), key=True), f"unknown key '{key[:60]}'",
                      did_you_mean(key, _CODE_KEYS)))  # fmt: skip
        code = row["code"]
        if not re.fullmatch("[A-Z0-9]{5}", code) or code in made:
            say(Fault(place, "repeats a code or is none", "write five capitals or digits, once"))
        low, high = read_window(row["in_force"], place, say)
        family, role = row["family"], row["role"]
        made[code] = CodeRow(
            code, str(row.get("label", code)), family, row.get("technique", "none"), role,
            row.get("variant"), frozenset(row.get("settings", ())), row.get("further"),
            row.get("once"), tuple(row.get("succeeded_by", ())), low, high,
            tuple(row.get("cites", ())), family in FAMILIES and role != "companion",
        )  # fmt: skip
    for row in made.values():
        for other in (row.further, *row.succeeded_by):
            if other is not None and other not in made:
                say(
                    Fault(
                        f"{sheet.name}: {row.code}", f"names '{other}', which has no row", "add it"
                    )
                )
    return made


def words_of(codes: Mapping[str, CodeRow]) -> dict[str, frozenset[str]]:
    """The words of each column of codes.yaml that rules may compare with."""
    return {
        column: frozenset(value for row in codes.values() if (value := getattr(row, column)))
        for column in ("family", "technique", "role", "variant")
    }


def read_limits(sheet: Sheet, say: Say) -> dict[str, list[tuple[date, date | None, int]]]:
    """Dated numbers of limits.yaml by name."""
    made: dict[str, list[tuple[date, date | None, int]]] = {}
    for name, rows in sheet.data.get("limits", {}).items():
        for n, row in enumerate(rows):
            place = sheet.place(("limits", name, n))
            if not str(row.get("value", "")).isdigit() or len(row["value"]) > 9:
                say(Fault(place, "value is no whole number", "write one"))
                continue
            low, high = read_window(row.get("in_force"), place, say)
            made.setdefault(name, []).append((low, high, int(row["value"])))
    return made


@dataclass(frozen=True, slots=True)
class Release:
    """One release of a table: from when it counts, and which pack of the stack holds it."""

    day: date
    table: Any
    name: str
    pack: int
    rows: int


def quarter_end(day: date) -> date:
    """The last day of the quarter that a release of a date is for."""
    within = day + EARLY
    first = within.month - (within.month - 1) % 3
    after = date(within.year + first // 10, (first + 2) % 12 + 1, 1)
    return after - timedelta(days=1)


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
    denials: dict[tuple[str, str], bool] = field(default_factory=dict)
    releases: dict[str, list[Release]] = field(default_factory=dict)

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
                last = quarter_end(one_release.day) if name in _NOTED else None
                yield one_release.day, last

    def release(self, name: str, day: date) -> Release | None:
        """The latest release of a table that is not after the date; of two, the later pack's."""
        able = [one for one in self.releases.get(name, ()) if one.day <= day]
        return max(able, key=lambda one: (one.day, one.pack)) if able else None

    def fill(
        self, book: Book, day: date, values: Mapping[str, Any], codes: Mapping[str, CodeRow],
        limits: Mapping[str, list[tuple[date, date | None, int]]],
    ) -> None:  # fmt: skip
        """Write into a book what applies on a date under some policies."""
        book.policy = SimpleNamespace(**values)
        book.limits = SimpleNamespace(
            **{name: _number_on(day, rows) for name, rows in limits.items()}
        )
        book.every_code = dict(codes)
        book.codes = {c: r for c, r in codes.items() if _covers(r.valid_from, r.valid_to, day)}
        prefixes = [c[:3] for c, r in book.codes.items() if r.administration and c.isdigit()]
        book.prefixes = frozenset(p for p in prefixes if prefixes.count(p) >= LIKE_FAMILY)
        book.picks = {(r.family, r.technique, r.role, r.variant): r for r in book.codes.values()}
        book.ranks, book.drugs, book.names = self.ranks, self.drugs, self.names
        book.modifiers, book.phrases, book.needs = self.modifiers, self.phrases, self.needs
        book.separate_modifiers, book.visit_modifiers = self.separate, self.visit
        book.lifting_modifiers, book.pairs_lifted_from = self.lifting, self.lifted_from
        book.bill_kinds = self.bill_kinds
        book.reasons, book.questions, book.words = self.reasons, self.questions, self.words
        book.facility_sets = self.sets
        self._supervise(book, day, values)
        book.in_force = {}
        book.tables_past_quarter = False
        held: dict[str, Any] = {}
        for name in TABLES:
            found = self.release(name, day)
            held[name] = (
                found.table if found is not None else PairTable({}) if name == "ptp" else {}
            )
            if found is not None:
                book.in_force[name] = found.day
                if name in _NOTED and day > quarter_end(found.day):
                    book.tables_past_quarter = True
        book.pairs, book.mues, book.primary = held["ptp"], held["mue"], held["addon"]
        book.places, book.tobs, book.ndcs = held["pos"], held["tob"], held["ndc"]
        book.statuses = held["opps"]

    def _supervise(self, book: Book, day: date, values: Mapping[str, Any]) -> None:
        book.supervised = {}
        for row in self.supervision:
            if not _covers(row.valid_from, row.valid_to, day):
                continue
            if all(str(values.get(name)).lower() == value.lower() for name, value in row.policy):
                for family in row.families:
                    book.supervised[row.setting, family] = row


def _covers(low: date, high: date | None, day: date) -> bool:
    return low <= day and (high is None or day <= high)


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
    for group in ("suggested", "not_billable"):
        for name, row in words[group].items():
            made.reasons[name] = (row["because"], tuple(row["cites"]))
    made.questions = {name: (row["who"], row["ask"]) for name, row in words["questions"].items()}
    made.words = {(name, answer): text for name, row in words["questions"].items()
                  for answer, text in row.get("answers", {}).items()}  # fmt: skip
    return made


def read_tables(layers: Sequence[Mapping[str, Any]], made: Data, say: Say) -> None:
    """Every table of a stack of packs; the later release counts, and of one date the later pack."""
    found: list[tuple[date, int, str, str]] = []
    for n, layer in enumerate(layers):
        for name in layer:
            if not name.startswith("tables/"):
                continue
            parts = re.fullmatch(r"tables/([a-z]+)-(\d{4}-\d{2}-\d{2})\.csv", name, re.ASCII)
            if parts is None or parts[1] not in TABLES:
                say(Fault(name, "is no table of this pack", did_you_mean(name, TABLES)))
                continue
            try:
                found.append((date.fromisoformat(parts[2]), n, parts[1], name))
            except ValueError:
                say(Fault(name, "is named after no day", "write the release as YYYY-MM-DD"))
    for day, n, kind, name in sorted(found):
        try:
            rows = [row for _, row in read_csv(name, layers[n][name], TABLES[kind])]
            made.releases.setdefault(kind, []).append(
                Release(day, _READERS[kind](rows, made), name, n, len(rows))
            )
        except PackError as error:
            for fault in error.faults:
                say(fault)
        except ValueError:
            say(Fault(name, "holds a number that is none", "write whole numbers"))


def _ptp(rows: Iterable[list[str]], _made: Data) -> PairTable:
    table: dict[tuple[str, str], dict[str, str]] = {}
    for setting, two, indicator, ones in rows:
        if int(indicator) < 2:
            table.setdefault((setting, two), {})[indicator] = ones
    return PairTable(table)


def _mue(rows: Iterable[list[str]], _made: Data) -> dict[str, dict[str, tuple[int, int]]]:
    table: dict[str, dict[str, tuple[int, int]]] = {"professional": {}, "facility": {}}
    for code, office, hospital, mai_office, mai_hospital in rows:
        if office:
            table["professional"][code] = (int(office), int(mai_office))
        if hospital:
            table["facility"][code] = (int(hospital), int(mai_hospital))
    return table


def _addon(rows: Iterable[list[str]], _made: Data) -> dict[str, frozenset[str]]:
    table: dict[str, set[str]] = {}
    for code, primary, _ in rows:
        table.setdefault(code, set()).add(primary)
    return {code: frozenset(those) for code, those in table.items()}


def _denials(rows: Iterable[list[str]], made: Data) -> dict[str, str]:
    for kind, code, ended in rows:
        made.denials[kind, code] = not ended
    return {}


_READERS: dict[str, Callable[[Iterable[list[str]], Data], Any]] = {
    "ptp": _ptp,
    "mue": _mue,
    "addon": _addon,
    "denials": _denials,
    "pos": lambda rows, _made: {row[0]: row[1] == "true" for row in rows},
    "tob": lambda rows, _made: {row[0]: row[1] for row in rows},
    "ndc": lambda rows, _made: {row[0]: row[1] for row in rows},
    "indicators": lambda rows, _made: {row[0]: tuple(row[1:]) for row in rows},
    "opps": lambda rows, _made: {row[0]: (row[1], row[2] or None) for row in rows},
    "asp": lambda rows, _made: {row[0]: tuple(row[1:]) for row in rows},
}


@dataclass(slots=True)
class Payer:
    """One payer's overlay: policies set, severities changed, rules switched off or added."""

    id: str
    title: str
    cites: tuple[str, ...]
    policies: dict[str, Any]
    severity: dict[str, str]
    off: dict[str, str]
    rules: tuple[Rule, ...]
    base: str | None = None
    inherited: tuple[Rule, ...] = ()
    place: str = ""

    def applied(self, rules: Iterable[Rule]) -> list[Rule]:
        """The pack's rules as this payer has them, in order, with its own."""
        changed = [
            rule.with_(severity=self.severity[rule.id]) if rule.id in self.severity else rule
            for rule in (*rules, *self.inherited)
            if rule.id not in self.off
        ]
        return [*changed, *self.rules]

    def on(self, base: Payer) -> Payer:
        """The overlay with what it does not say itself taken from another."""
        return replace(
            self, policies={**base.policies, **self.policies},
            severity={**base.severity, **self.severity}, off={**base.off, **self.off},
            inherited=(*base.inherited, *base.rules),
        )  # fmt: skip


def with_bases(payers: Mapping[str, Payer], say: Say) -> dict[str, Payer]:
    """Every overlay with its base, and its base's base, under it."""
    made: dict[str, Payer] = {}
    for payer in payers.values():
        chain, one = [payer], payer
        while one.base is not None:
            if one.base not in payers:
                say(Fault(one.place, f"base: no overlay '{one.base[:60]}'",
                          did_you_mean(one.base, payers)))  # fmt: skip
                break
            one = payers[one.base]
            if one in chain:
                say(Fault(payer.place, "is in the end based on itself", "break the circle"))
                break
            chain.append(one)
        whole = chain[-1]
        for upper in reversed(chain[:-1]):
            whole = upper.on(whole)
        made[payer.id] = whole
    return made


def own_rules(sheet: Sheet) -> set[str]:
    """Ids of the rules that an overlay brings, as far as they can be read."""
    rules = sheet.data.get("rules", ()) if isinstance(sheet.data, dict) else ()
    return {str(one["id"]) for one in rules if isinstance(one, dict) and "id" in one}


_PAYER_KEYS = {"id", "title", "base", "cites", "checked", "policies", "severity", "off", "rules"}


def read_payer(
    sheet: Sheet, policies: Mapping[str, Policy], rules: Collection[str], known: Known, say: Say
) -> Payer | None:
    """An overlay of payers/; None where it cannot be used."""
    data = sheet.data
    if not isinstance(data, dict) or "id" not in data:
        say(Fault(sheet.place(), "is no overlay", "write id, title, policies"))
        return None
    for key in set(data) - _PAYER_KEYS:
        say(Fault(sheet.place((key,), key=True), f"unknown key '{key[:60]}'",
                  did_you_mean(key, _PAYER_KEYS)))  # fmt: skip
    set_by: dict[str, Any] = {}
    for name, value in data.get("policies", {}).items():
        place = sheet.place(("policies", name))
        if name not in policies:
            say(Fault(place, f"no policy '{name[:60]}'", did_you_mean(name, policies)))
            continue
        try:
            set_by[name] = policies[name].read(value)
        except UsageError as error:
            say(Fault(place, error.faults[0].problem, error.faults[0].remedy))
    for part in ("severity", "off"):
        for rule in data.get(part, {}):
            if rule not in rules:
                say(
                    Fault(
                        sheet.place((part, rule)),
                        f"no rule '{rule[:60]}'",
                        did_you_mean(rule, rules),
                    )
                )
    for rule, word in data.get("severity", {}).items():
        if word not in get_args(Severity):
            say(Fault(sheet.place(("severity", rule)), f"no severity '{word[:60]}'",
                      did_you_mean(word, get_args(Severity))))  # fmt: skip
    for n, one in enumerate(data.get("cites", ())):
        if one not in known.sources:
            say(Fault(sheet.place(("cites", n)), f"'{one[:60]}' is in no row of sources.yaml",
                      did_you_mean(one, known.sources)))  # fmt: skip
    own = [
        read_rule(sheet, one, known, say, ("rules", n))
        for n, one in enumerate(data.get("rules", ()))
    ]
    return Payer(
        data["id"], str(data.get("title", data["id"])), tuple(data.get("cites", ())), set_by,
        dict(data.get("severity", {})), dict(data.get("off", {})),
        tuple(one for one in own if one is not None), data.get("base"), (), sheet.place(),
    )  # fmt: skip


def _number_on(day: date, rows: list[tuple[date, date | None, int]]) -> int:
    """The number in force on a day; outside every window the one whose window is nearest.

    Before the first window no code of ours exists, so nothing is billed by the number.
    """
    for low, high, value in rows:
        if low <= day and (high is None or day <= high):
            return value
    return min(rows, key=lambda row: min(abs((day - end).days) for end in row[:2] if end))[2]
