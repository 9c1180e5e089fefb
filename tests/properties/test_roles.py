"""Relations 40 to 59: initial, add-on, chemotherapy, repeats, concurrency, setting, sites."""

from __future__ import annotations

from collections import Counter

from hypothesis import assume, given
from hypothesis import strategies as st

from ivpush import Encounter, Engine, Result
from tests.properties.charts import (
    NEEDED,
    Dose,
    as_lines,
    billed,
    chart,
    doses,
    drip,
    encounters,
    fluid,
    push,
    settings_drawn,
    shot,
)
from tests.shipped import PACK

ENGINE = Engine(pack=PACK, policies={"encounter_boundary": "encounter_id"})
"""One record is one encounter here, however far apart its doses lie."""
INITIAL = {"96360", "96365", "96374", "96409", "96413"}
ADD_ON = {"96361", "96366", "96367", "96368", "96375", "96376", "96411", "96415", "96417"}
CHEMO = {
    "96374": "96409",
    "96375": "96411",
    "96365": "96413",
    "96366": "96415",
    "96367": "96417",
}


def units(encounter: Encounter) -> Counter[str]:
    count: Counter[str] = Counter()
    for line in ENGINE.check(encounter).suggested:
        count[line.code] += line.units
    return count


def initials(encounter: Encounter) -> list[tuple[str, ...]]:
    """The modifiers of each unit of an initial code."""
    return [
        line.modifiers
        for line in ENGINE.check(encounter).suggested
        for _ in range(line.units)
        if line.code in INITIAL
    ]


def initial_unit_count(result: Result) -> int:
    return sum(line.units for line in result.suggested if line.code in INITIAL)


@given(encounters())
def test_40_and_49_one_initial_a_chain_and_modifiers_on_the_rest(encounter: Encounter) -> None:
    work = ENGINE.work(encounter)
    modifiers = initials(encounter)
    assert len(modifiers) <= max(1, len(work.derived.chains))
    assert modifiers.count(()) <= 1
    for chain in work.derived.chains:
        assert sum(s.role == "initial" for s in chain.services) <= 1


@given(encounters())
def test_41_something_billable_by_vein_has_an_initial(encounter: Encounter) -> None:
    count = units(encounter)
    if any(code in ADD_ON for code in count):
        assert any(code in INITIAL for code in count)


@given(encounters())
def test_42_every_add_on_has_a_primary(encounter: Encounter) -> None:
    result = ENGINE.check(encounter)
    book = ENGINE.work(encounter).book
    codes = {line.code for line in result.suggested}
    for code in codes:
        primaries = book.primaries(code)
        assert not primaries or primaries & codes
        if primaries:
            lines = [x for x in as_lines(result.suggested) if x["code"] not in primaries]
            wrong = ENGINE.check(billed(encounter, lines))
            assert any(v.name == "addon-without-primary" for v in wrong.violations)


@given(doses(5, kinds=("push", "drip", "shot"), drugs=("u", "v", "w", "x", "y")), st.randoms())
def test_43_order_in_time_does_not_change_facility_codes(plan: list[Dose], rng: object) -> None:
    fresh = [dose.with_(drug=f"d{n}", minutes=dose.minutes or 2) for n, dose in enumerate(plan)]
    length = sum((dose.minutes or 0) + 60 for dose in fresh)

    def laid(order: list[Dose]) -> list[Dose]:
        at, out = 0, []
        for dose in order:
            out.append(dose.with_(offset=at))
            at += (dose.minutes or 0) + 5
        return out

    assume(length < 4000)
    shuffled = fresh[::-1]
    assert units(chart(*laid(fresh))) == units(chart(*laid(shuffled)))


@given(doses(4, kinds=("push", "shot"), categories=("therapeutic",)))
def test_44_a_lower_service_leaves_the_initial_and_a_higher_demotes_it(plan: list[Dose]) -> None:
    before = units(chart(*plan))
    assume(before["96374"] == 1)
    assert units(chart(*plan, fluid("low", 4000, 45))) == before + Counter({"96361": 1})
    after = units(chart(*plan, drip("high", 4000, 60, "new drug")))
    expected = before - Counter({"96374": 1}) + Counter({"96365": 1, "96375": 1})
    assert after == expected


@given(doses(5, kinds=("push", "drip", "fluid"), drugs=("u", "v", "w", "x", "y")))
def test_45_without_the_initial_the_next_leads_or_none(plan: list[Dose]) -> None:
    fresh = [
        dose if dose.category == "hydration" else dose.with_(drug=f"d{n}")
        for n, dose in enumerate(plan)
    ]
    work = ENGINE.work(chart(*fresh))
    lead = next((c.initial for c in work.derived.chains if c.initial is not None), None)
    assume(lead is not None)
    assert lead is not None
    gone = {administration.given.id for administration in lead.administrations}
    rest = [dose for dose in fresh if dose.id not in gone]
    assume(rest)
    left = ENGINE.work(chart(*rest))
    assert sum(c.initial is not None for c in left.derived.chains) <= 1
    if any(s.technique in {"push", "infusion"} for s in left.derived.services):
        assert sum(c.initial is not None for c in left.derived.chains) == 1


@given(doses(4, kinds=("push", "drip", "fluid"), categories=("therapeutic",)), st.data())
def test_46_the_primary_reason_leads_where_it_can(plan: list[Dose], data: st.DataObject) -> None:
    named = data.draw(st.sampled_from([dose.id for dose in plan]))
    encounter = chart(*plan, setting="professional", primary_administration=named)
    work = ENGINE.work(encounter)
    lead = next((c.initial for c in work.derived.chains if c.initial is not None), None)
    assume(lead is not None)
    assert lead is not None
    drugs = {dose.id: dose.drug for dose in plan}
    ids = {administration.given.id for administration in lead.administrations}
    # A push of a drug that its access also infuses repeats it: the infusion leads for both.
    infused = lead.technique == "infusion" and lead.family != "hydration"
    leads = named in ids or (infused and drugs[named] in {drugs[each] for each in ids})
    if work.derived.initial_by == "primary_reason":
        assert leads
    elif not leads:
        assert any(v.name == "primary-reason-cannot-lead" for v in work.result.violations)


@given(doses(4, kinds=("push", "drip"), categories=("therapeutic",), least=2), st.data())
def test_46_where_no_drip_runs_beside_another_any_named_drug_leads(
    plan: list[Dose], data: st.DataObject
) -> None:
    """Among plain drugs of their own, one after another, every add-on has a primary."""
    apart = [
        dose.with_(drug=f"d{n}", offset=1000 * n, minutes=min(dose.minutes or 2, 480))
        for n, dose in enumerate(plan)
    ]
    named = data.draw(st.sampled_from([dose.id for dose in apart]))
    work = ENGINE.work(chart(*apart, setting="professional", primary_administration=named))
    lead = work.derived.chains[0].initial
    assert lead is not None
    assert lead.lead.given.id == named
    assert work.derived.initial_by == "primary_reason"


@given(doses(5), st.data())
def test_46_a_fallback_bills_what_the_hierarchy_bills(
    plan: list[Dose], data: st.DataObject
) -> None:
    """And with or without it, no add-on stands without one of its primaries."""
    named = data.draw(st.sampled_from([dose.id for dose in plan]))
    office = chart(*plan, setting="professional", primary_administration=named)
    work = ENGINE.work(office)
    codes = {line.code for line in work.result.suggested}
    assert all(not (able := work.book.primaries(code)) or able & codes for code in codes)
    unnamed = units(chart(*plan, setting="professional"))
    if work.derived.initial_by == "fallback":
        assert units(office) == unnamed


@given(doses(5, kinds=("push", "drip", "shot"), categories=("therapeutic",)))
def test_47_all_chemotherapy_maps_code_by_code(plan: list[Dose]) -> None:
    plan = [
        dose.with_(offset=2000 * n, minutes=min(dose.minutes or 2, 480))
        for n, dose in enumerate(plan)
    ]
    plain = units(chart(*plan))
    chemo = units(chart(*[dose.with_(category="chemotherapy") for dose in plan]))
    del plain["96376"]
    shots = plain.pop("96372", 0)
    assert chemo.pop("96401", 0) == shots
    assert chemo == Counter({CHEMO[code]: count for code, count in plain.items()})


@given(doses(4, kinds=("push",), categories=("therapeutic",)))
def test_48_chemotherapy_on_a_push_chart_demotes_the_push(plan: list[Dose]) -> None:
    before = units(chart(*plan))
    after = units(chart(*plan, drip("c", 4000, 60, "chemo", category="chemotherapy")))
    assert after == before - Counter({"96374": 1}) + Counter({"96375": 1, "96413": 1})


@given(doses(4), settings_drawn)
def test_50_an_injection_changes_no_line_by_vein(plan: list[Dose], setting: str) -> None:
    before = units(chart(*plan, setting=setting))
    after = units(chart(*plan, shot("shot", 30, "other"), setting=setting))
    assert after == before + Counter({"96372": 1})


@given(st.integers(0, 200))
def test_51_a_repeat_push_counts_from_31_minutes(gap: int) -> None:
    encounter = chart(push("a"), push("b", gap))
    assert units(encounter)["96376"] == (gap >= 31)
    loose = Engine(pack=ENGINE.pack, policies={"same_drug_push_gap_minutes": 30})
    repeats = sum(s.units for s in loose.check(encounter).suggested if s.code == "96376")
    assert repeats == (gap >= 30)


@given(encounters())
def test_52_no_repeat_push_on_a_professional_claim(encounter: Encounter) -> None:
    record = encounter.model_dump(mode="json")
    record.update(setting="professional", type_of_bill=None, place_of_service="11")
    office = Encounter.model_validate(record)
    assert units(office)["96376"] == 0
    wrong = ENGINE.check(billed(office, [{"code": "96376", "units": 1}]))
    severities = [v.severity for v in wrong.violations if v.name == "code-outside-its-setting"]
    assert "error" in severities


@given(st.lists(st.integers(0, 300), min_size=1, max_size=12))
def test_53_repeats_fit_into_the_time(offsets: list[int]) -> None:
    plan = [push(f"a{n}", at) for n, at in enumerate(sorted(offsets))]
    span = max(offsets) - min(offsets)
    assert units(chart(*plan))["96376"] <= min(len(offsets) - 1, span // 31)


@given(doses(5, kinds=("push",), categories=("therapeutic",)), st.data())
def test_54_a_fresh_drug_never_lowers_the_units(plan: list[Dose], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(plan) - 1))
    fresh = [dose.with_(drug="fresh") if n == at else dose for n, dose in enumerate(plan)]
    assert sum(units(chart(*fresh)).values()) >= sum(units(chart(*plan)).values())


@given(st.integers(0, 60), settings_drawn)
def test_55_a_mixture_is_one_service(at: int, setting: str) -> None:
    pair = [push("a", at, "x"), push("b", at, "y")]
    mixed = [pair[0], pair[1].with_(extra=(("mixed_with", "a"),))]
    before = units(chart(push("z", 300, "z"), *pair, setting=setting))
    after = units(chart(push("z", 300, "z"), *mixed, setting=setting))
    assert after == before - Counter({"96375": 1})


@given(st.integers(1, 5), st.integers(16, 200))
def test_56_one_concurrent_an_encounter(bags: int, minutes: int) -> None:
    plan = [drip(f"a{n}", 0, minutes, f"d{n}") for n in range(bags)]
    count = units(chart(*plan, push("p", 5, "pushed")))
    assert count["96368"] == (bags > 1)
    assert count["96375"] == 1


NOTHING = ("flush", "keep_open", "imaging", "procedure", "drug_carrier")


@given(doses(4), st.sampled_from(NOTHING), settings_drawn)
def test_57_what_serves_another_purpose_changes_nothing(
    plan: list[Dose], purpose: str, setting: str
) -> None:
    more = push("n", 45, "other", extra=(("purpose", purpose),))
    assert units(chart(*plan, more, setting=setting)) == units(chart(*plan, setting=setting))


@given(doses(4), st.sampled_from(("PO", "IM", "SC", "SL", "INH", "TOP")))
def test_57_other_routes_never_are_pushes_by_vein(plan: list[Dose], route: str) -> None:
    injected = {"category": "therapeutic", "method": "injection", "minutes": 2}
    moved = [dose.with_(route=route, **injected) for dose in plan]
    assert not {"96374", "96375", "96376"} & set(units(chart(*moved)))


FACILITY_PLACES = ("21", "22", "23", "24", "19")


@given(
    doses(4, kinds=("push", "drip"), categories=("therapeutic",)), st.sampled_from(FACILITY_PLACES)
)
def test_58_a_professional_claim_in_a_facility_place_earns_nothing(
    plan: list[Dose], place: str
) -> None:
    lines = [{"code": "96374", "units": 1}, {"code": "96375", "units": 1}]
    office = billed(chart(*plan, setting="professional", place_of_service=place), lines)
    result = ENGINE.check(office)
    assert result.suggested == ()
    assert {v.line for v in result.violations if v.severity == "error"} == {1, 2}
    assert ENGINE.check(chart(*plan)).suggested != ()


@given(doses(4, kinds=("push", "drip"), drugs=("u", "v", "w", "x"), categories=("therapeutic",)))
def test_59_a_documented_site_is_a_chain_of_its_own(plan: list[Dose]) -> None:
    fresh = [dose.with_(drug=f"d{n}") for n, dose in enumerate(plan)]
    other = Dose("z", drug="apart", site="right arm", offset=3000, minutes=2)
    with_need = ENGINE.check(chart(*fresh, other.with_(extra=NEEDED)))
    without = ENGINE.check(chart(*fresh, other))
    one_site = units(chart(*fresh, other.with_(site="left arm")))
    assert initial_unit_count(with_need) == 2
    assert initial_unit_count(without) == 1
    assert units(chart(*fresh, other)) == one_site
    assert any(v.name == "further-site-undocumented" for v in without.violations)


@given(doses(4, kinds=("push", "drip", "fluid")))
def test_59_two_lumens_are_one_site(plan: list[Dose]) -> None:
    lumens = [dose.with_(extra=(("lumen", f"lumen {n % 2}"),)) for n, dose in enumerate(plan)]
    assert units(chart(*lumens)) == units(chart(*plan))
