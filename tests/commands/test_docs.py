"""``ivpush docs``: every page has a name, a title and a text for a terminal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ivpush.pack.folder import rules_folder
from tests.commands.cli import ROOT

HOME = rules_folder().parent
"""Where the pages stand beside the rules: in the repository, or in what is installed of it."""
PAGES = sorted(
    file.relative_to(ROOT).as_posix()
    for pattern in ("*.md", "docs/*.md", "docs/*/*.md", "examples/README.md")
    for file in ROOT.glob(pattern)
)


def test_every_page_is_listed_with_its_title(ivpush: Any) -> None:
    run = ivpush("docs")
    rows = [line.split(maxsplit=1) for line in run.out.partition("\n\n")[0].splitlines()]
    assert len(rows) == len(PAGES) > 20
    assert all(len(row) == 2 for row in rows)
    assert ["python", "From Python"] in rows
    assert ["rules", "Rules"] in rows


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_found_by_the_path_of_a_link(ivpush: Any, page: str) -> None:
    run = ivpush("docs", page)
    title = (ROOT / page).read_text("utf-8").splitlines()[0].removeprefix("# ")
    assert run.status == 0
    assert run.out.splitlines()[0] == title
    assert ivpush("docs", page, "--path").out == f"{HOME / page}\n"


def test_the_folder_of_all_pages_is_told(ivpush: Any) -> None:
    assert Path(ivpush("docs", "--path").out.strip()) == HOME


def test_a_misspelt_page_is_answered_with_the_nearest(ivpush: Any) -> None:
    run = ivpush("docs", "getting-startd")
    assert run.status == 2
    assert "'getting-startd': is no page; did you mean 'getting-started'?" in run.err
