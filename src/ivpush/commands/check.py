"""``ivpush check``: suggest codes, find what is wrong, mend the claim."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from ivpush.commands.common import (
    BROKEN,
    CLEAN,
    INTERRUPTED,
    ORDER,
    UNREAD,
    USAGE,
    add_engine,
    add_look,
    make_engine,
    make_look,
    plain,
)

if TYPE_CHECKING:
    from ivpush.engine import Engine, Worked
    from ivpush.models import Encounter
    from ivpush.readers import Reading

__all__ = ["add", "check"]

_LEVELS = {"error": 0, "warning": 1, "info": 2, "never": -1}
_FORMATS = ("text", "json", "ndjson")


def add(commands: Any) -> None:
    """Add ``check`` to the commands."""
    parser = commands.add_parser("check", help="suggest codes, find what is wrong, mend the claim")
    parser.add_argument("files", nargs="+", metavar="FILE",
                        help="JSON object, array or NDJSON; - reads standard input")  # fmt: skip
    parser.add_argument("--format", choices=_FORMATS, default="text")
    parser.add_argument("--fix", action="store_true",
                        help="write encounters with corrected claims, one a line")  # fmt: skip
    parser.add_argument("--fail-on", choices=tuple(_LEVELS), default="error",
                        help="lowest severity that makes the exit status 1")  # fmt: skip
    parser.add_argument("--exit-zero", action="store_true", help="violations leave the status 0")
    parser.add_argument("--explain", action="store_true", help="text: tell why, step by step")
    add_engine(parser)
    add_look(parser)
    parser.set_defaults(run=check)


class _Run:
    """One run of ``check``: its counts and its worst status."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.checked = self.set_aside = self.waiting = 0
        self.statuses = {CLEAN}

    def records(self) -> Iterator[Encounter]:
        """Every readable encounter of every file; the others are reported and counted."""
        from ivpush.readers import Record, SetAside

        for name in self.options.files:
            for one in self._read(name):
                if isinstance(one, SetAside):
                    self.set_aside += 1
                    self.statuses.add(UNREAD)
                    for fault in one.error.faults:
                        print(f"ivpush: {plain(one.place)}: {plain(str(fault))}", file=sys.stderr)
                elif isinstance(one, Record):
                    self.checked += 1
                    yield one.encounter
                else:
                    print(f"ivpush: {plain(one.place)}: {plain(one.message)}", file=sys.stderr)

    def _read(self, name: str) -> Iterator[Reading]:
        from ivpush.readers.json import read

        if name == "-":
            yield from read("-", sys.stdin.buffer)
            return
        try:
            with Path(name).open("rb") as stream:
                yield from read(name, stream)
        except OSError as error:
            self.statuses.add(USAGE)
            print(f"ivpush: {plain(name)}: {error.strerror or 'cannot be read'}; name a file "
                  "that can be read", file=sys.stderr)  # fmt: skip

    def judge(self, work: Worked) -> None:
        """Take a result into the exit status."""
        worst = _LEVELS[self.options.fail_on]
        if not self.options.exit_zero and any(
            _LEVELS[one.severity] <= worst for one in work.result.violations
        ):
            self.statuses.add(BROKEN)

    def close(self) -> int:
        """Print the counts; gives the exit status."""
        read = self.checked + self.set_aside
        waiting = f"; {self.waiting} claim(s) wait for an answer" if self.waiting else ""
        print(f"{read} in = {self.checked} checked + {self.set_aside} set aside{waiting}",
              file=sys.stderr)  # fmt: skip
        return next(status for status in ORDER if status in self.statuses)


def check(options: argparse.Namespace) -> int:
    """Check the files of the options; gives the exit status."""
    engine, run = make_engine(options), _Run(options)
    write = _mended if options.fix else {"text": _texts, "json": _array, "ndjson": _lines}[
        options.format]  # fmt: skip
    try:
        write(_works(engine, run), run)
    except KeyboardInterrupt:
        run.statuses.add(INTERRUPTED)
        print("ivpush: interrupted; what was written is whole, the rest was not read",
              file=sys.stderr)  # fmt: skip
    return run.close()


def _works(engine: Engine, run: _Run) -> Iterator[Worked]:
    for encounter in run.records():
        work = engine.work(encounter)
        run.judge(work)
        yield work


def _texts(works: Iterator[Worked], run: _Run) -> None:
    from ivpush.writers.text import render

    look = make_look(run.options)
    for number, work in enumerate(works):
        text = render(work, look, explain=run.options.explain)
        sys.stdout.write(("\n" if number else "") + text)


def _lines(works: Iterator[Worked], run: _Run) -> None:
    out = _bytes_out()
    for work in works:
        out.write(work.result.to_json() + b"\n")


def _array(works: Iterator[Worked], run: _Run) -> None:
    """An array with indented results, written as they come."""
    out, sign = _bytes_out(), b"["
    try:
        for work in works:
            out.write(sign + b"\n" + work.result.to_json(indent=2))
            sign = b","
    finally:
        out.write(b"[]\n" if sign == b"[" else b"\n]\n")


def _mended(works: Iterator[Worked], run: _Run) -> None:
    out = _bytes_out()
    for work in works:
        corrected = work.result.corrected
        if corrected is None:
            run.waiting += 1
            corrected = work.encounter.lines or ()
        if work.encounter.lines is None:
            out.write(work.encounter.model_dump_json(exclude_none=True).encode() + b"\n")
            continue
        mended = work.encounter.model_copy(update={"lines": corrected})
        out.write(mended.model_dump_json(exclude_none=True).encode() + b"\n")


def _bytes_out() -> IO[bytes]:
    sys.stdout.flush()
    return sys.stdout.buffer
