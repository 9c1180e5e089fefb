"""Where a run writes: formats by name, files that appear whole or not at all, standard output.

``check`` and ``convert`` call it, and ``ivpush.__main__`` where standard output fails. A file is
written as ``FILE.partial``, made durable and then renamed, so that its name never stands for half
a document. Nothing is written onto an input, a folder, a device, or through a symbolic link.
"""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import IO, TYPE_CHECKING, Any, NamedTuple, cast

from ivpush.errors import Fault, UsageError, did_you_mean
from ivpush.writers.files import is_at, open_partial, partial_of, publish, unfit

if TYPE_CHECKING:
    from ivpush.writers import ResultWriter, WriteOptions

__all__ = [
    "FORMATS",
    "Guard",
    "Out",
    "OutputError",
    "Shield",
    "Sink",
    "Target",
    "format_name",
    "make_writer",
    "module_of",
    "open_closed",
    "parse_target",
    "require_whole",
    "silence",
]

FORMATS = {
    "text": "ivpush.writers.text",
    "json": "ivpush.writers.json",
    "ndjson": "ivpush.writers.ndjson",
    "csv": "ivpush.writers.csv",
    "sarif": "ivpush.writers.sarif",
    "junit": "ivpush.writers.junit",
    "github": "ivpush.writers.github",
    "parquet": "ivpush.writers.parquet",
    "fhir": "ivpush.writers.fhir",
}
"""Formats of results, and the module of each; only the ones asked for are imported."""


_OTHER_NAMES = {"jsonl": "ndjson"}
_WITH_VISIT = ("json", "ndjson")
_WITH_COVERAGE = ("text", *_WITH_VISIT)
"""Formats that hold a whole result; the others hold its findings."""


def format_name(text: str) -> str:
    """A format by the name that we have for it."""
    return _OTHER_NAMES.get(text, text)


class Target(NamedTuple):
    """What is written where: the name of a format, and a file or ``-`` for standard output."""

    format: str
    path: str


def parse_target(text: str, known: Sequence[str]) -> Target:
    """Format and file of ``FORMAT:FILE``; raises UsageError for what is neither."""
    written, sign, path = text.partition(":")
    name = format_name(written)
    if not sign or not path:
        remedy = "write --output FORMAT:FILE; - is standard output"
        raise UsageError(Fault("--output", "names no format or no file", remedy))
    if name not in known:
        raise UsageError(Fault("--output", "names no format", did_you_mean(name, known)))
    return Target(name, path)


def require_whole(targets: Sequence[Target], *, coverage: bool, visit: bool) -> None:
    """Raise UsageError where no format asked for can hold what else results were to hold."""
    written = {target.format for target in targets}
    for asked, option, formats in (
        (coverage, "--coverage", _WITH_COVERAGE),
        (visit, "--visit", _WITH_VISIT),
    ):
        if asked and written.isdisjoint(formats):
            problem = "is held by no format of this run"
            remedy = f"write one of: {', '.join(formats)}"
            raise UsageError(Fault(option, problem, remedy))


def make_writer(name: str, out: IO[bytes], options: WriteOptions) -> ResultWriter:
    """The writer of a format; raises UsageError where this installation lacks it."""
    writer: ResultWriter = module_of(FORMATS[name], f"format {name}").Writer(out, options)
    return writer


def module_of(name: str, wanted: str) -> Any:
    """A module of ours, imported late; raises UsageError where this installation lacks it.

    ``wanted`` says in that error what needs the module.
    """
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        # A module of others that is missing is another error, and is raised as it comes.
        if error.name is None or not error.name.startswith("ivpush"):
            raise
        remedy = "install a release that has it"
        raise UsageError(Fault(wanted, "is not in this installation", remedy)) from None


class OutputError(UsageError):
    """An output that cannot be written: no room, no right, no such folder."""


def open_closed() -> None:
    """Open the standard streams that were closed when the process began, as cron may leave them.

    Python has None in their place. Input is then empty, results cannot be written, which is an
    error like a full disk, and what else would be said is lost.
    """
    for name, access in (("stdin", os.O_RDONLY), ("stdout", os.O_RDONLY), ("stderr", os.O_WRONLY)):
        if getattr(sys, name) is None:
            # It takes the number of the closed one, so that no file of ours is written to by it.
            number = os.open(os.devnull, access)
            raw = io.FileIO(number, "r" if name == "stdin" else "w", closefd=False)
            whole = io.BufferedReader(raw) if name == "stdin" else io.BufferedWriter(raw)
            setattr(sys, name, io.TextIOWrapper(whole, "utf-8"))


def silence() -> None:
    """Lead standard output into the void, so that nothing is flushed into a closed pipe at exit."""
    # Python flushes standard output once more when it ends; the descriptor itself must be replaced.
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class Guard:
    """Refuses files that must not be written: inputs, folders, devices, links, one file twice.

    In use::

        guard = Guard(["claims.ndjson"])
        guard.take("results.json", "--output")
        guard.take("claims.ndjson", "--output")      # raises UsageError: is an input of this run

    Nothing is opened or written here.
    """

    def __init__(self, inputs: Sequence[str | Path]) -> None:
        self._inputs = [Path(name) for name in inputs if str(name) != "-"]
        self._taken: set[Path] = set()
        self._standard = False

    def take(self, path: str, option: str) -> None:
        """Claim a file for writing; raises UsageError with the reason why it must not be."""
        if path == "-":
            if self._standard:
                problem = "standard output has one document already"
                raise UsageError(Fault(option, problem, "write the others to files"))
            self._standard = True
            return
        target = Path(path)
        for file in (target, partial_of(target)):
            problem, remedy = unfit(file) or self._collision(file) or ("", "")
            if problem:
                raise UsageError(Fault(f"{option} {file}", problem, remedy))
        self._taken.add(_settled(target))

    def _collision(self, target: Path) -> tuple[str, str] | None:
        """What else this run does with the file, and the remedy."""
        # Files are compared, not names: a hard link or another way of writing is the same file.
        for file in self._inputs:
            if file.exists() and target.exists() and target.samefile(file):
                return "is an input of this run", "name another file"
        if _settled(target) in self._taken:
            return "is written twice in this run", "name another file"
        return None


def _settled(path: Path) -> Path:
    """One way of writing a path, whether its file exists or not."""
    return path.parent.resolve() / path.name


class Out:
    """One output: standard output, or a file that gets its name when it is whole.

    In use::

        out = Out("results.json")       # writes results.json.partial
        out.stream.write(b"[]")
        out.finish()                    # or leave() after an interruption, drop() after an error

    What fails is raised as OutputError; a pipe that its reader closed stays BrokenPipeError.
    """

    def __init__(self, path: str) -> None:
        self.path = None if path == "-" else Path(path)
        self.name = "standard output" if path == "-" else path
        with self.watched():
            raw = _standard_output() if self.path is None else _file(self.path)
        self.stream = cast("IO[bytes]", _Watched(raw, self))

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Turns failures to write into OutputError; a closed pipe stays what it is."""
        try:
            yield
        except BrokenPipeError:
            raise
        except OSError as error:
            problem = f"cannot be written: {error.strerror or 'failed'}"
            remedy = "make room, or write to another file"
            raise OutputError(Fault(self.name, problem, remedy)) from None

    def finish(self) -> None:
        """Make the bytes durable and give the file its name."""
        self.stream.flush()
        if self.path is not None:
            with self.watched():
                publish(self.stream, self.path)

    def leave(self) -> str:
        """End without the name, after an interruption; gives the name of what is left."""
        self.stream.flush()
        if self.path is None:
            return ""
        with self.watched():
            self.stream.close()
        return str(partial_of(self.path))

    def drop(self) -> None:
        """End after a failure: a file that is not whole is taken away."""
        if self.path is None:
            silence()
            return
        # Windows takes no open file away; elsewhere it is ours only until it is closed.
        if os.name == "nt":
            with suppress(OSError):
                self.stream.close()
        with suppress(OSError):
            # What somebody put in its place since is not ours.
            if self.stream.closed or is_at(partial_of(self.path), self.stream):
                partial_of(self.path).unlink()
        with suppress(OSError):
            self.stream.close()


def _standard_output() -> IO[bytes]:
    # What was printed as text before comes first.
    sys.stdout.flush()
    return sys.stdout.buffer


def _file(path: Path) -> IO[bytes]:
    """A file under its partial name, with a buffer: results come a row at a time."""
    return io.BufferedWriter(cast("io.RawIOBase", open_partial(path)))


class _Watched:
    """A stream whose failures name their output; all else is the stream's own."""

    def __init__(self, raw: IO[bytes], out: Out) -> None:
        self._raw, self._out = raw, out

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)

    def write(self, text: bytes) -> int:
        with self._out.watched():
            return self._raw.write(text)

    def flush(self) -> None:
        with self._out.watched():
            self._raw.flush()


class Sink:
    """A writer and its output; ``open`` until whoever reads the output has gone.

    ``masked`` says that names stand there for ids.
    """

    def __init__(self, out: Out, writer: ResultWriter, *, masked: bool) -> None:
        self.out, self.writer, self.open, self.masked = out, writer, True, masked

    def close(self, *, whole: bool) -> str:
        """End the document; gives the name of the file that is left where it is not whole."""
        self.writer.close()
        if whole:
            self.out.finish()
            return ""
        return self.out.leave()


class Shield:
    """Holds an interruption back while a record is written, so that no document is torn.

    In use::

        with Shield() as shield:
            for record in records:          # an interruption here is raised at once
                with shield.held():
                    write(record)           # and here, when the record is written

    SIGTERM is taken as an interruption too.
    """

    def __init__(self) -> None:
        self._busy = self._pending = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Shield:
        with suppress(ValueError):  # only the main thread may; elsewhere nothing interrupts
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._interrupted)
        return self

    def __exit__(self, *_exception: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _interrupted(self, _number: int, _frame: FrameType | None) -> None:
        if not self._busy:
            raise KeyboardInterrupt
        self._pending = True

    @contextmanager
    def held(self) -> Iterator[None]:
        """A stretch that an interruption does not break; it is raised at the end."""
        self._busy = True
        try:
            yield
        finally:
            self._busy = False
        if self._pending:
            self._pending = False
            raise KeyboardInterrupt
