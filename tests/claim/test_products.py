"""A drug line bills the product that was given: by code, by NDC, by brand."""

from __future__ import annotations

import csv
from typing import Any

from ivpush import Encounter, Result
from ivpush.pack.folder import rules_folder
from tests.shipped import ENGINE, PACK

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
