"""The drug table and its names: whole, as CMS says, unambiguous; charted names found, others not."""

from __future__ import annotations

import csv
import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ivpush import Encounter, Engine, Pack, PackError
from ivpush.__main__ import main
from ivpush.contract.fields import Category
from ivpush.pack.drug_files import WORD_LISTS
from ivpush.pack.drug_text import Words, plain_name
from ivpush.pack.drugs import MOST_LETTERS, DrugNames, DrugRow
from ivpush.pack.folder import rules_folder
from tests.shipped import PACK

DATA = Path(__file__).parents[1] / "data" / "drugs"
RULES = rules_folder()
NAMES = PACK.book(None).names
DAY = "2026-03-02"


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


TABLE = rows_of(RULES / "drugs.csv")
BY_CODE = {row["hcpcs"]: row for row in TABLE if row["hcpcs"]}
OTHER_NAMES = rows_of(RULES / "drug_names.csv")
CMS = {row["hcpcs"]: row for row in rows_of(DATA / "cms.csv")}
BRANDS = rows_of(DATA / "brands.csv")
WORDS: dict[str, list[str]] = yaml.load(
    (RULES / "drug_words.yaml").read_text("utf-8"), Loader=yaml.CBaseLoader
)


# --- the table

CATEGORY = {"chemo": "chemotherapy", "antiemetic": "therapeutic", "blood_product": "blood"}


def test_every_code_of_the_compiled_classes_is_in_the_table_with_its_class() -> None:
    wanted = {
        row["hcpcs"]: CATEGORY.get(row["class"], row["class"])
        for row in rows_of(DATA / "classes.csv")
    }
    assert len(wanted) == 556
    assert {code: BY_CODE[code]["category"] for code in wanted} == wanted


def test_every_row_is_whole() -> None:
    categories = {
        "therapeutic",
        "chemotherapy",
        "complex_biologic",
        "hydration",
        "vaccine",
        "contrast",
        "flush",
        "blood",
    }
    techniques = {one for row in TABLE for one in row["techniques"].split("|")}
    assert techniques <= {
        "push",
        "infusion",
        "im",
        "sc",
        "it",
        "ia",
        "pump",
        "epidural",
        "infiltration",
        "transfusion",
        "intravesical",
        "intravitreal",
        "intraocular",
        "intralesional",
        "intra-articular",
        "renal-pelvis instillation",
        "intrathecal",
    }
    codes = [row["hcpcs"] for row in TABLE if row["hcpcs"]]
    assert len(codes) == len(set(codes)) == len(CMS)
    for row in TABLE:
        assert row["category"] in categories and row["name"] and row["source"], row
        assert row["confidence"] in {"H", "M", "L"}
        assert bool(row["unit_amount"]) == bool(row["unit"]) == bool(row["unit_rule"])


def test_a_drug_never_pushed_by_vein_is_of_low_confidence() -> None:
    for row in TABLE:
        techniques = set(row["techniques"].split("|"))
        if "infusion" in techniques and "push" not in techniques:
            assert row["confidence"] == "L" or row["category"] == "hydration", row["name"]


# --- units: read from the CMS descriptors by other means than the table was made with

TWO_STRENGTHS = {
    "J0138",
    "J0211",
    "J0702",
    "J0911",
    "J0741",
    "J0742",
    "J1454",
    "J2865",
    "J7356",
    "J9153",
    "J9298",
}
NO_AMOUNT = {"J0577", "J0578", "Q9991", "Q9992", "J1560", "J9325", "J2150"}
# The descriptor names the parts of a mixture, or a vial beside the unit.
TOTALS = {
    "J0695": "75 mg",
    "J0714": "0.625 g",
    "J2543": "1.125 g",
    "J3240": "0.9 mg",
    "J3471": "1 units",
    "J2788": "50 mcg",
    "J2790": "300 mcg",
    "J1575": "100 mg",
}
SPELT = {
    "microgram": "mcg",
    "micrograms": "mcg",
    "gm": "g",
    "gram": "g",
    "grams": "g",
    "cc": "ml",
    "unit": "units",
    "usp unit": "units",
    "usp units": "units",
    "i.u.": "iu",
}
CONCENTRATION = re.compile(r"(up to )?[0-9-]+ (or greater )?mg/ml", re.I)
UNIT = r"million units|usp units?|micrograms?|mcg|mg|grams?|gm|ml|cc|units?|i\.u\.|iu|meq|g"


def unit_of(text: str) -> str | None:
    """The last amount of a descriptor, or of ``per unit`` without a number: one of it."""
    text = re.sub(r"\(500 ml = 1 unit\)", "500 ml", text.lower())
    text = CONCENTRATION.sub("", text)
    found = re.findall(rf"(?<![\w.])(\.?[0-9][0-9,]*(?:\.[0-9]+)?) ?({UNIT})(?![a-z/])", text)
    if not found:
        bare = re.search(rf"per (?:factor viii )?({UNIT})(?![a-z])", text)
        found = [("1", bare[1])] if bare else []
    if not found:
        return None
    amount, unit = found[-1]
    number = format(Decimal(amount.replace(",", "")).normalize(), "f")
    return f"{number} {SPELT.get(unit, unit)}"


@pytest.mark.parametrize("code", sorted(CMS))
def test_the_unit_is_that_of_cms(code: str) -> None:
    row, cms = BY_CODE[code], CMS[code]
    said = f"{row['unit_amount']} {row['unit']}" if row["unit"] else None
    if code in TWO_STRENGTHS | NO_AMOUNT:
        assert said is None
    elif code in TOTALS:
        assert said == TOTALS[code]
    elif unit_of(cms["descriptor"]) is not None:
        assert said == unit_of(cms["descriptor"])
    elif cms["descriptor"] == "" and cms["dosage"]:
        assert said == unit_of(cms["dosage"])
    if cms["descriptor"] and said is not None:
        up_to = (
            re.search(r"up to [0-9]", CONCENTRATION.sub("", cms["descriptor"]), re.I)
            and code != "J3471"
        )
        assert row["unit_rule"] == ("up_to" if up_to else "per")


BOTH = sorted(code for code, row in CMS.items() if row["descriptor"] and row["dosage"])


@pytest.mark.parametrize("code", BOTH)
def test_the_unit_is_that_of_the_payment_file_too(code: str) -> None:
    """The payment file writes what two strengths make together, and in brackets what it means."""
    row = BY_CODE[code]
    if code in TWO_STRENGTHS | NO_AMOUNT:
        return
    paid = unit_of(re.sub(r"\(.*?\)", "", CMS[code]["dosage"]))
    # International units are plain units there.
    shown = "units" if row["unit"] == "iu" and str(paid).endswith(" units") else row["unit"]
    assert paid == (f"{row['unit_amount']} {shown}" if row["unit"] else None)


def test_a_brand_that_cms_names_is_the_drug_of_its_code() -> None:
    for row in BRANDS:
        found = NAMES.find(row["brand"])
        assert found is not None and found.name == BY_CODE[row["hcpcs"]]["name"], row
        assert row["brand"] in CMS[row["hcpcs"]]["descriptor"], row


def test_a_brand_that_cms_names_under_one_code_is_billed_by_it() -> None:
    book = PACK.book(date.fromisoformat(DAY))
    codes: dict[str, set[str]] = {}
    for row in BRANDS:
        coded = BY_CODE[row["hcpcs"]]
        codes.setdefault(row["brand"], set()).add(coded["successor"] or row["hcpcs"])
    for brand, listed in codes.items():
        product = book.product(brand)
        # A brand of several codes is told by its strength or route, which its name leaves open.
        assert product in (listed if len(listed) == 1 else {None, *listed}), brand


def test_a_brand_of_one_code_is_a_name_of_that_drug() -> None:
    for row in rows_of(RULES / "tables/products-2026-01-01.csv"):
        found = NAMES.find(row["name"])
        assert found is not None and found.name == BY_CODE[row["hcpcs"]]["name"], row


def test_ended_codes_end_when_cms_says() -> None:
    for code, cms in CMS.items():
        if cms["terminated"]:
            assert BY_CODE[code]["ended"] == cms["terminated"]


def test_an_end_that_no_table_dates_is_one_that_addendum_b_confirms() -> None:
    for code, row in BY_CODE.items():
        if row["ended"] and not CMS[code]["terminated"]:
            assert CMS[code]["addendum_b"] == "false"
            assert date.fromisoformat(row["ended"]) < date(2025, 10, 1)


def test_a_code_of_this_year_is_not_called_ended() -> None:
    for code, row in BY_CODE.items():
        if CMS[code]["dosage"]:
            assert not row["ended"] and not row["successor"], code


def test_successors_are_valid_codes_of_the_table() -> None:
    for code, row in BY_CODE.items():
        if row["successor"]:
            assert code != row["successor"]
            assert not BY_CODE[row["successor"]]["successor"]
            assert not BY_CODE[row["successor"]]["ended"]


@pytest.mark.parametrize(
    ("old", "new", "ended"),
    [
        ("J2920", "J2919", "2024-03-31"),
        ("J2930", "J2919", "2024-03-31"),
        ("C9113", "J2470", "2024-06-30"),
        ("J1300", "J1299", "2025-03-31"),
        ("J1170", "J1171", "2024-09-30"),
        ("J1940", "J1938", "2025-09-30"),
        ("S0028", "J1308", ""),
        ("J3370", "J3373", "2025-09-30"),
    ],
)
def test_replaced_codes_name_their_successor(old: str, new: str, ended: str) -> None:
    assert (BY_CODE[old]["successor"], BY_CODE[old]["ended"]) == (new, ended)


# --- names

UNLIKE_CMS = {"ivpush-names", "cms-hcpcs", "cms-asp"}


def test_a_name_means_one_drug() -> None:
    """The loader refuses a name of two drugs; here the whole table is held against itself."""
    keys = {plain_name(row["name"]) for row in TABLE}
    means: dict[str, set[str]] = {}
    for row in OTHER_NAMES:
        assert row["source"] in PACK.sources and row["source"] in UNLIKE_CMS
        means.setdefault(plain_name(row["name"]), set()).add(row["drug"])
        drugs = {plain_name(drug) for drug in row["drug"].split(";") if drug}
        assert drugs <= keys and (row["kind"] == "ambiguous" or len(drugs) == 1)
    assert [name for name, those in means.items() if len(those) > 1] == []
    assert [name for name in means if name in keys] == []


def test_rows_of_one_name_are_one_drug_of_one_class() -> None:
    """A name leads to one of the rows, so the rows must agree on what decides the family."""
    classes: dict[str, set[tuple[str, str]]] = {}
    for row in TABLE:
        classes.setdefault(row["name"], set()).add((row["category"], row["hormonal"]))
    assert {name for name, those in classes.items() if len(those) > 1} == set()


def test_a_name_leads_to_a_code_that_still_counts() -> None:
    for row in TABLE:
        found = NAMES.find(row["name"])
        assert found is not None and found.name == row["name"]
        fellows = [one for one in TABLE if one["name"] == row["name"]]
        if any(not one["ended"] and not one["successor"] for one in fellows):
            assert found.ended is None and found.successor is None


CHARTED = rows_of(DATA / "chart_names.csv")
SPELT_OTHERWISE = {
    "Zofran": "ondansetron",
    "ZOFRAN ODT": "ondansetron",
    "ondansteron": "ondansetron",
    "ondansetron 4 mg/2 mL inj": "ondansetron",
    "ondansetron HCl (PF) injection": "ondansetron",
    "Ondansetron HCl 4mg/2ml IVP": "ondansetron",
    "Toradol 30mg IV": "ketorolac",
    "ketorolac tromethamine 15 mg/mL": "ketorolac",
    "Benadryl 25 mg IVP": "diphenhydramine",
    "Solu-Medrol 125 mg": "methylprednisolone",
    "solumedrol": "methylprednisolone",
    "Depo-Medrol 80 mg": "methylprednisolone acetate",
    "Rocephin 1 g": "ceftriaxone",
    "cefTRIAXone 1 g in D5W 50 mL IVPB": "ceftriaxone",
    "Zosyn 3.375 g": "piperacillin and tazobactam",
    "Vanc": "vancomycin",
    "vanco 1g ivpb": "vancomycin",
    "vancomycin in 0.9% NaCl 250 mL": "vancomycin",
    "vancomycin 1,250 mg in sodium chloride 0.9% 250 mL": "vancomycin",
    "NS": "normal saline solution",
    "0.9% sodium chloride": "normal saline solution",
    "normal saline 0.9%": "normal saline solution",
    "Sodium Chloride 0.9 % infusion 1,000 mL": "normal saline solution",
    "LR": "lactated ringers",
    "Lactated Ringer\u2019s 1000 mL": "lactated ringers",
    "D5W": "dextrose 5% in water",
    "1/2NS": "half normal saline",
    "1/2 NS 1L": "half normal saline",
    "D5 1/2 NS": "dextrose 5% in half normal saline",
    "D10W": "dextrose 10% in water",
    "NS flush 10 mL": "saline flush",
    "sodium chloride 0.9% flush syringe 10 mL": "saline flush",
    "heparin lock flush 100 unit/mL": "heparin lock flush",
    "heparin 5000 units/mL": "heparin",
    "KCl": "potassium chloride",
    "KCl 10 mEq/100 mL IVPB": "potassium chloride",
    "MgSO4 2 g": "magnesium sulfate",
    "magnesium sulfate 2 g/50 mL SWFI": "magnesium sulfate",
    "Dilaudid 0.5 mg": "hydromorphone",
    "HYDROmorphone": "hydromorphone",
    "morphine sulfate 4 mg": "morphine",
    "Lasix 40mg IVP": "furosemide",
    "Protonix 40 mg IV push": "pantoprazole",
    "Levophed gtt": "norepinephrine",
    "norepinephrine bitartrate 4 mg in D5W 250 mL": "norepinephrine",
    "Cardizem 20 mg": "diltiazem",
    "Lopressor 5 mg": "metoprolol",
    "labetolol": "labetalol",
    "D50W 25 g syringe": "dextrose 50% in water",
    "insulin regular human 100 units/mL": "insulin regular",
    "sodium bicarb 8.4% amp": "sodium bicarbonate",
    "Narcan 0.4 mg": "naloxone",
    "Ketamine 20 mg": "ketamine",
    "calcium gluconate 1 g": "calcium gluconate",
    "Taxol 175 mg": "paclitaxel",
    "5-FU": "fluorouracil",
    "Adriamycin": "doxorubicin",
    "Doxil": "doxorubicin liposome",
    "Rituxan 500 mg": "rituximab",
    "Remicade": "infliximab",
    "Venofer 200 mg": "iron sucrose",
    "Prolia 60 mg/mL": "denosumab",
    "B12": "cyanocobalamin",
    "TXA 1 g": "tranexamic acid",
    "tPA": "alteplase",
    "Ativan 1 mg": "lorazepam",
    "SODIUM CHLORIDE 0.9% (BOLUS) 1,000 ML": "normal saline solution",
    "Reglan": "metoclopramide",
    "acetaminophen (OFIRMEV) 1,000 mg": "acetaminophen",
    "IVIG 30 g": "immune globulin",
    "Tdap": "tdap vaccine",
    "Omnipaque 350": "low osmolar contrast material",
}


def test_there_are_enough_spellings() -> None:
    assert len({row["name"] for row in CHARTED}) + len(SPELT_OTHERWISE) >= 230


@pytest.mark.parametrize(
    ("name", "drug"),
    [*((row["name"], row["drug"]) for row in CHARTED), *SPELT_OTHERWISE.items()],
)
def test_a_charted_name_is_found(name: str, drug: str | None) -> None:
    found = NAMES.find(name)
    assert (found.name if found is not None else None) == drug


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("unheardofin", "unknown_word"),
        ("ondansetronx", "unknown_word"),
        ("", "empty"),
        ("Solution", "empty"),
        ("Piggyback", "empty"),
        ("1000 mL", "empty"),
        ("4 mg IV push", "empty"),
        ("sodium chloride", "ambiguous"),
        ("dextrose", "ambiguous"),
        ("dextrose 17.5%", "ambiguous"),
        ("MS 4 mg", "ambiguous"),
        ("free water", "ambiguous"),
        ("nitro", "ambiguous"),
        ("lidocaine 1%/epinephrine 1:100000", "two_drugs"),
        ("fentanyl/bupivacaine", "two_drugs"),
        ("ondansetron (dexamethasone)", "two_drugs"),
        ("NS + LR", "two_drugs"),
        ("potassium chloride 60 mEq in NS 1000 mL", "premixed"),
        ("KCl 20 mEq/D5W", "premixed"),
        ("POTASSIUM CHLORIDE 20 MEQ IN NACL", "premixed"),
        ("drug A", "unknown_word"),
        ("x" * (MOST_LETTERS + 1), "too_long"),
        ("heparin for mr smith", "unknown_word"),
        ("not ondansetron", "unknown_word"),
    ],
)
def test_what_is_not_certain_is_not_found(name: str, how: str) -> None:
    found = NAMES.look_up(name)
    assert found.row is None and found.how == how


@pytest.mark.parametrize(
    ("name", "drug", "says"),
    [
        ("LR 1L wide open", "lactated ringers", {}),
        ("NS @ 150/hr", "normal saline solution", {"rate": 150}),
        ("NS 125/h", "normal saline solution", {"rate": 125}),
        (
            "NS at 20 ml/hr to keep vein open",
            "normal saline solution",
            {"rate": 20, "keep_open": True},
        ),
        ("NS @ KVO", "normal saline solution", {"keep_open": True}),
        ("NS bolus 30 ml/kg", "normal saline solution", {}),
        ("carbo AUC 5", "carboplatin", {}),
        ("cisplat 75 mg/m2", "cisplatin", {}),
        ("taxol 80 mg/m2 C1D8", "paclitaxel", {}),
        ("Keytruda 200mg q3w", "pembrolizumab", {}),
        ("Zofran ODT 4mg", "ondansetron", {"oral": True}),
        ("Tylenol PO", "acetaminophen", {"oral": True}),
        ("ceftriaxone 1 g IM w/ lido", "ceftriaxone", {}),
    ],
)
def test_what_a_name_says_beside_the_drug_is_read(
    name: str, drug: str, says: dict[str, Any]
) -> None:
    found = NAMES.look_up(name)
    assert found.row is not None and found.row.name == drug
    read = {"rate": found.rate, "keep_open": found.keep_open, "oral": found.oral}
    assert {key: value for key, value in read.items() if value} == says


@pytest.mark.parametrize(
    ("name", "drug"),
    [
        ("D5 1/2NS + 20 KCl @ 100", "fluid with potassium chloride"),
        ("NS 1L + KCl 40", "fluid with potassium chloride"),
        ("20 KCl in 1L NS", "fluid with potassium chloride"),
        ("D5NS w/ 20 meq KCl/L @ 125 ml/hr", "fluid with potassium chloride"),
        ("KCl 10 mEq IVPB in NS 100 ml", "potassium chloride"),
        ("NS 1L + KCl 80 meq", None),
        ("NaHCO3 150 meq in D5W 1 L", None),
    ],
)
def test_a_bag_with_potassium_is_a_fluid_and_a_piggyback_a_drug(
    name: str, drug: str | None
) -> None:
    found = NAMES.find(name)
    assert (found.name if found is not None else None) == drug


@given(st.text(max_size=220))
def test_any_text_is_looked_up_without_harm_and_always_alike(text: str) -> None:
    fresh = DrugNames(
        {row.key: row for row in (_row("ondansetron"),)}, Words(units=frozenset({"mg"}))
    )
    assert fresh.look_up(text) == fresh.look_up(text)
    first = NAMES.look_up(text)
    assert NAMES.look_up(text) == first
    assert first.row is None or first.names


@given(st.sampled_from([row["name"] for row in CHARTED]), st.sampled_from(["unheardofin", "zyxw"]))
def test_a_word_that_no_list_holds_is_never_passed_over(name: str, word: str) -> None:
    for text in (f"{name} {word}", f"{word} {name}"):
        assert NAMES.find(text) is None


@given(st.sampled_from(sorted({row["name"] for row in CHARTED} | set(SPELT_OTHERWISE))))
def test_case_spaces_and_a_further_form_change_nothing(name: str) -> None:
    row = NAMES.find(name)
    for text in (name.upper(), name.lower(), f"  {name}  ", name.replace(" ", "   ")):
        assert NAMES.find(text) == row
    # A premixed fluid is known by its whole name alone.
    if row is None or row.name != "fluid with potassium chloride":
        assert NAMES.find(f"{name} inj") == row


def test_kept_names_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ivpush.pack.drugs.MOST_KEPT", 3)
    names = DrugNames({"a": _row("a")}, Words(units=frozenset({"mg"})))
    for text in ("a", "A", "b", "a 1 mg", "a 2 mg", "x" * (MOST_LETTERS + 1)):
        names.find(text)
        assert len(names._kept) <= 3


def _row(name: str, code: str = "", category: Category = "therapeutic") -> DrugRow:
    return DrugRow(
        code,
        name,
        category,
        None,
        False,
        frozenset({"push"}),
        None,
        None,
        None,
        None,
        None,
        plain_name(name),
    )


def test_no_word_stands_in_two_lists() -> None:
    """A word passed over as a salt and dropped as a form would hide which of the two it was."""
    assert set(WORDS) == set(WORD_LISTS)
    seen: dict[str, str] = {}
    for key in ("dropped", "containers", "salts", "notes"):
        for word in WORDS[key]:
            assert word not in seen, (word, key, seen.get(word))
            seen[word] = key
    drugs = {plain_name(row["name"]) for row in TABLE}
    # The one drug that is also a salt: a drug alone, a salt beside another name.
    assert drugs & set(seen) == {"tromethamine"}


def test_a_salt_is_a_name_alone_and_no_name_beside_one() -> None:
    citrate, fentanyl = _row("citrate dextrose"), _row("fentanyl")
    names = DrugNames(
        {"citrate": citrate, "fentanyl": fentanyl}, Words(salts=frozenset({"citrate"}))
    )
    assert names.find("Citrate") is citrate
    assert names.find("fentanyl citrate") is fentanyl


def test_a_strength_of_its_own_name_beats_the_bare_name() -> None:
    drip, flush = _row("heparin"), _row("heparin flush", category="flush")
    words = Words(units=frozenset({"unit", "units", "ml"}))
    names = DrugNames({"heparin": drip, "heparin 10 unit ml": flush}, words)
    assert names.find("Heparin 5,000 units/mL") is drip
    assert names.find("Heparin 10 units/mL") is flush


# --- in an encounter


def check(*given: dict[str, Any], **more: Any) -> Any:
    record = {
        "id": "E",
        "setting": "facility",
        "date": DAY,
        "payer": None,
        **more,
        "administrations": [
            {"id": f"a{n}", "route": "IV", "method": "push", "start": f"{DAY}T10:0{n}", **one}
            for n, one in enumerate(given)
        ],
    }
    return Engine(pack=PACK).check(Encounter.model_validate(record))


def test_an_unknown_drug_stays_a_finding() -> None:
    broken = [one.rule for one in check({"drug": "unheardofin 4 mg inj"}).violations]
    assert "IVP304" in broken
    assert "IVP304" not in [one.rule for one in check({"drug": "Zofran 4 mg inj"}).violations]


def test_brand_salt_and_strength_are_one_drug() -> None:
    result = check(
        {"drug": "Zofran 4 mg"}, {"drug": "ondansetron HCl 4 mg/2 mL", "start": f"{DAY}T11:00"}
    )
    assert [(one.code, one.units) for one in result.suggested] == [("96374", 1), ("96376", 1)]


def test_a_name_supports_any_code_of_its_drug() -> None:
    """Makers have codes of their own: a line of one is given where the chart only names the drug."""
    drug = {
        "drug": "vancomycin in 0.9% NaCl 250 mL",
        "dose": 1000,
        "dose_unit": "mg",
        "method": "infusion",
        "stop": f"{DAY}T11:30",
    }
    lines = [
        {"number": 1, "code": "96365", "units": 1},
        {"number": 2, "code": "J3374", "units": 100},
    ]
    broken = {one.rule for one in check(drug, lines=lines).violations if one.line == 2}
    assert not broken & {"IVP806", "IVP807", "IVP808"}
    lines[1]["units"] = 101
    assert "IVP806" in {one.rule for one in check(drug, lines=lines).violations if one.line == 2}
    coded = {**drug, "hcpcs": "J3373"}
    assert "IVP808" in {one.rule for one in check(coded, lines=lines).violations if one.line == 2}


def test_doses_of_a_name_that_two_billed_codes_share_belong_to_neither() -> None:
    drug = {
        "drug": "vancomycin",
        "dose": 1000,
        "dose_unit": "mg",
        "method": "infusion",
        "stop": f"{DAY}T11:30",
    }
    lines = [
        {"number": 1, "code": "J3373", "units": 50},
        {"number": 2, "code": "J3374", "units": 50},
    ]
    broken = {one.rule for one in check(drug, lines=lines).violations}
    assert not broken & {"IVP806", "IVP807", "IVP808"}


@pytest.mark.parametrize(
    ("drug", "route", "rule"),
    [
        ("vancomycin", "IV", "IVP812"),
        ("potassium chloride", "IV", "IVP812"),
        ("infliximab", "IV", "IVP812"),
        ("penicillin G benzathine", "IV", "IVP812"),
        ("adenosine", "IM", "IVP813"),
        ("vancomycin", "IM", "IVP813"),
    ],
)
def test_an_unusual_technique_is_noticed(drug: str, route: str, rule: str) -> None:
    method = "push" if route == "IV" else "injection"
    found = check({"drug": drug, "route": route, "method": method})
    assert rule in {one.rule for one in found.violations}


@pytest.mark.parametrize(
    ("drug", "route"),
    [
        ("epinephrine", "IM"),
        ("iron dextran", "IV"),
        ("ketorolac", "IM"),
        ("heparin", "SC"),
        ("daptomycin", "IV"),
        ("octreotide", "IV"),
        ("fentanyl", "IM"),
    ],
)
def test_a_usual_technique_is_not(drug: str, route: str) -> None:
    method = "push" if route == "IV" else "injection"
    found = check({"drug": drug, "route": route, "method": method})
    assert not {"IVP812", "IVP813"} & {one.rule for one in found.violations}


def test_a_fluid_named_with_a_keep_open_word_earns_nothing() -> None:
    given = {"method": "infusion", "stop": f"{DAY}T12:00"}
    assert check({"drug": "NS @ KVO", **given}).suggested == ()
    stated = check({"drug": "NS @ KVO", "purpose": "hydration", **given})
    assert [line.code for line in stated.suggested] == ["96360", "96361"]


@pytest.mark.parametrize(
    "slow",
    [{"drug": "NS @ 20"}, {"drug": "NS", "rate_ml_per_hour": 30}, {"drug": "NS", "volume_ml": 60}],
)
def test_a_fluid_at_a_keep_open_rate_is_asked_about(slow: dict[str, Any]) -> None:
    result = check({**slow, "method": "infusion", "stop": f"{DAY}T12:00"})
    assert [each.missing for each in result.questions] == ["administrations[0].purpose"]
    billed = [[line.code for line in each.suggested] for each in result.questions[0].answers]
    assert billed == [["96360", "96361"], []]


def test_a_fluid_that_runs_faster_is_not_asked_about() -> None:
    result = check({"drug": "NS @ 31", "method": "infusion", "stop": f"{DAY}T12:00"})
    assert result.questions == ()


def test_a_name_not_understood_offers_the_known_name_inside_it_first() -> None:
    question = check({"drug": "NS zyxw", "method": "infusion", "stop": f"{DAY}T12:00"}).questions[0]
    assert "normal saline solution" in question.ask
    values = [each.when.value for each in question.answers]
    assert values[0] == "hydration" and "blood" in values


def test_a_name_by_mouth_beside_a_vein_is_asked_about() -> None:
    asked = {each.missing for each in check({"drug": "Zofran ODT"}).questions}
    assert asked == {"administrations[0].category"}
    assert check({"drug": "Zofran ODT", "route": None}).suggested == ()


# --- stacked packs

HEADER = ",".join(TABLE[0])


def stacked(folder: Path, drugs: str = "", names: str = "") -> Path:
    if drugs:
        (folder / "drugs.csv").write_text(f"{HEADER}\n{drugs}", "utf-8")
    if names:
        (folder / "drug_names.csv").write_text(f"name,drug,kind,source\n{names}", "utf-8")
    return folder


def test_a_stacked_pack_brings_names_and_rows_and_the_later_one_wins(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    stacked(
        one,
        "X0001,housedrug,therapeutic,,,push,1,mg,per,,,ours,L\n",
        "Hausmittel,housedrug,brand,ours\nblue juice,ondansetron,abbreviation,ours\n",
    )
    stacked(two, names="blue juice,J1885,abbreviation,theirs\nZofran,,ambiguous,theirs\n")
    names = Pack.load(extra=[one]).book(None).names
    found = [names.find(text) for text in ("Hausmittel 5 mg inj", "blue juice", "Zofran")]
    assert [row.name if row else None for row in found] == [
        "housedrug",
        "ondansetron",
        "ondansetron",
    ]
    both = Pack.load(extra=[one, two]).book(None)
    found = [both.names.find("blue juice")]
    assert [row.name if row else None for row in found] == ["ketorolac"]
    assert both.names.find("Zofran") is None and both.names.look_up("Zofran").how == "ambiguous"
    assert both.drugs["X0001"].name == "housedrug"
    other = Pack.load(extra=[two, one]).book(None).names
    found = [other.find("blue juice")]
    assert [row.name if row else None for row in found] == ["ondansetron"]


def test_a_stacked_row_stands_for_the_shipped_one_of_its_code(tmp_path: Path) -> None:
    stacked(tmp_path, "J2405,ondansetron,complex_biologic,,,push,2,mg,up_to,,,ours,L\n")
    book = Pack.load(extra=[tmp_path]).book(None)
    assert book.drugs["J2405"].unit_rule == "up_to"
    row = book.drug(None, None, "Zofran 4 mg")
    assert row is not None and row.category == "complex_biologic"


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ("Zofran,ondansetronn,brand,x\n", "did you mean 'ondansetron'"),
        ("Zofran,ondansetron,brandd,x\n", "did you mean 'brand'"),
        ("morphine,ondansetron,brand,x\n", "is another drug"),
        ("blue,ondansetron,brand,x\nBLUE,morphine,brand,x\n", "names two drugs"),
        ("blue,ondansetronn; morphine,ambiguous,x\n", "did you mean 'ondansetron'"),
        ("blue,ondansetron; morphine,brand,x\n", "call it ambiguous"),
        ("blue,,brand,x\n", "names no drug"),
        ("...,ondansetron,brand\n", "cells"),
        ("%,ondansetron,brand,x\n", "has no name"),
    ],
)
def test_a_faulty_name_is_explained(tmp_path: Path, names: str, said: str) -> None:
    with pytest.raises(PackError) as caught:
        Pack.load(extra=[stacked(tmp_path, names=names)])
    assert said in str(caught.value) and "drug_names.csv:" in str(caught.value)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("therapeutic,,,push,one,mg,per,,,ours,L", "bad number or date; write it plainly"),
        ("theraputic,,,push,1,mg,per,,,ours,L", "bad date or class of drug; write a day"),
        ("blood,theraputic,,push,1,mg,per,,,ours,L", "bad date or class of drug; write a day"),
    ],
)
def test_a_faulty_row_is_explained(tmp_path: Path, row: str, said: str) -> None:
    folder = stacked(tmp_path, f"X0001,housedrug,{row}\n")
    with pytest.raises(PackError) as caught:
        Pack.load(extra=[folder])
    assert str(caught.value).startswith(f"drugs.csv:2: holds a {said}")


# --- the commands


def run(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    status = main([*argv, "--no-cache"])
    out, err = capsys.readouterr()
    return status, out, err


def test_find_tells_the_drug_and_the_way(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "drugs", "find", "vancomycin in 0.9% NaCl", "250 mL")
    assert status == 0
    assert "vancomycin (J3373): therapeutic" in out and "the fluid that carries it" in out
    assert "billing unit: per 10 mg" in out
    _, out, _ = run(capsys, "drugs", "find", "Zofran")
    assert "found as it is written: zofran" in out


def test_find_shows_near_names_and_decides_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "drugs", "find", "ondansterom 4 mg")
    assert status == 1
    assert "not found: a word that no list of the pack holds ('ondansterom')" in out
    assert "for a person to judge:\n    ondansetron\n" in out
    assert NAMES.find("ondansterom 4 mg") is None
    status, out, _ = run(capsys, "drugs", "find", "sodium chloride")
    assert status == 1 and "more than one drug" in out and "    normal saline solution\n" in out


def test_lint_counts_every_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mar.csv"
    file.write_text("when,drug\n1,Zofran\n2,ondansterom\n3,ondansterom\n4,\n5,NS\n", "utf-8")
    status, out, err = run(capsys, "drugs", "lint", str(file))
    assert status == 1
    assert out == (
        "     2 ondansterom: a word that no list of the pack holds ('ondansterom'); "
        "may be ondansetron\n"
    )
    assert "4 named rows = 2 found + 2 not found (50.0 % found)" in err
    assert "1 row without a name" in err


def test_lint_of_known_names_is_clean_and_rows_for_a_pack_need_a_person(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "names.txt"
    file.write_text("Zofran\nNS\n\n", "utf-8")
    assert run(capsys, "drugs", "lint", str(file))[0] == 0
    file.write_text("ondansterom\n", "utf-8")
    _, out, _ = run(capsys, "drugs", "lint", str(file), "--format", "csv")
    assert out.splitlines() == ["name,drug,kind,source", "ondansterom,? ondansetron,?,?"]
    pack = tmp_path / "pack"
    pack.mkdir()
    (pack / "drug_names.csv").write_text(out, "utf-8")
    with pytest.raises(PackError):
        Pack.load(extra=[pack])


@pytest.mark.parametrize(
    ("text", "argv", "said"),
    [
        (b"name,when\nx,1\n", (), "no such column"),
        (b"name,when\nx,1\n", ("--column", "nam"), "did you mean 'name'"),
        (b"drug\n\xff\xfe\n", (), "not UTF-8"),
        (None, (), "No such file"),
    ],
)
def test_lint_explains_what_it_cannot_read(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    text: bytes | None,
    argv: tuple[str, ...],
    said: str,
) -> None:
    file = tmp_path / "mar.csv"
    if text is not None:
        file.write_bytes(text)
    status, _, err = run(capsys, "drugs", "lint", str(file), *argv)
    assert status == 2 and said in err
