"""JSON in both forms: whole documents, the library's own values, harmless to look at."""

from __future__ import annotations

import json

import pytest

from ivpush import Encounter, Result
from ivpush.writers.json import Writer as Array
from ivpush.writers.ndjson import Writer as Lines
from tests.writers.works import ALL, CLEAN, HOSTILE, WRONG, engine, hostile, written


@pytest.mark.parametrize("records", [(), (CLEAN,), (CLEAN, WRONG, ALL)])
def test_both_forms_hold_every_result(records: tuple[dict[str, object], ...]) -> None:
    expected = [engine().check(Encounter.model_validate(one)) for one in records]
    array = json.loads(written(Array, *records))
    assert [Result.from_json(json.dumps(one)) for one in array] == expected
    lines = written(Lines, *records).splitlines()
    assert [Result.from_json(one) for one in lines] == expected


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_ids_are_escaped_and_kept(text: str) -> None:
    for raw in (written(Lines, hostile(text)), written(Array, hostile(text))):
        assert all(one.isprintable() or one == "\n" for one in raw.decode())
        data = json.loads(raw)
        assert (data[0] if isinstance(data, list) else data)["encounter"] == text
