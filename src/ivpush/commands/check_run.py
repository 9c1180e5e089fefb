"""One run of ``check`` in this process: its inputs, outputs, counts and worst status.

``check`` calls it with a function that goes through the records, its own or that of ``check_fix``.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ivpush.commands.inputs import Intake
from ivpush.commands.options import BROKEN, INTERRUPTED, make_look, tell
from ivpush.commands.outputs import Out, Shield, Sink, Target, make_writer, silence
from ivpush.contract.masking import Mask
from ivpush.errors import Fault, UsageError, did_you_mean
from ivpush.plural import counted

if TYPE_CHECKING:
    from ivpush.claim.statistics import Statistics
    from ivpush.contract.encounter import Encounter
    from ivpush.engine import Engine, Worked
    from ivpush.readers import Record
    from ivpush.writers import ResultWriter

__all__ = [
    "FIXED",
    "LEVELS",
    "Run",
    "mask_of",
    "totals_format",
    "totals_text",
]

FIXED = "fixed"
"""The format name of the corrected claims themselves, beside the formats of results."""
LEVELS = {"error": 0, "warning": 1, "info": 2, "never": -1}
"""Severities, worst first; violations up to the level of ``--fail-on`` make the status 1."""


class Run:
    """One run of ``check``: what it writes to, and what it counted.

    In use::

        def judge(run: Run, intake: Intake) -> None:
            for record in intake.records():
                run.take(record, intake)

        status = Run(options, engine, silent).go([Target("json", "-")], judge)

    ``fixed`` is where corrected claims go, if anywhere; ``waiting`` counts claims that are
    withheld, and ``torn`` says that an 837 is being written, which is not whole before its end.
    """

    def __init__(self, options: argparse.Namespace, engine: Engine, silent: frozenset[str]) -> None:
        self.options, self.engine, self.silent = options, engine, silent
        self.mask = mask_of(options.mask_key)
        self.shield = Shield()
        self.outs: list[Out] = []
        self.sinks: list[Sink] = []
        self.fixed: Out | None = None
        self.aside: Out | None = None
        self._standard: Out | None = None
        self._totals: Out | None = None
        self._statistics: Statistics
        self.waiting = self.ignored = 0
        self.torn = False

    def go(self, targets: Sequence[Target], judge: Callable[[Run, Intake], None]) -> int:
        """Open the outputs, let ``judge`` go through the records; gives the exit status.

        Raises OutputError where an output cannot be written, and BrokenPipeError where nobody
        reads standard output any more; files that are not whole are taken away first.
        """
        intake = Intake(self.options)
        self._statistics = intake.statistics
        try:
            with self.shield:
                self._open(targets, intake)
                try:
                    judge(self, intake)
                except KeyboardInterrupt:
                    intake.statuses.add(INTERRUPTED)
                with self.shield.held():
                    self._close(whole=INTERRUPTED not in intake.statuses)
        except UsageError as error:
            self._drop()
            intake.refused(error)
        except KeyboardInterrupt:
            intake.statuses.add(INTERRUPTED)
        except Exception:
            self._drop()
            raise
        self._tell_totals()
        return intake.close(self._more_counts())

    def _tell_totals(self) -> None:
        """Say what all records come to, and what is a fact of the pack and not of any record."""
        from ivpush.writers.statistics import outdated, summary

        if self.options.statistics:
            return
        several = self._statistics.statuses.total() > 1
        for row in (*(summary(self._statistics) if several else ()), *outdated(self._statistics)):
            tell(row)

    def take(self, record: Record, intake: Intake) -> Worked | None:
        """Judge one record, write its result, and take it into the exit status.

        None where ivpush itself failed on it: it is set aside, and the run goes on.
        """
        try:
            works = self._judged(record.encounter)
        except Exception as error:
            intake.failed(record, error)
            return None
        # Ids decide nothing, so that either form serves for the totals; claims keep their own.
        work = works[min(works)]
        self._statistics.add(record.encounter, work.result, work.book.outdated)
        worst = LEVELS[self.options.fail_on]
        if not self.options.exit_zero and any(
            LEVELS[violation.severity] <= worst for violation in work.result.violations
        ):
            intake.statuses.add(BROKEN)
        with self.shield.held():
            for sink in self.sinks:
                self._write(sink, works[sink.masked], record.place)
        return work

    def _judged(self, encounter: Encounter) -> dict[bool, Worked]:
        """The encounter judged under its own ids (False) and under masked ones, as it is asked for.

        Masked before it is judged, for sentences may name ids too.
        """
        forms = {False: encounter} if self._asks_for_ids() else {}
        if any(sink.masked for sink in self.sinks):
            forms[True] = self.mask.encounter(encounter)
        works = {masked: self.engine.work(form) for masked, form in forms.items()}
        options = self.options
        left_out = [
            work.tell(self.silent, coverage=options.coverage, visit=options.visit)
            for work in works.values()
        ]
        self.ignored += left_out[0]
        return works

    def _asks_for_ids(self) -> bool:
        """Whether anything is written under the ids as they came, such as corrected claims."""
        corrects = bool(self.options.fix or self.options.diff)
        return corrects or not self.sinks or not all(sink.masked for sink in self.sinks)

    def standard(self) -> Out:
        """Standard output, for what is neither results nor claims."""
        if self._standard is None:
            self._standard = Out("-")
        return self._standard

    def _open(self, targets: Sequence[Target], intake: Intake) -> None:
        for target in targets:
            out = self._opened(target.path)
            if target.format == FIXED:
                self.fixed = out
            else:
                writer = self._writer(target.format, out)
                self.sinks.append(Sink(out, writer, masked=self._masks(target.format)))
        if self.options.statistics:
            self._totals = self._opened("-")
        if self.options.set_aside is not None:
            self.aside = self._opened(self.options.set_aside)
            intake.keep_aside(self.aside.stream)

    def _masks(self, name: str) -> bool:
        """Whether names stand for ids in a format: where asked for, and in the log of a build."""
        options = self.options
        if options.mask_ids is None:
            return options.mask_key is not None or name == "github"
        asked: bool = options.mask_ids
        return asked

    def _opened(self, path: str) -> Out:
        out = Out(path)
        self.outs.append(out)
        return out

    def _writer(self, name: str, out: Out) -> ResultWriter:
        from ivpush._version import __version__
        from ivpush.writers import WriteOptions

        if name == "text":
            return self._text_writer(out)
        options = WriteOptions(self.engine.pack, __version__, self.options.show_text)
        return make_writer(name, out.stream, options)

    def _text_writer(self, out: Out) -> ResultWriter:
        """Text for the terminal at hand, or for a file: UTF-8, of a fixed width, no colours."""
        from ivpush.writers.text import Look, Writer

        if out.path is None:
            look, encoding = make_look(self.options), sys.stdout.encoding or "ascii"
        else:
            look = Look(ascii=self.options.ascii, show_text=self.options.show_text)
            encoding = "utf-8"
        return Writer(
            out.stream,
            look,
            source=self.engine.pack.source,
            explain=self.options.explain,
            encoding=encoding,
        )

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

    def _close(self, *, whole: bool) -> None:
        """End every output; after an interruption, leave files without their names and say so."""
        # Results end well at any record, but an 837 has counts and trailers at its end.
        left = [sink.close(whole=whole) for sink in self.sinks if sink.open]
        if self._totals is not None:
            text = totals_text(self._statistics, self.options.format)
            self._totals.stream.write(text.encode())
            self._totals.finish()
        if self.torn and self.fixed is not None:
            self.fixed.drop()
            tell("the 837 is cut short; do not send it")
            self.fixed = None
        for out in (self.fixed, self.aside):
            if out is not None and whole:
                out.finish()
            elif out is not None:
                left.append(out.leave())
        if not whole:
            names = ", ".join(filter(None, left))
            where = f" (in {names})" if names else ""
            tell(f"interrupted; what was written{where} is whole, the rest was not read")

    def _drop(self) -> None:
        for out in self.outs:
            out.drop()

    def _more_counts(self) -> str:
        waiting = f"; {counted(self.waiting, 'claim')} withheld" if self.waiting else ""
        ignored = f"; {counted(self.ignored, 'finding')} ignored" if self.ignored else ""
        return waiting + ignored


def mask_of(key: Path | None) -> Mask:
    """The mask of a key in a file, or of a new one; raises UsageError for one of no use."""
    if key is None:
        return Mask(os.urandom(32))
    place = f"--mask-key {key}"
    try:
        return Mask(key.read_bytes())
    except OSError as error:
        problem = error.strerror or "cannot be read"
        raise UsageError(Fault(place, problem, "name a file of random bytes")) from None
    except UsageError as error:
        raise UsageError(replace(error.faults[0], place=place)) from None


def totals_format(options: argparse.Namespace) -> str:
    """The format of ``--statistics``; raises UsageError for one that totals do not have."""
    from ivpush.writers.statistics import FORMATS

    name: str = options.format or "text"
    if name not in FORMATS:
        raise UsageError(Fault("--format", "is no format of totals", did_you_mean(name, FORMATS)))
    return name


def totals_text(statistics: Statistics, name: str | None) -> str:
    """The totals in a format."""
    from ivpush.writers.statistics import FORMATS

    return FORMATS[name or "text"](statistics)
