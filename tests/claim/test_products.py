"""A drug line bills the product that was given: by code, by NDC, by brand."""

from __future__ import annotations

import csv
from datetime import date
from typing import Any

import pytest

from ivpush import Encounter, Result
from ivpush.claim.products import Products
from ivpush.pack.folder import rules_folder
from tests.shipped import ENGINE, PACK
from tests.visits import dose, line, visit

BOOK = PACK.book(None)


def check(
    given: list[dict[str, Any]], billed: list[tuple[str, int]], day: str = "2026-05-12"
) -> Result:
    return ENGINE.check(Encounter.model_validate({
        "id": "E", "setting": "facility", "type_of_bill": "131", "date": day,
        "administrations": [{"id": f"a{n}", "route": "IV", "method": "push", "start": f"{day}T09:00", **one}
                            for n, one in enumerate(given, 1)],
        "lines": [{"number": n, "code": code, "units": units} for n, (code, units) in enumerate(billed, 1)],
    }))  # fmt: skip


def wrong(result: Result) -> list[tuple[int | None, str]]:
    return [(v.line, v.fix) for v in result.violations if v.rule == "IVP808"]


def test_a_brand_with_its_own_code_is_billed_by_it_and_the_error_names_it() -> None:
    result = check([{"drug": "Doxil 60 mg"}], [("96409", 1), ("J9000", 6)])
    [(line, fix)] = wrong(result)
    assert line == 2 and "Q2050" in fix
    assert not wrong(check([{"drug": "Doxil 60 mg"}], [("96409", 1), ("Q2050", 6)]))


def test_a_generic_name_is_any_of_its_codes() -> None:
    for code in ("J9033", "J9034", "J9036"):
        assert not wrong(check([{"drug": "bendamustine"}], [("96409", 1), (code, 180)]))


def test_a_drug_that_is_not_read_may_be_the_one_billed() -> None:
    assert wrong(check([{"drug": "ketorolac"}], [("96374", 1), ("J1885", 2), ("J1745", 40)]))
    assert not wrong(check([{"drug": "ketorolac"}, {"drug": "zzyzx"}],
                           [("96374", 1), ("J1885", 2), ("J1745", 40)]))  # fmt: skip


def test_a_successor_is_the_same_product() -> None:
    for charted, billed in (("J2930", "J2919"), ("J2919", "J2930")):
        assert not wrong(check([{"hcpcs": charted}], [("96374", 1), (billed, 1)]))


def test_every_brand_of_the_table_leads_to_a_code_of_its_own_drug() -> None:
    [path] = (rules_folder() / "tables").glob("products-*.csv")
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) > 500
    for row in rows:
        drug = BOOK.names.find(row["name"])
        assert drug is not None and drug.key == BOOK.drugs[row["hcpcs"]].key


def test_a_drug_number_of_the_same_drug_is_no_proof_of_another_product() -> None:
    treanda = {"ndc": "63459-0390-08"}
    assert not wrong(check([treanda], [("96409", 1), ("J9034", 180)]))
    assert wrong(check([treanda], [("96409", 1), ("J1745", 40)]))


FORMS = [
    # charted, by route, billed, and whether the chart may mean it
    ("ustekinumab", "SC", "J3357", True),
    ("Stelara", "SC", "J3357", True),
    ("Stelara", "IV", "J3358", True),
    ("Stelara", "IV", "J3357", False),
    ("Wezlana", "SC", "Q5137", True),
    ("c1 esterase inhibitor", "IV", "J0597", True),
    ("morphine", "IV", "J2274", False),
    ("bevacizumab", "IVT", "C9257", True),
    ("platelets", "IV", "P9035", True),
    ("packed red blood cells", "IV", "P9040", True),
    ("flu shot", "IM", "90662", True),
    ("immune globulin", "SC", "J1559", True),
    ("immune globulin", "IV", "J1559", True),  # some of its products run by vein as well
    ("triptorelin", "IM", "J3316", True),
]


def test_a_generic_name_may_be_any_form_that_goes_by_its_route() -> None:
    for drug, route, code, may_be in FORMS:
        method = "push" if route == "IV" else None
        result = check([{"drug": drug, "route": route, "method": method}], [(code, 1)])
        assert (not wrong(result)) is may_be, (drug, route, code)


def test_contrast_and_blood_are_charted_elsewhere_unless_the_chart_holds_some() -> None:
    for code, other in (("Q9967", "gadobutrol"), ("P9016", "fresh frozen plasma")):
        claim = [("96374", 1), (code, 1)]
        assert not wrong(check([{"drug": "morphine"}], claim))
        assert wrong(check([{"drug": "morphine"}, {"drug": other}], claim))


def products(*given: dict[str, Any], billed: tuple[str, ...] = ()) -> Products:
    """The products of a chart whose doses name their drugs alone, beside billed codes."""
    facts = [{"category": None, "drug": None, **one} for one in given]
    chart = [dose(f"a{n}", None, None, **one) for n, one in enumerate(facts, 1)]
    claim = [line(n, code) for n, code in enumerate(billed, 1)]
    return Products(visit(*chart, lines=claim), PACK.book(date(2026, 5, 12)))


def gives(chart: Products, code: str) -> bool | None:
    return chart.gives(BOOK.drugs[code], chart.doses(code, BOOK.drugs[code]))


def dosed(chart: Products, code: str) -> list[str]:
    return [each.id for each in chart.doses(code, BOOK.drugs[code])]


def instead(*given: dict[str, Any], billed: tuple[str, ...]) -> str | None:
    """What to bill instead of the first code."""
    return products(*given, billed=billed).instead(BOOK.drugs[billed[0]])


KETOROLAC, ONDANSETRON = {"drug": "ketorolac"}, {"drug": "ondansetron"}


@pytest.mark.parametrize(
    ("given", "read"),
    [
        (KETOROLAC, True),
        ({"hcpcs": "J1885"}, True),
        ({"ndc": "63459-0390-08"}, True),
        ({"drug": "zzyzx"}, False),
        ({"hcpcs": "J0000"}, False),
        # The table does not hold that product, whatever it is called.
        ({"hcpcs": "J0000", "drug": "ketorolac"}, False),
        ({}, False),
    ],
)
def test_a_dose_that_does_not_say_its_drug_may_be_any(given: dict[str, Any], read: bool) -> None:
    chart = products(ONDANSETRON, given)
    assert chart.all_read is read
    assert gives(chart, "J1745") is (False if read else None)
    assert gives(chart, "J2405") is True


def test_an_empty_chart_gives_nothing_but_what_is_charted_elsewhere() -> None:
    chart = products()
    assert chart.all_read
    assert (gives(chart, "J1745"), gives(chart, "Q9967")) == (False, None)


def test_without_a_claim_or_a_chart_there_is_nothing_to_compare() -> None:
    row = BOOK.drugs["J1885"]
    given = visit(dose("a", None, None, drug="ketorolac", category=None))
    assert Products(given, BOOK).instead(BOOK.drugs["J1745"]) == "J1885"
    claim = visit(lines=[line(1, "J1885")]).model_copy(update={"administrations": None})
    assert Products(claim, BOOK).doses("J1885", row) == []


def test_a_code_its_successor_and_its_generic_name_have_the_same_doses() -> None:
    old, new = {"hcpcs": "J2930"}, {"hcpcs": "J2919"}
    chart = products(old, new, {"drug": "methylprednisolone"}, KETOROLAC)
    assert sorted(dosed(chart, "J2930")) == sorted(dosed(chart, "J2919")) == ["a1", "a2", "a3"]
    assert dosed(chart, "J1885") == ["a4"]
    # Two old codes of one drug are two products, though one code replaced both.
    assert dosed(products(old), "J2920") == []


def test_a_drug_is_named_where_a_dose_says_its_name_alone() -> None:
    row = BOOK.drugs["J9034"]
    assert products({"drug": "bendamustine"}).named(row)
    assert not products({"drug": "bendamustine", "hcpcs": "J9034"}).named(row)


def test_a_code_beats_the_name_beside_it() -> None:
    chart = products({"drug": "ketorolac", "hcpcs": "J2405"})
    assert (gives(chart, "J2405"), gives(chart, "J1885")) == (True, False)


def test_a_number_known_by_its_crosswalk_alone_may_be_any_code_of_its_drug() -> None:
    number = {"ndc": "63459-0390-08"}
    assert gives(products(number), "J9034") is None
    coded = products({"hcpcs": "J9033"})
    assert (gives(coded, "J9033"), gives(coded, "J9034")) == (True, False)


def test_the_one_product_that_no_line_bills_is_meant() -> None:
    assert instead(KETOROLAC, billed=("J1745",)) == "J1885"
    assert instead(KETOROLAC, ONDANSETRON, billed=("J1745",)) is None
    assert instead(KETOROLAC, ONDANSETRON, billed=("J1745", "J2405")) == "J1885"
    assert instead(KETOROLAC, billed=("J1745", "J1885")) is None


def test_an_unbilled_product_of_the_same_drug_is_meant_before_any_other() -> None:
    treanda = {"hcpcs": "J9034"}
    assert instead(treanda, KETOROLAC, billed=("J9033",)) == "J9034"
    assert instead(treanda, KETOROLAC, billed=("J9033", "J9034")) == "J1885"


def test_a_name_of_several_codes_names_none_of_them() -> None:
    name = {"drug": "bendamustine"}
    assert instead(name, billed=("J1745",)) is None
    # Billed under one of its codes it is no longer what was meant.
    assert instead(name, KETOROLAC, billed=("J1745", "J9034")) == "J1885"
    assert instead(name, KETOROLAC, billed=("J1745",)) is None


def test_a_code_that_ended_is_named_by_its_successor_and_billed_by_either() -> None:
    old = {"hcpcs": "J2930"}
    assert instead(old, billed=("J1745",)) == "J2919"
    assert instead(old, {"drug": "methylprednisolone"}, billed=("J1745",)) == "J2919"
    for code in ("J2930", "J2919"):
        assert instead(old, billed=("J1745", code)) is None


def test_without_a_date_no_code_has_ended() -> None:
    given = dose("a", None, None, drug=None, category=None, hcpcs="J2930")
    undated = Products(visit(given, lines=[line(1, "J1745")]), BOOK)
    assert undated.instead(BOOK.drugs["J1745"]) == "J2930"


def test_a_code_that_ended_without_a_successor_stands_for_itself() -> None:
    assert instead({"hcpcs": "J2780"}, billed=("J1745",)) == "J2780"


def test_until_its_end_a_code_stands_for_itself() -> None:
    given = dose("a", None, None, drug=None, category=None, hcpcs="J2930")
    for billed, meant in (("J2405", "J2930"), ("J2919", None)):
        claim = visit(given, lines=[line(1, "J1745"), line(2, billed)])
        chart = Products(claim, PACK.book(date(2024, 3, 31)))
        assert chart.instead(BOOK.drugs["J1745"]) == meant


@pytest.mark.parametrize(("route", "may_be"), [("SC", None), ("IV", False), (None, None)])
def test_a_name_without_its_form_may_be_a_form_that_goes_by_its_route(
    route: str | None, may_be: bool | None
) -> None:
    """Under the skin goes another form than into a vein; without a route it may be either."""
    assert gives(products({"drug": "ustekinumab", "route": route}), "J3357") is may_be
    assert gives(products({"hcpcs": "J3358", "route": route}), "J3357") is False
    assert gives(products({"drug": "ketorolac", "route": route}), "J3357") is False


@pytest.mark.parametrize(
    ("given", "billed", "may_be"),
    [
        (KETOROLAC, "Q9967", None),
        ({"drug": "gadobutrol"}, "Q9967", False),
        ({"hcpcs": "A9585"}, "Q9967", False),
        ({"drug": "fresh frozen plasma"}, "Q9967", None),
        ({"drug": "gadobutrol"}, "J1745", False),
    ],
)
def test_contrast_of_which_the_chart_holds_none_has_a_record_apart(
    given: dict[str, Any], billed: str, may_be: bool | None
) -> None:
    assert gives(products(given), billed) is may_be
