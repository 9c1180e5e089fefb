"""One rule: read from its YAML mapping, checked whole, ready to run."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, get_args

from ivpush.contract.result import Disposition, Severity
from ivpush.errors import Fault, did_you_mean
from ivpush.language.compiler import Compiled, compile_rule
from ivpush.language.messages import Template, parse_template
from ivpush.language.parser import parse
from ivpush.language.tree import ExpressionError, Node
from ivpush.language.vocabulary import Names
from ivpush.pack.codes import COLUMNS, CodeRow, cells_of, read_window, selected
from ivpush.pack.files import Say, Sheet

__all__ = [
    "KEYS",
    "OPTIONAL",
    "ROOMS",
    "SUBJECTS",
    "Known",
    "Rule",
    "read_pins",
    "read_rule",
]

KEYS = ("id", "name", "title", "severity", "disposition", "in_force", "for_each", "codes", "when",
        "require", "message", "fix", "fix_otherwise", "edit", "denial", "why", "not_covered",
        "cites", "cases")  # fmt: skip
ROOMS = {"roles": "1", "time": "2", "category": "3", "supervision": "4", "sites": "5", "edits": "6",
         "record": "7", "drug": "8", "capture": "9"}  # fmt: skip
OPTIONAL = frozenset({"codes", "when", "fix_otherwise", "edit", "denial"})
SUBJECTS = ("line", "administration", "service", "suggestion", "encounter")


_PINS = ("rule", "cases")


@dataclass(frozen=True, slots=True)
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
    message: Template
    fix: Template
    edit: Any
    carc: str | None
    rarc: str | None
    why: str
    not_covered: str
    cites: tuple[str, ...]
    cases: tuple[Mapping[str, Any], ...]
    compiled: Compiled
    texts: Mapping[str, str]
    place: str
    asked: Any = None
    """Its choice of codes as written: any, a list, or words by column."""
    fix_otherwise: Template | None = None
    """The fix in other words, where a path of ``fix`` is unknown."""
    pins: tuple[Mapping[str, Any], ...] = ()
    """Cases that stand in a file beside the rule's, ``IVPnnn-name.pins.yaml``."""

    def fix_for(self, e: Any, s: Any, p: Any, l: Any) -> str:  # noqa: E741 - named as generated code
        """The fix of one finding, in the wording that its facts allow."""
        if self.fix_otherwise is not None and not self.fix.complete(e, s, p, l):
            return self.fix_otherwise.render(e, s, p, l)
        return self.fix.render(e, s, p, l)

    @property
    def every_case(self) -> tuple[Mapping[str, Any], ...]:
        """The cases that a reader is shown, then those that only hold the rule fast."""
        return (*self.cases, *self.pins)

    def in_force(self, day: date) -> bool:
        """Whether the rule applies to services of a day."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)

    def with_(self, **changes: Any) -> Rule:
        """The rule as an overlay changes it."""
        return replace(self, **changes)


@dataclass(frozen=True, slots=True)
class Known:
    """What a rule may refer to: the vocabulary, sources, codes, modifiers and denial codes."""

    names: Names
    sources: frozenset[str]
    codes: Mapping[str, CodeRow]
    modifiers: frozenset[str]
    denials: Mapping[tuple[str, str], bool]


def read_rule(
    sheet: Sheet, data: Any, known: Known, say: Say, path: tuple[int | str, ...] = ()
) -> Rule | None:
    """The rule of one mapping; every fault is said, and None returned if there is any."""
    faults: list[Fault] = []
    reader = _Reading(sheet, data, known, faults.append, path)
    rule = reader.rule()
    for fault in faults:
        say(fault)
    return rule if not faults else None


def read_pins(sheet: Sheet, say: Say) -> tuple[Mapping[str, Any], ...]:
    """The cases of one ``IVPnnn-name.pins.yaml``, which must name the rule of its own name."""
    data, rule = sheet.data, sheet.name.rpartition("/")[2].partition("-")[0]
    if not isinstance(data, dict):
        say(Fault(sheet.place(), "holds no cases", "write rule: and cases:"))
        return ()
    for key in data:
        if key not in _PINS:
            say(Fault(sheet.place((key,), key=True), f"unknown key '{key[:60]}'",
                      did_you_mean(key, _PINS)))  # fmt: skip
    for key in _PINS:
        if key not in data:
            say(Fault(sheet.place(), f"lacks the key '{key}'", "add it"))
    if data.get("rule", rule) != rule:
        say(Fault(sheet.place(("rule",)), f"rule: is not {rule}, which the file is named after",
                  f"write {rule}, or rename the file"))  # fmt: skip
    return _cases(sheet, ("cases",), data["cases"], say) if "cases" in data else ()


def _cases(
    sheet: Sheet, path: tuple[int | str, ...], cases: Any, say: Say
) -> tuple[Mapping[str, Any], ...]:
    """A list of cases, each with its name and what it expects."""
    if not isinstance(cases, list) or not all(isinstance(case, dict) for case in cases):
        say(Fault(sheet.place(path), "cases: is no list of cases", "write - name: …"))
        return ()
    for number, case in enumerate(cases, 1):
        for key in ("name", "expect"):
            if key not in case:
                place = sheet.place((*path, number - 1))
                say(Fault(place, f"cases: case {number} lacks '{key}'", "add it"))
    return tuple(cases)


class _Reading:
    """One mapping being read."""

    def __init__(
        self, sheet: Sheet, data: Any, known: Known, say: Say, path: tuple[int | str, ...]
    ) -> None:
        self.sheet, self.data, self.known, self.say, self.path = sheet, data, known, say, path

    def fault(self, key: str, problem: str, remedy: str = "", *more: int | str) -> None:
        place = self.sheet.place((*self.path, key, *more))
        self.say(Fault(place, f"{key}: {problem}", remedy))

    def text(self, key: str, most: int = 600) -> str:
        value = self.data.get(key)
        if not isinstance(value, str) or not value.strip():
            if key in self.data:
                self.fault(key, "is not text", "write a sentence")
            return ""
        if len(value) > most:
            self.fault(key, f"is longer than {most} characters", "shorten it")
        return " ".join(value.split())

    def word(self, key: str, words: Iterable[str]) -> str:
        value = self.data.get(key)
        if value not in (known := tuple(words)) and key in self.data:
            self.fault(
                key, f"'{str(value)[:60]}' is not among its words", did_you_mean(str(value), known)
            )
        return str(value)

    def rule(self) -> Rule | None:
        if not isinstance(self.data, dict):
            self.say(Fault(self.sheet.place(self.path), "is no rule", "write a mapping"))
            return None
        self.keys()
        subject = self.word("for_each", SUBJECTS)
        if subject not in SUBJECTS:
            return None
        low, high = date(1984, 1, 1), None
        if "in_force" in self.data:
            low, high = read_window(
                self.data["in_force"], self.sheet.place((*self.path, "in_force")), self.say
            )
        require = self.expression("require", subject)
        when = self.expression("when", subject) if "when" in self.data else None
        message, fix = self.template("message", subject), self.template("fix", subject)
        otherwise = None
        if "fix_otherwise" in self.data:
            otherwise = self.template("fix_otherwise", subject)
        carc, rarc = self.denial()
        key, name, title = self.identity()
        self.word("severity", get_args(Severity))
        self.word("disposition", get_args(Disposition))
        codes, edit, cites, cases = self.codes(subject), self.edit(), self.cites(), self.cases()
        why, blind = self.text("why", 1_200), self.text("not_covered", 1_200)
        if require is None or message is None or fix is None:
            return None
        written = ("when", "require", "message", "fix", "fix_otherwise")
        texts = {name: self.data[name] for name in written if name in self.data}
        return Rule(
            key, name, title, self.data.get("severity", "error"),
            self.data.get("disposition", "return"), low, high, subject, codes, message, fix, edit,
            carc, rarc, why, blind, cites, cases,
            compile_rule(when, require, self.known.names, key), texts, self.sheet.place(self.path),
            self.data.get("codes"), otherwise,
        )  # fmt: skip

    def keys(self) -> None:
        for key in self.data:
            if key not in KEYS:
                place = self.sheet.place((*self.path, key), key=True)
                self.say(Fault(place, f"unknown key '{key[:60]}'", did_you_mean(key, KEYS)))
        for key in KEYS:
            if key not in self.data and key not in OPTIONAL:
                self.say(Fault(self.sheet.place(self.path), f"lacks the key '{key}'", "add it"))
        known = [key for key in self.data if key in KEYS]
        if known != sorted(known, key=KEYS.index):
            late = next(
                k for k, s in zip(known, sorted(known, key=KEYS.index), strict=True) if k != s
            )
            self.say(Fault(self.sheet.place((*self.path, late), key=True),
                           "keys are out of order", "order them: " + ", ".join(KEYS)))  # fmt: skip

    def identity(self) -> tuple[str, str, str]:
        key, name, title = self.text("id"), self.text("name"), self.text("title")
        if not re.fullmatch(r"[A-Z]{3}[0-9]{3,4}", key):
            self.fault("id", "is no rule id", "write three capitals and three or four digits")
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
            self.fault("name", "is no rule name", "write lower-case words joined by hyphens")
        if not title.endswith(".") or ". " in title:
            self.fault("title", "is not one sentence", "write one, with its full stop")
        file = self.sheet.name.rpartition("/")[2]
        if not self.path and file != f"{key}-{name}.yaml":
            self.fault("id", "differs from the file's name", f"name the file {key}-{name}.yaml")
        room = self.sheet.name.split("/")[-2] if "/" in self.sheet.name else ""
        if not self.path and room in ROOMS and key[3:4] != ROOMS[room]:
            self.fault(
                "id", f"does not belong into the room {room}", f"begin it with {ROOMS[room]}"
            )
        return key, name, title

    def expression(self, key: str, subject: str) -> Node | None:
        text = self.data.get(key)
        if not isinstance(text, str):
            if key in self.data:
                self.fault(key, "is no expression", "write one line of text")
            return None
        try:
            return parse(text, self.known.names, subject)
        except ExpressionError as error:
            self.fault(key, f"column {error.column}: {error.problem}", error.remedy)
            return None

    def template(self, key: str, subject: str) -> Template | None:
        text = self.text(key)
        try:
            return parse_template(text, self.known.names, subject) if text else None
        except ExpressionError as error:
            self.fault(key, f"column {error.column}: {error.problem}", error.remedy)
            return None

    def codes(self, subject: str) -> frozenset[str] | None:
        asked = self.data.get("codes")
        if subject != "line":
            if asked is not None:
                self.fault("codes", "belongs to rules for each line only", "delete it")
            return None
        if asked == "any":
            return None
        if isinstance(asked, list):
            for n, code in enumerate(asked):
                if code not in self.known.codes:
                    self.fault("codes", f"'{str(code)[:20]}' is in no row of codes.yaml",
                               did_you_mean(str(code), self.known.codes), n)  # fmt: skip
            return frozenset(map(str, asked))
        if not isinstance(asked, dict) or not asked:
            self.fault(
                "codes", "is missing", "write any, a list, or columns such as {role: [initial]}"
            )
            return frozenset()
        wanted: dict[str, frozenset[str]] = {}
        for column, words in asked.items():
            if column not in COLUMNS:
                self.fault(
                    "codes", f"unknown column '{column[:40]}'", did_you_mean(column, COLUMNS)
                )
                continue
            wanted[column] = frozenset(words if isinstance(words, list) else [words])
            held = {one for row in self.known.codes.values() for one in cells_of(row, column)}
            for word in wanted[column] - held:
                self.fault("codes", f"no row has {column} '{word[:40]}'", did_you_mean(word, held))
        return selected(wanted, self.known.codes)

    def edit(self) -> Any:
        edit = self.data.get("edit")
        if edit in (None, "remove", "corrected") or edit == {"code": "successor"}:
            return edit
        kinds = self.known.modifiers | {"separate"}
        if isinstance(edit, dict) and len(edit) == 1:
            ((verb, kind),) = edit.items()
            if verb in {"add_modifier", "drop_modifiers"}:
                if kind not in kinds:
                    self.fault("edit", f"'{str(kind)[:40]}' is no kind of modifier",
                               did_you_mean(str(kind), kinds))  # fmt: skip
                return edit
        self.fault("edit", "is no edit", "write remove, corrected, {add_modifier: KIND}, "
                   "{drop_modifiers: KIND} or {code: successor}")  # fmt: skip
        return None

    def denial(self) -> tuple[str | None, str | None]:
        denial = self.data.get("denial")
        if denial is None:
            return None, None
        if not isinstance(denial, dict) or set(denial) - {"carc", "rarc"}:
            self.fault("denial", "is no denial", "write {carc: …, rarc: …}")
            return None, None
        for kind, code in denial.items():
            active = self.known.denials.get((kind.upper(), code))
            if not active:
                state = "is not known" if active is None else "has ended"
                self.fault(
                    "denial", f"{kind.upper()} '{str(code)[:10]}' {state}", "use an active one"
                )
        return denial.get("carc"), denial.get("rarc")

    def cites(self) -> tuple[str, ...]:
        cites = self.data.get("cites")
        if not isinstance(cites, list) or not cites:
            if "cites" in self.data:
                self.fault("cites", "names no source", "list ids of sources.yaml")
            return ()
        for n, one in enumerate(cites):
            if one not in self.known.sources:
                self.fault("cites", f"'{str(one)[:60]}' is in no row of sources.yaml",
                           did_you_mean(str(one), self.known.sources), n)  # fmt: skip
        return tuple(map(str, cites))

    def cases(self) -> tuple[Mapping[str, Any], ...]:
        if "cases" not in self.data:
            return ()
        cases = _cases(self.sheet, (*self.path, "cases"), self.data["cases"], self.say)
        fires = [bool(case.get("expect")) for case in cases]
        if cases and (True not in fires or False not in fires):
            self.fault("cases", "lacks a case that breaks the rule or one that holds", "add it")
        return cases
