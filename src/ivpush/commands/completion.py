"""``ivpush completion``: a script with which a shell completes commands, flags and their words.

``ivpush.__main__`` adds it last, so that the parsers of all other commands are there. The script is
made of the parsers themselves: a new flag needs no line here.
"""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from ivpush.commands.options import say

if TYPE_CHECKING:
    from ivpush.commands.options import Commands
    from ivpush.commands.parser import Parser

__all__ = ["add"]

_BASH = """\
# In ~/.bashrc: source <(ivpush completion bash)
_ivpush() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command= each words=
    for each in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        case "$command $each" in
            @paths@) command="$command $each" ;;
        esac
    done
    case "$command $before" in
@choices@
        *) case "$command" in
@words@
        esac ;;
    esac
    COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -o default -F _ivpush ivpush
"""
_ZSH = """\
# In ~/.zshrc: source <(ivpush completion zsh)
autoload -U +X bashcompinit && bashcompinit
"""
_FISH = "# In ~/.config/fish/config.fish: ivpush completion fish | source"


class _Spoken(NamedTuple):
    """A command as it is typed, what may follow it, and the words that its flags take."""

    path: tuple[str, ...]
    actions: tuple[str, ...]
    flags: Mapping[str, tuple[str, ...]]
    """Each flag with its words; none where it takes none, or any."""


def add(commands: Commands) -> None:
    """Add ``completion`` to the commands."""
    parser = commands.add_parser("completion", help="print a script for a shell's completion")
    parser.add_argument("shell", choices=tuple(_SCRIPTS), help="the shell that reads the script")
    parser.set_defaults(run=partial(_completion, commands.choices))


def _completion(parsers: Mapping[str, Parser], options: argparse.Namespace) -> int:
    root = _Spoken((), tuple(parsers), {"--help": (), "--version": ()})
    below = [each for name, parser in parsers.items() for each in _spoken((name,), parser)]
    return say(_SCRIPTS[options.shell]([root, *below]))


def _spoken(path: tuple[str, ...], parser: Parser) -> Iterator[_Spoken]:
    """A command and the actions below it."""
    below: dict[str, Parser] = {}
    words: tuple[str, ...] = ()
    flags: dict[str, tuple[str, ...]] = {}
    # argparse gives what it was told no other way.
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            below = dict(action.choices)
        choices = tuple(map(str, action.choices or ()))
        if not action.option_strings:
            words += choices
        for flag in action.option_strings:
            # A flag with its value, such as --fix=all, stands for itself.
            if flag.startswith("--"):
                flags[flag] = choices
    yield _Spoken(path, words, flags)
    for name, other in below.items():
        yield from _spoken((*path, name), other)


def _bash(commands: Sequence[_Spoken]) -> str:
    paths = "|".join(_pattern(each.path) for each in commands if each.path)
    choices = [
        f"        {_pattern((*each.path, flag))}) words={_listed(words)} ;;"
        for each in commands
        for flag, words in each.flags.items()
        if words
    ]
    words = [
        f"            {_pattern(each.path)}) words={_listed((*each.actions, *each.flags))} ;;"
        for each in commands
    ]
    script = _BASH.replace("@paths@", paths).replace("@choices@", "\n".join(choices))
    return script.replace("@words@", "\n".join(words))


def _pattern(path: Sequence[str]) -> str:
    return shlex.quote("".join(f" {word}" for word in path))


def _listed(words: Sequence[str]) -> str:
    return shlex.quote(" ".join(words))


def _zsh(commands: Sequence[_Spoken]) -> str:
    return _ZSH + _bash(commands)


def _fish(commands: Sequence[_Spoken]) -> str:
    rows = [_FISH]
    for each in commands:
        seen = "; and ".join(f"__fish_seen_subcommand_from {word}" for word in each.path)
        start = f"complete -c ivpush -n {shlex.quote(seen or '__fish_use_subcommand')}"
        if each.actions:
            rows.append(f"{start} -f -a {_listed(each.actions)}")
        for flag, words in each.flags.items():
            rows.append(f"{start} -l {flag[2:]}" + (f" -x -a {_listed(words)}" if words else ""))
    return "\n".join(rows) + "\n"


_SCRIPTS: Mapping[str, Callable[[Sequence[_Spoken]], str]] = {
    "bash": _bash,
    "zsh": _zsh,
    "fish": _fish,
}
