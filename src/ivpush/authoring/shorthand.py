"""Lines and administrations in short, as cases and tests write them.

A line is ``CODE-MODIFIER xUNITS``; an administration is ``DRUG ROUTE METHOD START-STOP``, of which
only the drug and the route must stand there::

    ketorolac IV push 10:00
    ceftriaxone 1 g IV infusion 10:00-10:35
    normal saline IV infusion 60 min

``authoring.encounters`` reads both forms; ``testing`` also writes results in the form of lines.
"""

from __future__ import annotations

import re
from functools import cache

from ivpush.contract.annotations import field_type
from ivpush.contract.encounter import Administration
from ivpush.contract.line_text import marked

__all__ = ["line_in_short", "read_administration", "read_line"]

_LINE = re.compile(r"([A-Z0-9]{5})((?:-[A-Z0-9]{2})*)(?: x([0-9]{1,6}))?")
_DRUG_CODE = re.compile("[A-Z][0-9]{4}")
_CLOCK = r"(?:\+[0-9] )?[0-9]{1,2}:[0-9]{2}"


def read_line(text: str) -> tuple[str, tuple[str, ...], int] | None:
    """The code, modifiers and units of a line in short; None where it is none.

    ::

        read_line("ABCDE-FG x2")        # ("ABCDE", ("FG",), 2)
    """
    parts = _LINE.fullmatch(text)
    if parts is None:
        return None
    return parts[1], tuple(parts[2].split("-")[1:]), int(parts[3] or 1)


def line_in_short(code: str, modifiers: tuple[str, ...], units: int) -> str:
    """A line as cases write it; a single unit goes without saying."""
    short = marked(code, modifiers)
    return short if units == 1 else f"{short} x{units}"


def read_administration(text: str) -> dict[str, str] | None:
    """The facts of an administration in short, each as text; None where it is none.

    A drug that is written as a code stands under ``hcpcs``.
    """
    parts = _administration().fullmatch(text)
    if parts is None:
        return None
    facts = {key: value for key, value in parts.groupdict().items() if value is not None}
    if _DRUG_CODE.fullmatch(facts["drug"]):
        facts["hcpcs"] = facts.pop("drug")
    return facts


@cache
def _administration() -> re.Pattern[str]:
    """The form of an administration, with the contract's own words for routes and methods."""
    fields = Administration.model_fields
    routes, methods = (
        "|".join(sorted(field_type(fields[name].annotation).words)) for name in ("route", "method")
    )
    return re.compile(
        r"(?P<drug>\S.*?)(?: (?P<dose>[0-9]+(?:\.[0-9]+)?) (?P<dose_unit>\S+))?"
        rf" (?P<route>{routes})(?: (?P<method>{methods}))?"
        rf"(?: (?P<start>{_CLOCK})(?:-(?P<stop>{_CLOCK}))?)?(?: (?P<minutes>[0-9]+) min)?"
    )
