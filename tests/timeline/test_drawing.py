"""What is drawn is what was coded: codes, minutes that count, minutes that decided."""

from __future__ import annotations

import copy
import pickle
from datetime import datetime, timedelta

import pytest

from ivpush import Encounter, Engine, Result
from ivpush.clock import local_time
from ivpush.errors import UsageError
from ivpush.testing.samples import encounters as samples
from ivpush.timeline import Given, Timeline
from tests.shipped import ENGINE
from tests.timeline.visits import NIGHT, OPEN, SIX, Record, given, visit

MINUTE = timedelta(minutes=1)


def drawn(record: Record) -> dict[str, Given]:
    every = ENGINE.check(record).timeline().drawing.given
    assert every is not None
    return {each.id: each for each in every}


def counted(each: Given) -> int:
    return sum((stretch.stop - stretch.start for stretch in each.counted), timedelta()) // MINUTE


def test_every_administration_is_drawn_once_with_the_codes_it_stands_in() -> None:
    for record in samples(31, 60, engine=ENGINE):
        encounter = Encounter.model_validate(record)
        result = ENGINE.check(encounter)
        every = result.timeline().drawing.given
        assert every is not None
        charted = encounter.administrations or ()
        assert [each.id for each in every] == [each.id for each in charted]
        billed = {id for line in result.suggested for id in line.administrations}
        assert {each.id for each in every if each.codes} == billed
        barred = {each.administration: each.because for each in result.not_billable}
        assert {each.id: each.because for each in every if each.because is not None} == barred
        asked = {each.administration for each in result.questions} - {None}
        assert {each.id for each in every if each.missing} == asked


def test_minutes_count_within_the_run_and_those_of_fluids_only_where_no_drug_runs() -> None:
    for record in samples(32, 60, engine=ENGINE):
        work = ENGINE.work(record)
        every = work.visit().drawing.given or ()
        for each, facts in zip(every, work.derived.administrations, strict=True):
            if not each.counted:
                continue
            assert each.start is not None and each.stop is not None
            assert each.start <= each.counted[0].start and each.counted[-1].stop <= each.stop
            if facts.family != "hydration":
                assert counted(each) == facts.running_minutes
    hydration = drawn(SIX)["a2"]
    assert (counted(hydration), hydration.minutes) == (95, 170)


@pytest.mark.parametrize("drug", ["ceftriaxone", "normal saline", "paclitaxel"])
def test_at_a_mark_and_a_minute_later_something_else_is_billed(drug: str) -> None:
    purpose = "hydration" if drug == "normal saline" else None

    def run(minutes: int) -> Record:
        stop = (datetime(2026, 3, 2, 8) + timedelta(minutes=minutes)).isoformat()
        return visit(given("a", drug, "infusion", "08:00", stop, purpose=purpose))

    def billed(minutes: int) -> list[tuple[str, int]]:
        return [(line.code, line.units) for line in ENGINE.suggest(run(minutes))]

    marks = drawn(run(200))["a"].marks
    deciding = [mark for mark in marks if "first hour" not in mark.text]
    assert [mark.minutes for mark in deciding] == ([30] if purpose else [15]) + [90, 150, 210]
    for mark in deciding:
        assert mark.at == datetime(2026, 3, 2, 8) + mark.minutes * MINUTE
        assert billed(mark.minutes) != billed(mark.minutes + 1)


def test_marks_follow_the_policy_in_force() -> None:
    record = visit(given("a", "normal saline", "infusion", "08:00", "09:50", purpose="hydration"))
    engine = Engine(policies={"hydration_floor_minutes": 16, "additional_hour_minutes": 60})
    every = engine.check(record).timeline().drawing.given or ()
    assert [mark.minutes for mark in every[0].marks] == [15, 60, 119]


def test_a_repeat_push_shows_from_which_push_its_gap_is_measured() -> None:
    repeat = drawn(SIX)["a5"]
    assert repeat.since == datetime(2026, 3, 2, 9, 10)
    assert [mark.at for mark in repeat.marks] == [datetime(2026, 3, 2, 9, 40)]
    assert drawn(SIX)["a3"].since is None


def test_lanes_are_numbered_sites_or_routes() -> None:
    assert {id: each.lane for id, each in drawn(NIGHT).items()} == {
        "a1": "access S1",
        "a2": "access S2",
        "a3": "access S1",
        "a4": "route IM",
    }
    assert drawn(OPEN)["a3"].lane == "access not charted"


def test_an_infusion_without_a_stop_is_a_run_that_waits() -> None:
    waiting = drawn(OPEN)["a1"]
    assert (waiting.shape, waiting.stop, waiting.missing) == ("run", None, ("stop",))


def test_clock_times_are_those_of_the_ward_on_both_sides_of_a_change_of_clocks() -> None:
    night = visit(
        given("a", "vancomycin", "infusion", "2026-03-08T01:30", "2026-03-08T03:30"),
        date="2026-03-08",
        timezone="America/Chicago",
    )
    run = drawn(night)["a"]
    assert run.start is not None and run.stop is not None
    assert (f"{run.start:%H:%M}", f"{run.stop:%H:%M}") == ("01:30", "03:30")
    assert (run.stop - run.start, run.minutes) == (timedelta(hours=1), 60)


def test_an_instant_beyond_the_calendar_still_has_a_clock() -> None:
    assert local_time(10**15, None).year == 9999
    pump = given("a", "fluorouracil", "infusion", "08:00", "9999-12-31T23:59-05:00")
    pump |= {"device": "ambulatory_pump", "start": "2026-03-02T08:00-05:00"}
    assert "<svg" in ENGINE.check(visit(pump)).timeline().svg()


# What a result keeps


def test_a_result_that_was_read_back_is_drawn_if_it_holds_its_visit() -> None:
    result = ENGINE.check(SIX, visit=True)
    again = Result.from_json(result.to_json())
    assert again == result and again.visit is not None
    assert (again.visit.setting, again.visit.lines) == ("facility", None)
    assert again.timeline().svg() == result.timeline().svg()
    assert list(ENGINE.check_many([SIX], visit=True)) == [result]


def test_a_result_without_its_visit_says_how_to_get_one() -> None:
    plain = ENGINE.check(SIX)
    assert plain.visit is None and plain == Result.from_json(plain.to_json())
    assert b"ceftriaxone" in plain.to_json() and b'"visit":null' in plain.to_json()
    for gone in (Result.from_json(plain.to_json()), pickle.loads(pickle.dumps(plain))):
        with pytest.raises(UsageError, match="holds no chart to draw") as caught:
            gone.timeline()
        assert "visit=True" in str(caught.value)
        assert "<table>" not in gone._repr_html_() or "<svg" not in gone._repr_html_()
    assert copy.copy(plain).timeline() == plain.timeline()


def test_a_document_cannot_smuggle_a_maker_in() -> None:
    text = ENGINE.check(SIX).to_json().replace(b'"visit":null', b'"make_visit":"x"')
    assert Result.from_json(text).make_visit is None


def test_a_notebook_shows_the_drawing_below_the_findings() -> None:
    result = ENGINE.check({**SIX, "lines": [{"number": 1, "code": "96375", "units": 1}]})
    html = result._repr_html_()
    assert html.index("<table>") < html.index("<svg")
    assert "<svg" not in ENGINE.check(visit())._repr_html_()


def test_no_form_of_a_drawing_holds_the_charts_words_unless_asked() -> None:
    canary = "Jane-Doe-078-05-1120"
    record = visit(
        given(
            "a1",
            canary,
            "infusion",
            "09:00",
            "10:00",
            **dict.fromkeys(("site", "lumen", "stopped_early", "administered_by"), canary),
        ),
        given("a2", "morphine", "push", "09:30", site="b", separate_site_reason=canary),
    )
    result = ENGINE.check(record)

    def forms(timeline: Timeline) -> str:
        return timeline.svg() + timeline.html() + timeline.text()

    assert canary not in forms(result.timeline())
    assert canary.encode() not in ENGINE.check(record, visit=True).to_json()
    assert canary in forms(result.timeline(show_text=True))
