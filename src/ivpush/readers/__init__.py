"""Readers: a room for each format, and what every one of them yields.

``detect.FORMATS`` lists the formats with their rooms. A reader offers
``read(name, stream, options)``, which yields Records, SetAsides and Notes in the order of the input
and keeps no more than one claim or encounter in memory; ``name`` begins every place. It raises
nothing for bad content: what cannot be read becomes a SetAside, so that in = read + set aside.

::

    with open("claims.837", "rb") as stream:
        for reading in x12.read("claims.837", stream, ReadOptions()):
            if isinstance(reading, Record):
                engine.check(reading.encounter)
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ivpush.contract.encounter import Encounter
from ivpush.errors import InputError

__all__ = ["Note", "ReadOptions", "Reading", "Record", "SetAside"]


@dataclass(frozen=True, slots=True)
class Record:
    """An encounter that was read, and where it stands: ``file:line`` or the format's own place."""

    place: str
    encounter: Encounter


@dataclass(frozen=True, slots=True)
class SetAside:
    """A record that could not be read: where it stands and what is wrong with it.

    ``raw`` are the bytes of the record where the reader still has them, for a file of set-aside
    records; they are never printed.
    """

    place: str
    error: InputError
    raw: bytes | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """Something that was read in a particular way, or left out, and that nobody should miss."""

    place: str
    message: str


Reading = Record | SetAside | Note


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What the caller knows about an input and the input does not say."""

    timezone: str | None = None
    """IANA zone of times written without an offset."""
    setting: str | None = None
    """``facility`` or ``professional``, where the format does not say."""
    payer: str | None = None
    """Overlay id of records that name no payer."""
    map: Path | str | None = None
    """Column map of a table: a YAML file, or the name of a shipped one."""
