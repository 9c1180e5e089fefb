"""The examples say what their page says, and the README's Python does what it shows."""

from __future__ import annotations

import ast
import asyncio
import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ivpush import Encounter, Result
from tests.shipped import ENGINE

ROOT = Path(__file__).resolve().parents[1]


class Expected(NamedTuple):
    """What the page of the examples says of one."""

    status: str
    errors: set[str]
    """Names of rules that are broken, among others."""
    codes: str


EXPECTED = {
    "emergency-pushes-and-hydration": Expected(
        "violations", {"several-initials"}, "96374 96361 96375"
    ),
    "office-infusion": Expected("clean", set(), "96413 96415"),
    "chemo-with-premedication": Expected(
        "violations",
        {"push-of-infusion-minutes", "too-many-further-hours"},
        "96413 96415 96375 96367",
    ),
    "two-iv-sites": Expected(
        "violations", {"distinct-service-without-modifier"}, "96413 96415 96413 96415"
    ),
    "same-drug-repeat": Expected("violations", {"repeat-push-too-soon"}, "96374 96376"),
    "missing-stop-time": Expected("needs_chart", set(), "96374 96375"),
}


def checked(name: str) -> Result:
    text = (ROOT / f"examples/{name}.json").read_text("utf-8")
    return ENGINE.check(Encounter.model_validate(json.loads(text)))


def test_every_example_is_here_and_on_its_page() -> None:
    page = (ROOT / "examples/README.md").read_text("utf-8")
    assert {file.stem for file in (ROOT / "examples").glob("*.json")} == set(EXPECTED)
    assert all(f"`{name}.json`" in page for name in EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_an_example_finds_what_its_page_says(name: str) -> None:
    expected, result = EXPECTED[name], checked(name)
    errors = {violation.name for violation in result.violations if violation.severity == "error"}
    assert result.status == expected.status
    assert expected.errors <= errors
    assert " ".join(line.code for line in result.suggested) == expected.codes


def test_the_missing_stop_is_asked_for() -> None:
    (question,) = checked("missing-stop-time").questions
    assert question.who and len(question.answers) > 3


@pytest.mark.parametrize("page", ["README.md", "docs/python.md"])
def test_the_python_of_a_page_does_what_it_shows(page: str) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text("utf-8"), re.S)
    assert blocks
    space: dict[str, object] = {}
    shown = 0
    for block in blocks:
        for statement in ast.parse(block).body:
            source = ast.get_source_segment(block, statement) or ""
            rest = block.splitlines()[(statement.end_lineno or 1) - 1][statement.end_col_offset :]
            value = rest.partition("# ")[2].strip()
            if isinstance(statement, ast.Expr) and value.startswith(
                ("[", "'", "True", "False", "4")
            ):
                assert repr(eval(source, space)) == value, source
                shown += 1
            else:
                exec(source, space)
    assert shown >= 2


def answered(app: Any, body: bytes) -> tuple[int, bytes]:
    """What an ASGI application answers to one request."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/check", "headers": [], "query_string": b""}
    asyncio.run(app(scope, receive, send))
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent)


def test_the_service_of_the_page_answers_and_repeats_nothing_that_it_refuses() -> None:
    space: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", (ROOT / "docs/python.md").read_text(), re.S):
        exec(block, space)
    status, body = answered(space["app"], json.dumps(space["record"]).encode())
    assert status == 200 and Result.from_json(body) == space["result"]
    name = "JANE ROE"
    for record in (
        name,
        f'"{name}"',
        f'{{"id": "E1", "setting": "{name}"}}',
        f'{{"id": "E1", "setting": "facility", "{name}": 1}}',
        f'{{"id": "E1", "setting": "facility", "lines": [{{"number": "{name}"}}]}}',
    ):
        status, body = answered(space["app"], record.encode())
        assert status == 422 and body and name.encode() not in body


def test_the_readme_shows_what_the_command_prints() -> None:
    from ivpush.writers.text import Look, render

    record = json.loads((ROOT / "examples/emergency-pushes-and-hydration.json").read_text("utf-8"))
    printed = render(ENGINE.work(Encounter.model_validate(record)), Look())
    (shown,) = re.findall(r"```text\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.S)
    for line in shown.splitlines():
        assert line.strip() == "..." or line in printed.splitlines(), line
