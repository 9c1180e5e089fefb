"""What a chart may leave open of one administration, before any answer is tried.

``questions`` asks, so that only facts are put to the test that could decide something.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ivpush.contract.chart_facts import AdministrationFacts
    from ivpush.pack.book import Book

__all__ = [
    "KNOWN_MINUTES",
    "LONG",
    "PUSHED",
    "drips",
    "may_be_hormone",
    "may_be_open",
    "may_keep_open",
    "prolonged",
]

_TIMED_ROUTES = frozenset({"IV", "IA", "SC"})
KNOWN_MINUTES = frozenset({"clock", "stated"})
"""Where minutes come from that somebody charted."""

PUSHED = frozenset({"push", "injection"})
"""Methods that are charted for what is given in one act."""

LONG = frozenset({"infusion", "pump", "ia_infusion"})
"""Techniques of what runs."""


def may_be_open(administration: AdministrationFacts) -> bool:
    """Whether there is anything to ask about an administration: most are charted in full."""
    given = administration.given
    if administration.minutes_from not in KNOWN_MINUTES or given.route is None:
        return True
    if administration.purpose_open or not administration.drug.drug_known:
        return True
    return administration.technique == "pump" or administration.technique in LONG


def may_keep_open(administration: AdministrationFacts, book: Book) -> bool:
    """Whether a fluid ran so slowly that it may only have kept the vein open."""
    given, minutes = administration.given, administration.total_minutes
    rate = given.rate_ml_per_hour
    if rate is None and given.volume_ml is not None and minutes:
        rate = given.volume_ml * 60 / minutes
    hydrates = administration.family == "hydration" and given.purpose is None
    return hydrates and rate is not None and 0 < rate <= book.limits.keep_open_ml_per_hour


def may_be_hormone(administration: AdministrationFacts) -> bool:
    """Whether an antineoplastic is injected of which neither chart nor table says its kind."""
    injected = administration.technique == "injection" and administration.family == "chemotherapy"
    return injected and administration.given.hormonal is None


def prolonged(administration: AdministrationFacts, book: Book) -> bool:
    """Whether chemotherapy ran so long that a pump may be billed, and none is named."""
    minutes = administration.total_minutes
    return (
        administration.family == "chemotherapy"
        and administration.technique in {"infusion", "ia_infusion", "pump", "ia_pump"}
        and administration.delivered_by is None
        and minutes is not None
        and minutes > book.limits.prolonged_minutes
    )


def drips(administration: AdministrationFacts) -> bool:
    """Whether it is charted as an infusion, or may have been one."""
    given = administration.given
    if given.method in PUSHED or given.route not in _TIMED_ROUTES:
        return False
    return given.method == "infusion" or given.route == "IV"
