"""Events of a medication record joined into runs, and rows of one bag into one administration.

New Bag … Rate Change … Stopped of one order become one run; a pause ends it and a restart begins
another that continues it. A bag that nobody charted as stopped has no stop, even where the next
one hangs: an antibiotic every eight hours is no infusion of eight hours.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import tzinfo
from itertools import groupby, pairwise

from ivpush import clock
from ivpush.readers.mar.doses import Dose
from ivpush.readers.tables.ledger import Ledger

__all__ = [
    "chain_runs",
    "join_events",
    "mix",
]

_COURSE = "told the course of an administration"
_UNTIMED = frozenset({"push", "bolus", "dose", "flush", "not_given", "deleted", "ignore"})

_ENDS = frozenset({"stop", "pause"})


def join_events(
    events: Iterable[Dose], zone: tzinfo | None, fates: dict[int, str], ledger: Ledger
) -> list[Dose]:
    """Administrations of the events of one encounter; ``fates`` takes what the other rows were."""
    bags: dict[tuple[str, str, str], list[tuple[int, Dose]]] = {}
    for event in events:
        key = (event.run or event.order, event.fields.get("drug", ""), event.role)
        those = bags.setdefault(key, [])
        before = those[-1][0] if those else None
        if event.at is None:
            # What needs no clock still counts; a course without one cannot be joined.
            if not event.actions or not _UNTIMED.issuperset(event.actions):
                fates[event.number] = "left out: an event without a time"
                continue
            those.append((before or 0, event))
        else:
            those.append((clock.moment(event.at, zone, before).seconds, event))
    made: list[Dose] = []
    for those in bags.values():
        bag = _Bag(fates, ledger)
        for _, together in groupby(sorted(those, key=lambda one: one[0]), lambda one: one[0]):
            bag.follow([event for _, event in together])
        made += bag.made
    return sorted(made, key=lambda one: one.number)


class _Bag:
    """The course of one order's drug: what runs now, and what ran before."""

    def __init__(self, fates: dict[int, str], ledger: Ledger) -> None:
        self.fates, self.ledger = fates, ledger
        self.running: Dose | None = None
        self.last: Dose | None = None
        self.paused = False
        self.made: list[Dose] = []

    def follow(self, events: list[Dose]) -> None:
        """Follow the events of one minute: what runs ends before the next bag begins."""
        if self.running is not None and len(events) > 1:
            events = sorted(events, key=lambda one: not _ENDS.issuperset(one.actions))
        for event in events:
            self.take(event)

    def take(self, event: Dose) -> None:
        """Follow one event."""
        if not event.actions:
            self.fates[event.number] = "left out: its action is not known"
        for action in event.actions:
            if action == "rate" and event.fields.get("rate_ml_per_hour") == 0:
                action = "pause"
            getattr(self, f"_{action}")(event)

    def _begin(self, event: Dose, *, start: bool = True, after: Dose | None = None) -> Dose:
        fields = dict(event.fields)
        if start:
            fields["start"] = event.at
        made = Dose(event.number, event.order, event.run, event.role, fields, (), event.at,
                    event.day, event.name, after=after)  # fmt: skip
        self.made.append(made)
        return made

    def _run(self, event: Dose, *, start: bool = True, after: Dose | None = None) -> None:
        self.running = self._begin(event, start=start, after=after)
        self.running.fields.setdefault("method", "infusion")
        self.paused = False

    def _close(self, event: Dose) -> None:
        assert self.running is not None
        self.running.fields["stop"] = event.at
        self.last, self.running = self.running, None

    def _joined(self, event: Dose) -> None:
        self.fates.setdefault(event.number, _COURSE)

    def _start(self, event: Dose) -> None:
        if self.running is not None:
            self.ledger.remark("a bag was started and the one before was never charted as stopped: "
                               "that one has no stop", event.number)  # fmt: skip
        self._run(event)

    def _next_bag(self, event: Dose) -> None:
        after = self.running
        if after is not None:
            self._close(event)
        self._run(event, after=after)

    def _rate(self, event: Dose) -> None:
        self._verify(event)
        rate = event.fields.get("rate_ml_per_hour")
        if self.running is not None and rate != self.running.fields.get("rate_ml_per_hour"):
            # One number cannot say two rates, and the first alone would give wrong minutes.
            self.running.fields.pop("rate_ml_per_hour", None)

    def _verify(self, event: Dose) -> None:
        if self.running is None and self.last is None:
            self.ledger.remark("an infusion was seen running whose start is not in the table: "
                               "its start is open", event.number)  # fmt: skip
            self._run(event, start=False)
            assert self.running is not None
        elif self.running is None:
            self.fates.setdefault(event.number, "left out: told of an infusion that had ended")
            return
        else:
            self._joined(event)
        self.running.fields["last_seen_running"] = event.at

    def _site_change(self, event: Dose) -> None:
        before = self.running
        if before is None:
            self._verify(event)
            return
        self._close(event)
        self._run(event, after=before)
        assert self.running is not None
        old, new = before.fields.get("site"), self.running.fields.get("site")
        if old and new and old != new:
            self.running.fields["resited_from"] = old

    def _pause(self, event: Dose) -> None:
        self._stop(event)
        self.paused = True

    def _stop(self, event: Dose) -> None:
        if self.running is not None:
            self._close(event)
            self._joined(event)
        elif self.paused:
            self._joined(event)
        else:
            self.fates.setdefault(event.number,
                                  "left out: stops an infusion that was not running")  # fmt: skip
        self.paused = False

    def _restart(self, event: Dose) -> None:
        if self.running is not None:
            self.ledger.remark("restarted while it was running", event.number)
            self._verify(event)
        else:
            self._run(event, after=self.last)

    def _push(self, event: Dose) -> None:
        self._begin(event, start=event.at is not None).fields["method"] = "push"

    def _dose(self, event: Dose) -> None:
        self._begin(event, start=event.at is not None)

    _bolus = _dose

    def _flush(self, event: Dose) -> None:
        self._begin(event, start=event.at is not None).fields["purpose"] = "flush"

    def _not_given(self, event: Dose) -> None:
        self.fates.setdefault(event.number, "left out: not given")

    def _deleted(self, event: Dose) -> None:
        self.fates.setdefault(event.number, "left out: deleted")

    def _ignore(self, event: Dose) -> None:
        self.fates.setdefault(event.number, "left out: an event that gives nothing")


def mix(doses: list[Dose], bag_ml: int | None, fates: dict[int, str], ledger: Ledger) -> list[Dose]:
    """Rows of one bag or syringe joined: diluents into their drug, additives beside it."""
    bags: dict[tuple[str, object], list[Dose]] = {}
    for one in doses:
        if one.order and one.role:
            bags.setdefault((one.order, one.fields.get("start")), []).append(one)
    gone: set[int] = set()
    for those in bags.values():
        drugs = [one for one in those if one.role != "diluent"]
        lead = next((one for one in drugs if one.role == "main"), drugs[0] if drugs else None)
        for one in those:
            if one is lead:
                continue
            if one.role != "diluent":
                one.beside = lead
            elif lead is None:
                one.fields.setdefault("purpose", "drug_carrier")
                ledger.remark("a diluent without its drug: taken as a carrier", one.number)
            else:
                _dilute(lead, one, bag_ml, ledger)
                gone.add(id(one))
                fates[one.number] = "joined as the diluent of an administration"
    left = [one for one in doses if id(one) not in gone]
    for one in left:
        if one.after is not None and id(one.after) in gone:
            one.after = None
    return left


def _dilute(drug: Dose, diluent: Dose, bag_ml: int | None, ledger: Ledger) -> None:
    for fact in ("volume_ml", "rate_ml_per_hour"):
        if fact in diluent.fields:
            drug.fields.setdefault(fact, diluent.fields[fact])
    volume = diluent.fields.get("volume_ml")
    if bag_ml is not None and volume is not None and volume >= bag_ml:
        if drug.fields.get("method") == "push":
            del drug.fields["method"]
            ledger.remark(f"charted as a push with a bag of {bag_ml} ml or more: its method is "
                          "left open", drug.number)  # fmt: skip


def chain_runs(doses: list[Dose], zone: tzinfo | None) -> None:
    """Link doses of one run, in order of time, where the table has a column that names runs."""
    runs: dict[tuple[str, str], list[Dose]] = {}
    for one in doses:
        timed = one.fields.get("start") is not None
        if one.run and timed and one.after is None and one.fields.get("method") == "infusion":
            runs.setdefault((one.run, one.fields.get("drug", "")), []).append(one)
    for those in runs.values():
        those.sort(key=lambda one: clock.moment(one.fields["start"], zone).seconds)
        for before, one in pairwise(those):
            one.after = before
