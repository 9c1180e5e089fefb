"""Readers: a room for each format, and what every one of them yields.

``detect.FORMATS`` lists the formats with their rooms. A reader offers
``read(name, stream, options)``, which yields Records, SetAsides and Notes in the order of the input
and keeps no more than one claim or encounter in memory; ``name`` begins every place. It raises
nothing for bad content: what cannot be read becomes a SetAside, so that in = read + set aside. Only
a table whose header does not fit raises UsageError, for no record of it is at fault.

::

    with open("claims.837", "rb") as stream:
        for reading in x12.read("claims.837", stream, ReadOptions()):
            if isinstance(reading, Record):
                engine.check(reading.encounter)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import NoneType
from typing import get_args

from ivpush import clock
from ivpush.contract.encounter import Encounter
from ivpush.contract.fields import Setting
from ivpush.errors import (
    Fault,
    InputError,
    UsageError,
    did_you_mean,
    nearest_word,
    require_kind,
)

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
    records; they are never printed. ``encounter`` is its id where that could be read.
    """

    place: str
    error: InputError
    raw: bytes | None = None
    encounter: str | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """Something that was read in a particular way, or left out, and that nobody should miss."""

    place: str
    message: str


Reading = Record | SetAside | Note


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What the caller knows about an input and the input does not say.

    Raises UsageError for a setting or a time zone that does not exist: else every record would be
    set aside for what none of them said.
    """

    timezone: str | None = None
    """IANA zone of times written without an offset."""
    setting: str | None = None
    """``facility`` or ``professional``, where the format does not say."""
    payer: str | None = None
    """Overlay id of records that name no payer."""
    map: Path | str | None = None
    """Column map of a table: a YAML file, or the name of a shipped one."""
    separators: str | None = None
    """Of X12 without an ISA: element and component separator and segment terminator, as ``*:~``."""
    join: tuple[Path | str, ...] = ()
    """Files of further tables that the map joins to the first."""

    def __post_init__(self) -> None:
        for name in ("timezone", "setting", "payer"):
            require_kind(name, getattr(self, name), (str, NoneType), "give a text")
        kinds = (str, Path, NoneType)
        require_kind("map", self.map, kinds, "give the path of a file, or the name of a map")
        require_kind("separators", self.separators, (str, NoneType), "give three characters")
        faults = [*_unknown_setting(self.setting), *_unknown_zone(self.timezone)]
        if faults:
            raise UsageError(faults)


def _unknown_setting(setting: str | None) -> Iterator[Fault]:
    settings = get_args(Setting)
    if setting is not None and setting not in settings:
        yield Fault("setting", "does not exist", did_you_mean(setting, settings))


def _unknown_zone(name: str | None) -> Iterator[Fault]:
    if name is None or clock.zone_named(name) is not None:
        return
    from zoneinfo import available_timezones

    near = nearest_word(name, available_timezones())
    remedy = f"did you mean '{near}'?" if near else "write an IANA name such as America/Chicago"
    yield Fault("timezone", "is not a known zone", remedy)
