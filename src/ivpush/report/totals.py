"""What all results of a report come to: counts by rule, payer, setting, week and person to ask.

Everything here is plain counts; nothing of a patient is in it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from ivpush.claim.statistics import Statistics
from ivpush.report.rows import payer_of, setting_of

if TYPE_CHECKING:
    from ivpush.contract.result import Result

__all__ = ["Group", "Totals", "dollars"]


def dollars(amount: Decimal | None) -> str:
    """An amount, or nothing where no charge is known."""
    return "" if amount is None else f"{amount:,.2f}"


@dataclass(slots=True)
class Group:
    """What the encounters of one kind come to: those of a payer, of a setting, of a week."""

    encounters: int = 0
    severities: Counter[str] = field(default_factory=Counter)
    questions: int = 0
    amounts: dict[str, Decimal] = field(default_factory=dict)

    def add(self, result: Result, charges: Statistics) -> None:
        """Take one encounter of the kind."""
        self.encounters += 1
        self.severities.update(each.severity for each in result.violations)
        self.questions += len(result.questions)
        for side, amount in charges.amounts.items():
            self.amounts[side] = self.amounts.get(side, Decimal(0)) + amount


@dataclass(slots=True)
class Totals:
    """The counts of a report.

    ``set_aside`` are records that could not be read, by reason; ``silent`` the rules that were not
    to speak.
    """

    statistics: Statistics = field(default_factory=Statistics)
    rules: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """Findings by rule, its name and its severity; ``broken`` are the encounters that have one."""
    broken: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    payers: dict[str, Group] = field(default_factory=dict)
    settings: dict[str, Group] = field(default_factory=dict)
    weeks: dict[date, Group] = field(default_factory=dict)
    whos: Counter[str] = field(default_factory=Counter)
    asked: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Questions by who can answer, and by the fact that is missing."""
    denials: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Findings by the denial codes that a payer would give: reason, then remark."""
    unjudged: Counter[str] = field(default_factory=Counter)
    lacks: dict[str, Counter[str]] = field(default_factory=dict)
    """Facts that a rule lacked, by rule."""
    layers: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """Results by pack: name, version, hash."""
    policies: Counter[str] = field(default_factory=Counter)
    programs: Counter[str] = field(default_factory=Counter)
    tables: dict[str, Counter[date]] = field(default_factory=dict)
    """Results by the edition of each kind of table."""
    unchecked: Counter[str] = field(default_factory=Counter)
    """What results say was not checked, where they were made to say it."""
    without_visit: int = 0
    without_chart: int = 0
    set_aside: Counter[str] = field(default_factory=Counter)
    silent: tuple[str, ...] = ()

    def add(self, result: Result, charges: Statistics, tables: Mapping[str, date]) -> None:
        """Take one result, the charges that it was counted by, and its tables' editions."""
        self.statistics.include(charges)
        self.payers.setdefault(payer_of(result), Group()).add(result, charges)
        self.settings.setdefault(setting_of(result), Group()).add(result, charges)
        day = result.pack.in_force_on
        if day is not None:
            monday = day - timedelta(days=day.weekday())
            self.weeks.setdefault(monday, Group()).add(result, charges)
        findings = [(each.rule, each.name, each.severity) for each in result.violations]
        self.rules.update(findings)
        self.broken.update(set(findings))
        self._add_questions(result)
        self._add_stamp(result, tables)
        self._add_unchecked(result)

    def _add_questions(self, result: Result) -> None:
        for question in result.questions:
            self.whos[question.who] += 1
            field_name = question.missing.rpartition(".")[2].replace("_", " ")
            self.asked[question.who, field_name] += 1
        for violation in result.violations:
            if violation.carc:
                self.denials[violation.carc, violation.rarc or ""] += 1

    def _add_stamp(self, result: Result, tables: Mapping[str, date]) -> None:
        self.programs[result.ivpush] += 1
        for layer in result.pack.layers:
            self.layers[layer.name, layer.version or "", layer.hash] += 1
        for name, value in result.pack.policies.items():
            self.policies[f"{name} = {value}"] += 1
        editions = dict(tables)
        if result.checked is not None:
            editions |= {table.kind: table.release for table in result.checked.tables}
        for kind, release in editions.items():
            self.tables.setdefault(kind, Counter())[release] += 1

    def _add_unchecked(self, result: Result) -> None:
        for each in result.unjudged:
            self.unjudged[each.rule] += 1
            fields = {path.rpartition(".")[2] for path in each.missing}
            self.lacks.setdefault(each.rule, Counter()).update(fields)
        if result.checked is not None:
            self.unchecked.update({each.because for each in result.checked.not_checked})
        visit = result.visit
        self.without_visit += visit is None
        self.without_chart += visit is not None and visit.drawing.given is None
