"""What makes a claim right, written by hand from the sources: codes by role, primaries, units, drugs.

``right_claims`` draws from it. Nothing is taken from ivpush: codes and minutes are CPT's, primaries
are those of the CMS add-on edits, pairs are read from the CMS table as published, billing units are
the CMS dosages (a test compares them with CMS's file).
"""

from __future__ import annotations

import csv
from collections.abc import Collection
from decimal import ROUND_CEILING, Decimal
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
SPLIT = "59"


class Kind(NamedTuple):
    """What is given by vein: its family and how."""

    family: str
    technique: str


CHEMO_DRIP = Kind("chemotherapy", "infusion")
CHEMO_PUSH = Kind("chemotherapy", "push")
DRIP = Kind("therapeutic", "infusion")
PUSH = Kind("therapeutic", "push")
FLUID = Kind("hydration", "infusion")

BY_RANK = (CHEMO_DRIP, CHEMO_PUSH, DRIP, PUSH, FLUID)
"""The hospital's order, the highest first (CPT; domain of the initial service)."""

INITIAL = {
    CHEMO_DRIP: "96413",
    CHEMO_PUSH: "96409",
    DRIP: "96365",
    PUSH: "96374",
    FLUID: "96360",
}
LATER = {
    CHEMO_DRIP: "96417",
    CHEMO_PUSH: "96411",
    DRIP: "96367",
    PUSH: "96375",
    FLUID: "96361",
}
FURTHER = {CHEMO_DRIP: "96415", DRIP: "96366", FLUID: "96361"}
CONCURRENT, REPEAT, PUMP_START = "96368", "96376", "96416"
SHOT, CHEMO_SHOT, HORMONE_SHOT = "96372", "96401", "96402"
PORT_FLUSH, OBSERVATION = "96523", "G0378"

PRIMARIES = {
    "96361": {"96360", "96365", "96374", "96409", "96413"},
    "96366": {"96360", "96365", "96367", "96413"},
    "96367": {"96360", "96365", "96374", "96409", "96413"},
    "96375": {"96360", "96365", "96374", "96409", "96413"},
    "96376": {"96365", "96374", "96409", "96413"},
    "96411": {"96409", "96413"},
    "96415": {"96413"},
    "96417": {"96413"},
}
"""CMS add-on edits of June 2024, type 1: each add-on with the codes that it may hang on."""

MOST_PUSH_MINUTES = 15
FLUID_FLOOR = 31
REPEAT_GAP = 31


def further_hours(minutes: int) -> int:
    """Hours past the first: each from its 31st minute."""
    return max(0, (minutes - 31) // 60)


class Drug(NamedTuple):
    """A drug with its HCPCS code, what one billing unit holds, and usual doses."""

    name: str
    code: str
    unit: str
    measure: str
    doses: tuple[str, ...]
    vial: str = ""
    """What one single-dose vial holds, where the drug is paid apart and comes in nothing else."""

    def units_of(self, amount: Decimal) -> int:
        """Billing units of a day's amount, begun ones counted."""
        return int((amount / Decimal(self.unit)).to_integral_value(ROUND_CEILING))

    def opened(self, amount: Decimal) -> Decimal:
        """What the vials held that an amount took."""
        vials = (amount / Decimal(self.vial)).to_integral_value(ROUND_CEILING)
        return vials * Decimal(self.vial)


def _mg(name: str, code: str, unit: str, *doses: str, vial: str = "") -> Drug:
    return Drug(name, code, unit, "mg", doses, vial)


PUSHED = (
    _mg("ondansetron", "J2405", "1", "4", "8"),
    _mg("ketorolac", "J1885", "15", "15", "30"),
    _mg("dexamethasone", "J1100", "1", "4", "10"),
    _mg("methylprednisolone", "J2919", "5", "40", "125"),
    _mg("hydromorphone", "J1171", "0.1", "0.5", "1"),
    _mg("furosemide", "J1938", "1", "20", "40"),
    _mg("lorazepam", "J2060", "2", "1", "2"),
    _mg("pantoprazole", "J2470", "40", "40", "80"),
)
DRIPPED = (
    _mg("ceftriaxone", "J0696", "250", "1000", "2000"),
    _mg("levofloxacin", "J1956", "250", "500", "750"),
    _mg("azithromycin", "J0456", "500", "500"),
    _mg("magnesium sulfate", "J3475", "500", "1000", "2000"),
    _mg("iron sucrose", "J1756", "1", "100", "200"),
    _mg("zoledronic acid", "J3489", "1", "4", "5"),
    _mg("fosaprepitant", "J1453", "1", "150"),
)
CHEMO_DRIPPED = (
    _mg("oxaliplatin", "J9263", "0.5", "85", "150"),
    _mg("irinotecan", "J9206", "20", "180", "300"),
    _mg("paclitaxel", "J9267", "1", "150", "300"),
    _mg("carboplatin", "J9045", "50", "450", "610"),
    _mg("cisplatin", "J9060", "10", "50", "130"),
    _mg("pembrolizumab", "J9271", "1", "150", "200", vial="100"),
    _mg("bevacizumab", "J9035", "10", "350", "400", vial="100"),
)
CHEMO_PUSHED = (
    _mg("doxorubicin", "J9000", "10", "90", "105"),
    _mg("vincristine", "J9370", "1", "2"),
)
BIOLOGIC = _mg("infliximab", "J1745", "10", "300", "400", vial="100")
PUMPED = _mg("fluorouracil", "J9190", "500", "2000", "4100")
FLUIDS = (
    Drug("normal saline", "J7030", "1000", "ml", ("1000", "2000")),
    Drug("lactated ringers", "J7120", "1000", "ml", ("1000",)),
)
INJECTED = (
    Drug("cyanocobalamin", "J3420", "1000", "mcg", ("1000",)),
    _mg("medroxyprogesterone", "J1050", "1", "150"),
    _mg("enoxaparin", "J1650", "10", "40", "80"),
)
HORMONES = (
    _mg("leuprolide", "J9217", "7.5", "22.5"),
    _mg("fulvestrant", "J9395", "25", "500"),
)
OF_PROCEDURES = (_mg("midazolam", "J2250", "1", "2"), _mg("propofol", "J2704", "10", "100"))
DRUGS = (
    *PUSHED,
    *DRIPPED,
    *CHEMO_DRIPPED,
    *CHEMO_PUSHED,
    BIOLOGIC,
    PUMPED,
    *FLUIDS,
    *INJECTED,
    *HORMONES,
)

PROCEDURES = ("74177", "71260", "70450", "71046", "93005", "12001", "43235", "45378", "92960")
"""Scans with and without contrast, a film, a tracing, a repair, two scopes, a cardioversion."""

LABORATORY = ("80053", "85025", "36415")
VISITS = {"facility": ("99283", "99284", "99285", "G0463"), "professional": ("99213", "99214")}


@cache
def pairs(setting: str) -> dict[str, dict[str, str]]:
    """Column-2 code -> column-1 codes with their indicators, as CMS publishes them (NCCI)."""
    table: dict[str, dict[str, str]] = {}
    file = ROOT / "rules/tables/ptp-2024-07-01.csv"
    with file.open(encoding="utf-8", newline="") as rows:
        for row in csv.DictReader(rows):
            if row["setting"] == setting:
                above = table.setdefault(row["column2"], {})
                above.update(dict.fromkeys(row["column1"].split(), row["indicator"]))
    return table


def indicators(setting: str, code: str, beside: Collection[str]) -> set[str]:
    """Indicators of the pairs of which a code is column 2, with other codes of its day."""
    above = pairs(setting).get(code, {})
    return {above[other] for other in beside if other in above and other != code}
