"""The command line: ``ivpush check | report | explain | convert | backtest | rules | drugs | …``.

Exit status: 0 clean; 1 violations at or above ``--fail-on``; 2 bad usage, or missing or empty
input; 3 a rule pack that is not fit to be used; 4 some records could not be read; 5 ivpush itself
failed; 130 interrupted. Where several apply: 130, 3, 2, 5, 4, 1. Results go to standard output,
everything else to standard error.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from importlib import import_module

from ivpush._version import __version__
from ivpush.commands.options import CLEAN, INTERNAL, INTERRUPTED, PACK, USAGE, complain
from ivpush.commands.outputs import OutputError, open_closed, silence
from ivpush.commands.parser import Parser
from ivpush.errors import Fault, InternalError, IvpushError, PackError

__all__ = [
    "main",
]

_DEBUG = "--debug"
_COMMANDS = (
    "check",
    "report",
    "explain",
    "convert",
    "backtest",
    "rules",
    "drugs",
    "maps",
    "tables",
    "serve",
    "docs",
    "completion",
)
"""The commands, a module each, in the order in which ``--help`` names them."""
_OF_ALL = "completion"
"""The command that asks the parsers of all others."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; gives the exit status, and never a traceback for a user's mistake."""
    open_closed()
    try:
        status = _run(argv)
        sys.stdout.flush()
        return status
    except PackError as error:
        complain(error)
        return PACK
    except IvpushError as error:
        complain(error)
        return USAGE
    except BrokenPipeError:
        silence()  # whoever read our output has gone
        return CLEAN
    except OSError as error:
        silence()
        complain(_unwritten(error))
        return USAGE
    except KeyboardInterrupt:
        return INTERRUPTED
    # A pipeline must tell a failure of ours from a finding, and a log must not hold a claim.
    except Exception as error:
        if _DEBUG in (sys.argv[1:] if argv is None else argv):
            traceback.print_exception(error)
        complain(InternalError.of(error))
        return INTERNAL


def _run(argv: Sequence[str] | None) -> int:
    words = sys.argv[1:] if argv is None else argv
    try:
        options = _parser(words).parse_args(words)
    except SystemExit as end:  # help and version are written, but perhaps not flushed
        return int(end.code or CLEAN)
    status: int = options.run(options)
    return status


def _unwritten(error: OSError) -> OutputError:
    problem = f"cannot be written: {error.strerror or 'failed'}"
    return OutputError(Fault("standard output", problem, "make room, or write to a file"))


def _parser(words: Sequence[str] = ()) -> Parser:
    """The parser of all commands; where words are given that begin with a command, of it alone."""
    parser = Parser(
        prog="ivpush",
        description="Check injection and infusion claims against the chart.\n\n"
        "Begin with: ivpush check FILE. A first tour: ivpush docs getting-started.",
    )
    parser.add_argument(
        _DEBUG, action="store_true", help="print a traceback where ivpush itself fails"
    )
    parser.add_argument("--version", action="version", version=f"ivpush {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    first = next((word for word in words if word != _DEBUG), "")
    for name in (first,) if first in _COMMANDS and first != _OF_ALL else _COMMANDS:
        import_module(f"ivpush.commands.{name}").add(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
