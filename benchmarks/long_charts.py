"""Charts as long as the contract allows, of every shape that once was slow.

``python -m benchmarks.long_charts [SHAPE…] [--counts N…]`` prints, for each shape, processor seconds
and peak memory of one check at 100, 400, 1,000 and 5,000 administrations, and how many times as
long the last took as the one before. Each is measured in a process of its own, with the engine
made and one visit checked before.
"""

from __future__ import annotations

import argparse
import resource
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from multiprocessing import get_context
from time import process_time
from typing import Any, NamedTuple

from benchmarks.sample import visit
from ivpush import Encounter, Engine

COUNTS = (100, 400, 1_000, 5_000)
Record = dict[str, Any]
ARRIVAL = datetime(2026, 3, 2, 8, 0)


def _dose(number: int, minutes_in: int = 0, **facts: Any) -> Record:
    """One administration that began so many minutes after arrival; None leaves a fact out."""
    start = (ARRIVAL + timedelta(minutes=minutes_in)).isoformat(timespec="minutes")
    record = {
        "id": f"a{number}",
        "drug": f"unknown {number}",
        "route": "IV",
        "method": "push",
        "start": start,
        **facts,
    }
    return {name: value for name, value in record.items() if value is not None}


def _drip(number: int, minutes_in: int = 0, lasting: int | None = 45, **facts: Any) -> Record:
    stop = None
    if lasting is not None:
        ended = ARRIVAL + timedelta(minutes=minutes_in + lasting)
        stop = ended.isoformat(timespec="minutes")
    return _dose(number, minutes_in, **{"method": "infusion", "stop": stop, **facts})


def _stay(doses: Sequence[Record], lines: Sequence[Record] | None = None, **facts: Any) -> Record:
    """A hospital's encounter of these administrations."""
    record = {
        "id": "L1",
        "setting": "facility",
        "type_of_bill": "131",
        "date": "2026-03-02",
        "administrations": list(doses),
        **facts,
    }
    if lines is not None:
        record["lines"] = [{"number": n, **line} for n, line in enumerate(lines, 1)]
    return record


def _office(doses: Sequence[Record], **facts: Any) -> Record:
    return _stay(doses, setting="professional", type_of_bill=None, place_of_service="11", **facts)


def _cycled(count: int, codes: Sequence[str], **facts: Any) -> list[Record]:
    return [{"code": codes[n % len(codes)], "units": 1, **facts} for n in range(count)]


def _day(number: int) -> str:
    return (ARRIVAL + timedelta(days=number)).date().isoformat()


KNOWN = ("ondansetron", "ketorolac", "morphine", "famotidine", "metoclopramide")
CODES = ("96374", "96375", "96365", "96366", "96367")


def pushes(count: int) -> Record:
    """Pushes of drugs that no table holds, all at one minute."""
    return _stay([_dose(n) for n in range(count)])


def pushes_billed(count: int) -> Record:
    """The same, with as many lines."""
    return _stay([_dose(n) for n in range(count)], _cycled(count, CODES))


def pushes_in_a_row(count: int) -> Record:
    """Pushes of unknown drugs, each a quarter of an hour after the one before."""
    return _stay([_dose(n, 15 * n) for n in range(count)])


def pushes_of_one_drug(count: int) -> Record:
    """Pushes of one unknown drug, ten minutes apart."""
    return _stay([_dose(n, 10 * n, drug="unknown") for n in range(count)])


def injections(count: int) -> Record:
    """Injections of unknown drugs into a muscle."""
    return _stay([_dose(n, n, route="IM", method="injection") for n in range(count)])


def one_bag(count: int) -> Record:
    """Unknown drugs in one bag."""
    mixed = [None, *["a0"] * (count - 1)]
    return _stay([_drip(n, mixed_with=mate) for n, mate in enumerate(mixed)])


def one_bag_in_a_chain(count: int) -> Record:
    """Unknown drugs in one bag, each named with the one before."""
    return _stay([_drip(n, mixed_with=f"a{n - 1}" if n else None) for n in range(count)])


def one_syringe_without_stop(count: int) -> Record:
    """Unknown drugs in one bag whose stop is missing."""
    return _stay([_drip(n, lasting=None, mixed_with="a0" if n else None) for n in range(count)])


def bags_of_two(count: int) -> Record:
    """Unknown drugs, two to a bag."""
    return _stay(
        [_drip(n, 20 * (n // 2), mixed_with=f"a{n - 1}" if n % 2 else None) for n in range(count)]
    )


def drips_at_once(count: int) -> Record:
    """Drips of unknown drugs at one time."""
    return _stay([_drip(n) for n in range(count)])


def known_drips_at_once(count: int) -> Record:
    """Drips of a known class at one time."""
    return _stay([_drip(n, category="therapeutic") for n in range(count)])


def drips_in_a_row(count: int) -> Record:
    """Drips of unknown drugs, one after the other."""
    return _stay([_drip(n, 60 * n) for n in range(count)])


def missing_stops(count: int) -> Record:
    """Drips of a known class without a stop, an hour apart."""
    return _stay([_drip(n, 60 * n, None, category="therapeutic") for n in range(count)])


def missing_stops_at_once(count: int) -> Record:
    """Drips of a known class without a stop, at one time."""
    return _stay([_drip(n, 0, None, category="therapeutic") for n in range(count)])


def missing_stops_unknown(count: int) -> Record:
    """Drips of unknown drugs without a stop."""
    return _stay([_drip(n, 60 * n, None) for n in range(count)])


def one_missing_stop(count: int) -> Record:
    """A drip without a stop among many that are charted in full."""
    doses = [_drip(n, 60 * n, category="therapeutic") for n in range(count - 1)]
    return _stay([*doses, _drip(count, 30, None, category="therapeutic")])


def one_unknown_drug(count: int) -> Record:
    """A push of an unknown drug among many that are known."""
    doses = [_dose(n, 40 * n, drug=KNOWN[n % len(KNOWN)]) for n in range(count - 1)]
    return _stay([*doses, _dose(count, 30)])


def fluids_without_stop(count: int) -> Record:
    """Fluids without a stop beside drips."""
    doses = [
        _drip(n, 60 * n, None, drug="saline", category="hydration")
        if n % 2
        else _drip(n, 60 * n, category="therapeutic")
        for n in range(count)
    ]
    return _stay(doses)


def slow_fluids(count: int) -> Record:
    """Fluids so slow that they may only keep a vein open."""
    slow = {"drug": "saline", "category": "hydration", "rate_ml_per_hour": 20}
    return _stay([_drip(n, 60 * n, 59, **slow) for n in range(count)])


def missing_routes(count: int) -> Record:
    """Doses whose route nobody stated."""
    return _stay([_dose(n, 20 * n, route=None, category="therapeutic") for n in range(count)])


def many_accesses(count: int) -> Record:
    """Each dose at an access of its own, whose need nobody stated."""
    return _stay([_dose(n, 20 * n, site=f"site {n}", category="therapeutic") for n in range(count)])


def needed_accesses(count: int) -> Record:
    """Each dose at an access of its own, whose need is stated."""
    need = "two drugs that must not meet"
    doses = [
        _dose(n, 20 * n, site=f"site {n}", category="therapeutic", separate_site_reason=need)
        for n in range(count)
    ]
    return _stay(doses)


def needed_accesses_billed(count: int) -> Record:
    """The same, with as many lines."""
    return needed_accesses(count) | {
        "lines": _stay([], _cycled(count, CODES[:2], modifiers=["59"]))["lines"]
    }


def unnamed_accesses(count: int) -> Record:
    """Doses at no named access beside two that are named."""
    need = "two drugs that must not meet"
    doses = [
        _dose(n, 20 * n, category="therapeutic", site=("left", "right")[n] if n < 2 else None)
        for n in range(count)
    ]
    doses[1]["separate_site_reason"] = need
    return _stay(doses)


def resited(count: int) -> Record:
    """A line that is re-sited before each dose."""
    doses = [
        _dose(n, 20 * n, category="therapeutic", site=f"s{n}", resited_from=f"s{n - 1}")
        for n in range(count)
    ]
    return _stay(doses)


def runs(count: int) -> Record:
    """One bag in many runs, each of which goes on from the one before."""
    doses = [
        _drip(n, 60 * n, 30, drug="ceftriaxone", continues=f"a{n - 1}" if n else None)
        for n in range(count)
    ]
    return _stay(doses)


def touching_runs(count: int) -> Record:
    """Runs of one known drug that touch."""
    return _stay([_drip(n, 30 * n, 30, drug="ceftriaxone") for n in range(count)])


def days(count: int) -> Record:
    """Each dose on a date of its own, with a line of its date."""
    doses = [_dose(n, 1440 * (n % 900), drug=KNOWN[n % len(KNOWN)]) for n in range(count)]
    lines = [{"code": "96374", "units": 1, "date": _day(n % 900)} for n in range(count)]
    return _stay(doses, lines)


def unknown_days(count: int) -> Record:
    """The same of unknown drugs."""
    doses = [_dose(n, 1440 * (n % 900)) for n in range(count)]
    lines = [{"code": "96374", "units": 1, "date": _day(n % 900)} for n in range(count)]
    return _stay(doses, lines)


def known_billed(count: int) -> Record:
    """Known pushes and drips, with twice as many lines."""
    doses = [
        (_dose if n % 2 else _drip)(n, 50 * n, drug=KNOWN[n % len(KNOWN)]) for n in range(count)
    ]
    return _stay(doses, _cycled(min(9_999, 2 * count), CODES))


def long_pushes(count: int) -> Record:
    """Pushes that ran so long that only attendance makes them pushes."""
    doses = [_drip(n, 60 * n, 20, method="push", category="therapeutic") for n in range(count)]
    return _stay(doses)


def office(count: int) -> Record:
    """Pushes in an office, where nobody named the primary reason."""
    return _office([_dose(n, 20 * n, category="therapeutic") for n in range(count)])


def office_drips_at_once(count: int) -> Record:
    """Drips at one time in an office, where nobody named the primary reason."""
    return _office([_drip(n, 0, category="therapeutic") for n in range(count)])


def office_unknown(count: int) -> Record:
    """Pushes of unknown drugs in an office."""
    return _office([_dose(n, 20 * n) for n in range(count)])


def biologics(count: int) -> Record:
    """Drips of a complex biologic whose complexity nobody documented."""
    return _stay([_drip(n, 90 * n, 70, drug="infliximab") for n in range(count)])


def long_chemotherapy(count: int) -> Record:
    """Chemotherapy that ran so long that a pump may have held it."""
    doses = [_drip(n, 600 * n, 590, drug="x", category="chemotherapy") for n in range(count)]
    return _stay(doses)


def procedures(count: int) -> Record:
    """Doses beside a procedure, with as many lines."""
    doses = [_dose(n, n, drug=KNOWN[n % len(KNOWN)]) for n in range(count)]
    return _stay(doses, _cycled(count, ("45378", "96374", "96375", "99284")))


def unknown_payer(count: int) -> Record:
    """Known doses billed to a payer that no overlay describes."""
    doses = [_drip(n, 50 * n, drug=KNOWN[n % len(KNOWN)]) for n in range(count)]
    return _stay(doses, payer="nobody")


def long_texts(count: int) -> Record:
    """Drugs, sites and needs in as many words as fields may hold."""
    words = " ".join(["ondansetron 4 mg in 50 ml saline"] * 5)
    doses = [
        _dose(n, 20 * n, drug=f"{words} {n}", site=f"{words} {n % 9}", separate_site_reason=words)
        for n in range(count)
    ]
    return _stay(doses, _cycled(count, CODES))


def nothing_stated(count: int) -> Record:
    """Administrations of which only the id is charted."""
    return _stay([{"id": f"a{n}"} for n in range(count)])


def everything_open(count: int) -> Record:
    """Of each dose something else is missing, with as many lines."""
    doses = [
        (
            _dose(n, 25 * n),
            _drip(n, 25 * n, None, category="therapeutic"),
            _dose(n, 25 * n, route=None, category="therapeutic"),
            _drip(n, 25 * n, 20, method="push", category="therapeutic"),
            _drip(n, 25 * n, None, drug="saline", rate_ml_per_hour=30),
            _dose(n, 25 * n, site=f"site {n % 7}", drug="ketorolac"),
        )[n % 6]
        for n in range(count)
    ]
    return _stay(doses, _cycled(count, CODES))


SHAPES: dict[str, Callable[[int], Record]] = {
    shape.__name__: shape
    for shape in (
        pushes,
        pushes_billed,
        pushes_in_a_row,
        pushes_of_one_drug,
        injections,
        one_bag,
        one_bag_in_a_chain,
        one_syringe_without_stop,
        bags_of_two,
        drips_at_once,
        known_drips_at_once,
        drips_in_a_row,
        missing_stops,
        missing_stops_at_once,
        missing_stops_unknown,
        one_missing_stop,
        one_unknown_drug,
        fluids_without_stop,
        slow_fluids,
        missing_routes,
        many_accesses,
        needed_accesses,
        needed_accesses_billed,
        unnamed_accesses,
        resited,
        runs,
        touching_runs,
        days,
        unknown_days,
        known_billed,
        long_pushes,
        office,
        office_drips_at_once,
        office_unknown,
        biologics,
        long_chemotherapy,
        procedures,
        unknown_payer,
        long_texts,
        nothing_stated,
        everything_open,
    )
}


class Measured(NamedTuple):
    """What one check took."""

    seconds: float
    megabytes: float
    """How much higher the peak of memory was after it than before."""
    questions: int
    cut: bool


def measured(name: str, count: int) -> Measured:
    """One check of a shape, by an engine that has checked a visit before."""
    engine = Engine()
    engine.check(visit())
    encounter = Encounter.model_validate(SHAPES[name](count))
    before, start = _peak(), process_time()
    result = engine.check(encounter)
    seconds = process_time() - start
    cut = any("cut-short" in each.name for each in result.violations)
    return Measured(seconds, _peak() - before, len(result.questions), cut)


def _peak() -> float:
    """The most memory that this process has held, in MB; Linux counts in kB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_000


def _line(name: str, count: int, taken: Measured, last: float | None) -> str:
    growth = "" if last is None else f"{taken.seconds / last:.1f} x"
    asked = f"{taken.questions} questions{', cut' if taken.cut else ''}"
    memory = f"{taken.megabytes:6.0f} MB"
    return f"{name:<26} {count:>6,} {taken.seconds:8.2f} s {growth:>8} {memory}  {asked}"


def main(argv: Sequence[str] | None = None) -> None:
    """Measure the shapes that the command line names, or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.long_charts", description=__doc__)
    parser.add_argument("shapes", nargs="*", metavar="SHAPE", help=", ".join(SHAPES))
    parser.add_argument("--counts", nargs="+", type=int, default=COUNTS, metavar="N")
    options = parser.parse_args(argv)
    for name in options.shapes or SHAPES:
        if name not in SHAPES:
            parser.error(f"there is no shape {name!r}")
        last: float | None = None
        for count in options.counts:
            with get_context("spawn").Pool(1) as pool:
                taken = pool.apply(measured, (name, count))
            print(_line(name, count, taken, last), flush=True)
            last = taken.seconds


if __name__ == "__main__":
    main()
