"""What is in force on one service date: codes, policies, limits, tables and rules.

``Pack.book`` opens a Book for one date, payer and set of policies; the engine, the derivation and
the facts of the claim look everything up in it. Nothing of it changes afterwards.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from copy import copy
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from ivpush.contract.claim_facts import CodedFacts
from ivpush.contract.facts import BillUse
from ivpush.language.messages import Template
from ivpush.language.vocabulary import Names
from ivpush.pack.codes import CodeRow, DatedNumber, Limits, number_on
from ivpush.pack.data import Data, SupervisionRow
from ivpush.pack.discards import Discards
from ivpush.pack.drugs import DrugNames, DrugRow
from ivpush.pack.fees import Fees
from ivpush.pack.files import covers
from ivpush.pack.policies import Policies, PolicyValue
from ivpush.pack.releases import NOTED, Pairs, PairTable, Releases, latest, quarter_end, table_on
from ivpush.pack.rule import Rule
from ivpush.pack.screens import Screens
from ivpush.pack.surroundings import Surroundings
from ivpush.pack.wording import NO_WORDS, Wording
from ivpush.records import record

if TYPE_CHECKING:
    from ivpush.contract.encounter import Encounter

__all__ = ["Book", "Content", "Opener", "Terms"]

# Single codes elsewhere share three digits by chance; a range of the family has many.
LIKE_FAMILY = 10
"""Codes that must share their first three digits before a number counts as the family's range."""

_LEADING = frozenset({"initial", "stand_alone", "pump_start"})
"""Roles in which a technique's own code stands, and not an add-on."""

_NDC_PARTS = (5, 4, 2)
"""Digits of an NDC's parts as claims carry it: labeler, product, package."""
_NO_CODES: frozenset[str] = frozenset()


class Opener(Protocol):
    """Whoever opens books: the pack."""

    def book(
        self,
        day: dt.date | None,
        payer: str | None = None,
        policies: Mapping[str, object] | None = None,
        setting: str | None = None,
    ) -> Book:
        """What is in force on a date for a payer under some policies, on a kind of claim."""


@record
class Terms:
    """On what terms a book is opened."""

    day: dt.date
    payer: str | None
    """The payer asked for, whether the pack has an overlay for it or not."""
    setting: str | None
    """The kind of claim, where the payer's overlay speaks of one alone."""
    payer_known: bool | None
    set_by: Mapping[str, object]
    """Policies that the caller set."""
    policies: Mapping[str, PolicyValue]
    """Every policy's value."""
    disputes: tuple[tuple[str, tuple[PolicyValue, ...]], ...]
    """Policies that nobody set, with the values that payers hold beside the default."""
    settled: frozenset[str]
    """Policies of which the value says what a missing fact bills."""


@record
class Content:
    """What a pack holds, as a book takes it: all dates for codes and limits, rules in force."""

    codes: Mapping[str, CodeRow]
    limits: Mapping[str, Sequence[DatedNumber]]
    data: Data
    rules: Sequence[Rule]
    names: Names
    wording: Wording


class _Listener(Policies):
    """Policies that note which of them were read."""

    _policy: Policies
    _heard: set[str]

    def __init__(self, policy: Policies, heard: set[str]) -> None:
        # No policy is an attribute of it, so that __getattr__ hears every one.
        super().__init__({"_policy": policy, "_heard": heard})

    def __getattr__(self, name: str) -> PolicyValue:
        self._heard.add(name)
        value: PolicyValue = getattr(self._policy, name)
        return value


class Book:
    """The rules and data of one date, payer and set of policies; read-only.

    In use::

        book = pack.book(date(2026, 3, 2), "medicare")
        book.policy.long_push                   # 'push'
        book.limits.push_max_minutes            # 15
        book.pick("therapeutic", "push", "initial").code
        book.mue(code, "facility")           # (units a day, adjudication indicator)
        book.screens.of_line(line).rules     # the rules that may speak of such a line
    """

    def __init__(self, terms: Terms, content: Content, opener: Opener) -> None:
        day, data, codes = terms.day, content.data, content.codes
        self._terms, self._opener, self._data = terms, opener, data
        self._wording = content.wording
        self.date: dt.date | None = day
        self.payer = terms.payer if terms.payer_known else None
        self.payer_known, self.disputes = terms.payer_known, terms.disputes
        self.settled = terms.settled
        self.policy = Policies(terms.policies)
        self.limits = Limits({name: number_on(day, rows) for name, rows in content.limits.items()})

        # A code that ended or comes later must still be named: it gets a finding of its own.
        self.every_code = dict(codes)
        self.codes = {
            code: row for code, row in codes.items() if covers(row.valid_from, row.valid_to, day)
        }
        self.prefixes, self._leading = _prefixes(self.codes), _leading(self.codes)
        ranked = self.codes.values() if covers(*data.ranked, day) else ()
        self.picks = {(row.family, row.technique, row.role, row.variant): row for row in ranked}
        self.flushes = frozenset(
            code for code, row in self.codes.items() if row.technique == "port_flush"
        )
        """Codes of a port flush, which goes where anything else is billed."""
        self.coded: dict[tuple[str, str], CodedFacts] = {}
        """What ``claim.lines`` makes of a code and setting, kept as it is first asked for."""

        self.ranks = data.ranks
        self.modifiers, self.separate_modifiers = data.modifiers, data.separate
        self.visit_modifiers, self.lifting_modifiers = data.visit, data.lifting
        self.pairs_lifted_from = data.lifted_from
        """From then on a modifier that lifts a pair counts on the column-1 code too."""
        self._supervised = _supervised(data, day, terms.policies)

        held = data.releases
        self.in_force = _days_in_force(held, day)
        self.outdated = _outdated(self.in_force, day)
        """Tables used beyond their quarter, as in "ptp until 2024-09-30": a run says so once."""
        self.roles, self.devices = data.roles, data.devices
        self.rules, self.vocabulary = tuple(content.rules), content.names
        settled = {"policy": self.policy, "limits": self.limits}
        self.screens = Screens(content.rules, content.names, settled)

    # Before the first release held nothing is known: an empty table bars nothing. Tables are read
    # as they are first asked for; the day of the terms is one of the book's window.

    @cached_property
    def surroundings(self) -> Surroundings:
        """What stands beside an administration: owners, procedures, uses of drugs."""
        return _surroundings(self._data.releases, self._terms.day)

    @cached_property
    def discards(self) -> Discards:
        """Which drug lines owe a discard modifier."""
        return _discards(self._data.releases, self._terms.day)

    @cached_property
    def fees(self) -> Fees:
        """What the fee schedule says of who is paid."""
        rows = table_on(self._data.releases.indicators, self._terms.day, {})
        denied = Policies(self._terms.policies).facility_denied_codes
        return Fees(rows, self._data.own_work, denied, self.codes)

    @cached_property
    def pairs(self) -> PairTable:
        """NCCI pairs."""
        return table_on(self._data.releases.ptp, self._terms.day, PairTable({}))

    @cached_property
    def mues(self) -> Mapping[str, Mapping[str, tuple[int, int]]]:
        """Units a day and adjudication indicator, by setting and code."""
        return table_on(self._data.releases.mue, self._terms.day, {})

    @cached_property
    def drugs(self) -> Mapping[str, DrugRow]:
        """Rows of drugs by HCPCS code."""
        return self._data.drugs

    @cached_property
    def names(self) -> DrugNames:
        """The look-up of drugs by name."""
        return self._data.names

    @cached_property
    def _primary(self) -> Mapping[str, frozenset[str]]:
        return table_on(self._data.releases.addon, self._terms.day, {})

    @cached_property
    def _places(self) -> Mapping[str, bool]:
        return table_on(self._data.releases.pos, self._terms.day, {})

    @cached_property
    def _bill_uses(self) -> Mapping[str, BillUse]:
        return table_on(self._data.releases.tob, self._terms.day, {})

    @cached_property
    def _ndcs(self) -> Mapping[str, str]:
        return table_on(self._data.releases.ndc, self._terms.day, {})

    @cached_property
    def _products(self) -> Mapping[str, str]:
        return table_on(self._data.releases.products, self._terms.day, {})

    @cached_property
    def _statuses(self) -> Mapping[str, tuple[str, str | None]]:
        return table_on(self._data.releases.opps, self._terms.day, {})

    @property
    def opened_on(self) -> dt.date:
        """A day of its window."""
        return self._terms.day

    def dated(self, day: dt.date | None) -> Book:
        """The same book for another day of its window."""
        # Shallow: days of one window differ in nothing else, and screens stay shared.
        book = copy(self)
        book.date = day
        return book

    def with_policy(self, name: str, value: object) -> Book:
        """The book of the same date and payer with one policy set otherwise."""
        # From what the caller set, so that the payer's overlay is laid under it again.
        policies = {**self._terms.set_by, name: value}
        return self._opener.book(self.date, self._terms.payer, policies, self._terms.setting)

    def listening(self) -> tuple[Book, set[str]]:
        """The same book, and the names of the policies that are read from it from now on."""
        heard: set[str] = set()
        book = copy(self)
        book.policy = _Listener(self.policy, heard)
        return book, heard

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

    def leading(self, family: str | None, technique: str | None) -> tuple[str, ...]:
        """The valid codes by which a technique of a family is billed when it comes first."""
        return self._leading.get((family, technique), ())

    def rank(self, family: str, technique: str) -> int | None:
        """Rank in the hierarchy, 1 highest."""
        return self.ranks.get((family, technique))

    def primaries(self, code: str) -> frozenset[str]:
        """Codes that an add-on may hang on; empty for other codes (CMS add-on edits)."""
        return self._primary.get(code, _NO_CODES)

    def mue(self, code: str, setting: str) -> tuple[int, int] | None:
        """Most plausible units a day and the adjudication indicator, for a kind of claim."""
        # CMS publishes practitioner and outpatient hospital MUEs apart, and they differ.
        return self.mues[setting].get(code) if setting in self.mues else None

    def status_indicator(self, code: str) -> str | None:
        """The OPPS status indicator of a code (Addendum B); None where no release holds it."""
        status = self._statuses.get(code)
        return status[0] if status is not None else None

    def has_row(self, kind: str, code: str, setting: str) -> bool | None:
        """Whether a table in force holds a billed code; None for tables of other things."""
        match kind:
            case "ptp":
                return self.pairs_of(code, setting) is not None
            case "mue":
                return self.mue(code, setting) is not None
            case "addon":
                return bool(self.primaries(code))
            case "opps":
                return self.status_indicator(code) is not None
        return None

    def payer_max(self, code: str) -> int | None:
        """The payer's own most units a day."""
        return self.policy.max_units.get(code)

    def pairs_of(self, code: str, setting: str) -> Pairs | None:
        """NCCI column-1 codes of a column-2 code, on one kind of claim."""
        return self.pairs.get(setting, code)

    def drug(self, hcpcs: str | None, ndc: str | None, name: str | None) -> DrugRow | None:
        """The row of a drug by HCPCS code, else NDC, else its name as charted."""
        # The code first: it is exact, and an NDC's crosswalk may be older than the drug table.
        if hcpcs is not None and hcpcs in self.drugs:
            return self.drugs[hcpcs]
        if ndc is not None:
            coded = self.drug_of_ndc(ndc)
            if coded is not None and coded in self.drugs:
                return self.drugs[coded]
        return self.names.find(name) if name is not None else None

    def product(self, name: str) -> str | None:
        """The HCPCS code of the brand that a charted name holds, where one code is its own."""
        if self.names.find(name) is None:
            return None
        brands = self.names.look_up(name).names
        codes = {code for brand in brands if (code := self._products.get(brand)) is not None}
        return codes.pop() if len(codes) == 1 else None

    def drug_of_ndc(self, ndc: str) -> str | None:
        """The HCPCS code of an NDC, by the crosswalk (CMS ASP)."""
        return self._ndcs.get(_eleven(ndc))

    def padded_ndc(self, ndc: str) -> str | None:
        """A hyphenated NDC with a zero before each short part; None where that is not one."""
        parts = ndc.split("-")
        if len(parts) != 3 or not all(part.isdigit() for part in parts):
            return None
        padded = [part.zfill(size) for part, size in zip(parts, _NDC_PARTS, strict=True)]
        fits = [len(part) for part in padded] == list(_NDC_PARTS)
        return "-".join(padded) if fits and padded != parts else None

    def facility_place(self, place: str) -> bool | None:
        """Whether a place of service is a facility, by the policy's set; None if unassigned."""
        # Payers differ on which places count as a facility, so a policy names the set.
        if place in self._data.sets[self.policy.facility_pos_set]:
            return True
        return False if place in self._places else None

    def bill_use(self, type_of_bill: str) -> BillUse | None:
        """What a type of bill makes of these services: billable, packaged, not_billable."""
        return self._bill_uses.get(_bill_kind(type_of_bill))

    def discard_due(self, code: str, given: Encounter, place: str | None) -> bool | None:
        """Whether a drug's line owes a discard modifier in its place, else the encounter's."""
        kind = _bill_kind(given.type_of_bill) if given.type_of_bill is not None else None
        return self.discards.due(code, kind, place or given.place_of_service, given.setting)

    def bill_decides(self, given: Encounter) -> bool:
        """Whether its type of bill asks for supervision or discard modifiers of its own."""
        if given.type_of_bill is None:
            return False
        kind = _bill_kind(given.type_of_bill)
        return kind in self._data.bill_kinds or self.discards.asks_by_bill(kind, given.setting)

    def supervision(
        self, setting: str, family: str, type_of_bill: str | None = None
    ) -> SupervisionRow | None:
        """The supervision that a setting asks for a family on the date.

        A type of bill that names a kind of place, such as a critical access hospital, has rows of
        its own.
        """
        if type_of_bill is not None:
            kind = self._data.bill_kinds.get(_bill_kind(type_of_bill))
            # No row of its own: such a place is under the rows of its kind of claim.
            if kind is not None and (kind, family) in self._supervised:
                return self._supervised[kind, family]
        return self._supervised.get((setting, family))

    def modifier(self, kind: str) -> str:
        """The modifier that says something, such as separate_site."""
        return self.modifiers[kind]

    def convenience(self, reason: str) -> bool:
        """Whether a reason for a further site says convenience and no need."""
        plain = reason.casefold()
        # One phrase of need outweighs all of convenience: a second site then had a reason.
        if any(need in plain for need in self._data.needs):
            return False
        return any(phrase in plain for phrase in self._data.phrases)

    def reason(self, name: str, **words: str) -> tuple[str, tuple[str, ...]]:
        """A reason in words, with what is handed in for its template, and its sources."""
        template, cites = self._wording.reasons[name]
        return self._worded(template.get(), words), cites

    def question(self, name: str, **words: str) -> tuple[str, str]:
        """Who can answer a question, and the question in words."""
        who, template = self._wording.questions[name]
        return who, self._worded(template.get(), words)

    def _worded(self, template: Template, words: Mapping[str, str]) -> str:
        return template.render(None, {**NO_WORDS, **words}, self.policy, self.limits)

    def word(self, name: str, answer: str) -> str:
        """The text that stands for an answer of a question."""
        return self._data.words[name, answer]

    def by_reason(self, setting: str) -> bool:
        """Whether the primary reason, not the hierarchy, decides the initial service."""
        rule = self.policy.setting_rule
        # CPT: physicians by primary reason, facilities by hierarchy (DESIGN section 3, step 3).
        if rule == "auto_by_claim_form":
            return setting == "professional"
        return rule == "primary_reason"


def _leading(codes: Mapping[str, CodeRow]) -> dict[tuple[str | None, str | None], tuple[str, ...]]:
    """The codes by which each family and technique is billed when it comes first."""
    leading: dict[tuple[str | None, str | None], tuple[str, ...]] = {}
    for code, row in codes.items():
        if row.role in _LEADING:
            kind = (row.family, row.technique)
            leading[kind] = (*leading.get(kind, ()), code)
    return leading


def _days_in_force(held: Releases, day: dt.date) -> dict[str, dt.date]:
    """From which day each table counts that is in force on a date, by its kind."""
    return {
        kind: release.day
        for kind, releases in held.by_kind().items()
        if (release := latest(releases, day)) is not None
    }


def _outdated(in_force: Mapping[str, dt.date], day: dt.date) -> tuple[str, ...]:
    last_days = {kind: quarter_end(in_force[kind]) for kind in NOTED if kind in in_force}
    return tuple(f"{kind} until {last}" for kind, last in last_days.items() if day > last)


def _surroundings(held: Releases, day: dt.date) -> Surroundings:
    return Surroundings(
        owners=table_on(held.owners, day, ()),
        procedures=table_on(held.procedures, day, ()),
        uses=table_on(held.uses, day, {}),
        answers=table_on(held.beside, day, {}),
    )


def _discards(held: Releases, day: dt.date) -> Discards:
    prices = table_on(held.asp, day, {})
    return Discards(
        rows=table_on(held.discards, day, {}),
        single=table_on(held.singledose, day, frozenset()),
        priced=prices.keys(),
        statuses=table_on(held.opps, day, {}),
    )


def _prefixes(codes: Mapping[str, CodeRow]) -> frozenset[str]:
    """First three digits that many administration codes share: the family's range."""
    # Codes of letters and digits (HCPCS, category III) are numbered by other rules.
    starts = [code[:3] for code, row in codes.items() if row.administration and code.isdigit()]
    return frozenset(start for start in starts if starts.count(start) >= LIKE_FAMILY)


def _supervised(
    data: Data, day: dt.date, values: Mapping[str, PolicyValue]
) -> dict[tuple[str, str], SupervisionRow]:
    """The rows of supervision in force, by setting (or kind of place) and family."""
    rows = [
        row
        for row in data.supervision
        if covers(row.valid_from, row.valid_to, day)
        # Values in the file are text, those of the book typed: True is written true.
        and all(str(values.get(name)).lower() == value.lower() for name, value in row.policy)
    ]
    # Later rows overwrite earlier ones, as supervision.yaml promises.
    return {(row.setting, family): row for row in rows for family in row.families}


def _bill_kind(type_of_bill: str) -> str:
    """The first two digits of a type of bill, which name the kind of place."""
    # The UB-04 form prints a leading zero, an 837I leaves it out (CLM05-1).
    return type_of_bill.removeprefix("0")[:2]


def _eleven(ndc: str) -> str:
    """An NDC as eleven digits; a hyphenated one is padded part by part."""
    parts = ndc.split("-")
    if len(parts) == 3:
        # 5-4-2 is the form of HIPAA claims; labels leave a leading zero out of one part.
        return parts[0].zfill(5) + parts[1].zfill(4) + parts[2].zfill(2)
    return ndc.replace("-", "")
