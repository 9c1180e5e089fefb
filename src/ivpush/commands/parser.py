"""The parser of the command line: errors of one line with the nearest word, exit statuses in help.

``ivpush.__main__`` makes it, and every command's own parser is one.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from ivpush.errors import did_you_mean, nearest_word

__all__ = ["Parser"]

_STATUSES = """\
exit status:
  0    clean
  1    violations at or above --fail-on
  2    bad usage, or missing or empty input
  3    a rule pack that is not fit to be used
  4    some records could not be read; the rest is valid
  5    ivpush itself failed on a record, or as a whole; the rest is valid
  130  interrupted
Where several apply: 130, 3, 2, 5, 4, 1."""
_MOST_SHOWN = 60

# argparse gives this type no public name, and no parameter while it runs.
if TYPE_CHECKING:
    _SubParsers = argparse._SubParsersAction["Parser"]
else:
    _SubParsers = argparse._SubParsersAction


class _Commands(_SubParsers):
    """Commands whose own help says what the list of all says of them."""

    def add_parser(self, name: str, **more: Any) -> Parser:
        """Add a command; ``help`` is its description too, unless it has a longer one."""
        said = more.get("help", "")
        more.setdefault("description", f"{said[:1].upper()}{said[1:]}.")
        return super().add_parser(name, **more)


class Parser(argparse.ArgumentParser):
    """A parser that names the nearest word, and leaves out the usage of all options.

    In use::

        parser = Parser(prog="ivpush")
        commands = parser.add_subparsers()
        commands.add_parser("check").add_argument("--format", choices=("text", "json"))
        parser.parse_args(["check", "--formt", "json"])     # did you mean '--format'?
    """

    def __init__(self, **more: Any) -> None:
        more.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        more.setdefault("epilog", _STATUSES)
        super().__init__(**more)
        self.register("action", "parsers", _Commands)

    # Each parser refuses what it does not know itself, for it alone knows its flags.
    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """The options; raises SystemExit with status 2 for a word that is none."""
        options, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error("; ".join(self._unknown(unknown)))
        return options, unknown

    def _unknown(self, words: Iterable[str]) -> Iterator[str]:
        for word in words:
            flag = _shown(word.partition("=")[0])
            if not word.startswith("-"):
                yield f"'{flag}' is one word too many"
                continue
            near = nearest_word(flag, self._option_string_actions)
            yield f"{flag} is no option" + (f"; did you mean '{near}'?" if near else "")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Refuse a word that is not among an option's own, with the nearest of them."""
        if action.choices is not None and value not in action.choices:
            remedy = did_you_mean(str(value), map(str, action.choices))
            raise argparse.ArgumentError(action, f"'{_shown(str(value))}' is no choice; {remedy}")

    def error(self, message: str) -> NoReturn:
        """Print one line about a mistake, and end with status 2."""
        print(f"{self.prog}: {message} ({self.prog} --help lists all)", file=sys.stderr)
        sys.exit(2)


def _shown(word: str) -> str:
    return "".join(sign if sign.isprintable() else "?" for sign in word[:_MOST_SHOWN])
