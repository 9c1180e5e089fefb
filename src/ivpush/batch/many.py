"""Many records from Python: several processes, one answer a record, in order."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ivpush.batch.plan import MOST_CHUNK_BYTES, EngineOptions, Item, WorkOptions
from ivpush.batch.pool import spread
from ivpush.batch.work import Singles
from ivpush.contract.encounter import Encounter
from ivpush.contract.result import Result

__all__ = ["Outcome", "check_many"]

RecordLike = Mapping[str, Any] | bytes | str | Encounter


@dataclass(frozen=True, slots=True, repr=False)
class Outcome:
    """What came of one record: its result as JSON, or why there is none."""

    place: str
    """``record[1]`` and so on, in the order of the input."""
    json: bytes | None
    """The result as UTF-8 JSON; None where the record could not be read or checked."""
    reason: str = ""
    """Why there is no result; it names fields and never a value."""

    @property
    def result(self) -> Result | None:
        """The result, read from its JSON."""
        return None if self.json is None else Result.from_json(self.json)

    def __repr__(self) -> str:
        return f"Outcome({self.place}, {'checked' if self.json is not None else self.reason})"


def check_many(
    records: Iterable[RecordLike],
    options: EngineOptions | None = None,
    *,
    workers: int = 0,
    chunk: int = 200,
    method: str = "spawn",
) -> Iterator[Outcome]:
    """Check records one after another; an outcome each, in order, as they are asked for.

    A record is a dict of the contract, its JSON as bytes or text, or an Encounter. With 0 workers
    all is done in this process; else in that many, and at most twice as many chunks are in flight,
    so that an endless input needs bounded memory. A script that starts processes keeps its own
    calls under ``if __name__ == "__main__":``, as Python asks. Raises PackError and UsageError as
    ``Engine`` does.
    """
    work = WorkOptions(options or EngineOptions())
    answers = spread(Singles, work, _chunks(records, chunk), workers=workers, method=method)
    for _, parts in answers:
        for part in parts:
            for one in part:
                yield Outcome(*one)


def _chunks(records: Iterable[RecordLike], most: int) -> Iterator[tuple[None, Sequence[Item]]]:
    items: list[Item] = []
    size = 0
    for number, one in enumerate(records, 1):
        item = _item(f"record[{number}]", one)
        items.append(item)
        size += len(item[2])
        if len(items) >= most or size >= MOST_CHUNK_BYTES:
            yield None, items
            items, size = [], 0
    if items:
        yield None, items


def _item(place: str, one: RecordLike) -> Item:
    if isinstance(one, bytes):
        return "line", place, one, ""
    if isinstance(one, Encounter):
        return "record", place, one.model_dump_json(exclude_none=True).encode(), ""
    try:
        raw = one.encode() if isinstance(one, str) else json.dumps(one, default=_plain).encode()
    except (TypeError, ValueError, RecursionError):
        return (
            "aside",
            place,
            b"",
            ("the record is no plain data; write text, numbers, true and false, lists and objects"),
        )
    return "line", place, raw, ""


def _plain(value: Any) -> Any:
    """What a record may hold beside JSON's own kinds."""
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError
