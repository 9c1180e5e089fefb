"""Many records from Python: several processes, one answer a record, in order.

``check_many`` stands at the package's door, for scripts that have records in memory or get them one
after another. Files are checked by ``runner.run``, frames by ``ivpush.frames``.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ivpush.batch.plan import EngineOptions, Item, WorkOptions, cut
from ivpush.batch.pool import spread
from ivpush.batch.work import Singles
from ivpush.contract.encounter import Encounter, refuse_single
from ivpush.contract.result import Result
from ivpush.errors import require_count, require_kind

__all__ = ["Outcome", "check_many"]

RecordLike = Mapping[str, Any] | bytes | str | Encounter

_NO_DATA = "the record is no plain data; write text, numbers, true and false, lists and objects"


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

    ::

        for outcome in check_many(records, EngineOptions(payer="medicare"), workers=4):
            print(outcome.place, outcome.reason or outcome.result.status)

    A record is a dict of the contract, its JSON as bytes or text, or an Encounter. With 0 workers
    all is done in this process; else in that many, and at most twice as many chunks are in flight,
    so that an endless input needs bounded memory. A script that starts processes keeps its own
    calls under ``if __name__ == "__main__":``, as Python asks. Raises PackError and UsageError as
    ``Engine`` does, and UsageError at the call for what is no list of records or no options.
    """
    options = options or EngineOptions()
    refuse_single(records)
    require_kind("options", options, EngineOptions, "give ivpush.batch.EngineOptions")
    require_count("workers", workers, least=0)
    require_count("chunk", chunk, least=1)
    return _outcomes(records, WorkOptions(options), workers=workers, chunk=chunk, method=method)


def _outcomes(
    records: Iterable[RecordLike], work: WorkOptions, *, workers: int, chunk: int, method: str
) -> Iterator[Outcome]:
    items = ((_item(f"record[{number}]", record), None) for number, record in enumerate(records, 1))
    chunks = ((mark, chunk_items) for chunk_items, mark in cut(items, chunk))
    for _, parts in spread(Singles, work, chunks, workers=workers, method=method):
        for part in parts:
            for single in part:
                yield Outcome(single.place, single.json, single.reason)


def _item(place: str, record: RecordLike) -> Item:
    if isinstance(record, bytes):
        return Item("line", place, record)
    if isinstance(record, Encounter):
        return Item("record", place, record.model_dump_json(exclude_none=True).encode())
    try:
        # Records of Python's own kinds go through JSON too, so that one reader judges all.
        text = record if isinstance(record, str) else json.dumps(record, default=_plain)
        return Item("line", place, text.encode())
    except (TypeError, ValueError, RecursionError):
        return Item("aside", place, b"", _NO_DATA)


def _plain(value: Any) -> Any:
    """What a record may hold beside JSON's own kinds."""
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, Decimal):
        # JSON has one kind of number; whole ones stay whole, as fields for counts ask.
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError
