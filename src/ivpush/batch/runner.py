"""A whole batch: input to processes to outputs, one checkpoint a chunk.

Whatever ends a run, kill -9 included, the checkpoint tells a whole state: so many records behind,
so many bytes of each output. A resumed run cuts the outputs to that length and goes on, and its
outputs are the same bytes as those of a run that nothing ended.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from typing import Any

from ivpush._version import __version__
from ivpush.batch.intake import Chunk, Intake, Position
from ivpush.batch.outputs import Checkpoint, Output, promote, refuse
from ivpush.batch.plan import ROW_FORMATS, Counts, Plan, WorkOptions
from ivpush.batch.pool import Crew, crew
from ivpush.batch.work import Done, Worker
from ivpush.errors import Fault, UsageError, did_you_mean

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

    ``watch`` is called after each chunk, ``note`` with what readers want known. Raises UsageError
    and PackError before anything is written, UsageError where the input cannot be read on or the
    outputs cannot be written, and lets an interruption through; in each case the outputs hold
    whole chunks under their partial names, and ``resume`` goes on from there.
    """
    batch = _Batch(plan, note or (lambda _text: None))
    with ExitStack() as stack:
        those = stack.enter_context(
            crew(Worker, batch.work, workers=plan.workers, method=plan.method)
        )
        if batch.finished(those):
            return batch.counts
        stack.callback(batch.leave)
        batch.open(those.settle().heads)
        answers = those.map(batch.intake.chunks(batch.at))
        stack.callback(answers.close)
        for chunk, parts in answers:
            reasons = batch.take(chunk, parts)
            if watch is not None:
                behind = batch.intake.behind(batch.at)
                watch(Seen(batch.counts, behind, batch.intake.bytes, reasons))
        batch.finish()
    return batch.counts


class _Batch:
    """One run: where it stands, its outputs and its counts."""

    def __init__(self, plan: Plan, note: Callable[[str], None]) -> None:
        _check(plan)
        self.plan = plan
        self.intake = Intake(plan, note)
        self.work = WorkOptions(
            plan.engine, tuple(name for name, _ in plan.outputs), plan.read, plan.show_text
        )
        self.counts, self.at = Counts(), Position()
        self.outputs: list[Output] = []
        self._files = [path for _, path in plan.outputs]
        if plan.set_aside is not None:
            self._files.append(plan.set_aside)
        self._sums: list[int] = []
        taken: set[str] = set()
        for path in self._files:
            if path != "-":
                refuse(path, self.intake.files, taken)
        self._point = self._checkpoint()
        self._before = self._point.read() if self._point is not None and plan.resume else None
        self._done = False

    def _checkpoint(self) -> Checkpoint | None:
        """Where the state goes; None where an input or an output could not be gone back in."""
        problem = ""
        if not self.intake.regular:
            problem = "the input cannot be read twice"
        elif "-" in self._files:
            problem = "standard output cannot be cut back"
        if problem and self.plan.resume:
            raise UsageError(
                Fault("--resume", f"is not possible: {problem}", "read files and write files")
            )
        return None if problem else Checkpoint(self._files[0])

    def _job(self, pack: str, content: str) -> dict[str, Any]:
        """What must be the same for a run to be resumed. Processes and chunks change no byte."""
        plan = self.plan
        options = {
            "payer": plan.engine.payer,
            "policies": {key: str(one) for key, one in sorted(plan.engine.policies.items())},
            "silent rules": sorted(plan.engine.silent),
            "outputs": [list(one) for one in plan.outputs],
            "file of records set aside": plan.set_aside,
            "format of the input": plan.from_,
            "reading": {
                key: None if one is None else str(one) for key, one in asdict(plan.read).items()
            },
            "showing text": plan.show_text,
        }
        return {
            "version": __version__,
            "pack": pack,
            "input": content,
            "options": options,
        }

    def finished(self, those: Crew[Done]) -> bool:
        """Whether an earlier run did everything but give the files their names."""
        if self._point is None:
            return False
        content = self.intake.identity()  # while the processes build their engines
        self._task = self._job(those.settle().digest, content)
        if self._before is None:
            return False
        self._compare(self._before)
        self.counts = Counts(**self._before["counts"])
        self.at = Position(**self._before["at"])
        if not self._before["done"]:
            return False
        for path in self._files:
            promote(path)
        self._point.remove()
        return True

    def _compare(self, before: dict[str, Any]) -> None:
        """Refuse to go on with another input, pack or options; say which."""
        said = {"version": "the version of ivpush", "pack": "the rule pack", "input": "the input"}
        changed = [words for key, words in said.items() if before.get(key) != self._task[key]]
        old = before.get("options", {})
        changed += [
            f"the option '{key}'"
            for key, one in self._task["options"].items()
            if old.get(key) != one
        ]
        if changed:
            raise UsageError(
                Fault(
                    "--resume",
                    f"is not possible: {', '.join(changed)} changed since the run began",
                    "undo the change, or leave out --resume to begin anew",
                )
            )

    def open(self, heads: Sequence[bytes]) -> None:
        """Open every output: anew, or cut to what the checkpoint vouches for."""
        kept = self._before["lengths"] if self._before is not None else [None] * len(self._files)
        for path, keep in zip(self._files, kept, strict=True):
            self.outputs.append(Output(path, keep))
            self._sums.append(keep or 0)
        if self._before is None:
            for output, head in zip(self.outputs, heads, strict=False):
                output.append(head)
            self._save()

    def take(self, chunk: Chunk, parts: list[Done]) -> tuple[str, ...]:
        """Write a chunk's rows, then vouch for them; gives the reasons of what it set aside."""
        before = self.counts.read
        for part in parts:
            self.counts.add(part.counts)
            rows = [*part.outputs, part.aside] if self.plan.set_aside is not None else part.outputs
            for output, text in zip(self.outputs, rows, strict=True):
                output.append(text)
        counts = self.counts
        if (
            counts.read != before + chunk.records
            or counts.read != counts.checked + counts.set_aside
        ):
            raise RuntimeError("records were lost between processes; please report this")
        self.at = chunk.after
        self._save()
        return tuple(reason for part in parts for reason in part.reasons)

    def _save(self, *, done: bool = False) -> None:
        for output in self.outputs:
            output.sync()
        self._sums = [output.length for output in self.outputs]
        if self._point is not None:
            self._point.write(
                {
                    **self._task,
                    "at": asdict(self.at),
                    "counts": asdict(self.counts),
                    "lengths": self._sums,
                    "done": done,
                }
            )

    def finish(self) -> None:
        """Vouch for the whole, give the files their names, and drop the checkpoint."""
        self._save(done=True)
        for output in self.outputs:
            output.finish()
        if self._point is not None:
            self._point.remove()
        self._done = True

    def leave(self) -> None:
        """After whatever stopped the run: only whole chunks stay."""
        if not self._done:
            for output, length in zip(self.outputs, self._sums, strict=False):
                output.leave(length)


def _check(plan: Plan) -> None:
    for name, _ in plan.outputs:
        if name not in ROW_FORMATS:
            raise UsageError(
                Fault("--output", "is no format of a batch", did_you_mean(name, ROW_FORMATS))
            )
    if not plan.outputs:
        raise UsageError(Fault("--output", "names no file", "name at least one"))
    if [path for _, path in plan.outputs].count("-") > 1:
        raise UsageError(
            Fault(
                "--output", "writes two documents to standard output", "write one of them to a file"
            )
        )
    if plan.set_aside == "-":
        raise UsageError(Fault("--set-aside", "is no file", "name one"))
    if plan.chunk < 1 or plan.workers < 0:
        raise UsageError(
            Fault("--workers" if plan.workers < 0 else "--chunk", "is too small", "write 1 or more")
        )
