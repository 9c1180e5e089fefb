"""What a run reads: files and standard input, charts beside claims, and what is set aside."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING

from ivpush.commands.options import CLEAN, ORDER, UNREAD, USAGE, plain
from ivpush.commands.outputs import OutputError
from ivpush.errors import Fault, InputError, IvpushError, UsageError

if TYPE_CHECKING:
    from ivpush.readers import Note, Reading, ReadOptions, Record, SetAside
    from ivpush.readers.detect import Source
    from ivpush.readers.linking import Linker

__all__ = ["Intake", "add_inputs", "input_names", "note"]

Read = Callable[["Source"], Iterator["Reading"]]
"""Reads an open input."""
_FROM = ("fhir", "x12", "hl7", "parquet", "json", "csv", "mar")


def add_inputs(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what is read and how."""
    parser.add_argument("--from", dest="from_", choices=_FROM, metavar="FORMAT",
                        help=f"format of the input instead of what its content says: "
                             f"{', '.join(_FROM)}")  # fmt: skip
    parser.add_argument("--map", metavar="MAP", help="column map of a table: a file or a name")
    parser.add_argument("--setting", choices=("facility", "professional"),
                        help="setting of records that state none")  # fmt: skip
    parser.add_argument("--timezone", metavar="ZONE", help="zone of times without an offset")
    parser.add_argument("--chart", action="append", default=[], metavar="FILE",
                        help="charts to link to the claims; may be repeated")  # fmt: skip
    parser.add_argument("--set-aside", metavar="FILE",
                        help="write a row for each record that could not be read")  # fmt: skip


def input_names(options: argparse.Namespace) -> list[str]:
    """Every input of a run; raises UsageError where standard input is read twice."""
    names = [*options.files, *options.chart]
    if names.count("-") > 1:
        raise UsageError(Fault("-", "standard input is read twice", "name it once"))
    return names


class Intake:
    """Reads a run's inputs, reports and counts: in = checked + set aside."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self.aside: IO[bytes] | None = None
        self.checked = self.set_aside = 0
        self.statuses = {CLEAN}
        self.linker: Linker | None = None

    def records(self) -> Iterator[Record]:
        """Every record, charts linked to claims where charts were named."""
        from ivpush.readers.linking import Linker, link

        if not self._options.chart:
            yield from self.counted(self.readings(self._options.files))
            return
        self.linker = Linker()
        claims, charts = self.readings(self._options.files), self.readings(self._options.chart)
        yield from self.counted(link(claims, charts, self.linker))

    def counted(self, readings: Iterable[Reading]) -> Iterator[Record]:
        """The records among readings; the others are reported, and all are counted."""
        from ivpush.readers import Record, SetAside

        for one in readings:
            if isinstance(one, Record):
                self.checked += 1
                yield one
            elif isinstance(one, SetAside):
                self.put_aside(one)
            else:
                note(one)

    def put_aside(self, one: SetAside) -> None:
        """Report and count a record that could not be read, and write its row where asked."""
        self.set_aside += 1
        self.statuses.add(UNREAD)
        for fault in one.error.faults:
            print(f"ivpush: {plain(one.place)}: {plain(str(fault))}", file=sys.stderr)
        if self.aside is not None:
            from ivpush.writers.safe import aside_row

            show = self._options.show_text
            self.aside.write(aside_row(one.place, one.error.one_line, one.raw, show_text=show))

    def readings(
        self,
        names: Iterable[str],
        special: Mapping[str, Read] | None = None,
        usual: Read | None = None,
    ) -> Iterator[Reading]:
        """What stands in the files; one that cannot be opened or understood is reported.

        Files of a format whose records may be spread over files are read together, after the rest.
        ``special`` reads some formats otherwise, ``usual`` the others.
        """
        from ivpush.readers.detect import read_together, whole

        special = special or {}
        read = usual or (lambda source: source.read(self.read_options()))

        together: dict[str, list[Source]] = {}
        with ExitStack() as kept:
            for name in names:
                with self.reported(name), ExitStack() as stack:
                    source = self.opened(stack, name)
                    if source is None:
                        continue
                    if source.format.name in special:
                        yield from whole(name, special[source.format.name](source))
                    elif name != "-" and source.joins(self.read_options()):
                        together.setdefault(source.format.module, []).append(source)
                        kept.push(stack.pop_all())
                    else:
                        yield from read(source)
            for those in together.values():
                with self.reported(", ".join(one.name for one in those)):
                    if len(those) == 1:
                        yield from read(those[0])
                    else:
                        yield from read_together(those, self.read_options())

    def opened(self, stack: ExitStack, name: str) -> Source | None:
        """An input, open for as long as the stack; None where its first bytes are unsound."""
        from ivpush.readers.detect import DAMAGE, damaged, open_source

        try:
            opened = open_source(name, self.read_options(), self._options.from_)
            return stack.enter_context(opened)
        except DAMAGE as error:
            self.put_aside(damaged(name, error))
            return None

    @contextmanager
    def reported(self, name: str) -> Iterator[None]:
        """Reports a file that cannot be read or that no reader takes; the run goes on."""
        try:
            yield
        except OutputError:
            raise
        except OSError as error:
            self.statuses.add(USAGE)
            print(f"ivpush: {plain(name)}: {error.strerror or 'cannot be read'}; name a file "
                  "that can be read", file=sys.stderr)  # fmt: skip
        except (InputError, UsageError) as error:
            self.refused(error)

    def refused(self, error: IvpushError) -> None:
        """Report a file that no reader takes, or an output that cannot be written."""
        self.statuses.add(USAGE)
        for fault in error.faults:
            print(f"ivpush: {plain(str(fault))}", file=sys.stderr)

    def read_options(self) -> ReadOptions:
        """What the command line knows and an input may not say."""
        from ivpush.readers import ReadOptions

        given = self._options
        return ReadOptions(timezone=given.timezone, setting=given.setting, map=_map(given.map))

    def close(self, more: str = "", done: str = "checked") -> int:
        """Print the counts; gives the exit status."""
        if self.linker is not None:
            one = self.linker
            print(f"claims: {one.pairs} linked + {one.claims_alone} alone + {one.refused} that did "
                  f"not fit; charts: {one.linked} linked + {one.charts_alone} alone",
                  file=sys.stderr)  # fmt: skip
        read = self.checked + self.set_aside
        print(f"{read} in = {self.checked} {done} + {self.set_aside} set aside{more}",
              file=sys.stderr)  # fmt: skip
        return next(status for status in ORDER if status in self.statuses)


def note(one: Note) -> None:
    """Print a note of a reader."""
    print(f"ivpush: {plain(one.place)}: {plain(one.message)}", file=sys.stderr)


def _map(name: str | None) -> Path | str | None:
    return Path(name) if name is not None and Path(name).is_file() else name
