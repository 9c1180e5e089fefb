"""One row, segment or element garbled, and the law that every reader keeps.

The tests of each room draw orders, write them in the room's format as parts of fields, and garble
one part or one field. Read again, it is the same chart, or a record is set aside, or something is
said that was not said before, or a fact is open; it is never another chart in silence.

Not garbled, because the input that comes of it is as good as the first and nobody could tell:

- a value into another valid value of its kind: a number into a number, a time into a time, a known
  word into a known word, an id or a name into any other text, an optional code into none;
- a part that is lost, where nothing else in the input counts or names it: the last line of an
  order, a whole order of a table, the last charge of a message, a resource of an NDJSON.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from hypothesis import settings
from hypothesis import strategies as st

from ivpush.contract.encounter import Encounter
from ivpush.readers import Note, Record, SetAside

often = settings(max_examples=max(30, settings().max_examples // 4))
"""A quarter of the usual examples: each reads two files."""
FOREIGN = "Zebra"
PROCEDURE = "[0-9]{4}[0-9A-Z]|[A-Z][0-9]{4}"
_ROWS = re.compile(r"([0-9,]+) rows?: (.*?)(?: \(first: .*\))?")
_TALLY = re.compile(r"[0-9,]+ rows? = (.*)")
_TIMES = re.compile(r"(.*?)(?: \(([0-9]+) times\))?", re.DOTALL)
# The good ends of a row, of which a tally says nothing remarkable.
_PLAIN_FATES = ("became", "told the course", "joined as the diluent")


class Order(NamedTuple):
    """An order of a drug, and how it was given: ``bag``, ``push``, ``given`` or ``refused``."""

    id: str
    kind: str
    drug: str
    hcpcs: str
    start: datetime
    minutes: int

    @property
    def stop(self) -> datetime:
        """When it ended."""
        return self.start + timedelta(minutes=self.minutes)


def order_lists() -> st.SearchStrategy[list[Order]]:
    """One to three orders, of which at least one gives something."""
    kinds = st.lists(st.sampled_from(("bag", "push", "given", "refused")), min_size=1, max_size=3)
    drugs = (("ceftriaxone", "J0696"), ("ondansetron", "J2405"), ("ketorolac", "J1885"))
    begins = st.datetimes(datetime(2025, 1, 1, 1), datetime(2026, 12, 31, 8)).map(
        lambda at: at.replace(second=0, microsecond=0)
    )

    def ordered(kind: str, number: int, begun: datetime, minutes: int) -> Order:
        drug, hcpcs = drugs[number]
        return Order(f"7{number}", kind, drug, hcpcs, begun + timedelta(hours=number), minutes)

    return st.builds(
        lambda chosen, begun, minutes: [
            ordered(kind, number, begun, minutes) for number, kind in enumerate(chosen)
        ],
        kinds.filter(lambda chosen: set(chosen) != {"refused"}),
        begins,
        st.integers(2, 50),
    )


class Field(NamedTuple):
    """One value of a part, and whether another text would be as good in its place."""

    text: str
    is_valid: Callable[[str], bool]


Part = list[Field]


def name(text: str) -> Field:
    """An id or free text: any text is one."""
    return Field(text, lambda other: other.strip() != "")


def anything(text: str = "") -> Field:
    """A value that the reader does not read, or that may be anything."""
    return Field(text, lambda _other: True)


def shaped(text: str, form: str) -> Field:
    """A value of a form: any other text in it is as good."""
    pattern = re.compile(form)
    return Field(text, lambda other: pattern.fullmatch(other) is not None)


def number(text: str) -> Field:
    """A number."""
    return shaped(text, r"[+-]?[0-9]+(\.[0-9]*)?|\.[0-9]+")


def code(text: str) -> Field:
    """A procedure code."""
    return shaped(text, PROCEDURE)


def word(text: str, known: Iterable[str]) -> Field:
    """A word of a closed list."""
    folded = {each.casefold() for each in known}
    return Field(text, lambda other: other.casefold() in folded)


def garbled_texts(text: str) -> Iterator[str]:
    """A text garbled in each way: foreign, blank, cut short, two characters swapped."""
    yield FOREIGN
    if text:
        yield from ("", text[: len(text) // 2], text[:-1])
        yield from (
            text[:at] + text[at + 1] + text[at] + text[at + 2 :] for at in range(len(text) - 1)
        )


def garbled_fields(part: Part) -> Iterator[Part]:
    """The part with one field garbled."""
    for at, (text, is_valid) in enumerate(part):
        for other in garbled_texts(text):
            if other != text and not is_valid(other):
                yield [*part[:at], Field(other, is_valid), *part[at + 1 :]]


def garbled_parts(parts: Sequence[Part], *, counted: Collection[int]) -> Iterator[list[Part]]:
    """The parts with one of them garbled or there twice, or lost where the format counts it."""
    for at, part in enumerate(parts):
        before, after = list(parts[:at]), list(parts[at + 1 :])
        if at in counted:
            yield [*before, *after]
        yield [*before, part, part, *after]
        for garbled in garbled_fields(part):
            yield [*before, garbled, *after]


def shifted(part: Part) -> Iterator[Part]:
    """A row whose cells moved by one, from each place on, into where some of them do not fit."""
    texts = [field.text for field in part]
    for at in range(len(part)):
        for moved in ([*texts[:at], "", *texts[at:-1]], [*texts[:at], *texts[at + 1 :], ""]):
            row = [field._replace(text=text) for field, text in zip(part, moved, strict=True)]
            if any(field.text and not field.is_valid(field.text) for field in row):
                yield row


class Heard(NamedTuple):
    """What a reader gave: the charts, what was set aside, and how often each thing was said."""

    charts: dict[str, Encounter]
    aside: int
    said: Counter[str]


def heard(readings: Sequence[Any]) -> Heard:
    """The charts of some readings, and what was said beside them."""
    said: Counter[str] = Counter()
    for reading in readings:
        if isinstance(reading, Note):
            said.update(_remarks(reading.message))
    charts = {each.encounter.id: each.encounter for each in readings if isinstance(each, Record)}
    return Heard(charts, sum(isinstance(each, SetAside) for each in readings), said)


def _remarks(message: str) -> dict[str, int]:
    """What a note says, with how often; of a tally, what did not become part of a chart."""
    tally, rows = _TALLY.fullmatch(message), _ROWS.fullmatch(message)
    if tally is not None:
        parts = (part.split(" ", 1) for part in tally[1].split(" + "))
        return {
            fate: int(count.replace(",", ""))
            for count, fate in parts
            if not fate.startswith(_PLAIN_FATES)
        }
    if rows is not None:
        return {rows[2]: int(rows[1].replace(",", ""))}
    times = _TIMES.fullmatch(message)
    assert times is not None
    return {times[1]: int(times[2] or 1)}


def assert_lawful(whole: Heard, garbled: Heard) -> None:
    """That a garbled input gave no other chart in silence."""
    assert whole.charts
    assert not whole.aside
    if garbled.aside or garbled.said - whole.said:
        return
    assert garbled.charts.keys() == whole.charts.keys()
    for identity, chart in garbled.charts.items():
        facts, others = _facts(chart), _facts(whole.charts[identity])
        assert _is_open(facts, others), (facts, others)


def _facts(chart: Encounter) -> dict[str, Any]:
    """What a chart says; administrations by their places, for their ids are mere names."""
    facts = chart.model_dump()
    places = {each.id: at for at, each in enumerate(chart.administrations or ())}
    for dose in facts["administrations"] or ():
        for name in ("id", "continues", "mixed_with"):
            dose[name] = places.get(dose[name])
    # Where no dose has a start, the day of the chart stands in its place.
    starts = [each.start.date() for each in chart.administrations or () if each.start]
    facts["date"] = facts["date"] or min(starts, default=None)
    return facts


def _is_open(facts: Any, whole: Any) -> bool:
    """Whether the facts are the whole ones, but for some that are open."""
    if facts is None:
        return True
    if isinstance(facts, dict):
        # A line need not name its diagnoses: without pointers they are open.
        if facts.get("diagnosis_pointers") == ():
            whole = {**whole, "diagnosis_pointers": ()}
        return all(_is_open(value, whole[key]) for key, value in facts.items())
    if isinstance(facts, list | tuple):
        return len(facts) == len(whole) and all(map(_is_open, facts, whole))
    return bool(facts == whole)
