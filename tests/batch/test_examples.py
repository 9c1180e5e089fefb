"""The batch examples run as a stranger runs them, and say what one engine says; docs/batch.md too."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest

from ivpush import Encounter, Engine, Result
from ivpush.testing import samples
from tests.readers.test_mapped_frames import FRAMES
from tests.shipped import PACK

ROOT = Path(__file__).resolve().parents[2]
COUNT = 24
SPOILT = 3
"""Which encounter has a line in lines.csv that cannot be read."""
ENCOUNTERS = [Encounter.model_validate_json(one) for one in samples.lines(1, COUNT)]
RESULTS = list(Engine(pack=PACK, payer="medicare").check_many(ENCOUNTERS))
JUDGED = [one for n, one in enumerate(RESULTS) if n != SPOILT]
"""What comes of the tables."""


def example(name: str, *arguments: Path | str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / name), *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done


def errors(results: list[Result]) -> Counter[str]:
    return Counter(
        one.rule for result in results for one in result.violations if one.severity == "error"
    )


@pytest.fixture(scope="module")
def claims(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made-up claims, and a record between them that is no JSON."""
    path = tmp_path_factory.mktemp("claims") / "claims.ndjson"
    lines = list(samples.lines(1, COUNT))
    lines.insert(5, b'{"id":\n')
    path.write_bytes(b"".join(lines))
    return path


@pytest.fixture(scope="module")
def made(claims: Path) -> tuple[Path, str]:
    """The tables of the claims, one line of them spoilt, and what was printed."""
    folder = claims.parent / "tables"
    printed = example("make_tables.py", claims, folder).stdout
    path = folder / "lines.csv"
    with path.open(encoding="utf-8", newline="") as text:
        rows = list(csv.DictReader(text))
    next(row for row in rows if row["encounter"] == ENCOUNTERS[SPOILT].id)["units"] = "many"
    with path.open("w", encoding="utf-8", newline="") as text:
        writer = csv.DictWriter(text, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return folder, printed


@pytest.fixture
def tables(made: tuple[Path, str]) -> Iterator[Path]:
    """The tables alone, whatever another example wrote beside them."""
    yield made[0]
    for one in made[0].iterdir():
        if one.is_file() and one.stem not in {"encounters", "administrations", "lines"}:
            one.unlink()


def last_line(text: str) -> str:
    return text.splitlines()[-1]


COUNTED = f"{COUNT} in = {COUNT - 1} checked + 1 set aside"


def test_the_data_can_show_a_difference() -> None:
    assert len(errors(JUDGED)) > 3
    assert errors(JUDGED) != errors(RESULTS)


def test_tables_are_made_of_every_record_that_can_be_read(made: tuple[Path, str]) -> None:
    folder, printed = made
    assert printed == f"{COUNT + 1} in = {COUNT} written + 1 set aside\n"
    ids = pq.read_table(folder / "encounters.parquet")["id"].to_pylist()
    assert ids == [one.id for one in ENCOUNTERS]


def test_the_plain_example_says_what_the_engine_says(claims: Path) -> None:
    done = example("plain_batch.py", claims)
    first, *others = done.stdout.splitlines()
    assert first == f"{COUNT + 1} in = {COUNT} checked + 1 set aside"
    spoke = Counter(one.rule for result in RESULTS for one in result.violations)
    assert others == [f"{rule}: {count}" for rule, count in spoke.most_common(5)]
    assert done.stderr.startswith("record[6]: this is not JSON")


def test_the_pandas_example_says_what_the_engine_says(tables: Path) -> None:
    done = example("pandas_batch.py", tables)
    assert last_line(done.stdout) == COUNTED
    assert done.stderr.startswith(f"encounters[{SPOILT + 1}]: ") and "units" in done.stderr
    denials = pq.read_table(tables / "denials.parquet").to_pylist()
    assert {one["rule"]: one["findings"] for one in denials} == errors(JUDGED)
    billed = pq.read_table(tables / "billed.parquet").to_pylist()
    wanted = [
        (result.encounter, one.number, one.status) for result in JUDGED for one in result.lines
    ]
    aside = [
        (ENCOUNTERS[SPOILT].id, one.number, "set aside") for one in ENCOUNTERS[SPOILT].lines or ()
    ]
    assert aside
    assert sorted((one["encounter"], one["number"], one["status"]) for one in billed) == sorted(
        wanted + aside
    )
    units: dict[str, list[int]] = {}
    for n, encounter in enumerate(ENCOUNTERS):
        if n != SPOILT:
            for line in encounter.lines or ():
                units.setdefault(line.code, [0, 0])[0] += line.units
            for one in RESULTS[n].suggested:
                units.setdefault(one.code, [0, 0])[1] += one.units
    compared = pq.read_table(tables / "units.parquet").to_pylist()
    assert {one["code"]: [one["billed"], one["suggested"]] for one in compared} == units


def encounters_by_rule() -> dict[str, int]:
    return Counter(
        rule
        for result in JUDGED
        for rule in {one.rule for one in result.violations if one.severity == "error"}
    )


def denials(path: Path) -> tuple[dict[str, int], dict[str, int]]:
    rows = pq.read_table(path).to_pylist()
    return (
        {one["rule"]: one["findings"] for one in rows},
        {one["rule"]: one["encounters"] for one in rows},
    )


def test_the_polars_example_says_what_the_engine_says_in_any_pieces(tables: Path) -> None:
    done = example("polars_batch.py", tables, "10")
    assert last_line(done.stdout) == COUNTED
    assert done.stderr.startswith(f"encounters[{SPOILT + 1}]: ")
    assert len(list((tables / "violations").iterdir())) >= 3
    assert denials(tables / "denials.parquet") == (errors(JUDGED), encounters_by_rule())
    found = pl.read_parquet(tables / "violations" / "*.parquet")
    assert found["encounter"].unique(maintain_order=True).to_list() == [
        one.encounter for one in JUDGED if one.violations
    ]


def test_the_duckdb_example_says_what_the_engine_says(tables: Path) -> None:
    import duckdb

    done = example("duckdb_batch.py", tables)
    assert last_line(done.stdout) == COUNTED
    assert denials(tables / "denials.parquet") == (errors(JUDGED), encounters_by_rule())
    with duckdb.connect(str(tables / "findings.duckdb"), read_only=True) as database:
        lines = database.execute("select encounter, number, status from lines").fetchall()
        (aside,) = database.execute("select place, problem from set_aside").fetchall()
    assert lines == [
        (result.encounter, one.number, one.status) for result in JUDGED for one in result.lines
    ]
    assert aside[0] == f"encounters[{SPOILT + 1}]" and "units" in aside[1]


def test_every_batch_example_is_on_its_page() -> None:
    page = (ROOT / "examples/README.md").read_text("utf-8")
    assert all(f"`{file.name}`" in page for file in (ROOT / "examples").glob("*.py"))


PAGE = re.findall(r"```python\n(.*?)```", (ROOT / "docs/batch.md").read_text("utf-8"), re.S)


@pytest.mark.parametrize("number", range(len(PAGE)))
@pytest.mark.filterwarnings("ignore")  # polars says that collect_batches may change
def test_the_python_of_the_page_runs(
    number: int,
    claims: Path,
    tables: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tables.parent)
    space: dict[str, Any] = {"__name__": "__main__"}
    exec(PAGE[number], space)
    printed = capsys.readouterr().out
    if "run(" in PAGE[number]:
        assert f"{COUNT + 1} in = {COUNT} checked + 1 set aside" in printed
        assert printed.count("record[") == COUNT + 1
    if "check_readings" in PAGE[number]:
        assert f"{COUNT} checked + 1 set aside" in printed
    if "check_frame" in PAGE[number]:
        assert len(space["found"].encounters) == COUNT - 1
        assert len(space["found"].set_aside) == 1
    if "check_batches" in PAGE[number]:
        assert (tables.parent / "violations-0.parquet").exists()


def test_the_page_shows_every_way_in() -> None:
    text = "".join(PAGE)
    for name in (
        "run(",
        "check_many(",
        "check_frame(",
        "check_batches(",
        "check_readings(",
        "pandas",
        "polars",
        "duckdb",
    ):
        assert name in text


def test_the_python_of_the_page_of_formats_runs(tables: Path) -> None:
    text = (ROOT / "docs/formats.md").read_text("utf-8")
    frame, mapped = re.findall(r"```python\n(.*?)```", text, re.S)
    space: dict[str, Any] = {
        "lines": pl.read_csv(tables / "lines.csv", infer_schema=False),
        "given": pl.read_parquet(tables / "administrations.parquet"),
    }
    exec(frame, space)
    assert isinstance(space["found"].violations, pl.DataFrame)
    assert space["found"].encounters.height + space["found"].set_aside.height == COUNT
    of_mar: dict[str, Any] = {"mar": FRAMES["polars"]()}
    exec(mapped, of_mar)
    assert of_mar["checked"].encounters.height == 2
