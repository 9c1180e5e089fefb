"""One run of ``check``: its inputs, outputs, counts and worst status."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from ivpush.commands.inputs import Intake
from ivpush.commands.options import BROKEN, INTERRUPTED, make_look, plain
from ivpush.commands.outputs import Out, Shield, Sink, make_writer, silence
from ivpush.errors import IvpushError, UsageError

if TYPE_CHECKING:
    from ivpush.claim.selection import Selection
    from ivpush.engine import Engine, Worked
    from ivpush.readers import Record
    from ivpush.writers import ResultWriter

__all__ = [
    "FIXED",
    "LEVELS",
    "Run",
]

FIXED = "fixed"
"""The format name of the corrected claims themselves, beside the formats of results."""
LEVELS = {"error": 0, "warning": 1, "info": 2, "never": -1}


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
        self.torn = False
        """Whether an 837 is being written, which is not whole before its end."""

    def go(self, targets: list[tuple[str, str]], judge: Callable[[Run, Intake], None]) -> int:
        """Open the outputs, let ``judge`` go through the records; gives the exit status."""
        intake = Intake(self.options)
        try:
            with self.shield:
                self._open(targets, intake)
                try:
                    judge(self, intake)
                except KeyboardInterrupt:
                    intake.statuses.add(INTERRUPTED)
                with self.shield.held():
                    self._close(intake)
        except UsageError as error:
            self._drop()
            intake.refused(error)
        except KeyboardInterrupt:
            intake.statuses.add(INTERRUPTED)
        except (BrokenPipeError, IvpushError):
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
        from ivpush._version import __version__
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

    def take(self, record: Record, intake: Intake) -> Worked:
        """Judge one record, write its result, and take it into the exit status."""
        work = self.engine.work(record.encounter)
        work.result, gone = self.selection.applied(work.result)
        self.ignored += gone
        worst = LEVELS[self.options.fail_on]
        if not self.options.exit_zero and any(
            LEVELS[one.severity] <= worst for one in work.result.violations
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
        if self.torn and self.fixed is not None:
            self.fixed.drop()
            print("ivpush: the 837 is cut short; do not send it", file=sys.stderr)
            self.fixed = None
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
