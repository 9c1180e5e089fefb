"""One rule: read from its YAML mapping, checked whole, ready to run.

``Pack`` reads the files of ``checks/`` with it, and ``pack.payers`` the rules of an overlay. What
each key may hold stands in ``shapes.rules``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple, get_args

from ivpush.contract.result import Disposition, Safety, Severity
from ivpush.errors import Fault
from ivpush.language.compiler import Compiled, compile_rule
from ivpush.language.messages import Template, parse_template
from ivpush.language.parser import parse
from ivpush.pack.checked import read_shape
from ivpush.pack.codes import Choice, choice_of, chosen
from ivpush.pack.edits import RuleEdit, read_edit
from ivpush.pack.files import Faults, KeyPath, Say, Sheet, Yaml, mappings_of
from ivpush.pack.known import Known
from ivpush.pack.later import Later
from ivpush.pack.shapes.rules import RuleFrame, Subject
from ivpush.records import record

__all__ = [
    "KEYS",
    "ROOMS",
    "SUBJECTS",
    "Case",
    "Rule",
    "Words",
    "read_pins",
    "read_rule",
]

KEYS = (*RuleFrame.model_fields, "cases")
ROOMS = {
    "roles": "1",
    "time": "2",
    "category": "3",
    "supervision": "4",
    "sites": "5",
    "edits": "6",
    "record": "7",
    "drug": "8",
    "capture": "9",
}
"""The rooms of ``checks/``, and the first digit of the ids of the rules in each."""
SUBJECTS: tuple[str, ...] = get_args(Subject)
Case = Mapping[str, Yaml]
"""A case of a rule as its file writes it; ``authoring.cases`` makes an encounter of it."""


class Words(NamedTuple):
    """The words of a rule's findings."""

    message: Template
    fix: Template
    fix_otherwise: Template | None
    """The fix in other words, where a path of ``fix`` is unknown."""


@record
class Rule:
    """One rule of the pack, with its compiled judgement."""

    id: str
    name: str
    title: str
    severity: Severity
    disposition: Disposition
    valid_from: date
    valid_to: date | None
    for_each: str
    codes: frozenset[str] | None
    edit: RuleEdit | None
    safety: Safety
    follows_from: tuple[str, ...]
    carc: str | None
    rarc: str | None
    why: str
    not_covered: str
    cites: tuple[str, ...]
    cases: tuple[Case, ...]
    judgement: Later[Compiled]
    words: Later[Words]
    texts: Mapping[str, str]
    place: str
    asked: Choice | None = None
    """Its choice of codes as written: any, a list, or words by column."""
    pins: tuple[Case, ...] = ()
    """Cases that stand in a file beside the rule's, ``IVPnnn-name.pins.yaml``."""

    @property
    def compiled(self) -> Compiled:
        """Its judgement."""
        return self.judgement.get()

    @property
    def message(self) -> Template:
        """What its findings say."""
        return self.words.get().message

    def fix_for(self, e: object, s: object, p: object, l: object) -> str:  # noqa: E741 - named as generated code
        """The fix of one finding, in the wording that its facts allow."""
        _, fix, otherwise = self.words.get()
        # A fix with "not stated" in it would tell nobody what to do.
        if otherwise is not None and not fix.complete(e, s, p, l):
            return otherwise.render(e, s, p, l)
        return fix.render(e, s, p, l)

    @property
    def every_case(self) -> tuple[Case, ...]:
        """The cases that a reader is shown, then those that only hold the rule fast."""
        return (*self.cases, *self.pins)

    def in_force(self, day: date) -> bool:
        """Whether the rule applies to services of a day."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


def read_rule(
    sheet: Sheet,
    known: Known,
    say: Say,
    pins: tuple[Case, ...] = (),
) -> Rule | None:
    """The rule of one file; every fault is said, and None returned if there is any."""
    if known.checked:
        checked = read_shape(sheet, RuleFrame, say, known)
        return rule_of(checked, sheet, known) if checked is not None else None
    from ivpush.pack.shapes.cases import RuleShape  # noqa: PLC0415  (no check needs cases)

    faults = Faults()
    shape = read_shape(sheet, RuleShape, faults.say, known)
    _check_order(sheet, faults.say)
    _check_names(sheet, faults.say)
    for fault in faults.found:
        say(fault)
    # A rule out of order or under a wrong name is refused whole: half a rule must not run.
    if shape is None or faults.found:
        return None
    return rule_of(shape, sheet, known, pins=pins)


def rule_of(
    shape: RuleFrame,
    sheet: Sheet,
    known: Known,
    *,
    path: KeyPath = (),
    pins: tuple[Case, ...] = (),
) -> Rule | None:
    """The rule of a mapping at a path of a sheet, once its shape is right."""
    texts = _texts(shape)
    read = _later(shape, texts, known) if known.checked else _read(shape, known)
    if read is None:
        return None
    judgement, words = read
    denial = shape.denial
    asked = choice_of(shape.codes)
    return Rule(
        id=shape.id,
        name=shape.name,
        title=shape.title,
        severity=shape.severity,
        disposition=shape.disposition,
        valid_from=shape.in_force.low,
        valid_to=shape.in_force.high,
        for_each=shape.for_each,
        codes=chosen(asked, known.cells),
        edit=read_edit(shape.edit),
        # Only edits that add a modifier must say it (``RuleShape``); others rest on the record.
        safety=shape.safety or "safe",
        follows_from=shape.follows_from,
        carc=denial.carc if denial is not None else None,
        rarc=denial.rarc if denial is not None else None,
        why=shape.why,
        not_covered=shape.not_covered,
        cites=shape.cites,
        cases=mappings_of(sheet.at((*path, "cases"))),
        judgement=judgement,
        words=words,
        texts=texts,
        place=sheet.place(path),
        asked=asked,
        pins=pins,
    )


_Read = tuple[Later[Compiled], Later[Words]]


def _read(shape: RuleFrame, known: Known) -> _Read | None:
    """What its texts say; None where the shape could not read them, and that is said already."""
    require, message, fix = shape.require.tree, shape.message.template, shape.fix.template
    # Without the vocabulary or a subject no text was parsed.
    if known.names is None or require is None or message is None or fix is None:
        return None
    when = shape.when.tree if shape.when is not None else None
    otherwise = shape.fix_otherwise.template if shape.fix_otherwise is not None else None
    compiled = compile_rule(when, require, known.names, shape.id)
    return Later.of(compiled), Later.of(Words(message, fix, otherwise))


def _later(shape: RuleFrame, texts: Mapping[str, str], known: Known) -> _Read | None:
    """What its texts say, which were checked before: they are read when they are asked for."""
    names, subject = known.names, shape.for_each
    if names is None:
        return None

    def judgement() -> Compiled:
        when = parse(texts["when"], names, subject) if "when" in texts else None
        return compile_rule(when, parse(texts["require"], names, subject), names, shape.id)

    def template(key: str) -> Template:
        return parse_template(" ".join(texts[key].split()), names, subject)

    def words() -> Words:
        otherwise = template("fix_otherwise") if "fix_otherwise" in texts else None
        return Words(template("message"), template("fix"), otherwise)

    return Later(judgement), Later(words)


def read_pins(sheet: Sheet, known: Known, say: Say) -> tuple[Case, ...]:
    """The cases of one ``IVPnnn-name.pins.yaml``, which must name the rule of its own name."""
    from ivpush.pack.shapes.cases import PinsFile  # noqa: PLC0415

    shape = read_shape(sheet, PinsFile, say, known)
    if shape is None:
        return ()
    # IVPnnn-name.pins.yaml: the id is what stands before the first hyphen.
    rule = sheet.name.rpartition("/")[2].partition("-")[0]
    if shape.rule != rule:
        problem = f"rule: is not {rule}, which the file is named after"
        say(Fault(sheet.place(("rule",)), problem, f"write {rule}, or rename the file"))
    return mappings_of(sheet.at(("cases",)))


def _texts(shape: RuleFrame) -> dict[str, str]:
    """The rule's own words by key: people read them, and not the trees."""
    written = {
        "when": shape.when,
        "require": shape.require,
        "message": shape.message,
        "fix": shape.fix,
        "fix_otherwise": shape.fix_otherwise,
    }
    return {key: part.text for key, part in written.items() if part is not None}


def _check_order(sheet: Sheet, say: Say) -> None:
    """Say the first key that stands too late: rules are read side by side, so all in one order."""
    # Unknown keys are a fault of their own and have no place in the order.
    written = [key for key in sheet.mapping if key in KEYS]
    ordered = sorted(written, key=KEYS.index)
    if written != ordered:
        late = next(key for key, right in zip(written, ordered, strict=True) if key != right)
        order = "order them: " + ", ".join(KEYS)
        say(Fault(sheet.place((late,), key=True), "keys are out of order", order))


def _check_names(sheet: Sheet, say: Say) -> None:
    """Say where the id and the name of a rule differ from its file's name and room."""
    key, name = sheet.mapping.get("id"), sheet.mapping.get("name")
    if not isinstance(key, str) or not isinstance(name, str):
        return
    *_, room, file = ["", *sheet.name.split("/")]
    if file != f"{key}-{name}.yaml":
        problem = "id: differs from the file's name"
        say(Fault(sheet.place(("id",)), problem, f"name the file {key[:60]}-{name[:60]}.yaml"))
    # Overlays and further packs may keep rules elsewhere: only rooms fix the first digit.
    if room in ROOMS and key[3:4] != ROOMS[room]:
        problem = f"id: does not belong into the room {room}"
        say(Fault(sheet.place(("id",)), problem, f"begin its number with {ROOMS[room]}"))
