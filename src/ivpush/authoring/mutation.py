"""How much of a pack its cases hold fast: each mutant is judged until a case notices it.

A mutant is killed when a case of a rule, or a published scenario, comes out otherwise, or when
the pack's own checks refuse it. A mutant of a rule is judged by that rule's cases alone, on facts
worked out once; a mutant of the data by all of them. Mutants that nothing can notice are marked
in ``mutants.yaml``, each with its proof, and counted apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from ivpush.authoring.cases import case_encounter, meets, named_subject, run_cases, wanted
from ivpush.authoring.mutants import Mutant, mutants_of
from ivpush.claim.findings import Findings, violations
from ivpush.contract.encounter import Encounter
from ivpush.engine import Engine, Worked
from ivpush.errors import Fault, PackError
from ivpush.pack.pack import Pack
from ivpush.pack.rule import Rule

__all__ = [
    "Bench",
    "Survey",
    "marks_of",
    "survey",
]

STATES = ("killed", "refused", "equivalent", "survived")


@dataclass(frozen=True, slots=True)
class Survey:
    """What came of the mutants: numbers by state, the survivors, and marks that hold of none."""

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
        able = self.mutants - self.counts.get("equivalent", 0)
        return 100.0 * (able - len(self.survivors)) / able if able else 100.0


@dataclass(slots=True)
class _Trial:
    """One case of one rule, with what it expects and the encounter built once."""

    rule: Rule
    case: Mapping[str, Any]
    encounter: Encounter
    policies: dict[str, Any]
    codes: frozenset[str] = frozenset()
    work: Worked | None = None


@dataclass(slots=True)
class _Pin:
    """One scenario whose published lines the pack suggests as they stand."""

    encounter: Encounter
    policies: dict[str, Any]
    lines: Counter[tuple[str, tuple[str, ...]]]
    modifiers: bool
    codes: frozenset[str] = frozenset()


@dataclass(slots=True)
class Bench:
    """A pack with its cases and scenarios made ready; ``killed_by`` judges one mutant."""

    pack: Pack
    scenarios: Sequence[Mapping[str, Any]] = ()
    trials: list[_Trial] = field(default_factory=list)
    pins: list[_Pin] = field(default_factory=list)
    by_rule: dict[str, list[_Trial]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        wrong = [one for one in run_cases(self.pack) if one.problem]
        if wrong:
            raise PackError([Fault(f"{one.rule} {one.name}", one.problem, "mend the case first")
                             for one in wrong])  # fmt: skip
        pack = self.pack
        engines: dict[str, Engine] = {}
        bare = pack.with_(rules=())
        own = [rule for payer in pack.payers.values() for rule in payer.rules]
        for rule in (*pack.rules, *own):
            for case in rule.every_case:
                policies = dict(case.get("policies") or {})
                trial = _Trial(rule, case, case_encounter(case, pack.case_date), policies)
                trial.work = _engine(bare, policies, engines).work(trial.encounter)
                trial.codes = _codes_of(trial.encounter, trial.work)
                self.trials.append(trial)
                self.by_rule.setdefault(rule.id, []).append(trial)
        for row in self.scenarios:
            self._pin(row, _engine(bare, dict(row["policies"]), engines))

    def _pin(self, row: Mapping[str, Any], engine: Engine) -> None:
        encounter = Encounter.model_validate(row["encounter"])
        work = engine.work(encounter)
        codes = _codes_of(encounter, work)
        for modifiers in (True, False):
            published = _lines(row["published"], self.pack, modifiers=modifiers)
            got = _lines(_plain(work), self.pack, modifiers=modifiers)
            if published == got:
                pin = _Pin(encounter, dict(row["policies"]), got, modifiers, codes)
                self.pins.append(pin)
                return

    def killed_by(self, mutant: Mutant) -> str:
        """The case or scenario that notices a mutant; empty where none does."""
        if mutant.rule is not None:
            for trial in self.by_rule.get(mutant.rule.id, ()):
                if trial.work is not None and not holds(
                    mutant.rule, trial.case, trial.work, self.pack
                ):
                    return f"{trial.rule.id}: {trial.case['name']}"
            return ""
        changed = self.pack.with_(data=mutant.data, **mutant.parts)
        rules = {rule.id: rule for rule in changed.rules}
        bare = changed.with_(rules=())
        engines: dict[str, Engine] = {}
        trials = sorted(self.trials, key=lambda one: mutant.codes.isdisjoint(one.codes))
        for trial in trials:
            work = _engine(bare, trial.policies, engines).work(trial.encounter)
            rule = rules.get(trial.rule.id, trial.rule)
            if not holds(rule, trial.case, work, changed):
                return f"{trial.rule.id}: {trial.case['name']}"
        for pin in sorted(self.pins, key=lambda one: mutant.codes.isdisjoint(one.codes)):
            work = _engine(bare, pin.policies, engines).work(pin.encounter)
            if _lines(_plain(work), self.pack, modifiers=pin.modifiers) != pin.lines:
                return f"scenario {pin.encounter.id}"
        return ""


def _engine(pack: Pack, policies: dict[str, Any], engines: dict[str, Engine]) -> Engine:
    key = repr(sorted(policies.items()))
    if key not in engines:
        engines[key] = Engine(pack=pack, policies=policies)
    return engines[key]


def _codes_of(encounter: Encounter, work: Worked) -> frozenset[str]:
    billed = {line.code for line in encounter.lines or ()}
    return frozenset(billed | {one.code for one in work.result.suggested})


def _plain(work: Worked) -> list[dict[str, Any]]:
    return [{"code": one.code, "units": one.units, "modifiers": one.modifiers}
            for one in work.result.suggested]  # fmt: skip


def _lines(
    lines: Iterable[Mapping[str, Any]], pack: Pack, *, modifiers: bool
) -> Counter[tuple[str, tuple[str, ...]]]:
    """Units of administration codes; lines of other codes are not a scenario's to say."""
    made: Counter[tuple[str, tuple[str, ...]]] = Counter()
    for line in lines:
        row = pack.codes.get(line["code"])
        if row is not None and row.administration:
            marks = tuple(sorted(line["modifiers"])) if modifiers else ()
            made[line["code"], marks] += line["units"]
    return made


def holds(rule: Rule, case: Mapping[str, Any], work: Worked, pack: Pack) -> bool:
    """Whether a case comes out as it says when one rule alone judges its facts."""
    broken, unsure = judged(rule, work, pack)
    expected = [wanted(one) for one in case.get("expect") or ()]
    told = any(message or fix for _, message, fix in expected)
    found = [(named_subject(rule, one), *(_texts(rule, one, work) if told else ("", "")))
             for one in broken]  # fmt: skip
    return (
        unsure == ("unjudged" in case)
        and all(any(meets(got, one) for got in found) for one in expected)
        and all(any(meets(got, one) for one in expected) for got in found)
    )


def _texts(rule: Rule, subject: Any, work: Worked) -> tuple[str, str]:
    alone = Findings()
    alone.broken.append((rule, subject))
    made = violations(alone, work.facts, work.book, work.result.corrected)[0]
    return made.message, made.fix


def judged(rule: Rule, work: Worked, pack: Pack) -> tuple[list[Any], bool]:
    """The subjects on which a rule breaks, and whether it lacked a fact on any."""
    facts, book = work.facts, work.book
    day = work.encounter.service_date or pack.checked
    if not rule.in_force(day) or _off(rule, book.payer, pack):
        return [], False
    subjects: Sequence[Any]
    if rule.for_each == "line":
        subjects = [one for one in facts.lines or ()
                    if rule.codes is None or one.given.code in rule.codes]  # fmt: skip
    elif rule.for_each == "encounter":
        subjects = (facts,)
    elif not facts.charted:
        return [], True
    else:
        subjects = getattr(facts, f"{rule.for_each}s") or ()
    broken, unsure, judge = [], False, rule.compiled.judge
    for one in subjects:
        verdict = judge(facts, one, book.policy, book.limits)
        if verdict == 1:
            broken.append(one)
        unsure = unsure or verdict == 2
    return broken, unsure


def _off(rule: Rule, payer: str | None, pack: Pack) -> bool:
    """Whether a payer does not know the rule: switched off, or another payer's own."""
    overlay = pack.payers.get(payer) if payer is not None else None
    if overlay is not None and rule.id in overlay.off:
        return True
    owners = [one.id for one in pack.payers.values() if any(r.id == rule.id for r in one.rules)]
    return bool(owners) and payer not in owners


def marks_of(pack: Pack) -> dict[str, str]:
    """Mutants that ``mutants.yaml`` marks as equivalent, by label, each with its proof."""
    sheet = pack.sheet("mutants")
    rows = sheet.data.get("equivalent") if sheet is not None else ()
    faults, made = [], {}
    for n, row in enumerate(rows or ()):
        fits = isinstance(row, dict) and set(row) == {"file", "key", "changes", "why"}
        if not fits or not isinstance(row["changes"], list) or not str(row["why"]).endswith("."):
            place = sheet.place(("equivalent", n)) if sheet is not None else "mutants.yaml"
            faults.append(Fault(place, "is no mark",
                                "write file, key, changes and why, a sentence"))  # fmt: skip
            continue
        made.update({f"{row['file']}: {row['key']}: {one}": row["why"] for one in row["changes"]})
    if faults:
        raise PackError(faults)
    return made


def survey(
    pack: Pack,
    only: Sequence[str] = (),
    scenarios: Sequence[Mapping[str, Any]] = (),
    workers: int = 1,
) -> Survey:
    """Judge every mutant of the pack, or of some rules; the order of survivors is the pack's.

    Raises PackError where a case does not hold to begin with, or a mark is malformed.
    """
    marks = marks_of(pack)
    if workers > 1:
        with ProcessPoolExecutor(workers) as pool:
            shares = [pool.submit(_share, pack, tuple(only), tuple(scenarios), n, workers)
                      for n in range(workers)]  # fmt: skip
            verdicts = sorted(one for share in shares for one in share.result())
    else:
        verdicts = _share(pack, tuple(only), tuple(scenarios), 0, 1)
    counts = dict.fromkeys(STATES, 0)
    survivors, idle = [], dict.fromkeys(marks) if not only else {}
    for _, label, state, _ in verdicts:
        if label in marks and state == "survived":
            state = "equivalent"
            idle.pop(label, None)
        counts[state] += 1
        if state == "survived":
            survivors.append(label)
    return Survey(counts, tuple(survivors), tuple(idle))


def _share(
    pack: Pack, only: tuple[str, ...], scenarios: tuple[Mapping[str, Any], ...], start: int,
    step: int,
) -> list[tuple[int, str, str, str]]:  # fmt: skip
    """Every ``step``-th mutant from ``start``: its number, label, state, and what killed it."""
    bench = Bench(pack, scenarios)
    made = []
    for n, mutant in enumerate(mutants_of(pack, only)):
        if n % step == start:
            by = mutant.refused or bench.killed_by(mutant)
            state = "refused" if mutant.refused else "killed" if by else "survived"
            made.append((n, mutant.label, state, by))
    return made
