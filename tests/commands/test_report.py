"""``ivpush report``: one file of encounters or of kept results, whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.commands.cli import Run
from tests.report.reports import BILLED, VISITS
from tests.report.test_report import data_of, details_in
from tests.shipped import ENGINE
from tests.timeline.visits import given, visit

CANARY = "Jane-Doe-078-05-1120"
NAMED = visit(
    given("a1", CANARY, "infusion", "09:00", "10:00", site="x"),
    given("a2", "morphine", "push", "09:30", site="y", separate_site_reason="incompatible"),
    id="V-4711",
)


@pytest.fixture
def visits(tmp_path: Path) -> Path:
    file = tmp_path / "visits.ndjson"
    file.write_text("".join(json.dumps(each) + "\n" for each in VISITS), "utf-8")
    return file


def ids(page: str) -> list[str]:
    listed: list[str] = data_of(page, "rows")["columns"]["id"]
    return listed


def test_encounters_become_one_file(ivpush: Any, visits: Path) -> None:
    run: Run = ivpush("report", str(visits), "-o", "report.html")
    assert (run.status, run.out) == (0, "")
    assert "5 in = 5 in the report + 0 set aside" in run.err
    page = Path("report.html").read_text("utf-8")
    assert ids(page) == [record["id"] for record in VISITS]
    assert "2026-" in page and not Path("report.html.partial").exists()
    assert ivpush("report", str(visits)).out == page


def test_kept_results_give_the_same_encounters(ivpush: Any, visits: Path) -> None:
    straight = ivpush("report", str(visits)).out
    for format_ in ("ndjson", "json"):
        kept = ivpush("check", str(visits), "--visit", "--format", format_)
        run = ivpush("report", "-", stdin=kept.out)
        assert run.status == 0
        assert details_in(run.out) == details_in(straight)
        assert data_of(run.out, "rows") == data_of(straight, "rows")


def test_what_cannot_be_read_is_counted_in_the_page_and_in_the_status(
    ivpush: Any, visits: Path
) -> None:
    kept = b"".join(ENGINE.check(record).to_json() + b"\n" for record in VISITS)
    Path("kept").write_bytes(kept + b'{"schema": 1}\n')
    with visits.open("a") as more:
        more.write('{"id": "E", "setting": "facility", "colour": 1}\n')
    for name in ("kept", str(visits)):
        run = ivpush("report", name, "--set-aside", "aside.ndjson", "-o", "report.html")
        assert run.status == 4
        assert "6 in = 5 in the report + 1 set aside" in run.err
        assert "1 record could not be read" in Path("report.html").read_text("utf-8")
        assert len(Path("aside.ndjson").read_text("utf-8").splitlines()) == 1


def test_a_result_that_no_engine_wrote_costs_no_other(ivpush: Any) -> None:
    sound = ENGINE.check(BILLED, visit=True).to_json()
    mixed = sound.replace(b'"start":"2026-03-02T09:00:00"', b'"start":"2026-03-02T09:00:00Z"')
    assert mixed != sound
    Path("kept").write_bytes(b"\n".join((sound, mixed, sound)))
    run = ivpush("report", "kept")
    assert run.status == 4 and "3 in = 2 in the report + 1 set aside" in run.err
    assert len(ids(run.out)) == len(details_in(run.out)) == 2


def test_charts_are_linked_to_claims(ivpush: Any) -> None:
    chart = {key: value for key, value in BILLED.items() if key != "lines"}
    claim = {key: value for key, value in BILLED.items() if key != "administrations"}
    for name, record in (("chart.json", chart), ("claim.json", claim)):
        Path(name).write_text(json.dumps(record), "utf-8")
    run = ivpush("report", "claim.json", "--chart", "chart.json")
    assert run.status == 0 and "<svg" in details_in(run.out)[0]


def test_charts_own_words_and_ids_are_shown_as_asked(ivpush: Any) -> None:
    Path("v.json").write_text(json.dumps(NAMED), "utf-8")

    def page(*options: str) -> str:
        text: str = ivpush("report", "v.json", *options).out
        return text + "".join(details_in(text)) + "".join(ids(text))

    assert CANARY not in page() and "V-4711" in page()
    assert CANARY in page("--show-text")
    assert "V-4711" not in page("--mask-ids")
    Path("kept").write_bytes(ENGINE.check(NAMED, visit=True).to_json())
    run = ivpush("report", "kept", "--mask-ids")
    assert run.status == 2 and "ivpush check --mask-ids" in run.err


def test_silent_rules_stay_silent_and_are_named(ivpush: Any, visits: Path) -> None:
    rule = ENGINE.check(BILLED).errors[0].rule
    whole = ivpush("report", str(visits)).out
    silent = ivpush("report", str(visits), "--ignore", rule).out
    assert any(rule in html for html in details_in(whole))
    assert not any(f"<b>{rule}</b>" in html for html in details_in(silent))
    assert f"Rules that were not to speak: {rule}." in silent


def test_nothing_is_written_over_an_input(ivpush: Any, visits: Path) -> None:
    before = visits.read_bytes()
    run = ivpush("report", str(visits), "-o", str(visits))
    assert run.status == 2 and "is an input of this run" in run.err
    assert visits.read_bytes() == before
    assert ivpush("report", "missing.json", "-o", "r.html").status == 2
    assert not Path("r.html").exists()
