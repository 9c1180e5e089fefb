"""The shapes of a rule file, of its pins, and of a payer's overlay.

``pack.rule`` and ``pack.payers`` read them, and ``authoring.schema`` makes JSON Schemas of them.
Expressions and messages are parsed as the file is read, so that all faults of a file come at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    GetPydanticSchema,
    StringConstraints,
    Tag,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import CoreSchema
from pydantic_core import core_schema as cs

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler

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
    "CheckedOverlay",
    "ColumnChoice",
    "EditChoice",
    "EditWord",
    "OverlayFrame",
    "RuleFrame",
    "RuleId",
    "Subject",
]

Subject = Literal["line", "administration", "service", "suggestion", "encounter"]

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


def _is_checked(info: ValidationInfo) -> bool:
    """Whether texts were checked before, and ``rule`` reads them when they are asked for."""
    return info.context is not None and info.context.checked


def _expression(value: object, info: ValidationInfo) -> Expression:
    if not isinstance(value, str) or not value.strip():
        raise wrong("is no expression", "write one line of text")
    subject, names = info.data.get("for_each"), getattr(info.context, "names", None)
    # for_each was wrong itself, or an editor asks without a pack: nothing to check against.
    if subject is None or names is None or _is_checked(info):
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
    if subject is None or names is None or _is_checked(info):
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


class RuleFrame(Shape):
    """One rule: what must hold, when and why."""

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


class OverlayFrame(Shape):
    """What one payer does otherwise than the pack, without rules of its own."""

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


class CheckedOverlay(OverlayFrame):
    """An overlay that was checked before: a bundle leaves the cases of its rules out."""

    rules: Rows[RuleFrame] = Field(default={})
    """Rules of the payer's own."""
