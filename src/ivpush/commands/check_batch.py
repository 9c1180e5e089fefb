"""``ivpush check --workers``: batches in several processes, with progress and resumption.

``check`` calls it where one of its options is given. It makes the plan of a batch out of the
options, has ``ivpush.batch`` carry it out, tells how far it is, and gives the exit status.
"""

from __future__ import annotations

import argparse
import os
import shlex
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import IO, TYPE_CHECKING, NamedTuple

from ivpush.commands.check_run import totals_format, totals_text
from ivpush.commands.inputs import ASIDE_COUNTED, MOST_REASONS, NOTHING_READ, read_options
from ivpush.commands.options import (
    BROKEN,
    CLEAN,
    INTERNAL,
    INTERRUPTED,
    ORDER,
    UNREAD,
    USAGE,
    cache_of,
    choose,
    complain,
    make_engine,
    plain,
    say,
)
from ivpush.commands.outputs import Target, parse_target, require_whole
from ivpush.errors import Fault, UsageError, did_you_mean
from ivpush.plural import counted

if TYPE_CHECKING:
    from ivpush.batch import Counts, EngineOptions, Plan, Seen
    from ivpush.pack.pack import Pack

__all__ = [
    "Progress",
    "add_options",
    "run",
    "wanted",
]

_LOG_SECONDS, _BAR_SECONDS = 10.0, 0.2
_ALONE = ("fix", "diff", "explain", "chart", "mask_ids", "mask_key")
"""Options that need all records in one process."""


# Options


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of a batch."""
    group = parser.add_argument_group("many at once")
    group.add_argument(
        "--workers",
        type=_count,
        metavar="N",
        help="check in N processes (0: one for each core); ndjson or csv only",
    )
    group.add_argument(
        "--resume", action="store_true", help="go on where an interrupted run of --workers stopped"
    )
    group.add_argument(
        "--progress",
        choices=("auto", "bar", "log", "none"),
        default=None,
        help="how a batch tells how far it is (default auto: a line on a "
        "terminal, else a line in the log now and then)",
    )
    group.add_argument(
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


# The plan


def _plan(options: argparse.Namespace) -> Plan:
    from ivpush.batch import CHUNK, Plan

    for name in _ALONE:
        if getattr(options, name, None):
            problem = "is not for a run in several processes"
            remedy = "leave out --workers, --resume, --progress and --chunk"
            raise UsageError(Fault(f"--{name.replace('_', '-')}", problem, remedy))
    # Every process makes its own engine; this one says what does not exist, and fills the cache.
    pack = make_engine(options).pack
    targets = _targets(options)
    return Plan(
        files=tuple(options.files),
        outputs=tuple(targets),
        set_aside=options.set_aside,
        engine=_engine_options(options, pack),
        read=read_options(options),
        from_=options.from_,
        workers=options.workers or _cores(),
        chunk=options.chunk or CHUNK,
        resume=options.resume,
        show_text=options.show_text,
    )


def _targets(options: argparse.Namespace) -> list[Target]:
    from ivpush.batch.plan import ROW_FORMATS

    targets = [parse_target(text, ROW_FORMATS) for text in options.output]
    if options.statistics:
        totals_format(options)
    elif options.format is not None or not targets:
        format_ = options.format or "ndjson"
        if format_ not in ROW_FORMATS:
            problem = "is no format of a run in several processes"
            raise UsageError(Fault("--format", problem, did_you_mean(format_, ROW_FORMATS)))
        targets.append(Target(format_, "-"))
    require_whole(targets, coverage=options.coverage, visit=options.visit)
    return targets


def _engine_options(options: argparse.Namespace, pack: Pack) -> EngineOptions:
    """How each process makes its engine; raises UsageError for a rule that does not exist."""
    from ivpush.batch import EngineOptions

    cache = cache_of(options)
    return EngineOptions(
        payer=options.payer,
        policies=dict(setting.split("=", 1) for setting in options.policy),
        packs=tuple(map(str, options.rules)),
        cache=None if cache is None else str(cache),
        silent=choose(options, pack),
        coverage=options.coverage,
        visit=options.visit,
    )


def _cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1


# The run


def run(options: argparse.Namespace) -> int:
    """Check the files of the options as a batch; gives the exit status."""
    from ivpush.batch import run as run_batch

    plan = _plan(options)
    progress = Progress(options.progress or "auto", sys.stderr)
    statuses = {CLEAN}
    counts: Counts | None = None
    try:
        with _terminable():
            counts = run_batch(plan, watch=progress.see, note=progress.say)
    except KeyboardInterrupt:
        statuses.add(INTERRUPTED)
        progress.say(f"interrupted; {_how_to_go_on(plan)}")
    except UsageError as error:
        statuses.add(USAGE)
        progress.clear()
        complain(error)
        if progress.counts is None:
            return USAGE
        progress.say(_how_to_go_on(plan))
    progress.clear()
    counts = counts or progress.counts
    if counts is not None:
        if not counts.read and statuses == {CLEAN}:
            statuses.add(USAGE)
            complain(UsageError(NOTHING_READ))
        progress.close(counts, totals=not options.statistics)
        if options.statistics:
            say(totals_text(counts.statistics, options.format))
        statuses |= _statuses(counts, options)
    return next(status for status in ORDER if status in statuses)


def _statuses(counts: Counts, options: argparse.Namespace) -> set[int]:
    """The exit statuses that follow from what was counted."""
    statuses = {UNREAD} if counts.set_aside else set()
    if counts.internal:
        statuses.add(INTERNAL)
    levels = {
        "error": counts.errors,
        "warning": counts.errors + counts.warnings,
        "info": counts.violations + counts.infos,
        "never": 0,
    }
    if levels[options.fail_on] and not options.exit_zero:
        statuses.add(BROKEN)
    return statuses


def _how_to_go_on(plan: Plan) -> str:
    """What is left of a run that stopped short, and the command that goes on with it."""
    targets = [path for _, path in plan.outputs]
    if "-" in targets or "-" in plan.files:
        return "what was written holds whole records; a run on files could be resumed"
    words = [word for word in sys.argv[1:] if word != "--resume"]
    return f"go on with: {shlex.join(['ivpush', *words, '--resume'])}"


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


# Progress


class _Mark(NamedTuple):
    """How far the input was read when this run began."""

    records: int
    bytes: int


class Progress:
    """Tells how far a batch is: one line that is redrawn on a terminal, else log lines.

    In use::

        progress = Progress("auto", sys.stderr)
        counts = run(plan, watch=progress.see, note=progress.say)
        progress.clear()
        progress.close(counts)

    ``counts`` are those of the last chunk seen, or None before the first.
    """

    def __init__(self, mode: str, out: IO[str]) -> None:
        if mode == "auto":
            mode = "bar" if out.isatty() else "log"
        self.counts: Counts | None = None
        self._mode, self._out = mode, out
        self._pause = _BAR_SECONDS if mode == "bar" else _LOG_SECONDS
        self._began = self._shown = time.monotonic()
        self._from: _Mark | None = None
        self._drawn = False
        self._reasons = 0

    def see(self, seen: Seen) -> None:
        """Take in what a chunk brought, and show it if it is time."""
        self.counts = seen.counts
        if self._from is None:
            # A resumed run starts in the middle: its rate is that of its own part.
            self._from = _Mark(seen.counts.read, seen.bytes_read)
        for reason in seen.reasons:
            self._say_reason(reason)
        now = time.monotonic()
        if self._mode != "none" and now - self._shown >= self._pause:
            self._shown = now
            self._show(_how_far(seen, self._from, now - self._began))

    def _say_reason(self, reason: str) -> None:
        self._reasons += 1
        if self._reasons <= MOST_REASONS:
            self.say(reason)
        elif self._reasons == MOST_REASONS + 1:
            self.say(ASIDE_COUNTED)

    def _show(self, text: str) -> None:
        if self._mode == "bar":
            # Back to the line's beginning, and clear it: a shorter text leaves no rest of a longer.
            self._out.write(f"\r\x1b[K{text}")
            self._out.flush()
            self._drawn = True
        else:
            print(f"ivpush: {text}", file=self._out)

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

    def close(self, counts: Counts, *, totals: bool = True) -> None:
        """Print the counts of the whole, or of what was done, with totals or without."""
        from ivpush.writers.statistics import outdated, summary

        if totals:
            for row in (*summary(counts.statistics), *outdated(counts.statistics)):
                self.say(row)
        more = f"; {counted(counts.ignored, 'finding')} ignored" if counts.ignored else ""
        print(
            f"{counts.read} in = {counts.checked} checked + {counts.set_aside} set aside{more}",
            file=self._out,
        )


def _how_far(seen: Seen, begun: _Mark, seconds: float) -> str:
    """Records read, their rate, the time that is left, and what was found so far."""
    counts = seen.counts
    share = f" ({seen.bytes_read / seen.bytes_all:.0%})" if seen.bytes_all else ""
    parts = [f"{counts.read:,} read{share}"]
    records, passed = counts.read - begun.records, seen.bytes_read - begun.bytes
    if seconds > 0 and records:
        parts.append(f"{records / seconds:,.0f} a second")
    # bytes_all is 0 where the input does not tell its length.
    if seen.bytes_all and passed > 0:
        left = (seen.bytes_all - seen.bytes_read) * seconds / passed
        parts.append(f"{_clock(left)} left")
    parts.append(counted(counts.violations, "violation"))
    if counts.infos:
        parts.append(counted(counts.infos, "note"))
    if counts.set_aside:
        parts.append(f"{counts.set_aside:,} set aside")
    return ", ".join(parts)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
