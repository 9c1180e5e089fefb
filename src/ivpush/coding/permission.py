"""Who may bill at all: place of service, type of bill and supervision of one encounter.

Step 0 of DESIGN section 3. Sources of the rules stand in the rows of ``rules/supervision.yaml``,
``rules/places.yaml`` and the type-of-bill table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ivpush.contract.encounter import Supervision
from ivpush.contract.facts import SupervisionFacts

if TYPE_CHECKING:
    from ivpush.contract.encounter import Encounter
    from ivpush.pack.book import Book

__all__ = [
    "Standing",
    "standing_of",
]

_LEVELS = {"none": 0, "general": 1, "direct": 2, "personal": 3}
_NOBODY = Supervision()


@dataclass(slots=True)
class Standing:
    """Whether services of this encounter may be billed, and on what that rests."""

    facility_place: bool | None
    bill_use: str | None
    supervision: SupervisionFacts
    denied: str | None


def standing_of(encounter: Encounter, book: Book) -> Standing:
    """The standing of one encounter; ``denied`` names the reason where nothing is billable."""
    place = encounter.place_of_service
    facility_place = book.facility_place(place) if place is not None else None
    bill = encounter.type_of_bill
    use = book.bill_use(bill) if bill is not None else None
    supervision = supervision_of(encounter, book)
    denied = None
    if encounter.setting == "professional":
        if facility_place:
            denied = "professional_in_facility"
        elif supervision.met is False:
            denied = "no_supervision"
    elif use is not None and use != "billable":
        denied = "packaged"
    return Standing(facility_place, use, supervision, denied)


def supervision_of(encounter: Encounter, book: Book) -> SupervisionFacts:
    """Documented supervision beside what the setting and the date require (Kleene)."""
    facts = SupervisionFacts()
    given = facts.given = encounter.supervision or _NOBODY
    setting, bill = encounter.setting, encounter.type_of_bill
    row = book.supervision(setting, "therapeutic", bill)
    stricter = book.supervision(setting, "chemotherapy", bill)
    if stricter is not row and _has_chemotherapy(encounter, book):
        row = stricter
    if row is None:
        facts.required_level = facts.allowed_modes = None
        facts.level_met = facts.mode_met = facts.met = None
        return facts
    facts.required_level, facts.allowed_modes = row.level, row.modes
    facts.level_met = None if given.level is None else _LEVELS[given.level] >= _LEVELS[row.level]
    remote = _LEVELS[row.level] < _LEVELS["direct"]
    facts.mode_met = None if given.mode is None else remote or given.mode in row.modes
    facts.met = _met(facts, remote=remote)
    return facts


def _has_chemotherapy(encounter: Encounter, book: Book) -> bool:
    """Whether an antineoplastic drug was given, by its stated class or the drug table."""
    for one in encounter.administrations or ():
        row = book.drug(one.hcpcs, one.ndc, one.drug) if one.category is None else None
        if one.category == "chemotherapy" or (row is not None and row.category == "chemotherapy"):
            return True
    return False


def _met(facts: SupervisionFacts, *, remote: bool) -> bool | None:
    present = facts.given.provider_present
    if facts.level_met is False or facts.mode_met is False:
        return False
    if remote:
        return True if facts.level_met or present else None
    if present is False:
        return False
    if facts.mode_met and (present or facts.level_met):
        return True
    return None
