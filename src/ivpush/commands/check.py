"""``ivpush check``: suggest codes, find what is wrong, mend the claim."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from ivpush.commands import batching
from ivpush.commands.common import (
    BROKEN,
    INTERRUPTED,
    add_engine,
    add_look,
    add_selection,
    choose,
    make_engine,
    make_look,
    plain,
    settle,
)
from ivpush.commands.inputs import Intake, add_inputs, input_names
from ivpush.commands.outputs import (
    FORMATS,
    Guard,
    Out,
    Shield,
    Sink,
    make_writer,
    parse_target,
    silence,
)
from ivpush.errors import UsageError

if TYPE_CHECKING:
    from typing import Any

    from ivpush.configuration import Selection
    from ivpush.engine import Engine, Worked
    from ivpush.readers import Record
    from ivpush.writers import ResultWriter

__all__ = ["Run", "add", "check"]

FIXED = "fixed"
"""The format name of the corrected claims themselves, beside the formats of results."""
_LEVELS = {"error": 0, "warning": 1, "info": 2, "never": -1}


def add(commands: Any) -> None:
    """Add ``check`` to the commands."""
    parser = commands.add_parser("check", help="suggest codes, find what is wrong, mend the claim")
    parser.add_argument("files", nargs="+", metavar="FILE",
                        help="encounters, charts or claims; - reads standard input")  # fmt: skip
    add_inputs(parser)
    parser.add_argument("--format", choices=tuple(FORMATS),
                        help="format on standard output (default text)")  # fmt: skip
    parser.add_argument("--output", action="append", default=[], metavar="FORMAT:FILE",
                        help="write results to a file; may be repeated")  # fmt: skip
    parser.add_argument("--fix", action="store_true",
                        help="write the corrected claims: an 837 as an 837, else encounters, "
                             "one a line")  # fmt: skip
    parser.add_argument("--diff", action="store_true",
                        help="show what --fix would change, and write nothing else")  # fmt: skip
    parser.add_argument("--fail-on", choices=tuple(_LEVELS), default="error",
                        help="lowest severity that makes the exit status 1")  # fmt: skip
    parser.add_argument("--exit-zero", action="store_true", help="violations leave the status 0")
    parser.add_argument("--explain", action="store_true", help="text: tell why, step by step")
    add_selection(parser)
    add_engine(parser)
    add_look(parser)
    batching.add_options(parser)
    parser.set_defaults(run=check)


def check(options: argparse.Namespace) -> int:
    """Check the files of the options; gives the exit status."""
    settle(options)
    if batching.wanted(options):
        return batching.run(options)
    names = input_names(options)
    engine = make_engine(options)
    selection = choose(options, engine.pack)
    guard = Guard([*names, *filter(None, (options.map, options.config))])
    targets = _targets(options)
    for name, path in targets:
        guard.take(path, f"--output {name}:" if path != "-" else "--output")
    if options.set_aside is not None:
        guard.take(options.set_aside, "--set-aside")
    return Run(options, engine, selection).go(targets)


def _targets(options: argparse.Namespace) -> list[tuple[str, str]]:
    """Formats and files to write; standard output gets text where nothing else is asked for."""
    fix = options.fix or options.diff
    known = (*FORMATS, FIXED) if fix else tuple(FORMATS)
    made = [parse_target(one, known) for one in options.output]
    if options.format is not None and not fix:
        made.append((options.format, "-"))
    if fix and not options.diff and FIXED not in {name for name, _ in made}:
        made.append((FIXED, "-"))
    if not made and not fix:
        made.append(("text", "-"))
    return made


class Run:
    """One run of ``check``: its inputs, outputs, counts and worst status."""

    def __init__(self, options: argparse.Namespace, engine: Engine, selection: Selection) -> None:
        self.options, self.engine, self.selection = options, engine, selection
        self.shield = Shield()
        self.outs: list[Out] = []
        self.sinks: list[Sink] = []
        self.fixed: Out | None = None
        self.aside: Out | None = None
        self._standard: Out | None = None
        self.waiting = self.ignored = 0

    def go(self, targets: list[tuple[str, str]]) -> int:
        """Read, judge and write everything; gives the exit status."""
        intake = Intake(self.options)
        try:
            with self.shield:
                self._open(targets, intake)
                try:
                    self._judge(intake)
                except KeyboardInterrupt:
                    intake.statuses.add(INTERRUPTED)
                with self.shield.held():
                    self._close(intake)
        except UsageError as error:
            self._drop()
            intake.refused(error)
        except KeyboardInterrupt:
            intake.statuses.add(INTERRUPTED)
        except BrokenPipeError:
            self._drop()
            raise
        return intake.close(self._more())

    def _open(self, targets: list[tuple[str, str]], intake: Intake) -> None:
        for name, path in targets:
            out = Out(path)
            self.outs.append(out)
            if name == FIXED:
                self.fixed = out
            else:
                self.sinks.append(Sink(out, self._writer(name, out)))
        if self.options.set_aside is not None:
            self.aside = Out(self.options.set_aside)
            self.outs.append(self.aside)
            intake.aside = self.aside.stream

    def _writer(self, name: str, out: Out) -> ResultWriter:
        from ivpush import __version__
        from ivpush.writers import WriteOptions

        if name == "text":
            from ivpush.writers.text import Look, Writer

            standard = out.path is None
            look = make_look(self.options) if standard else Look(
                ascii=self.options.ascii, show_text=self.options.show_text)  # fmt: skip
            encoding = (sys.stdout.encoding or "ascii") if standard else "utf-8"
            return Writer(out.stream, look, explain=self.options.explain, encoding=encoding)
        made = WriteOptions(self.engine.pack, __version__, self.options.show_text)
        return make_writer(name, out.stream, made)

    def _judge(self, intake: Intake) -> None:
        if self.options.fix or self.options.diff:
            from ivpush.commands.fixing import fix

            fix(self, intake)
            return
        for record in intake.records():
            self.take(record, intake)

    def take(self, record: Record, intake: Intake) -> Worked:
        """Judge one record, write its result, and take it into the exit status."""
        work = self.engine.work(record.encounter)
        work.result, gone = self.selection.applied(work.result)
        self.ignored += gone
        worst = _LEVELS[self.options.fail_on]
        if not self.options.exit_zero and any(
            _LEVELS[one.severity] <= worst for one in work.result.violations
        ):
            intake.statuses.add(BROKEN)
        with self.shield.held():
            for sink in self.sinks:
                self._write(sink, work, record.place)
        return work

    def standard(self) -> Out:
        """Standard output, for what is neither results nor claims."""
        if self._standard is None:
            self._standard = Out("-")
        return self._standard

    def _write(self, sink: Sink, work: Worked, place: str) -> None:
        if not sink.open:
            return
        try:
            sink.writer.write(work, place)
        except BrokenPipeError:
            # Whoever read standard output has gone; files that were asked for are still written.
            if len(self.outs) == 1:
                raise
            sink.open = False
            silence()

    def _close(self, intake: Intake) -> None:
        whole = INTERRUPTED not in intake.statuses
        left = [sink.close(whole=whole) for sink in self.sinks if sink.open]
        for out in (self.fixed, self.aside):
            if out is not None and whole:
                out.finish()
            elif out is not None:
                left.append(out.leave())
        if not whole:
            kept = ", ".join(filter(None, left))
            said = f" (in {plain(kept)})" if kept else ""
            print(f"ivpush: interrupted; what was written{said} is whole, the rest was not read",
                  file=sys.stderr)  # fmt: skip

    def _drop(self) -> None:
        for out in self.outs:
            out.drop()

    def _more(self) -> str:
        said = f"; {self.waiting} claim(s) wait for an answer" if self.waiting else ""
        return said + (f"; {self.ignored} finding(s) ignored" if self.ignored else "")
