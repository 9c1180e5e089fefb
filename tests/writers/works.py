"""Results that tests of the writers share: hostile ids, every kind of finding, nothing found."""

from __future__ import annotations

import io
from functools import cache
from typing import IO, Any, Protocol

from ivpush import Encounter, Engine, __version__
from ivpush.writers import ResultWriter, WriteOptions
from tests.shipped import ENGINE

DAY = "2026-03-02"
PUSH = {"id": "a", "drug": "ondansetron", "route": "IV", "method": "push", "start": f"{DAY}T10:00"}
FLUSH = {"id": "f", "drug": "heparin", "route": "IV", "method": "push", "purpose": "flush"}
DRIP = {"id": "d", "drug": "ceftriaxone", "route": "IV", "method": "infusion"}
FREE_TEXT = (
    "drug",
    "dose_unit",
    "site",
    "lumen",
    "resited_from",
    "separate_site_reason",
    "stopped_early",
    "administered_by",
)
"""Fields of an administration that a person fills in freely."""
CLEAN = {"id": "clean", "setting": "facility", "date": DAY, "administrations": [], "lines": []}
NOTHING = {"id": "nothing", "setting": "facility"}
"""An encounter about which no rule has anything to say, not even of a table's age."""
WRONG = {**CLEAN, "id": "wrong", "lines": [{"number": 1, "code": "96375", "units": 1}]}
ALL = {
    **CLEAN,
    "id": "all",
    "administrations": [PUSH, FLUSH, DRIP],
    "lines": [
        {"number": 1, "code": "96375", "units": 2},
        {"number": 4, "code": "96365", "units": 9},
    ],
}

HOSTILE = (
    "\u009b31mred",
    "a\u202etxt.exe",
    "\u2066hidden\u2069",
    "zero\u200bwidth",
    "line\u2028end",
    '=HYPERLINK("http://x","y")',
    " =1+1",
    "  ＠SUM(A1)",
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "＝1+1",
    "' or 1=1",
    "::error file=x::forged",
    "50%0A::error::forged",
    "a,b:c::d",
    '"quoted", <b>&amp;</b> ]]>',
    "\ufffe\uffff",
    "\U000e0041tag",
    "%25",
)
"""Ids that the contract takes, and that could hide, forge or run something further on."""


class Made(Protocol):
    """A class of writers."""

    def __call__(self, out: IO[bytes], options: WriteOptions, /) -> ResultWriter:
        """A writer onto a stream."""
        ...


@cache
def engine() -> Engine:
    """One engine for all tests of writers."""
    return ENGINE


def written(make: Made, *records: Any, place: str = "f.ndjson", show_text: bool = False) -> bytes:
    """What a writer writes for some records, each at a line of its own."""
    out = io.BytesIO()
    writer = make(out, WriteOptions(engine().pack, __version__, show_text))
    for number, one in enumerate(records, 1):
        writer.write(engine().work(Encounter.model_validate(one)), f"{place}:{number}")
    writer.close()
    return out.getvalue()


def hostile(text: str) -> Any:
    """A record that carries a text wherever the contract lets it."""
    given = {**PUSH, "id": text, "drug": f"drug {text}", "site": f"site {text}"}
    return {**ALL, "id": text, "administrations": [given, FLUSH]}
