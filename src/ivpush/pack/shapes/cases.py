"""The form of the cases of rules, and of the files that hold them: rules, their pins, overlays.

A check reads none of it, so that the pack loads it only where rules are read from their YAML.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    Discriminator,
    Field,
    Tag,
    WithJsonSchema,
    create_model,
)

from ivpush.contract.encounter import Administration, ClaimLine, Encounter, Supervision
from ivpush.pack.shapes.rules import OverlayFrame, RuleFrame, RuleId
from ivpush.pack.shapes.words import Day, Named, Rows, Shape, Text, Value, Written, wrong

__all__ = ["CaseShape", "OverlayFile", "PinsFile", "RuleShape"]

Expected = Literal["line", "administration", "service", "suggestion", "encounter", "message", "fix"]


def _line_kind(value: object) -> str:
    return "<mapping>" if isinstance(value, dict) else "<text>"


def _loose(model: type[BaseModel]) -> dict[str, Any]:
    """The fields of a model of the contract, each optional and as a case writes it: as text."""
    return dict.fromkeys(model.model_fields, (Value, None))


LineText = Annotated[
    str,
    Written(
        "[A-Z0-9]{5}(-[A-Z0-9]{2})*( x[0-9]{1,6})?", "is no line", "write CODE-MODIFIER xUNITS"
    ),
]
_GivenShape: Any = create_model("GivenShape", __base__=Shape, **_loose(Administration))
_GivenShape.described_by = Administration
_LineShape: Any = create_model("LineShape", __base__=Shape, **_loose(ClaimLine))
_LineShape.described_by = ClaimLine
_StaffShape: Any = create_model("StaffShape", __base__=Shape, **_loose(Supervision))
_StaffShape.described_by = Supervision
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
    CaseShape.described_by = Encounter


def _both(cases: tuple[CaseFrame, ...]) -> tuple[CaseFrame, ...]:
    # With cases of one kind a rule that always fires, or never, would pass them all.
    if {bool(case.expect) for case in cases} != {True, False}:
        raise wrong("lacks a case that breaks the rule or one that holds", "add it")
    return cases


class RuleShape(RuleFrame):
    """One rule: what must hold, when, why, and the cases that show it."""

    cases: Annotated[
        tuple[CaseShape, ...], AfterValidator(_both), Field(json_schema_extra={"minItems": 2})
    ]
    """Cases: at least one that breaks the rule and one that holds."""


class PinsFile(Shape):
    """``IVPnnn-name.pins.yaml``: cases of a rule that hold it fast and teach a reader nothing."""

    rule: RuleId
    """The rule whose file stands beside this one."""
    cases: Annotated[tuple[CaseShape, ...], Field(min_length=1)]
    """The cases."""


class OverlayFile(OverlayFrame):
    """``payers/ID.yaml``: what one payer does otherwise than the pack."""

    rules: Rows[RuleShape] = Field(default={})
    """Rules of the payer's own."""
