"""What is in force on one service date: codes, policies, limits, tables and rules.

A Book is made by a Pack for one date, payer and set of policies, and is only looked up from.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ivpush.language.compiler import fuse
from ivpush.language.vocabulary import Names
from ivpush.pack.codes import CodeRow, Limits, number_on
from ivpush.pack.data import Data, SupervisionRow
from ivpush.pack.drugs import DrugNames, DrugRow
from ivpush.pack.files import covers
from ivpush.pack.policies import Policies
from ivpush.pack.releases import NOTED, TABLES, Pairs, PairTable, quarter_end
from ivpush.pack.rule import Rule

if TYPE_CHECKING:
    from ivpush.contract.facts import AdministrationFacts, LineFacts

__all__ = [
    "Book",
    "Screen",
    "dispatch",
]

_NO_CODES: frozenset[str] = frozenset()
_OF_CODE = ("status", "known", "valid", "in_family", "family", "technique", "role", "variant",
            "label", "settings", "successors", "family_range", "primaries", "is_add_on", "mue",
            "mai", "payer_max", "is_drug")  # fmt: skip
"""Facts of a line that its code, its status and the kind of claim settle."""
_TOO_MANY = frozenset(
    {"code", "label", "mue", "payer_max", "primaries", "settings", "successors", "variant"}
)
"""Facts of which there are so many values that a screen for each costs more than it saves."""
_OF_MODIFIERS = ("modifiers", "separate", "separate_modifiers", "visit_modifier", "lifts_pair")
"""Facts that having no modifiers settles."""
_OF_DATES = ("ended", "too_early")
"""Facts that a valid code settles."""
_OF_A_MATCH = ("missing_modifier", "needless_modifier", "date_differs")
"""Facts that a line has if it matches."""


@dataclass(frozen=True, slots=True)
class Screen:
    """Rules judged together: ``judge`` gives positions of broken ones, ``~n`` of unjudged ones."""

    rules: tuple[Rule, ...]
    judge: Callable[..., list[int]]


class _Listener(Policies):
    """Policies that note which of them were read."""

    def __init__(self, policy: Policies, heard: set[str]) -> None:
        super().__init__({"_policy": policy, "_heard": heard})

    def __getattr__(self, name: str) -> Any:
        self._heard.add(name)
        return getattr(self._policy, name)


class Book:
    """The rules and data of one date, payer and set of policies; read-only by convention."""

    __slots__ = (
        "administration_rules",
        "any_line_rules",
        "bill_kinds",
        "chart_rules",
        "codes",
        "columns",
        "date",
        "disputes",
        "drugs",
        "encounter_rules",
        "every_code",
        "facility_sets",
        "in_force",
        "lifting_modifiers",
        "limits",
        "line_rules",
        "modifiers",
        "mues",
        "names",
        "ndcs",
        "needs",
        "pairs",
        "pairs_lifted_from",
        "payer",
        "payer_known",
        "phrases",
        "picks",
        "places",
        "policy",
        "prefixes",
        "primary",
        "questions",
        "ranks",
        "reasons",
        "rules",
        "screens",
        "separate_modifiers",
        "service_rules",
        "statuses",
        "suggestion_rules",
        "supervised",
        "tables_past_quarter",
        "tobs",
        "visit_modifiers",
        "vocabulary",
        "words",
    )  # fmt: skip
    date: dt.date | None
    payer: str | None
    payer_known: bool | None
    policy: Policies
    limits: Limits
    codes: dict[str, CodeRow]
    columns: dict[tuple[str, str], tuple[Any, ...]]
    """Columns of a line by code and setting, kept as they are first asked for."""
    every_code: dict[str, CodeRow]
    prefixes: frozenset[str]
    picks: dict[tuple[str, str, str, str | None], CodeRow]
    ranks: dict[tuple[str, str], int]
    primary: dict[str, frozenset[str]]
    mues: dict[str, dict[str, tuple[int, int]]]
    pairs: PairTable
    drugs: dict[str, DrugRow]
    names: DrugNames
    ndcs: dict[str, str]
    facility_sets: dict[str, frozenset[str]]
    """Places of service that are facilities, by the set that a policy names."""
    places: dict[str, bool]
    tobs: dict[str, str]
    statuses: dict[str, tuple[str, str | None]]
    supervised: dict[tuple[str, str], SupervisionRow]
    bill_kinds: dict[str, str]
    """Kinds of place, by the first digits of the type of bill, that have rows of supervision."""
    modifiers: dict[str, str]
    separate_modifiers: frozenset[str]
    visit_modifiers: frozenset[str]
    lifting_modifiers: frozenset[str]
    """Modifiers that lift an NCCI pair of indicator 1."""
    pairs_lifted_from: dt.date
    """From then on such a modifier counts on the column-1 code too."""
    phrases: tuple[str, ...]
    needs: tuple[str, ...]
    reasons: dict[str, tuple[str, tuple[str, ...]]]
    questions: dict[str, tuple[str, str]]
    words: dict[tuple[str, str], str]
    """Answers of questions whose value is a text."""
    disputes: tuple[tuple[str, tuple[Any, ...]], ...]
    """Policies that nobody set, with the values that payers hold beside the default."""
    tables_past_quarter: bool
    in_force: dict[str, dt.date]
    rules: tuple[Rule, ...]
    vocabulary: Names
    screens: dict[tuple[Any, ...], Screen]
    line_rules: dict[str, tuple[Rule, ...]]
    any_line_rules: tuple[Rule, ...]
    encounter_rules: tuple[Rule, ...]
    administration_rules: tuple[Rule, ...]
    service_rules: tuple[Rule, ...]
    suggestion_rules: tuple[Rule, ...]
    chart_rules: tuple[Rule, ...]

    def listening(self) -> tuple[Book, set[str]]:
        """The same book, and the names of the policies that are read from it from now on."""
        made = self.dated(self.date)
        heard: set[str] = set()
        made.policy = _Listener(self.policy, heard)
        return made, heard

    def dated(self, day: dt.date | None) -> Book:
        """The same book for another day of its window."""
        made = Book()
        for name in Book.__slots__:
            setattr(made, name, getattr(self, name))
        made.date = day
        return made

    def line_screen(self, setting: str, line: LineFacts) -> Screen:
        """The rules that may apply to a line of such a code, status and modifiers.

        What rests on those alone settles many rules once for all such lines.
        """
        code, plain = line.given.code, not line.modifiers
        key = ("line", setting, code, line.status, plain)
        found = self.screens.get(key)
        if found is None:
            names = [*_OF_CODE, *(_OF_MODIFIERS if plain else ())]
            if line.valid:
                names += _OF_DATES
            if line.status == "matched":
                names += _OF_A_MATCH
            known = {name: getattr(line, name) for name in names}
            rules = (*self.any_line_rules, *self.line_rules.get(code, ()))
            subject = {**known, "code": code}
            found = self.screens[key] = self._screen("line", setting, rules, subject)
        return found

    def screen(self, kind: str, setting: str) -> Screen:
        """The rules that may apply to subjects of a kind, as one function."""
        key = (kind, setting)
        found = self.screens.get(key)
        if found is None:
            rules = {"encounter": self.encounter_rules, "service": self.service_rules,
                     "suggestion": self.suggestion_rules}[kind]  # fmt: skip
            subject = {"setting": setting} if kind == "encounter" else {}
            found = self.screens[key] = self._screen(kind, setting, rules, subject)
        return found

    def administration_screen(self, setting: str, one: AdministrationFacts) -> Screen:
        """The rules that may apply to an administration of such a technique, method and class."""
        given = one.given
        key = ("administration", setting, one.technique, given.method, given.route, one.category,
               one.billable)  # fmt: skip
        found = self.screens.get(key)
        if found is None:
            known = dict(zip(("technique", "method", "route", "category", "billable"), key[2:],
                             strict=True))  # fmt: skip
            rules = self.administration_rules
            found = self.screens[key] = self._screen("administration", setting, rules, known)
        return found

    def _screen(
        self, kind: str, setting: str, rules: tuple[Rule, ...], subject: dict[str, Any]
    ) -> Screen:
        settled = {"policy": self.policy, "limits": self.limits}
        env = {**settled, "encounter": {"setting": setting}, "subject": subject, "open": True}
        able = tuple(rule for rule in rules if not rule.compiled.settled(env))
        few = {name: value for name, value in subject.items() if name not in _TOO_MANY}
        same = (kind, setting, *few.values(), *(rule.id for rule in able))
        if same not in self.screens:
            folds = {**settled, "encounter": {"setting": setting}, "subject": few}
            judge = fuse([rule.compiled for rule in able], self.vocabulary, folds)
            self.screens[same] = Screen(able, judge)
        return self.screens[same]

    def code(self, code: str) -> CodeRow | None:
        """The row of a code that is valid on the date."""
        return self.codes.get(code)

    def code_any(self, code: str) -> CodeRow | None:
        """The row of a code, valid on the date or not."""
        return self.every_code.get(code)

    def pick(
        self, family: str | None, technique: str | None, role: str, variant: str | None = None
    ) -> CodeRow | None:
        """The valid code of a family, technique and role."""
        return self.picks.get((family or "", technique or "", role, variant))

    def rank(self, family: str, technique: str) -> int | None:
        """Rank in the hierarchy, 1 highest."""
        return self.ranks.get((family, technique))

    def primaries(self, code: str) -> frozenset[str]:
        """Codes that an add-on may hang on; empty for other codes (CMS add-on edits)."""
        return self.primary.get(code, _NO_CODES)

    def mue(self, code: str, setting: str) -> tuple[int, int] | None:
        """Most plausible units a day and the adjudication indicator, for a kind of claim."""
        return self.mues[setting].get(code) if setting in self.mues else None

    def status_indicator(self, code: str) -> str | None:
        """The OPPS status indicator of a code (Addendum B); None where no release holds it."""
        found = self.statuses.get(code)
        return found[0] if found is not None else None

    def payer_max(self, code: str) -> int | None:
        """The payer's own most units a day."""
        found: int | None = self.policy.max_units.get(code)
        return found

    def pairs_of(self, code: str, setting: str) -> Pairs | None:
        """NCCI column-1 codes of a column-2 code, on one kind of claim."""
        return self.pairs.get(setting, code)

    def drug(self, hcpcs: str | None, ndc: str | None, name: str | None) -> DrugRow | None:
        """The row of a drug by HCPCS code, else NDC, else its name as charted."""
        if hcpcs is not None and hcpcs in self.drugs:
            return self.drugs[hcpcs]
        if ndc is not None:
            found = self.drug_of_ndc(ndc)
            if found is not None and found in self.drugs:
                return self.drugs[found]
        return self.names.find(name) if name is not None else None

    def drug_of_ndc(self, ndc: str) -> str | None:
        """The HCPCS code of an NDC, by the crosswalk (CMS ASP)."""
        return self.ndcs.get(_eleven(ndc))

    def facility_place(self, place: str) -> bool | None:
        """Whether a place of service is a facility, by the policy's set; None if unassigned."""
        if place in self.facility_sets[self.policy.facility_pos_set]:
            return True
        return False if place in self.places else None

    def bill_use(self, type_of_bill: str) -> str | None:
        """What a type of bill makes of these services: billable, packaged, not_billable."""
        return self.tobs.get(type_of_bill.removeprefix("0")[:2])

    def supervision(
        self, setting: str, family: str, type_of_bill: str | None = None
    ) -> SupervisionRow | None:
        """The supervision that a setting asks for a family on the date.

        A type of bill that names a kind of place, such as a critical access hospital, has rows of
        its own.
        """
        if type_of_bill is not None:
            kind = self.bill_kinds.get(type_of_bill.removeprefix("0")[:2])
            if kind is not None and (kind, family) in self.supervised:
                return self.supervised[kind, family]
        return self.supervised.get((setting, family))

    def modifier(self, kind: str) -> str:
        """The modifier that says something, such as separate_site."""
        return self.modifiers[kind]

    def convenience(self, reason: str) -> bool:
        """Whether a reason for a further site says convenience and no need."""
        plain = reason.casefold()
        if any(need in plain for need in self.needs):
            return False
        return any(phrase in plain for phrase in self.phrases)

    def reason(self, name: str) -> tuple[str, tuple[str, ...]]:
        """The wording and the sources of a reason."""
        return self.reasons[name]

    def word(self, name: str, answer: str) -> str:
        """The text that stands for an answer of a question."""
        return self.words[name, answer]

    def by_reason(self, setting: str) -> bool:
        """Whether the primary reason, not the hierarchy, decides the initial service."""
        rule = self.policy.setting_rule
        if rule == "auto_by_claim_form":
            return setting == "professional"
        return bool(rule == "primary_reason")

    def question(self, name: str) -> tuple[str, str]:
        """Who can answer a question, and its wording."""
        return self.questions[name]


def _eleven(ndc: str) -> str:
    """An NDC as eleven digits; a hyphenated one is padded part by part."""
    parts = ndc.split("-")
    if len(parts) == 3:
        return parts[0].zfill(5) + parts[1].zfill(4) + parts[2].zfill(2)
    return ndc.replace("-", "")


LIKE_FAMILY = 10
"""Codes that must share their first three digits before a number counts as the family's range."""


def dispatch(book: Book, rules: list[Rule]) -> None:
    """Write into a book its rules, sorted by what they are about and by billed code."""
    book.rules = tuple(rules)
    by_code: dict[str, list[Rule]] = {}
    for rule in rules:
        for code in rule.codes or ():
            by_code.setdefault(code, []).append(rule)
    book.any_line_rules = tuple(
        one for one in rules if one.for_each == "line" and one.codes is None
    )
    book.line_rules = {code: tuple(those) for code, those in by_code.items()}
    kinds = {name: tuple(one for one in rules if one.for_each == name)
             for name in ("encounter", "administration", "service", "suggestion")}  # fmt: skip
    book.encounter_rules, book.administration_rules = kinds["encounter"], kinds["administration"]
    book.service_rules, book.suggestion_rules = kinds["service"], kinds["suggestion"]
    book.chart_rules = (*kinds["administration"], *kinds["service"], *kinds["suggestion"])


def fill(
    book: Book, data: Data, day: dt.date, values: Mapping[str, Any], codes: Mapping[str, CodeRow],
    limits: Mapping[str, list[tuple[dt.date, dt.date | None, int]]],
) -> None:  # fmt: skip
    """Write into a book what applies on a date under some policies."""
    book.policy = Policies(values)
    book.limits = Limits({name: number_on(day, rows) for name, rows in limits.items()})
    book.every_code = dict(codes)
    book.codes = {c: r for c, r in codes.items() if covers(r.valid_from, r.valid_to, day)}
    prefixes = [c[:3] for c, r in book.codes.items() if r.administration and c.isdigit()]
    book.prefixes = frozenset(p for p in prefixes if prefixes.count(p) >= LIKE_FAMILY)
    book.picks = {(r.family, r.technique, r.role, r.variant): r for r in book.codes.values()}
    book.ranks, book.drugs, book.names = data.ranks, data.drugs, data.names
    book.modifiers, book.phrases, book.needs = data.modifiers, data.phrases, data.needs
    book.separate_modifiers, book.visit_modifiers = data.separate, data.visit
    book.lifting_modifiers, book.pairs_lifted_from = data.lifting, data.lifted_from
    book.bill_kinds = data.bill_kinds
    book.reasons, book.questions, book.words = data.reasons, data.questions, data.words
    book.facility_sets = data.sets
    _supervise(book, data, day, values)
    book.in_force = {}
    book.tables_past_quarter = False
    held: dict[str, Any] = {}
    for name in TABLES:
        found = data.release(name, day)
        held[name] = found.table if found is not None else PairTable({}) if name == "ptp" else {}
        if found is not None:
            book.in_force[name] = found.day
            if name in NOTED and day > quarter_end(found.day):
                book.tables_past_quarter = True
    book.pairs, book.mues, book.primary = held["ptp"], held["mue"], held["addon"]
    book.places, book.tobs, book.ndcs = held["pos"], held["tob"], held["ndc"]
    book.statuses = held["opps"]


def _supervise(book: Book, data: Data, day: dt.date, values: Mapping[str, Any]) -> None:
    book.supervised = {}
    for row in data.supervision:
        if not covers(row.valid_from, row.valid_to, day):
            continue
        if all(str(values.get(name)).lower() == value.lower() for name, value in row.policy):
            for family in row.families:
                book.supervised[row.setting, family] = row
