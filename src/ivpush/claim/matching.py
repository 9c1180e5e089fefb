"""Suggested against billed: what matches, what was missed, what the chart does not support.

Step 7 of DESIGN section 3, called by the engine. Lines and suggestions are matched by code,
distinct-service modifier and date; what is left of both is paired by likeness, so that a wrong
line can be changed into the right one. ``correction`` makes the claim to send from the pairing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from ivpush.claim.pairing import elsewhere, pair_rest, part_of
from ivpush.contract.claim_facts import MatchFacts
from ivpush.contract.result import LineVerdict

if TYPE_CHECKING:
    from ivpush.coding.derivation import Derived
    from ivpush.coding.suggestions import Draft
    from ivpush.contract.chart_facts import AdministrationFacts, ServiceFacts
    from ivpush.contract.claim_facts import LineFacts, LineStatus

__all__ = ["Matching", "Taken", "match"]

_EXACT, _OTHER_MODIFIERS, _OTHER_DATE = 3, 2, 1
"""How strictly a line is matched: first as it is, then whatever its modifiers, then its date."""

_verdict = lru_cache(maxsize=4_096)(LineVerdict)
"""Verdicts are few and never change: one record serves every line that has the same."""


class Taken(NamedTuple):
    """Units of one suggestion that a line bills."""

    number: int
    units: int


class Matching:
    """Which billed line stands for which suggestion, and what is left of each.

    In use::

        matching = match(lines, coded.drafts, coded.derived)
        lines[0].match.status      # 'matched'
        matching.left[0]           # units of the first suggestion that nobody billed
    """

    def __init__(self, lines: Sequence[LineFacts], drafts: Sequence[Draft]) -> None:
        self.drafts = drafts
        self.left = [draft.units for draft in drafts]
        """Units of each suggestion that nobody billed."""
        self.open_units = {line.index: line.given.units for line in lines}
        """Line index -> units that no suggestion stands for."""
        self.taken: dict[int, list[Taken]] = {}
        """Line index -> suggestions that it stands for."""
        self.replaced: dict[int, int] = {}
        """Line index -> the suggestion that should stand in its place."""
        self.wrong: set[int] = set()
        """Suggestions that were billed, but under another code."""
        self.taken_up: dict[int, Taken] = {}
        """Line index -> the suggestion, billed short on its own line, that takes up its units."""
        self.raised: dict[int, int] = {}
        """Units that suggestions take up so."""

    def verdicts(self, lines: Iterable[LineFacts]) -> tuple[LineVerdict, ...]:
        """How each line compares, in claim order."""
        return tuple(
            [
                _verdict(line.given.number, line.match.status or "outside", line.match.matches)
                for line in lines
            ]
        )

    def missed(self, number: int) -> int:
        """Units of a suggestion nobody billed; what was billed under a wrong code is not missed."""
        if number in self.wrong:
            return 0
        return max(0, self.left[number] - self.raised.get(number, 0))


def match(lines: Sequence[LineFacts], drafts: Sequence[Draft], derived: Derived) -> Matching:
    """Match billed lines with suggestions; each line is given its ``match``."""
    matching = Matching(lines, drafts)
    of_code = _OfCode(drafts)
    within = []
    for line in lines:
        if line.coded.in_family or line.given.code in of_code.every:
            within.append(line)
        else:
            line.match = _OUTSIDE
    _take_all(within, of_code, matching)
    _pair_rest(within, matching)
    outcomes = {line.index: _outcome(line, matching) for line in within}
    short = _short_lines(outcomes, matching)
    link = _Links(derived, drafts)
    for line in within:
        outcome = outcomes[line.index]
        status = "changed" if line.index in short else outcome.status
        units = sum([drafts[number].units for number in of_code.on_date_of(line)])
        line.match = _match_facts(line, outcome, status, units, matching, link)
    return matching


_OUTSIDE = MatchFacts(status="outside", beyond_chart=False, administrations=())


class _OfCode:
    """Suggestions by code; where they are of several dates, by date and by encounter as well."""

    def __init__(self, drafts: Sequence[Draft]) -> None:
        self._drafts = drafts
        self.every: dict[str, list[int]] = {}
        self._of_day: dict[tuple[str, date | None], list[int]] | None = None
        self._of_part: dict[tuple[str, int], list[int]] = {}
        for number, draft in enumerate(drafts):
            self.every.setdefault(draft.row.code, []).append(number)
        self._only: date | None = None
        """The date of all of them, where it is one."""
        days = {draft.date for draft in drafts}
        if len(days) > 1:
            self._of_day = self._by_day(drafts)
        else:
            self._only = next(iter(days), None)

    def _by_day(self, drafts: Sequence[Draft]) -> dict[tuple[str, date | None], list[int]]:
        of_day: dict[tuple[str, date | None], list[int]] = {}
        for number, draft in enumerate(drafts):
            self._of_part.setdefault((draft.row.code, draft.part), []).append(number)
            days = {None} if draft.date is None else {draft.date, *draft.dates}
            for day in days:
                of_day.setdefault((draft.row.code, day), []).append(number)
        return of_day

    def on_date_of(self, line: LineFacts) -> Sequence[int]:
        """Those of a line's code that may be of its date."""
        code, day = line.given.code, line.given.date
        every = self.every.get(code, ())
        if day is None:
            return every
        if self._of_day is None:
            if self._only in {None, day}:
                return every
            # Another reading of midnight may give its date.
            return [number for number in every if day in self._drafts[number].dates]
        undated = self._of_day.get((code, None))
        of_day = self._of_day.get((code, day), ())
        return sorted([*undated, *of_day]) if undated else of_day

    def in_part_of(self, line: LineFacts) -> Sequence[int]:
        """Those of a line's code that may be of its encounter."""
        part = line.beside.part
        if self._of_day is None or line.given.date is None or part is None:
            return self.every.get(line.given.code, ())
        return self._of_part.get((line.given.code, part), ())


def _take_all(lines: Iterable[LineFacts], of_code: _OfCode, matching: Matching) -> None:
    """Let each line take units of its own code, the strictest matches of all lines first."""
    # All lines by one measure before any by the next, or a loose match takes a strict one's units.
    open_lines = list(lines)
    for strictness in (_EXACT, _OTHER_MODIFIERS, _OTHER_DATE):
        for line in open_lines:
            loose = strictness == _OTHER_DATE
            numbers = of_code.in_part_of(line) if loose else of_code.on_date_of(line)
            _take(line, numbers, matching, strictness)
        open_lines = [line for line in open_lines if matching.open_units[line.index] > 0]
        if not open_lines:
            return


def _take(line: LineFacts, numbers: Iterable[int], matching: Matching, strictness: int) -> None:
    for number in numbers:
        draft, left = matching.drafts[number], matching.left[number]
        wanted = matching.open_units[line.index]
        if wanted <= 0:
            return
        if left <= 0 or not _fits(line, draft, strictness):
            continue
        units = min(left, wanted)
        matching.left[number] -= units
        matching.open_units[line.index] -= units
        matching.taken.setdefault(line.index, []).append(Taken(number, units))


def _fits(line: LineFacts, draft: Draft, strictness: int) -> bool:
    if elsewhere(line, draft.part):
        return False
    if strictness == _EXACT and line.marks.separate != bool(draft.modifiers):
        return False
    dated = line.given.date is not None and draft.date is not None
    return strictness == _OTHER_DATE or not dated or line.given.date == draft.date


def _pair_rest(lines: Iterable[LineFacts], matching: Matching) -> None:
    """Pair lines that took nothing with suggestions that nobody billed, most alike first."""
    # A line that took some units is changed by units alone, never into another code.
    unmatched = [line for line in lines if line.index not in matching.taken]
    if not unmatched:
        return
    for line, number, whole in pair_rest(unmatched, matching.drafts, matching.left):
        matching.replaced[line.index] = number
        if not whole:
            units = matching.open_units[line.index]
            matching.taken_up[line.index] = Taken(number, units)
            matching.raised[number] = matching.raised.get(number, 0) + units
        elif matching.drafts[number].row.code != line.given.code:
            matching.wrong.add(number)


class _Outcome(NamedTuple):
    """How one line compares, before anything is said of the units of other lines."""

    status: LineStatus
    matches: tuple[int, ...] = ()
    modifiers: frozenset[str] = frozenset()
    missing_modifier: bool = False
    needless_modifier: bool = False
    apart_from: frozenset[str] = frozenset()
    date_differs: bool = False
    date_disputed: bool = False
    replaces: bool = False


def _outcome(line: LineFacts, matching: Matching) -> _Outcome:
    taken = matching.taken.get(line.index)
    if taken:
        return _taken_outcome(line, taken, matching)
    if line.index in matching.replaced:
        return _Outcome("changed", (matching.replaced[line.index],), replaces=True)
    return _Outcome("unsupported")


def _taken_outcome(line: LineFacts, taken: Sequence[Taken], matching: Matching) -> _Outcome:
    drafts = [matching.drafts[number] for number, _ in taken]
    modifiers = frozenset([modifier for draft in drafts for modifier in draft.modifiers])
    # A line that is right with and without its modifier lacks none.
    due = any(draft.modifiers and not draft.may_be_plain for draft in drafts)
    missing = due and not (line.marks.separate or _lifted(line, drafts))
    # A modifier that lifts a standing pair is never needless, whatever the chart says.
    needless = line.marks.separate and not modifiers and not line.pair_stands
    day = line.given.date
    elsewhere = [draft for draft in drafts if day is not None and draft.date not in (None, day)]
    differs = any(day not in draft.dates for draft in elsewhere)
    # Two distinct-service modifiers on one line are never right (DESIGN section 3, step 6).
    whole = matching.open_units[line.index] == 0 and line.marks.separate_modifiers <= 1
    right = whole and not (missing or needless or differs)
    return _Outcome(
        "matched" if right else "changed",
        tuple([number for number, _ in taken]),
        modifiers,
        missing_modifier=missing,
        apart_from=frozenset([code for draft in drafts for code in draft.beside]),
        needless_modifier=needless,
        date_differs=differs,
        date_disputed=bool(elsewhere) and not differs,
    )


def _lifted(line: LineFacts, drafts: Sequence[Draft]) -> bool:
    """Whether the pair that asks for the modifier is lifted otherwise: side, stage, other line."""
    if not all(draft.beside for draft in drafts):
        return False
    return line.marks.lifts_pair or line.modifier_beside == frozenset()


def _short_lines(outcomes: Mapping[int, _Outcome], matching: Matching) -> set[int]:
    """Lines that are short of units: the last one of a suggestion that is billed in part."""
    # One line is raised, and the last one, as ``correction`` does it.
    last = {
        number: index
        for index, outcome in outcomes.items()
        if not outcome.replaces
        for number in outcome.matches
    }
    return {
        last[number]
        for number, left in enumerate(matching.left)
        if 0 < left < matching.drafts[number].units
    }


def _match_facts(
    line: LineFacts,
    outcome: _Outcome,
    status: LineStatus,
    suggested_units: int,
    matching: Matching,
    link: _Links,
) -> MatchFacts:
    taken = matching.taken.get(line.index, ())
    row = matching.drafts[outcome.matches[0]].row if outcome.replaces else None
    open_units = matching.open_units[line.index]
    linked = link.of_line(line, outcome.matches, open_units)
    return MatchFacts(
        status=status,
        supported_units=sum([units for _, units in taken]),
        beyond_chart=status == "unsupported" or outcome.replaces or open_units > 0,
        suggested_units=suggested_units,
        replaced_by=row.code if row is not None else None,
        replaced_role=row.role if row is not None else None,
        date_differs=outcome.date_differs,
        date_disputed=outcome.date_disputed,
        suggested_modifiers=outcome.modifiers,
        apart_from=outcome.apart_from,
        needless_modifier=outcome.needless_modifier,
        missing_modifier=outcome.missing_modifier,
        administrations=linked.administrations,
        own_work=linked.own_work,
        service=linked.service,
        matches=outcome.matches,
    )


def _own_work(administrations: Iterable[AdministrationFacts]) -> bool | None:
    """Whether a practitioner gave all of it; None where nobody said who gave it."""
    # One nurse among them is enough: the line then needs supervision.
    given_by = {each.acts_as for each in administrations}
    if given_by <= {"practitioner", None}:
        return True if given_by == {"practitioner"} else None
    return False


class _Linked(NamedTuple):
    """What a line bills."""

    administrations: tuple[AdministrationFacts, ...]
    service: ServiceFacts | None
    own_work: bool | None


class _Links:
    """What a line bills: as the biller linked it, else as it was matched, else what is alike.

    Lines that are alike share one answer, for it may hold the whole chart.
    """

    def __init__(self, derived: Derived, drafts: Sequence[Draft]) -> None:
        self._derived, self._drafts = derived, drafts
        self._chart = derived.administrations
        self._known: dict[object, _Linked] = {}
        self._service_of: dict[int, ServiceFacts] | None = None
        self._unbilled: dict[int | None, list[AdministrationFacts]] | None = None
        self._billed: set[tuple[str, str, int | None]] | None = None

    def of_line(self, line: LineFacts, matches: tuple[int, ...], open_units: int) -> _Linked:
        """The administrations that a line bills, and the service that they are."""
        linked = line.given.administrations
        barred = _kind_of(line) if not matches or open_units > 0 else None
        key = (matches, barred) if linked is None else frozenset(linked)
        known = self._known.get(key)
        if known is None:
            # The biller's own link beats what likeness says, even where it names nothing billable.
            administrations, service = (
                self._matched(line, matches, barred)
                if linked is None
                else self._by_link(frozenset(linked))
            )
            known = _Linked(administrations, service, _own_work(administrations))
            self._known[key] = known
        return known

    def _matched(
        self, line: LineFacts, matches: tuple[int, ...], barred: object
    ) -> tuple[tuple[AdministrationFacts, ...], ServiceFacts | None]:
        if not matches:
            return self._barred(line), None
        services = [service for number in matches for service in self._drafts[number].services]
        members = [each for service in services for each in service.administrations]
        administrations = tuple(dict.fromkeys(members))
        if barred is not None:
            administrations += self._barred(line)
        return administrations, services[0]

    def _by_link(
        self, wanted: frozenset[str]
    ) -> tuple[tuple[AdministrationFacts, ...], ServiceFacts | None]:
        administrations = tuple([each for each in self._chart if each.given.id in wanted])
        if self._service_of is None:
            self._service_of = self._derived.service_of()
        service_of = self._service_of
        services = [service_of[each.index] for each in administrations if each.index in service_of]
        return administrations, services[0] if services else None

    def _barred(self, line: LineFacts) -> tuple[AdministrationFacts, ...]:
        """Administrations that earn nothing and that the line may have been meant to bill."""
        if self._unbilled is None:
            self._unbilled = _by_part([each for each in self._chart if not each.billable])
        part, technique = part_of(line), line.coded.technique
        barred = self._unbilled.get(part, ())
        if line.coded.family == "hydration":
            return tuple([each for each in barred if each.drug.category == "hydration"])
        if line.coded.role == "further_hour":
            if self._billed is None:
                self._billed = {
                    (draft.row.family, draft.row.technique, of)
                    for draft in self._drafts
                    for of in (None, draft.part)
                }
            if (line.coded.family, technique, part) in self._billed:
                return ()  # an hour too many of what is billable, and no other run
        return tuple([each for each in barred if each.technique == technique])


def _by_part(
    chart: Iterable[AdministrationFacts],
) -> dict[int | None, list[AdministrationFacts]]:
    """Administrations by encounter; all of them under None."""
    parts: dict[int | None, list[AdministrationFacts]] = {}
    for each in chart:
        for part in (None, each.part):
            parts.setdefault(part, []).append(each)
    return parts


def _kind_of(line: LineFacts) -> tuple[object, ...]:
    """What of a line decides which unbilled administrations it may have been meant to bill."""
    coded = line.coded
    return coded.family, coded.technique, coded.role == "further_hour", part_of(line)
