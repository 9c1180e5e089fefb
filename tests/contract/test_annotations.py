"""Annotations are read in one way, whatever is made of them."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal, Optional

import pytest

from ivpush.contract.annotations import FieldType, field_type


@pytest.mark.parametrize(
    ("annotation", "stated"),
    [
        (int, FieldType(int)),
        (int | None, FieldType(int, nullable=True)),
        (Optional[Decimal], FieldType(Decimal, nullable=True)),  # noqa: UP045
        (Annotated[str, "a meaning"], FieldType(str)),
        (Annotated[bool | None, "a meaning"], FieldType(bool, nullable=True)),
        (Literal["IV", "IM"], FieldType(str, words=frozenset({"IV", "IM"}))),
        (Literal["IV"] | None, FieldType(str, nullable=True, words=frozenset({"IV"}))),
        (tuple[str, ...], FieldType(tuple, members=str)),
        (frozenset[str] | None, FieldType(frozenset, nullable=True, members=str)),
        (str | int, FieldType(str)),
        (None | int, FieldType(int, nullable=True)),
        (dict[str, int], FieldType(dict[str, int])),
    ],
)
def test_an_annotation_says_type_words_and_members(annotation: Any, stated: FieldType) -> None:
    assert field_type(annotation) == stated


def test_what_is_not_said_to_be_null_never_is() -> None:
    assert field_type(int | None).nullable
    assert not field_type(int).nullable
