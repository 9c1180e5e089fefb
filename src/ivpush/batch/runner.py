"""A whole batch: input to processes to outputs, one checkpoint a chunk.

``ivpush check --workers`` and scripts call ``run``. Whatever ends a run, kill -9 included, the
checkpoint tells a whole state: so many records behind, so many bytes of each output. A resumed run
cuts the outputs to that length and goes on, and its outputs are the same bytes as those of a run
that nothing ended.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from types import NoneType
from typing import Any

from ivpush._version import __version__
from ivpush.batch.intake import Chunk, Intake, Position
from ivpush.batch.outputs import Checkpoint, Kept, Output, promote, refuse
from ivpush.batch.plan import ROW_FORMATS, Counts, EngineOptions, Plan, WorkOptions
from ivpush.batch.pool import crew
from ivpush.batch.work import Done, Worker
from ivpush.errors import Fault, UsageError, did_you_mean, require_count, require_kind
from ivpush.plural import counted
from ivpush.readers import ReadOptions

__all__ = ["Seen", "run"]


@dataclass(frozen=True, slots=True)
class Seen:
    """What a watcher is told after each chunk: counts so far, and how far the input is read."""

    counts: Counts
    bytes_read: int
    """0 where the input does not tell."""
    bytes_all: int
    reasons: tuple[str, ...] = ()
    """Place and reason of each record that this chunk set aside."""


def run(
    plan: Plan,
    *,
    watch: Callable[[Seen], None] | None = None,
    note: Callable[[str], None] | None = None,
) -> Counts:
    """Check every record of a plan's files and write the results, in the order of the input.

    ::

        counts = run(Plan(files=("claims/*.ndjson",), outputs=(("ndjson", "results.ndjson"),)))
        print(counts.checked, counts.set_aside)

    ``watch`` is called after each chunk, ``note`` with what readers want known, and where an
    unfinished run is dropped because the plan does not ask to resume it. Raises UsageError
    and PackError before anything is written, UsageError where the input cannot be read on or the
    outputs cannot be written, and lets an interruption through; in each case the outputs hold
    whole chunks under their partial names, and ``resume`` goes on from there.
    """
    _check(plan)
    say = note or (lambda _text: None)
    setup = _Setup(plan, Intake(plan, say))
    formats = tuple(name for name, _ in plan.outputs)
    work = WorkOptions(plan.engine, formats, plan.read, plan.show_text)
    with ExitStack() as stack:
        team = stack.enter_context(crew(Worker, work, workers=plan.workers, method=plan.method))
        # The input is hashed while the processes build their engines.
        content = setup.content()
        stamp = team.settle()
        job = _job(plan, stamp.digest, content)
        if setup.before is not None:
            _refuse_another(setup.before.job, job)
            if setup.before.done:
                setup.promote(setup.before.kept)
                return setup.before.counts
        batch = _Batch(setup, job)
        if setup.dropped is not None:
            say(
                f"an unfinished run stood here, with {counted(setup.dropped, 'record')} behind it; "
                "it is dropped and all is begun anew, because nothing asked to resume it"
            )
        # Before anything is opened, so that what was opened is left in order.
        stack.callback(batch.leave)
        batch.open(stamp.heads)
        answers = team.map(setup.intake.chunks(batch.at))
        # Ended before the outputs are left: a chunk that comes late must not be written.
        stack.callback(answers.close)
        for chunk, parts in answers:
            reasons = batch.take(chunk, parts)
            if watch is not None:
                behind = setup.intake.behind(batch.at)
                watch(Seen(batch.counts, behind, setup.intake.bytes, reasons))
        batch.finish()
    return batch.counts


def _check(plan: Plan) -> None:
    require_kind("plan", plan, Plan, "give ivpush.batch.Plan")
    for name, words in (("files", plan.files), ("outputs", plan.outputs)):
        require_kind(name, words, (list, tuple), "give a list")
    require_kind("engine", plan.engine, EngineOptions, "give ivpush.batch.EngineOptions")
    require_kind("read", plan.read, ReadOptions, "give ivpush.readers.ReadOptions")
    for name, word in (("from_", plan.from_), ("set_aside", plan.set_aside)):
        require_kind(name, word, (str, NoneType), "give a text")
    pairs: Sequence[Sequence[str]] = plan.outputs
    for output in pairs:
        require_kind("outputs", output, (list, tuple), "give pairs of a format and a file")
        if len(output) != 2:
            problem = "holds what is no pair"
            raise UsageError(Fault("outputs", problem, "give pairs of a format and a file"))
    for name, _ in plan.outputs:
        if name not in ROW_FORMATS:
            raise UsageError(
                Fault("outputs", "is no format of a batch", did_you_mean(name, ROW_FORMATS))
            )
    if [path for _, path in plan.outputs].count("-") > 1:
        problem = "writes two documents to standard output"
        raise UsageError(Fault("outputs", problem, "write one of them to a file"))
    if plan.set_aside == "-":
        raise UsageError(Fault("set_aside", "is no file", "name one"))
    require_count("workers", plan.workers, least=0)
    require_count("chunk", plan.chunk, least=1)


@dataclass(frozen=True, slots=True)
class _Before:
    """Where an earlier run of the same plan was ended."""

    job: dict[str, Any]
    counts: Counts
    at: Position
    kept: list[Kept]
    """What of each output its checkpoint vouches for."""
    done: bool
    """Whether only the names of the files were left to give."""


class _Setup:
    """What a run needs before its first chunk: input, files, checkpoint, and an earlier run.

    Raises UsageError for files that must not be written, and where a run cannot be resumed.
    """

    def __init__(self, plan: Plan, intake: Intake) -> None:
        self.intake = intake
        self.set_aside = plan.set_aside is not None
        self.files = [path for _, path in plan.outputs]
        if plan.set_aside is not None:
            self.files.append(plan.set_aside)
        taken: set[str] = set()
        for path in self.files:
            if path != "-":
                refuse(path, intake.files, taken)
        self.checkpoint = self._checkpoint(resume=plan.resume)
        self.before = self._read_before() if plan.resume else None
        self.dropped = None if plan.resume else self._unfinished()
        """Records behind an earlier run that is not gone on with; None where none was left."""

    def _checkpoint(self, *, resume: bool) -> Checkpoint | None:
        """Where the state goes; None where an input or an output could not be gone back in."""
        problem = ""
        if not self.intake.regular:
            problem = "the input cannot be read twice"
        elif "-" in self.files:
            problem = "standard output cannot be cut back"
        elif not self.files:
            problem = "no file is written"
        if problem and resume:
            raise UsageError(
                Fault("resume", f"is not possible: {problem}", "read files and write files")
            )
        return None if problem else Checkpoint(self.files[0])

    def _read_before(self) -> _Before | None:
        state = self.checkpoint.read() if self.checkpoint is not None else None
        if self.checkpoint is None or state is None:
            return None
        try:
            return _Before(
                job=state,
                counts=Counts.from_state(state["counts"]),
                at=Position(**state["at"]),
                kept=[Kept(**each) for each in state["kept"]],
                done=state["done"],
            )
        # Sealed, but by hand: a run writes all of these.
        except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError):
            raise self.checkpoint.damaged() from None

    def _unfinished(self) -> int | None:
        try:
            before = self._read_before()
        except UsageError:
            return 0  # a checkpoint that cannot be read vouches for nothing
        return None if before is None else before.counts.read

    def content(self) -> str:
        """Identity of the input; empty where no checkpoint needs it."""
        return self.intake.identity() if self.checkpoint is not None else ""

    def promote(self, kept: Sequence[Kept]) -> None:
        """Give the files of a run that was done their names."""
        for path, each in zip(self.files, kept, strict=True):
            promote(path, each)
        if self.checkpoint is not None:
            self.checkpoint.remove()


def _job(plan: Plan, pack: str, content: str) -> dict[str, Any]:
    """What must be the same for a run to be resumed. Processes and chunks change no byte."""
    engine, read = plan.engine, asdict(plan.read)
    # As JSON gives it back, so that it can be compared with what a checkpoint says.
    options = {
        "payer": engine.payer,
        "policies": {name: str(value) for name, value in sorted(engine.policies.items())},
        "silent rules": sorted(engine.silent),
        "coverage": engine.coverage,
        "visit": engine.visit,
        "outputs": [list(output) for output in plan.outputs],
        "file of records set aside": plan.set_aside,
        "format of the input": plan.from_,
        "reading": {key: None if value is None else str(value) for key, value in read.items()},
        "showing text": plan.show_text,
    }
    return {"version": __version__, "pack": pack, "input": content, "options": options}


def _refuse_another(before: dict[str, Any], job: dict[str, Any]) -> None:
    """Refuse to go on with another input, pack or options; say which."""
    words = {"version": "the version of ivpush", "pack": "the rule pack", "input": "the input"}
    changed = [text for key, text in words.items() if before.get(key) != job[key]]
    old = before.get("options", {})
    changed += [
        f"the option '{key}'" for key, value in job["options"].items() if old.get(key) != value
    ]
    if changed:
        raise UsageError(
            Fault(
                "resume",
                f"is not possible: {', '.join(changed)} changed since the run began",
                "undo the change, or begin anew without resuming",
            )
        )


class _Batch:
    """One run: where it stands, its outputs and its counts."""

    def __init__(self, setup: _Setup, job: dict[str, Any]) -> None:
        before = setup.before
        self.counts = before.counts if before is not None else Counts()
        self.at = before.at if before is not None else Position()
        self._setup, self._job = setup, job
        self._outputs: list[Output] = []
        self._kept: list[Kept] = []
        """What of each output the checkpoint vouches for."""
        self._done = False

    def open(self, heads: Sequence[bytes]) -> None:
        """Open every output: anew, or cut to what the checkpoint vouches for."""
        before = self._setup.before
        vouched = before.kept if before is not None else [None] * len(self._setup.files)
        for path, kept in zip(self._setup.files, vouched, strict=True):
            output = Output(path, kept)
            self._outputs.append(output)
            self._kept.append(output.kept)
        if before is None:
            # Fewer heads than files: the file of records set aside has none.
            for output, head in zip(self._outputs, heads, strict=False):
                output.append(head)
            self._save()

    def take(self, chunk: Chunk, parts: list[Done]) -> tuple[str, ...]:
        """Write a chunk's rows, then vouch for them; gives the reasons of what it set aside."""
        counts, before = self.counts, self.counts.read
        for part in parts:
            counts.add(part.counts)
            rows = [*part.outputs, part.aside] if self._setup.set_aside else part.outputs
            for output, text in zip(self._outputs, rows, strict=True):
                output.append(text)
        # Every record is accounted for, whatever happened to the process that had it.
        whole = counts.read == before + chunk.records
        if not whole or counts.read != counts.checked + counts.set_aside:
            raise RuntimeError("records were lost between processes; please report this")
        self.at = chunk.after
        self._save()
        return tuple(reason for part in parts for reason in part.reasons)

    def _save(self, *, done: bool = False) -> None:
        """Make the outputs durable, and only then say so."""
        for output in self._outputs:
            output.sync()
        self._kept = [output.kept for output in self._outputs]
        if self._setup.checkpoint is not None:
            state = {
                **self._job,
                "at": asdict(self.at),
                "counts": self.counts.state(),
                "kept": [kept._asdict() for kept in self._kept],
                "done": done,
            }
            self._setup.checkpoint.write(state)

    def finish(self) -> None:
        """Vouch for the whole, give the files their names, and drop the checkpoint."""
        self._save(done=True)
        for output in self._outputs:
            output.finish()
        if self._setup.checkpoint is not None:
            self._setup.checkpoint.remove()
        self._done = True

    def leave(self) -> None:
        """After whatever stopped the run: only whole chunks stay."""
        if not self._done:
            for output, kept in zip(self._outputs, self._kept, strict=False):
                output.leave(kept.length)
