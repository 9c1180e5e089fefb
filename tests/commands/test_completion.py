"""A shell completes commands, flags and their words by the script that ivpush prints."""

from __future__ import annotations

import shlex
import subprocess
from typing import Any

import pytest

from ivpush.commands.outputs import FORMATS


def completed(script: str, *words: str) -> set[str]:
    """What bash offers for the last word of a line."""
    line = ("ivpush", *words)
    call = (
        f"{script}\nCOMP_WORDS=({shlex.join(line)})\nCOMP_CWORD={len(line) - 1}\n"
        '_ivpush\nprintf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(["bash", "-c", call], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("",), {"check", "explain", "rules", "completion", "--help", "--version"}),
        (("ch",), {"check"}),
        (("check", "--form"), {"--format"}),
        (("check", "--format", ""), set(FORMATS)),
        (("check", "f", "--format", "js"), {"json"}),
        (("rules", ""), {"list", "show", "test", "--help"}),
        (("rules", "li"), {"list", "lint"}),
        (("rules", "list", "--pay"), {"--payer"}),
        (("rules", "list", "--format", ""), {"text", "json"}),
        (("completion", ""), {"bash", "zsh", "fish", "--help"}),
    ],
)
def test_bash_offers_what_may_follow(
    ivpush: Any, words: tuple[str, ...], offered: set[str]
) -> None:
    got = completed(ivpush("completion", "bash").out, *words)
    assert offered <= got
    assert all(each.startswith(words[-1]) for each in got)


def test_words_after_a_flag_are_its_own_alone(ivpush: Any) -> None:
    script = ivpush("completion", "bash").out
    assert completed(script, "check", "--fail-on", "") == {"error", "warning", "info", "never"}
    assert completed(script, "check", "--payer", "zz") == set()


def test_zsh_takes_the_same_script(ivpush: Any) -> None:
    assert ivpush("completion", "bash").out in ivpush("completion", "zsh").out


def test_fish_knows_each_flag_with_its_command(ivpush: Any) -> None:
    rows = ivpush("completion", "fish").out.splitlines()
    seen = "'__fish_seen_subcommand_from rules; and __fish_seen_subcommand_from list'"
    assert f"complete -c ivpush -n {seen} -l format -x -a 'text json'" in rows
    assert any(row.startswith("complete -c ivpush -n __fish_use_subcommand -f -a") for row in rows)
