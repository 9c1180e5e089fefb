"""What users get for their own tests: made-up encounters, strategies, a pytest plugin."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from datetime import date
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from ivpush import Encounter, UsageError
from ivpush.pack.folder import rules_folder
from ivpush.testing import encounters
from ivpush.testing.__main__ import main
from ivpush.testing.samples import lines, templates, visit_kinds
from ivpush.testing.strategies import encounters as drawn
from tests.shipped import ENGINE
from tests.testing.running import ROOT, environment, pytest_in

STOCK = templates(1, 120, engine=ENGINE)


def test_the_same_seed_gives_the_same_bytes_under_any_hash_seed() -> None:
    arguments = [sys.executable, "-m", "ivpush.testing", "--n", "40", "--seed", "3"]
    outputs = [
        subprocess.run(
            arguments,
            env=environment(PYTHONHASHSEED=seed, TZ=zone),
            check=True,
            capture_output=True,
        ).stdout
        for seed, zone in (("0", "UTC"), ("5", "Asia/Tokyo"))
    ]
    assert outputs[0] == outputs[1] == b"".join(lines(3, 40))
    assert outputs[0] != b"".join(lines(4, 40, engine=ENGINE))
    assert len(outputs[0].splitlines()) == 40


def test_a_longer_stock_begins_like_a_shorter_one() -> None:
    assert templates(1, 20, engine=ENGINE) == STOCK[:20]


def test_every_record_is_of_the_contract_and_has_an_id_of_its_own() -> None:
    records = [Encounter.model_validate(each) for each in encounters(2, 60, engine=ENGINE)]
    assert len({each.id for each in records}) == 60
    assert all(each.lines is not None and each.administrations is not None for each in records)


def test_the_engine_says_of_a_template_what_the_template_says() -> None:
    for template in STOCK:
        result = ENGINE.check(Encounter.model_validate_json(template.line("E1", date(2026, 2, 2))))
        assert result.status == template.verdict


def test_kinds_and_verdicts_come_in_their_shares() -> None:
    verdicts = Counter(template.verdict for template in STOCK)
    assert set(verdicts) == {"clean", "violations", "needs_chart"}
    assert verdicts["clean"] > verdicts["violations"] > verdicts["needs_chart"]
    assert {template.kind for template in STOCK} == set(visit_kinds())
    only = templates(1, 30, shares={"violations": 1}, engine=ENGINE)
    assert Counter(template.verdict for template in only)["violations"] >= 27
    offices = templates(1, 10, setting="professional", engine=ENGINE)
    assert {template.kind for template in offices} == {"office"}


def test_sizes_are_skewed_and_some_visits_pass_midnight() -> None:
    sizes = sorted(len(json.loads(template.text)["administrations"]) for template in STOCK)
    assert sizes[-1] >= 3 * max(1, sizes[len(sizes) // 2])
    assert any("@day1@" in template.text for template in STOCK)


def test_claims_hold_what_stands_beside_administrations_and_names_as_charted() -> None:
    records = [json.loads(template.text) for template in STOCK]
    codes = {line["code"] for record in records for line in record["lines"]}
    assert {"99284", "74177", "99213", "J2405"} <= codes
    days = [{line.get("date") for line in record["lines"]} for record in records]
    assert any(len(dates) > 1 for dates in days)
    named = [each for record in records for each in record["administrations"]]
    unknown = {"study drug 40 mg ivp", "zzyzx 100 mg in NS 100 mL", "protocol agent B"}
    assert any(each["drug"] in unknown for each in named)
    assert all("hcpcs" not in each for each in named if each["drug"] in unknown)


def test_a_setting_without_visits_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError, match="has no visits"):
        templates(1, 1, setting="moon")
    assert main(["--n", "1", "--setting", "moon"]) == 2
    assert "has no visits" in capsys.readouterr().err


def test_a_reader_that_goes_away_ends_it_quietly() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "ivpush.testing", "--n", "100000"],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None and process.stderr is not None
    assert process.stdout.readline().startswith(b'{"id":"S1-00000001"')
    process.stdout.close()
    assert b"Traceback" not in process.stderr.read()
    process.stderr.close()
    process.wait()


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(drawn())
def test_drawn_encounters_can_be_checked(encounter: Encounter) -> None:
    result = ENGINE.check(encounter)
    assert result.encounter == encounter.id


CASES = """
engine: {payer: medicare}
cases:
  - name: a further push alone
    lines: ["96375"]
    fires: [IVP104]
    silent: [IVP101]
    status: violations
  - name: two pushes
    administrations:
      - {drug: ondansetron, route: IV, method: push, start: "10:00", stop: "10:02"}
      - {drug: ketorolac, route: IV, method: push, start: "10:05", stop: "10:06"}
    suggested: ["96375", "96374 x1"]
  - name: wrong on purpose
    lines: ["96374"]
    fires: [IVP104]
    silent: [IVP104]
    status: violations
    suggested: ["96365 x2"]
  - {name: a field that is none, nonsense: y, lines: ["96374"], silent: [IVP101]}
"""
TESTS = """
def test_engine(ivpush_engine):
    assert ivpush_engine.pack.rules
"""


def test_case_files_are_collected_and_judged(tmp_path: Path) -> None:
    (tmp_path / "push.ivpush.yaml").write_text(CASES, "utf-8")
    (tmp_path / "test_own.py").write_text(TESTS, "utf-8")
    done = pytest_in(tmp_path)
    assert done.returncode == 1
    assert "3 passed" in done.stdout and "2 failed" in done.stdout
    assert "push.ivpush.yaml:14: wrong on purpose:" in done.stdout
    assert "fires: expected IVP104, got IVP" in done.stdout
    assert "status: expected violations, got needs_chart" in done.stdout
    assert "suggested: expected 96365 x2, got none" in done.stdout
    assert "push.ivpush.yaml:20: a field that is none: the top level:" in done.stdout
    assert "Traceback" not in done.stdout


PACK_RULE = next((rules_folder() / "checks" / "roles").glob("IVP104-*[!s].yaml"))


@pytest.mark.parametrize("where", ["file", "configuration"])
def test_cases_and_the_fixture_know_packs(tmp_path: Path, where: str) -> None:
    room = tmp_path / "cases" / "acme" / "checks" / "roles"
    room.mkdir(parents=True)
    text = PACK_RULE.read_text("utf-8")
    text = text.replace("IVP104", "ACM190").replace("addon-without-primary", "our-addon")
    (room / "ACM190-our-addon.yaml").write_text(text, "utf-8")
    engine = "engine: {packs: [acme]}\n" if where == "file" else ""
    cases = f"{engine}cases:\n  - {{name: ours, lines: ['96375'], fires: [ACM190, our-addon]}}\n"
    (tmp_path / "cases" / "own.ivpush.yaml").write_text(cases, "utf-8")
    if where == "configuration":
        (tmp_path / "pytest.ini").write_text("[pytest]\nivpush_packs = cases/acme\n", "utf-8")
        (tmp_path / "test_own.py").write_text(
            "def test_pack(ivpush_engine):\n"
            "    assert 'ACM190' in {rule.id for rule in ivpush_engine.pack.rules}\n",
            "utf-8",
        )
    done = pytest_in(tmp_path)
    assert done.returncode == 0, done.stdout


CASE = "cases:\n  - {{name: x, lines: ['96374'], {}}}\n"


WRONG = [
    ("cases: {a: b}", "cases: is no list"),
    ("engine: {}", "lacks the key 'cases'"),
    ("cases: []\ncase: []", "unknown key 'case'; did you mean 'cases'?"),
    ("engine: {pack: [a]}\ncases: []", "unknown key 'pack'; did you mean 'packs'?"),
    ("engine: {packs: [nowhere]}\ncases: []", "nowhere: is no folder of rules"),
    (CASE.format("silent: [IVP1O1]"), "'IVP1O1' is no rule; did you mean 'IVP101'?"),
    (CASE.format("fires: addon-wihout-primary"), "did you mean 'addon-without-primary'?"),
    (CASE.format("status: violation"), "did you mean 'violations'?"),
    (CASE.format("suggested: ['9637']"), "'9637' is no line; write CODE-MODIFIER xUNITS"),
    (CASE.format("date: '2026-03-02'"), "the case expects nothing; write one of: fires, "),
    (CASE.format("fires: []"), "the case expects nothing; write one of: fires, "),
    ("cases: [", ".ivpush.yaml:2:"),
    ("engine: {policies: {nonsense: x}}\ncases: []", "policy nonsense"),
    ("engine: {payer: medicaer}\ncases: []", "did you mean 'medicare'"),
]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What one run of pytest says of all wrong files, error by error."""
    folder = tmp_path_factory.mktemp("wrong")
    for number, (text, _) in enumerate(WRONG):
        (folder / f"wrong{number}.ivpush.yaml").write_text(text, "utf-8")
    done = pytest_in(folder, "--continue-on-collection-errors")
    assert done.returncode == 1
    assert "Traceback" not in done.stdout
    return re.split(r"(?m)^_{3,} ", done.stdout)


@pytest.mark.parametrize("number", range(len(WRONG)), ids=lambda number: WRONG[number][1])
def test_a_case_file_that_is_wrong_is_told(told: list[str], number: int) -> None:
    of_file = [
        part for part in told if f"wrong{number}.ivpush.yaml" in part.split("= short test")[0]
    ]
    assert WRONG[number][1] in "".join(of_file)


def test_a_rule_may_be_written_without_a_list(tmp_path: Path) -> None:
    text = CASE.format("fires: IVP104, silent: IVP101").replace("96374", "96375")
    (tmp_path / "push.ivpush.yaml").write_text(text, "utf-8")
    assert pytest_in(tmp_path).returncode == 0


def test_the_plugin_is_light() -> None:
    """Pytest loads it in every run of every project that has ivpush installed."""
    code = (
        "import sys, ivpush.testing.plugin; "
        "print(*sorted({'pydantic', 'yaml', 'ivpush.engine'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(), check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == ""


def test_lines_come_as_they_are_asked_for() -> None:
    assert len(list(islice(lines(1, 10**9, engine=ENGINE), 5))) == 5


def test_a_failing_example_can_be_pasted(tmp_path: Path) -> None:
    (tmp_path / "test_own.py").write_text(
        "from hypothesis import given, settings\n"
        "from ivpush.testing import strategies\n\n\n"
        "@settings(database=None)\n"
        "@given(strategies.encounters())\n"
        "def test_short(encounter):\n"
        "    assert len(encounter.administrations or ()) < 2\n",
        "utf-8",
    )
    shown = pytest_in(tmp_path).stdout
    (call,) = re.findall(r"encounter=(Encounter\.model_validate\(.*?\)),\n", _report(shown), re.S)
    pasted = eval(call, {"Encounter": Encounter})
    assert len(pasted.administrations) == 2


def _report(shown: str) -> str:
    """The lines that pytest marks as those of an error, without the mark."""
    return "".join(row[4:] + "\n" for row in shown.splitlines() if row.startswith("E   "))


@pytest.mark.parametrize("page", ["testing.md", "getting-started.md"])
def test_the_tests_of_the_pages_pass_as_they_stand(tmp_path: Path, page: str) -> None:
    text = (ROOT / "docs" / page).read_text("utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.S)
    for n, block in enumerate(block for block in blocks if "def test_" in block):
        (tmp_path / f"test_block_{n}.py").write_text(block, "utf-8")
    (tmp_path / "claims").mkdir()
    (clean,) = (ROOT / "examples").glob("office-infusion.json")
    (tmp_path / "claims" / clean.name).write_bytes(clean.read_bytes())
    for n, block in enumerate(re.findall(r"```yaml\n(.*?)```", text, re.S)):
        if "fires:" in block:
            (tmp_path / f"block_{n}.ivpush.yaml").write_text(block, "utf-8")
    done = pytest_in(tmp_path, "--ivpush-update")
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout and "skipped" not in done.stdout
    # What a snapshot of the page writes stands on the page.
    shown = "".join(re.findall(r"```text\n(.*?)```", text, re.S))
    written = [file.read_text("utf-8") for file in (tmp_path / "snapshots").rglob("*.txt")]
    assert len(written) == text.count("ivpush_snapshot):")
    assert all(snapshot in shown for snapshot in written)
