"""RXA, RXR and RXC as administrations; orders and dispenses that are never doses."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from ivpush.readers import ReadOptions
from tests.readers.hl7.samples import (
    administrations,
    dft,
    ft1,
    message,
    only,
    orc,
    ras,
    read_visit,
    refused,
    rxa,
    seg,
)

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
        Decimal(4),
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


def test_sites_that_differ_leave_it_unknown() -> None:
    routes = [seg("RXR", f1="IV", f2=f"{site}^{site} arm") for site in ("left", "right")]
    encounter, notes = read_visit(ras(orc(), rxa(), *routes))
    assert (only(encounter).route, only(encounter).site) == ("IV", None)
    assert "RXR says two things about the site, which is left unknown" in notes


def test_an_order_without_its_administration_sets_the_visit_aside() -> None:
    said = refused(ras(orc(), seg("RXR", f1="IV"), orc("F2"), rxa()))
    assert said.startswith("RXA: is missing from an order of a RAS")
    called_off = ras(orc(control="CA"), orc("F2"), rxa())
    assert only(read_visit(called_off)[0]).drug == "ondansetron"


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
            Decimal(20),
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
    assert (drip.dose, drip.volume_ml, drip.rate_ml_per_hour) == (None, None, Decimal(125))
    bag = only(read_visit(ras(orc(), rxa(f6="1", f7="L")))[0])
    assert (bag.dose, bag.volume_ml, bag.rate_ml_per_hour) == (Decimal(1), Decimal(1000), None)


def test_an_amount_that_is_no_number_is_refused() -> None:
    said = refused(ras(orc(), rxa(f6="Zebra")))
    assert "RXA-6" in said and "Zebra" not in said
