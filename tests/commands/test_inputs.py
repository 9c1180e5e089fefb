"""What a run reads: every form of JSON, bad records, charts beside claims, files read together."""

from __future__ import annotations

import json
import types
from pathlib import Path
from typing import Any

import pytest

from ivpush import Encounter
from tests.commands.cli import CANARY, CHART, CLEAN, MENDED, WRONG, module, part, spawn, write


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(CLEAN),
        json.dumps([CLEAN]),
        json.dumps(CLEAN, indent=2),
        json.dumps(CLEAN) + "\n",
        "\n\n" + json.dumps(CLEAN),
        "\ufeff" + json.dumps(CLEAN),
        json.dumps(CLEAN).replace(" ", "\r\n"),
    ],
)
def test_json_in_every_form(ivpush: Any, text: str) -> None:
    run = ivpush("check", "-", "--format", "ndjson", stdin=text)
    assert (run.status, json.loads(run.out)["encounter"]) == (0, "E1")


BAD = {
    "not json": "{",
    "a word": "hello",
    "nan": '{"id": NaN}',
    "duplicate key": '{"id": "a", "id": "b", "setting": "facility"}',
    "deep": "[" * 5_000,
    "big number": '{"id": "a", "setting": "facility", "charge": ' + "9" * 5_000 + "}",
    "surrogate": '{"id": "\\ud800", "setting": "facility"}',
    "no utf-8": b'{"id": "\xff"}',
    "wrong type": '{"id": 1, "setting": "facility"}',
    "null": "null",
    "number": "17",
    "nul": "\x00",
    "unknown field": f'{{"id": "a", "setting": "facility", "{CANARY}": 1}}',
    "value": f'{{"id": "a", "setting": "facility", "date": "{CANARY}"}}',
}


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_a_bad_record_is_set_aside_with_its_place(ivpush: Any, text: str | bytes) -> None:
    run = ivpush("check", "-", "--from", "json", stdin=text)
    assert run.status == 4
    assert run.err.startswith("ivpush: -")
    assert run.err.endswith("1 in = 0 checked + 1 set aside\n")
    assert CANARY not in run.err + run.out
    assert "Traceback" not in run.err


def test_bad_records_do_not_stop_good_ones(ivpush: Any) -> None:
    lines = [json.dumps(CLEAN), "{", json.dumps({**CLEAN, "id": 7}), json.dumps(WRONG)]
    run = ivpush("check", "-", "--format", "ndjson", stdin="\n".join(lines))
    assert [json.loads(text)["encounter"] for text in run.out.splitlines()] == ["E1", "E2"]
    assert run.err.endswith("4 in = 2 checked + 2 set aside\n")
    assert "-:2:" in run.err and "-:3:" in run.err
    assert run.status == 4


def test_set_aside_rows_name_place_and_reason(ivpush: Any) -> None:
    Path("f").write_text(json.dumps(CLEAN) + f'\n{{"id": "{CANARY}", "setting": 7}}\n', "utf-8")
    run = ivpush("check", "f", "--set-aside", "aside")
    assert run.status == 4
    (row,) = map(json.loads, Path("aside").read_text("utf-8").splitlines())
    assert row.keys() == {"place", "reason"}
    assert row["place"] == "f:2" and "setting" in row["reason"]
    assert CANARY not in run.err + Path("aside").read_text("utf-8")
    ivpush("check", "f", "--set-aside", "aside", "--show-text")
    (row,) = map(json.loads, Path("aside").read_text("utf-8").splitlines())
    assert CANARY in row["raw"]


def test_set_aside_keeps_bytes_that_are_no_text(ivpush: Any) -> None:
    Path("f").write_bytes(json.dumps(CLEAN).encode() + b"\n\xff\xfe\n")
    ivpush("check", "f", "--set-aside", "-", "--output", "json:o", "--show-text")
    run = ivpush("check", "f", "--set-aside", "-", "--output", "json:o", "--show-text")
    assert json.loads(run.out)["raw_base64"]


def test_unknown_content_is_refused_by_name_and_the_rest_is_read(ivpush: Any) -> None:
    Path("junk").write_bytes(b"\x00\x01 " + CANARY.encode())
    run = ivpush("check", "junk", write("f", CLEAN), "--format", "ndjson")
    assert run.status == 2
    assert "ivpush: junk: is in no known format" in run.err and "x12" in run.err
    assert CANARY not in run.err
    assert json.loads(run.out)["encounter"] == "E1"


def test_what_the_command_line_knows_stands_in(ivpush: Any) -> None:
    record = {"id": "E", "date": "2026-03-02", "administrations": [], "lines": []}
    assert ivpush("check", write("f", record)).status == 4
    assert ivpush("check", "f", "--setting", "facility").status == 0
    run = ivpush("convert", "f", "--setting", "facility", "--timezone", "America/Chicago")
    assert json.loads(run.out)["timezone"] == "America/Chicago"


def test_from_takes_every_format_that_is_detected() -> None:
    """The command line names them itself, so that ``--version`` need not load the readers."""
    from ivpush.commands import inputs
    from ivpush.readers.detect import FORMATS

    assert tuple(format_.name for format_ in FORMATS) == inputs.INPUT_FORMATS


def test_standard_input_twice_is_refused(ivpush: Any) -> None:
    run = ivpush("check", "-", "--chart", "-", stdin="")
    assert run.status == 2 and "read twice" in run.err


def test_charts_are_linked_to_claims(ivpush: Any) -> None:
    claim = part(MENDED, "id", "setting", "date", "lines")
    write("claims", claim)
    write("charts", CHART, {**CHART, "id": "other", "date": "2026-04-01"})
    run = ivpush("check", "claims", "--chart", "charts", "--format", "ndjson")
    first, second = map(json.loads, run.out.splitlines())
    assert [line["code"] for line in first["suggested"]] == ["96374"]
    assert first["corrected"][0]["code"] == "96374"
    assert second["encounter"] == "other"
    assert "claims: 1 linked + 0 alone" in run.err
    assert "charts: 1 linked + 1 alone" in run.err
    assert "charts:2: no claim was found for this chart" in run.err
    mended = ivpush("check", "claims", "--chart", "charts", "--fix")
    assert json.loads(mended.out.splitlines()[0])["lines"][0]["code"] == "96374"


def test_files_whose_records_are_spread_are_read_together(
    ivpush: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ivpush.readers import Record

    def read_together(inputs: Any, _options: Any) -> Any:
        names = ", ".join(name for name, _ in inputs)
        texts = b"".join(stream.read() for _, stream in inputs)
        assert texts.count(b"resourceType") == len(inputs)
        yield Record(names, Encounter.model_validate(CLEAN))

    def read(name: str, stream: Any, options: Any) -> Any:
        yield from read_together([(name, stream)], options)

    module(monkeypatch, "ivpush.readers.fhir", read=read, read_together=read_together)
    for name in ("a", "b"):
        Path(name).write_text('{"resourceType": "Encounter"}', "utf-8")
    run = ivpush("check", "a", write("f", WRONG), "b", "--output", "csv:-")
    assert run.err.endswith("2 in = 2 checked + 0 set aside\n")
    assert '"a, b",E1,encounter' in run.out
    run = ivpush("check", "a", "--output", "csv:-")
    assert "\na,E1,encounter" in run.out.replace("\r", "")


def test_tables_are_joined_unless_a_map_makes_each_whole(
    ivpush: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ivpush.readers import Record

    def read(name: str, _stream: Any, _options: Any) -> Any:
        yield Record(name, Encounter.model_validate(CLEAN))

    def read_joined(streams: Any, _options: Any) -> Any:
        yield Record("+".join(streams), Encounter.model_validate(CLEAN))

    module(monkeypatch, "ivpush.readers.tables.reader", read=read, read_joined=read_joined)
    module(
        monkeypatch,
        "ivpush.readers.tables.maps",
        load_map=lambda _named: types.SimpleNamespace(table="lines"),
    )
    Path("lines.csv").write_text("encounter,code", "utf-8")
    Path("given.parquet").write_bytes(b"PAR1")
    run = ivpush("check", "lines.csv", "given.parquet", "--output", "csv:-")
    assert "lines.csv+given.parquet,E1,encounter" in run.out
    run = ivpush("check", "lines.csv", "given.parquet", "--map", "m", "--output", "csv:-")
    assert "\nlines.csv,E1,encounter" in run.out and "\ngiven.parquet,E1,encounter" in run.out


def test_a_header_that_does_not_fit_is_2_and_leaves_no_traceback(ivpush: Any) -> None:
    Path("w.csv").write_text("x,y\n1,2\n", "utf-8")
    # In a process of its own, for what a generator leaves behind is told when it ends.
    done = spawn("check", "w.csv", env={})
    assert done.returncode == 2
    assert "w.csv: holds no column of ours, but columns 1, 2" in done.stderr
    assert "Traceback" not in done.stderr and "ignored" not in done.stderr


@pytest.mark.parametrize("command", [("check",), ("check", "--fix"), ("convert",)])
def test_a_chart_that_cannot_be_read_ends_the_run_before_a_claim(
    ivpush: Any, command: tuple[str, ...]
) -> None:
    write("claims", WRONG)
    Path("chart.csv").write_text("x,y\n1,2\n", "utf-8")
    for chart, said in (
        ("nowhere", "nowhere: No such file"),
        ("chart.csv", "chart.csv: holds no column of ours"),
    ):
        run = ivpush(*command, "claims", "--chart", chart)
        assert (run.status, run.out) == (2, "")
        assert said in run.err
        assert run.err.endswith(
            "0 in = 0 checked + 0 set aside\n".replace("checked", _done(command))
        )


def _done(command: tuple[str, ...]) -> str:
    return "written" if command[0] == "convert" else "checked"


@pytest.mark.parametrize("command", ["check", "convert"])
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("f.ndjson", ""),
        ("f.ndjson", "\n \n"),
        ("f.json", "[]"),
        ("f.csv", "encounter,number,code,units\n"),
        ("f.hl7", "FHS|^~\\&\r"),
    ],
)
def test_an_input_without_a_record_is_2_and_said(
    ivpush: Any, command: str, name: str, text: str
) -> None:
    Path(name).write_text(text, "utf-8")
    run = ivpush(command, name, "--setting", "facility")
    assert run.status == 2
    assert f"{name}: " in run.err
    assert "input: holds no record; name a file that holds one" in run.err
    assert "0 in = 0 " in run.err


def test_an_empty_file_among_others_is_said(ivpush: Any) -> None:
    Path("empty.ndjson").write_text("", "utf-8")
    run = ivpush("check", write("f", CLEAN), "empty.ndjson")
    assert run.status == 0
    assert "empty.ndjson: holds no record" in run.err


def test_an_empty_batch_is_2_and_said(ivpush: Any) -> None:
    Path("empty.ndjson").write_text("", "utf-8")
    run = ivpush("check", "empty.ndjson", "--workers", "1")
    assert run.status == 2
    assert "empty.ndjson: holds no record" in run.err
    assert "input: holds no record" in run.err


def test_a_zone_that_does_not_exist_is_2(ivpush: Any) -> None:
    for command in ("check", "convert"):
        run = ivpush(command, write("f", CLEAN), "--timezone", "America/Chicgo")
        assert run.status == 2
        assert "--timezone: is not a known zone; did you mean 'America/Chicago'?" in run.err
        assert run.out == ""


def test_records_set_aside_are_named_up_to_a_bound_and_all_counted(ivpush: Any) -> None:
    Path("bad.ndjson").write_text("{}\n" * 30)
    run = ivpush("check", "bad.ndjson", "--set-aside", "aside.ndjson")
    assert run.err.count("id: is missing") == 20
    assert "further records that are set aside are counted, not named" in run.err
    assert run.err.endswith("30 in = 0 checked + 30 set aside\n")
    assert len(Path("aside.ndjson").read_text().splitlines()) == 30
