"""HL7 version 2 in: administrations, orders that are never doses, charges; nothing is lost."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import hl7
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ivpush.contract.encounter import Administration, Encounter
from ivpush.errors import InputError
from ivpush.readers import Note, ReadOptions, Record, SetAside
from ivpush.readers.hl7.reader import read, sniff
from ivpush.readers.hl7.segments import Raw, messages, parse, stamp

DATA = Path(__file__).resolve().parents[2] / "data" / "hl7v2"
HERE = ReadOptions(setting="facility")
CANARIES = ("EVERYMAN", "ADAM", "PATID1234", "Smith", "Zebra", "MRN-4711")


def seg(name: str, **fields: str) -> str:
    """A segment with fields by position, such as ``f3="20260302"``."""
    at = {int(key[1:]): value for key, value in fields.items()}
    first = 3 if name == "MSH" else 1
    return "|".join(
        [
            name,
            *(["^~\\&"] if first == 3 else []),
            *(at.get(n, "") for n in range(first, max(at, default=0) + 1)),
        ]
    )


def message(
    kind: str, *segments: str, visit: str = "V1", patient: str = "MRN-4711", **head: str
) -> str:
    head = {"f7": "20260302100500-0600", "f9": kind, "f10": "C1", "f12": "2.5", **head}
    start = [
        seg("MSH", **head),
        seg("PID", f3=patient, f5="Zebra^Zoe"),
        seg("PV1", f2="O", f19=visit),
    ]
    return "\r".join([*start, *segments]) + "\r"


def rxa(start: str = "20260302100000", stop: str = "20260302100200", **fields: str) -> str:
    usual = {
        "f1": "0",
        "f2": "1",
        "f3": start,
        "f4": stop,
        "f5": "J2405^ondansetron^HCPCS",
        "f6": "4",
        "f7": "mg",
        "f10": "N7^Zebra^Zoe",
        "f20": "CP",
        "f21": "A",
    }
    return seg("RXA", **{**usual, **fields})


def orc(order: str = "F1", control: str = "RE") -> str:
    return seg("ORC", f1=control, f2=f"P{order}", f3=order)


def ras(*segments: str, **more: str) -> str:
    return message("RAS^O17", *segments, **more)


def ft1(code: str = "96374", **fields: str) -> str:
    usual = {"f4": "20260302", "f6": "CG", "f10": "1", "f25": f"{code}^x^C4"}
    return seg("FT1", **{**usual, **fields})


def dft(*segments: str, **more: str) -> str:
    return message("DFT^P03", *segments, **more)


def readings(*texts: str, options: ReadOptions = HERE) -> list[Any]:
    return list(read("f", io.BytesIO("".join(texts).encode()), options))


def read_visit(*texts: str, options: ReadOptions = HERE) -> tuple[Encounter, list[str]]:
    every = readings(*texts, options=options)
    (record,) = [x for x in every if not isinstance(x, Note)]
    assert isinstance(record, Record), str(record.error)
    return record.encounter, [x.message for x in every if isinstance(x, Note)]


def refused(*texts: str, options: ReadOptions = HERE) -> str:
    (aside,) = [x for x in readings(*texts, options=options) if not isinstance(x, Note)]
    assert isinstance(aside, SetAside)
    return str(aside.error)


def administrations(encounter: Encounter) -> Sequence[Administration]:
    assert encounter.administrations is not None
    return encounter.administrations


def only(encounter: Encounter) -> Administration:
    (administration,) = administrations(encounter)
    return administration


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
    assert (line.code, line.modifiers, line.units, line.charge) == ("71045", ("26",), 2, 100)
    assert (line.ndc, line.date) == ("0182-1061-05", date(2019, 11, 22))
    said = "".join(x.message for x in every if isinstance(x, Note)) + encounter.model_dump_json()
    assert "nothing in it was given" in said
    assert not [word for word in CANARIES if word in said]


# Where a push is written


@pytest.mark.parametrize(
    ("segments", "route", "method"),
    [
        ([rxa(), seg("RXR", f1="IV^Intravenous^HL70162", f4="IVP^IV Push^HL70165")], "IV", "push"),
        ([rxa(), seg("RXR", f1="IV", f4="IVP")], "IV", "push"),
        ([rxa(), seg("RXR", f1="IV", f4="IVPB")], "IV", "infusion"),
        ([rxa(), seg("RXR", f1="IVP")], "IV", "push"),
        ([rxa(), seg("RXR", f1="IV", f3="IVP^IV PUSH")], "IV", "push"),
        ([rxa(), seg("RXR", f1="IV", f3="IVP")], "IV", None),
        ([rxa(), seg("RXR", f1="IV", f3="IVP^IV Pump^HL70164")], "IV", None),
        ([rxa(f8="IVP"), seg("RXR", f1="IV")], "IV", "push"),
        ([rxa(f8="IVP")], "IV", "push"),
        ([rxa(), seg("RXR", f1="IV^IV Infusion")], "IV", "infusion"),
        ([rxa(), seg("RXR", f1="47625008^by vein^SCT")], "IV", None),
        ([rxa(), seg("RXR", f1="IO^Intraocular^HL70162")], "OTHER", None),
        ([rxa(), seg("RXR", f1="MAGIC")], None, None),
        ([rxa()], None, None),
    ],
)
def test_a_push_is_found_wherever_it_stands(segments: Any, route: Any, method: Any) -> None:
    encounter, _ = read_visit(ras(orc(), *segments))
    assert (only(encounter).route, only(encounter).method) == (route, method)


def test_routes_that_contradict_each_other_leave_it_unknown() -> None:
    encounter, notes = read_visit(ras(orc(), rxa(), seg("RXR", f1="IV"), seg("RXR", f1="IM")))
    assert only(encounter).route is None
    assert any("two things about the route" in note for note in notes)


def test_a_device_that_says_nothing_and_an_unknown_route_are_noted() -> None:
    _, notes = read_visit(ras(orc(), rxa(), seg("RXR", f1="MAGIC", f3="IVP")))
    assert [note[:5] for note in notes] == ["RXR-1", "RXR-3"]


# What was given


def test_an_administration_keeps_what_rxa_says() -> None:
    encounter, _ = read_visit(
        ras(orc(), rxa(), seg("RXR", f1="IV", f2="LA^Left Arm^HL70163", f4="IVP"))
    )
    push = only(encounter)
    assert (push.id, push.drug, push.hcpcs, push.dose, push.dose_unit) == (
        "F1",
        "ondansetron",
        "J2405",
        4,
        "mg",
    )
    assert (push.site, push.performer) == ("Left Arm", "N7")
    assert push.start == datetime.fromisoformat("2026-03-02T10:00:00-06:00")
    assert push.stop == datetime.fromisoformat("2026-03-02T10:02:00-06:00")
    assert encounter.id == "V1"


@pytest.mark.parametrize("status", ["RE", "NA"])
def test_refused_and_not_given_are_no_administrations(status: str) -> None:
    encounter, notes = read_visit(ras(orc(), rxa(f20=status)))
    assert encounter.administrations == ()
    assert notes == ["an administration was never given, as RXA-20 says"]


@pytest.mark.parametrize("status", ["CP", "PA", ""])
def test_complete_partial_and_unstated_were_given(status: str) -> None:
    assert only(read_visit(ras(orc(), rxa(f20=status)))[0]).dose == 4


def test_a_status_that_is_none_is_refused_without_its_value() -> None:
    assert "RXA-20" in refused(ras(orc(), rxa(f20="Zebra")))
    assert "Zebra" not in refused(ras(orc(), rxa(f20="Zebra")))


def test_a_deletion_takes_the_administration_away() -> None:
    encounter, notes = read_visit(ras(orc(), rxa()), ras(orc(), rxa(f21="D")))
    assert encounter.administrations == ()
    assert any("deleted" in note for note in notes)


def test_an_update_takes_the_place_of_the_first_report() -> None:
    encounter, notes = read_visit(
        ras(orc(), rxa()), ras(orc(), rxa(stop="20260302101000", f21="U"))
    )
    stop = only(encounter).stop
    assert stop is not None and stop.minute == 10
    assert any("updated" in note for note in notes)


def test_an_update_to_not_given_takes_it_away() -> None:
    encounter, _ = read_visit(ras(orc(), rxa()), ras(orc(), rxa(f20="NA", f21="U")))
    assert encounter.administrations == ()


def test_a_deletion_of_what_is_not_here_is_noted_and_an_update_is_read() -> None:
    encounter, notes = read_visit(ras(orc(), rxa(f21="D")))
    assert encounter.administrations == ()
    assert any("not in the input" in note for note in notes)
    assert only(read_visit(ras(orc(), rxa(f21="U")))[0]).dose == 4


def test_a_deletion_that_fits_two_administrations_is_not_guessed() -> None:
    later = rxa("20260302120000", "20260302120200")
    encounter, _ = read_visit(ras(orc(), rxa()), ras(orc(), later), ras(orc(), rxa(f21="D")))
    start = only(encounter).start
    assert start is not None and start.hour == 12  # told apart by their starts
    lost = ras(orc(), rxa("20260302150000", "", f21="U"))
    assert len(administrations(read_visit(ras(orc(), rxa()), ras(orc(), later), lost)[0])) == 3
    unclear = [ras(orc(), rxa(stop=stop)) for stop in ("20260302100200", "20260302100300")]
    assert "RXA-21" in refused(*unclear, ras(orc(), rxa(f21="D")))


def test_a_message_sent_twice_is_read_once() -> None:
    encounter, notes = read_visit(ras(orc(), rxa()), ras(orc(), rxa()))
    assert only(encounter).dose == 4
    assert any("sent twice" in note for note in notes)


def test_administrations_of_one_order_at_other_times_stand_apart() -> None:
    encounter, _ = read_visit(ras(orc(), rxa(), rxa("20260302120000", "20260302120200", f2="2")))
    assert [(x.id, x.mixed_with) for x in administrations(encounter)] == [
        ("F1", None),
        ("F1.2", None),
    ]


def test_drugs_of_one_order_at_the_same_times_hang_in_one_bag() -> None:
    other = rxa(f2="2", f5="^potassium chloride")
    encounter, notes = read_visit(ras(orc(), rxa(), other, seg("RXR", f1="IV", f4="IVPB")))
    assert [x.mixed_with for x in administrations(encounter)] == [None, "F1"]
    assert {x.method for x in administrations(encounter)} == {"infusion"}
    assert any("one mixture" in note for note in notes)
    apart, _ = read_visit(ras(orc(), rxa(), orc("F2"), other))
    assert [x.mixed_with for x in administrations(apart)] == [None, None]


def test_each_route_belongs_to_the_administrations_before_it() -> None:
    encounter, _ = read_visit(
        ras(
            orc(),
            seg("RXR", f1="PO"),
            rxa(),
            seg("RXR", f1="IV"),
            rxa("20260302120000", "", f2="2"),
            seg("RXR", f1="IM"),
        )
    )
    assert [x.route for x in administrations(encounter)] == ["IV", "IM"]


def test_components_say_what_else_is_in_the_bag() -> None:
    base = seg("RXC", f1="B", f2="^sodium chloride 0.9 %", f3="1000", f4="mL")
    more = seg("RXC", f1="A", f2="^potassium chloride", f3="20", f4="meq")
    same = seg("RXC", f1="A", f2="J2405^ondansetron^HCPCS", f3="4", f4="mg")
    for order in ([orc(), rxa(), base, more, same], [orc(), base, more, same, rxa()]):
        main, carrier, additive = administrations(read_visit(ras(*order))[0])
        assert (carrier.purpose, carrier.mixed_with, carrier.dose) == (
            "drug_carrier",
            main.id,
            None,
        )
        assert (additive.drug, additive.dose, additive.dose_unit) == (
            "potassium chloride",
            20,
            "meq",
        )
        assert (additive.start, additive.stop) == (main.start, main.stop)


# Times


def test_a_stop_that_equals_its_start_is_unknown() -> None:
    encounter, notes = read_visit(ras(orc(), rxa(stop="20260302100000")))
    assert only(encounter).stop is None
    assert any("stop is unknown" in note for note in notes)


def test_the_true_minutes_in_a_note_are_pointed_out_and_not_read() -> None:
    short = rxa(stop="20260302100030")
    encounter, notes = read_visit(ras(orc(), short, seg("NTE", f3="given over 2 min by Zebra")))
    stop = only(encounter).stop
    assert stop is not None and stop.second == 30
    assert notes == ["a note speaks of another duration than RXA-3 and RXA-4, which are kept"]
    assert read_visit(ras(orc(), rxa(), seg("NTE", f3="over 2 min")))[1] == []


def test_the_zone_of_a_time_comes_from_itself_then_msh_then_the_caller() -> None:
    own = only(read_visit(ras(orc(), rxa("202603021000-0500", "")))[0]).start
    assert own is not None and own.isoformat() == "2026-03-02T10:00:00-05:00"
    head = only(read_visit(ras(orc(), rxa()))[0]).start
    assert head is not None and head.isoformat() == "2026-03-02T10:00:00-06:00"
    bare = ras(orc(), rxa(), f7="20260302100500")
    naive = only(read_visit(bare)[0]).start
    assert naive is not None and naive.tzinfo is None
    assert read_visit(bare, options=ReadOptions(setting="facility", timezone="America/Chicago"))[
        0
    ].timezone


@pytest.mark.parametrize("written", ["20260302", "2026030210"])
def test_a_time_without_minutes_dates_the_visit_and_is_unknown(written: str) -> None:
    encounter, notes = read_visit(ras(orc(), rxa(written, "")))
    assert only(encounter).start is None
    assert encounter.service_date == date(2026, 3, 2)
    assert any("without a time" in note for note in notes)


@pytest.mark.parametrize(
    "written", ["Zebra", "20260230", "202603021061", "2026030210000099", "20260302100000+9900"]
)
def test_a_time_that_is_none_is_refused_without_its_value(written: str) -> None:
    said = refused(ras(orc(), rxa(written, "")))
    assert "RXA-3: is no time" in said and written not in said


def test_an_order_is_no_dose_but_its_times_fill_a_gap_as_ordered() -> None:
    plan = message(
        "RDE^O11",
        orc(),
        seg("TQ1", f7="20260302100000", f8="20260302110000"),
        seg("RXE", f2="J2405^ondansetron^HCPCS"),
    )
    encounter, notes = read_visit(plan, ras(orc(), rxa("", "", f2="")), dft(ft1()))
    drip = only(encounter)
    assert (drip.times_from, drip.ordered) == ("ordered", True)
    assert drip.start is not None and drip.stop is not None and drip.stop.hour == 11
    assert any("nothing in it was given" in note for note in notes)
    charted = only(read_visit(plan, ras(orc(), rxa()))[0])
    assert (charted.times_from, charted.ordered) == (None, True)
    assert read_visit(plan, dft(ft1()))[0].administrations is None


def test_an_order_that_was_cancelled_is_no_order() -> None:
    plan = message("RDE^O11", orc(control="CA"), seg("RXE", f2="^ondansetron"))
    assert only(read_visit(plan, ras(orc(), rxa()))[0]).ordered is None


# Drugs and amounts


def test_a_drug_may_be_named_by_ndc_by_rxnorm_or_by_words() -> None:
    ndc = only(read_visit(ras(orc(), rxa(f5="00409189001^morphine^NDC")))[0])
    assert (ndc.ndc, ndc.drug, ndc.hcpcs) == ("00409189001", "morphine", None)
    alternate = only(read_visit(ras(orc(), rxa(f5="L1^morphine^LOCAL^J2270^x^HCPCS")))[0])
    assert (alternate.drug, alternate.hcpcs) == ("morphine", "J2270")
    assert only(read_visit(ras(orc(), rxa(f5="1594660^^RXNORM")))[0]).drug == "rxnorm 1594660"


def test_an_amount_in_a_time_is_a_rate_and_no_dose() -> None:
    drip = only(read_visit(ras(orc(), rxa(f6="125", f7="mL", f12="H")))[0])
    assert (drip.dose, drip.volume_ml, drip.rate_ml_per_hour) == (None, None, 125)
    bag = only(read_visit(ras(orc(), rxa(f6="1", f7="L")))[0])
    assert (bag.dose, bag.volume_ml, bag.rate_ml_per_hour) == (1, 1000, None)


def test_an_amount_that_is_no_number_is_refused() -> None:
    said = refused(ras(orc(), rxa(f6="Zebra")))
    assert "RXA-6" in said and "Zebra" not in said


# Charges


def test_a_charge_keeps_what_ft1_says() -> None:
    charge = ft1(
        f10="2", f11="100&USD", f26="59~XS", f29="0182-1061-05^x^NDC", f19="R11.2^x^I10~I10^y^I10"
    )
    encounter, _ = read_visit(dft(charge))
    (line,) = encounter.lines or ()
    assert (line.number, line.code, line.units, line.charge) == (1, "96374", 2, 100)
    assert (line.modifiers, line.ndc, line.date) == (("59", "XS"), "0182-1061-05", date(2026, 3, 2))
    assert (encounter.diagnoses, line.diagnosis_pointers) == (("R11.2", "I10"), (1, 2))
    assert encounter.administrations is None


def test_charges_that_were_all_taken_back_bill_nothing() -> None:
    assert read_visit(dft(ft1(), ft1(f6="CD")))[0].lines == ()


def test_a_charge_of_no_units_stays_a_line() -> None:
    assert [x.units for x in read_visit(dft(ft1(f10="0")))[0].lines or ()] == [0]


def test_payments_alone_are_no_claim() -> None:
    assert read_visit(ras(orc(), rxa()), dft(ft1(f6="PY")))[0].lines is None


def test_a_unit_price_is_multiplied() -> None:
    assert (read_visit(dft(ft1(f10="3", f12="50")))[0].lines or ())[0].charge == 150


@pytest.mark.parametrize("credit", [ft1(f6="CD"), ft1(f10="-1")])
def test_a_credit_takes_the_charge_back(credit: str) -> None:
    encounter, notes = read_visit(dft(ft1(), ft1("96375")), dft(credit))
    assert [line.code for line in encounter.lines or ()] == ["96375"]
    assert any("took an earlier charge back" in note for note in notes)


def test_a_credit_of_some_units_leaves_the_rest() -> None:
    (line,) = read_visit(dft(ft1(f10="3", f11="90"), ft1(f6="CD", f10="1")))[0].lines or ()
    assert (line.units, line.charge) == (2, 60)


@pytest.mark.parametrize(
    "credit",
    [
        ft1("96375", f6="CD"),
        ft1(f6="CD", f26="59"),
        ft1(f6="CD", f4="20260303"),
        ft1(f6="CD", f10="2"),
    ],
)
def test_a_credit_beyond_the_charges_is_noted(credit: str) -> None:
    _, notes = read_visit(dft(ft1(), credit))
    assert any("more than the input charges" in note for note in notes)


def test_payments_charge_nothing_and_other_types_are_refused() -> None:
    encounter, notes = read_visit(dft(ft1(), ft1(f6="PY")))
    assert len(encounter.lines or ()) == 1 and len(notes) == 1
    assert "FT1-6" in refused(dft(ft1(f6="Zebra")))


def test_charges_without_a_procedure_code_are_left_out_and_alone_set_aside() -> None:
    encounter, notes = read_visit(dft(ft1(), ft1(f25="", f7="CDM7^x^L")))
    assert len(encounter.lines or ()) == 1 and any("left out" in note for note in notes)
    assert "FT1-25" in refused(dft(ft1(f25="")))
    assert [x.code for x in read_visit(dft(ft1(f25="", f7="96374^x^C4")))[0].lines or ()] == [
        "96374"
    ]


def test_chart_and_charges_of_one_visit_meet() -> None:
    encounter, _ = read_visit(ras(orc(), rxa()), dft(seg("DG1", f3="I10^x^I10"), ft1()))
    assert len(administrations(encounter)) == len(encounter.lines or ()) == 1
    assert encounter.diagnoses == ("I10",)


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
        "2 message(s) of other types hold nothing that is read"
    ]


def test_a_bad_message_does_not_spoil_its_neighbours() -> None:
    for bad in ("MSH|\r", "MSH|^~\\&|a\rthis is no segment\r", "MSH|^^\\&|a\r", "MSH"):
        every = readings(ras(orc(), rxa()), bad, "" if bad.endswith("\r") else "\r", dft(ft1()))
        assert sorted(type(x).__name__ for x in every) == ["Record", "SetAside"], bad
    stray = readings("noise\r", ras(orc(), rxa()))
    assert [type(x) for x in stray] == [SetAside, Record]


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
    assert only(every[0].encounter).drug == "Kör"
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
    every = readings(ras(orc(), rxa(), long), dft(ft1()))
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
