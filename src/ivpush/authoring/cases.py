"""Tests of rules: the cases inside the rule files, built into encounters and judged."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from pydantic import BaseModel

from ivpush.claim import findings
from ivpush.contract.encounter import Administration, ClaimLine, Encounter, Supervision
from ivpush.engine import Engine, Worked
from ivpush.errors import Fault, InputError, IvpushError, PackError, UsageError, did_you_mean
from ivpush.language.vocabulary import kind_of
from ivpush.pack.pack import Pack
from ivpush.pack.payers import Payer
from ivpush.pack.rule import ROOMS, Rule

__all__ = [
    "CaseOutcome",
    "Said",
    "case_encounter",
    "frame",
    "meets",
    "named_subject",
    "payer_rows",
    "run_case",
    "run_cases",
    "wanted",
]

Said = tuple[str, str, str]
"""A subject's name, with texts of a message and of a fix."""
_OWN = frozenset({"name", "expect", "unjudged", "policies"})
_NUMBERS = frozenset({"diagnosis_pointers"})
"""Lists of whole numbers; a rule file holds text only."""
_LINE = re.compile(r"([A-Z0-9]{5})((?:-[A-Z0-9]{2})*)(?: x([0-9]{1,6}))?")


@dataclass(frozen=True, slots=True)
class CaseOutcome:
    """How one case of one rule went; ``problem`` is empty where it did as it says."""

    rule: str
    name: str
    problem: str


def run_cases(pack: Pack, only: str | None = None) -> Iterator[CaseOutcome]:
    """Every case of every rule, or of one rule, in the pack's order."""
    engines: dict[str, Engine] = {}
    rules = pack.every_rule
    for rule in rules:
        if only is None or only in {rule.id, rule.name}:
            for case in rule.every_case:
                yield run_case(pack, rule, case, engines)


def run_case(
    pack: Pack, rule: Rule, case: Mapping[str, Any], engines: dict[str, Engine] | None = None
) -> CaseOutcome:
    """Judge one case by its own rule and compare with what it expects."""
    name = str(case.get("name"))
    policies = dict(case.get("policies") or {})
    key = repr(sorted(policies.items()))
    engines = {} if engines is None else engines
    try:
        if key not in engines:
            engines[key] = Engine(pack=pack, policies=policies)
        encounter = case_encounter(case, pack.case_date)
        return CaseOutcome(rule.id, name, _difference(engines[key].work(encounter), rule, case))
    except IvpushError as error:
        return CaseOutcome(rule.id, name, str(error))


def _difference(work: Worked, rule: Rule, case: Mapping[str, Any]) -> str:
    found = [
        (named_subject(rule, subject), message.message, message.fix)
        for (broken, subject), message in _with_messages(work, rule)
        if broken.id == rule.id
    ]
    expected = [wanted(one) for one in case.get("expect") or ()]
    missing = [one for one in expected if not any(meets(got, one) for got in found)]
    surplus = [got[0] for got in found if not any(meets(got, one) for one in expected)]
    parts = []
    if missing:
        parts.append("did not fire on " + ", ".join(sorted(one[0] for one in missing)))
    if surplus:
        parts.append("fired on " + ", ".join(sorted(surplus)))
    lacking = findings.lacking(work.found, work.facts, work.book).get(rule.id)
    if lacking is not None and "unjudged" not in case:
        parts.append("could not be judged for want of " + ", ".join(lacking))
    if lacking is None and "unjudged" in case:
        parts.append("was judged after all")
    return "; ".join(parts)


def _with_messages(work: Worked, rule: Rule) -> Iterator[tuple[Any, Any]]:
    for pair in work.found.broken:
        if pair[0].id == rule.id:
            alone = type(work.found)()
            alone.broken.append(pair)
            yield pair, findings.violations(alone, work.facts, work.book, work.result.corrected)[0]


def named_subject(rule: Rule, subject: Any) -> str:
    """A subject as cases name it, such as ``line 2``."""
    if rule.for_each == "line":
        return f"line {subject.given.number}"
    if rule.for_each == "administration":
        return f"administration {subject.given.id}"
    if rule.for_each == "encounter":
        return "encounter true"
    return f"{rule.for_each} {subject.code}"


def wanted(one: Mapping[str, str]) -> Said:
    """What a case expects: the subject's name, and parts of the message and of the fix."""
    said = [f"{key} {value}" for key, value in one.items() if key not in {"message", "fix"}]
    return " ".join(said), one.get("message", ""), one.get("fix", "")


def meets(got: Said, wanted: Said) -> bool:
    """Whether a finding is the one expected."""
    return got[0] == wanted[0] and wanted[1] in got[1] and wanted[2] in got[2]


def case_encounter(case: Mapping[str, Any], day: str) -> Encounter:
    """The encounter of a case: texts become what the contract asks; the model refuses the rest."""
    on = date.fromisoformat(str(case.get("date", day)))
    record: dict[str, Any] = {"id": "case", "setting": "facility", "date": on.isoformat()}
    for key, value in case.items():
        if key in _OWN or key == "date":
            continue
        if key == "administrations":
            record[key] = [
                {"id": f"a{n}", **_fields(one, Administration, on)}
                for n, one in enumerate(value, 1)
            ]
        elif key == "lines":
            record[key] = [{"number": n, **_line(one, on)} for n, one in enumerate(value, 1)]
        elif key == "supervision":
            record[key] = _fields(value, Supervision, on)
        else:
            record.update(_fields({key: value}, Encounter, on))
    return Encounter.model_validate(record)


def _line(one: Any, day: date) -> dict[str, Any]:
    if isinstance(one, dict):
        return _fields(one, ClaimLine, day)
    found = _LINE.fullmatch(one)
    if found is None:
        raise InputError(Fault("lines", "is no line of a case", "write CODE-MODIFIER xUNITS"))
    modifiers = [part for part in found[2].split("-") if part]
    return {"code": found[1], "modifiers": modifiers, "units": int(found[3] or 1)}


def _fields(record: Mapping[str, Any], model: type[BaseModel], day: date) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key, value in record.items():
        field = model.model_fields.get(key)
        if field is not None and key in _NUMBERS and isinstance(value, list):
            value = [_whole(one) for one in value]
        made[key] = value if field is None else _typed(value, kind_of(field.annotation).name, day)
    return made


def _whole(text: Any) -> Any:
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() else text


def _typed(value: Any, kind: str, day: date) -> Any:
    if not isinstance(value, str):
        return value
    readers: dict[str, Callable[[str], Any]] = {
        "flag": lambda text: {"true": True, "false": False}.get(text, text),
        "whole": _whole,
        "number": _number,
        "instant": lambda text: _instant(text, day),
    }
    if value == "null":
        return None
    reader = readers.get(kind)
    return value if reader is None else reader(value)


def _number(text: str) -> Any:
    return float(text) if re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,6})?", text) else text


def _instant(text: str, day: date) -> str:
    """A bare clock time falls on the case's date; ``+1 02:00`` is the next day's."""
    found = re.fullmatch(r"(?:\+([0-9]) )?([0-9]{1,2}:[0-9]{2})", text)
    if found is None:
        return text
    on = day + timedelta(days=int(found[1] or 0))
    return f"{on.isoformat()}T{found[2].zfill(5)}"


def failures(pack: Pack) -> list[CaseOutcome]:
    """Cases that did not do as they say; raises PackError where a rule has none."""
    bare = [rule for rule in pack.rules if not rule.cases]
    if bare:
        raise PackError([Fault(rule.place, "has no cases", "add some") for rule in bare])
    return [one for one in run_cases(pack) if one.problem]


_FRAME = """id: {id}
name: {name}
title: Say in one sentence what must hold.
severity: error
disposition: return
in_force: {{from: {day}}}
for_each: line
codes: {{administration: true}}
when: encounter.billed
require: line.units <= 1
message: "Line {{line.number}} bills {{line.units}} of {{line.code}}."
fix: "Say what to do about line {{line.number}}."
why: Say why it matters.
not_covered: Say where the rule is blind.
cites: [{source}]
cases:
  - name: one that breaks it
    lines: ["{code} x2"]
    expect: [{{line: 1}}]
  - name: one that holds
    lines: ["{code}"]
    expect: []
"""


def frame(room: str, name: str, pack: Pack) -> tuple[str, str]:
    """The path of a new rule inside a pack, and its text: it lints and passes as it stands.

    It takes the id after the room's last, so that no id is used twice. Raises UsageError for a room
    or name that will not do.
    """
    if room not in ROOMS:
        raise UsageError(Fault("ROOM", "is no room", did_you_mean(room, ROOMS)))
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
        raise UsageError(Fault("NAME", "is no rule name", "write lower-case words and hyphens"))
    if any(rule.name == name for rule in pack.rules):
        raise UsageError(Fault("NAME", "is taken", "choose another"))
    prefix, digit = pack.rules[0].id[:3], ROOMS[room]
    taken = [int(rule.id[4:]) for rule in pack.rules
             if rule.id[3] == digit and len(rule.id) == 6]  # fmt: skip
    key = f"{prefix}{digit}{max(taken, default=0) + 1:02d}"
    code = min(code for code, row in pack.codes.items()
               if row.administration and row.valid_to is None)  # fmt: skip
    text = _FRAME.format(id=key, name=name, day=pack.case_date, code=code,
                         source=min(pack.sources))  # fmt: skip
    return f"checks/{room}/{key}-{name}.yaml", text


def payer_rows(payer: Payer, pack: Pack) -> list[dict[str, Any]]:
    """What an overlay changes, as rows of kind, name, the base pack's value and the payer's."""
    names = {rule.id: f"{rule.id} {rule.name}" for rule in pack.rules}
    severities: dict[str, str] = {rule.id: rule.severity for rule in pack.rules}
    rows = [("policy", name, _plain(pack.policies[name].default), _plain(value))
            for name, value in payer.policies.items()]  # fmt: skip
    rows += [("severity", names[rule], severities[rule], severity)
             for rule, severity in payer.severity.items()]  # fmt: skip
    rows += [("off", names[rule], severities[rule], why) for rule, why in payer.off.items()]
    rows += [("own rule", f"{rule.id} {rule.name}", "none", f"{rule.severity}: {rule.title}")
             for rule in payer.rules]  # fmt: skip
    return [dict(zip(("kind", "name", "base", "payer"), row, strict=True)) for row in rows]


def _plain(value: Any) -> Any:
    """A policy's value as JSON has it."""
    if isinstance(value, frozenset):
        return sorted(value)
    return dict(value) if isinstance(value, Mapping) else value
