"""Pages for a terminal: no marks of Markdown, nothing lost, within the width."""

from __future__ import annotations

import pytest

from ivpush.authoring.catalogue import code_page, rule_page
from ivpush.commands.terminal import for_terminal
from tests.shipped import PACK


@pytest.mark.parametrize("columns", [40, 72, 100])
def test_every_rule_fits_and_keeps_its_words(columns: int) -> None:
    for rule in PACK.every_rule:
        text = for_terminal(rule_page(rule, PACK), columns)
        assert "**" not in text and "<br>" not in text and "|---" not in text
        # A word alone may be longer than the line: an address, an expression.
        assert all(len(line) <= columns or len(line.split()) == 1 for line in text.splitlines()[1:])
        words = text.split()
        assert all(word in words for word in rule.why.replace("`", "").split())
        assert all(word in words for case in rule.cases for word in str(case["name"]).split())


def test_a_wide_terminal_is_not_filled() -> None:
    row = next(iter(PACK.codes.values()))
    page = code_page(row, PACK)
    assert for_terminal(page, 400) == for_terminal(page, 100)


def test_a_row_is_a_paragraph_of_what_it_says() -> None:
    page = "# T\n\n| case | chart | billed |\n|---|---|---|\n| one | a<br>b \\| c |  |\n"
    assert for_terminal(page, 80) == "T\n\n  one\n    chart: a\n    chart: b | c\n"


def test_lines_of_a_paragraph_run_on_and_code_stays_as_it_is() -> None:
    page = (
        "# T\n\nOne line of\na paragraph.\n- an item that\n  goes on\n- another\n\n"
        "<!-- a mark -->\n```sh\nls   `pwd`\n\n  # **no** heading\n```\nSee [that](docs/x.md#y), [here](#z).\n"
    )
    assert for_terminal(page, 80) == (
        "T\n\nOne line of a paragraph.\n  an item that goes on\n  another\n\n"
        "    ls   `pwd`\n\n      # **no** heading\nSee that (docs/x.md#y), here.\n"
    )
