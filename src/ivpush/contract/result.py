"""What goes out: suggested lines, violations, questions and the claim to send instead.

Version 1 of the contract. The engine makes results, writers print them, and
``contract.result_tables`` takes its columns from the annotations here. Results are plain frozen
records; their docstrings become the published schema::

    result = Engine().check(encounter)
    result.status                                   # "violations", "needs_chart" or "clean"
    [line.code for line in result.suggested]
    Result.from_json(result.to_json()) == result
"""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from html import escape
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError
from pydantic.json_schema import SkipJsonSchema

from ivpush._version import __version__
from ivpush.contract.coverage import Coverage, checked_rows, unchecked_rows
from ivpush.contract.encounter import ClaimLine
from ivpush.contract.faults import place_of
from ivpush.contract.fields import Setting
from ivpush.contract.line_text import code_and_units
from ivpush.errors import Fault, InputError, UsageError
from ivpush.plural import counted
from ivpush.timeline import Drawing, Timeline

__all__ = [
    "Answer",
    "Between",
    "Disposition",
    "Edit",
    "Equals",
    "LineVerdict",
    "NotBillable",
    "PackLayer",
    "PackStamp",
    "PolicySetting",
    "Question",
    "Result",
    "Safety",
    "Severity",
    "Source",
    "Status",
    "SuggestedLine",
    "Unjudged",
    "Violation",
    "Visit",
    "VisitMaker",
]

Severity = Literal["error", "warning", "info"]
Status = Literal["violations", "needs_chart", "clean"]
Safety = Literal["safe", "attest"]
"""What an edit rests on: ``safe``, the record proves it; ``attest``, a person must say so."""
Disposition = Literal["return", "reject_line", "deny_line", "needs_documentation", "informational"]


@dataclass(frozen=True, slots=True)
class PackLayer:
    """One pack of the stack: the base pack, or a folder of further rules upon it.

    ``version`` is what the pack says of itself; ``hash`` follows from the bytes of its files.
    """

    name: str
    version: str | None
    hash: str


PolicySetting = str | bool | int | tuple[str, ...] | dict[str, int]
"""What a policy can be set to: a choice, a flag, a number, words, or units by code."""


@dataclass(frozen=True, slots=True)
class PackStamp:
    """Which rules spoke: the packs, the payer's overlay, the date, and policies set otherwise.

    ``policies`` holds those that the payer or the caller set otherwise than by default.
    """

    layers: tuple[PackLayer, ...]
    payer: str | None
    in_force_on: dt.date | None
    policies: dict[str, PolicySetting]

    @property
    def name(self) -> str:
        """The names of the packs, from the base up."""
        return "+".join(layer.name for layer in self.layers)

    @property
    def version(self) -> str:
        """The version of each pack, or the beginning of its hash where it states none."""
        return "+".join(layer.version or layer.hash[:12] for layer in self.layers)


@dataclass(frozen=True, slots=True)
class Source:
    """A source that a result cites: what it is, which edition was read, and when."""

    title: str
    publisher: str
    edition: str
    url: str | None
    checked: dt.date

    def __str__(self) -> str:
        stated = (self.title, self.publisher, self.edition, self.url)
        return ", ".join(text for text in stated if text)


@dataclass(frozen=True, slots=True)
class SuggestedLine:
    """One line that the chart supports: code, billing units, modifiers, and why."""

    code: str
    units: int
    modifiers: tuple[str, ...]
    date: dt.date | None
    administrations: tuple[str, ...]
    because: str
    cites: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NotBillable:
    """An administration that earns no line of its own, and why."""

    administration: str
    because: str
    cites: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Equals:
    """A fact that takes one value; ``field`` is its path in the encounter, or ``policy.NAME``."""

    field: str
    value: str | bool | int


@dataclass(frozen=True, slots=True)
class Between:
    """A number within bounds, both included (minutes); ``to`` None means without end."""

    field: str
    # ``from`` is a word of Python, so the field has another name and the JSON keeps it.
    low: Annotated[int, Field(alias="from")]
    high: Annotated[int | None, Field(alias="to")]


@dataclass(frozen=True, slots=True)
class Answer:
    """What would be suggested if the open fact were so.

    Of a missing stop ``changes`` says in words what is billed otherwise than meanwhile, and the
    last answer also what still longer runs bill; a line that is suggested meanwhile, or by an
    answer before, gives no reason and no source again. Answers about other facts have no changes.
    """

    when: Annotated[Equals | Between, Field(alias="if")]
    suggested: tuple[SuggestedLine, ...]
    changes: Annotated[str | None, Field(exclude_if=lambda value: value is None)] = None


@dataclass(frozen=True, slots=True)
class Question:
    """One fact that the chart leaves open and that decides what is billed."""

    administration: str | None
    missing: str
    who: str
    ask: str
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of the claim: these lines, replaced by those.

    ``safety`` is ``safe`` where the chart and the claim prove it, and ``attest`` where a person
    must say first that it is so; the corrected claim holds safe edits only.
    """

    before: tuple[ClaimLine, ...]
    after: tuple[ClaimLine, ...]
    safety: Safety = "safe"


@dataclass(frozen=True, slots=True)
class Violation:
    """One rule that the encounter breaks, with its mend and its source.

    ``folds`` are the rules whose findings on the same line merely follow from this one, or on a
    line that the chart supports just as billed.
    ``fingerprint`` is the same for the same rule on the same line of a later claim: it follows from
    the rule, the line's code and modifiers, and which of equal lines it is.
    """

    rule: str
    name: str
    severity: Severity
    disposition: Disposition
    line: int | None
    administrations: tuple[str, ...]
    message: str
    fix: str
    evidence: tuple[str, ...]
    edit: Edit | None
    folds: tuple[str, ...]
    fingerprint: str
    carc: str | None
    rarc: str | None
    cites: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unjudged:
    """A rule that could not be judged, and the facts it lacked."""

    rule: str
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LineVerdict:
    """How one billed line compares with the chart; ``suggested`` holds positions in the result."""

    number: int
    status: Literal["matched", "changed", "unsupported", "outside"]
    suggested: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Visit:
    """What a result is about: which claim, its lines as billed, and the chart as it was coded.

    ``lines`` is None where no claim came. ``drawing`` is what ``Result.timeline`` draws.
    """

    setting: Setting
    lines: tuple[ClaimLine, ...] | None
    drawing: Drawing


VisitMaker = Callable[["Result", bool], Visit]
"""Makes the visit of a result; the flag says whether it may hold the chart's own words."""


def _left_out(_read: object) -> None:
    """What no document holds, whatever stands there."""


@dataclass(frozen=True, slots=True, repr=False)
class Result:
    """Everything ivpush has to say about one encounter.

    ``corrected`` is the claim to send instead: checked with the same chart it raises no error. It
    is None where it is withheld, and ``withheld`` then says why. ``checked`` is what it was checked
    against, None where nobody asked for it; so is ``visit``, what it is about. ``schema`` is the
    version of the contract, ``ivpush`` that of the program.
    """

    schema: Literal[1] = field(default=1, kw_only=True)
    ivpush: str = field(default=__version__, kw_only=True)
    encounter: str
    pack: PackStamp
    status: Status
    suggested: tuple[SuggestedLine, ...]
    not_billable: tuple[NotBillable, ...]
    questions: tuple[Question, ...]
    violations: tuple[Violation, ...]
    unjudged: tuple[Unjudged, ...]
    lines: tuple[LineVerdict, ...]
    corrected: tuple[ClaimLine, ...] | None
    withheld: str | None = None
    checked: Coverage | None = None
    visit: Visit | None = None
    # The encounter stays with its result until a drawing is asked for. It goes into no document and
    # no pickle, and two results that say the same are equal.
    make_visit: Annotated[
        SkipJsonSchema[VisitMaker | None], BeforeValidator(_left_out), Field(exclude=True)
    ] = field(default=None, compare=False, kw_only=True)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong and nothing is open: the status is ``clean``."""
        return self.status == "clean"

    @property
    def errors(self) -> tuple["Violation", ...]:
        """What a payer would deny or return, or what the chart does not support."""
        return self._of("error")

    @property
    def warnings(self) -> tuple["Violation", ...]:
        """What is worth a second look: missed charges, and what the record lacks."""
        return self._of("warning")

    @property
    def notes(self) -> tuple["Violation", ...]:
        """Advice: findings of severity ``info``."""
        return self._of("info")

    def _of(self, severity: Severity) -> tuple["Violation", ...]:
        return tuple([each for each in self.violations if each.severity == severity])

    def by_line(self) -> dict[int | None, tuple["Violation", ...]]:
        """The findings of each billed line by its number; those of the whole under None."""
        lines: dict[int | None, list[Violation]] = {}
        for violation in self.violations:
            lines.setdefault(violation.line, []).append(violation)
        return {number: tuple(found) for number, found in lines.items()}

    @property
    def cites(self) -> tuple[str, ...]:
        """The sources of all that it says, each once; ``Engine.sources`` resolves them."""
        answers = [line for each in self.questions for a in each.answers for line in a.suggested]
        cited = [each.cites for each in (*self.suggested, *answers)]
        cited += [each.cites for each in self.not_billable]
        cited += [each.cites for each in self.violations]
        return tuple(sorted({name for names in cited for name in names}))

    def to_json(self, *, indent: int | None = None) -> bytes:
        """The result as UTF-8 JSON with the names of the contract; same result, same bytes."""
        return result_adapter().dump_json(self, indent=indent, by_alias=True)

    def to_dict(self) -> dict[str, Any]:
        """The result as plain JSON-like Python data."""
        plain: dict[str, Any] = result_adapter().dump_python(self, mode="json", by_alias=True)
        return plain

    @classmethod
    def from_json(cls, text: str | bytes) -> "Result":
        """A result read back from its JSON.

        Raises InputError, which names fields and no value, where it is none.
        """
        try:
            return result_adapter().validate_json(text)
        except ValidationError as error:
            faults = [
                Fault(
                    place_of(each["loc"]) or "the result",
                    "is not what a result holds",
                    "write it with to_json",
                )
                for each in error.errors()
            ]
        # Outside of ``except``, so that the traceback holds no pydantic error with its values.
        raise InputError(faults)

    def __repr__(self) -> str:
        # Counts only: a result names codes and findings, and reprs end up in logs.
        return (
            f"Result(status={self.status!r}, suggested={len(self.suggested)}, "
            f"violations={len(self.violations)}, questions={len(self.questions)})"
        )

    def timeline(self, *, show_text: bool = False) -> Timeline:
        """The chart drawn against the clock, as SVG, HTML or text.

        Drugs have the names of the drug table and sites are numbered, unless ``show_text`` asks for
        the chart's own words. Raises UsageError for a result that was read back, unless it holds
        its ``visit``: such a one is drawn as it was written.
        """
        if self.make_visit is not None:
            return Timeline(self.make_visit(self, show_text).drawing)
        if self.visit is not None:
            return Timeline(self.visit.drawing)
        remedy = "check the encounter again, or keep results with their visit: check(…, visit=True)"
        raise UsageError(Fault("the result", "holds no chart to draw", remedy))

    def text(self) -> str:
        """The result as a person reads it: codes, findings with their mends, questions."""
        return _text_of(self)

    def __str__(self) -> str:
        return _text_of(self)

    def _repr_html_(self) -> str:
        """What a notebook shows: the codes to bill, the findings as a table, and the timeline."""
        return _html_of(self)


@cache
def result_adapter() -> TypeAdapter[Result]:
    """The pydantic adapter that writes, reads and describes results; built on first use."""
    # Kept by ``cache``: to build it takes far longer than to write one result.
    return TypeAdapter(Result)


# The result in words, and as a table of a notebook


_WORDS: dict[Severity, str] = {"error": "error", "warning": "warning", "info": "note"}


def _text_of(result: Result) -> str:
    """The result as plain text: what to bill, what is wrong, what is open, what to send instead."""
    return "\n".join(
        [
            f"{result.encounter}: {result.status}; {_counts(result)}",
            *_section("BILL", (_suggested(line) for line in result.suggested)),
            *_section("NOT BILLABLE", _not_billable(result)),
            *_section("WRONG", (_violation(each) for each in result.violations)),
            *_section("OPEN QUESTIONS", (_question(each) for each in result.questions)),
            *_section("SEND INSTEAD", _instead(result)),
            *(_coverage(result.checked) if result.checked is not None else ()),
        ]
    )


def _html_of(result: Result) -> str:
    """The findings as an HTML table below the codes to bill; every text is escaped."""
    billed = ", ".join(code_and_units(line) for line in result.suggested)
    if not billed:
        billed = "not known yet" if _is_unsettled(result) else "nothing"
    rows = "".join(_row(each) for each in result.violations)
    heads = "".join(f"<th>{name}</th>" for name in ("line", "severity", "rule", "message", "fix"))
    table = f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>" if rows else ""
    head = f"{result.encounter}: {result.status}; {_counts(result)}"
    return f"<p><b>{escape(head)}</b><br>Bill: {escape(billed)}</p>{table}{_drawn(result)}"


def _drawn(result: Result) -> str:
    if result.make_visit is None and result.visit is None:
        return ""
    timeline = result.timeline()
    return timeline.html() if timeline.drawing.given else ""


def _is_unsettled(result: Result) -> bool:
    """Whether something is open, or no chart came: a claim has no verdicts on its lines then."""
    has_claim = result.corrected is None or bool(result.corrected)
    return result.status == "needs_chart" or (has_claim and not result.lines)


def _row(violation: Violation) -> str:
    line = "" if violation.line is None else str(violation.line)
    rule = f"{violation.rule} {violation.name}"
    cells = (line, _WORDS[violation.severity], rule, violation.message, violation.fix)
    return "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"


def _counts(result: Result) -> str:
    counts = Counter(each.severity for each in result.violations)
    parts = [counted(counts[severity], word) for severity, word in _WORDS.items()]
    return ", ".join((*parts, counted(len(result.questions), "question")))


def _section(title: str, lines: Iterable[str]) -> list[str]:
    rows = [f"  {line}" for line in lines]
    return [title, *rows] if rows else []


def _coverage(coverage: Coverage) -> list[str]:
    checked = _section("CHECKED", checked_rows(coverage))
    return [*checked, *_section("NOT CHECKED", unchecked_rows(coverage))]


def _suggested(line: SuggestedLine) -> str:
    return f"{code_and_units(line)}: {line.because}"


def _not_billable(result: Result) -> Iterator[str]:
    for each in result.not_billable:
        yield f"{each.administration}: {each.because}"


def _violation(violation: Violation) -> str:
    place = "the encounter" if violation.line is None else f"line {violation.line}"
    what = f"{_WORDS[violation.severity]} {violation.rule} {violation.name}"
    return f"{place}: {what}: {violation.message} -> {violation.fix}"


def _question(question: Question) -> str:
    return f"{question.ask} (ask {question.who})"


def _instead(result: Result) -> Iterator[str]:
    if result.corrected is None:
        yield result.withheld or "nothing"
    # A claim that is right already is told by its status.
    elif result.errors:
        yield ", ".join(code_and_units(line) for line in result.corrected) or "nothing"
