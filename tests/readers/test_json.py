"""Every readable record is read, every other one set aside with its place; none is lost."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivpush.readers import ReadOptions, Record, SetAside
from ivpush.readers import json as reader
from ivpush.readers.json import read

GOOD = json.dumps({"id": "E", "setting": "facility"})


def test_places_name_file_and_line() -> None:
    text = f"{GOOD}\n\n{{\n{GOOD}\n"
    found = list(read("f", io.BytesIO(text.encode())))
    assert [type(one) for one in found] == [Record, SetAside, Record]
    assert isinstance(found[1], SetAside)
    assert found[1].place == "f:3"


def test_places_name_the_item_of_an_array() -> None:
    found = list(read("f", io.BytesIO(f"[{GOOD}, 7, {GOOD}]".encode())))
    assert isinstance(found[1], SetAside)
    assert found[1].place == "f[2]"


def test_duplicate_keys_deep_inside_are_refused() -> None:
    text = '{"id": "E", "setting": "facility", "lines": [{"number": 1, "number": 2}]}'
    (found,) = read("f", io.BytesIO(text.encode()))
    assert isinstance(found, SetAside)
    assert "'number'" in str(found.error)


@given(st.lists(st.sampled_from((GOOD, "{", "7", '{"id": 1}', "]", '"', "{}")), max_size=8))
def test_as_many_come_out_as_went_in(lines: list[str]) -> None:
    text = "\n".join([GOOD, *lines])
    assert len(list(read("f", io.BytesIO(text.encode())))) == len(lines) + 1


@given(st.binary(max_size=300))
def test_no_bytes_make_it_crash(raw: bytes) -> None:
    for one in read("f", io.BytesIO(raw)):
        assert isinstance(one, Record | SetAside)


def test_places_count_blank_lines_at_the_top() -> None:
    found = list(read("f", io.BytesIO(f"\n\n{GOOD}\n{{\n".encode())))
    assert [one.place for one in found] == ["f:3", "f:4"]


def test_a_line_past_the_bound_is_one_set_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MOST_RECORD_BYTES", 100)
    long = json.dumps({"id": "E" * 1_000, "setting": "facility"})
    found = list(read("f", io.BytesIO(f"{GOOD}\n{long}\n{GOOD}\n".encode())))
    assert [type(one) for one in found] == [Record, SetAside, Record]
    assert [one.place for one in found] == ["f:1", "f:2", "f:3"]


def test_a_document_past_the_bound_is_set_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MOST_DOCUMENT_BYTES", 100)
    (found,) = read("f", io.BytesIO(f"[{GOOD},\n{GOOD}, {GOOD}]".encode()))
    assert isinstance(found, SetAside)
    assert "too large" in str(found.error)


def test_options_stand_in_for_what_a_record_leaves_out() -> None:
    text = b'{"id": "E"}\n{"id": "F", "setting": "professional", "timezone": null}'
    options = ReadOptions(setting="facility", timezone="America/Denver", payer="p")
    found = [
        one.encounter for one in read("f", io.BytesIO(text), options) if isinstance(one, Record)
    ]
    assert [(one.setting, one.timezone, one.payer) for one in found] == [
        ("facility", "America/Denver", "p"), ("professional", "America/Denver", "p")]  # fmt: skip
