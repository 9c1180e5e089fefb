"""The shapes of a rule file, of its pins, and of a payer's overlay.

``pack.rule`` and ``pack.payers`` read them, and ``authoring.schema`` makes JSON Schemas of them.
Expressions and messages are parsed as the file is read, so that all faults of a file come at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Discriminator,
    Field,
    GetPydanticSchema,
    StringConstraints,
    Tag,
    ValidationInfo,
    WithJsonSchema,
    create_model,
    field_validator,
    model_validator,
)
from pydantic_core import CoreSchema
from pydantic_core import core_schema as cs

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler

from ivpush.contract.encounter import Administration, ClaimLine, Encounter, Supervision
from ivpush.contract.fields import JsonSchema, Setting
from ivpush.contract.result import Disposition, Safety, Severity
from ivpush.language.messages import Template, parse_template
from ivpush.language.parser import parse
from ivpush.language.tree import ExpressionError, Node
from ivpush.pack.shapes.words import (
    Cells,
    Cites,
    Day,
    Named,
    Prose,
    Rows,
    Shape,
    Source,
    Text,
    Value,
    Window,
    Written,
    wrong,
)

__all__ = [
    "CaseShape",
    "ColumnChoice",
    "EditChoice",
    "EditWord",
    "OverlayFile",
    "PinsFile",
    "RuleShape",
    "Subject",
]

Subject = Literal["line", "administration", "service", "suggestion", "encounter"]
Expected = Literal["line", "administration", "service", "suggestion", "encounter", "message", "fix"]

RuleId = Annotated[
    str,
    Written("[A-Z]{3}[0-9]{3,4}", "is no rule id", "write three capitals and three or four digits"),
]
# One digit is enough: IVP3 is all rules of the room, such as IVP301.
Cause = Annotated[
    str,
    Written("[A-Z]{3}[0-9]{1,4}", "is no rule id or room", "write such as IVP302, or IVP3"),
]
RuleName = Annotated[
    str,
    Written(
        "[a-z0-9]+(-[a-z0-9]+)*", "is no rule name", "write lower-case words joined by hyphens"
    ),
]
PayerId = Annotated[
    str, Written("[a-z0-9_]+", "is no id of a payer", "write small letters, digits and _")
]


def _one_sentence(text: str) -> str:
    text = " ".join(text.split())
    # Titles stand in lists and in SARIF, where one sentence is what is shown.
    if not text.endswith(".") or ". " in text:
        raise wrong("is not one sentence", "write one, with its full stop")
    return text


Title = Annotated[
    str,
    StringConstraints(strict=True, strip_whitespace=True, min_length=1, max_length=600),
    AfterValidator(_one_sentence),
]


class Expression(NamedTuple):
    """A test: as written, and its tree; None where it cannot be read for want of a subject."""

    text: str
    tree: Node | None


class Message(NamedTuple):
    """A message: as written, and its template; None where it has no subject to speak of."""

    text: str
    template: Template | None


def _expression(value: object, info: ValidationInfo) -> Expression:
    if not isinstance(value, str) or not value.strip():
        raise wrong("is no expression", "write one line of text")
    subject, names = info.data.get("for_each"), getattr(info.context, "names", None)
    # for_each was wrong itself, or an editor asks without a pack: nothing to check against.
    if subject is None or names is None:
        return Expression(value, None)
    try:
        return Expression(value, parse(value, names, subject))
    except ExpressionError as error:
        raise wrong(f"column {error.column}: {error.problem}", error.remedy) from None


def _message(value: object, info: ValidationInfo) -> Message:
    if not isinstance(value, str) or not value.strip():
        raise wrong("is not text", "write a sentence")
    if len(value) > _LONGEST:
        raise wrong(f"is longer than {_LONGEST} characters", "shorten it")
    subject, names = info.data.get("for_each"), getattr(info.context, "names", None)
    if subject is None or names is None:
        return Message(value, None)
    try:
        return Message(value, parse_template(" ".join(value.split()), names, subject))
    except ExpressionError as error:
        raise wrong(f"column {error.column}: {error.problem}", error.remedy) from None


def _text_schema(_schema: CoreSchema, _handler: GetJsonSchemaHandler) -> JsonSchema:
    return {"type": "string", "minLength": 1}


_LONGEST = 600
Test = Annotated[
    Expression,
    GetPydanticSchema(
        lambda _source, _handler: cs.with_info_plain_validator_function(_expression), _text_schema
    ),
]
Sentence = Annotated[
    Message,
    GetPydanticSchema(
        lambda _source, _handler: cs.with_info_plain_validator_function(_message), _text_schema
    ),
]


class ColumnChoice(Shape):
    """Codes by the words of their columns in codes.yaml: of each column named, one of the words."""

    family: Annotated[tuple[str, ...], Cells("family")] = ()
    """Families."""
    technique: Annotated[tuple[str, ...], Cells("technique")] = ()
    """Techniques."""
    role: Annotated[tuple[str, ...], Cells("role")] = ()
    """Roles."""
    variant: Annotated[tuple[str, ...], Cells("variant")] = ()
    """Variants."""
    settings: Annotated[tuple[str, ...], Cells("settings")] = ()
    """Kinds of claim that may bill them."""
    administration: Annotated[tuple[str, ...], Cells("administration")] = ()
    """Whether they give a drug or a fluid at all."""

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not self.model_fields_set:
            raise wrong("names no column", "write columns such as {role: [initial]}")
        return self


def _kind_of(value: object) -> str:
    """The tag of a union by the form of what is written; ``checked`` takes tags out of paths."""
    if isinstance(value, dict):
        return "<mapping>"
    # In angles, so that no key of a file can look like a tag.
    return "<list>" if isinstance(value, list) else "<text>"


Codes = Annotated[
    Annotated[Literal["any"], Tag("<text>")]
    | Annotated[tuple[Annotated[str, Named("codes")], ...], Field(min_length=1), Tag("<list>")]
    | Annotated[ColumnChoice, Tag("<mapping>")],
    Discriminator(_kind_of),
]


def _line_kind(value: object) -> str:
    return "<mapping>" if isinstance(value, dict) else "<text>"


Kind = Annotated[str, Named("kinds")]


class EditChoice(Shape):
    """An edit that names what it writes; one key only."""

    code: Literal["successor"] | None = None
    """Bill the code that replaced this one."""
    add_modifier: Kind | None = None
    """Add the modifier of a kind of modifiers.yaml, or of what makes the service separate."""
    drop_modifiers: Kind | None = None
    """Take the modifiers of a kind off."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        # Two edits of one line would depend on their order.
        if len(self.model_fields_set) != 1:
            raise wrong("is no edit", _EDITS)
        return self


_EDITS = (
    "write remove, corrected, {add_modifier: KIND}, {drop_modifiers: KIND} or {code: successor}"
)


def _edited(value: object) -> object:
    if not isinstance(value, dict) and value not in ("remove", "corrected"):
        raise wrong("is no edit", _EDITS)
    return value


EditWord = Literal["remove", "corrected"]
Edit = Annotated[
    Annotated[EditWord, Tag("<text>")] | Annotated[EditChoice, Tag("<mapping>")],
    Discriminator(_kind_of),
    BeforeValidator(_edited),
]


def _active(code: str, info: ValidationInfo) -> str:
    """A denial code that is known and has not ended."""
    denials = info.context.denials if info.context is not None else {}
    kind = str(info.field_name).upper()
    active = denials.get((kind, code))
    if denials and not active:
        state = "is not known" if active is None else "has ended"
        raise wrong(f"{kind} '{code[:10]}' {state}", "use an active one")
    return code


DenialCode = Annotated[Text, AfterValidator(_active)]


class Denial(Shape):
    """How payers deny what the rule finds."""

    carc: DenialCode | None = None
    """The claim adjustment reason code."""
    rarc: DenialCode | None = None
    """The remittance advice remark code."""


def _loose(model: type[BaseModel]) -> dict[str, Any]:
    """The fields of a model of the contract, each optional and as a case writes it: as text."""
    return {
        key: (Value, Field(default=None, description=field.description))
        for key, field in model.model_fields.items()
    }


LineText = Annotated[
    str,
    Written(
        "[A-Z0-9]{5}(-[A-Z0-9]{2})*( x[0-9]{1,6})?", "is no line", "write CODE-MODIFIER xUNITS"
    ),
]
_GivenShape: Any = create_model("GivenShape", __base__=Shape, **_loose(Administration))
_LineShape: Any = create_model("LineShape", __base__=Shape, **_loose(ClaimLine))
_StaffShape: Any = create_model("StaffShape", __base__=Shape, **_loose(Supervision))
_LineOrText: Any = Annotated[
    Annotated[LineText, Tag("<text>")] | Annotated[_LineShape, Tag("<mapping>")],
    Discriminator(_line_kind),
]
_FACTS: dict[str, Any] = {
    **{name: field for name, field in _loose(Encounter).items() if name != "id"},
    "date": (
        Day | None,
        Field(default=None, description="The date of service; else the pack's ``case_date``."),
    ),
    "administrations": (
        tuple[_GivenShape, ...] | None,
        Field(default=None, description="The chart; a bare clock time falls on the case's date."),
    ),
    "lines": (
        tuple[_LineOrText, ...] | None,
        Field(default=None, description="The lines billed: CODE-MODIFIER xUNITS, or a mapping."),
    ),
    "supervision": (
        _StaffShape | None,
        Field(default=None, description="Who supervised, and how."),
    ),
}


Scalar = Annotated[Text, WithJsonSchema({"type": ["string", "number", "boolean"]})]
"""Text, which editors take for a number or a flag where it looks like one."""


class CaseFrame(Shape):
    """One case: the facts of an encounter, and on what the rule must fire."""

    name: Text
    """What the case shows, in a few words; unique in its rule."""
    policies: dict[Annotated[str, Named("policies")], Value] = Field(default={})
    """Policies under which it is judged, beside the defaults."""
    expect: tuple[Annotated[dict[Expected, Scalar], Field(min_length=1)], ...]
    """The subjects on which the rule fires, such as ``{line: 2}``, with parts of the message."""
    unjudged: object = None
    """Facts for want of which the rule cannot judge; the key alone says that it cannot."""


if TYPE_CHECKING:
    CaseShape = CaseFrame
else:
    CaseShape = create_model("CaseShape", __base__=CaseFrame, __doc__=CaseFrame.__doc__, **_FACTS)


def _both(cases: tuple[CaseFrame, ...]) -> tuple[CaseFrame, ...]:
    # With cases of one kind a rule that always fires, or never, would pass them all.
    if {bool(case.expect) for case in cases} != {True, False}:
        raise wrong("lacks a case that breaks the rule or one that holds", "add it")
    return cases


class RuleShape(Shape):
    """One rule: what must hold, when, why, and the cases that show it."""

    id: RuleId
    """Three capitals and a number, never used twice."""
    name: RuleName
    """Reads as "allow NAME" and names the thing flagged."""
    title: Title
    """What must hold, in one sentence."""
    severity: Severity
    """How grave a finding is."""
    disposition: Disposition
    """What becomes of the claim."""
    in_force: Window
    """The dates of service to which the rule applies."""
    for_each: Subject
    """What the rule looks at, one by one."""
    # validate_default: a rule for each line that leaves it out must be refused too.
    codes: Codes | None = Field(default=None, validate_default=True)
    """Which lines it looks at: any, a list of codes, or words of columns of codes.yaml."""
    when: Test | None = None
    """When it applies; always, where it is left out."""
    require: Test
    """What must hold."""
    message: Sentence
    """What a finding says, with paths of the vocabulary in braces."""
    fix: Sentence
    """What to do about it."""
    fix_otherwise: Sentence | None = None
    """The fix in other words, where a path of ``fix`` is unknown."""
    edit: Edit | None = None
    """How the corrected claim mends it."""
    safety: Safety | None = Field(default=None, validate_default=True)
    """Whether the record proves the edit, or a person must say so; modifiers to add need it."""
    follows_from: tuple[Cause, ...] = ()
    """Rules whose finding on the same line explains this one: ids, or rooms such as IVP3."""
    denial: Denial | None = None
    """How payers deny what it finds."""
    why: Prose
    """Why it matters."""
    not_covered: Prose
    """Where the rule is blind."""
    cites: Cites
    """Sources of the rule."""
    cases: Annotated[
        tuple[CaseShape, ...], AfterValidator(_both), Field(json_schema_extra={"minItems": 2})
    ]
    """Cases: at least one that breaks the rule and one that holds."""

    @field_validator("safety", mode="after")
    @classmethod
    def _of_edits(cls, safety: Safety | None, info: ValidationInfo) -> Safety | None:
        """What adds a modifier says something of the care: the rule tells who proves it."""
        edit = info.data.get("edit")
        if safety is None and getattr(edit, "add_modifier", None) is not None:
            raise wrong(
                "is missing", "write safe where the record proves the modifier, else attest"
            )
        return safety

    @field_validator("codes", mode="after")
    @classmethod
    def _of_lines(cls, codes: object, info: ValidationInfo) -> object:
        """Only rules for each line choose codes, and each of them must."""
        subject = info.data.get("for_each")
        if codes is None and subject == "line":
            raise wrong("is missing", "write any, a list, or columns such as {role: [initial]}")
        if codes is not None and subject not in {"line", None}:
            raise wrong("belongs to rules for each line only", "delete it")
        return codes


class PinsFile(Shape):
    """``IVPnnn-name.pins.yaml``: cases of a rule that hold it fast and teach a reader nothing."""

    rule: RuleId
    """The rule whose file stands beside this one."""
    cases: Annotated[tuple[CaseShape, ...], Field(min_length=1)]
    """The cases."""


class OverlayFile(Shape):
    """``payers/ID.yaml``: what one payer does otherwise than the pack."""

    id: PayerId
    """The payer, as encounters name it."""
    title: Text | None = None
    """The payer's name."""
    base: Text | None = None
    """The overlay on which it stands: what this one does not say is taken from there."""
    cites: tuple[Source, ...] = ()
    """Sources of the overlay."""
    checked: Day | None = None
    """The day on which it was last checked."""
    setting: Setting | None = None
    """The kind of claim that the payer's page speaks of; none: both."""
    in_force: Window | None = None
    """The service dates that the payer's page speaks of; none: all."""
    policies: dict[Annotated[str, Named("policies")], Value] = Field(default={})
    """Policies and the payer's values of them."""
    severity: dict[Annotated[str, Named("rules")], Severity] = Field(default={})
    """Rules, and how grave the payer holds their findings."""
    off: dict[Annotated[str, Named("rules")], Prose] = Field(default={})
    """Rules that do not apply to the payer, each with the reason."""
    rules: Rows[RuleShape] = Field(default={})
    """Rules of the payer's own."""
