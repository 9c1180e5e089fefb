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

from hypothesis import given
from hypothesis import strategies as st

from ivpush import Encounter
from ivpush.language.compiler import Compiled, Settled, compile_rule, fuse
from ivpush.language.evaluator import evaluate
from ivpush.language.parser import parse
from ivpush.language.tree import Kind
from ivpush.language.vocabulary import Names
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


def test_rules_can_be_pickled() -> None:
    rule = PACK.rules[0]
    again = pickle.loads(pickle.dumps(rule))
    assert again.id == rule.id
    assert again.texts == rule.texts
