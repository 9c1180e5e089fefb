"""Tables of medication records as the tests write them, and what the reader says of them."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

from ivpush import Encounter
from ivpush.readers import Note, ReadOptions, Record, SetAside
from ivpush.readers.mar.reader import read

DATA = Path(__file__).parents[2] / "data" / "mar"
DOSE = "generic-dose"
EVENT = "generic-event"
HEAD = "encounter,order,action,action_time,drug,route,rate,rate_unit\n"


def readings(text: str | bytes, name: str | Path = DOSE, **options: Any) -> list[Any]:
    raw = text.encode() if isinstance(text, str) else text
    options.setdefault("setting", "facility")
    return list(read("f", io.BytesIO(raw), ReadOptions(map=name, **options)))


def encounters(text: str | bytes, name: str | Path = DOSE, **options: Any) -> list[Encounter]:
    every = readings(text, name, **options)
    assert not [one for one in every if isinstance(one, SetAside)], every
    return [one.encounter for one in every if isinstance(one, Record)]


def only(text: str | bytes, name: str | Path = DOSE, **options: Any) -> list[dict[str, Any]]:
    (encounter,) = encounters(text, name, **options)
    return [dose.model_dump(exclude_none=True) for dose in encounter.administrations or ()]


def notes(text: str | bytes, name: str | Path = DOSE, **options: Any) -> str:
    every = readings(text, name, **options)
    return "\n".join(one.message for one in every if isinstance(one, Note))


def events(*rows: str, name: str = EVENT, **options: Any) -> list[dict[str, Any]]:
    return only(HEAD + "".join(f"E,1,{row},IV,,\n" for row in rows), name, **options)


def clock(dose: dict[str, Any], field: str) -> str | None:
    at = dose.get(field)
    return f"{at:%H:%M}" if at is not None else None


def course(doses: list[dict[str, Any]]) -> list[tuple[str | None, str | None, str | None]]:
    return [(clock(one, "start"), clock(one, "stop"), one.get("continues")) for one in doses]


def fates(text: str | bytes, name: str | Path, **options: Any) -> tuple[int, int]:
    """Rows in, and the sum of what became of them, as the notes say."""
    said = notes(text, name, **options)
    ((rows, parts),) = re.findall(r"^([0-9]+) rows? = (.*)$", said, re.MULTILINE)
    return int(rows), sum(int(one) for one in re.findall(r"(?:^| \+ )([0-9]+) ", parts))
