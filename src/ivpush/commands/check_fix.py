"""``ivpush check --fix``: the corrected claims, in the format they came in, and what changed.

``check`` hands ``fix`` to its run. Only lines of the claim change. What the chart lacks is never
made up: a claim that waits for an open question, or that no safe edit makes fit to send, is written
as it came. Edits that a person must vouch for are named, and applied with ``--fix=all`` only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from ivpush.commands.inputs import tell_note
from ivpush.commands.options import plain, tell
from ivpush.commands.outputs import module_of
from ivpush.contract.line_text import code_with_modifiers
from ivpush.errors import Fault, UsageError
from ivpush.plural import counted
from ivpush.writers.safe import escaped_json

if TYPE_CHECKING:
    from ivpush.commands.check_run import Run
    from ivpush.commands.inputs import Intake
    from ivpush.contract.encounter import ClaimLine
    from ivpush.contract.result import Violation
    from ivpush.engine import Worked
    from ivpush.readers import Reading, Record
    from ivpush.readers.detect import Source
    from ivpush.readers.linking import Linker

__all__ = [
    "fix",
    "line_text",
]

_X12 = "x12"


def fix(run: Run, intake: Intake) -> None:
    """Judge every record and write it with its corrected claim.

    Raises UsageError where an 837 and another format would go into one output.
    """
    if run.options.chart:
        charts = intake.start_linking().take(intake.charts())
        for _ in intake.counted(charts):
            raise AssertionError("charts wait in the index")
    kinds: set[str] = set()

    def mend(source: Source) -> Iterator[Reading]:
        _only(_X12, kinds, run, source.name)
        return _mend(run, intake, source)

    def encounters(source: Source) -> Iterator[Reading]:
        _only("json", kinds, run, source.name)
        return source.read(intake.read)

    readings = intake.readings(run.options.files, {_X12: mend}, encounters)
    if intake.linker is not None:
        readings = _paired(readings, intake.linker)
    for record in intake.counted(readings):
        # Charts without a claim are judged too, but an 837 has no place for them.
        _write(run, record, intake, written=_X12 not in kinds)


def _only(kind: str, kinds: set[str], run: Run, name: str) -> None:
    """Refuse an 837 beside another format: one output holds one of them."""
    if run.fixed is not None and kinds - {kind}:
        problem = "would put an 837 and JSON into one output"
        raise UsageError(Fault(name, problem, "mend it in a run of its own"))
    kinds.add(kind)


def _paired(readings: Iterator[Reading], linker: Linker) -> Iterator[Reading]:
    from ivpush.readers import Record

    for reading in readings:
        if isinstance(reading, Record):
            yield from linker.pair(reading)
        else:
            yield linker.put_by(reading)
    yield from linker.rest()


def _write(run: Run, record: Record, intake: Intake, *, written: bool) -> None:
    work = run.take(record, intake)
    if work is None:
        return
    lines = _corrected(run, work, record.place)
    if run.fixed is None or not written:
        return
    encounter = work.encounter
    if lines is not None:
        encounter = encounter.model_copy(update={"lines": lines})
    with run.shield.held():
        text = encounter.model_dump_json(exclude_none=True).encode()
        run.fixed.stream.write(escaped_json(text) + b"\n")


def _mend(run: Run, intake: Intake, source: Source) -> Iterator[Reading]:
    """An 837 with its corrected lines, every other segment as it came; yields all but records."""
    from ivpush.readers import Record, SetAside

    mend = module_of("ivpush.writers.x12", "--fix of an 837").mend
    refused: list[SetAside] = []

    def correct(claim: Record) -> tuple[ClaimLine, ...] | None:
        record: Record | SetAside = claim
        if intake.linker is not None:
            record, notes = intake.linker.now(claim)
            for note in notes:
                tell_note(note)
        # The claim does not fit its chart: it is copied as it came, and the loop below reports it.
        if isinstance(record, SetAside):
            refused.append(record)
            return None
        intake.checked += 1
        work = run.take(record, intake)
        return _corrected(run, work, claim.place) if work is not None else None

    out = run.fixed.stream if run.fixed is not None else _Nowhere()
    # An error leaves it set, so that a copy without its end is not kept.
    run.torn = run.fixed is not None
    for reading in mend(source.name, source.stream, out, correct, options=intake.read):
        if not isinstance(reading, Record):
            yield reading
        while refused:
            yield refused.pop()
    run.torn = False


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
    to_attest = _to_attest(work)
    if to_attest:
        corrected = _attested(run, work, to_attest, place)
    if corrected is None:
        run.waiting += 1
        return None
    if corrected == billed:
        return None
    # Lines keep their numbers when they are corrected; what has a new number is a new line.
    before = {line.number: line for line in billed}
    after = {line.number: line for line in corrected}
    changed = sum(before[number] != after[number] for number in before.keys() & after.keys())
    removed, new = len(before.keys() - after.keys()), len(after.keys() - before.keys())
    tell(f"{place}: {counted(changed, 'line')} changed, {removed} removed, {new} new")
    if run.options.diff:
        rows = [plain(place), *_difference(before, after)]
        with run.shield.held(), run.standard().watched():
            run.standard().stream.write(_as_text(rows))
    return corrected


def _to_attest(work: Worked) -> list[Violation]:
    """Findings whose edit somebody must vouch for."""
    return [
        violation
        for violation in work.result.violations
        if violation.edit is not None and violation.edit.safety == "attest"
    ]


def _attested(
    run: Run, work: Worked, to_attest: Sequence[Violation], place: str
) -> tuple[ClaimLine, ...] | None:
    """The lines with the edits of ``--fix=all``; without it these are only named."""
    lines = {line.number: line for line in work.proposed}
    for violation in to_attest:
        what = f"{place}: line {violation.line}: {violation.rule} {violation.name}"
        if run.options.fix != "all":
            tell(f"{what}: needs a person's word; --fix=all applies its edit")
            continue
        tell(f"{what}: its edit is applied on your word")
        assert violation.edit is not None
        for line in violation.edit.before:
            lines.pop(line.number, None)
        lines |= {line.number: line for line in violation.edit.after}
    if run.options.fix != "all":
        return work.result.corrected
    given = tuple([lines[number] for number in sorted(lines)])
    again = run.engine.check(work.encounter.model_copy(update={"lines": given}))
    return given if again.corrected == given else None


def _as_text(rows: Sequence[str]) -> bytes:
    return ("\n".join(rows) + "\n").encode()


def _difference(before: Mapping[int, ClaimLine], after: Mapping[int, ClaimLine]) -> Iterator[str]:
    """The lines before and after, by number."""
    for number in sorted(before.keys() | after.keys()):
        old, new = before.get(number), after.get(number)
        if old == new and old is not None:
            yield f"    {line_text(old)}"
            continue
        if old is not None:
            yield f"  - {line_text(old)}"
        if new is not None:
            yield f"  + {line_text(new)}"


def line_text(line: ClaimLine) -> str:
    """One claim line for people: number, code with modifiers, units, and what else it states."""
    code = code_with_modifiers(line)
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
