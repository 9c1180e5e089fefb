"""What a caller says of an input exists, or is refused before a record is read."""

from __future__ import annotations

from typing import Any

import pytest

from ivpush.errors import UsageError
from ivpush.readers import ReadOptions


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"setting": "hospital"}, "setting: does not exist; write one of: facility, professional"),
        ({"setting": "facilty"}, "setting: does not exist; did you mean 'facility'?"),
        ({"timezone": "Mars"}, "timezone: is not a known zone; write an IANA name"),
        ({"timezone": "../etc/passwd"}, "timezone: is not a known zone"),
        (
            {"timezone": "America/Chicgo"},
            "timezone: is not a known zone; did you mean 'America/Chicago'?",
        ),
    ],
)
def test_what_does_not_exist_is_refused_with_the_nearest_word(
    given: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError) as refused:
        ReadOptions(**given)
    assert said in str(refused.value)


def test_both_are_told_at_once() -> None:
    with pytest.raises(UsageError) as refused:
        ReadOptions(setting="x", timezone="y")
    assert [fault.place for fault in refused.value.faults] == ["setting", "timezone"]
