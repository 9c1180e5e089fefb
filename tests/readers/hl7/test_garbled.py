"""HL7 with one message, segment or field garbled: no other chart in silence."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from datetime import datetime

from hypothesis import given
from hypothesis import strategies as st

from ivpush.readers import ReadOptions
from ivpush.readers.hl7.reader import read
from ivpush.readers.tables.maps import spellings
from tests.readers.garbling import (
    PROCEDURE,
    Field,
    Heard,
    Order,
    Part,
    anything,
    assert_lawful,
    garbled_parts,
    heard,
    name,
    number,
    often,
    order_lists,
    shaped,
    word,
)

Message = list[Part]
TIME = (
    r"[0-9]{4}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])"
    r"(([01][0-9]|2[0-3])[0-5][0-9]([0-5][0-9])?)?([+-][0-9]{4})?"
)
STATUSES = ["CP", "PA", "RE", "NA", *spellings().of("action")]
COURSES = {"bag": ("New Bag", "Stopped"), "push": ("CP",), "given": ("Given",), "refused": ("RE",)}
METHODS = {"bag": "IVPB", "push": "IVP", "given": "", "refused": ""}


def fixed(text: str) -> Field:
    """What no other text may stand for."""
    return Field(text, lambda _other: False)


def seg(tag: str, **fields: Field) -> Part:
    at = {int(key[1:]): field for key, field in fields.items()}
    first = [fixed(tag), fixed("^~\\&")] if tag == "MSH" else [fixed(tag)]
    begin = 3 if tag == "MSH" else 1
    return [*first, *(at.get(place, anything()) for place in range(begin, max(at) + 1))]


def message(kind: str, control: str, *segments: Part) -> Message:
    head = {"f7": "20260302100500-0600", "f9": kind, "f10": control, "f12": "2.5"}
    return [
        seg("MSH", **{key: anything(text) for key, text in head.items()}),
        seg("PID", f3=name("MRN-4711"), f5=anything("Zebra^Zoe")),
        seg("PV1", f2=anything("O"), f19=name("V1")),
        *segments,
    ]


def coded(text: str) -> Field:
    """A code, its text and its system: with another text in it, another drug is as good."""
    return Field(text, lambda other: other.split("^")[1:2] > [""])


def charted(order: Order) -> Iterator[Message]:
    """An order as messages of a record's interface."""
    for nth, status in enumerate(COURSES[order.kind]):
        runs = order.kind == "bag"
        start, stop = (order.stop if nth else order.start), order.stop
        yield message(
            "RAS^O17",
            f"{order.id}.{nth}",
            seg(
                "ORC",
                f1=word("RE", ["RE", "NW", "OK"]),
                f2=anything(f"P{order.id}"),
                f3=name(order.id),
            ),
            seg(
                "RXA",
                f2=name("1"),
                f3=stamped(start),
                f4=stamped(start if runs else stop),
                f5=coded(f"{order.hcpcs}^{order.drug}^HCPCS"),
                f6=number("4"),
                f7=name("mg"),
                f10=anything("N7"),
                f20=word(status, STATUSES),
                f21=word("" if runs else "A", ["", "A", "U", "D", "X"]),
            ),
            seg(
                "RXR",
                f1=word("IV", ["IV", "IM", "SC"]),
                f2=anything("LA^left arm"),
                f4=word(METHODS[order.kind], ["IVP", "IVPB", ""]),
            ),
        )


def stamped(at: datetime) -> Field:
    return shaped(f"{at:%Y%m%d%H%M}00", TIME)


def charged(orders: Sequence[Order]) -> Message:
    """A message of charges, the last of which nothing counts."""
    return message(
        "DFT^P03",
        "D",
        seg("DG1", f1=anything("1"), f3=shaped("R112^x^I10", r"[A-Z][0-9A-Z.]{2,8}(\^.*)?")),
        *(
            seg(
                "FT1",
                f1=anything(str(at)),
                f4=stamped(order.start),
                f6=word("CG", ["CG", "CD", "PY", "AJ", "CO"]),
                f10=number("2"),
                f25=shaped(f"{order.hcpcs}^x^C4", rf"({PROCEDURE})\^x\^C4"),
                f26=shaped("59", "([A-Z0-9]{2})?"),
            )
            for at, order in enumerate(orders, 1)
        ),
    )


def judged(messages: Sequence[Message], count: int) -> Heard:
    lines = [
        "BHS|^~\\&",
        *("|".join(field.text for field in part) for each in messages for part in each),
        f"BTS|{count}",
    ]
    raw = "".join(f"{line}\r" for line in lines).encode()
    return heard(list(read("f", io.BytesIO(raw), ReadOptions(setting="facility"))))


def garbled_messages(messages: list[Message]) -> Iterator[list[Message]]:
    for at, each in enumerate(messages):
        before, after = messages[:at], messages[at + 1 :]
        yield [*before, *after]
        yield [*before, each, each, *after]
        last = len(each) - 1
        counted = range(last) if each[last][0].text == "FT1" else range(last + 1)
        for garbled in garbled_parts(each, counted=counted):
            yield [*before, garbled, *after]


@often
@given(order_lists(), st.data())
def test_messages_of_a_visit(orders: list[Order], data: st.DataObject) -> None:
    messages = [*(each for order in orders for each in charted(order)), charged(orders)]
    cases = list(garbled_messages(messages))
    garbled = cases[data.draw(st.integers(0, len(cases) - 1))]
    assert_lawful(judged(messages, len(messages)), judged(garbled, len(messages)))


def test_what_envelopes_count_is_held_against_what_came() -> None:
    text = "FHS|^~\\&\rBHS|^~\\&\rMSH|^~\\&|a|||||||C1\rBTS|{}\rFTS|{}\r"
    for messages, batches, said in (
        ("1", "1", []),
        ("", "", []),
        ("3", "1", ["f:4: BTS-1 counts 3 messages, but 1 came"]),
        ("1", "2", ["f:5: FTS-1 counts 2 batches, but 1 came"]),
        ("x", "1", ["f:4: BTS-1 is no number, so that nothing tells how many came"]),
    ):
        assert envelope_notes(text.format(messages, batches)) == said
    cut = text.partition("BTS")[0]
    (batch, file) = envelope_notes(cut)
    assert re.fullmatch(r"f:2: the batch has no end \(BTS\);.*", batch)
    assert re.fullmatch(r"f:1: the file has no end \(FTS\);.*", file)


def envelope_notes(text: str) -> list[str]:
    readings = read("f", io.BytesIO(text.encode()), ReadOptions(setting="facility"))
    notes = (f"{each.place}: {getattr(each, 'message', '')}" for each in readings)
    return [note for note in notes if "TS" in note]
