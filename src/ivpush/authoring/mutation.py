"""How much of a pack its cases hold fast: each mutant is judged until a case notices it.

``ivpush rules mutate`` calls ``survey``. A mutant is killed when a case of a rule, or a published
scenario, comes out otherwise, or when the pack's own checks refuse it. A mutant of a rule is judged
by that rule's cases alone, on facts worked out once; a mutant of the data by all of them. Mutants
that nothing can notice are marked in ``mutants.yaml``, each with its proof, and counted apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from ivpush.authoring.cases import EnginesByPolicy, policies_of, run_case
from ivpush.authoring.encounters import case_encounter
from ivpush.authoring.judging import case_holds
from ivpush.authoring.mutants import Mutant, chosen_rules, mutants_of
from ivpush.contract.encounter import Encounter
from ivpush.engine import Worked
from ivpush.errors import Fault, PackError
from ivpush.pack.pack import Pack
from ivpush.pack.rule import Rule

__all__ = [
    "PreparedTests",
    "Survey",
    "marks_of",
    "survey",
]

STATES = ("killed", "refused", "equivalent", "survived")

Scenario = Mapping[str, Any]
"""One line of the scenarios' file: ``encounter``, ``policies``, and ``published`` lines."""
LineCounts = Counter[tuple[str, tuple[str, ...]]]
"""Units by code and modifiers."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What came of the mutants: numbers by state, the survivors, and marks that hold of none.

    ::

        result = survey(Pack.load(), only=["IVP204"])
        result.percent                              # of the mutants that something can notice
        result.survivors                            # a case is missing for each of them
    """

    counts: Mapping[str, int]
    survivors: tuple[str, ...]
    idle_marks: tuple[str, ...] = ()

    @property
    def mutants(self) -> int:
        """All of them, marked ones included."""
        return sum(self.counts.values())

    @property
    def percent(self) -> float:
        """Killed or refused, of those not marked equivalent."""
        noticeable = self.mutants - self.counts.get("equivalent", 0)
        if not noticeable:
            return 100.0
        return 100.0 * (noticeable - len(self.survivors)) / noticeable


# Cases and scenarios, with what can be worked out before any mutant


@dataclass(frozen=True, slots=True)
class _PreparedCase:
    """One case of one rule, with what the unchanged pack works out of its encounter."""

    rule: Rule
    case: Mapping[str, Any]
    encounter: Encounter
    policies: Mapping[str, Any]
    work: Worked
    codes: frozenset[str]
    """Codes billed or suggested; a mutant of another code seldom changes the case."""

    @property
    def name(self) -> str:
        return f"{self.rule.id}: {self.case['name']}"


@dataclass(frozen=True, slots=True)
class _PreparedScenario:
    """One scenario whose published lines the unchanged pack suggests."""

    encounter: Encounter
    policies: Mapping[str, Any]
    lines: LineCounts
    with_modifiers: bool
    """Whether the published modifiers agree as well, so that they are compared too."""
    codes: frozenset[str]

    @property
    def name(self) -> str:
        return f"scenario {self.encounter.id}"


@dataclass(frozen=True, slots=True)
class PreparedTests:
    """The cases and scenarios of a pack, made ready to judge many mutants.

    ::

        tests = PreparedTests.of(pack)
        for mutant in mutants_of(pack):
            print(mutant.label, tests.killed_by(mutant) or "survives")
    """

    pack: Pack
    cases: Sequence[_PreparedCase]
    scenarios: Sequence[_PreparedScenario]

    @classmethod
    def of(
        cls, pack: Pack, scenarios: Iterable[Scenario] = (), only: Sequence[str] = ()
    ) -> PreparedTests:
        """The tests of a pack; raises PackError where a case fails before anything is changed.

        Scenarios that the pack answers otherwise than published are left out: they hold nothing.
        With ``only``, the tests are those of the rules named: no other judges their mutants.
        """
        rules, unchanged = chosen_rules(pack, only), EnginesByPolicy(pack)
        outcomes = (run_case(rule, case, unchanged) for rule in rules for case in rule.every_case)
        failing = [outcome for outcome in outcomes if outcome.problem]
        if failing:
            raise PackError(
                [
                    Fault(f"{outcome.rule} {outcome.name}", outcome.problem, "mend the case first")
                    for outcome in failing
                ]
            )
        # Rules change neither facts nor suggestions, and each is judged on its own later.
        engines = EnginesByPolicy(pack.with_(rules=()))
        prepared = (_prepared_scenario(row, pack, engines) for row in scenarios)
        return cls(
            pack=pack,
            cases=[
                _prepared_case(rule, case, pack, engines)
                for rule in rules
                for case in rule.every_case
            ],
            scenarios=[scenario for scenario in prepared if scenario is not None],
        )

    def killed_by(self, mutant: Mutant) -> str:
        """The name of the case or scenario that notices a mutant; empty where none does."""
        if mutant.rule is not None:
            return self._killer_of_rule(mutant.rule)
        return self._killer_of_data(mutant)

    def _killer_of_rule(self, rule: Rule) -> str:
        for prepared in self.cases:
            if prepared.rule.id == rule.id:
                if not case_holds(rule, prepared.case, prepared.work, self.pack):
                    return prepared.name
        return ""

    def _killer_of_data(self, mutant: Mutant) -> str:
        pack = self.pack.with_(**mutant.parts)
        rules = {rule.id: rule for rule in pack.rules}
        engines = EnginesByPolicy(pack.with_(rules=()))
        for prepared in _likeliest_first(self.cases, mutant):
            work = engines.under(prepared.policies).work(prepared.encounter)
            rule = rules.get(prepared.rule.id, prepared.rule)
            if not case_holds(rule, prepared.case, work, pack):
                return prepared.name
        for scenario in _likeliest_first(self.scenarios, mutant):
            work = engines.under(scenario.policies).work(scenario.encounter)
            # Which codes count is for the unchanged pack to say, as it did when they agreed.
            lines = _suggested_counts(work, self.pack, with_modifiers=scenario.with_modifiers)
            if lines != scenario.lines:
                return scenario.name
        return ""


_Prepared = TypeVar("_Prepared", _PreparedCase, _PreparedScenario)


def _likeliest_first(tests: Sequence[_Prepared], mutant: Mutant) -> list[_Prepared]:
    """The tests that have a code of the mutant come first, the others in their order after."""
    return sorted(tests, key=lambda test: mutant.codes.isdisjoint(test.codes))


def _prepared_case(
    rule: Rule, case: Mapping[str, Any], pack: Pack, engines: EnginesByPolicy
) -> _PreparedCase:
    encounter = case_encounter(case, pack.case_date)
    policies = policies_of(case)
    work = engines.under(policies).work(encounter)
    return _PreparedCase(
        rule=rule,
        case=case,
        encounter=encounter,
        policies=policies,
        work=work,
        codes=_codes_of(encounter, work),
    )


def _prepared_scenario(
    scenario: Scenario, pack: Pack, engines: EnginesByPolicy
) -> _PreparedScenario | None:
    """A scenario with its modifiers where they agree, else without; None where codes differ."""
    encounter = Encounter.model_validate(scenario["encounter"])
    work = engines.under(scenario["policies"]).work(encounter)
    for with_modifiers in (True, False):
        suggested = _suggested_counts(work, pack, with_modifiers=with_modifiers)
        if suggested == _counts(scenario["published"], pack, with_modifiers=with_modifiers):
            return _PreparedScenario(
                encounter=encounter,
                policies=dict(scenario["policies"]),
                lines=suggested,
                with_modifiers=with_modifiers,
                codes=_codes_of(encounter, work),
            )
    return None


def _codes_of(encounter: Encounter, work: Worked) -> frozenset[str]:
    billed = {line.code for line in encounter.lines or ()}
    return frozenset(billed | {line.code for line in work.result.suggested})


def _suggested_counts(work: Worked, pack: Pack, *, with_modifiers: bool) -> LineCounts:
    suggested = (
        {"code": line.code, "units": line.units, "modifiers": line.modifiers}
        for line in work.result.suggested
    )
    return _counts(suggested, pack, with_modifiers=with_modifiers)


def _counts(lines: Iterable[Mapping[str, Any]], pack: Pack, *, with_modifiers: bool) -> LineCounts:
    """Units of administration codes; lines of other codes are not a scenario's to say."""
    counts: LineCounts = Counter()
    for line in lines:
        row = pack.codes.get(line["code"])
        if row is not None and row.administration:
            modifiers = tuple(sorted(line["modifiers"])) if with_modifiers else ()
            counts[line["code"], modifiers] += line["units"]
    return counts


# Marks of mutants that nothing can notice


def marks_of(pack: Pack) -> dict[str, str]:
    """Mutants that ``mutants.yaml`` marks as equivalent, by label, each with its proof.

    Raises PackError where a mark is malformed.
    """
    sheet = pack.sheet("mutants")
    if sheet is None:
        return {}
    faults, proofs = [], {}
    rows: Any = sheet.mapping.get("equivalent") or ()
    for n, row in enumerate(rows):
        if not _is_mark(row):
            remedy = "write file, key, changes and why, a sentence"
            faults.append(Fault(sheet.place(("equivalent", n)), "is no mark", remedy))
            continue
        for change in row["changes"]:
            proofs[f"{row['file']}: {row['key']}: {change}"] = row["why"]
    if faults:
        raise PackError(faults)
    return proofs


def _is_mark(row: Any) -> bool:
    return (
        isinstance(row, dict)
        and set(row) == {"file", "key", "changes", "why"}
        and isinstance(row["changes"], list)
        and str(row["why"]).endswith(".")
    )


# Every mutant judged


class _MutantVerdict(NamedTuple):
    number: int
    """Which mutant of the pack, so that shares can be put back in order."""
    label: str
    state: str


def survey(
    pack: Pack,
    only: Sequence[str] = (),
    scenarios: Sequence[Scenario] = (),
    workers: int = 1,
) -> Survey:
    """Judge every mutant of the pack, or of some rules; the order of survivors is the pack's.

    Raises PackError where a case does not hold to begin with, or a mark is malformed.
    """
    marks = marks_of(pack)
    counts = dict.fromkeys(STATES, 0)
    survivors = []
    # Mutants of some rules alone cannot show that a mark of another rule is idle.
    idle_marks = {} if only else dict.fromkeys(marks)
    for verdict in _every_verdict(pack, tuple(only), tuple(scenarios), workers):
        state = verdict.state
        if state == "survived" and verdict.label in marks:
            state = "equivalent"
            idle_marks.pop(verdict.label, None)
        counts[state] += 1
        if state == "survived":
            survivors.append(verdict.label)
    return Survey(counts, tuple(survivors), tuple(idle_marks))


def _every_verdict(
    pack: Pack, only: tuple[str, ...], scenarios: tuple[Scenario, ...], workers: int
) -> list[_MutantVerdict]:
    if workers <= 1:
        return _share(pack, only, scenarios, start=0, step=1)
    with ProcessPoolExecutor(workers) as pool:
        shares = [
            pool.submit(_share, pack, only, scenarios, start=start, step=workers)
            for start in range(workers)
        ]
        return sorted(verdict for share in shares for verdict in share.result())


def _share(
    pack: Pack,
    only: tuple[str, ...],
    scenarios: tuple[Scenario, ...],
    *,
    start: int,
    step: int,
) -> list[_MutantVerdict]:
    """Every ``step``-th mutant from ``start``: neighbours take alike long, so shares are even."""
    tests = PreparedTests.of(pack, scenarios, only)
    return [
        _MutantVerdict(number, mutant.label, _state(mutant, tests))
        for number, mutant in enumerate(mutants_of(pack, only))
        if number % step == start
    ]


def _state(mutant: Mutant, tests: PreparedTests) -> str:
    if mutant.refused:
        return "refused"
    return "killed" if tests.killed_by(mutant) else "survived"
