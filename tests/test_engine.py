"""One encounter in, one result out: the contract's promises, and every kind of bad claim."""

from __future__ import annotations

import json
import pickle
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from ivpush import Encounter, Engine, Result
from ivpush.batch import EngineOptions, Plan, check_many, run
from ivpush.contract.result import Between, Violation
from ivpush.errors import InputError, IvpushError, UsageError
from ivpush.pack.folder import rules_folder
from tests.shipped import ENGINE, PACK

DAY = "2026-03-02"


def given(
    key: str, start: str | None = None, stop: str | None = None, **more: Any
) -> dict[str, Any]:
    record = {"id": key, "drug": f"drug {key}", "route": "IV", "method": "push", **more}
    record |= {"start": start and f"{DAY}T{start}", "stop": stop and f"{DAY}T{stop}"}
    return {name: value for name, value in record.items() if value is not None}


def line(number: int, code: str, units: int = 1, **more: Any) -> dict[str, Any]:
    return {"number": number, "code": code, "units": units, **more}


def check(
    administrations: Any = None, lines: Any = None, engine: Engine = ENGINE, **more: Any
) -> Result:
    record = {
        "id": "E1",
        "setting": "facility",
        "type_of_bill": "131",
        "date": DAY,
        "administrations": administrations,
        "lines": lines,
        **more,
    }
    return engine.check(Encounter.model_validate(record))


def names(result: Result, severity: str | None = None) -> set[str]:
    return {
        violation.name for violation in result.violations if severity in {None, violation.severity}
    }


def codes(result: Result) -> dict[str, int]:
    return {line.code: line.units for line in result.suggested}


def named(result: Result, name: str) -> Violation:
    return next(violation for violation in result.violations if violation.name == name)


WORKED = (
    [
        given("a1", "10:00", "10:02", drug="ondansetron", hcpcs="J2405", ordered=True),
        given("a2", "10:05", "10:06", drug="ketorolac", hcpcs="J1885", ordered=True),
        given("a3", "10:50", "10:52", drug="ondansetron", hcpcs="J2405", ordered=True),
    ],
    [line(1, "96374", 2), line(2, "96375")],
)


def built(**options: Any) -> Engine:
    return EngineOptions(**options).engine()


def planned(**options: Any) -> None:
    run(Plan(**options))


@pytest.mark.parametrize(
    ("door", "given", "said"),
    [
        (Engine, {"packs": "ours"}, "packs: is of the type str; give a list of folders"),
        (Engine, {"packs": ["/nowhere/at/all"]}, "/nowhere/at/all: is no folder of rules"),
        (built, {"packs": "ours"}, "packs: is of the type str"),
        (Engine, {"policies": ["x"]}, "policies: is of the type list"),
        (Engine, {"policies": {"x": "y"}}, "policy x: does not exist"),
        (
            ENGINE.check_many,
            {"encounters": "abc"},
            "records: is one record; give a list of records",
        ),
        (ENGINE.check_many, {"encounters": {"id": "E1"}}, "records: is one record"),
        (check_many, {"records": "abc"}, "records: is one record"),
        (check_many, {"records": b"{}"}, "records: is one record"),
        (check_many, {"records": {"id": "E1"}}, "records: is one record"),
        (check_many, {"records": [], "options": {"payer": "x"}}, "options: is of the type dict"),
        (check_many, {"records": [], "workers": -1}, "workers: is too small; write 0 or more"),
        (check_many, {"records": [], "chunk": 0}, "chunk: is too small; write 1 or more"),
        (run, {"plan": "f"}, "plan: is of the type str; give ivpush.batch.Plan"),
        (planned, {"files": "f"}, "files: is of the type str"),
        (planned, {"files": ["f"], "outputs": ["csv", "o"]}, "outputs: is of the type str"),
        (planned, {"files": ["f"], "workers": -1}, "workers: is too small"),
    ],
)
def test_an_argument_of_another_kind_is_named(
    door: Callable[..., object], given: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError) as refused:
        door(**given)
    assert said in str(refused.value)


@pytest.mark.parametrize("payer", ["medicaer", "Medicare", ""])
def test_a_payer_given_to_the_engine_has_an_overlay(payer: str) -> None:
    with pytest.raises(UsageError, match="payer: has no overlay in this pack"):
        Engine(payer=payer)
    with pytest.raises(UsageError, match="payer: has no overlay in this pack"):
        EngineOptions(payer=payer).engine()
    with pytest.raises(UsageError, match="payer: has no overlay in this pack"):
        list(check_many([], EngineOptions(payer=payer)))


def test_the_worked_example() -> None:
    result = check(*WORKED)
    assert [(s.code, s.units, s.administrations) for s in result.suggested] == [
        ("96374", 1, ("a1",)),
        ("96375", 1, ("a2",)),
        ("96376", 1, ("a3",)),
    ]
    assert named(result, "several-initials").line == 1
    assert named(result, "missed-charge").severity == "warning"
    assert {"IVP707", "IVP708"} <= {one.rule for one in result.unjudged}
    assert result.corrected is not None
    assert [(c.number, c.code, c.units) for c in result.corrected] == [
        (1, "96374", 1),
        (2, "96375", 1),
        (3, "96376", 1),
    ]
    assert result.status == "violations"


def test_in_an_office_the_repeat_bills_nothing_and_says_so() -> None:
    result = check(WORKED[0], setting="professional", type_of_bill=None, place_of_service="11")
    assert codes(result) == {"96374": 1, "96375": 1}
    (entry,) = result.not_billable
    assert entry.administration == "a3"
    assert entry.because and entry.cites


def test_each_violation_carries_reason_fix_and_citation() -> None:
    for violation in check(*WORKED).violations:
        assert violation.message and violation.fix and violation.cites and violation.name
        assert all(cite in PACK.sources for cite in violation.cites)


# --- what an encounter may lack


@pytest.mark.parametrize(
    ("more", "status"),
    [
        # Nothing came that could be judged.
        ({}, "needs_chart"),
        ({"lines": []}, "needs_chart"),
        # What is billed is right or wrong by the chart alone.
        ({"lines": [line(1, "96374")]}, "needs_chart"),
        ({"lines": [line(1, "99213"), line(2, "J2405")]}, "needs_chart"),
        # A claim decides what is billed for other services, and what it contradicts itself in.
        ({"lines": [line(1, "80053")]}, "clean"),
        ({"lines": [line(1, "96375")]}, "violations"),
        # A chart that says that nothing was given is a chart.
        ({"administrations": []}, "clean"),
        ({"administrations": [], "lines": []}, "clean"),
        ({"administrations": [], "lines": [line(1, "80053")]}, "clean"),
        ({"administrations": [], "lines": [line(1, "96374")]}, "violations"),
    ],
)
def test_clean_is_what_could_be_judged(more: dict[str, Any], status: str) -> None:
    record = {"id": "E1", "setting": "facility", "type_of_bill": "131", "date": "2026-03-02"}
    work = ENGINE.work(Encounter.model_validate({**record, **more}))
    assert work.result.status == status
    # Silent errors leave the status that the rest of the encounter has.
    silent = frozenset(rule.id for rule in PACK.every_rule)
    work.tell(silent)
    needs = more.get("administrations") is None and more.get("lines") != [line(1, "80053")]
    assert work.result.status == ("needs_chart" if needs else "clean")


def test_lines_without_a_chart_are_checked_against_themselves() -> None:
    result = check(None, [line(1, "96375"), line(2, "96374", 3)])
    assert result.suggested == () == result.lines
    assert "addon-without-primary" not in names(result)
    assert "several-initials" in names(result, "error")
    assert check(None, [line(1, "96375")]).violations
    assert {"IVP901"} & {one.rule for one in result.unjudged}
    assert result.corrected is None
    assert result.withheld is not None and "several-initials on line 2" in result.withheld


def test_an_empty_chart_supports_nothing() -> None:
    result = check([], [line(1, "96374")])
    assert [one.status for one in result.lines] == ["unsupported"]
    assert result.corrected == ()
    assert result.status == "violations"


def test_a_chart_without_a_claim_is_coded() -> None:
    result = check(WORKED[0], None)
    assert codes(result) == {"96374": 1, "96375": 1, "96376": 1}
    assert result.lines == () == result.corrected
    assert "missed-charge" not in names(result)


def test_an_empty_claim_misses_every_charge() -> None:
    result = check(WORKED[0], [])
    assert len([v for v in result.violations if v.name == "missed-charge"]) == 3
    assert result.corrected is not None
    assert [one.number for one in result.corrected] == [1, 2, 3]


# --- bad claims and charts


def test_an_unknown_code_in_the_family_range_is_a_finding() -> None:
    assert "unknown-administration-code" in names(check([], [line(1, "96378")]))
    assert [one.status for one in check([], [line(1, "Z9999")]).lines] == ["outside"]


def test_a_deleted_code_names_its_successor() -> None:
    result = check([given("a1", "10:00", drug="ondansetron")], [line(1, "90774")])
    assert "96374" in named(result, "deleted-code").message + named(result, "deleted-code").fix
    assert result.corrected is not None
    assert [one.code for one in result.corrected] == ["96374"]


def test_an_unknown_drug_is_coded_and_reported() -> None:
    result = check([given("a1", "10:00", drug="zzyzx")], None)
    assert codes(result) == {"96374": 1}
    assert "drug-not-in-table" in names(result)


def test_stop_before_start_is_a_finding_and_no_minutes() -> None:
    result = check([given("a1", "11:00", "10:00", method="infusion")], None)
    assert "stop-before-start" in names(result, "error")
    assert "96365" not in codes(result)


def test_a_48_hour_push_is_implausible_and_an_infusion() -> None:
    drug = {**given("a1"), "start": f"{DAY}T10:00", "stop": "2026-03-04T10:00"}
    result = check([drug], None)
    assert "implausible-push" in names(result)
    assert [(s.code, str(s.date), s.units) for s in result.suggested] == [
        ("96365", DAY, 1),
        ("96366", DAY, 13),
        ("96366", "2026-03-03", 24),
        ("96366", "2026-03-04", 10),
    ]
    assert "units-over-limit" not in names(result)


def test_long_minutes_are_implausible_and_absurd_ones_count_as_missing() -> None:
    long = check([given("a1", method="infusion", minutes=2_000)], None)
    assert "implausible-infusion" in names(long)
    absurd = check([given("a1", method="infusion", minutes=1_000_000)], None)
    assert "overlong-administration" in names(absurd)
    assert absurd.suggested == ()


def test_one_person_cannot_attend_two_pushes_at_once() -> None:
    more = {"performer": "n1", "continuously_attended": True}
    pushes = [given("a1", "10:00", "10:10", **more), given("a2", "10:05", "10:12", **more)]
    assert "overlapping-attended-pushes" in names(check(pushes, None))
    pushes[1]["performer"] = "n2"
    assert "overlapping-attended-pushes" not in names(check(pushes, None))


def test_450_lines_are_read_and_every_one_gets_a_verdict() -> None:
    lines = [line(n, "96375" if n > 1 else "96374") for n in range(1, 451)]
    pushes = [given(f"a{n}", f"{8 + n // 60:02d}:{n % 60:02d}") for n in range(450)]
    result = check(pushes, lines)
    assert codes(result) == {"96374": 1, "96375": 449}
    assert len(result.lines) == 450
    assert {one.status for one in result.lines} == {"matched"}


def test_a_line_of_zero_units_is_no_crash() -> None:
    assert check([given("a1", "10:00")], [line(1, "96374", 0)]).violations


# --- questions


def test_a_missing_stop_is_asked_with_what_each_answer_bills() -> None:
    result = check([given("a1", "10:00", method="infusion")], [line(1, "96365")])
    (question,) = result.questions
    assert question.administration == "a1"
    assert question.missing == "administrations[0].stop"
    assert result.corrected is None
    bills = [tuple(s.code for s in answer.suggested) for answer in question.answers]
    assert bills[0] != bills[1]
    low = 0
    for answer in question.answers:
        assert isinstance(answer.when, Between) and answer.when.low == low
        low = (answer.when.high or 0) + 1


def test_an_open_question_elsewhere_lets_the_claim_be_corrected() -> None:
    result = check([given("a1", "10:00", method="infusion")], [line(1, "99283")])
    assert result.questions
    assert result.corrected is not None


def test_status_is_needs_chart_where_a_question_is_open_and_no_error() -> None:
    result = check([given("a1", "10:00", method="infusion")], None)
    assert result.status == "needs_chart"


def told(result: Result, missing: str) -> dict[Any, list[str]]:
    """Codes of each answer of the question about a field."""
    (question,) = [one for one in result.questions if one.missing == missing]
    return {
        answer.when.value: sorted(["-".join((s.code, *s.modifiers)) for s in answer.suggested])  # type: ignore[union-attr]
        for answer in question.answers
    }


def test_a_drug_that_no_table_holds_is_asked_for_its_class() -> None:
    answers = told(check([given("a1", "10:00")]), "administrations[0].category")
    assert answers["therapeutic"] == ["96374"]
    assert answers["chemotherapy"] == ["96409"]
    assert not check([given("a1", "10:00", category="therapeutic")]).questions
    assert not check([given("a1", "10:00", drug="ondansetron")]).questions


def test_the_position_of_an_unknown_payer_is_asked_where_it_decides() -> None:
    record = [given("a1", "10:00", "10:15", drug="ondansetron", method="infusion")]
    result = check(record, payer="some_plan")
    assert told(result, "policy.exact_15_minutes") == {"push": ["96374"], "infusion": ["96365"]}
    assert [one.missing for one in result.questions] == ["policy.exact_15_minutes"]
    assert not check(record).questions
    assert not check(record, payer="medicare").questions
    engine = Engine(pack=PACK, policies={"exact_15_minutes": "infusion"})
    settled = check(record, engine=engine, payer="some_plan")
    assert [one.code for one in settled.suggested] == ["96365"]
    assert not settled.questions


# --- the engine itself


def test_the_same_input_gives_the_same_bytes() -> None:
    first = check(*WORKED).to_json()
    assert {check(*WORKED, engine=Engine(pack=PACK)).to_json() for _ in range(3)} == {first}


def test_results_survive_json() -> None:
    for result in (
        check(*WORKED),
        check([given("a", "10:00", method="infusion")], [line(1, "96365")]),
    ):
        again = Result.from_json(result.to_json())
        assert again == result
        assert again.to_json() == result.to_json()
        assert list(result.to_dict()) == [
            "schema",
            "ivpush",
            "encounter",
            "pack",
            "status",
            "suggested",
            "not_billable",
            "questions",
            "violations",
            "unjudged",
            "lines",
            "corrected",
            "withheld",
            "checked",
            "visit",
        ]


def test_an_engine_is_picklable_and_thread_safe() -> None:
    engine = pickle.loads(
        pickle.dumps(Engine("medicare", policies={"long_push": "warn"}, pack=PACK))
    )
    assert engine.payer == "medicare"
    record = Encounter.model_validate(
        {
            "id": "E1",
            "setting": "facility",
            "date": DAY,
            "administrations": WORKED[0],
            "lines": WORKED[1],
        }
    )
    wanted = engine.check(record).to_json()
    with ThreadPoolExecutor(8) as pool:
        assert {one.to_json() for one in pool.map(engine.check, [record] * 64)} == {wanted}


def test_check_many_is_lazy_and_in_order() -> None:
    def records() -> Any:
        for n in range(3):
            yield Encounter.model_validate({"id": f"E{n}", "setting": "facility"})
        raise AssertionError("read too far")

    results = ENGINE.check_many(records())
    assert [next(results).encounter for _ in range(3)] == ["E0", "E1", "E2"]


def test_policies_change_what_they_say() -> None:
    strict = Engine(pack=PACK, policies={"missing_stop_time": "deny"})
    drip = [given("a1", "10:00", method="infusion", drug="ceftriaxone")]
    assert codes(check(drip)) == {"96374": 1}
    assert codes(check(drip, engine=strict)) == {}


CONCURRENT = [
    given(f"{kind}{n}", drug=drug, method="infusion") | {"start": start, "stop": stop}
    for n, day, hour in ((1, 2, 8), (2, 2, 20), (3, 3, 8))
    for kind, drug, start, stop in (
        ("c", "ceftriaxone", f"2026-03-0{day}T{hour:02}:00", f"2026-03-0{day}T{hour:02}:59"),
        ("v", "vancomycin", f"2026-03-0{day}T{hour:02}:05", f"2026-03-0{day}T{hour + 1:02}:20"),
    )
]
"""Two bags at once in the morning and in the evening of a day, and in the morning of the next."""


@pytest.mark.parametrize(
    ("bound", "days"),
    [("encounter_id", ["02"]), ("calendar_day", ["02", "03"]), ("gap_hours", ["02", "03"])],
)
def test_a_concurrent_infusion_once_in_what_the_policy_bounds(bound: str, days: list[str]) -> None:
    engine = Engine(pack=PACK, policies={"encounter_boundary": bound})
    suggested = check(CONCURRENT, None, engine).suggested
    concurrent = [bill for bill in suggested if bill.code == "96368"]
    assert [(bill.units, str(bill.date)) for bill in concurrent] == [
        (1, f"2026-03-{day}") for day in days
    ]
    lines = [
        line(number, bill.code, bill.units, modifiers=list(bill.modifiers), date=str(bill.date))
        for number, bill in enumerate(suggested, 1)
    ]
    assert check(CONCURRENT, lines, engine).status == "clean"


CANARY = "Jane Doe 078-05-1120"


def test_no_free_text_reaches_the_result() -> None:
    drug = given(
        "a1",
        "10:00",
        "10:40",
        drug=CANARY,
        method="infusion",
        site=CANARY,
        separate_site_reason=CANARY,
        dose=1,
        dose_unit=CANARY,
        lumen=CANARY,
        administered_by=CANARY,
        performer="n1",
    )
    other = given("a2", "10:00", drug=CANARY + " 2", site="other " + CANARY)
    result = check([drug, other], [line(1, "96365", 9), line(2, "96413")])
    assert CANARY not in result.to_json().decode()
    assert CANARY not in repr(result) + str(result)


RECORD = {
    "id": "E1",
    "setting": "facility",
    "date": "2026-03-02",
    "lines": [{"number": 1, "code": "96375", "units": 1}],
}


def test_an_encounter_may_come_as_a_dictionary_or_as_json() -> None:
    engine = Engine(pack=PACK)
    expected = engine.check(Encounter.model_validate(RECORD))
    for given_as in (RECORD, json.dumps(RECORD), json.dumps(RECORD).encode()):
        assert engine.check(given_as) == expected
    assert list(engine.check_many([RECORD])) == [expected]
    for wrong in (None, 7, ["a"], object()):
        with pytest.raises(InputError, match="give an Encounter, a dictionary or JSON"):
            engine.check(wrong)  # type: ignore[arg-type]


def test_a_result_says_which_rules_spoke(tmp_path: Path) -> None:
    engine = Engine("medicare", policies={"long_push": "warn"}, pack=PACK)
    stamp = engine.check(RECORD).pack
    assert [(layer.name, layer.version) for layer in stamp.layers] == [(PACK.name, PACK.version)]
    assert stamp.policies["long_push"] == "warn"
    assert "exact_15_minutes" not in stamp.policies  # as by default
    more = tmp_path / "acme" / "checks" / "drug"
    more.mkdir(parents=True)
    rule = next((rules_folder() / "checks" / "drug").glob("IVP802-*.yaml")).read_text("utf-8")
    text = rule.replace("IVP802", "IVP890").replace("drug-line-missing", "our-drug-line-missing")
    (more / "IVP890-our-drug-line-missing.yaml").write_text(text, "utf-8")
    stacked = Engine(packs=[tmp_path / "acme"]).check(RECORD).pack
    assert [layer.name for layer in stacked.layers] == [PACK.name, "acme"]
    assert stacked.layers[0] == stamp.layers[0]
    assert stacked.layers[1].version is None
    assert stacked.version == f"{PACK.version}+{stacked.layers[1].hash[:12]}"
    (more / "IVP890-our-drug-line-missing.yaml").write_text(text + "\n", "utf-8")
    changed = Engine(packs=[tmp_path / "acme"]).check(RECORD).pack
    assert changed.layers[1].hash != stacked.layers[1].hash


def test_a_result_is_asked_in_plain_words() -> None:
    result = Engine(pack=PACK).check(RECORD)
    assert not result.ok
    assert {each.severity for each in result.errors} == {"error"}
    parts = (*result.errors, *result.warnings, *result.notes)
    assert sorted(map(repr, parts)) == sorted(map(repr, result.violations))
    assert sum(result.by_line().values(), ()) == result.violations
    assert all(
        each.line == number for number, all_of in result.by_line().items() for each in all_of
    )
    right = Engine(pack=PACK).check({**RECORD, "administrations": [], "lines": []})
    assert right.ok


def test_no_door_repeats_a_value() -> None:
    secret = "JANE ROE 1960-01-01"
    doors: list[Callable[[], object]] = [
        lambda: Encounter(id="E1", setting=secret),  # type: ignore[arg-type]
        lambda: Encounter(id="E1", setting="facility", **{secret: 1}),  # type: ignore[arg-type]
        lambda: Encounter.model_validate({"id": "E1", "setting": secret}),
        lambda: Encounter.model_validate_json(json.dumps({"id": [secret]})),
        lambda: setattr(Encounter(id="E1", setting="facility"), "id", secret),
        lambda: Result.from_json(json.dumps({"encounter": "E1", "suggested": secret})),
        lambda: Engine(pack=PACK).check({"id": "E1", "setting": "facility", "date": secret}),
    ]
    for door in doors:
        with pytest.raises(IvpushError) as caught:
            door()
        assert "JANE" not in "".join(traceback.format_exception(caught.value))


def test_the_sources_of_a_result_are_resolved() -> None:
    engine = Engine(pack=PACK)
    result = engine.check(RECORD)
    sources = engine.sources(result)
    cited = {cite for each in result.violations for cite in each.cites}
    assert cited and cited <= set(sources)
    assert all(source.title and source.title in str(source) for source in sources.values())
