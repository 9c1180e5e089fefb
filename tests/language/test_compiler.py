"""The compiled form and the tree-walker agree on every expression; screens agree with rules."""

from __future__ import annotations

import json
import pickle
import random
from datetime import date, datetime
from decimal import Decimal
from functools import reduce
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivpush import Encounter
from ivpush.language.compiler import Compiled, Settled, compile_rule, fuse
from ivpush.language.evaluator import evaluate
from ivpush.language.parser import parse
from ivpush.language.tree import Kind
from ivpush.language.vocabulary import Names
from tests.language.judging import charted, claimed_alone, env_of, lacking, names, rule_of, worth
from tests.shipped import ENGINE, PACK

POLICIES = {
    "long_push": Kind("word", words=frozenset({"push", "infusion"})),
    "strict": Kind("flag"),
}
NAMES = Names(POLICIES, {"most": Kind("whole")}, words={"few": frozenset({"x", "long y"})})
SCANS = {
    "line": ["line.administrations"],
    "service": ["service.administrations"],
    "encounter": ["encounter.lines", "encounter.administrations", "encounter.services"],
}
TEXTS = ("x", "y", "z", "X", "Long  Y")


class Record:
    """A record of facts; equal only to itself, as the engine's are."""

    def __init__(self, **facts: object) -> None:
        self.__dict__.update(facts)


def value_of(rng: random.Random, kind: Kind, depth: int) -> Any:
    if kind.nullable and rng.randrange(4) == 0:
        return None
    if kind.words is not None:
        return rng.choice(sorted(kind.words))
    if kind.name == "record":
        return record(rng, kind.scope or "", depth + 1)
    if kind.name == "list":
        return tuple(record(rng, kind.scope or "", depth + 1) for _ in range(rng.randrange(3)))
    texts = [rng.choice(TEXTS) for _ in range(rng.randrange(3))]
    plain: dict[str, Any] = {
        "flag": rng.random() < 0.5,
        "whole": rng.randrange(4),
        "number": Decimal(rng.randrange(4)),
        "text": rng.choice(TEXTS),
        "texts": frozenset(texts),
        "row": tuple(texts),
        "date": date(2026, 3, 2 + rng.randrange(2)),
        "instant": datetime(2026, 3, 2, 10 + rng.randrange(2)),
    }
    return plain.get(kind.name)


def record(rng: random.Random, scope: str, depth: int = 0) -> Record:
    """A record with every fact of its scope; drawn by seed, for it holds hundreds of values."""
    # A fact may lack a field of the encounter, whatever record it belongs to.
    stated = dict.fromkeys(Encounter.model_fields) if scope == "encounter" else {}
    facts = Record(given=Record(**stated), index=0)
    for name, fact in NAMES.scopes[scope].items():
        linked = fact.kind.name in {"record", "list"}
        value = None if linked and depth > 1 else value_of(rng, fact.kind, depth)
        if linked and value is None and not fact.kind.nullable:
            value = () if fact.kind.name == "list" else Record(given=Record())
        place = facts
        for part in fact.path.split(".")[:-1]:
            if not hasattr(place, part):
                setattr(place, part, Record())
            place = getattr(place, part)
        setattr(place, name, value)
    for fact in NAMES.scopes[scope].values():
        # What is unknown for want of stated fields has none of them.
        if fact.lacks and value_at(facts, fact.path) is None:
            for lack in fact.lacks:
                if lack.startswith("."):
                    setattr(value_at(facts, "given"), lack.removeprefix("."), None)
    return facts


def value_at(facts: Record, path: str) -> Any:
    return reduce(getattr, path.split("."), facts)


@st.composite
def expressions(draw: st.DrawFn, subject: str, depth: int = 3, rows: tuple[str, ...] = ()) -> str:
    """Texts of flags about a subject, with loops over what is linked to it."""
    kind = draw(st.sampled_from(("fact", "fact", "and", "or", "not", "loop"))) if depth else "fact"
    if kind in {"and", "or"}:
        parts = [draw(expressions(subject, depth - 1, rows)) for _ in range(2)]
        return f"({parts[0]} {kind} {parts[1]})"
    if kind == "not":
        return f"(not {draw(expressions(subject, depth - 1, rows))})"
    if kind == "loop" and len(rows) < 2:
        return draw(loops(subject, depth, rows))
    return draw(atoms(subject, rows))


@st.composite
def loops(draw: st.DrawFn, subject: str, depth: int, rows: tuple[str, ...]) -> str:
    source = draw(st.sampled_from(SCANS[subject]))
    var = "ab"[len(rows)]
    scope = {"lines": "line", "administrations": "administration", "services": "service"}[
        source.partition(".")[2]
    ]
    inner = (*rows, f"{var}:{scope}")
    test = draw(atoms(subject, inner))
    where = f" if {draw(atoms(subject, inner))}" if draw(st.booleans()) else ""
    form = draw(st.sampled_from(("any", "all", "count", "sum", "min", "max")))
    if form in {"any", "all"}:
        return f"{form}({test} for {var} in {source}{where})"
    if form == "count":
        return f"(count({test} for {var} in {source}{where}) >= {draw(st.integers(0, 2))})"
    whole = draw(st.sampled_from(facts(scope, "whole")))
    return f"({form}({var}.{whole} for {var} in {source}{where}) > {draw(st.integers(0, 3))})"


def facts(scope: str, *kinds: str) -> list[str]:
    return sorted(name for name, fact in NAMES.scopes[scope].items() if fact.kind.name in kinds)


@st.composite
def atoms(draw: st.DrawFn, subject: str, rows: tuple[str, ...]) -> str:
    """One test of one or two facts."""
    roots = [(subject, subject), *(tuple(row.split(":")) for row in rows)]
    if subject != "encounter":
        roots.append(("encounter", "encounter"))
    root, scope = draw(st.sampled_from(roots))
    name = draw(st.sampled_from(facts(scope, "flag", "whole", "word", "text", "texts", "row")))
    kind, path = NAMES.scopes[scope][name].kind, f"{root}.{name}"
    if draw(st.integers(0, 7)) == 0:
        return f"known({path})"
    if draw(st.integers(0, 7)) == 0 and kind.name in {"flag", "whole", "text"}:
        value = {"flag": "True", "whole": "1", "text": "'x'"}[kind.name]
        return draw(st.sampled_from((f"({path} is {value})", f"surely({path} == {value})")))
    if kind.name == "flag":
        return draw(st.sampled_from((path, f"not {path}", f"({path} == policy.strict)")))
    if kind.name == "whole":
        sign = draw(st.sampled_from(("==", "!=", "<", "<=", ">", ">=")))
        other = draw(st.sampled_from(("1", "2", "limits.most", f"{path} * 2 - 1", f"{path} // 2")))
        return f"({path} {sign} {other})"
    if kind.words is not None:
        words = draw(st.lists(st.sampled_from(sorted(kind.words)), min_size=1, max_size=3))
        return draw(
            st.sampled_from(
                (
                    f"({path} == {words[0]!r})",
                    f"({path} != {words[0]!r})",
                    f"({path} in {set(words)!r})",
                )
            )
        )
    if kind.name == "text":
        return draw(st.sampled_from((f"({path} in {{'x', 'y'}})", f"({path} in words.few)")))
    tests = ("empty({})", "('x' in {})", "(size({}) > 1)", "overlaps({0}, {0})", "subset({0}, {0})")
    return draw(st.sampled_from(tests)).format(path)


class Drawn(NamedTuple):
    """An expression about a subject, and facts to judge it by."""

    subject: str
    text: str
    encounter: Record
    about: Record
    policy: Any
    limits: Any


@st.composite
def questions(draw: st.DrawFn) -> Drawn:
    subject = draw(st.sampled_from(sorted(SCANS)))
    text = draw(expressions(subject))
    rng = random.Random(draw(st.integers(0, 2**32)))
    encounter = record(rng, "encounter")
    return Drawn(
        subject=subject,
        text=text,
        encounter=encounter,
        about=encounter if subject == "encounter" else record(rng, subject),
        policy=SimpleNamespace(strict=draw(st.booleans()), long_push="push"),
        limits=SimpleNamespace(most=2),
    )


def screened(rule: Compiled, settled: Settled) -> Any:
    """The rule as a screen holds it: what settled facts leave of it, alone in its function."""
    left = rule.reduced(settled)
    return fuse([] if left is None else [left], NAMES)


@given(questions(), st.booleans())
def test_the_compiled_form_agrees_with_the_tree_walker(drawn: Drawn, known: bool) -> None:
    node = parse(drawn.text, NAMES, drawn.subject)
    settled = {"policy": drawn.policy, "limits": drawn.limits}
    records = (drawn.encounter, drawn.about)
    env = {"encounter": drawn.encounter, "subject": drawn.about, **settled}
    worth = evaluate(node, NAMES, env)
    assert worth is None or isinstance(worth, bool)
    assert node.kind.nullable or worth is not None
    rule = compile_rule(None, node, NAMES, "test")
    assert rule.judge(*records, *settled.values()) == {True: 0, False: 1, None: 2}[worth]
    paths = ("",) if known else ()  # every fact of the subject begins with it
    beforehand = Settled({**settled, "subject": drawn.about}, paths)
    screen = screened(rule, beforehand)
    assert screen(*records) == {True: [], False: [0], None: [~0]}[worth]
    when = compile_rule(node, parse("False", NAMES, drawn.subject), NAMES, "test")
    assert when.judge(*records, *settled.values()) == {True: 1, False: 0, None: 2}[worth]
    screen = screened(when, beforehand)
    assert screen(*records) == {True: [0], False: [], None: [~0]}[worth]
    if worth is None:
        assert rule.missing(*records, *settled.values())


SCENARIOS = Path(__file__).parents[1] / "data/scenarios/scenarios.ndjson"


def test_screens_agree_with_the_rules_one_by_one() -> None:
    """Fused, dispatched and pruned, or each rule alone by the tree-walker: the same verdicts."""
    judged = 0
    for text in SCENARIOS.read_text("utf-8").splitlines():
        work = ENGINE.work(Encounter.model_validate(json.loads(text)["encounter"]))
        book, facts = work.book, work.facts
        broken = {(rule.id, id(subject)) for rule, subject in work.findings.broken}
        for rule in book.rules:
            subjects: dict[str, Any] = {
                "encounter": (facts,),
                "line": facts.lines or (),
                "administration": facts.administrations or (),
                "service": facts.services,
                "suggestion": facts.suggestions,
            }
            for subject in subjects[rule.for_each]:
                if rule.codes is not None and subject.given.code not in rule.codes:
                    continue
                env = {
                    "encounter": facts,
                    "subject": subject,
                    "policy": book.policy,
                    "limits": book.limits,
                }
                names = book.vocabulary
                applies: Any = True
                if rule.texts.get("when"):
                    applies = evaluate(parse(rule.texts["when"], names, rule.for_each), names, env)
                holds = evaluate(parse(rule.texts["require"], names, rule.for_each), names, env)
                wanted = applies is True and holds is False
                assert ((rule.id, id(subject)) in broken) is wanted, (rule.id, work.encounter.id)
                judged += 1
    assert judged > 10_000


def test_one_rule_judges_every_line_of_a_claim() -> None:
    rule = rule_of("line.units == 1")
    assert [rule.judge(*env_of(number, charted()).values()) for number in (1, 2, 3)] == [1, 0, 0]


def test_a_rule_that_cannot_be_judged_names_the_fields_that_nobody_stated() -> None:
    ordered = "all(a.dose > 3 for a in encounter.administrations if a.ordered)"
    assert lacking(ordered) == ["administrations[2].dose", "administrations[2].ordered"]
    assert lacking(ordered, work=claimed_alone()) == ["administrations"]
    assert lacking("line.units > 1") == []


def test_a_least_of_no_rows_lacks_the_rows() -> None:
    """No dose of the line is left to look at, though nothing of any is unknown."""
    for rows in ("line.administrations if a.billable is False", "line.administrations"):
        text = f"max(a.index for a in {rows}) > 1"
        assert worth(text, 3) is None
        assert lacking(text, 3) == ["lines[2].administrations"]


def test_a_fact_of_a_record_that_a_line_does_not_have_lacks_the_record() -> None:
    text = "line.service.minutes > 1"
    assert [worth(text, number) for number in (1, 2, 3)] == [None, True, None]
    assert lacking(text, 3) == ["lines[2].service"]
    assert lacking(text, 1) == ["service.minutes"]  # a push whose stop nobody charted


def test_a_rule_says_which_dated_tables_and_policies_it_reads_as_often_as_it_is_asked() -> None:
    text = "line.mue > 1 or line.units < policy.same_drug_push_gap_minutes"
    rule = rule_of(text)
    for _ in range(2):
        assert [(scope, fact.tables) for scope, fact in rule.looked_up] == [("line", ("mue",))]
        assert rule.policies == {"same_drug_push_gap_minutes"}


@pytest.mark.parametrize(
    ("when", "require", "verdict"),
    [
        (None, "line.known", 0),
        (None, "line.units == 1", 1),
        (None, "line.minutes > 1", 2),
        ("line.units == 1", "line.units == 3", 0),  # does not apply
        ("line.units == 2", "line.units == 2", 0),
        ("line.units == 2", "line.units == 3", 1),
        ("line.units == 2", "line.minutes > 1", 2),
        # Whether it applies is not known, so that it is unjudged even where it holds.
        ("line.minutes > 1", "line.units == 2", 2),
        ("line.minutes > 1", "line.units == 3", 2),
        ("line.minutes > 1 and line.units == 1", "line.units == 3", 0),
        ("line.minutes > 1 or line.units == 2", "line.units == 3", 1),
    ],
)
def test_a_rule_holds_or_is_broken_or_cannot_be_judged(
    when: str | None, require: str, verdict: int
) -> None:
    rule, env = rule_of(require, when), env_of(1, charted())
    assert rule.judge(*env.values()) == verdict
    left = rule.reduced(Settled({"policy": env["policy"], "limits": env["limits"]}))
    filler = rule_of("line.known").reduced(Settled({}))
    assert left is not None and filler is not None
    # Of several rules in one function each has its own number; ~n says that n is unjudged.
    for number, rules in enumerate([[left], [filler, left]]):
        wanted = {0: [], 1: [number], 2: [~number]}[verdict]
        assert fuse(rules, names())(env["encounter"], env["subject"]) == wanted


@pytest.mark.parametrize(
    ("when", "require", "speaks"),
    [
        (None, "line.units == 2", True),
        (None, "line.known", False),
        (None, "not line.known", True),
        ("line.known", "line.units > 1", True),
        ("not line.known", "line.units > 1", False),
        ("line.known", "line.mai == 3", False),
        ("line.known", "line.mai == 4", True),
        ("line.units > 1", "line.mai == 3", False),
        # Where it is not known whether it applies, the rule is unjudged.
        ("line.minutes > 1", "line.mai == 3", True),
        ("line.valid", "line.mai == 3", True),
    ],
)
def test_a_rule_that_cannot_speak_leaves_nothing(
    when: str | None, require: str, speaks: bool
) -> None:
    assert (rule_of(require, when).reduced(coded()) is not None) is speaks


def coded() -> Settled:
    """What is settled of every line of a code that the pack knows, and no page says if it is valid."""
    code = SimpleNamespace(known=True, valid=None, mai=3)
    return Settled({"subject": SimpleNamespace(coded=code)}, ("coded.",))


def test_what_surely_applies_is_not_asked_again() -> None:
    left = rule_of("line.units > 1", "line.known").reduced(coded())
    assert left is not None and left.when is None
    left = rule_of("line.units > 1", "line.valid").reduced(coded())
    assert left is not None and left.when is not None and left.when.value is None


class Counted:
    """An encounter that counts how often the lines of its claim are asked for."""

    def __init__(self, *units: int) -> None:
        self.asked = 0
        self.rows = tuple([SimpleNamespace(given=SimpleNamespace(units=each)) for each in units])
        self.claim = self

    @property
    def lines(self) -> tuple[SimpleNamespace, ...]:
        self.asked += 1
        return self.rows


def test_what_is_said_of_the_whole_encounter_is_worked_out_once() -> None:
    """So a claim of many lines is not scanned once for each of them."""
    settled = Settled({})
    rules = [
        rule_of("count(True for x in claim.lines if x.units > 1) < 2").reduced(settled),
        rule_of("all(x.units == line.units for x in claim.lines)").reduced(settled),
    ]
    screen = fuse([rule for rule in rules if rule is not None], names())
    facts = Counted(2, 2, 1)
    memo: dict[str, object] = {}
    assert [screen(facts, row, memo) for row in facts.rows] == [[0, 1]] * 3
    assert facts.asked == 1 + 3  # what is said of each line is asked of each
    assert screen(Counted(1, 1), facts.rows[2]) == []
    assert screen(facts, facts.rows[0]) == [0, 1]  # none to remember with: everything anew


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        # A row says what it lacks; the list that it stands in is there.
        ("any(x.minutes > 1 for x in claim.lines)", [0, 1, 2]),
        ("all(x.units < 2 for x in claim.lines if x.minutes > 1)", [0, 1, 2]),
    ],
)
def test_each_row_that_lacks_a_field_names_it(text: str, paths: list[int]) -> None:
    assert lacking(text) == [f"lines[{number}].minutes" for number in paths]


def test_what_when_lacks_is_all_that_is_told() -> None:
    """Until it is known whether the rule applies, what it requires may not even count."""
    assert lacking("line.minutes > 1", when="line.ndc == 'x'") == ["lines[0].ndc"]
    assert lacking("line.minutes > 1", when="line.units == 2") == ["lines[0].minutes"]


def test_what_is_missing_is_added_to_what_was_missing_before() -> None:
    e, s, p, limits = env_of(1, charted()).values()
    held = {"date": True}
    assert list(rule_of("line.minutes > 1").missing(e, s, p, limits, held)) == [
        "date",
        "lines[0].minutes",
    ]
    assert list(held) == ["date", "lines[0].minutes"]


def test_a_fact_that_is_worked_out_lacks_the_fields_that_it_is_worked_out_from() -> None:
    """``.start`` is a field of the same record, ``administrations`` one of the encounter."""
    role = "all(a.role == 'nurse' for a in encounter.administrations)"
    assert lacking(role) == [f"administrations[{number}].administered_by" for number in range(3)]
    assert lacking("line.supported_units > 1", work=claimed_alone()) == ["administrations"]
    # The chart is there, and nothing that somebody could fill in would tell.
    assert lacking("line.replaced_by == 'x'", 3) == ["lines[2].replaced_by"]


def test_a_list_that_is_there_is_not_missing() -> None:
    """Only of a least and a most of no rows the rows themselves are what is missing."""
    more = "sum(x.units for x in claim.lines if x.units > 7) > 1 or line.minutes > 1"
    assert lacking(more) == ["lines[0].minutes"]
    none = "min(x.units for x in claim.lines if x.known if x.units > 7) > 1 or line.minutes > 1"
    assert lacking(none) == ["lines[0].minutes", "lines"]
    some = "min(x.units for x in claim.lines if x.units > 1) > 1 and line.minutes > 1"
    assert lacking(some) == ["lines[0].minutes"]


def test_a_rule_says_which_of_its_facts_may_be_unknown() -> None:
    facts = rule_of("line.mue > 1 and line.units > 1", "line.minutes > 1").unknowns()
    assert [(scope, fact.path) for scope, fact in facts] == [
        ("line", "given.minutes"),
        ("line", "coded.mue"),
    ]


def test_rules_can_be_pickled() -> None:
    rule = PACK.rules[0]
    again = pickle.loads(pickle.dumps(rule))
    assert again.id == rule.id
    assert again.texts == rule.texts
