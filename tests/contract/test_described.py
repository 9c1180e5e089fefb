"""A schema tells what stands below each field, and nothing of what is no field."""

from __future__ import annotations

import pytest

from ivpush import Administration, ClaimLine, Encounter, Supervision
from ivpush.contract.described import Described, descriptions_of


@pytest.mark.parametrize("model", [Encounter, Administration, ClaimLine, Supervision])
def test_every_property_is_described_as_its_field_is(model: type[Described]) -> None:
    texts = descriptions_of(model)
    assert texts.keys() <= model.model_fields.keys()
    properties = model.model_json_schema()["properties"]
    for name, text in texts.items():
        assert text and properties[name]["description"] == text


def test_a_model_that_no_source_holds_has_no_descriptions_of_its_own() -> None:
    class Made(Described):
        id: str
        """Not read: it is none of ours."""

    assert descriptions_of(Made) == {}


def test_a_model_may_be_described_by_another() -> None:
    class Narrow(Described):
        described_by = ClaimLine
        units: int
        shelf: str

    assert descriptions_of(Narrow) == {"units": descriptions_of(ClaimLine)["units"]}
    assert Narrow.model_json_schema()["properties"]["units"]["description"]
