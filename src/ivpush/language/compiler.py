"""Turns checked expressions into functions: a rule's judge, what it lacked, what it looked at.

``pack`` compiles each rule when it is read; a book then fuses the rules of one billed code, or of
one kind of subject, into a single function (``fuse``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from ivpush.language.evidence import evidence_lines, place_of
from ivpush.language.printer import Printer, function
from ivpush.language.reduction import Settled, reduced
from ivpush.language.tree import Node, facts_in, loops_in
from ivpush.language.vocabulary import FactName, Names

__all__ = ["Compiled", "Judge", "Reduced", "Settled", "compile_rule", "fuse"]

Judge = Callable[[object, object, object, object], int]
"""Takes encounter, subject, policies and limits; 0 holds, 1 broken, 2 unknown."""


class Reduced(NamedTuple):
    """What is left to judge of a rule once some facts are settled."""

    when: Node | None
    require: Node

    def inlined(self, number: int, printer: Printer) -> list[str]:
        """Statements that append a broken rule's number to ``out``, or an unjudged one's ``~``."""
        lines: list[str] = []
        pad = ""
        if self.when is not None:
            text, pad = printer.print(self.when), "    "
            lines = [f"if {text}:"]
            if self.when.kind.nullable:
                lines = [f"w = {text}", f"if w is None: out.append({~number})", "elif w:"]
        text = printer.print(self.require)
        if self.require.kind.nullable:
            # ~n is -n - 1: negative for rule 0 too, where -n would not tell it apart.
            verdict = f"{~number} if r is None else {number}"
            lines += [f"{pad}r = {text}", f"{pad}if not r: out.append({verdict})"]
        else:
            lines.append(f"{pad}if not {text}: out.append({number})")
        return lines


class Compiled:
    """One rule ready to run; each of its functions is generated when it is first needed.

    In use::

        compiled = compile_rule(when, require, names, "IVP104")
        compiled.judge(encounter_facts, line_facts, book.policy, book.limits)  # 1: broken
        compiled.evidence(encounter_facts, line_facts, book.policy, book.limits)
    """

    __slots__ = (
        "_evidence",
        "_judge",
        "_label",
        "_looked_up",
        "_missing",
        "_names",
        "_require",
        "_when",
    )

    def __init__(self, when: Node | None, require: Node, names: Names, label: str) -> None:
        self._when, self._require, self._names, self._label = when, require, names, label
        self._judge: Judge | None = None
        self._missing: list[Callable[..., bool]] | None = None
        self._evidence: Callable[..., list[str]] | None = None
        self._looked_up: tuple[tuple[str, FactName], ...] | None = None

    @property
    def _parts(self) -> list[Node]:
        return [self._require] if self._when is None else [self._when, self._require]

    def reduced(self, settled: Settled) -> Reduced | None:
        """What is left of the rule under settled facts; None where they keep it from speaking.

        Either they make ``when`` false, or they make ``require`` true and ``when`` is never
        unknown.
        """
        when = None if self._when is None else reduced(self._when, self._names, settled)
        if when is not None and when.value is False:
            return None  # most rules end here, so what they require is not looked at before
        if when is not None and when.value is True:
            when = None
        require = reduced(self._require, self._names, settled)
        # An unknown ``when`` leaves the rule unjudged, and that is something to say.
        told_by_when = when is not None and when.kind.nullable
        if require.value is True and not told_by_when:
            return None
        return Reduced(when, require)

    def judge(self, e: object, s: object, p: object, l: object) -> int:  # noqa: E741 - named as generated code
        """0 where the rule holds or does not apply, 1 where it is broken, 2 where nobody knows."""
        if self._judge is None:
            self._judge = self._judging()
        return self._judge(e, s, p, l)

    def _judging(self) -> Judge:
        printer, lines = Printer(self._names), []
        if self._when is not None:
            text = printer.print(self._when)
            lines = [f"if not {text}: return 0"]
            if self._when.kind.nullable:
                # Where ``when`` is unknown the rule is unjudged, even if ``require`` holds.
                lines = [f"w = {text}", "if not w: return 0 if w is False else 2"]
        text = printer.print(self._require)
        if self._require.kind.nullable:
            lines += [f"r = {text}", "return 0 if r else 1 if r is False else 2"]
        else:
            lines.append(f"return 0 if {text} else 1")
        judge: Judge = function("judge", lines, printer, self._label)
        return judge

    def missing(
        self,
        e: object,
        s: object,
        p: object,
        l: object,  # noqa: E741 - named as generated code
        held: dict[str, bool] | None = None,
    ) -> dict[str, bool]:
        """The null facts for which the rule could not be judged, as paths in order.

        They are added to ``held`` where it is given.
        """
        if self._missing is None:
            self._missing = [self._lacking(part) for part in self._parts]
        held = {} if held is None else held
        for collect in self._missing:
            # What ``when`` lacks comes first: until it is known ``require`` may not even apply.
            if collect(e, s, p, l, held):
                break
        return held

    def _lacking(self, part: Node) -> Callable[..., bool]:
        printer = Printer(self._names)
        lines = ["found = False", *_missing_of([part], printer), "return found"]
        collect: Callable[..., bool] = function(
            "missing", lines, printer, self._label, "e, s, p, l, held"
        )
        return collect

    def evidence(self, e: object, s: object, p: object, l: object) -> tuple[str, ...]:  # noqa: E741 - named as generated code
        """Paths of the contract's fields that decided, of a rule that is broken."""
        if self._evidence is None:
            printer = Printer(self._names)
            lines = evidence_lines(self._when, self._require, printer)
            self._evidence = function("evidence", lines, printer, self._label)
        return tuple(dict.fromkeys(self._evidence(e, s, p, l)))

    @property
    def looked_up(self) -> tuple[tuple[str, FactName], ...]:
        """The facts that it reads from dated tables, each with its scope."""
        if self._looked_up is None:
            self._looked_up = tuple([each for each in self._facts() if each[1].tables])
        return self._looked_up

    def unknowns(self) -> list[tuple[str, FactName]]:
        """The facts that it reads and that may be unknown, each with its scope."""
        return [each for each in self._facts() if each[1].kind.nullable]

    def _facts(self) -> list[tuple[str, FactName]]:
        """Every fact that it reads, with its scope."""
        nodes = [node for part in self._parts for node in part.walk() if node.op == "fact"]
        return [(node.args[0].kind.scope or "", self._names.fact(node)) for node in nodes]

    @property
    def policies(self) -> frozenset[str]:
        """The policies that it reads."""
        nodes = [node for part in self._parts for node in part.walk()]
        return frozenset([node.name for node in nodes if node.op == "policy"])

    def __reduce__(self) -> tuple[type[Compiled], tuple[Node | None, Node, Names, str]]:
        # Generated functions cannot be pickled: the copy makes its own when it needs them.
        return Compiled, (self._when, self._require, self._names, self._label)


def fuse(rules: Sequence[Reduced], names: Names) -> Callable[..., list[int]]:
    """One function for many rules on one subject, of which ``policy`` and ``limits`` are settled.

    It takes the encounter, the subject and a memo of what was worked out about the encounter for
    other subjects (none: everything anew). It returns the positions of the rules that are broken,
    and the complements (``~n``, always negative) of those that could not be judged.
    """
    printer = Printer(names, memo=True)
    lines = ["out = []", "m = {} if m is None else m"]
    for number, rule in enumerate(rules):
        lines += rule.inlined(number, printer)
    judge: Callable[..., list[int]] = function(
        "screen", [*lines, "return out"], printer, "screen", "e, s, m=None"
    )
    return judge


def compile_rule(when: Node | None, require: Node, names: Names, label: str) -> Compiled:
    """A rule that generates its functions on first use; ``label`` names it in tracebacks."""
    return Compiled(when, require, names, label)


def _missing_of(nodes: Sequence[Node], printer: Printer) -> list[str]:
    """Statements that note in ``held`` each fact of some expressions that is null."""
    lines: list[str] = []
    for node in nodes:
        facts = {(fact.args[0], fact.name): fact for fact in facts_in(node)}
        for fact in facts.values():
            lines += _missing_fact(fact, printer)
        for loop in loops_in(node):
            lines += _in_loop(loop, _missing_of(loop.args[1:], printer), printer)
            lines += _missing_rows(loop, printer)
    return lines


def _missing_fact(node: Node, printer: Printer) -> list[str]:
    record = node.args[0]
    fact = printer.names.fact(node)
    if not fact.kind.nullable:
        return []
    text, guard = printer.print(record), ""
    if record.kind.nullable:
        temp = printer.temp()
        guard, text = f"({temp} := {text}) is not None and ", temp
    lines = [f"if {guard}{text}.{fact.path} is None:"]
    stated: list[str] = []
    # A derived fact lacks stated fields: those a person can fill in, the fact itself not.
    for lack in fact.lacks:
        # As in ``rests_on``: without a dot it is a field of the encounter.
        owner = text if lack.startswith(".") else "e"
        name = lack.removeprefix(".")
        place = place_of(record, name, printer, text) if owner == text else repr(name)
        lines.append(f"    if {owner}.given.{name} is None: held[{place}] = True")
        stated.append(f"{owner}.given.{name} is not None")
    # Where all of them are stated it is unknown by itself, as is a fact that lacks none.
    itself = f"held[{place_of(record, node.name, printer, text)}] = True"
    lines.append(f"    if {' and '.join(stated)}: {itself}" if stated else f"    {itself}")
    return [*lines, "    found = True"]


def _missing_rows(loop: Node, printer: Printer) -> list[str]:
    """Of no rows that count there is no least or most: the list itself is what is missing."""
    rows = loop.args[0]
    if loop.op not in {"min", "max"}:
        return []
    place = place_of(rows.args[0], rows.name, printer, printer.print(rows.args[0]))
    tests = [f"({printer.print(condition)})" for condition in loop.args[2:]]
    counts = " and ".join(tests) or "True"
    counted = f"[1 for v_{loop.name} in {printer.print(rows)} or () if {counts}]"
    return [f"if not {counted}: held[{place}] = found = True"]


def _in_loop(loop: Node, body: list[str], printer: Printer) -> list[str]:
    """Statements about a row, repeated for each row of a comprehension."""
    if not body:
        return []
    rows = printer.print(loop.args[0])
    # ``or ()``: where the list itself is unknown, it was noted before as a fact.
    return [f"for v_{loop.name} in {rows} or ():", *(f"    {line}" for line in body)]
