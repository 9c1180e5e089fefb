"""The encounter that a case of a rule describes.

Cases are YAML read as plain text, and they leave out what does not matter: ids, numbers of lines,
the day before a clock time. ``case_encounter`` fills that in; ``authoring.cases``, the mutation of
rules and the pytest plugin build their encounters with it. ``short_encounter`` does so for what
holds nothing but fields of the encounter, as the factories of ``testing`` do.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

from ivpush.authoring.shorthand import read_administration, read_line
from ivpush.contract.annotations import field_type
from ivpush.contract.encounter import Administration, ClaimLine, Encounter, Supervision
from ivpush.errors import Fault, InputError

__all__ = ["case_encounter", "short_encounter"]

_NO_FACTS = frozenset({"name", "expect", "unjudged", "policies"})
"""Keys of a case that are no field of the encounter."""


def case_encounter(case: Mapping[str, Any], day: str) -> Encounter:
    """The encounter of a case; ``day`` is its date where it names none.

    Raises InputError for a line in no known form, or for what the contract refuses.
    """
    return short_encounter({key: case[key] for key in case if key not in _NO_FACTS}, day)


def short_encounter(facts: Mapping[str, Any], day: str) -> Encounter:
    """The encounter of facts in short; ``day`` is its date where they name none.

    Raises InputError for a line or an administration in no known form, or for what the contract
    refuses.
    """
    on = _day(facts.get("date", day))
    # Most rules hold in both settings; a case names one where it matters.
    record: dict[str, Any] = {"id": "case", "setting": "facility", "date": on.isoformat()}
    for key, value in facts.items():
        if key != "date":
            record[key] = _part(key, value, on)
    return Encounter.model_validate(record)


def _day(stated: object) -> date:
    try:
        return date.fromisoformat(str(stated))
    except ValueError:
        # Whoever writes cases need not see our own stack.
        raise InputError(Fault("date", "is no date", "write a date as YYYY-MM-DD")) from None


def _part(key: str, value: Any, day: date) -> Any:
    """One field of the encounter."""
    # No chart, or no claim, which an empty list would not say.
    if value is None or value == "null":
        return None
    if key == "administrations":
        return [
            {"id": f"a{n}", **_administration(stated, day)} for n, stated in enumerate(value, 1)
        ]
    if key == "lines":
        return [{"number": n, **_line(stated, day)} for n, stated in enumerate(value, 1)]
    if key == "supervision":
        return _values(value, Supervision, day)
    return _values({key: value}, Encounter, day)[key]


def _administration(stated: object, day: date) -> dict[str, Any]:
    facts = read_administration(stated) if isinstance(stated, str) else stated
    if not isinstance(facts, Mapping):
        remedy = "write DRUG ROUTE METHOD START-STOP, such as: ketorolac IV push 10:00-10:02"
        raise InputError(Fault("administrations", "holds none of the short form", remedy))
    values = _values(facts, Administration, day)
    if isinstance(stated, str) and _runs_backwards(values):
        remedy = "write +1 before a stop of the next day, as in 23:30-+1 00:20"
        raise InputError(Fault("administrations", "stops before it starts", remedy))
    return values


def _runs_backwards(values: Mapping[str, Any]) -> bool:
    start, stop = values.get("start"), values.get("stop")
    return isinstance(start, str) and isinstance(stop, str) and stop < start


def _line(stated: object, day: date) -> dict[str, Any]:
    if isinstance(stated, Mapping):
        return _values(stated, ClaimLine, day)
    if not isinstance(stated, str):
        remedy = "write each as CODE-MODIFIER xUNITS, one behind the other and in no list"
        raise InputError(Fault("lines", "is neither a text nor a mapping", remedy))
    line = read_line(stated)
    if line is None:
        raise InputError(Fault("lines", "is no line of a case", "write CODE-MODIFIER xUNITS"))
    code, modifiers, units = line
    return {"code": code, "modifiers": modifiers, "units": units}


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
