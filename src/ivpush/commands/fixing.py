"""``ivpush check --fix``: the corrected claims, in the format they came in, and what changed.

Only lines of the claim change. What the chart lacks is never made up: a claim that waits for an
open question is written as it came.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ivpush.commands.common import plain
from ivpush.commands.inputs import note
from ivpush.commands.outputs import OutputError, module_of
from ivpush.errors import Fault, UsageError

if TYPE_CHECKING:
    from ivpush.commands.inputs import Intake
    from ivpush.commands.running import Run
    from ivpush.engine import Worked
    from ivpush.models import ClaimLine
    from ivpush.readers import Reading, Record
    from ivpush.readers.detect import Source
    from ivpush.readers.linking import Linker

__all__ = ["fix", "line_text"]

_X12 = "x12"


def fix(run: Run, intake: Intake) -> None:
    """Judge every record and write it with its corrected claim."""
    from ivpush.readers.detect import open_source
    from ivpush.readers.linking import Linker

    if run.options.chart:
        intake.linker = Linker()
        charts = intake.linker.take(intake.readings(run.options.chart))
        for _ in intake.counted(charts):
            raise AssertionError("charts wait in the index")
    kind = ""
    for name in run.options.files:
        try:
            with open_source(name, intake.read_options(), run.options.from_) as source:
                found = _X12 if source.format.name == _X12 else "json"
                if run.fixed is not None and kind not in {"", found}:
                    raise UsageError(Fault(name, "would put an 837 and JSON into one output",
                                           "mend it in a run of its own"))  # fmt: skip
                kind = found
                (_mend if kind == _X12 else _rewrite)(run, intake, source)
        except OutputError:
            raise
        except OSError as error:
            intake.unopened(name, error)
        except UsageError as error:
            intake.refused(error)
    if intake.linker is not None:
        for record in intake.counted(intake.linker.rest()):
            _write(run, record, intake, written=kind != _X12)


def _rewrite(run: Run, intake: Intake, source: Source) -> None:
    """Encounters with their corrected claims, one a line of JSON."""
    readings = source.read(intake.read_options())
    if intake.linker is not None:
        readings = _paired(readings, intake.linker)
    for record in intake.counted(readings):
        _write(run, record, intake, written=True)


def _paired(readings: Iterator[Reading], linker: Linker) -> Iterator[Reading]:
    from ivpush.readers import Record

    for one in readings:
        if isinstance(one, Record):
            yield from linker.pair(one)
        else:
            yield one


def _write(run: Run, record: Record, intake: Intake, *, written: bool) -> None:
    work = run.take(record, intake)
    lines = _corrected(run, work, record.place)
    if run.fixed is None or not written:
        return
    encounter = work.encounter
    if lines is not None:
        encounter = encounter.model_copy(update={"lines": lines})
    with run.shield.held():
        text = encounter.model_dump_json(exclude_none=True).encode()
        run.fixed.stream.write(text + b"\n")


def _mend(run: Run, intake: Intake, source: Source) -> None:
    """An 837 with its corrected lines; every other segment as it came."""
    from ivpush.readers import Record, SetAside

    mend = module_of("ivpush.writers.x12", "--fix of an 837").mend
    refused: dict[str, SetAside] = {}

    def correct(record: Record) -> tuple[ClaimLine, ...] | None:
        found: Record | SetAside = record
        if intake.linker is not None:
            found, notes = intake.linker.now(record)
            for one in notes:
                note(one)
        if isinstance(found, SetAside):
            refused[record.place] = found
            return None
        return _corrected(run, run.take(found, intake), record.place)

    out = run.fixed.stream if run.fixed is not None else _Nowhere()
    readings = mend(source.name, source.stream, out, correct, intake.read_options())
    for one in readings:
        if isinstance(one, Record) and one.place in refused:
            intake.put_aside(refused.pop(one.place))
            continue
        for _ in intake.counted([one]):
            pass


class _Nowhere:
    """Where the claims of ``--diff`` go."""

    def write(self, text: bytes) -> int:
        return len(text)

    def flush(self) -> None:
        """Nothing waits here."""


def _corrected(run: Run, work: Worked, place: str) -> tuple[ClaimLine, ...] | None:
    """The lines to send instead; None where they stay as they are. Says what changed."""
    billed, corrected = work.encounter.lines, work.result.corrected
    if billed is None:
        return None
    if corrected is None:
        run.waiting += 1
        return None
    if corrected == billed:
        return None
    old, new = ({one.number: one for one in lines} for lines in (billed, corrected))
    changed = sum(old[key] != new[key] for key in old.keys() & new.keys())
    print(f"ivpush: {plain(place)}: {changed} line(s) changed, {len(old.keys() - new.keys())} "
          f"removed, {len(new.keys() - old.keys())} new", file=sys.stderr)  # fmt: skip
    if run.options.diff:
        _show(run, place, old, new)
    return corrected


def _show(run: Run, place: str, old: dict[int, ClaimLine], new: dict[int, ClaimLine]) -> None:
    """The lines before and after, on standard output."""
    rows = [f"{plain(place)}"]
    for number in sorted(old.keys() | new.keys()):
        before, after = old.get(number), new.get(number)
        if before == after and before is not None:
            rows.append(f"    {line_text(before)}")
            continue
        if before is not None:
            rows.append(f"  - {line_text(before)}")
        if after is not None:
            rows.append(f"  + {line_text(after)}")
    with run.shield.held(), run.standard().watched():
        run.standard().stream.write(("\n".join(rows) + "\n").encode())


def line_text(line: ClaimLine) -> str:
    """One claim line for people: number, code with modifiers, units, and what else it states."""
    code = "-".join((line.code, *line.modifiers))
    more = {
        "date": line.date,
        "place": line.place_of_service,
        "revenue": line.revenue_code,
        "NDC": line.ndc,
        "charge": line.charge,
        "minutes": line.minutes,
        "diagnoses": " ".join(map(str, line.diagnosis_pointers)) or None,
    }
    shown = ", ".join(f"{key} {value}" for key, value in more.items() if value is not None)
    return f"{line.number:>3}  {code:<12} x {line.units:<4} {shown}".rstrip()
