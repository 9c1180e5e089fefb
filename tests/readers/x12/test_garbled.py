"""An 837 with one element of a claim garbled: no other claim in silence."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hypothesis import assume, given
from hypothesis import strategies as st

from ivpush.contract.encounter import Encounter
from ivpush.writers.x12 import encounter_to_837
from tests.properties.claims837 import claims
from tests.readers.garbling import Heard, assert_lawful, garbled_texts, heard, often
from tests.readers.x12.samples import readings

NUMBER = r"[0-9]+(\.[0-9]*)?|\.[0-9]+"
DAY = "[0-9]{4}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])"
# What may stand in an element as well as what it holds. The contract takes any five capital
# letters and digits for a code, and a line may lack modifiers, a place, a charge and pointers.
AS_GOOD = {
    ("CLM", 1): ".*[^ ].*",
    ("CLM", 2): NUMBER,
    ("CLM", 5): r"[0-9]{2}:[AB]:[1-9]",
    ("SV1", 1): "HC:[0-9A-Z]{5}(:[0-9A-Z]{2}){0,4}:*",
    ("SV2", 2): "HC:[0-9A-Z]{5}(:[0-9A-Z]{2}){0,4}:*",
    ("SV1", 2): f"|{NUMBER}",
    ("SV2", 3): f"|{NUMBER}",
    ("SV1", 3): "UN|MJ",
    ("SV2", 4): "UN|MJ",
    ("SV1", 4): NUMBER,
    ("SV2", 5): NUMBER,
    ("SV1", 5): "|[0-9]{2}",
    ("SV2", 1): "|[0-9]{3,4}",
    ("SV1", 7): "|[0-9]+(:[0-9]+)*:*",
    ("DTP", 1): "(?!472|434).*",
    ("DTP", 3): f"{DAY}(-{DAY})?",
    ("LIN", 2): "(?!N4).*",
    ("LIN", 3): "[0-9]{10,11}|[0-9]+-[0-9]+-[0-9]+",
    ("LX", 1): "[0-9]+",
}
READ = {"CLM": (1, 2, 5), "SV1": (1, 2, 3, 4, 5, 7), "SV2": (1, 2, 3, 4, 5), "DTP": (3,)}
READ |= {"LIN": (3,), "LX": (1,)}


def garbled_elements(segments: list[str]) -> Iterator[list[str]]:
    for at, segment in enumerate(segments):
        tag, *elements = segment.split("*")
        for place, element in enumerate(elements, 1):
            if tag != "HI" and place not in READ.get(tag, ()):
                continue
            form = AS_GOOD.get((tag, place), "ABK:[A-Z][0-9A-Z]{2,8}|ABF:[A-Z][0-9A-Z]{2,8}")
            for other in garbled_texts(element):
                if other != element and re.fullmatch(form, other) is None:
                    whole = [tag, *elements[: place - 1], other, *elements[place:]]
                    yield [*segments[:at], "*".join(whole), *segments[at + 1 :]]


def judged(segments: list[str]) -> Heard:
    return heard(readings("~".join(segments).encode()))


@often
@given(claims(), st.data())
def test_elements_of_a_claim(encounter: Encounter, data: st.DataObject) -> None:
    segments = b"".join(encounter_to_837([encounter])).decode().split("~")
    segments = [segment.lstrip("\n") for segment in segments]
    whole = judged(segments)
    assume(whole.charts and not whole.aside)
    cases = list(garbled_elements(segments))
    assert_lawful(whole, judged(cases[data.draw(st.integers(0, len(cases) - 1))]))
