"""A run ends with its totals; with ``--statistics`` it prints these alone."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from ivpush.batch import Counts, Seen
from ivpush.commands import check_batch
from tests.commands.cli import CLEAN, WRONG, write

BOTH = "2 encounters: 1 clean, 1 with errors, 0 need the chart;"


@pytest.mark.parametrize("more", [(), ("--workers", "1"), ("--format", "ndjson"), ("--fix",)])
def test_a_run_of_several_ends_with_their_totals(ivpush: Any, more: tuple[str, ...]) -> None:
    run = ivpush("check", write("f", CLEAN, WRONG), *more)
    assert f"ivpush: {BOTH}" in run.err
    assert "unsupported: charges that the chart does not support: 1 unit" in run.err
    assert run.err.endswith("2 in = 2 checked + 0 set aside\n")


def test_one_encounter_has_no_totals_beside_its_page(ivpush: Any) -> None:
    assert "1 encounter:" not in ivpush("check", write("f", CLEAN)).err


def test_old_tables_are_said_once_a_run_and_in_no_result(ivpush: Any) -> None:
    run = ivpush("check", write("f", WRONG, WRONG), "--format", "ndjson")
    assert run.err.count("are of an earlier quarter than 2 encounters") == 1
    assert "quarter" not in run.out
    in_time = {**WRONG, "date": "2024-08-01"}
    assert "quarter" not in ivpush("check", write("f", in_time, in_time)).err


@pytest.mark.parametrize("more", [(), ("--workers", "2", "--chunk", "1")])
def test_statistics_stand_in_the_place_of_results(ivpush: Any, more: tuple[str, ...]) -> None:
    write("f", CLEAN, WRONG, {"id": 7})
    run = ivpush("check", "f", "--statistics", *more)
    assert run.status == 4
    assert run.out.startswith(BOTH)
    assert "IVP901 unsupported-charge (in 1 encounter)" in run.out
    assert "SET ASIDE\n          1  id: " in run.out
    assert BOTH not in run.err
    data = json.loads(ivpush("check", "f", "--statistics", "--format", "json", *more).out)
    assert data["encounters"] == {"clean": 1, "violations": 1}
    rows = csv.DictReader(io.StringIO(ivpush("check", "f", "--statistics", "--format", "csv").out))
    assert {"rule", "payer", "set aside"} <= {row["of"] for row in rows}


def test_results_may_go_to_a_file_beside_the_statistics(ivpush: Any) -> None:
    write("f", CLEAN, WRONG)
    for more in ((), ("--workers", "1")):
        run = ivpush("check", "f", "--statistics", "--output", "ndjson:o", *more)
        assert run.out.startswith(BOTH)
        assert len(Path("o").read_text("utf-8").splitlines()) == 2


@pytest.mark.parametrize("more", [(), ("--workers", "1")])
def test_a_format_that_totals_do_not_have_is_2(ivpush: Any, more: tuple[str, ...]) -> None:
    run = ivpush("check", write("f", CLEAN), "--statistics", "--format", "sarif", *more)
    assert (run.status, run.out) == (2, "")
    assert "--format: is no format of totals; write one of: csv, json, text" in run.err


def test_standard_output_holds_one_document(ivpush: Any) -> None:
    run = ivpush("check", write("f", CLEAN), "--statistics", "--fix")
    assert run.status == 2
    assert "--statistics: standard output has one document already" in run.err


def test_notes_are_no_violations(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    progress = check_batch.Progress("log", out)
    monkeypatch.setattr(progress, "_pause", 0)
    counts = Counts(read=9, checked=9, errors=1, warnings=2, infos=5)
    progress.see(Seen(counts, bytes_read=0, bytes_all=0))
    assert "3 violations, 5 notes" in out.getvalue()
