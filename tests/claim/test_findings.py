"""What a result says of rules that could not be judged."""

from __future__ import annotations

from ivpush import Encounter, Engine
from ivpush.claim.findings import lacking
from ivpush.testing.samples import encounters
from tests.visits import line

ENGINE = Engine()
CHART = {"administrations", "primary_administration", "supervision"}


def test_without_a_chart_what_is_missing_is_the_chart() -> None:
    """A fact of the comparison, such as the line's status, is none that anybody could fill in."""
    lines = [line(1, "96374"), line(2, "96375")]
    claim = {"id": "E1", "setting": "facility", "date": "2026-03-02", "type_of_bill": "131"}
    result = ENGINE.check({**claim, "diagnoses": ["R112"], "lines": lines})
    lacks = {row.rule: row.missing for row in result.unjudged}
    assert set(lacks.values()) == {("administrations",)}
    assert lacks["IVP901"] == ("administrations",)


def test_the_answer_that_claims_without_a_chart_share_is_what_each_rule_would_say() -> None:
    asked = 0
    for record in encounters(11, 40, engine=ENGINE):
        claim = {key: value for key, value in record.items() if key not in CHART}
        work = ENGINE.work(Encounter.model_validate(claim))
        said = lacking(work.findings, work.facts, work.book)
        own: dict[str, dict[str, bool]] = {}
        for rule, subject in work.findings.unsure:
            looked_at = (work.facts, subject, work.book.policy, work.book.limits)
            rule.compiled.missing(*looked_at, own.setdefault(rule.id, {}))
        assert {rule: tuple(paths) for rule, paths in own.items()} == {
            rule: said[rule] for rule in own
        }
        asked += len(own)
    assert asked > 500
