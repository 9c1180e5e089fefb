"""Encounters from JSON: one object, an array, or one object a line (NDJSON).

The content says which form it is. A record that cannot be read becomes a SetAside with its place
and reason; the rest goes on. Repeated keys are refused, and so are NaN and Infinity. ``read`` is
the reader; batches take ``opening``, ``lines`` and ``record``, to spread lines over processes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import IO, Any

from ivpush.contract.encounter import Administration, ClaimLine, Encounter, Supervision
from ivpush.errors import Fault, InputError
from ivpush.readers import Note, Reading, ReadOptions, Record, SetAside

__all__ = ["lines", "opening", "read", "record"]

MOST_RECORD_BYTES = 32 * 1024 * 1024
MOST_DOCUMENT_BYTES = 256 * 1024 * 1024
"""An array or an indented object is read at once; one object a line has no such bound."""
MOST_FIELDS = 1_000
"""Fields of one object; the contract has fifty, and a fault for each of a million takes seconds."""
_MOST_PLAIN_FIELDS = 100_000
_EMPTY = "holds no record"
_FROM_OPTIONS = ("setting", "timezone", "payer")
_BLANK = b" \t\r\n\xef\xbb\xbf"
_FIELDS = frozenset(
    name
    for model in (Encounter, Administration, ClaimLine, Supervision)
    for name in model.model_fields
)
"""Names that may be repeated in an error; any other key might be a value gone astray."""


def read(name: str, stream: IO[bytes], options: ReadOptions | None = None) -> Iterator[Reading]:
    """The encounters of a stream, in order; ``name`` begins every place.

    What the options know stands in for a setting, time zone or payer that a record leaves out.

    ::

        with open("visits.ndjson", "rb") as stream:
            records = [r for r in read("visits.ndjson", stream) if isinstance(r, Record)]
    """
    number, first, is_lines = opening(stream)
    if not first:
        yield Note(name, _EMPTY)
        return
    known = _known(options)
    if is_lines:
        for at, line in lines(stream, number, first):
            yield _record(f"{name}:{at}", line, known)
        return
    # Only these go on over further lines; the rest of anything else need not be held.
    open_ended = first.lstrip()[:1] in {b"[", b"{"}
    text = first + stream.read(MOST_DOCUMENT_BYTES + 1) if open_ended else first
    if len(text) > MOST_DOCUMENT_BYTES:
        problem = "the document is too large to be read at once"
        yield SetAside(name, InputError(Fault("", problem, "write one object a line")))
        return
    yield from _document(name, text, known)


def opening(stream: IO[bytes]) -> tuple[int, bytes, bool]:
    """The first line that is not blank: its number, its bytes, and whether this is NDJSON."""
    # One byte past the bound tells a record that is too large from one that just fits.
    number, first = 1, stream.readline(MOST_RECORD_BYTES + 1)
    while first and not first.strip(_BLANK):
        number, first = number + 1, stream.readline(MOST_RECORD_BYTES + 1)
    first = first.removeprefix(b"\xef\xbb\xbf")
    return number, first, first.lstrip()[:1] == b"{" and _whole(first)


def lines(stream: IO[bytes], number: int, line: bytes) -> Iterator[tuple[int, bytes]]:
    """The lines of NDJSON that are not blank, with their numbers, beginning with a given one.

    A line past the bound comes cut just past it; ``record`` sets it aside whole. When a line
    comes, the stream stands at the end of it, so that a run can be resumed there.
    """
    while line:
        rest = line
        while len(rest) > MOST_RECORD_BYTES and not rest.endswith(b"\n"):
            # What is read here belongs to a record that is set aside whole.
            rest = stream.readline(MOST_RECORD_BYTES + 1)
        if line.strip():
            yield number, line
        number, line = number + 1, stream.readline(MOST_RECORD_BYTES + 1)


def record(place: str, line: bytes, options: ReadOptions | None = None) -> Record | SetAside:
    """One line of NDJSON on its own, read as ``read`` reads it."""
    return _record(place, line, _known(options))


def _known(options: ReadOptions | None) -> dict[str, str]:
    """Fields that the caller knows, for records that leave them out."""
    return {key: getattr(options, key) for key in _FROM_OPTIONS if getattr(options, key, None)}


def _whole(line: bytes) -> bool:
    """Whether a line holds a JSON text of its own, good or bad, rather than the start of one."""
    try:
        json.loads(line)
    except RecursionError:
        return True
    except ValueError:
        # A whole object with something wrong in it is a line of NDJSON still.
        return line.rstrip()[-1:] == b"}"
    return True


def _document(name: str, text: bytes, known: dict[str, str]) -> Iterator[Reading]:
    """The encounters of an array, or of one object over several lines."""
    try:
        data = _parsed(text)
    except InputError as error:
        yield SetAside(name, error, text)
        return
    # An element of an array has no bytes of its own to keep when it is set aside.
    if isinstance(data, list):
        if not data:
            yield Note(name, _EMPTY)
        for number, element in enumerate(data, 1):
            yield _encounter(f"{name}[{number}]", element, known)
    else:
        yield _encounter(name, data, known)


def _record(place: str, line: bytes, known: dict[str, str]) -> Record | SetAside:
    """The encounter of one line, quickly where nothing in it is odd."""
    if len(line) > MOST_RECORD_BYTES:
        return SetAside(place, InputError(Fault(place, "the record is too large", "split it")))
    # A record of so many fields may hold all in one object, which only the careful way bounds.
    careful = known or line.count(b'":') > _MOST_PLAIN_FIELDS
    encounter = None if careful else _plainly(line)
    if encounter is not None:
        return Record(place, encounter)
    try:
        data = _parsed(line)
    except InputError as error:
        return SetAside(place, error, line)
    return _encounter(place, data, known, line)


def _plainly(line: bytes) -> Encounter | None:
    """The encounter of a line in which nothing is odd; None where it must be read with care.

    The model's own parser is the faster one, but of a repeated key it keeps the last and says
    nothing. So the keys written are counted against the fields stated: with no space before a
    colon every key ends in ``":``, and what else does only adds to the count. No field takes NaN.
    """
    if b'" ' in line or b"\t" in line or b"\r" in line or b"\n" in line[:-1]:
        return None
    try:
        encounter = Encounter.model_validate_json(line)
    except InputError:
        return None
    stated = len(encounter.model_fields_set)
    if encounter.supervision is not None:
        stated += len(encounter.supervision.model_fields_set)
    # Lists: sum is faster over them than over generators, and this is asked of every line.
    stated += sum([len(one.model_fields_set) for one in encounter.administrations or ()])
    stated += sum([len(one.model_fields_set) for one in encounter.lines or ()])
    return encounter if stated == line.count(b'":') else None


def _encounter(
    place: str, data: Any, known: dict[str, str], raw: bytes | None = None
) -> Record | SetAside:
    """The encounter of parsed JSON; ``raw`` are its bytes, where it stands on a line of its own."""
    if known and isinstance(data, dict):
        data.update((key, word) for key, word in known.items() if data.get(key) is None)
    try:
        return Record(place, Encounter.model_validate(data))
    except InputError as error:
        return SetAside(place, error, raw, _id_of(data, error))


def _id_of(data: Any, error: InputError) -> str | None:
    """The id of a record that does not fit, where that is right itself."""
    if not isinstance(data, dict) or any(fault.place == "id" for fault in error.faults):
        return None
    named = data.get("id")
    return named if isinstance(named, str) else None


def _parsed(text: bytes) -> Any:
    """The data of a JSON text; raises InputError, which says what is wrong with it."""
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=_refused)
    except InputError:
        raise
    except UnicodeDecodeError:
        problem, remedy = "the text is not UTF-8", "save it as UTF-8"
    except json.JSONDecodeError as error:
        problem = f"this is not JSON (line {error.lineno}, column {error.colno})"
        remedy = "write one object, an array of objects, or one object a line"
    except RecursionError:
        problem, remedy = "the JSON is nested too deeply", "write it as the contract does"
    except ValueError:
        problem, remedy = "the JSON holds a number too long", "write plain numbers"
    raise InputError(Fault("", problem, remedy))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object of its fields; raises InputError where one is repeated, or there are too many."""
    if len(pairs) > MOST_FIELDS:
        problem = f"an object holds more than {MOST_FIELDS:,} fields"
        raise InputError(Fault("", problem, "write only fields of the contract"))
    data = dict(pairs)
    if len(data) != len(pairs):
        repeated = _repeated(key for key, _ in pairs)
        which = f" '{repeated}'" if repeated in _FIELDS else ""
        raise InputError(Fault("", f"an object repeats a field{which}", "write it once"))
    return data


def _repeated(keys: Iterable[str]) -> str:
    """The first key that came before; empty where none did."""
    seen: set[str] = set()
    for key in keys:
        if key in seen:
            return key
        seen.add(key)
    return ""


def _refused(_text: str) -> Any:
    raise InputError(Fault("", "the JSON holds NaN or Infinity", "write a number or null"))
