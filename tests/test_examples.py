"""The examples say what their page says, and the README's Python does what it shows."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from ivpush import Encounter, Engine, Result

ROOT = Path(__file__).resolve().parents[1]
ENGINE = Engine()
FOUND = {
    "emergency-pushes-and-hydration": ("violations", {"several-initials", "wrong-initial"}, "96374 96361 96375"),
    "office-infusion": ("clean", set(), "96413 96415"),
    "chemo-with-premedication": ("violations", {"several-initials", "too-many-further-hours"},
                                 "96413 96415 96375 96367"),
    "two-iv-sites": ("violations", {"distinct-service-without-modifier"}, "96413 96415 96413 96415"),
    "same-drug-repeat": ("violations", {"repeat-push-too-soon"}, "96374 96376"),
    "missing-stop-time": ("violations", {"infusion-without-stop"}, "96374 96375"),
}  # fmt: skip


def checked(name: str) -> Result:
    text = (ROOT / f"examples/{name}.json").read_text("utf-8")
    return ENGINE.check(Encounter.model_validate(json.loads(text)))


def test_every_example_is_here_and_on_its_page() -> None:
    page = (ROOT / "examples/README.md").read_text("utf-8")
    assert {file.stem for file in (ROOT / "examples").glob("*.json")} == set(FOUND)
    assert all(f"`{name}.json`" in page for name in FOUND)


@pytest.mark.parametrize("name", FOUND)
def test_an_example_finds_what_its_page_says(name: str) -> None:
    status, errors, codes = FOUND[name]
    result = checked(name)
    assert result.status == status
    assert errors <= {one.name for one in result.violations if one.severity == "error"}
    assert " ".join(one.code for one in result.suggested) == codes


def test_the_missing_stop_is_asked_for() -> None:
    (question,) = checked("missing-stop-time").questions
    assert question.who and len(question.answers) > 3


def test_the_readmes_python_does_what_it_shows() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    (block,) = re.findall(r"```python\n(.*?)```", text, re.S)
    space: dict[str, object] = {}
    setup, _, shown = block.partition("result.status")
    exec(setup, space)
    for line in f"result.status{shown}".splitlines():
        source, _, wanted = line.partition("  # ")
        value = eval(source, space)
        if wanted.startswith(("[", "'")):
            assert repr(value) == wanted.strip()


def test_the_readme_shows_what_the_command_prints() -> None:
    from ivpush.writers.text import Look, render

    record = json.loads((ROOT / "examples/emergency-pushes-and-hydration.json").read_text("utf-8"))
    printed = render(ENGINE.work(Encounter.model_validate(record)), Look())
    (shown,) = re.findall(r"```text\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.S)
    for line in shown.splitlines():
        assert line.strip() == "..." or line in printed.splitlines(), line
