"""``ivpush report``: one HTML file of many encounters, or of results that were kept.

``ivpush.__main__`` adds it. Encounters are checked here; results are taken as they were written.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ivpush.commands.inputs import Intake, add_files, add_inputs, input_names
from ivpush.commands.options import add_engine, add_selection, choose, make_engine, settle
from ivpush.commands.outputs import Guard, Out
from ivpush.errors import Fault, InternalError, UsageError

if TYPE_CHECKING:
    from ivpush.commands.options import Commands
    from ivpush.contract.masking import Mask
    from ivpush.engine import Engine
    from ivpush.readers import Record
    from ivpush.readers.detect import Source
    from ivpush.report import Report

__all__ = ["add", "report"]


def add(commands: Commands) -> None:
    """Add ``report`` to the commands."""
    parser = commands.add_parser(
        "report", help="write one HTML file of many encounters, with a drawing of each"
    )
    add_files(parser)
    add_inputs(parser)
    group = parser.add_argument_group("what is written")
    group.add_argument(
        "-o",
        "--output",
        default="-",
        metavar="FILE",
        help="the HTML file; - is standard output (default)",
    )
    group.add_argument(
        "--show-text", action="store_true", help="print the chart's own words, such as drug names"
    )
    group.add_argument(
        "--mask-ids", action="store_true", help="put names that tell nothing in the place of ids"
    )
    group.add_argument(
        "--mask-key",
        metavar="FILE",
        type=Path,
        help="random bytes that keep masked names the same in later runs",
    )
    add_selection(parser)
    add_engine(parser)
    parser.set_defaults(run=report)


def report(options: argparse.Namespace) -> int:
    """Write the report of the files of the options; gives the exit status."""
    from ivpush.report import Report

    settle(options)
    inputs = input_names(options)
    engine = make_engine(options)
    silent = choose(options, engine.pack)
    guard = Guard([*inputs, *filter(None, (options.map, options.config, options.mask_key))])
    guard.take(options.output, "--output")
    if options.set_aside is not None:
        guard.take(options.set_aside, "--set-aside")
    names = {rule.id: rule.name for rule in engine.pack.every_rule}
    whole = Report(names, show_text=options.show_text)
    whole.totals.silent = tuple(sorted(silent))
    run = _Run(options, engine, silent, whole)
    return run.go()


class _Run:
    """One run: its inputs, the engine, and the report that it fills."""

    def __init__(
        self,
        options: argparse.Namespace,
        engine: Engine,
        silent: frozenset[str],
        whole: Report,
    ) -> None:
        self.options, self.engine, self.silent, self.report = options, engine, silent, whole
        self.intake = Intake(options)
        self.mask = _mask(options)

    def go(self) -> int:
        """Take every record, write the file; gives the exit status."""
        aside = None if self.options.set_aside is None else Out(self.options.set_aside)
        if aside is not None:
            self.intake.keep_aside(aside.stream)
        self._read()
        # A file that cannot be opened leaves no empty report behind.
        if self.intake.checked or self.intake.set_aside:
            self._write()
        if aside is not None:
            aside.finish()
        return self.intake.close(done="in the report")

    def _write(self) -> None:
        self.report.totals.set_aside.update(self.intake.statistics.reasons)
        out = Out(self.options.output)
        for piece in self.report.pages():
            out.stream.write(piece.encode("utf-8"))
        out.finish()

    def _read(self) -> None:
        """Take results where an input holds them, else encounters, with charts where named."""
        if self.options.chart:
            for record in self.intake.records():
                self._check(record)
            return
        special = {"json": self._of_json}
        for record in self.intake.counted(self.intake.readings(self.options.files, special)):
            self._check(record)

    def _of_json(self, source: Source) -> Iterator[Any]:
        """Encounters are handed on; results are taken here."""
        from ivpush.readers import SetAside
        from ivpush.readers.results import Kept, holds_results, read

        if not holds_results(source.head):
            yield from source.read(self.intake.read)
            return
        if self.mask is not None:
            problem = "is of no use for results, which hold the ids that they were written with"
            remedy = "mask them when they are written: ivpush check --mask-ids"
            raise UsageError(Fault("--mask-ids", problem, remedy))
        for each in read(source.name, source.stream):
            if not isinstance(each, Kept):
                yield each
                continue
            try:
                self.report.add(each.result)
                self.intake.checked += 1
            # Written by another hand it may hold what no engine writes, such as mixed clocks.
            except Exception as error:
                yield SetAside(each.place, InternalError.of(error))

    def _check(self, record: Record) -> None:
        """Check one encounter and take its result; one on which ivpush fails is set aside."""
        from ivpush.claim.drawing import site_names
        from ivpush.report import Ground

        try:
            encounter = record.encounter
            work = self.engine.work(
                encounter if self.mask is None else self.mask.encounter(encounter)
            )
            work.tell(self.silent)
            visit = work.visit(show_text=self.options.show_text)
            names = site_names(work.derived.administrations)
        except Exception as error:
            self.intake.failed(record, error)
            return
        labels = {site: f"access {name}" for site, name in names.items()}
        ground = Ground(work.book.in_force, work.book.outdated, labels)
        self.report.add(replace(work.result, visit=visit), ground)


def _mask(options: argparse.Namespace) -> Mask | None:
    from ivpush.commands.check_run import mask_of

    asked = options.mask_ids or options.mask_key is not None
    return mask_of(options.mask_key) if asked else None
