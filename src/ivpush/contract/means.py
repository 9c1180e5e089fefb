"""How a field of a record of facts says what it means.

Every field of such a record is a fact with a meaning, another record, or working state; the rule
language refuses to load where one is none of these (``language.vocabulary.facts_of``).
"""

from __future__ import annotations

from ivpush.records import record

__all__ = ["CHART", "CODING", "SHAPING", "WORKING", "Means", "Part"]


@record
class Means:
    """What a fact means, for people; and what it rests on.

    ``rests_on`` holds fields of the contract: ``.minutes`` is a field of the same record,
    ``setting`` a field of the encounter. Empty means what the record says of all its facts by
    ``RESTS_ON``, an attribute of the class.
    ``lacks`` names the fields that, unstated, leave it unknown, in the same way.
    ``tables`` names the kinds of dated tables (``pack.releases``) that it is looked up in.
    """

    text: str
    rests_on: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()


_BESIDE = (
    "primary_administration",
    "complexity_documented",
    "supervision",
    "place_of_service",
    "type_of_bill",
)

SHAPING = frozenset(_BESIDE)
"""Fields that shape the coding of some charts only; ``EncounterFacts.shaped_by`` names which."""

CODING = (
    "administrations",
    *_BESIDE,
    "start",
    "end",
    "inpatient_from",
)
"""What the coding of a chart rests on, beside the setting, the date, the payer and the zone."""

CHART = ("administrations",)
"""What a fact lacks that only a chart can give."""

WORKING = Means("")
"""Marks what the engine works with and no rule may name."""


class Part:
    """A record within a scope: its facts are named as if they were the scope's own."""

    # A base without slots would give each record a dictionary, slots of its own or not.
    __slots__ = ()
