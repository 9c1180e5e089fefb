"""The rule language: closed, typed, bounded; what does not fit is refused at its column."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import pytest

from ivpush.language.messages import parse_template
from ivpush.language.parser import parse
from ivpush.language.tree import ExpressionError, Kind
from ivpush.language.vocabulary import Names

NAMES = Names(
    {
        "long_push": Kind("word", words=frozenset({"push", "infusion"})),
        "second_site_requires_reason": Kind("flag"),
    },
    {"push_max_minutes": Kind("whole")},
    {"technique": frozenset({"push", "infusion"})},
)

HOSTILE = {
    "minus": "-" * 10_000 + "1",
    "not": "not " * 100_000 + "True",
    "attributes": "line" + ".b" * 1_000_000,
    "sums": "1+" * 100_000 + "1",
    "calls": "f" + "()" * 100_000,
    "parentheses": "(" * 1_000 + "1" + ")" * 1_000,
    "comparisons": "1<" * 100_000 + "1",
    "ands": "True and " * 100_000 + "True",
    "hex": "0x" + "f" * 10_000_000,
    "digits": "1" * 5_000,
    "powers": "9**9**9**9 == 1",
    "text times": "'x' * 10**10 == 'x'",
    "list times": "[0] * 10**9 == []",
    "shift": "1 << 10**9 == 1",
    "full width": "ｌｉｎｅ.ｕｎｉｔｓ == 1",
    "surrogate": "line.code == '\ud800'",
    "dunder": "line.__class__ == 1",
    "dunder call": "().__class__.__bases__[0].__subclasses__()",
    "subscript": "line.modifiers[0] == '59'",
    "slice": "line.code[:3] == '963'",
    "lambda": "(lambda: True)()",
    "walrus": "(x := 1) == 1",
    "f-string": "f'{line.code}' == 'x'",
    "await": "await line.code",
    "yield": "(yield)",
    "star": "any(*line.administrations)",
    "if else": "True if line.units else False",
    "import": "__import__('os')",
    "eval": "eval('1')",
    "true division": "line.units / 2 == 1",
    "list": "[x for x in line.administrations] == []",
    "set": "{x for x in line.administrations} == 1",
    "dict": "{1: 2} == 1",
    "three deep": "any(any(any(True for c in b.administrations) for b in encounter.services)"
    " for a in encounter.services)",
    "two statements": "True; True",
    "statement": "line.units = 1",
    "empty": "",
    "blank": "   ",
    "comment": "# nothing",
    "bytes": "line.code == b'x'",
    "float": "line.units == 1.5",
    "complex": "line.units == 1j",
    "ellipsis": "line.units == ...",
    "none": "line.service == None",
    "is": "line.units is not 1",
    "tuple": "(1, 2) == (1, 2)",
    "keyword": "size(line.modifiers, x=1) == 1",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_expression_is_refused_at_its_column(text: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text, NAMES, "line")
    assert caught.value.column >= 1
    assert len(str(caught.value)) < 300


def test_no_hostile_expression_kills_the_process() -> None:
    text = (
        "from tests.language.test_parser import HOSTILE, NAMES, ExpressionError, parse\n"
        "for text in HOSTILE.values():\n"
        "    try: parse(text, NAMES, 'line')\n"
        "    except ExpressionError: pass\n"
        "print('alive')"
    )
    process = subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, timeout=120, check=False
    )
    assert process.stdout == "alive\n", process.stderr


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("line.unit == 1", "did you mean 'units'"),
        ("lines.units == 1", "did you mean 'line'"),
        ("line.units == 'one'", "number"),
        ("line.code == 1", ""),
        ("line.code > 3", ""),
        ("line.units", "not true or false"),
        ("line.service", "not true or false"),
        ("line.units and True", ""),
        ("not line.units", ""),
        ("line.technique == 'pusch'", "did you mean 'push'"),
        ("line.status in {'matched', 'changd'}", "did you mean 'changed'"),
        ("policy.long_pusch == 'push'", "did you mean 'long_push'"),
        ("policy.long_push == 'drip'", ""),
        ("limits.push_max == 1", "did you mean 'push_max_minutes'"),
        ("anny(True for x in line.administrations)", "did you mean 'any'"),
        ("any(x.units == 1 for x in line.administrations)", "units"),
        ("any(line.units == 1 for line in line.administrations)", "hides the name"),
        ("overlaps(line.modifiers)", "takes 2"),
        ("overlaps(line.units, line.modifiers)", ""),
        ("size(line.units) == 1", ""),
        ("administration.minutes == 1", ""),
        ("line.given.units == 1", ""),
        ("sum(x.drug for x in line.administrations) == 1", "number"),
        (" and ".join(["line.units > 1"] * 80), "has more than 300 parts; split the rule"),
        ("+line.units > 1", "unknown sign; write - or not"),
        ("line.units // line.day_units == 1", "divide by a positive constant"),
        ("line.units // 0 == 1", "divide by a positive constant"),
        ("line.units in line.modifiers", "a number among texts"),
        ("line.code in {'J1100', 1}", "list constants only"),
        ("line.code in {line.label}", "list constants only"),
        ("any(True for (a, b) in line.administrations)", "write for x in"),
        (
            " or ".join(f"count(True for x in encounter.lines) == {n}" for n in (1, 2, 3)),
            "use a set fact or a linked list",
        ),
        ("line.units == 1234567890", "at most 9 digits"),
        ("line.units == 0x10", "not decimal"),
        # Python 3.12 warns of these two and means to refuse them.
        ("line.units == 1or line.units == 2", "write a space between them"),
        (r"line.code == '\d'", "texts without escapes"),
        ("line.date == '2026-02-30'", "write YYYY-MM-DD"),
    ],
)
def test_a_mistake_is_explained(text: str, hint: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text, NAMES, "line")
    assert hint in f"{caught.value.problem}; {caught.value.remedy}"


@pytest.mark.parametrize(
    ("text", "nullable"),
    [
        ("line.units > 1", False),
        ("line.units + 2 * 3 - 1 > policy.second_site_requires_reason", None),
        ("line.minutes > limits.push_max_minutes", True),
        ("known(line.minutes)", False),
        ("line.technique == 'push' and line.units > 1", True),
        ("'59' in line.modifiers", False),
        ("any(x.route == 'IV' for x in line.administrations)", True),
        ("count(x.billable for x in encounter.administrations) > 1", True),
        ("-line.units < 0", False),
        ("1 < line.units <= 3", False),
        ("line.date == encounter.date", True),
        ("line.date >= '2026-03-02'", True),
        ("not empty(line.modifiers)", False),
    ],
)
def test_what_may_be_unknown_is_known_at_load(text: str, nullable: bool | None) -> None:
    if nullable is None:
        with pytest.raises(ExpressionError):
            parse(text, NAMES, "line")
    else:
        assert parse(text, NAMES, "line").kind.nullable is nullable


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


def test_three_forms_are_never_unknown() -> None:
    for text in ("known(line.mue)", "line.mue is 2", "surely(line.mue > 2)"):
        assert not parse(text, NAMES, "line").kind.nullable
    with pytest.raises(ExpressionError, match="is no constant"):
        parse("line.units is line.mue", NAMES, "line")


def test_word_lists_and_modifiers_of_the_pack_are_constants() -> None:
    names = Names({}, {}, words={"patient": frozenset({"self"})}, modifiers={"wasted": "JW"})
    text = "administration.administered_by in words.patient"
    assert parse(text, names, "administration").args[1].value == frozenset({"self"})
    assert parse("modifier.wasted in line.modifiers", names, "line").args[0].value == "JW"
    with pytest.raises(ExpressionError, match="names no words 'patent'"):
        parse("administration.administered_by in words.patent", names, "administration")


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
