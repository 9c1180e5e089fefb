"""HL7 version 2 in: messages, envelopes, visits, character sets; nothing is lost."""

from __future__ import annotations

import io
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import hl7
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ivpush.errors import InputError
from ivpush.readers import Note, ReadOptions, Record, SetAside
from ivpush.readers.hl7.reader import read, sniff
from ivpush.readers.hl7.segments import Raw, messages, parse, stamp
from tests.readers.hl7.samples import (
    CANARIES,
    DATA,
    HERE,
    administrations,
    dft,
    ft1,
    message,
    only,
    orc,
    ras,
    read_visit,
    readings,
    refused,
    rxa,
    seg,
)

# Files of the wild


@pytest.mark.parametrize("name", sorted(path.name for path in DATA.glob("*.hl7")))
def test_an_order_and_a_dispense_of_the_wild_give_charges_and_no_dose(name: str) -> None:
    text = (DATA / name).read_bytes()
    assert sniff(text[:512])
    every = list(read("f", io.BytesIO(text), HERE))
    (record,) = [x for x in every if isinstance(x, Record)]
    encounter = record.encounter
    assert encounter.administrations is None
    assert encounter.start == datetime.fromisoformat("2015-02-08T11:34:19+01:10")
    (line,) = encounter.lines or ()
    assert (line.code, line.modifiers, line.units, line.charge) == (
        "71045",
        ("26",),
        2,
        Decimal(100),
    )
    assert (line.ndc, line.date) == ("0182-1061-05", date(2019, 11, 22))
    said = "".join(x.message for x in every if isinstance(x, Note)) + encounter.model_dump_json()
    assert "nothing in it was given" in said
    assert not [word for word in CANARIES if word in said]


# Messages, envelopes, visits


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_every_line_end_gives_the_same(end: str) -> None:
    text = (ras(orc(), rxa()) + dft(ft1())).replace("\r", end)
    assert read_visit(text)[0] == read_visit(ras(orc(), rxa()), dft(ft1()))[0]


def test_envelopes_and_blocks_are_seen_through() -> None:
    head, tail = "FHS|^~\\&|A\rBHS|^~\\&|A\r", "BTS|2\rFTS|1\r"
    assert read_visit(head + ras(orc(), rxa()) + dft(ft1()) + tail)[0].lines is not None
    block = "\x0b" + ras(orc(), rxa()) + "\x1c\r"
    assert only(read_visit(block)[0]).dose == 4
    assert only(read_visit("\ufeff" + ras(orc(), rxa()))[0]).dose == 4


def test_visits_are_told_apart_wherever_their_messages_stand() -> None:
    texts = [ras(orc(f"F{n}"), rxa(), visit=f"V{n % 2}", patient=f"M{n % 2}") for n in range(6)]
    records = [x for x in readings(*texts) if isinstance(x, Record)]
    assert [(x.encounter.id, len(administrations(x.encounter))) for x in records] == [
        ("V0", 3),
        ("V1", 3),
    ]
    assert [x.place for x in records] == ["f:1", "f:6"]


def test_a_message_without_a_visit_is_read_alone_and_set_aside_in_company() -> None:
    lone = ras(orc(), rxa(), visit="")
    assert read_visit(lone)[0].id == "C1"
    every = readings(lone, ras(orc(), rxa()))
    assert sorted(type(x).__name__ for x in every) == ["Record", "SetAside"]
    account = lone.replace("Zebra^Zoe", "Zebra^Zoe" + "|" * 13 + "A9")
    assert read_visit(account, account)[0].id == "A9"


def test_two_patients_never_share_a_visit() -> None:
    said = refused(ras(orc(), rxa()), ras(orc(), rxa(), patient="Zebra"))
    assert "PID-3" in said and "Zebra" not in said


def test_a_setting_that_nobody_states_is_not_guessed() -> None:
    assert "setting" in refused(ras(orc(), rxa()), options=ReadOptions())


def test_messages_of_other_types_are_counted() -> None:
    every = readings(ras(orc(), rxa()), message("ADT^A01"), message("ORU^R01"))
    assert [x.message for x in every if isinstance(x, Note)] == [
        "nothing is read from 2 messages of other types"
    ]


def test_a_bad_message_does_not_spoil_its_neighbours() -> None:
    for bad in ("MSH|\r", "MSH|^^\\&|a\r", "MSH"):
        every = readings(ras(orc(), rxa()), bad, "" if bad.endswith("\r") else "\r", dft(ft1()))
        assert sorted(type(x).__name__ for x in every) == ["Record", "SetAside"], bad
    stray = readings("noise\r", ras(orc(), rxa()))
    assert [type(x) for x in stray] == [SetAside, Record]


@pytest.mark.parametrize("name", ["MSH", "PV1", "ORC", "RXA", "RXR"])
def test_a_garbled_message_holds_back_its_own_visit_alone(name: str) -> None:
    one, other = ras(orc(), rxa(), seg("RXR", f1="IV"), visit="V1"), ras(orc("F2"), rxa())
    bad = one.replace(f"{name}|", f"{name[0]}Q{name[2]}|", 1)
    every = readings(bad, dft(ft1(), visit="V1"), other.replace("|V1", "|V2"))
    assert [x.encounter.id for x in every if isinstance(x, Record)] in ([], ["V2"])
    # Where its visit cannot be told, it may be of any.
    assert (name == "PV1") != any(isinstance(x, Record) for x in every)
    assert any(isinstance(x, SetAside) and x.encounter == "V1" for x in every)


def test_a_message_of_no_known_visit_holds_all_back() -> None:
    every = readings(ras(orc(), rxa()), "MSH|^~\\&|a\rthis is no segment\r", dft(ft1()))
    assert [type(x) for x in every] == [SetAside, SetAside]


def test_a_note_that_looks_like_a_segment_is_a_note() -> None:
    ghost = "NTE|1||first\nRXA|0|9|20260302110000||9^ghost^L|1|mg|||||||||||||CP|A"
    encounter, notes = read_visit(ras(orc(), ghost, rxa()))
    assert only(encounter).drug == "ondansetron"
    assert "a note holds a line that looks like a segment; it is read as a note" in notes
    # Where segments end in line feeds, nothing tells such a line from a segment.
    fed = ras(orc(), ghost, rxa()).replace("\r", "\n")
    assert len(administrations(read_visit(fed)[0])) == 2


def test_a_line_feed_within_a_segment_sets_the_message_aside() -> None:
    said = refused(ras(orc() + "\n" + rxa(), rxa()))
    assert said.startswith("ORC: holds a line feed")


def test_a_note_may_run_over_several_lines() -> None:
    text = ras(orc(), rxa(), "NTE|1||first line\rsecond line of Zebra")
    assert only(read_visit(text)[0]).dose == 4


# Character sets and escapes


def test_escapes_are_resolved_in_words() -> None:
    text = ras(orc(), rxa(f5="^5\\S\\2 \\T\\ 3\\E\\4 \\X41\\\\H\\x\\N\\"))
    assert only(read_visit(text)[0]).drug == "5^2 & 3\\4 Ax"


def test_other_delimiters_are_those_of_the_message() -> None:
    text = ras(orc(), rxa(), seg("RXR", f1="IV", f4="IVP")).replace("|", "!").replace("^", "%")
    assert only(read_visit(text)[0]).drug == "ondansetron"


@pytest.mark.parametrize(
    ("stated", "codec"),
    [("", "utf-8"), ("UNICODE UTF-8", "utf-8"), ("8859/1", "latin-1"), ("8859/2", "iso8859_2")],
)
def test_the_character_set_of_the_message_is_used(stated: str, codec: str) -> None:
    raw = ras(orc(), rxa(f5="^Kör"), f18=stated).encode(codec)
    (record,) = [x for x in read("f", io.BytesIO(raw), HERE) if isinstance(x, Record)]
    assert only(record.encounter).drug == "Kör"


def test_a_message_without_a_character_set_is_guessed_and_says_so() -> None:
    raw = ras(orc(), rxa(f5="^Kör")).encode("latin-1")
    every = list(read("f", io.BytesIO(raw), HERE))
    assert isinstance(every[0], Record) and only(every[0].encounter).drug == "Kör"
    assert any("8859/1" in x.message for x in every if isinstance(x, Note))


def test_a_character_set_that_is_not_read_or_not_true_is_refused() -> None:
    assert "MSH-18" in refused(ras(orc(), rxa(), f18="GB 18030-2000"))
    raw = ras(orc(), rxa(f5="^Kör"), f18="ASCII").encode("latin-1")
    (aside,) = read("f", io.BytesIO(raw), HERE)
    assert isinstance(aside, SetAside) and "MSH-18" in str(aside.error)


# Laws


def test_the_samples_part_like_python_hl7_parts_them() -> None:
    for path in DATA.glob("*.hl7"):
        text = path.read_text("utf-8")
        (raw,) = messages(io.BytesIO(text.encode()))
        ours, theirs = parse(raw).segments, hl7.parse(text.replace("\n", "\r"))
        assert [mine.name for mine in ours] == [str(other[0]) for other in theirs]
        for mine, other in zip(ours, theirs, strict=True):
            assert [mine.raw(n) for n in range(1, len(mine.fields))] == [str(x) for x in other[1:]]


def leaf(part: Any) -> str:
    """The first component of the first repetition, as python-hl7 holds it."""
    while not isinstance(part, str):
        part = part[0] if len(part) else ""
    return part


PART = st.text("ab 1.^~&", max_size=6)


@given(st.lists(st.lists(PART, min_size=1, max_size=5), max_size=4))
def test_any_message_parts_like_python_hl7_parts_it(rows: list[list[str]]) -> None:
    text = "\r".join(["MSH|^~\\&|A", *("|".join(["ZZ1", *row]) for row in rows)])
    assume(text == text.strip())
    (raw,) = messages(io.BytesIO(text.encode()))
    theirs = hl7.parse(text)
    for mine, other in zip(parse(raw).segments[1:], list(theirs)[1:], strict=True):
        for position in range(1, len(mine.fields)):
            assert mine.raw(position).rstrip() == str(other[position]).rstrip()  # blanks at ends
            assert mine.part(position) == (leaf(other[position]).strip() or None)


@given(st.binary(max_size=400))
def test_no_bytes_make_it_crash(noise: bytes) -> None:
    for raw in (noise, b"MSH|^~\\&|A|||||RAS^O17|" + noise, ras(orc(), rxa()).encode() + noise):
        for reading in read("f", io.BytesIO(raw), HERE):
            assert isinstance(reading, Record | SetAside | Note)


FULL = ras(
    orc(),
    seg("TQ1", f7="20260302100000"),
    rxa(),
    seg("RXR", f1="IV", f2="LA", f3="PCA", f4="IVP"),
    seg("RXC", f1="A", f2="^kcl", f3="1", f4="g"),
) + dft(
    seg("DG1", f3="I10^x^I10"), ft1(f10="1", f11="5", f19="I10^x^I10", f26="59", f29="00409189001")
)


@given(st.data())
def test_no_error_and_no_note_repeats_a_field(data: st.DataObject) -> None:
    lines = FULL.split("\r")
    at = data.draw(st.sampled_from([n for n, x in enumerate(lines) if x[:3] not in {"MSH", ""}]))
    fields = lines[at].split("|")
    fields[data.draw(st.integers(1, len(fields) - 1))] = "Zebra-canary"
    lines[at] = "|".join(fields)
    for reading in readings("\r".join(lines)):
        said = ""
        if isinstance(reading, Note):
            said = reading.message
        elif isinstance(reading, SetAside):
            said = str(reading.error)
        assert "Zebra" not in said and "Zebra" not in reading.place


@given(st.permutations(range(6)))
def test_the_order_of_visits_changes_no_encounter(order: list[int]) -> None:
    texts = [ras(orc(f"F{n}"), rxa(), visit=f"V{n // 2}") for n in range(6)]
    ids = {
        record.encounter.id: sorted(dose.id for dose in administrations(record.encounter))
        for record in readings(*(texts[n] for n in order))
        if isinstance(record, Record)
    }
    assert ids == {"V0": ["F0", "F1"], "V1": ["F2", "F3"], "V2": ["F4", "F5"]}


@given(st.integers(1, 40), st.integers(0, 40))
def test_segments_split_over_chunks_are_whole(size: int, shift: int) -> None:
    class Slow(io.BytesIO):
        def read(self, _size: int | None = -1) -> bytes:
            return super().read(size)

    text = ("\r\n" * shift + FULL.replace("\r", "\r\n")).encode()
    ours = [(raw.offset, raw.line, raw.pieces) for raw in messages(Slow(text))]
    assert ours == [(raw.offset, raw.line, raw.pieces) for raw in messages(io.BytesIO(text))]


def test_a_segment_too_long_to_be_held_sets_its_message_aside() -> None:
    long = "ZZ1|" + "x" * (5 * 1024 * 1024)
    every = readings(ras(orc(), rxa(), long), dft(ft1(), visit="V2"))
    assert sorted(type(x).__name__ for x in every) == ["Record", "SetAside"]


@given(st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)))
def test_a_time_written_by_hl7_reads_back(at: datetime) -> None:
    whole = at.replace(microsecond=0)
    written = stamp(whole.strftime("%Y%m%d%H%M%S"), "-0530")
    assert written is not None and written.at is not None
    assert written.at.replace(tzinfo=None) == whole
    assert written.at.isoformat().endswith("-05:30")


def test_what_is_no_message_is_refused() -> None:
    with pytest.raises(InputError):
        parse(Raw(0, 1, whole=False))


def test_sniffing_knows_hl7() -> None:
    assert sniff(b"\x0bMSH|^~\\&|") and sniff(b"\xef\xbb\xbfFHS|^~\\&|") and sniff(b"\nBHS|^~")
    assert not sniff(b"MSHA|") and not sniff(b'{"resourceType": "X"}') and not sniff(b"")


@pytest.mark.parametrize("text", ["", "\r\n", "FHS|^~\\&|A\rFTS|0\r"])
def test_a_stream_without_a_message_says_so(text: str) -> None:
    assert [x.message for x in readings(text)] == ["there is no message in it"]


def test_nothing_of_the_patient_and_no_note_reaches_a_record() -> None:
    every = readings(
        ras(
            orc(),
            rxa(f9="Zebra", f11="Zebra"),
            seg("RXR", f1="IV"),
            seg("NTE", f3="Zebra over 90 min"),
        ),
        dft(seg("IN1", f16="Zebra^Zoe"), ft1(f20="N7^Zebra^Zoe", f7="X^Zebra^L")),
    )
    (record,) = [x for x in every if isinstance(x, Record)]
    said = record.encounter.model_dump_json() + "".join(map(str, every))
    assert not [word for word in CANARIES if word in said]
