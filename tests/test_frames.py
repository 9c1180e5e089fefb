"""Frames of pandas, polars and Arrow in, tidy frames of the same library out."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivpush import Encounter, Engine
from ivpush.errors import UsageError
from ivpush.frames import RESULT_COLUMNS, check_frame, encounters_to_tables, iter_records
from ivpush.readers import ReadOptions, Record, SetAside
from ivpush.readers.tables import read_joined
from ivpush.writers import WriteOptions
from ivpush.writers.parquet import COLUMNS, Writer
from tests.tabledata import encounters

EXAMPLE = Path(__file__).parents[1] / "examples" / "emergency-pushes-and-hydration.json"
ENGINE = Engine()
LIKE = {"arrow": pa.table({"a": [1]}), "polars": pl.DataFrame({"a": [1]}),
        "pandas": pd.DataFrame({"a": [1]})}  # fmt: skip


def example() -> Encounter:
    return Encounter.model_validate(json.loads(EXAMPLE.read_text("utf-8")))


def rows(frame: Any) -> list[dict[str, Any]]:
    if isinstance(frame, pd.DataFrame):
        frame = pa.Table.from_pandas(frame, preserve_index=False)
    return frame.to_pylist() if isinstance(frame, pa.Table) else frame.to_dicts()


@given(st.lists(encounters(), max_size=3, unique_by=lambda one: one.id))
def test_encounters_read_back_equal_from_frames(those: list[Encounter]) -> None:
    for like in LIKE.values():
        found = list(iter_records(**encounters_to_tables(those, like)))
        assert [one.encounter for one in found if isinstance(one, Record)] == those
        assert len([one for one in found if not isinstance(one, Record | SetAside)]) <= 3


@given(st.lists(encounters(), max_size=3, unique_by=lambda one: one.id))
def test_encounters_read_back_equal_from_parquet_and_arrow_files(those: list[Encounter]) -> None:
    for write in (_parquet, _file, _stream):
        files = {name: io.BytesIO(write(table))
                 for name, table in encounters_to_tables(those).items()}  # fmt: skip
        found = list(read_joined(files))
        assert [one.encounter for one in found if isinstance(one, Record)] == those


def _parquet(table: pa.Table) -> bytes:
    out = io.BytesIO()
    pq.write_table(table, out)
    return out.getvalue()


def _file(table: pa.Table) -> bytes:
    out = io.BytesIO()
    with pa.ipc.new_file(out, table.schema) as writer:
        writer.write_table(table)
    return out.getvalue()


def _stream(table: pa.Table) -> bytes:
    out = io.BytesIO()
    with pa.ipc.new_stream(out, table.schema) as writer:
        writer.write_table(table)
    return out.getvalue()


@pytest.mark.parametrize("name", LIKE)
def test_results_come_back_in_the_library_that_came_in(name: str) -> None:
    one = example()
    found = check_frame(**encounters_to_tables([one], LIKE[name]), engine=ENGINE)
    result = ENGINE.check(one)
    for part in RESULT_COLUMNS:
        frame = getattr(found, part)
        assert type(frame) is type(LIKE[name])
    assert [(row["code"], row["units"]) for row in rows(found.suggested)] == [
        (line.code, line.units) for line in result.suggested
    ]
    assert [(row["rule"], row["line"]) for row in rows(found.violations)] == [
        (one.rule, one.line) for one in result.violations
    ]
    assert [(row["number"], row["status"]) for row in rows(found.lines)] == [
        (one.number, one.status) for one in result.lines
    ]
    assert len(rows(found.questions)) == len(result.questions)
    assert [row["code"] for row in rows(found.corrected)] == [
        line.code for line in result.corrected or ()
    ]
    assert rows(found.encounters)[0]["status"] == result.status


def test_columns_and_types_are_the_same_with_and_without_rows() -> None:
    full = check_frame(**encounters_to_tables([example()]), engine=ENGINE)
    empty = check_frame(**encounters_to_tables([]), engine=ENGINE)
    for part, columns in RESULT_COLUMNS.items():
        assert getattr(full, part).schema == getattr(empty, part).schema
        assert getattr(full, part).column_names == ["encounter", *(name for name, _ in columns)]


def test_whole_numbers_of_pandas_stay_whole_where_some_are_missing() -> None:
    lines = pd.DataFrame({"encounter": ["A", "A"], "number": [1, 2], "code": ["96374", "96375"],
                          "units": [1.0, 2.0], "minutes": [None, 20.0],
                          "date": pd.to_datetime(["2026-03-02", "2026-03-02"])})  # fmt: skip
    (one,) = iter_records(lines=lines, setting="facility")
    assert isinstance(one, Record)
    assert [(x.units, x.minutes, str(x.date)) for x in one.encounter.lines or ()] == [
        (1, None, "2026-03-02"), (2, 20, "2026-03-02"),
    ]  # fmt: skip
    found = check_frame(lines=lines, setting="facility", engine=ENGINE)
    assert str(found.violations["line"].dtype) == "Int64"


def test_codes_that_a_frame_holds_as_numbers_are_codes_all_the_same() -> None:
    lines = pl.DataFrame({"encounter": [7], "number": [1], "code": [96374], "units": [1],
                          "encounter_date": ["2026-03-02"]})  # fmt: skip
    (one,) = iter_records(lines=lines, setting="facility")
    assert isinstance(one, Record)
    assert (one.encounter.id, (one.encounter.lines or ())[0].code) == ("7", "96374")


def test_times_of_frames_are_times() -> None:
    given_ = pl.DataFrame({"encounter": ["A"], "id": ["a"], "route": ["IV"]}).with_columns(
        start=pl.datetime(2026, 3, 2, 10, 5, time_unit="ns")
    )
    (one,) = iter_records(administrations=given_, setting="facility")
    assert isinstance(one, Record)
    assert (one.encounter.administrations or ())[0].start.isoformat() == "2026-03-02T10:05:00"  # type: ignore[union-attr]


def test_what_cannot_be_read_stands_in_set_aside() -> None:
    lines = pl.DataFrame({"encounter": ["A", "B"], "number": [1, 1], "code": ["96374", "96374"],
                          "units": [1, -1], "date": ["2026-03-02"] * 2})  # fmt: skip
    found = check_frame(lines=lines, setting="facility", engine=ENGINE)
    assert len(rows(found.encounters)) == 1
    (row,) = rows(found.set_aside)
    assert "units" in row["problem"]
    assert row["place"] == "lines[2]"


@pytest.mark.parametrize(
    ("given_", "said"),
    [
        ({}, "none was given"),
        ({"lines": [1, 2]}, "is no frame that is read"),
        ({"lines": pl.LazyFrame({"encounter": ["A"]})}, "lazy frame"),
        ({"lines": pd.DataFrame({"encounter": ["A", 7], "number": [b"1", {}]})}, "several types"),
    ],
)
def test_what_is_no_frame_is_refused_with_a_remedy(given_: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        check_frame(**given_, engine=ENGINE)


def test_an_object_of_the_arrow_interface_is_a_frame_too() -> None:
    class Foreign:
        def __init__(self, table: pa.Table) -> None:
            self.table = table

        def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
            return self.table.__arrow_c_stream__(requested_schema)

    tables = {name: Foreign(one) for name, one in encounters_to_tables([example()]).items()}
    assert isinstance(check_frame(**tables, engine=ENGINE).suggested, pa.Table)


@pytest.mark.parametrize("absent", ["pyarrow", "narwhals"])
def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch, absent: str) -> None:
    tables = encounters_to_tables([example()])
    monkeypatch.setitem(sys.modules, absent, None)
    with pytest.raises(UsageError, match=r"pip install 'ivpush\[frames\]'"):
        check_frame(**tables, engine=ENGINE)


def test_a_parquet_file_without_pyarrow_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = _parquet(encounters_to_tables([example()])["lines"])
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UsageError, match=r"pip install 'ivpush\[frames\]'"):
        list(read_joined({"lines.parquet": io.BytesIO(raw)}))


def test_importing_frames_loads_no_frame_library() -> None:
    import subprocess

    code = "import sys, ivpush.frames; print([m for m in ('pyarrow', 'narwhals', 'pandas', 'polars') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_damaged_parquet_file_is_set_aside_whole() -> None:
    raw = _parquet(encounters_to_tables([example()])["lines"])
    for cut in (5, len(raw) // 2, len(raw) - 1):
        found = list(read_joined({"f": io.BytesIO(raw[:cut])}, ReadOptions(setting="facility")))
        assert [type(one) for one in found] == [SetAside]


def test_results_as_parquet_hold_every_row_of_the_result() -> None:
    out = io.BytesIO()
    writer = Writer(out, WriteOptions(ENGINE.pack))
    work = ENGINE.work(example())
    writer.write(work, "f:1")
    writer.write(work, "f:2")
    writer.close()
    table = pq.read_table(io.BytesIO(out.getvalue()))
    assert table.column_names == [name for name, _ in COLUMNS]
    made = table.to_pylist()
    result = work.result
    counts = {"encounters": 1, "suggested": len(result.suggested), "lines": len(result.lines),
              "not_billable": len(result.not_billable), "violations": len(result.violations),
              "questions": len(result.questions), "unjudged": len(result.unjudged),
              "corrected": len(result.corrected or ())}  # fmt: skip
    for kind, count in counts.items():
        assert len([one for one in made if one["kind"] == kind]) == 2 * count
    assert {one["place"] for one in made} == {"f:1", "f:2"}


def test_an_empty_run_writes_a_whole_parquet_file() -> None:
    out = io.BytesIO()
    Writer(out, WriteOptions(ENGINE.pack)).close()
    assert pq.read_table(io.BytesIO(out.getvalue())).num_rows == 0
