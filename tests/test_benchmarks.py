"""The benchmarks' own parts: the rules as SQL say what ours say, and the table is a table."""

from __future__ import annotations

import importlib
import itertools
import json
import statistics
import sys
from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from benchmarks import __main__ as command
from benchmarks import (
    golden,
    instructions,
    long_charts,
    noise,
    shape,
    sql,
    sql_speed,
)
from benchmarks.batches import batch, encounters_file
from benchmarks.foreign import NotPossibleError
from benchmarks.measure import Row, Size
from benchmarks.rules_growth import few
from benchmarks.sample import SERIES, ready, series
from benchmarks.stages import stages

from ivpush import Encounter, Engine
from ivpush.authoring.encounters import case_encounter
from ivpush.engine import Worked
from ivpush.language.evaluator import evaluate
from ivpush.language.parser import parse
from ivpush.language.vocabulary import Names
from tests.shipped import ENGINE, PACK


@pytest.fixture(scope="module")
def engine() -> Engine:
    return ENGINE


@pytest.fixture(scope="module")
def cases(engine: Engine) -> list[Worked]:
    """Every case of every rule that stands under the default payer and policies."""
    by_rules = defaultdict(list)
    for rule in engine.pack.rules:
        for case in rule.every_case:
            if not case.get("policies"):
                work = engine.work(case_encounter(case, engine.pack.case_date))
                by_rules[id(work.book.rules)].append(work)
    return max(by_rules.values(), key=len)


def test_made_up_visits_are_answered_within_the_marks(engine: Engine) -> None:
    said = noise.measured(noise.results(3, 150, engine))
    assert said.visits == 150
    assert len(said.errors) > 20
    assert statistics.mean(said.errors) <= noise.MOST_ERRORS
    assert said.everywhere == []
    # How many paths there are in the middle takes more visits: relation 18 holds it.
    assert min(said.paths) >= 1


def test_the_rules_as_sql_say_of_their_own_cases_what_ours_say(cases: list[Worked]) -> None:
    database = sql.Database(cases)
    broken, unjudged = database.ours()
    assert len({rule for rule, _ in broken}) > 140, "nearly every rule is broken by some case"
    assert len({rule for rule, _ in unjudged}) > 40
    assert database.skipped == set()
    assert database.verdicts() == (broken, unjudged)


def test_realistic_encounters_are_judged_alike_and_a_difference_stops_the_run() -> None:
    works = sql_speed.realistic(40)
    database = sql.Database(works)
    sql_speed.agree(database)
    wrong = next(work for work in works if work.findings.broken)
    rule, _ = wrong.findings.broken.pop()
    with pytest.raises(SystemExit, match=rule.id):
        sql_speed.agree(database)


def test_a_repeated_database_gives_every_verdict_as_often() -> None:
    database = sql.Database(sql_speed.realistic(10))
    once = len(database.run(database.prepare()["judged"]))
    database.repeat(3)
    assert once > 0
    assert len(database.run(database.prepare()["judged"])) == 3 * once


def test_encounters_under_different_rules_share_no_database(engine: Engine) -> None:
    works = [
        Engine(pack=PACK, policies={"em_99211": value}).work(Encounter(id="E", setting="facility"))
        for value in ("deny", "allow_with_25")
    ]
    with pytest.raises(ValueError, match="different rules"):
        sql.Database(works)


EXPRESSIONS = (
    "line.units <= line.supported_units",
    "not (line.replaced_by == 'A') or line.units > 1",
    "line.replaced_by != 'A' and line.supported_units == 0",
    "line.replaced_by in {'A', 'B'}",
    "line.replaced_by not in line.primaries",
    "-line.units + line.supported_units * 2 > 0",
    "known(line.administrations) == known(line.service)",
    "line.replaced_by is 'A'",
    "not line.replaced_by is 'A'",
    "surely(line.units <= line.supported_units)",
    "not surely(line.replaced_by == 'A') or line.units > 1",
    "line.replaced_by in words.letters",
    "line.replaced_by not in words.letters",
    "line.service.family == 'hydration'",
    "empty(line.primaries)",
    "size(line.primaries) == line.units",
    "overlaps(line.modifiers, line.primaries)",
    "subset(line.primaries, line.modifiers)",
    "any(a.running_minutes > 15 for a in line.administrations)",
    "any(a.running_minutes == line.units for a in line.administrations)",
    "any(a.billable for a in line.administrations if a.running_minutes > 15)",
    "all(a.running_minutes > 15 for a in line.administrations)",
    "all(a.running_minutes > 15 for a in line.administrations if a.billable)",
    "count(a.running_minutes > 15 for a in line.administrations) == 1",
    "any(any(b.running_minutes < a.running_minutes for b in line.administrations)"
    " for a in line.administrations)",
)


def ran(minutes: tuple[int | None, ...] | None) -> tuple[Any, ...] | None:
    """Administrations that ran so many minutes, the first of them billable."""
    if minutes is None:
        return None
    return tuple(
        SimpleNamespace(running_minutes=each, billable=place == 0)
        for place, each in enumerate(minutes)
    )


LINE_FACTS: dict[str, tuple[Any, ...]] = {
    "given": (SimpleNamespace(units=1), SimpleNamespace(units=20)),
    "supported_units": (None, 0, 20),
    "replaced_by": (None, "A", "C"),
    "primaries": (None, frozenset(), frozenset({"X"}), frozenset({"A", "X"})),
    "modifiers": (frozenset({"X"}),),
    "service": (None, SimpleNamespace(family="hydration"), SimpleNamespace(family="therapeutic")),
    "administrations": tuple(map(ran, (None, (), (10, 20), (None,), (None, 20), (None, 10)))),
}
"""What may be known of a line, fact by fact."""


def made_up_lines() -> list[Any]:
    """Lines with every mix of known and unknown facts."""
    lines = [
        SimpleNamespace(**dict(zip(LINE_FACTS, values, strict=True)))
        for values in itertools.product(*LINE_FACTS.values())
    ]
    for line in lines:
        line.coded = line.marks = line.match = line  # facts are reached through their parts
    return lines


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_sql_knows_true_false_and_unknown_as_the_language_does(text: str, engine: Engine) -> None:
    import duckdb

    names: Names = replace(engine.pack.names, words={"letters": frozenset({"a", "b"})})
    node = parse(text, names, "line")
    writer = sql.Translator(names, "line", SimpleNamespace(), SimpleNamespace())
    query = f"SELECT {writer.text(node)} FROM line ORDER BY n"
    lines, shapes = made_up_lines(), {"subject": writer.shapes["subject"]}
    connection = duckdb.connect()
    rows = [sql.row(n, {"subject": line}, shapes, names) for n, line in enumerate(lines)]
    sql.load(connection, "line", sql.columns(shapes), rows)
    in_sql = [verdict for (verdict,) in connection.execute(query).fetchall()]
    in_ours = [evaluate(node, names, {"subject": line}) for line in lines]
    # Not the lists whole: pytest would take minutes to tell such lists apart.
    assert not any(theirs is not ours for theirs, ours in zip(in_sql, in_ours, strict=True))
    assert len(set(in_ours)) > 1


def test_what_sql_cannot_say_is_refused(engine: Engine) -> None:
    writer = sql.Translator(engine.pack.names, "line", SimpleNamespace(), SimpleNamespace())
    with pytest.raises(NotPossibleError):
        writer.text(parse("line.units // 2 == 1", engine.pack.names, "line"))


def test_a_series_billed_as_suggested_is_clean() -> None:
    engine = Engine(pack=PACK, policies=SERIES)
    claim = series(engine, 7)
    result = engine.check(Encounter.model_validate_json(json.dumps(claim)))
    assert result.status == "clean"
    assert len(claim["lines"]) == 57
    assert not any(one.severity == "error" for one in result.violations)


def test_every_stage_of_a_check_can_be_measured_alone(engine: Engine) -> None:
    for wrong in (False, True):
        raw, encounter = ready(engine, 6, wrong=wrong)
        work = engine.work(encounter)
        results = {name: call() for name, call in stages(engine, raw, encounter).items()}
        assert results["validation"] == encounter
        assert results["violations"] == work.result.violations
        assert results["the whole check"] == work.result
        assert results["reasons of suggested lines"] == work.result.suggested


def test_the_small_pack_has_ten_rules() -> None:
    assert len(few().pack.rules) == 10


def test_a_batch_tells_its_records_its_time_and_its_memory(tmp_path: Any) -> None:
    run = batch(encounters_file(tmp_path, 12), 1)
    assert run.read == 12
    assert run.seconds > 0
    assert run.cpu > 0
    assert 10 < run.parent < 10_000, "megabytes"
    assert 10 < run.process < 10_000
    assert not (tmp_path / "out.ndjson").exists()


def test_the_command_lists_its_sections(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--list"])
    command.main()
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert listed == list(command.SECTIONS)
    for module, _ in command.SECTIONS.values():
        assert callable(importlib.import_module(module).rows)


def test_a_missing_package_is_said_and_the_table_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Any
) -> None:
    def lacking(size: Size) -> Any:
        yield Row("first", 1.0)
        raise ModuleNotFoundError("no", name="absent_package")

    def whole(size: Size) -> Any:
        yield Row("second", 3.0, "at most 2", "detail")

    monkeypatch.setitem(sys.modules, "fake_lacking", SimpleNamespace(rows=lacking))
    monkeypatch.setitem(sys.modules, "fake_whole", SimpleNamespace(rows=whole))
    monkeypatch.setattr(
        command, "SECTIONS", {"one": ("fake_lacking", "One"), "two": ("fake_whole", "Two")}
    )
    target = tmp_path / "table.md"
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--quick", "--markdown", str(target)])
    command.main()
    out = capsys.readouterr().out
    assert "not measured: absent_package is not installed" in out
    assert "missed" in out
    table = target.read_text("utf-8")
    assert "| **Two** | | | |\n| second | **3.00** | at most 2 | detail |" in table
    assert "- one: not measured: absent_package is not installed" in table


@pytest.mark.parametrize(
    ("ratio", "wanted", "missed"),
    [
        (2.0, "at most 2", False),
        (2.01, "at most 2", True),
        (1.8, "at least 1.8", False),
        (1.79, "at least 1.8", True),
        (99.0, "", False),
    ],
)
def test_a_row_knows_whether_it_misses_its_mark(ratio: float, wanted: str, missed: bool) -> None:
    assert Row("what", ratio, wanted).missed is missed


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small corpus with its results: visits, a stated case twice, and one that cannot be read."""
    monkeypatch.setattr(golden, "PAYERS", {"base": None, "premera": "premera"})
    monkeypatch.setattr(golden, "ROOT", tmp_path)
    case = {
        "id": "case",
        "setting": "facility",
        "date": "2026-03-02",
        "lines": [{"number": 1, "code": "96375", "units": 2}],
    }
    rows = [{"kind": "stated", "encounter": case}, case, {"id": "unread", "setting": "nowhere"}]
    (tmp_path / "cases.ndjson").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    folder = tmp_path / "kept"
    assert golden.write(folder, 4, 1, [tmp_path / "cases.ndjson"], workers=1) == 7
    return folder


def records(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_kept_results_are_whole_and_equal_in_any_number_of_processes(kept: Path) -> None:
    corpus = [record["id"] for record in records(kept / "corpus.ndjson")]
    assert corpus[4:] == ["case", "case-2", "unread"]
    for payer in ("base", "premera"):
        results = records(kept / f"{payer}.ndjson")
        assert [result["encounter"] for result in results[:6]] == corpus[:6]
        assert all(result["pack"]["payer"] == payer for result in results[:6]) is (payer != "base")
        assert "setting" in results[6]["set_aside"]
        for split, ending in ((golden._text_records, "txt"), (golden._csv_records, "csv")):
            assert list(split((kept / f"{payer}.{ending}").read_bytes())) == corpus[:6]
    compared = list(golden.compare(kept, (), workers=2))
    assert [str(comparison) for comparison in compared] == [
        f"{payer}.{kind}: equal" for payer in ("base", "premera") for kind in golden.WRITERS
    ]


def test_a_result_that_changed_is_told_with_its_encounter_and_keys(
    kept: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = records(kept / "base.ndjson")
    rows[4]["violations"][0]["message"] = rows[5]["violations"][0]["message"] = "Said otherwise."
    (kept / "base.ndjson").write_text(
        "".join(json.dumps(row, separators=(",", ":"), ensure_ascii=False) + "\n" for row in rows),
        "utf-8",
    )
    command_line = ["compare", str(kept), "--workers", "1"]
    assert golden.main(command_line) == 1
    printed = capsys.readouterr().out
    assert "base.ndjson: 2 records differ\n  case: violations[].message\n" in printed
    assert "      2 x violations[].message\nbase.txt: equal\n" in printed
    assert golden.main([*command_line, "--but", "message,fix"]) == 0
    assert "base.ndjson: equal but for fix, message\n" in capsys.readouterr().out
    assert golden.main([*command_line, "--but", "fix"]) == 1


def test_what_differs_between_two_json_values_is_told_by_path() -> None:
    before = {"a": [{"b": 1, "c": 1}, {"b": 1, "c": 2}], "d": [1], "e": None, "f": "same"}
    after = {"a": [{"b": 2, "c": 1}, {"b": 3, "c": True}], "d": [], "f": "same", "g": 0}
    assert list(golden.differing(before, after)) == [
        "a[].b",
        "a[].b",
        "a[].c",
        "d[] (how many)",
        "e (only kept)",
        "g (only new)",
    ]
    assert golden.blanked(before, frozenset("be"))["a"] == [
        {"b": None, "c": 1},
        {"b": None, "c": 2},
    ]


PLANTED = '''"""A module."""

from typing import Any

# Why it is so.
LIMIT: int = 3  # noqa


def public(first: int, *rest: "dict[str, Any]") -> int:
    """Documented."""
    if first and rest or LIMIT:
        return 1
    elif first:
        pass
    for one in rest:
        while one:
            break
    a, (b, c), *d, e = one  # fmt: skip
    return [x if x else 0 for x in rest if x if LIMIT]


class Thing:
    def method(self, made, told=None):
        def _inner() -> None:  # type: ignore
            try:
                call(1, 2, 3, 4, *made)
            except ValueError as found:
                call(1, 2, 3, 4)
            match made:
                case [0]:
                    pass
        return [one for one in (lambda those: those or 1)(made)]
'''


def test_the_shape_of_a_planted_package_is_known(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "src" / "planted"
    (package / "wing" / "__pycache__").mkdir(parents=True)
    (tmp_path / "tests").mkdir()
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "tests" / "test_it.py").write_text("x = 1  # fmt: skip\n", "utf-8")
    (package / "py.typed").touch()
    (package / "lone.py").write_text("\n\n", "utf-8")
    (package / "wing" / "__init__.py").write_text(PLANTED, "utf-8")
    monkeypatch.setattr(sys, "argv", ["shape", str(package), "--worst", "1"])
    shape.main()
    out = capsys.readouterr().out
    figures = [line[50:].strip() for line in out.partition("\n\n")[0].splitlines()]
    assert figures == [
        "2",
        "34",
        "17 32 32",
        "3",
        "10 11 11",
        "2 9 9",
        "33.3% of 3",
        "66.7%",
        "2.94",
        "20.0% (1 of 5)",
        "1",
        "2",
        "1",
        "33.3% (1, 0 of them like __init__)",
        "2",
        "1",
        "1",
        "35.7% (one 1, made 1, found 1, those 1, told 1; of 14)",
        "50.0% (one 1, made 0, found 0, those 0, told 0; of 2)",
    ]
    assert "\nlone " in out
    assert "\nwing/ " in out
    assert f"     11  {Path('wing/__init__.py')}:9  public" in out


def test_a_name_is_bound_by_every_kind_of_target(tmp_path: Path) -> None:
    (tmp_path / "names.py").write_text(
        "with a as b, c as (d, e): f: int = 1\n"
        "while g := 1: h += 1\n"
        "match i:\n    case {'k': j, **k}: pass\n    case [*m] | n: pass\n",
        "utf-8",
    )
    assert shape.module_shape(tmp_path / "names.py").names == Counter("bdefghjkmn")


@pytest.mark.parametrize("shape", long_charts.SHAPES)
def test_a_shape_of_a_long_chart_is_an_encounter_of_as_many_doses_as_are_asked_for(
    shape: str,
) -> None:
    encounter = Encounter.model_validate(long_charts.SHAPES[shape](7))
    assert len(encounter.administrations or ()) == 7
    # As many lines too, where any are billed.
    assert len(encounter.lines or ()) in {0, 7, 14}


def test_instructions_that_rose_past_the_bound_are_said() -> None:
    kept = {"clean": {"check": 1_000, "JSON": 1_000, "validation": 1_000}}
    now = {"clean": {"check": 1_031, "JSON": 1_030, "validation": 900}, "new": {"check": 5}}
    assert list(instructions.rises(kept, now)) == [
        "risen by 3.1%: clean, check, from 1,000 to 1,031"
    ]
