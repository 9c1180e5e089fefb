"""What the annotation of a field says, read in one place.

The columns of tables (``contract.tables``, ``contract.result_tables``) and the kinds of facts in
the rule language (``language.vocabulary``) are both worked out from annotations.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import NoneType, UnionType
from typing import Annotated, Literal, Union, get_args, get_origin

__all__ = [
    "FieldType",
    "field_type",
]


@dataclass(frozen=True, slots=True)
class FieldType:
    """The type of a field, without ``Annotated``, ``None`` and ``Literal`` around it.

    ::

        field_type(int | None)              # FieldType(of=int, nullable=True)
        field_type(tuple[str, ...])         # FieldType(of=tuple, members=str)
        field_type(Literal["IV", "IM"])     # FieldType(of=str, words={"IV", "IM"})
    """

    of: object
    """A class, or an annotation that is none of the known forms."""
    nullable: bool = False
    words: frozenset[str] = frozenset()
    """The closed list of words, where there is one."""
    members: object = None
    """The annotation of the members, where the field is a tuple or frozenset."""


def field_type(annotation: object) -> FieldType:
    """What an annotation says; of several types in a union the first counts."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    # Constraints bound a value and change no kind; the validation of the contract reads them.
    if origin is Annotated:
        return field_type(arguments[0])
    if origin in {Union, UnionType}:
        # A column or a fact has one type beside None; wider unions stand in neither.
        first = next(member for member in arguments if member is not NoneType)
        return replace(field_type(first), nullable=NoneType in arguments)
    if origin is Literal:
        return FieldType(str, words=frozenset(arguments))
    # tuple[X, ...] has the ellipsis as its second argument; the first is the member.
    if origin in {tuple, frozenset}:
        return FieldType(origin, members=arguments[0])
    return FieldType(annotation)
