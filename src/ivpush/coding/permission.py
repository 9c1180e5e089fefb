"""Who may bill at all: place of service, type of bill and supervision of one encounter.

Step 0 of DESIGN section 3; ``chart`` asks first of all. Sources of the rules stand in the rows of
``rules/supervision.yaml``, ``rules/places.yaml`` and the type-of-bill table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from ivpush.contract.chart_facts import Family
from ivpush.contract.encounter import Supervision
from ivpush.contract.facts import BillUse, SupervisionFacts

if TYPE_CHECKING:
    from ivpush.contract.chart_facts import AdministrationFacts, Reason
    from ivpush.contract.encounter import Encounter
    from ivpush.pack.book import Book
    from ivpush.pack.data import SupervisionRow

__all__ = ["Standing", "standing_of", "supervision_of"]

_LEVELS = {"none": 0, "general": 1, "direct": 2, "personal": 3}
_NOBODY = Supervision()
_NO_FAMILIES: frozenset[str] = frozenset()
_UNWATCHED = frozenset({"practitioner"})
"""Who needs no supervisor: the service is their own, and not incident to anyone's."""


@dataclass(slots=True, eq=False, repr=False)
class Standing:
    """Whether services of this encounter may be billed, and on what that rests."""

    facility_place: bool | None
    bill_use: BillUse | None
    supervision: SupervisionFacts
    denied: Reason | None
    """The reason for which nothing at all is billable."""
    in_facility: bool
    """A practitioner's claim from a place where the facility is paid for what its staff do."""
    unsupervised: frozenset[str]
    """Families whose documented supervision is less than staff need."""

    def withheld(self, administration: AdministrationFacts, book: Book) -> Reason | None:
        """Why a technique earns this claim nothing: whose work it is, and who watched over it."""
        technique = administration.technique
        # The facility is paid for its staff's work; a practitioner's claim would pay it twice.
        if self.in_facility and technique in book.fees.staff_techniques:
            return "professional_in_facility"
        if administration.family not in self.unsupervised or administration.acts_as in _UNWATCHED:
            return None
        return "no_supervision" if technique in book.fees.supervised_techniques else None


def standing_of(encounter: Encounter, book: Book) -> Standing:
    """The standing of one encounter, from its place, its type of bill and its supervision."""
    place, bill = encounter.place_of_service, encounter.type_of_bill
    facility_place = book.facility_place(place) if place is not None else None
    bill_use = book.bill_use(bill) if bill is not None else None
    professional = encounter.setting == "professional"
    # ``within_rate`` and ``limited`` may be listed on the bill, so they bar nothing.
    packaged = not professional and bill_use in {"packaged", "not_billable"}
    return Standing(
        facility_place=facility_place,
        bill_use=bill_use,
        supervision=supervision_of(encounter, book),
        denied="packaged" if packaged else None,
        in_facility=professional and facility_place is True,
        unsupervised=_unsupervised(encounter, book),
    )


def supervision_of(encounter: Encounter, book: Book) -> SupervisionFacts:
    """Documented supervision beside what the setting and the date require."""
    return _beside(encounter.supervision or _NOBODY, _required(encounter, book))


def _unsupervised(encounter: Encounter, book: Book) -> frozenset[str]:
    given = encounter.supervision
    # Nothing documented is not documented too low: nobody is denied for silence.
    if given is None:
        return _NO_FAMILIES
    setting, bill = encounter.setting, encounter.type_of_bill
    return frozenset(
        family
        for family in get_args(Family)
        # False only: what is open is reported, and bars nothing.
        if _beside(given, book.supervision(setting, family, bill)).met is False
    )


def _beside(given: Supervision, row: SupervisionRow | None) -> SupervisionFacts:
    if row is None:
        return SupervisionFacts(given)
    level_met = None if given.level is None else _LEVELS[given.level] >= _LEVELS[row.level]
    # Below direct supervision nobody has to be at hand, so how they were present does not count.
    remote = _LEVELS[row.level] < _LEVELS["direct"]
    mode_met = None if given.mode is None else remote or given.mode in row.modes
    return SupervisionFacts(
        given,
        required_level=row.level,
        allowed_modes=row.modes,
        level_met=level_met,
        mode_met=mode_met,
        met=_met(level_met, mode_met, given.provider_present, remote=remote),
    )


def _required(encounter: Encounter, book: Book) -> SupervisionRow | None:
    setting, bill = encounter.setting, encounter.type_of_bill
    row = book.supervision(setting, "therapeutic", bill)
    stricter = book.supervision(setting, "chemotherapy", bill)
    # The drug is looked up only where it could make a difference.
    if stricter is not row and _has_chemotherapy(encounter, book):
        return stricter
    return row


def _has_chemotherapy(encounter: Encounter, book: Book) -> bool:
    """Whether an antineoplastic drug was given, by its stated class or the drug table."""
    for given in encounter.administrations or ():
        category: str | None = given.category
        if category is None:
            row = book.drug(given.hcpcs, given.ndc, given.drug)
            category = row.category if row is not None else None
        if category == "chemotherapy":
            return True
    return False


def _met(
    level: bool | None, mode: bool | None, present: bool | None, *, remote: bool
) -> bool | None:
    """Level, mode and presence together; None while what is stated leaves it open."""
    if level is False or mode is False:
        return False
    if remote:
        return True if level or present else None
    if present is False:
        return False
    return True if mode and (present or level) else None
