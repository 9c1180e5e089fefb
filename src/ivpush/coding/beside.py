"""What the claim holds beside the chart: procedures of the day, and codes that own an injection.

Step 0 of DESIGN section 3. ``derivation`` asks before chains are made, so that a dose which belongs
to something else leads nothing; ``suggestions`` marks what stands in a pair with a line of the day.
Codes, groups and uses of drugs are rows of the dated tables behind ``Book.surroundings``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, tzinfo
from typing import TYPE_CHECKING, NamedTuple

from ivpush import clock
from ivpush.coding.encounters import cut

if TYPE_CHECKING:
    from ivpush.contract.chart_facts import AdministrationFacts, Reason
    from ivpush.contract.encounter import Encounter
    from ivpush.pack.book import Book
    from ivpush.pack.surroundings import Owner

__all__ = ["Neighbours", "neighbours_of", "stand_beside"]

_VISITS = frozenset({"visit", "observation"})
"""Families that need a modifier of their own, whatever the administration beside them carries."""

_ASIDE = frozenset({"premedication", "keep_open", "flush", "drug_carrier"})
"""Purposes of doses for which nothing is given beforehand."""

_PREMEDICATION = frozenset({"premedication"})
"""The use of a dose before a procedure, whatever its drug."""

_OWNABLE: frozenset[Reason | None] = frozenset(
    {None, "no_code", "not_parenteral", "stop_missing", "route_missing"}
)
"""Reasons that a code which owns the injection outweighs."""

_BY_CATEGORY = {
    "contrast": "contrast",
    "hydration": "fluid",
    "anesthesia": "anesthetic",
    "chemotherapy": "antineoplastic",
    "complex_biologic": "antineoplastic",
}
"""The use of a drug that the table of uses does not hold, by its class."""


class Neighbours:
    """Codes of other families on a claim, by day, in claim order."""

    __slots__ = ("by_day",)

    def __init__(self, by_day: Mapping[date | None, tuple[str, ...]]) -> None:
        self.by_day = by_day

    def __bool__(self) -> bool:
        return bool(self.by_day)

    def on(self, day: date | None) -> tuple[str, ...]:
        """What is billed on a day."""
        return self.by_day.get(day, ())


_NOBODY = Neighbours({})


def neighbours_of(encounter: Encounter, book: Book) -> Neighbours:
    """The lines of a claim that are neither administrations nor visits nor drugs."""
    by_day: dict[date | None, dict[str, None]] = {}
    for line in encounter.lines or ():
        row = book.code_any(line.code)
        # Administrations are the chart's to say; visits and drugs have rules of their own.
        own = row is not None and (row.administration or row.family in _VISITS)
        if not own and line.code not in book.drugs:
            day = line.date if line.date is not None else encounter.service_date
            # A dict keeps the claim's order: of several codes a message names the first.
            by_day.setdefault(day, {})[line.code] = None
    if not by_day:
        return _NOBODY
    return Neighbours({day: tuple(codes) for day, codes in by_day.items()})


class _Paired(NamedTuple):
    """What the codes of a day are to the codes of a technique, by NCCI pairs."""

    never: str | None
    """One beside which it is never paid."""
    groups: dict[str, str]
    """Groups of procedures that a modifier sets apart, each with its first code."""


def stand_beside(
    administrations: Sequence[AdministrationFacts],
    encounter: Encounter,
    neighbours: Neighbours,
    zone: tzinfo | None,
    book: Book,
) -> None:
    """Settle which doses belong to a code beside them, and which must be asked about."""
    if any(each.given.purpose == "premedication" for each in administrations):
        for members in cut(administrations, encounter, book, zone):
            _premedicate(members, encounter, zone, book)
    kinds: dict[tuple[object, ...], _Paired] = {}
    for administration in administrations:
        seconds = administration.start_seconds
        day = encounter.service_date if seconds is None else clock.local_date(seconds, zone)
        codes = neighbours.on(day)
        # Owners first: some own an injection that no claim bills, so without any codes too.
        if _owned(administration, codes, book) or not codes:
            continue
        if administration.reason == "procedure":
            _name_procedure(administration, codes, book)
        elif administration.reason is None:
            # Doses of one technique on one day stand beside the same codes.
            kind = (day, administration.family, administration.technique)
            paired = kinds.get(kind)
            if paired is None:
                paired = kinds[kind] = _paired(administration, codes, encounter.setting, book)
            _beside_pairs(administration, paired, book)


def _name_procedure(
    administration: AdministrationFacts, codes: tuple[str, ...], book: Book
) -> None:
    """Name the procedure of a dose that is charted as given for one."""
    grouped = (code for code in codes if book.surroundings.group(code) is not None)
    administration.beside = next(grouped, None)
    if administration.beside is not None:
        administration.reason = "part_of_procedure"


def _premedicate(
    members: Sequence[AdministrationFacts],
    encounter: Encounter,
    zone: tzinfo | None,
    book: Book,
) -> None:
    """Tie each premedication to what follows it next; what a policy makes of it before blood."""
    before = [each for each in members if each.given.purpose == "premedication"]
    transfused = _transfused(members, encounter, zone, book)
    after = [
        each
        for each in members
        if each.given.purpose not in _ASIDE and each.drug.category != "flush"
    ]
    for dose in before:
        # A diuretic against overload is treatment, whatever the chart calls it.
        treats = "diuretic" in _uses(dose, book)
        dose.before_blood = not treats and _precedes_blood(dose, after, transfused=transfused)
        dose.before_drug = not dose.before_blood and any(each.order > dose.order for each in after)
        refused = dose.before_blood and book.policy.transfusion_premed == "not_billable"
        if refused and dose.reason is None:
            dose.reason = "transfusion"


def _transfused(
    members: Sequence[AdministrationFacts],
    encounter: Encounter,
    zone: tzinfo | None,
    book: Book,
) -> bool:
    """Whether a transfusion is billed on a date on which these were given."""
    starts = [each.start_seconds for each in members]
    days = {clock.local_date(start, zone) for start in starts if start is not None}
    for line in encounter.lines or ():
        row = book.code_any(line.code)
        dated_elsewhere = line.date is not None and days and line.date not in days
        if row is not None and row.family == "transfusion" and not dated_elsewhere:
            return True
    return False


def _precedes_blood(
    dose: AdministrationFacts, after: Sequence[AdministrationFacts], *, transfused: bool
) -> bool:
    """Whether what a premedication is for is blood: what follows next, else what the day had."""
    begun = dose.start_seconds
    later = [
        (each.start_seconds, each.drug.category != "blood")
        for each in after
        if begun is not None and each.start_seconds is not None and each.start_seconds >= begun
    ]
    # What comes next in time decides; a unit of blood later in the day changes nothing.
    if later:
        return not min(later)[1]
    untimed = [each for each in after if begun is None or each.start_seconds is None]
    blood = any(each.drug.category == "blood" for each in untimed)
    # Where no time says what came next, blood is what is left, unless the chart holds more.
    drugs = any(each.drug.category != "blood" for each in after)
    return (transfused or blood) and not drugs


def _uses(administration: AdministrationFacts, book: Book) -> frozenset[str]:
    """What a drug is usually given for."""
    drug = administration.drug
    uses = book.surroundings.uses.get(drug.row.name) if drug.row is not None else None
    if uses is not None:
        return uses
    by_category = _BY_CATEGORY.get(drug.category)
    if by_category is not None:
        return frozenset((by_category,))
    return frozenset(("other" if drug.drug_known else "unknown",))


def _owned(administration: AdministrationFacts, codes: tuple[str, ...], book: Book) -> bool:
    """Whether a code of its own pays for giving the drug; if so, that is settled."""
    given, row = administration.given, administration.drug.row
    if administration.reason not in _OWNABLE or given.route is None:
        return False
    # A refill has its own code whatever drug goes into the pump.
    if given.purpose == "pump_refill":
        return False
    names = (row.name if row is not None else None, given.hcpcs)
    uses = _uses(administration, book)
    return any(
        owner.in_force(book.date) and _own(administration, owner, codes, book)
        for owner in book.surroundings.owners_of(given.route, names, given.drug, uses)
    )


def _own(
    administration: AdministrationFacts, owner: Owner, codes: tuple[str, ...], book: Book
) -> bool:
    """Let a code own an administration, if it does so on what is billed that day."""
    billed = next((code for code in codes if owner.codes.holds(code)), None)
    if owner.when == "billed" and billed is None:
        return False
    if owner.when == "product" and book.policy.product_administration == "general_code":
        return False
    # The code is the dose's own, so it is suggested and does not bar.
    if owner.when == "suggested":
        administration.reason, administration.own_code = None, billed or owner.codes.last
        return True
    administration.reason, administration.beside = "owned", billed or owner.codes.text
    return True


def _beside_pairs(administration: AdministrationFacts, paired: _Paired, book: Book) -> None:
    """Whether a dose belongs to a procedure that CMS pairs with its code."""
    # Indicator 0: no purpose and no modifier lifts it (NCCI manual, chapter 1).
    if paired.never is not None:
        administration.reason, administration.beside = "never_beside", paired.never
        return
    uses, purpose = _uses(administration, book), administration.given.purpose
    # Before another drug it serves that drug and not the procedure.
    if purpose == "premedication" and not administration.before_drug:
        uses = _PREMEDICATION
    elif purpose is not None:
        return
    method = administration.technique or ""
    answers: dict[str, str] = {}
    for group, code in paired.groups.items():
        answers.setdefault(book.surroundings.answer(group, uses, method), code)
    # Part before ask: where one procedure owns the dose, the others do not matter.
    if "part" in answers:
        administration.reason, administration.beside = "part_of_procedure", answers["part"]
    elif "ask" in answers and purpose is None:
        administration.purpose_open, administration.beside = True, answers["ask"]


def _paired(
    administration: AdministrationFacts, codes: tuple[str, ...], setting: str, book: Book
) -> _Paired:
    never: str | None = None
    groups: dict[str, str] = {}
    # A dose is held against the codes that it would be billed by if it came first.
    for own in book.leading(administration.family, administration.technique):
        pairs = book.pairs.get(setting, own)
        if pairs is None:
            continue
        never = never or next((code for code in codes if code in pairs.never), None)
        for code in codes:
            group = book.surroundings.group(code) if code in pairs.with_modifier else None
            if group is not None:
                groups.setdefault(group, code)
    return _Paired(never, groups)
