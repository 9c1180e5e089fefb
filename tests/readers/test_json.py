"""Every readable record is read, every other one set aside with its place; none is lost."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivpush.readers import Note, ReadOptions, Record, SetAside
from ivpush.readers import json as reader
from ivpush.readers.json import read
from ivpush.testing.samples import lines

GOOD = json.dumps({"id": "E", "setting": "facility"})


def test_places_name_file_and_line() -> None:
    text = f"{GOOD}\n\n{{\n{GOOD}\n"
    readings = list(read("f", io.BytesIO(text.encode())))
    assert [type(one) for one in readings] == [Record, SetAside, Record]
    assert isinstance(readings[1], SetAside)
    assert readings[1].place == "f:3"


def test_places_name_the_item_of_an_array() -> None:
    readings = list(read("f", io.BytesIO(f"[{GOOD}, 7, {GOOD}]".encode())))
    assert isinstance(readings[1], SetAside)
    assert readings[1].place == "f[2]"


def test_duplicate_keys_deep_inside_are_refused() -> None:
    text = '{"id": "E", "setting": "facility", "lines": [{"number": 1, "number": 2}]}'
    (aside,) = read("f", io.BytesIO(text.encode()))
    assert isinstance(aside, SetAside)
    assert "'number'" in str(aside.error)


@given(st.lists(st.sampled_from((GOOD, "{", "7", '{"id": 1}', "]", '"', "{}")), max_size=8))
def test_as_many_come_out_as_went_in(lines: list[str]) -> None:
    text = "\n".join([GOOD, *lines])
    assert len(list(read("f", io.BytesIO(text.encode())))) == len(lines) + 1


@given(st.binary(max_size=300))
def test_no_bytes_make_it_crash(raw: bytes) -> None:
    for reading in read("f", io.BytesIO(raw)):
        assert isinstance(reading, Record | SetAside | Note)


def test_places_count_blank_lines_at_the_top() -> None:
    readings = list(read("f", io.BytesIO(f"\n\n{GOOD}\n{{\n".encode())))
    assert [one.place for one in readings] == ["f:3", "f:4"]


def test_a_line_past_the_bound_is_one_set_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MOST_RECORD_BYTES", 100)
    long = json.dumps({"id": "E" * 1_000, "setting": "facility"})
    readings = list(read("f", io.BytesIO(f"{GOOD}\n{long}\n{GOOD}\n".encode())))
    assert [type(one) for one in readings] == [Record, SetAside, Record]
    assert [one.place for one in readings] == ["f:1", "f:2", "f:3"]


def test_a_document_past_the_bound_is_set_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MOST_DOCUMENT_BYTES", 100)
    (aside,) = read("f", io.BytesIO(f"[{GOOD},\n{GOOD}, {GOOD}]".encode()))
    assert isinstance(aside, SetAside)
    assert "too large" in str(aside.error)


@pytest.mark.parametrize("fields", [1_001, 100_001])
def test_an_object_of_too_many_fields_is_told_once(fields: int) -> None:
    record = {"id": "E", "setting": "facility", "lines": [{f"k{n}": 1 for n in range(fields)}]}
    (aside,) = read("f", io.BytesIO(json.dumps(record, separators=(",", ":")).encode()))
    assert isinstance(aside, SetAside)
    assert aside.error.one_line == (
        "an object holds more than 1,000 fields; write only fields of the contract"
    )


def test_options_stand_in_for_what_a_record_leaves_out() -> None:
    text = b'{"id": "E"}\n{"id": "F", "setting": "professional", "timezone": null}'
    options = ReadOptions(setting="facility", timezone="America/Denver", payer="p")
    records = [x for x in read("f", io.BytesIO(text), options) if isinstance(x, Record)]
    encounters = [record.encounter for record in records]
    assert [(x.setting, x.timezone, x.payer) for x in encounters] == [
        ("facility", "America/Denver", "p"),
        ("professional", "America/Denver", "p"),
    ]


NUMBERS = (
    "0",
    "-0",
    "1",
    "7.0",
    "2.50",
    "5e0",
    "1E2",
    "1e-7",
    "0.1",
    "1e400",
    "NaN",
    "-Infinity",
    "12345678901234567890",
    "123456789.123456789",
    "true",
    "null",
    '"4"',
    '"2.5"',
    "[1]",
)
COUNTS = ("minutes", "visit", "dose", "wasted", "volume_ml", "rate_ml_per_hour")
SPACES = ("", "", "", " ", "\t", "\n", "  ")


@st.composite
def texts(draw: st.DrawFn) -> bytes:
    """Objects as a person, a program or a vandal might write them."""
    spaces = draw(st.sampled_from((("",), ("", " "), SPACES)))

    def written(pairs: list[tuple[str, str]]) -> str:
        parts = []
        for key, value in pairs:
            before, after = draw(st.sampled_from(spaces)), draw(st.sampled_from(spaces))
            parts.append(f'"{key}"{before}:{after}{value}')
        return "{" + ",".join(parts) + "}"

    counts = draw(st.lists(st.sampled_from(COUNTS), max_size=4))
    dose = [("id", '"a"'), *((name, draw(st.sampled_from(NUMBERS))) for name in counts)]
    drug = draw(st.sampled_from(('"x"', '":"', '"a\\":"', '" x"', '"NaN"', '"\\u0065"', "null")))
    dose.append((draw(st.sampled_from(("drug", "site", "drug", "nothing"))), drug))
    whole = [
        ("id", '"E"'),
        ("setting", '"facility"'),
        ("date", '"2026-03-02"'),
        ("administrations", "[" + written(dose) + "]"),
    ]
    if draw(st.booleans()):
        line = [("number", "1"), ("code", '"96374"'), ("units", draw(st.sampled_from(NUMBERS)))]
        line += draw(st.lists(st.sampled_from([("charge", "1.10"), ("date", "null")]), max_size=2))
        whole.append(("lines", "[" + written(line) + "]"))
    whole += draw(
        st.lists(
            st.sampled_from(
                [
                    ("id", '"F"'),
                    ("payer", "null"),
                    ("supervision", '{"level":"direct"}'),
                    ("diagnoses", "null"),
                ]
            ),
            max_size=2,
        )
    )
    return written(draw(st.permutations(whole))).encode()


@given(texts())
def test_the_quick_way_reads_what_the_careful_way_reads(line: bytes) -> None:
    quick = reader._plainly(line)
    if quick is None:
        return
    careful = reader._encounter("f", reader._parsed(line), {})
    assert isinstance(careful, Record)
    assert careful.encounter == quick
    assert careful.encounter.model_dump_json() == quick.model_dump_json()


def test_made_up_encounters_are_read_the_quick_way() -> None:
    assert all(reader._plainly(line) is not None for line in lines(1, 50))


class Endless(io.BytesIO):
    """A stream of which no more may be asked than a line."""

    def read(self, size: int | None = -1, /) -> bytes:
        raise AssertionError(f"{size} bytes more were read")


def test_what_begins_no_document_is_not_read_to_its_end() -> None:
    (aside,) = read("f", Endless(b"\0\0\0\n" * 3))
    assert isinstance(aside, SetAside)
    assert "not JSON" in str(aside.error)
