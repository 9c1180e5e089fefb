"""What a message may name, how it shows a value, and what it leaves out."""

from __future__ import annotations

from datetime import date, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from ivpush.language.messages import parse_template
from ivpush.language.tree import ExpressionError, Kind
from ivpush.language.vocabulary import Names

NAMES = Names({"long_push": Kind("word", words=frozenset({"push", "infusion"}))}, {})


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "yes"),
        (False, "no"),
        (None, "not stated"),
        (datetime(2026, 3, 2, 9, 5), "09:05"),
        (date(2026, 3, 2), "2026-03-02"),
        (frozenset({"96375", "96374"}), "96374, 96375"),
        ((), "none"),
        (31, "31"),
    ],
)
def test_a_value_is_shown_as_people_write_it(value: Any, text: str) -> None:
    template = parse_template("{encounter.charted}", Names({}, {}), "encounter")
    assert template.render(SimpleNamespace(charted=value), None, None, None) == text


@pytest.mark.parametrize(("mue", "text"), [(2, "Bill X, 2 a day"), (None, "Bill X")])
def test_a_clause_at_the_end_is_dropped_too(mue: int | None, text: str) -> None:
    template = parse_template("Bill {line.code}[, {line.mue} a day]", Names({}, {}), "line")
    line = SimpleNamespace(given=SimpleNamespace(code="X"), coded=SimpleNamespace(mue=mue))
    assert template.render(None, line, None, None) == text


@pytest.mark.parametrize(
    "text",
    [
        "{line.__class__}",
        "{line.code.__init__.__globals__}",
        "{line.code!r}",
        "{line.code:>99999}",
        "{line}",
        "{line.administrations}",
        "{line.code} {",
        "}",
        "{}",
        "{0}",
        "{{line.code}",
        "{line.cod}",
        "{line.code" + "}" * 2,
        "x" * 1_001,
        "{line.code}" * 21,
        "{line.code + 1}",
        "{administration.id}",
        "{policy.nothing}",
    ],
)
def test_a_message_names_paths_of_the_vocabulary_only(text: str) -> None:
    with pytest.raises(ExpressionError):
        parse_template(text, NAMES, "line")


@pytest.mark.parametrize(
    "path",
    [
        "drug",
        "site",
        "lumen",
        "resited_from",
        "separate_site_reason",
        "administered_by",
        "dose_unit",
    ],
)
def test_a_message_never_repeats_the_charts_own_words(path: str) -> None:
    with pytest.raises(ExpressionError, match="own words"):
        parse_template(f"{{administration.{path}}}", NAMES, "administration")


def test_braces_are_written_twice() -> None:
    assert parse_template("{{x}}", NAMES, "line").render(None, None, None, None) == "{x}"


def test_a_clause_in_brackets_is_dropped_where_a_path_is_unknown() -> None:
    names = Names({}, {})
    template = parse_template("Bill {line.code}[, {line.mue} a day]; [[so]].", names, "line")
    for mue, hint in ((2, "Bill X, 2 a day; [so]."), (None, "Bill X; [so].")):
        line = SimpleNamespace(
            given=SimpleNamespace(code="X"), mue=mue, coded=SimpleNamespace(mue=mue)
        )
        assert template.render(None, line, None, None) == hint
        assert template.complete(None, line, None, None)
    bare = parse_template("At most {line.mue}.", names, "line")
    assert not bare.complete(None, line, None, None)


@pytest.mark.parametrize("text", ["a [b", "a] b", "[a [b] c]"])
def test_a_bracket_without_its_partner_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError, match="without its partner"):
        parse_template(text, Names({}, {}), "line")


def test_a_reason_names_words_handed_in_and_policies_in_force() -> None:
    names = Names({"gap": Kind("whole")}, {})
    template = parse_template("{what}: within {policy.gap} minutes.", names, "encounter", {"what"})
    policy = SimpleNamespace(gap=31)
    assert template.render(None, {"what": "x at 10:00"}, policy, None) == (
        "x at 10:00: within 31 minutes."
    )
    with pytest.raises(ExpressionError, match="is not a path"):
        parse_template("{wht}", names, "encounter", {"what"})


@pytest.mark.parametrize(
    ("minutes", "text"), [(1, "1 minute"), (2, "2 minutes"), (None, "not stated minutes")]
)
def test_a_counted_word_follows_its_number(minutes: int | None, text: str) -> None:
    template = parse_template("{administration.minutes:minute}", NAMES, "administration")
    about = SimpleNamespace(given=SimpleNamespace(minutes=minutes))
    assert template.render(None, about, None, None) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        # One path that nobody stated drops the clause, however many are known.
        ("Bill it[, {line.code} at {line.mue}].", "Bill it."),
        ("Bill it[, {line.code} at {line.units}].", "Bill it, X at 2."),
        ("Bill it[ at once].", "Bill it at once."),
        ("[Bill it][, {line.mue}].", "Bill it."),
        ("At most {line.mue} of {line.units:unit}.", "At most not stated of 2 units."),
        ("{line.code}: {line.units:further hour}", "X: 2 further hours"),
        ("{{{line.code}}} [[{line.units}]]", "{X} [2]"),
    ],
)
def test_what_is_known_is_shown(text: str, shown: str) -> None:
    line = SimpleNamespace(
        given=SimpleNamespace(code="X", units=2), coded=SimpleNamespace(mue=None)
    )
    template = parse_template(text, NAMES, "line")
    assert template.render(None, line, None, None) == shown


UNPAIRED = "without its partner"
COUNTED = "no singular word"
UNKNOWN = "has no fact"


@pytest.mark.parametrize(
    ("text", "at", "problem"),
    [
        ("Bill {{it}} [[{line.cod}", "{line.cod}", UNKNOWN),
        ("{line.code} {line.units:units}", "{line.units", COUNTED),
        ("{line.code} {line.units:dress}", "{line.units", COUNTED),
        ("{line.code} {line.units:2}", "{line.units", COUNTED),
        ("{line.code} {line.units:}", "{line.units", COUNTED),
        ("Bill [it] at] once", "] once", UNPAIRED),
        ("Bill [it [now]]", "[now", UNPAIRED),
        ("{line.code}{", "{", UNPAIRED),
        ("{line.code}}", "}", UNPAIRED),
        ("{line.code", "{", UNPAIRED),
        ("line.code}", "line", UNPAIRED),
    ],
)
def test_a_mistake_in_a_message_is_pointed_at(text: str, at: str, problem: str) -> None:
    with pytest.raises(ExpressionError, match=problem) as caught:
        parse_template(text, NAMES, "line")
    assert caught.value.column == text.rindex(at) + 1


@pytest.mark.parametrize(
    ("text", "longer"), [("x" * 1_000, "x" * 1_001), ("{line.code}" * 20, "{line.code}" * 21)]
)
def test_a_message_may_be_so_long_and_no_longer(text: str, longer: str) -> None:
    parse_template(text, NAMES, "line")
    with pytest.raises(ExpressionError, match="longer than a message may be"):
        parse_template(longer, NAMES, "line")


def test_a_mistaken_path_is_mended_by_what_may_stand_there() -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_template("{wht}", NAMES, "encounter", {"what"})
    assert caught.value.remedy == "did you mean 'what'?"
    with pytest.raises(ExpressionError) as caught:
        parse_template("{line.cod}", NAMES, "line")
    assert caught.value.remedy == "did you mean 'code'?"
