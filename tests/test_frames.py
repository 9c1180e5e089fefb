"""Frames of pandas, polars and Arrow in, tidy frames of the same library out."""

from __future__ import annotations

import io
import json
import multiprocessing
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ivpush import Encounter, Engine
from ivpush.batch import EngineOptions
from ivpush.contract.result_tables import result_columns
from ivpush.errors import UsageError
from ivpush.frames import (
    RESULT_COLUMNS,
    Checked,
    arrow_table,
    check_batches,
    check_frame,
    check_readings,
    encounters_to_tables,
    iter_records,
    result_rows,
)
from ivpush.readers import Note, ReadOptions, Record, SetAside
from ivpush.readers.tables.reader import read_joined
from ivpush.testing import samples
from ivpush.writers import WriteOptions
from ivpush.writers.parquet import COLUMNS, Writer
from tests.shipped import ENGINE
from tests.tabledata import encounters

EXAMPLE = Path(__file__).parents[1] / "examples" / "emergency-pushes-and-hydration.json"
LIKE = {
    "arrow": pa.table({"a": [1]}),
    "polars": pl.DataFrame({"a": [1]}),
    "pandas": pd.DataFrame({"a": [1]}),
}


def example() -> Encounter:
    return Encounter.model_validate(json.loads(EXAMPLE.read_text("utf-8")))


def rows(frame: Any) -> list[dict[str, Any]]:
    if isinstance(frame, pd.DataFrame):
        frame = pa.Table.from_pandas(frame, preserve_index=False)
    found: list[dict[str, Any]] = (
        frame.to_pylist() if isinstance(frame, pa.Table) else frame.to_dicts()
    )
    return found


@settings(max_examples=50)
@given(st.lists(encounters(), max_size=3, unique_by=lambda one: one.id))
def test_encounters_read_back_equal_from_frames(those: list[Encounter]) -> None:
    for like in LIKE.values():
        found = list(iter_records(**encounters_to_tables(those, like)))
        assert [one.encounter for one in found if isinstance(one, Record)] == those
        notes = [item for item in found if isinstance(item, Note)]
        # One about each table that holds rows of some encounters only, or no row at all.
        assert len(notes) <= 4
        assert all("encounter" in note.message or note.message == "holds no row" for note in notes)


@settings(max_examples=50)
@given(st.lists(encounters(), max_size=3, unique_by=lambda one: one.id))
def test_encounters_read_back_equal_from_parquet_and_arrow_files(those: list[Encounter]) -> None:
    for write in (_parquet, _file, _stream):
        files = {
            name: io.BytesIO(write(table)) for name, table in encounters_to_tables(those).items()
        }
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
        assert getattr(full, part).column_names == [
            "encounter",
            *(column.name for column in columns),
        ]


def test_whole_numbers_of_pandas_stay_whole_where_some_are_missing() -> None:
    lines = pd.DataFrame(
        {
            "encounter": ["A", "A"],
            "number": [1, 2],
            "code": ["96374", "96375"],
            "units": [1.0, 2.0],
            "minutes": [None, 20.0],
            "date": pd.to_datetime(["2026-03-02", "2026-03-02"]),
        }
    )
    (one,) = iter_records(lines=lines, setting="facility")
    assert isinstance(one, Record)
    assert [(x.units, x.minutes, str(x.date)) for x in one.encounter.lines or ()] == [
        (1, None, "2026-03-02"),
        (2, 20, "2026-03-02"),
    ]
    found = check_frame(lines=lines, setting="facility", engine=ENGINE)
    assert str(found.violations["line"].dtype) == "Int64"


def test_codes_that_a_frame_holds_as_numbers_are_codes_all_the_same() -> None:
    lines = pl.DataFrame(
        {
            "encounter": [7],
            "number": [1],
            "code": [96374],
            "units": [1],
            "encounter_date": ["2026-03-02"],
        }
    )
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
    lines = pl.DataFrame(
        {
            "encounter": ["A", "B"],
            "number": [1, 1],
            "code": ["96374", "96374"],
            "units": [1, -1],
            "date": ["2026-03-02"] * 2,
        }
    )
    found = check_frame(lines=lines, setting="facility", engine=ENGINE)
    assert len(rows(found.encounters)) == 1
    (row,) = rows(found.set_aside)
    assert "units" in row["problem"]
    assert (row["place"], row["encounter"]) == ("lines[2]", "B")


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


LINES = pl.DataFrame(
    {"encounter": ["A"], "number": [1], "code": ["96374"], "units": [1], "date": ["2026-03-02"]}
)


@pytest.mark.parametrize("engine", [ENGINE, EngineOptions(), None])
@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"lines": LINES.rename({"code": "codee"})}, "lines: lacks the column 'code'"),
        (
            {"lines": LINES.rename({"code": "codee"})},
            "lines: column 'codee' is not one of the lines",
        ),
        ({"lines": LINES.drop("units")}, "lines: lacks the column 'units'"),
        ({"setting": "hospital"}, "setting: does not exist; write one of: facility, professional"),
        ({"timezone": "Mars"}, "timezone: is not a known zone"),
        ({"payer": "medicaer"}, "payer: has no overlay in this pack; did you mean 'medicare'?"),
    ],
)
def test_what_the_caller_got_wrong_is_refused_and_sets_nothing_aside(
    engine: Any, more: dict[str, Any], said: str
) -> None:
    given_ = {"lines": LINES, "setting": "facility", "engine": engine, **more}
    with pytest.raises(UsageError, match=re.escape(said)):
        check_frame(**given_)
    with pytest.raises(UsageError, match=re.escape(said)):
        list(check_batches(**given_))


def test_an_unknown_payer_is_refused_by_processes_too() -> None:
    with pytest.raises(UsageError, match="did you mean 'medicare'"):
        check_frame(lines=LINES, setting="facility", payer="medicaer", workers=1)


def test_a_payer_that_a_record_names_may_be_unknown() -> None:
    lines = LINES.with_columns(encounter_payer=pl.lit("medicaer"))
    found = check_frame(lines=lines, setting="facility", engine=ENGINE)
    assert "IVP909" in found.violations["rule"].to_list()


def test_an_object_of_the_arrow_interface_is_a_frame_too() -> None:
    class Foreign:
        def __init__(self, table: pa.Table) -> None:
            self.table = table

        def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
            return self.table.__arrow_c_stream__(requested_schema)

    tables: dict[str, Any] = {
        name: Foreign(one) for name, one in encounters_to_tables([example()]).items()
    }
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
    assert table.column_names == [column.name for column in COLUMNS]
    made = table.to_pylist()
    result = work.result
    counts = {
        "encounters": 1,
        "suggested": len(result.suggested),
        "lines": len(result.lines),
        "not_billable": len(result.not_billable),
        "violations": len(result.violations),
        "questions": len(result.questions),
        "unjudged": len(result.unjudged),
        "corrected": len(result.corrected or ()),
    }
    for kind, count in counts.items():
        assert len([one for one in made if one["kind"] == kind]) == 2 * count
    assert {one["place"] for one in made} == {"f:1", "f:2"}


def test_an_empty_run_writes_a_whole_parquet_file() -> None:
    out = io.BytesIO()
    Writer(out, WriteOptions(ENGINE.pack)).close()
    assert pq.read_table(io.BytesIO(out.getvalue())).num_rows == 0


# Large tables: pieces, batches, processes.


def made(count: int, seed: int = 5) -> list[Encounter]:
    return [Encounter.model_validate_json(one) for one in samples.lines(seed, count)]


def expected(those: list[Encounter], engine: Engine = ENGINE) -> dict[str, pa.Table]:
    """The tables of what the engine says of each, less what is about reading."""
    found: dict[str, list[dict[str, Any]]] = {}
    for one in those:
        for name, some in result_rows(engine.check(one)).items():
            found.setdefault(name, []).extend(some)
    return {name: arrow_table(some, result_columns(name)) for name, some in found.items()}


def together(pieces: list[Checked]) -> dict[str, pa.Table]:
    return {
        name: pa.concat_tables([getattr(one, name) for one in pieces]) for name in RESULT_COLUMNS
    }


def as_tables(found: Checked) -> dict[str, pa.Table]:
    return {name: getattr(found, name) for name in RESULT_COLUMNS}


def broken_tables(count: int) -> tuple[dict[str, pa.Table], list[Encounter]]:
    """Tables of encounters, the second with a line that cannot be read, and the others."""
    those = made(count)
    lines = pl.from_arrow(encounters_to_tables(those)["lines"])
    assert isinstance(lines, pl.DataFrame)
    bad = (pl.col("encounter") == those[1].id) & (pl.col("number") == 1)
    lines = lines.with_columns(units=pl.when(bad).then(-1).otherwise(pl.col("units")))
    return {**encounters_to_tables(those), "lines": lines.to_arrow()}, [those[0], *those[2:]]


def test_tables_of_made_up_encounters_give_what_the_engine_gives_of_each() -> None:
    those = made(120)
    found = check_frame(**encounters_to_tables(those), engine=ENGINE)
    for name, table in expected(those).items():
        assert getattr(found, name).equals(table), name
    assert found.encounters["encounter"].to_pylist() == [one.id for one in those]
    assert (found.set_aside.num_rows, found.violations.num_rows > 50) == (0, True)
    results = [ENGINE.check(one) for one in those]
    assert list(
        zip(
            *(found.violations[name].to_pylist() for name in ("encounter", "rule", "line")),
            strict=True,
        )
    ) == [(one.encounter, broken.rule, broken.line) for one in results for broken in one.violations]


def plain(table: pa.Table) -> list[dict[str, Any]]:
    """Rows with numbers in text written the same way: a decimal column holds six places."""

    def same(value: Any) -> Any:
        if isinstance(value, list):
            return [same(one) for one in value]
        return (
            re.sub(r"(\.[0-9]*?)0+(?![0-9])", r"\1", value).replace(". ", " ")
            if isinstance(value, str)
            else value
        )

    return [{name: same(value) for name, value in row.items()} for row in table.to_pylist()]


def can_be_checked(one: Encounter) -> bool:
    try:
        ENGINE.check(one)
    except Exception:
        return False
    return True


@settings(max_examples=50)
@given(st.lists(encounters(), max_size=3, unique_by=lambda one: one.id))
def test_tables_of_any_encounters_give_what_the_engine_gives_of_each(
    those: list[Encounter],
) -> None:
    found = check_frame(**encounters_to_tables(those), engine=ENGINE)
    good = [one for one in those if can_be_checked(one)]
    assert found.encounters.num_rows + found.set_aside.num_rows == len(those)
    assert found.set_aside.num_rows == len(those) - len(good)
    for name, table in expected(good).items():
        assert plain(getattr(found, name)) == plain(table), name


@pytest.mark.parametrize("size", [1, 7, 1_000])
def test_pieces_put_together_are_the_whole(size: int) -> None:
    tables, good = broken_tables(20)
    whole = check_frame(**tables, engine=ENGINE)
    pieces = list(check_batches(**tables, engine=ENGINE, size=size))
    counts = [one.encounters.num_rows + one.set_aside.num_rows for one in pieces]
    # What is said of the tables as a whole comes last, in a piece of its own where the last is full.
    if counts[-1] == 0:
        assert pieces[-1].notes.num_rows > 0
        counts.pop()
    assert counts == [min(size, 20 - n) for n in range(0, 20, size)]
    assert together(pieces) == as_tables(whole)
    assert whole.encounters["encounter"].to_pylist() == [one.id for one in good]
    assert whole.set_aside["place"].to_pylist() == ["encounters[2]"]


def test_processes_change_nothing() -> None:
    tables, _ = broken_tables(20)
    options = EngineOptions(payer="medicare", silent=frozenset({"IVP821"}))
    here = list(check_batches(**tables, engine=options, size=6))
    there = list(check_batches(**tables, engine=options, size=6, workers=2))
    assert [as_tables(one) for one in there] == [as_tables(one) for one in here]
    with pytest.raises(UsageError, match="cannot be handed to processes"):
        check_frame(**tables, engine=ENGINE, workers=1)
    rules = set(together(here)["violations"]["rule"].to_pylist())
    assert rules and "IVP821" not in rules
    assert "IVP821" in check_frame(**tables, engine=ENGINE).violations["rule"].to_pylist()


def cut(table: pa.Table, how: str) -> Any:
    """A table as frames of seven rows, one after another; encounters go on in the next."""
    frames = [table.slice(at, 7) for at in range(0, table.num_rows, 7)]
    if how == "stream":
        return pa.RecordBatchReader.from_batches(
            table.schema, (batch for one in frames for batch in one.to_batches())
        )
    if how == "batches":
        return (batch for one in frames for batch in one.to_batches())
    if how == "pandas":
        return (one.to_pandas() for one in frames)
    if how == "lazy":
        frame = pl.from_arrow(table)
        assert isinstance(frame, pl.DataFrame)
        return frame.lazy().collect_batches(chunk_size=7)
    return (pl.from_arrow(one) for one in frames)


@pytest.mark.parametrize("how", ["stream", "batches", "pandas", "polars", "lazy"])
@pytest.mark.filterwarnings("ignore")  # polars says that collect_batches may change
def test_a_table_may_come_in_batches(how: str) -> None:
    tables, _ = broken_tables(12)
    whole = together(list(check_batches(**tables, engine=ENGINE, size=5)))
    kind = {"pandas": pd.DataFrame, "polars": pl.DataFrame, "lazy": pl.DataFrame}.get(how, pa.Table)
    batches = {name: cut(one, how) for name, one in tables.items()}
    pieces = list(check_batches(**batches, engine=ENGINE, size=5))
    assert {type(one.violations) for one in pieces} == {kind}
    for name in RESULT_COLUMNS:
        assert [row for one in pieces for row in rows(getattr(one, name))] == rows(whole[name])


def test_batches_without_any_are_a_table_without_rows() -> None:
    tables = encounters_to_tables(made(3))
    no_batch: Iterator[Any] = iter(())
    for none in (no_batch, pa.RecordBatchReader.from_batches(tables["lines"].schema, [])):
        found = check_frame(
            administrations=tables["administrations"],
            lines=none,
            engine=ENGINE,
            encounters=tables["encounters"].drop_columns("has_claim"),
        )
        assert found.encounters.num_rows == 3
        (note,) = [one for one in found.notes["message"].to_pylist() if "lines table" in one]
        assert note.startswith("3 of 3 ")
    (nothing,) = check_batches(lines=iter([]), engine=ENGINE, setting="facility")
    assert nothing.encounters.num_rows == 0
    assert nothing.notes.to_pylist() == [
        {"encounter": None, "place": "lines", "message": "holds no row"}
    ]


@pytest.mark.parametrize("workers", [0, 2])
def test_readings_are_taken_only_as_far_as_answers_are_asked_for(workers: int) -> None:
    taken, some = 0, made(3)

    def endless() -> Iterator[Record | Note]:
        nonlocal taken
        while True:
            taken += 1
            yield Record(f"r:{taken}", some[taken % 3])
            yield Note("r", "a remark")

    pieces = check_readings(endless(), engine=EngineOptions(), size=3, workers=workers)
    for n in range(1, 8):
        piece = next(pieces)
        assert piece.encounters.num_rows == 3
        assert piece.encounters["encounter"].to_pylist() == [
            some[k % 3].id for k in range(3 * n - 2, 3 * n + 1)
        ]
        assert taken <= 3 * (n + 2 * workers) + 1
    pieces.close()  # type: ignore[attr-defined]
    assert multiprocessing.active_children() == []


def test_readings_of_any_reader_become_frames_of_any_library() -> None:
    from ivpush.readers.json import read

    text = json.dumps(json.loads(EXAMPLE.read_text("utf-8"))).encode() + b"\n{\n"
    (found,) = check_readings(read("f", io.BytesIO(text)), like=LIKE["polars"], engine=ENGINE)
    assert isinstance(found.violations, pl.DataFrame)
    assert found.encounters["status"].to_list() == [ENGINE.check(example()).status]
    assert found.set_aside["place"].to_list() == ["f:2"]


def test_large_encounters_make_smaller_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ivpush.frames._MOST_ROWS", 1)
    pieces = list(check_batches(**encounters_to_tables(made(3)), engine=ENGINE))
    assert [one.encounters.num_rows for one in pieces if one.encounters.num_rows] == [1, 1, 1]


def test_our_own_failure_sets_one_encounter_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    those = made(3)
    work = Engine.work

    def failing(self: Engine, encounter: Encounter) -> Any:
        if encounter.id == those[1].id:
            raise KeyError("SECRET")
        return work(self, encounter)

    monkeypatch.setattr(Engine, "work", failing)
    found = check_frame(**encounters_to_tables(those), engine=ENGINE)
    assert found.encounters["encounter"].to_pylist() == [those[0].id, those[2].id]
    (row,) = found.set_aside.to_pylist()
    assert (row["place"], row["encounter"]) == ("encounters[2]", those[1].id)
    assert "failed inside ivpush (KeyError)" in row["problem"] and "SECRET" not in row["problem"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"size": 0}, "size: is too small"),
        ({"workers": -1}, "workers: is too small"),
        ({"workers": 1, "engine": ENGINE}, "engine: cannot be handed to processes"),
        ({"engine": EngineOptions(policies={"nonsense": 1})}, "policy nonsense"),
        ({"engine": {"payer": "medicare"}}, "engine: is of the type dict; give an Engine"),
        (
            {
                "lines": iter(
                    [
                        pa.table(
                            {name: ["1"] for name in ("encounter", "number", "code", "units")}
                        ),
                        pa.table({"encounter": ["A"], "code": ["x"]}),
                    ]
                )
            },
            "lines: has a batch with other columns",
        ),
        ({"lines": iter([1])}, "lines: is no frame that is read"),
    ],
)
def test_what_cannot_be_checked_in_batches_is_told(more: dict[str, Any], said: str) -> None:
    given_ = {"lines": encounters_to_tables([example()])["lines"], "setting": "facility", **more}
    with pytest.raises(UsageError, match=said):
        list(check_batches(**given_))
