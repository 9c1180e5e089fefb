"""Events of a medication record joined into runs, and rows of one bag into one administration.

``reader`` calls the three functions in turn. New Bag … Rate Change … Stopped of one order become
one run; a pause ends it and a restart begins another that continues it. A bag that nobody charted
as stopped has no stop, even where the next one hangs: an antibiotic every eight hours is no
infusion of eight hours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import tzinfo
from itertools import groupby, pairwise
from operator import attrgetter
from typing import ClassVar, NamedTuple

from ivpush import clock
from ivpush.errors import Fault, InputError
from ivpush.readers.mar.doses import Dose
from ivpush.readers.tables.ledger import Ledger

__all__ = [
    "chain_runs",
    "join_events",
    "mix",
]

_COURSE = "told the course of an administration"
_UNTIMED = frozenset({"push", "bolus", "dose", "flush", "not_given", "deleted", "ignore"})
_ENDS = frozenset({"stop", "pause", "hold"})
_Fates = dict[int, str]
"""What became of each row, by its number."""


class _Timed(NamedTuple):
    """An event with its instant in seconds."""

    seconds: int
    event: Dose


def join_events(
    events: Iterable[Dose], zone: tzinfo | None, fates: _Fates, ledger: Ledger
) -> list[Dose]:
    """Administrations of the events of one encounter; ``fates`` takes what the other rows were."""
    bags: dict[tuple[str, str, str], list[_Timed]] = {}
    for event in events:
        key = (event.run or event.order, event.fields.get("drug", ""), event.role)
        course = bags.setdefault(key, [])
        before = course[-1].seconds if course else None
        if event.at is not None:
            # In the hour that happens twice, an event belongs after the one before it.
            course.append(_Timed(clock.moment(event.at, zone, before).seconds, event))
        else:
            # Among events in order it keeps its row's place; what it would time stays open.
            course.append(_Timed(before or 0, event))
            ledger.remark("an event without a time: what it would time stays open", event.number)
    doses: list[Dose] = []
    for course in bags.values():
        _refuse_without_place(course)
        doses += _followed(course, fates, ledger)
    return sorted(doses, key=attrgetter("number"))


def _refuse_without_place(course: list[_Timed]) -> None:
    """Raise InputError where an event of a course has neither a time nor a place among the rest."""
    in_order = all(first.seconds <= second.seconds for first, second in pairwise(course))
    for timed in course:
        if timed.event.at is None and not in_order and not _UNTIMED.issuperset(timed.event.actions):
            problem = "holds an event without a time, among rows that are in no order of time"
            remedy = "declare the form of its time in the map, or sort the rows"
            raise InputError(Fault("the encounter", problem, remedy))


def _followed(course: list[_Timed], fates: _Fates, ledger: Ledger) -> list[Dose]:
    bag = _Bag(fates, ledger)
    in_order = sorted(course, key=attrgetter("seconds"))
    # Events of one minute are followed together; without a time nobody knows the minute.
    for _, together in groupby(in_order, lambda timed: (timed.seconds, timed.event.at is None)):
        bag.follow([timed.event for timed in together])
    return bag.doses


class _Bag:
    """The course of one order's drug: what runs now, and what ran before.

    Events come in order of time, those of one instant together::

        bag = _Bag(fates, ledger)
        bag.follow([new_bag])
        bag.follow([stopped])
        bag.doses  # one dose, with its start and its stop
    """

    def __init__(self, fates: _Fates, ledger: Ledger) -> None:
        self.fates, self.ledger = fates, ledger
        self.running: Dose | None = None
        self.last: Dose | None = None
        self.paused = False
        self.doses: list[Dose] = []

    def follow(self, events: list[Dose]) -> None:
        """Follow the events of one minute: what runs ends before the next bag begins."""
        if self.running is not None and len(events) > 1:
            events = sorted(events, key=lambda event: not _ENDS.issuperset(event.actions))
        for event in events:
            self._take(event)

    def _take(self, event: Dose) -> None:
        for action in event.actions:
            # A pump set to zero is a pump that stands still.
            still = action == "rate" and event.fields.get("rate_ml_per_hour") == 0
            self._STEPS["pause" if still else action](self, event)

    def _begin(self, event: Dose, *, timed: bool = True, after: Dose | None = None) -> Dose:
        start = {"start": event.at} if timed and event.at is not None else {}
        dose = Dose(
            number=event.number,
            order=event.order,
            run=event.run,
            role=event.role,
            name=event.name,
            fields={**event.fields, **start},
            at=event.at,
            day=event.day,
            after=after,
        )
        self.doses.append(dose)
        return dose

    def _run(self, event: Dose, *, timed: bool = True, after: Dose | None = None) -> Dose:
        self.running = self._begin(event, timed=timed, after=after)
        # What has a course is an infusion, unless the row itself says otherwise.
        self.running.fields.setdefault("method", "infusion")
        self.paused = False
        return self.running

    def _close(self, running: Dose, event: Dose) -> None:
        if event.at is not None:
            running.fields["stop"] = event.at
        self.last, self.running = running, None

    def _tell_course(self, event: Dose) -> None:
        self.fates.setdefault(event.number, _COURSE)

    def _leave_out(self, event: Dose, reason: str) -> None:
        self.fates.setdefault(event.number, f"left out: {reason}")

    def _start(self, event: Dose) -> None:
        if self.running is not None:
            self.ledger.remark(
                "a bag was started and the one before was never charted as stopped: "
                "that one has no stop",
                event.number,
            )
        self._run(event)

    def _next_bag(self, event: Dose) -> None:
        before = self.running
        if before is not None:
            self._close(before, event)
        self._run(event, after=before)

    def _rate(self, event: Dose) -> None:
        self._verify(event)  # who changes a rate sees it running
        rate = event.fields.get("rate_ml_per_hour")
        if self.running is not None and rate != self.running.fields.get("rate_ml_per_hour"):
            # One number cannot say two rates, and the first alone would give wrong minutes.
            self.running.fields.pop("rate_ml_per_hour", None)

    def _verify(self, event: Dose) -> None:
        running = self.running
        if running is not None:
            self._tell_course(event)
        elif self.last is not None:
            self._leave_out(event, "told of an infusion that had ended")
            return
        else:
            running = self._run_unseen(event)
        if event.at is not None:
            running.fields["last_seen_running"] = event.at

    def _run_unseen(self, event: Dose) -> Dose:
        """An infusion of which only its course is in the table; it was given all the same."""
        self.ledger.remark(
            "an infusion whose start is not in the table: its start is open", event.number
        )
        return self._run(event, timed=False)

    def _site_change(self, event: Dose) -> None:
        before = self.running
        if before is None:
            self._verify(event)
            return
        self._close(before, event)
        running = self._run(event, after=before)
        old, new = before.fields.get("site"), running.fields.get("site")
        if old and new and old != new:
            running.fields["resited_from"] = old

    def _pause(self, event: Dose) -> None:
        self._stop(event)
        self.paused = True

    def _stop(self, event: Dose) -> None:
        if self.running is not None:
            self._close(self.running, event)
            self._tell_course(event)
        elif self.paused:  # the pause ended it already
            self._tell_course(event)
        elif not self.doses:
            self._close(self._run_unseen(event), event)
        else:
            self._leave_out(event, "stops an infusion that was not running")
        self.paused = False

    def _restart(self, event: Dose) -> None:
        if self.running is not None:
            self.ledger.remark("restarted while it was running", event.number)
            self._verify(event)
        else:
            self._run(event, after=self.last)

    def _hold(self, event: Dose) -> None:
        """An order put on hold: what ran stands still, and else nothing was given."""
        if self.running is not None:
            self._pause(event)
        else:
            self._leave_out(event, "held, which gives nothing")

    def _unhold(self, event: Dose) -> None:
        """The end of a hold: what it made stand still runs again, and else nothing was given."""
        if self.paused:
            self._restart(event)
        else:
            self._leave_out(event, "the end of a hold, which gives nothing")

    def _give(self, event: Dose) -> Dose:
        """A dose of its own beside what runs; its time may be unknown."""
        return self._begin(event)

    def _push(self, event: Dose) -> None:
        self._give(event).fields["method"] = "push"

    def _flush(self, event: Dose) -> None:
        self._give(event).fields["purpose"] = "flush"

    def _not_given(self, event: Dose) -> None:
        self._leave_out(event, "not given")

    def _deleted(self, event: Dose) -> None:
        self._leave_out(event, "deleted")

    def _ignore(self, event: Dose) -> None:
        self._leave_out(event, "an event that gives nothing")

    _STEPS: ClassVar[Mapping[str, Callable[[_Bag, Dose], object]]] = {
        "start": _start,
        "next_bag": _next_bag,
        "rate": _rate,
        "verify": _verify,
        "site_change": _site_change,
        "pause": _pause,
        "restart": _restart,
        "hold": _hold,
        "unhold": _unhold,
        "stop": _stop,
        "push": _push,
        "bolus": _give,
        "dose": _give,
        "flush": _flush,
        "not_given": _not_given,
        "deleted": _deleted,
        "ignore": _ignore,
    }
    """What each action of ``maps.ACTIONS`` does."""


def mix(doses: list[Dose], bag_ml: int | None, fates: _Fates, ledger: Ledger) -> list[Dose]:
    """Rows of one bag or syringe joined: diluents into their drug, additives beside it.

    ``bag_ml`` is the volume from which a push is no plain push.
    """
    diluents: set[Dose] = set()
    for bag in _bags(doses):
        for lead, diluent in _diluted(bag, ledger):
            _dilute(lead, diluent, bag_ml, ledger)
            fates[diluent.number] = "joined as the diluent of an administration"
            diluents.add(diluent)
    left = [dose for dose in doses if dose not in diluents]
    for dose in left:
        if dose.after in diluents:
            dose.after = None
    return left


def _bags(doses: Iterable[Dose]) -> Iterable[list[Dose]]:
    """Rows of one order and one start; an order may hang many bags, one after another."""
    bags: dict[tuple[str, object], list[Dose]] = {}
    for dose in doses:
        if dose.order and dose.role:
            bags.setdefault((dose.order, dose.fields.get("start")), []).append(dose)
    return bags.values()


def _diluted(bag: list[Dose], ledger: Ledger) -> Iterator[tuple[Dose, Dose]]:
    """The main drug with each of its diluents; additives are put beside it meanwhile."""
    drugs = [dose for dose in bag if dose.role != "diluent"]
    lead = next((dose for dose in drugs if dose.role == "main"), drugs[0] if drugs else None)
    for dose in bag:
        if dose is lead:
            continue
        if dose.role != "diluent":
            dose.beside = lead
        elif lead is not None:
            yield lead, dose
        else:
            dose.fields.setdefault("purpose", "drug_carrier")
            ledger.remark("a diluent without its drug: taken as a carrier", dose.number)


def _dilute(drug: Dose, diluent: Dose, bag_ml: int | None, ledger: Ledger) -> None:
    for fact in ("volume_ml", "rate_ml_per_hour"):
        if fact in diluent.fields:
            drug.fields.setdefault(fact, diluent.fields[fact])
    volume = diluent.fields.get("volume_ml")
    if bag_ml is None or volume is None or volume < bag_ml:
        return
    if drug.fields.get("method") == "push":
        del drug.fields["method"]
        ledger.remark(
            f"charted as a push with a bag of {bag_ml} ml or more: its method is left open",
            drug.number,
        )


def chain_runs(doses: list[Dose], zone: tzinfo | None) -> None:
    """Link doses of one run, in order of time, where the table has a column that names runs."""
    runs: dict[tuple[str, str], list[Dose]] = {}
    for dose in doses:
        timed = dose.fields.get("start") is not None
        if dose.run and timed and dose.after is None and dose.fields.get("method") == "infusion":
            runs.setdefault((dose.run, dose.fields.get("drug", "")), []).append(dose)
    for run in runs.values():
        run.sort(key=lambda dose: clock.moment(dose.fields["start"], zone).seconds)
        for before, dose in pairwise(run):
            dose.after = before
