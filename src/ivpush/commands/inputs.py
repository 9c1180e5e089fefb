"""What a run reads: files and standard input, charts beside claims, and what is set aside.

``check``, ``explain`` and ``convert`` call it. An ``Intake`` gives the records of a run one after
another, reports what it could not read, and knows the exit status that follows from it.
"""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING

from ivpush.commands.options import CLEAN, INTERNAL, ORDER, UNREAD, USAGE, complain, tell
from ivpush.commands.outputs import OutputError
from ivpush.errors import Fault, InputError, InternalError, IvpushError, UsageError

if TYPE_CHECKING:
    from ivpush.readers import Note, Reading, ReadOptions, Record, SetAside
    from ivpush.readers.detect import Source
    from ivpush.readers.linking import Linker

__all__ = [
    "ASIDE_COUNTED",
    "INPUT_FORMATS",
    "MOST_REASONS",
    "NOTHING_READ",
    "Intake",
    "add_files",
    "add_inputs",
    "input_names",
    "read_options",
    "tell_note",
]

NOTHING_READ = Fault("input", "holds no record", "name a file that holds one")
"""What is wrong with a run that read nothing."""
MOST_REASONS = 20
"""Records set aside that are named one by one; the rest is counted."""
ASIDE_COUNTED = (
    "further records that are set aside are counted, not named; "
    "--set-aside FILE keeps a row for each"
)
Read = Callable[["Source"], Iterator["Reading"]]
"""Reads an open input."""
INPUT_FORMATS = ("fhir", "x12", "hl7", "parquet", "xlsx", "json", "csv", "mar")
"""The formats of ``ivpush.readers.detect``, written here so that starting up loads no reader."""


def add_files(parser: argparse.ArgumentParser) -> None:
    """Add the files to read."""
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="encounters, charts or claims; - reads standard input",
    )


def add_inputs(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what is read and how."""
    group = parser.add_argument_group("what is read")
    group.add_argument(
        "--from",
        dest="from_",
        type=lambda name: "json" if name in {"ndjson", "jsonl"} else name,
        choices=INPUT_FORMATS,
        metavar="FORMAT",
        help=f"format of the input instead of what its content says: {', '.join(INPUT_FORMATS)}",
    )
    group.add_argument(
        "--map", metavar="MAP", help="column map of a table, a file or a name: ivpush docs formats"
    )
    group.add_argument(
        "--separators",
        type=lambda text: text.replace("\\n", "\n"),
        metavar="*:~",
        help="of X12 that begins without ISA: element, component, end of segment",
    )
    group.add_argument(
        "--join",
        action="append",
        default=[],
        metavar="FILE",
        help="a further table that the map joins, such as ORDER_MED of Epic; may be repeated",
    )
    group.add_argument(
        "--setting",
        choices=("facility", "professional"),
        help="setting of records that state none",
    )
    group.add_argument("--timezone", metavar="ZONE", help="zone of times without an offset")
    group.add_argument(
        "--chart",
        action="append",
        default=[],
        metavar="FILE",
        help="charts to link to the claims; may be repeated",
    )
    group.add_argument(
        "--link-by",
        type=lambda text: tuple(text.split(",")),
        default=(),
        metavar="RULES",
        help="join ids of claims and charts that differ by these alone: "
        "spaces, case, decimals, signs, zeros",
    )
    group.add_argument(
        "--set-aside",
        metavar="FILE",
        help="write a row for each record that could not be read",
    )


def input_names(options: argparse.Namespace) -> list[str]:
    """Every input of a run; raises UsageError where standard input is read twice."""
    names = [*options.files, *options.chart]
    if names.count("-") > 1:
        raise UsageError(Fault("-", "standard input is read twice", "name it once"))
    return names


def read_options(options: argparse.Namespace) -> ReadOptions:
    """What the command line knows and an input may not say."""
    from ivpush.readers import ReadOptions

    map_: Path | str | None = options.map
    if map_ is not None:
        from ivpush.readers.tables.maps import load_map

        map_ = Path(map_) if Path(map_).is_file() else map_
        # Looked at now: an input that needs no map would never say that there is none.
        load_map(map_)
    join = tuple(Path(file) for file in options.join)
    return ReadOptions(
        timezone=options.timezone,
        setting=options.setting,
        map=map_,
        join=join,
        separators=options.separators,
    )


def tell_note(note: Note) -> None:
    """Print a note of a reader on standard error."""
    tell(f"{note.place}: {note.message}")


class Intake:
    """Reads a run's inputs, reports and counts: in = checked + set aside.

    In use::

        intake = Intake(options)
        for record in intake.records():
            print(record.place, record.encounter.id)
        status = intake.close()

    ``read`` is what the command line knows and an input may not say; ``statuses`` gathers the exit
    statuses that apply, the worst of which ``close`` gives.
    """

    def __init__(self, options: argparse.Namespace, payer: str | None = None) -> None:
        """``payer`` goes into records that name none; raises UsageError for a bad option."""
        self._options = options
        self.read = replace(read_options(options), payer=payer)
        self._aside: IO[bytes] | None = None
        self.checked = self.set_aside = 0
        self.statuses = {CLEAN}
        self.linker: Linker | None = None
        from ivpush.claim.statistics import Statistics

        self.statistics = Statistics()

    def keep_aside(self, stream: IO[bytes]) -> None:
        """Write a row into a stream for each record that is set aside from here on."""
        self._aside = stream

    def start_linking(self) -> Linker:
        """Links charts to claims from here on; gives the linker, whose counts are printed."""
        from ivpush.readers.linking import Linker

        self.linker = Linker(link_by=self._options.link_by)
        return self.linker

    # Records

    def records(self) -> Iterator[Record]:
        """Every record, charts linked to claims where charts were named."""
        from ivpush.readers.linking import link

        claims = self.readings(self._options.files)
        if not self._options.chart:
            yield from self.counted(claims)
            return
        yield from self.counted(link(claims, self.charts(), self.start_linking()))

    def charts(self) -> Iterator[Reading]:
        """What stands in the charts; raises UsageError for a file that cannot be read.

        A claim that is judged as if no chart had come would be judged wrongly.
        """
        return self.readings(self._options.chart, needed=True)

    def counted(self, readings: Iterable[Reading]) -> Iterator[Record]:
        """The records among readings; the others are reported, and all are counted."""
        from ivpush.readers import Record, SetAside

        for reading in readings:
            if isinstance(reading, Record):
                self.checked += 1
                yield reading
            elif isinstance(reading, SetAside):
                self.put_aside(reading)
            else:
                tell_note(reading)

    def put_aside(self, record: SetAside) -> None:
        """Report and count a record that could not be read, and write its row where asked."""
        self.set_aside += 1
        self.statuses.add(UNREAD)
        from ivpush.claim.statistics import reason_of

        self.statistics.put_aside(reason_of(record.error))
        if self.set_aside <= MOST_REASONS:
            complain(record.error, record.place)
        elif self.set_aside == MOST_REASONS + 1:
            tell(ASIDE_COUNTED)
        if self._aside is not None:
            from ivpush.writers.safe import aside_row

            # The record itself may name a patient; without --show-text its row does not hold it.
            show_text = self._options.show_text
            row = aside_row(record.place, record.error.one_line, record.raw, show_text=show_text)
            self._aside.write(row)

    def failed(self, record: Record, error: Exception) -> None:
        """Set a record aside on which ivpush itself failed."""
        self.checked -= 1
        self._failed_at(record.place, error)

    def _failed_at(self, place: str, error: Exception) -> None:
        from ivpush.readers import SetAside

        self.statuses.add(INTERNAL)
        self.put_aside(SetAside(place, InternalError.of(error)))
        # Its lines may name values of the record, so it is printed only where asked for.
        if self._options.debug:
            traceback.print_exception(error)

    # Files

    def readings(
        self,
        names: Iterable[str],
        special: Mapping[str, Read] | None = None,
        usual: Read | None = None,
        *,
        needed: bool = False,
    ) -> Iterator[Reading]:
        """What stands in the files; one that cannot be opened or understood is reported.

        With ``needed`` it ends the run instead, as a UsageError.
        Files of a format whose records may be spread over files are read together, after the rest.
        ``special`` reads some formats otherwise, ``usual`` the others.
        """
        read = usual or (lambda source: source.read(self.read))
        together: dict[str, list[Source]] = {}
        with ExitStack() as kept_open:
            for name in names:
                with self._reported(name, needed=needed), ExitStack() as stack:
                    source = self._opened(stack, name)
                    if source is None:
                        continue
                    if name != "-" and self._joins(source, special or {}):
                        # Its stream must stay open until the other files have been read.
                        together.setdefault(source.format.module, []).append(source)
                        kept_open.push(stack.pop_all())
                    else:
                        yield from _of_source(source, special or {}, read)
            for sources in together.values():
                names = ", ".join(source.name for source in sources)
                with self._reported(names, needed=needed):
                    yield from self._of_sources(sources, read)

    def _joins(self, source: Source, special: Mapping[str, Read]) -> bool:
        """Whether a file's records may be spread over other files too."""
        return source.format.name not in special and source.joins(self.read)

    def _of_sources(self, sources: list[Source], read: Read) -> Iterator[Reading]:
        from ivpush.readers.detect import read_together

        if len(sources) == 1:
            yield from read(sources[0])
        else:
            yield from read_together(sources, self.read)

    def _opened(self, stack: ExitStack, name: str) -> Source | None:
        """An input, open for as long as the stack; None where its first bytes are unsound."""
        from ivpush.readers.detect import DAMAGE, damaged, open_source

        try:
            opened = open_source(name, self.read, self._options.from_)
            return stack.enter_context(opened)
        except DAMAGE as error:
            self.put_aside(damaged(name, error))
            return None

    @contextmanager
    def _reported(self, name: str, *, needed: bool) -> Iterator[None]:
        """Reports a file that cannot be read or that no reader takes; the run goes on.

        Raises UsageError instead where the file is ``needed``.
        """
        try:
            yield
        except OutputError:
            # An error of writing passes through here too, and it ends the run.
            raise
        except OSError as error:
            problem = error.strerror or "cannot be read"
            fault = Fault(name, problem, "name a file that can be read")
            self._missed(UsageError(fault), needed=needed)
        except (InputError, UsageError) as error:
            self._missed(error, needed=needed)
        except IvpushError:
            raise
        # A reader of ours that fails costs one file, not those that follow.
        except Exception as error:
            if needed:
                raise
            self._failed_at(name, error)

    def _missed(self, error: IvpushError, *, needed: bool) -> None:
        if needed:
            raise UsageError(error.faults)
        self.refused(error)

    # Ends

    def refused(self, error: IvpushError) -> None:
        """Report a file that no reader takes, or an output that cannot be written."""
        self.statuses.add(USAGE)
        complain(error)

    def close(self, more: str = "", done: str = "checked") -> int:
        """Print the counts; gives the exit status."""
        if self.linker is not None:
            linked = self.linker
            print(
                f"claims: {linked.pairs} linked + {linked.claims_alone} alone"
                f" + {linked.refused} that did not fit;"
                f" charts: {linked.linked} linked + {linked.charts_alone} alone",
                file=sys.stderr,
            )
        read = self.checked + self.set_aside
        if not read and self.statuses == {CLEAN}:
            # An extract that failed must not look like a day without a fault.
            self.refused(UsageError(NOTHING_READ))
        print(
            f"{read} in = {self.checked} {done} + {self.set_aside} set aside{more}",
            file=sys.stderr,
        )
        return next(status for status in ORDER if status in self.statuses)


def _of_source(source: Source, special: Mapping[str, Read], read: Read) -> Iterator[Reading]:
    from ivpush.readers.detect import whole

    if source.format.name in special:
        return whole(source.name, special[source.format.name](source))
    return read(source)
