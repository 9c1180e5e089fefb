"""``ivpush check --workers``: batches in several processes, with progress and resumption."""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import IO, TYPE_CHECKING

from ivpush.commands.options import (
    BROKEN,
    CLEAN,
    INTERRUPTED,
    ORDER,
    UNREAD,
    USAGE,
    cache_folder,
    choose,
    make_engine,
    plain,
)
from ivpush.errors import Fault, UsageError, did_you_mean

if TYPE_CHECKING:
    from ivpush.batch import Counts, Plan, Seen

__all__ = [
    "Progress",
    "add_options",
    "run",
    "wanted",
]

_MOST_REASONS = 20
"""Records set aside that are told one by one; the rest is counted."""
_LOG_SECONDS, _BAR_SECONDS = 10.0, 0.2


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of a batch."""
    parser.add_argument(
        "--workers",
        type=_count,
        metavar="N",
        help="check in N processes (0: one for each core); ndjson or csv only",
    )
    parser.add_argument(
        "--resume", action="store_true", help="go on where an interrupted run of --workers stopped"
    )
    parser.add_argument(
        "--progress",
        choices=("auto", "bar", "log", "none"),
        default=None,
        help="how a batch tells how far it is (default auto: a line on a "
        "terminal, else a line in the log now and then)",
    )
    parser.add_argument(
        "--chunk",
        type=_positive,
        metavar="N",
        help="records that a process takes at a time (default 500)",
    )


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError("write a whole number from 0")
    return int(text)


def _positive(text: str) -> int:
    if _count(text) < 1:
        raise argparse.ArgumentTypeError("write a whole number from 1")
    return int(text)


def wanted(options: argparse.Namespace) -> bool:
    """Whether the options ask for a batch."""
    return (
        options.workers is not None
        or options.resume
        or options.progress is not None
        or options.chunk is not None
    )


def run(options: argparse.Namespace) -> int:
    """Check the files of the options as a batch; gives the exit status."""
    from ivpush.batch import run as run_batch

    made = _plan(options)
    progress = Progress(options.progress or "auto", sys.stderr)
    statuses = {CLEAN}
    counts: Counts | None = None
    try:
        with _terminable():
            counts = run_batch(made, watch=progress.see, note=progress.say)
    except KeyboardInterrupt:
        statuses.add(INTERRUPTED)
        progress.clear()
        print(f"ivpush: interrupted; {_go_on(made)}", file=sys.stderr)
    except UsageError as error:
        statuses.add(USAGE)
        progress.clear()
        for fault in error.faults:
            print(f"ivpush: {plain(str(fault))}", file=sys.stderr)
        if progress.counts is None:
            return USAGE
        print(f"ivpush: {_go_on(made)}", file=sys.stderr)
    progress.clear()
    progress.close(counts)
    known = counts or progress.counts
    if known is not None:
        statuses |= _judged(known, options)
    return next(status for status in ORDER if status in statuses)


def _judged(counts: Counts, options: argparse.Namespace) -> set[int]:
    statuses = {UNREAD} if counts.set_aside else set()
    levels = {
        "error": counts.errors,
        "warning": counts.errors + counts.warnings,
        "info": counts.violations,
        "never": 0,
    }
    if levels[options.fail_on] and not options.exit_zero:
        statuses.add(BROKEN)
    return statuses


def _plan(options: argparse.Namespace) -> Plan:
    from ivpush.batch import CHUNK, EngineOptions, Plan
    from ivpush.batch.plan import ROW_FORMATS
    from ivpush.commands.outputs import parse_target
    from ivpush.readers import ReadOptions

    for name in ("fix", "diff", "explain", "chart"):
        if getattr(options, name, None):
            raise UsageError(
                Fault(
                    f"--{name}",
                    "is not for a run in several processes",
                    "leave out --workers, --resume, --progress and --chunk",
                )
            )
    pack = make_engine(options).pack
    outputs = [parse_target(one, ROW_FORMATS) for one in options.output]
    if options.format is not None or not outputs:
        wanted_format = options.format or "ndjson"
        if wanted_format not in ROW_FORMATS:
            raise UsageError(
                Fault(
                    "--format",
                    "is no format of a run in several processes",
                    did_you_mean(wanted_format, ROW_FORMATS),
                )
            )
        outputs.append((wanted_format, "-"))
    cache = None if options.no_cache else cache_folder(os.environ)
    policies = dict(one.split("=", 1) for one in options.policy)
    engine = EngineOptions(
        options.payer,
        policies,
        tuple(map(str, options.rules)),
        None if cache is None else str(cache),
        choose(options, pack).silent,
    )
    read = ReadOptions(timezone=options.timezone, setting=options.setting, map=_map(options.map))
    return Plan(
        tuple(options.files),
        tuple(outputs),
        options.set_aside,
        engine,
        read,
        options.from_,
        options.workers or _cores(),
        options.chunk or CHUNK,
        options.resume,
        options.show_text,
    )


def _map(name: str | None) -> Path | str | None:
    return Path(name) if name is not None and Path(name).is_file() else name


def _cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1


def _go_on(made: Plan) -> str:
    """What is left of a run that stopped short, and how to go on."""
    targets = [path for _, path in made.outputs]
    if "-" in targets or "-" in made.files:
        return "what was written holds whole records; a run on files could be resumed"
    arguments = [one for one in sys.argv[1:] if one != "--resume"]
    return f"go on with: {plain(shlex.join(['ivpush', *arguments, '--resume']))}"


@contextmanager
def _terminable() -> Iterator[None]:
    """Takes a request to end as an interruption, so that the run stops in good order."""

    def ended(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGTERM, ended)
    except ValueError:  # only the main thread may
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


class Progress:
    """Tells how far a batch is: one line that is redrawn on a terminal, else log lines."""

    def __init__(self, mode: str, out: IO[str]) -> None:
        if mode == "auto":
            mode = "bar" if out.isatty() else "log"
        self.counts: Counts | None = None
        self._mode, self._out = mode, out
        self._began = self._told = time.monotonic()
        self._from: tuple[int, int] | None = None
        self._drawn = False
        self._reasons = 0

    def see(self, seen: Seen) -> None:
        """Take in what a chunk brought, and tell it if it is time."""
        self.counts = seen.counts
        if self._from is None:
            # A resumed run starts in the middle: its rate is that of its own part.
            self._from = (seen.counts.read, seen.bytes_read)
        for reason in seen.reasons:
            self._reasons += 1
            if self._reasons <= _MOST_REASONS:
                self.say(reason)
            elif self._reasons == _MOST_REASONS + 1:
                self.say(
                    "further records that are set aside are counted, not named; "
                    "--set-aside FILE keeps a row for each"
                )
        now = time.monotonic()
        if self._mode == "none" or now - self._told < (
            _BAR_SECONDS if self._mode == "bar" else _LOG_SECONDS
        ):
            return
        self._told = now
        text = self._text(seen, now - self._began)
        if self._mode == "bar":
            self._out.write(f"\r\x1b[K{text}")
            self._out.flush()
            self._drawn = True
        else:
            print(f"ivpush: {text}", file=self._out)

    def _text(self, seen: Seen, seconds: float) -> str:
        counts, (records, behind) = seen.counts, self._from or (0, 0)
        parts = [f"{counts.read:,} read"]
        new = counts.read - records
        if seconds > 0 and new:
            parts.append(f"{new / seconds:,.0f} a second")
        if seen.bytes_all:
            share = seen.bytes_read / seen.bytes_all
            parts[0] += f" ({share:.0%})"
            if seen.bytes_read > behind:
                left = (seen.bytes_all - seen.bytes_read) * seconds / (seen.bytes_read - behind)
                parts.append(f"{_clock(left)} left")
        parts.append(f"{counts.violations:,} violations")
        if counts.set_aside:
            parts.append(f"{counts.set_aside:,} set aside")
        return ", ".join(parts)

    def say(self, text: str) -> None:
        """Print a line of its own."""
        self.clear()
        print(f"ivpush: {plain(text)}", file=self._out)

    def clear(self) -> None:
        """Take the redrawn line away."""
        if self._drawn:
            self._out.write("\r\x1b[K")
            self._out.flush()
            self._drawn = False

    def close(self, counts: Counts | None) -> None:
        """Print the counts of the whole, or of what was done."""
        known = counts or self.counts
        if known is not None:
            more = f"; {known.ignored} finding(s) ignored" if known.ignored else ""
            print(
                f"{known.read} in = {known.checked} checked + {known.set_aside} set aside{more}",
                file=self._out,
            )


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
