"""The encounter that a case of a rule describes.

Cases are YAML read as plain text, and they leave out what does not matter: ids, numbers of lines,
the day before a clock time. ``case_encounter`` fills that in; ``authoring.cases``, the mutation of
rules and the pytest plugin build their encounters with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

from ivpush.contract.annotations import field_type
from ivpush.contract.encounter import Administration, ClaimLine, Encounter, Supervision
from ivpush.errors import Fault, InputError

__all__ = [
    "case_encounter",
]

_NO_FACTS = frozenset({"name", "expect", "unjudged", "policies", "date"})
"""Keys of a case that are no field of the encounter, or are read before the others."""
_LINE = re.compile(r"([A-Z0-9]{5})((?:-[A-Z0-9]{2})*)(?: x([0-9]{1,6}))?")
"""A line in short: its code, modifiers after hyphens, units after an x."""


def case_encounter(case: Mapping[str, Any], day: str) -> Encounter:
    """The encounter of a case; ``day`` is its date where it names none.

    Raises InputError for a line in no known form, or for what the contract refuses.
    """
    on = date.fromisoformat(str(case.get("date", day)))
    # Most rules hold in both settings; a case names one where it matters.
    record: dict[str, Any] = {"id": "case", "setting": "facility", "date": on.isoformat()}
    for key, value in case.items():
        if key not in _NO_FACTS:
            record[key] = _part(key, value, on)
    return Encounter.model_validate(record)


def _part(key: str, value: Any, day: date) -> Any:
    """One field of the encounter."""
    if key == "administrations":
        return [
            {"id": f"a{n}", **_values(stated, Administration, day)}
            for n, stated in enumerate(value, 1)
        ]
    if key == "lines":
        return [{"number": n, **_line(stated, day)} for n, stated in enumerate(value, 1)]
    if key == "supervision":
        return _values(value, Supervision, day)
    return _values({key: value}, Encounter, day)[key]


def _line(stated: str | dict[str, Any], day: date) -> dict[str, Any]:
    if isinstance(stated, dict):
        return _values(stated, ClaimLine, day)
    parts = _LINE.fullmatch(stated)
    if parts is None:
        raise InputError(Fault("lines", "is no line of a case", "write CODE-MODIFIER xUNITS"))
    modifiers = [modifier for modifier in parts[2].split("-") if modifier]
    return {"code": parts[1], "modifiers": modifiers, "units": int(parts[3] or 1)}


def _values(record: Mapping[str, Any], model: type[BaseModel], day: date) -> dict[str, Any]:
    # A key that the contract does not know stays as it is; the contract refuses it with a hint.
    fields = model.model_fields
    return {
        key: _typed(value, fields[key].annotation, day) if key in fields else value
        for key, value in record.items()
    }


def _typed(value: Any, annotation: Any, day: date) -> Any:
    """A text as its field asks; a text that does not fit stays, for the contract to refuse."""
    stated = field_type(annotation)
    if isinstance(value, list) and stated.members is not None:
        return [_typed(item, stated.members, day) for item in value]
    if not isinstance(value, str):
        return value
    # YAML is read as plain text, so that "null" comes as the word.
    if value == "null":
        return None
    if stated.of is datetime:
        return _instant(value, day)
    read = _READERS.get(stated.of)
    return value if read is None else read(value)


def _flag(text: str) -> bool | str:
    return {"true": True, "false": False}.get(text, text)


def _whole(text: str) -> int | str:
    return int(text) if text.isascii() and text.isdigit() else text


def _number(text: str) -> float | str:
    return float(text) if re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,6})?", text) else text


_READERS: Mapping[object, Callable[[str], object]] = {bool: _flag, int: _whole, Decimal: _number}


def _instant(text: str, day: date) -> str:
    """A bare clock time falls on the case's date; ``+1 02:00`` is the next day's."""
    parts = re.fullmatch(r"(?:\+([0-9]) )?([0-9]{1,2}:[0-9]{2})", text)
    if parts is None:
        return text
    on = day + timedelta(days=int(parts[1] or 0))
    return f"{on.isoformat()}T{parts[2].zfill(5)}"
