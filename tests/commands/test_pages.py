"""Every block of code of the pages runs, or says why not: none is left out in silence.

Lines of shell run here, in this process, in a folder with the files that the pages name.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from ivpush.readers.tables.maps import load_map
from tests.commands.cli import CLEAN, ROOT, WRONG, write
from tests.readers.x12.samples import BILL, envelope
from tests.shipped import ENGINE

PAGES = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "examples/README.md"]
PAGES += [f"docs/{page.name}" for page in sorted((ROOT / "docs").glob("*.md"))]
HELD_BY = {
    ("README.md", "sh"): "here, and by .ci/run",
    ("README.md", "python"): "tests/test_examples.py",
    ("README.md", "text"): "tests/test_examples.py",
    ("README.md", "yaml"): "here",
    ("CONTRIBUTING.md", "sh"): "here, and by .ci/run",
    (
        "docs/architecture.md",
        "text",
    ): "is a drawing; tests/test_layout.py holds the order of modules",
    ("docs/batch.md", "sh"): "here",
    ("docs/batch.md", "python"): "tests/batch/test_examples.py",
    ("docs/formats.md", "python"): "tests/batch/test_examples.py",
    ("docs/formats.md", "yaml"): "here",
    ("docs/getting-started.md", "json"): "here",
    ("docs/getting-started.md", "python"): "tests/testing/test_testing.py",
    ("docs/getting-started.md", "sh"): "here",
    ("docs/getting-started.md", "toml"): "here",
    ("docs/getting-started.md", "yaml"): "here",
    ("docs/performance.md", "sh"): "here",
    ("docs/python.md", "python"): "tests/test_examples.py",
    ("docs/report.md", "sh"): "here",
    ("docs/serve.md", "nginx"): "is for a proxy; what it hands on is what tests/web sends",
    ("docs/serve.md", "python"): "tests/web/test_processes.py",
    (
        "docs/serve.md",
        "sh",
    ): "tests/commands/test_serve.py starts a server; the calls are those of tests/web",
    ("docs/spark.md", "python"): "names a bucket; tests/test_spark.py makes the same call",
    ("docs/testing.md", "ini"): "tests/testing/test_testing.py",
    ("docs/testing.md", "python"): "tests/testing/test_testing.py",
    ("docs/testing.md", "sh"): "here",
    ("docs/testing.md", "text"): "tests/testing/test_testing.py",
    ("docs/testing.md", "yaml"): "tests/testing/test_testing.py",
}
"""Which test runs the blocks of a page that are in one language."""
MAR = (
    "PAT_ENC_CSN_ID,ORDER_MED_ID,LINE,MAR_ACTION_NAME,TAKEN_TIME,MEDICATION_NAME,ROUTE_NAME\n"
    "E1,o1,1,Given,2026-03-02 10:00,ondansetron,intravenous\n"
)
NOT_RUN = {
    r"python3 -m venv .*|\. \.venv.*|pip install .*|uv pip compile .*|--.*": "installs; .ci/run does",
    r"pytest|ruff .*|mypy .*|\.ci/run": "what this run is a part of",
    r"python -m ivpush\.testing .*": "makes a million records; tests/testing calls it for a few",
    r"ivpush rules (test|mutate IVP201|lint && .*)": "takes a minute; .ci/run and tests/authoring do",
    r"ivpush drugs lint": "takes seconds; tests/authoring/test_drug_lint.py does",
    r"ivpush check .* --workers .*": "starts processes; tests/batch/test_runner.py does",
    r"ivpush serve.*|curl .*|python3 -c .*": "starts a server; tests/commands/test_serve.py does",
    r"ivpush tables import .*": "tests/authoring/cms imports each kind of file",
}
"""Lines of shell that are not run here, and why."""


def blocks(page: str, language: str) -> list[str]:
    text = (ROOT / page).read_text("utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.S | re.M)


def commands(page: str) -> Iterator[str]:
    """The lines of shell of a page, without their remarks."""
    for block in blocks(page, "sh"):
        for line in re.sub(r"\\\n\s*", "", block).splitlines():
            command = line.partition("  #")[0].partition(" # ")[0].strip()
            if command:
                yield command


def skipped(command: str) -> bool:
    return any(re.fullmatch(pattern, command) for pattern in NOT_RUN)


RUN = [(page, command) for page in PAGES for command in commands(page) if not skipped(command)]


def test_every_block_of_code_is_held_by_a_test() -> None:
    shown = {
        (page, language)
        for page in PAGES
        for language in re.findall(r"^```(.+)$", (ROOT / page).read_text("utf-8"), re.M)
    }
    assert shown == HELD_BY.keys()
    every = [command for page in PAGES for command in commands(page)]
    # What is not run here is on a page: no reason outlives its line.
    assert all(any(re.fullmatch(each, command) for command in every) for each in NOT_RUN)


@pytest.fixture
def files(ivpush: Any) -> Any:
    """The command in a folder with the files that the pages name."""
    (visit,) = blocks("docs/getting-started.md", "json")
    Path("visit.json").write_text(visit, "utf-8")
    Path("chart.json").write_text(visit, "utf-8")
    shutil.copytree(ROOT / "examples", "examples", ignore=shutil.ignore_patterns("*.py"))
    Path("claims.837").write_bytes(envelope(*BILL))
    Path("remits.835").write_bytes((ROOT / "tests/data/x12/lfh-managed-care.835").read_bytes())
    write("charts.ndjson", CLEAN)
    Path("claims").mkdir()
    for name in ("claims.ndjson", "big.ndjson", "claims/1.ndjson", "claims/2.ndjson"):
        write(name, CLEAN, WRONG)
    Path("results.ndjson").write_bytes(ENGINE.check(CLEAN, visit=True).to_json() + b"\n")
    Path("export.csv").write_text(MAR, "utf-8")
    _write_workbook("mar.xlsx", MAR)
    (rule,) = blocks("docs/getting-started.md", "yaml")
    (name,) = re.findall(
        r"^    (ours/checks/\S+)$", (ROOT / "docs/getting-started.md").read_text("utf-8"), re.M
    )
    Path(name).parent.mkdir(parents=True)
    Path(name).write_text(rule, "utf-8")
    return ivpush


def _write_workbook(name: str, text: str) -> None:
    """A table of text as a workbook."""
    book = openpyxl.Workbook()
    sheet = book.create_sheet(index=0)
    for line in text.splitlines():
        sheet.append(line.split(","))
    book.save(name)


@pytest.mark.parametrize(("page", "command"), RUN, ids=[f"{p}: {c}"[:90] for p, c in RUN])
def test_a_command_of_the_pages_does_as_it_says(files: Any, page: str, command: str) -> None:
    words = shlex.split(command.removeprefix("source <(").removesuffix(")"))
    if ">" in words:
        words = words[: words.index(">")]
    assert words[0] == "ivpush"
    # The shell puts the files that a pattern names in its place.
    words = [
        name
        for word in words[1:]
        for name in (sorted(map(str, Path().glob(word))) if "*" in word else [word])
    ]
    run = files(*words)
    assert run.status in {0, 1}, run.err
    assert run.out or run.err


def test_the_configuration_of_the_page_is_read_whole(files: Any) -> None:
    (text,) = blocks("docs/getting-started.md", "toml")
    Path("ivpush.toml").write_text(text, "utf-8")
    run = files("check", "visit.json", "--format", "json")
    (result,) = json.loads(run.out)
    assert [layer["name"] for layer in result["pack"]["layers"]][1:] == ["ours"]
    assert result["pack"]["policies"]["missing_stop_time"] == "deny"
    assert result["pack"]["payer"] == "medicare"


def test_the_rule_of_the_page_finds_what_the_visit_of_the_page_has(files: Any) -> None:
    (rule,) = blocks("docs/getting-started.md", "yaml")
    run = files("check", "visit.json", "--rules", "ours")
    assert rule.split()[1] in run.out
    assert "a1 is charted with" in run.out


def test_the_column_map_of_the_page_is_one(files: Any) -> None:
    (text,) = blocks("docs/formats.md", "yaml")
    Path("our-mar.yaml").write_text(text, "utf-8")
    assert load_map(Path("our-mar.yaml")).id == "our-mar"


def test_the_rule_of_the_readme_is_the_shipped_one_shortened() -> None:
    (shown,) = blocks("README.md", "yaml")
    (file,) = (ROOT / "rules/checks").glob("*/IVP104-addon-without-primary.yaml")
    shipped = file.read_text("utf-8").splitlines()
    assert [line for line in shown.splitlines() if line not in shipped] == []
