"""Push, infusion or injection: by route, minutes and what the chart says was done."""

from __future__ import annotations

from typing import Any

import pytest

from ivpush import Result
from tests.visits import (
    DAY,
    answers,
    asked,
    billed,
    check,
    dose,
    drip,
    fluid,
    line,
    push,
    reasons,
    work,
)

PUSH, INFUSION, INJECTION = [("96374", 1)], [("96365", 1)], [("96372", 1)]


@pytest.mark.parametrize(
    ("policy", "minutes", "codes"),
    [
        ("push", 15, PUSH),
        ("push", 16, INFUSION),
        ("infusion", 14, PUSH),
        ("infusion", 15, INFUSION),
    ],
)
def test_fifteen_minutes_are_a_push_unless_the_policy_says_infusion(
    policy: str, minutes: int, codes: list[tuple[str, int]]
) -> None:
    administration = drip("a", "10:00", f"10:{minutes}")
    assert billed(check(administration, policies={"exact_15_minutes": policy})) == codes


@pytest.mark.parametrize(
    ("policy", "attended", "codes"),
    [
        ("push", True, PUSH),
        ("push", False, INFUSION),
        ("warn", True, PUSH),
        ("infusion", True, INFUSION),
        ("infusion", False, INFUSION),
    ],
)
def test_a_long_push_is_a_push_if_attended_throughout(
    policy: str, attended: bool, codes: list[tuple[str, int]]
) -> None:
    administration = push("a", "10:00", "10:25", continuously_attended=attended)
    assert billed(check(administration, policies={"long_push": policy})) == codes


@pytest.mark.parametrize(
    ("policy", "drug", "codes"),
    [
        ("compute_then_push_if_drug_allows", "ondansetron", PUSH),
        ("compute_then_push_if_drug_allows", "unheard of", []),
        ("compute_only", "ondansetron", []),
        ("deny", "ondansetron", []),
        ("last_charted_time", "ondansetron", []),
        ("push", "unheard of", PUSH),
    ],
)
def test_a_drip_without_a_stop_bills_as_the_policy_says(
    policy: str, drug: str, codes: list[tuple[str, int]]
) -> None:
    administration = drip("a", "10:00", drug=drug)
    assert billed(check(administration, policies={"missing_stop_time": policy})) == codes


def test_hydration_is_never_a_push_unless_the_policy_says_so() -> None:
    short = fluid("a", "10:00", "10:10")
    assert billed(check(short)) == []
    assert billed(check(short, policies={"hydration_short_as_push": True})) == PUSH
    assert billed(check(fluid("a", "10:00"))) == []


def test_what_goes_under_the_skin_is_an_injection_unless_it_runs_longer_than_a_push() -> None:
    assert billed(check(dose("a", "10:00", "10:15", route="SC"))) == INJECTION
    assert billed(check(dose("a", "10:00", "10:16", route="SC"))) == [("96369", 1)]
    injected = dose("a", "10:00", "10:16", route="SC", method="injection")
    assert billed(check(injected)) == INJECTION
    assert billed(check(dose("a", "10:00", None, route="IM"))) == INJECTION


def test_a_drug_that_is_swallowed_has_no_code() -> None:
    swallowed = check(dose("a", "10:00", None, route="PO"))
    assert billed(swallowed) == []
    assert "route" in reasons(swallowed)["a"]


def test_a_route_that_nobody_charted_is_asked_for() -> None:
    unknown = check(dose("a", "10:00", None, route=None))
    assert billed(unknown) == []
    assert asked(unknown) == ["administrations[0].route"]


def test_chemotherapy_of_more_than_eight_hours_by_pump_is_a_prolonged_infusion() -> None:
    chemo = {"category": "chemotherapy", "device": "ambulatory_pump"}
    eight = check(drip("a", "10:00", "18:00", **chemo))
    assert billed(eight) == [("96413", 1), ("96415", 7)]
    assert billed(check(drip("a", "10:00", "18:01", **chemo))) == [("96416", 1)]


DEVICE = "administrations[0].device"


def test_chemotherapy_past_eight_hours_without_a_device_bills_its_hours_and_asks() -> None:
    result = check(drip("a", "10:00", "18:31", category="chemotherapy"))
    assert billed(result) == [("96413", 1), ("96415", 8)]
    assert answers(result, DEVICE) == {
        "ambulatory_pump": [("96416", 1)],
        "implanted_pump": [("96416", 1)],
        "stationary_pump": billed(result),
    }


def test_chemotherapy_that_outlasts_an_office_day_went_home_by_pump_and_is_asked() -> None:
    def office(minutes: int) -> Result:
        given = drip("a", None, None, minutes=minutes, category="chemotherapy")
        return check(given, setting="professional")

    assert billed(office(720))[0] == ("96413", 1)
    assert billed(office(721)) == [("96416", 1)]
    assert asked(office(720)) == asked(office(721)) == [DEVICE]


@pytest.mark.parametrize("text", ["fluorouracil by CADD pump", "fluorouracil, home pump"])
def test_words_of_the_drug_name_the_device(text: str) -> None:
    given = drip("a", "10:00", "18:01", drug=text, category="chemotherapy")
    assert billed(check(given)) == [("96416", 1)]
    injector = dose("a", "10:00", None, drug="Neulasta Onpro", route="SC", method="injection")
    assert billed(check(injector)) == [("96377", 1)]


def test_a_hospitals_pump_code_is_not_an_offices_which_bills_the_hours() -> None:
    given = drip("a", "08:00", "16:01", device="ambulatory_pump")
    assert billed(check(given)) == [("C8957", 1)]
    assert billed(check(given, setting="professional")) == [("96365", 1), ("96366", 7)]


OWNER = "administrations[0].pump_supplied_by"


@pytest.mark.parametrize(
    ("owner", "code"), [("practice", "G0498"), ("supplier", "96416"), ("patient", "96416")]
)
def test_whose_pump_it_is_decides_the_code_of_its_start(owner: str, code: str) -> None:
    chemo = {"category": "chemotherapy", "device": "ambulatory_pump"}
    pump = drip("a", "10:00", "20:00", pump_supplied_by=owner, **chemo)
    for setting in ("facility", "professional"):
        assert billed(check(pump, setting=setting)) == [(code, 1)]


def test_whose_pump_it_is_is_asked_where_the_practices_own_is_billed() -> None:
    pump = drip("a", "10:00", "20:00", category="chemotherapy", device="ambulatory_pump")
    opened = check(pump, setting="professional", lines=[line(1, "G0498")])
    assert answers(opened, OWNER)["practice"] == [("G0498", 1)]
    assert [each.severity for each in opened.violations if each.severity == "error"] == []
    assert asked(check(pump, setting="professional", lines=[line(1, "96416")])) == []


# Stopped early

REACTION = drip("a", "10:00", "10:12", stopped_early="reaction")
ENDED_EARLY = "policy.infusion_stopped_early"


def test_an_infusion_stopped_early_is_a_push_by_its_minutes_or_an_infusion_as_ordered() -> None:
    as_ordered = {"infusion_stopped_early": "as_ordered"}
    assert billed(check(REACTION)) == [("96374", 1)]
    assert billed(check(REACTION, policies=as_ordered)) == [("96365", 1)]
    assert billed(check(drip("a", "10:00", "10:12"), policies=as_ordered)) == [("96374", 1)]


def test_where_sources_differ_on_a_stop_the_policy_is_asked_by_its_name() -> None:
    result = check(REACTION)
    assert asked(result) == [ENDED_EARLY]
    assert answers(result, ENDED_EARLY) == {
        "by_minutes": [("96374", 1)],
        "as_ordered": [("96365", 1)],
    }
    assert "infusion_stopped_early" in result.suggested[0].because


def test_a_stop_past_the_push_limit_or_a_policy_that_somebody_set_asks_nothing() -> None:
    assert asked(check(drip("a", "10:00", "10:22", stopped_early="reaction"))) == []
    for value in ("by_minutes", "as_ordered"):
        assert asked(check(REACTION, policies={"infusion_stopped_early": value})) == []


def test_a_drip_that_went_on_after_the_stop_counts_all_its_minutes() -> None:
    later = drip("b", "10:40", "11:20", drug="drug a", continues="a")
    assert billed(check(REACTION, later)) == [("96365", 1)]
    assert asked(check(REACTION, later)) == []


@pytest.mark.parametrize(("policy", "codes"), [("compute_only", [("96360", 1)]), ("deny", [])])
def test_a_fluid_without_a_stop_is_timed_by_its_rate_unless_the_policy_denies_it(
    policy: str, codes: list[tuple[str, int]]
) -> None:
    bag = fluid("f", "10:00", volume_ml=500, rate_ml_per_hour=500)
    assert billed(check(bag, policies={"missing_stop_time_hydration": policy})) == codes


def test_what_earns_nothing_has_a_technique_only_where_one_is_charted() -> None:
    flush = {"purpose": "flush"}
    given = [dose("a", "10:00", None, **flush), push("b", "10:01", **flush)]
    assert [each.technique for each in work(*given).derived.administrations] == [None, "push"]


# Every way in


CHEMO: dict[str, Any] = {"category": "chemotherapy"}
HOME_PUMP: dict[str, Any] = {"device": "ambulatory_pump"}


def technique(given: dict[str, Any], **facts: Any) -> tuple[str | None, str | None]:
    """How one administration was given, and why it earns nothing."""
    (only,) = work(given, **facts).derived.administrations
    return only.technique, only.reason


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"route": "IM"}, ("injection", None)),
        ({"route": "IM", "minutes": 30}, ("injection", None)),
        ({"route": "SC", "minutes": 15}, ("injection", None)),
        ({"route": "SC", "minutes": 16}, ("sc_infusion", None)),
        ({"route": "SC", "minutes": 30, "method": "injection"}, ("injection", None)),
        ({"route": "SC", "minutes": 30, **CHEMO}, ("injection", None)),
        ({"route": "SC", "minutes": 30, "device": "on_body_injector"}, ("on_body_injector", None)),
        ({"route": "IA", "minutes": 5}, ("ia_injection", None)),
        ({"route": "IA", "minutes": 30}, (None, "no_code")),
        ({"route": "IA", "minutes": 5, **CHEMO}, ("ia_push", None)),
        ({"route": "IA", "minutes": 30, **CHEMO}, ("ia_infusion", None)),
        ({"route": "IA", "minutes": 480, **HOME_PUMP, **CHEMO}, ("ia_infusion", None)),
        ({"route": "IA", "minutes": 481, **HOME_PUMP, **CHEMO}, ("ia_pump", None)),
        ({"route": "IL", **CHEMO}, ("intralesional", None)),
        ({"route": "IPL", **CHEMO}, ("pleural", None)),
        ({"route": "IP", **CHEMO}, ("peritoneal", None)),
        ({"route": "IT", **CHEMO}, ("intrathecal", None)),
        ({"route": "ICV", **CHEMO}, ("reservoir", None)),
        ({"route": "IT"}, (None, "no_code")),
        ({"route": "ID", **CHEMO}, (None, "no_code")),
        *[
            ({"route": route, **CHEMO}, (None, "not_parenteral"))
            for route in ("PO", "SL", "PR", "TOP", "INH", "NASAL", "OPH", "OTIC", "TUBE", "IVES")
        ],
        ({"route": None}, (None, "route_missing")),
        ({"route": "PO", "purpose": "declotting"}, ("declotting", None)),
        ({"route": "IV", "purpose": "pump_refill", **CHEMO}, ("pump_refill", None)),
    ],
)
def test_the_way_in_the_class_and_the_minutes_say_how_a_drug_was_given(
    facts: dict[str, Any], expected: tuple[str | None, str | None]
) -> None:
    assert technique(dose("a", "10:00", None, **facts)) == expected


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"method": "push"}, ("push", None)),
        ({"method": "injection"}, ("push", None)),
        ({"method": "injection", "minutes": 16, "continuously_attended": True}, ("push", None)),
        ({"method": "infusion", "minutes": 16, "continuously_attended": True}, ("infusion", None)),
        ({"method": "infusion"}, ("infusion", "stop_missing")),
        ({"method": "infusion", **HOME_PUMP}, ("infusion", "stop_missing")),
        ({"method": "infusion", **CHEMO}, ("infusion", "stop_missing")),
        ({"method": "infusion", **HOME_PUMP, **CHEMO}, ("pump", None)),
        ({"method": "infusion", "minutes": 481, **HOME_PUMP, **CHEMO}, ("pump", None)),
        (
            {"method": "infusion", "minutes": 481, "device": "implanted_pump", **CHEMO},
            ("pump", None),
        ),
        (
            {"method": "infusion", "minutes": 481, "device": "stationary_pump", **CHEMO},
            ("infusion", None),
        ),
        ({"method": "infusion", "minutes": 800, **CHEMO}, ("infusion", None)),
    ],
)
def test_by_vein_the_minutes_come_before_the_word_of_the_chart(
    facts: dict[str, Any], expected: tuple[str | None, str | None]
) -> None:
    assert technique(dose("a", None, None, drug="house blend", **facts)) == expected


@pytest.mark.parametrize(
    ("facts", "setting", "expected"),
    [
        ({"minutes": 721, **CHEMO}, "professional", "pump"),
        ({"minutes": 721, **CHEMO}, "facility", "infusion"),
        ({"minutes": 721}, "professional", "infusion"),
        ({"minutes": 721, "device": "stationary_pump", **CHEMO}, "professional", "infusion"),
    ],
)
def test_only_an_offices_chemotherapy_of_no_named_device_outlasts_the_chair(
    facts: dict[str, Any], setting: str, expected: str
) -> None:
    given = drip("a", None, None, **facts)
    assert technique(given, setting=setting) == (expected, None)


@pytest.mark.parametrize(("method", "expected"), [("push", "push"), ("infusion", "infusion")])
def test_of_what_was_pushed_no_policy_says_that_it_was_ordered_as_an_infusion(
    method: str, expected: str
) -> None:
    stopped = dose("a", "10:00", "10:12", method=method, stopped_early="reaction")
    result = check(stopped, policies={"infusion_stopped_early": "as_ordered"})
    assert billed(result) == (PUSH if expected == "push" else INFUSION)


@pytest.mark.parametrize(
    ("stop", "short_is_push", "expected"),
    [
        ("10:15", True, ("push", None)),
        ("10:16", True, ("infusion", "hydration_too_short")),
        ("10:15", False, ("infusion", "hydration_too_short")),
        (None, True, ("infusion", "stop_missing")),
    ],
)
def test_fluid_is_a_push_only_by_policy_and_within_the_minutes_of_one(
    stop: str | None, short_is_push: bool, expected: tuple[str | None, str | None]
) -> None:
    policies = {"hydration_short_as_push": short_is_push}
    assert technique(fluid("f", "10:00", stop), policies=policies) == expected


RATED = {"volume_ml": 100, "rate_ml_per_hour": 200}
LOOKED = {"last_seen_running": f"{DAY}T10:20"}


@pytest.mark.parametrize(
    ("policy", "facts", "minutes"),
    [
        ("compute_then_push_if_drug_allows", RATED, 30),
        ("compute_only", RATED, 30),
        ("last_charted_time", RATED, None),
        ("deny", RATED, None),
        ("compute_then_push_if_drug_allows", LOOKED, 20),
        ("last_charted_time", LOOKED, 20),
        ("compute_only", LOOKED, None),
        ("deny", LOOKED, None),
        ("compute_then_push_if_drug_allows", {**RATED, **LOOKED}, 30),
    ],
)
def test_minutes_of_a_drip_without_a_stop_come_from_where_the_policy_says(
    policy: str, facts: dict[str, Any], minutes: int | None
) -> None:
    given = drip("a", "10:00", drug="house blend", **facts)
    (only,) = work(given, policies={"missing_stop_time": policy}).derived.administrations
    assert (only.total_minutes, only.reason) == (
        minutes,
        None if minutes is not None else "stop_missing",
    )
    assert only.technique == "infusion"


@pytest.mark.parametrize(("ml", "codes"), [(50, PUSH), (54, INFUSION)])
def test_a_drip_that_is_timed_by_its_rate_may_come_to_the_minutes_of_a_push(
    ml: int, codes: list[tuple[str, int]]
) -> None:
    given = drip("a", "10:00", drug="house blend", volume_ml=ml, rate_ml_per_hour=200)
    assert billed(check(given)) == codes


def test_a_flush_is_of_a_port_only_where_the_chart_names_the_port() -> None:
    flush = {"purpose": "flush", "method": "push"}
    assert technique(dose("a", "10:00", None, access="port", **flush))[0] == "port_flush"
    assert technique(dose("a", "10:00", None, access="peripheral", **flush)) == ("push", "flush")
    by_muscle = dose("a", "10:00", None, route="IM", purpose="flush", method="push")
    assert technique(by_muscle)[0] == "injection"
    by_mouth = dose("a", "10:00", None, route="PO", purpose="flush", method="push")
    assert technique(by_mouth)[0] is None
    running = dose("a", "10:00", "10:30", purpose="flush", method="infusion")
    assert technique(running)[0] == "infusion"


def test_the_reason_that_voids_a_claim_stays_and_how_a_drug_was_given_is_known() -> None:
    inpatient: dict[str, Any] = {"type_of_bill": "111"}
    derived = work(push("a", "10:00"), dose("b", "10:00", None, route="PO"), **inpatient).derived
    assert [(each.technique, each.reason) for each in derived.administrations] == [
        ("push", "packaged"),
        (None, "packaged"),
    ]
