"""The rule language: closed, typed, bounded; what does not fit is refused at its column."""

from __future__ import annotations

import subprocess
import sys

import pytest

from ivpush.language.parser import parse, path_of
from ivpush.language.tree import ExpressionError, Kind, Node
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


def refusal(text: str, subject: str = "line") -> ExpressionError:
    """How a text is refused."""
    with pytest.raises(ExpressionError) as caught:
        parse(text, NAMES, subject)
    return caught.value


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("line.known and line.unit == 1", "line.unit"),
        ("line.known and lin.units == 1", "lin."),
        ("line.known and line.units / 2 == 1", "line.units"),
        ("line.known and line.code == 1", "line.code"),
        ("line.known and line.status == 'changd'", "line.status"),
        ("line.units == 1 and line.units", "line.units"),
        ("1 == line.units and +line.units == 1", "+line"),
        ("1 == line.units and -line.code == 1", "line.code"),
        ("1 == line.units // line.day_units", "line.day_units"),
        ("line.known and line.units in line.modifiers", "line.units"),
        ("line.known and line.units in {1, 'x'}", "'x'"),
        ("line.known and line.status in {'matched', 'changd'}", "'changd'"),
        ("line.known and line.date == '2026-02-30'", "'2026"),
        ("line.known and line.mue is line.units", "line.units"),
        ("line.known and line.mue == None", "None"),
        ("line.known and line.units is not 1", "line.units"),
        ("line.known and words.nobody", "words"),
        ("line.known and anny(line.known)", "anny"),
        ("line.known and empty(line.modifiers, 1)", "empty"),
        ("line.known and empty(line.units)", "line.units"),
        ("line.known and any(line.known)", "any"),
        ("line.known and any(True for line in line.administrations)", "any"),
        ("line.known and any(True for x in line.modifiers)", "line.modifiers"),
        ("line.known and line.units == 1234567890", "1234567890"),
        ("line.known and line.label == '\u00e9'", "\u00e9"),
        ("line.known and line.units = 1", "= 1"),
    ],
)
def test_a_mistake_is_pointed_at(text: str, at: str) -> None:
    assert refusal(text).column == text.rindex(at) + 1


@pytest.mark.parametrize("text", ["", " ", "-" * 1_990 + "1", "line.units == 1\0"])
def test_what_has_no_place_is_refused_at_its_first_letter(text: str) -> None:
    assert refusal(text).column == 1


@pytest.mark.parametrize(
    ("op", "part"),
    [
        ("and", "line.known and line.in_family"),
        ("or", "(line.known or line.in_family)"),
        ("and", "1 < line.units < 3"),
        ("not", "not line.known"),
        ("cmp", "line.units == 1"),
        ("is", "line.mue is 1"),
        ("arith", "line.units + 1 > 2"),
        ("minus", "-line.units < 1"),
        ("in", "line.code in {'x'}"),
        ("notin", "line.code not in {'x'}"),
        ("fact", "line.known"),
        ("known", "known(line.mue)"),
        ("surely", "surely(line.mue == 1)"),
        ("overlaps", "overlaps(line.modifiers, line.modifiers)"),
        ("any", "any(True for x in line.administrations)"),
        ("const", "True"),
        ("const", "'x' == line.code"),
        ("const", "1 == line.units"),
    ],
)
def test_a_part_stands_where_it_is_written(op: str, part: str) -> None:
    """Coverage of a rule names its conditions by their columns."""
    node = parse(f"not line.known or {part}", NAMES, "line").args[1]
    start = len("not line.known or ") + 1 + (part[0] == "(")
    assert (op, start) in [(each.op, each.column) for each in node.walk()]


def within(text: str, op: str) -> Node:
    """The first part of an expression that is such an operator."""
    return next(node for node in parse(text, NAMES, "line").walk() if node.op == op)


def test_constants_among_others_stand_where_they_are_written() -> None:
    assert within("line.code in {'x', 'y'}", "set").column == 14
    assert within("line.date == '2026-03-02'", "const").column == 14


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("line.units = 1", "write == to compare"),
        ("line.units == 1)", "correct the syntax"),
        ("line.units == 1,", "write a list in square brackets; a number has no comma"),
        ("line.units == {1: 2}", "write comparisons, and, or, not, in, arithmetic"),
    ],
)
def test_a_remedy_fits_the_mistake(text: str, remedy: str) -> None:
    assert refusal(text).remedy == remedy


ONE_SCAN = "count(True for x in encounter.lines) > 1"


@pytest.mark.parametrize(
    ("text", "longer"),
    [
        ("True".ljust(2_000), "True".ljust(2_001)),
        # Of Python's parts a sum has three for each further number and two for each sign.
        (f"--1{' + 1' * 97} == 1", f"-1{' + 1' * 98} == 1"),
        ("line.units == 123456789", "line.units == 1234567890"),
        (" or ".join([ONE_SCAN] * 2), " or ".join([ONE_SCAN] * 3)),
        (
            "any(any(True for b in a.administrations) for a in encounter.services)",
            "any(any(any(True for c in b.administrations) for b in encounter.services)"
            " for a in encounter.services)",
        ),
    ],
    ids=["letters", "parts", "digits", "scans", "loops"],
)
def test_an_expression_may_be_so_large_and_no_larger(text: str, longer: str) -> None:
    parse(text, NAMES, "line")
    refusal(longer)


def test_a_rule_about_the_encounter_may_scan_it_often() -> None:
    parse(" or ".join([ONE_SCAN] * 5), NAMES, "encounter")


def test_what_is_linked_to_a_line_may_be_scanned_often() -> None:
    parse(" or ".join(["any(x.billable for x in line.administrations)"] * 5), NAMES, "line")


def test_loops_one_after_another_are_not_deep() -> None:
    one = "any(True for a in line.administrations)"
    deep = "any(any(True for b in line.administrations) for a in line.administrations)"
    deeper = deep.replace("True", "any(True for c in line.administrations)")
    parse(" or ".join([one] * 4), NAMES, "line")
    parse(f"{deep} or {deep}", NAMES, "line")
    assert "two deep" in refusal(f"{one} or {deeper}").problem


@pytest.mark.parametrize(
    "text",
    [
        "line.units * line.day_units == 6",
        "line.units // 1 == 2",
        "line.known == line.in_family",
        "line.technique == line.technique",
        "line.technique == line.code",
        "line.code != line.label",
        "line.date < encounter.date",
        "encounter.start <= encounter.end",
        "line.charge > line.units",
        "empty(line.administrations)",
        "size(line.administrations) > 1",
        "line.units in [1, 2]",
        "line.units not in (1, 2)",
    ],
)
def test_like_goes_with_like(text: str) -> None:
    parse(text, NAMES, "line")


@pytest.mark.parametrize(
    "text",
    [
        "line.code < line.label",  # as text, '9' comes after '10'
        "line.known < line.in_family",
        "line.date < line.code",
        "line.date == line.code",
        "encounter.start == line.date",
        "line.units == line.known",
        "line.modifiers == line.modifiers",
        "line.service == line.service",
        "overlaps(line.administrations, line.administrations)",
        "subset(line.modifiers, line.administrations)",
        "any(True for a in encounter.services for b in a.administrations)",
        "any(True async for x in line.administrations)",
        "any((x.billable for x in line.administrations), key=1)",
        "any(True for policy in line.administrations)",
        "any(True for modifier in line.administrations)",
        "any(True for _x in line.administrations)",
        "any((x.billable for x in line.administrations), True)",
        "known()",
        "known(line.mue, line.mue)",
        "surely(line.known, line.known)",
        "overlaps(line.modifiers, line.modifiers, line.modifiers)",
        "subset(line.modifiers)",
        "empty(line.modifiers, line.modifiers)",
        "size() == 1",
    ],
)
def test_what_does_not_go_together_is_refused(text: str) -> None:
    refusal(text)


@pytest.mark.parametrize(
    ("text", "nullable"),
    [
        # A record that a line may lack leaves its facts unknown.
        ("line.service.chain > 1", True),
        ("line.service.minutes > 1", True),
        ("line.units in {1}", False),
        ("line.mue in {1}", True),
        ("line.mue + line.units > 1", True),
        ("line.units + 1 > line.mue", True),
        ("line.units < 3 and line.mue < 3", True),
        ("line.units < line.mue < 3", True),
        ("not line.valid", True),
        ("-line.mue < 1", True),
        ("empty(encounter.diagnoses)", True),
        ("overlaps(line.modifiers, line.primaries)", True),
        # Of no rows there is neither a least nor a most, but a sum and a number.
        ("min(x.units for x in claim.lines) > 1", True),
        ("max(x.units for x in claim.lines) > 1", True),
        ("sum(x.units for x in claim.lines) > 1", False),
        ("sum(x.mue for x in claim.lines) > 1", True),
        ("count(x.known for x in claim.lines) > 1", False),
        ("any(x.known for x in claim.lines)", False),
        ("any(x.known for x in claim.lines if x.mue > 1)", True),
        ("all(x.valid for x in claim.lines)", True),
        ("any(x.known for x in encounter.lines)", True),
    ],
)
def test_a_whole_may_be_unknown_where_a_part_may(text: str, nullable: bool) -> None:
    assert parse(text, NAMES, "line").kind.nullable is nullable


@pytest.mark.parametrize(
    ("path", "refused"),
    [
        ("line.code", False),
        ("line.service.technique", False),
        ("claim.codes", False),
        ("policy.long_push", False),
        ("line", True),
        ("line.service", True),
        ("line.administrations", True),
        ("line.units == 1", True),
    ],
)
def test_a_path_names_a_value(path: str, refused: bool) -> None:
    if refused:
        with pytest.raises(ExpressionError):
            path_of(path, NAMES, "line")
    else:
        assert path_of(path, NAMES, "line").name == path.rpartition(".")[2]


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
