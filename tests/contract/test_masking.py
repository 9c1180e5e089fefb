"""Masks of ids: one name an id, links kept, and the same verdict."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from ivpush import Encounter, UsageError
from ivpush.contract.masking import Mask
from tests.shipped import ENGINE
from tests.tabledata import encounters

MASK = Mask(b"0123456789abcdef")


@settings(max_examples=50)
@given(encounters())
def test_a_masked_encounter_fits_the_contract_and_keeps_its_links(encounter: Encounter) -> None:
    masked = MASK.encounter(encounter)
    assert Encounter.model_validate(masked.model_dump()) == masked
    names = {each.id: MASK.name("dose", each.id) for each in encounter.administrations or ()}
    assert [each.id for each in masked.administrations or ()] == list(names.values())
    for before, after in zip(encounter.lines or (), masked.lines or (), strict=True):
        assert list(after.administrations or ()) == [
            names[each] for each in before.administrations or ()
        ]


def verdict(encounter: Encounter) -> tuple[object, ...]:
    """What a result decides; ids may order it where nothing else does."""
    result = ENGINE.check(encounter)
    lines = sorted((each.code, each.units, each.modifiers) for each in result.suggested)
    found = sorted((each.rule, each.line or 0, each.evidence) for each in result.violations)
    return result.status, lines, found


@settings(max_examples=50)
@given(encounters())
def test_ids_decide_nothing(encounter: Encounter) -> None:
    assert verdict(encounter) == verdict(MASK.encounter(encounter))


def test_a_name_depends_on_key_kind_and_id() -> None:
    other = Mask(b"another key of 16 bytes")
    names = [MASK.name("dose", "1"), MASK.name("dose", "2"), MASK.name("encounter", "1")]
    assert len({*names, other.name("dose", "1")}) == 4
    assert MASK.name("dose", "1") == names[0]


def test_a_key_that_can_be_guessed_is_refused() -> None:
    with pytest.raises(UsageError, match="is too short to keep ids secret"):
        Mask(b"0123456789abcde")


def test_a_performer_is_masked_and_none_stays_none() -> None:
    doses = [{"id": "a1", "performer": "nurse 7"}, {"id": "a2"}]
    record = {"id": "E", "setting": "facility", "date": "2026-03-02", "administrations": doses}
    masked = MASK.encounter(Encounter.model_validate(record)).administrations
    assert masked is not None
    assert [each.performer for each in masked] == [MASK.name("performer", "nurse 7"), None]


def test_a_key_of_sixteen_bytes_will_do() -> None:
    Mask(b"0123456789abcdef")
