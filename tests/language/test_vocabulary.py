"""The vocabulary is read off the records of facts, and each fact says what it means."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal

import pytest

from ivpush.contract.facts import AdministrationFacts, EncounterFacts, LineFacts, ServiceFacts
from ivpush.contract.means import Means
from ivpush.language.tree import Kind
from ivpush.language.vocabulary import SCOPES, Names, facts_of, kind_of

KINDS = {"flag", "whole", "number", "text", "word", "date", "instant", "texts", "row"}


@pytest.mark.parametrize("scope", SCOPES)
def test_every_fact_says_what_it_means(scope: str) -> None:
    """Records and lists of records explain themselves."""
    facts = facts_of(SCOPES[scope])
    plain = {name: fact for name, fact in facts.items() if kind_of(fact.type).scope is None}
    assert plain
    assert [name for name, fact in plain.items() if not fact.meaning] == []


def test_a_field_that_says_neither_what_it_means_nor_that_it_is_working_state_is_refused() -> None:
    class Facts:
        code: Annotated[str, Means("the code billed")]
        units: int

    with pytest.raises(TypeError, match=r"Facts\.units says neither"):
        facts_of(Facts)


def test_every_fact_is_of_a_kind_that_the_language_knows() -> None:
    names = Names({}, {})
    kinds = {fact.kind.name for scope in names.scopes.values() for fact in scope.values()}
    assert kinds <= {*KINDS, "list", "record"}


@pytest.mark.parametrize(
    ("annotation", "kind"),
    [
        (bool, Kind("flag")),
        (int | None, Kind("whole", nullable=True)),
        (Decimal, Kind("number")),
        (str, Kind("text")),
        (date, Kind("date")),
        (datetime, Kind("instant")),
        (Literal["push", "infusion"], Kind("word", words=frozenset({"push", "infusion"}))),
        # A tuple keeps order and repeats, such as a line's modifiers, so it is no set.
        (frozenset[str], Kind("texts")),
        (tuple[str, ...], Kind("row")),
        (tuple[LineFacts, ...] | None, Kind("list", nullable=True, scope="line")),
        (ServiceFacts, Kind("record", scope="service")),
        (dict, Kind("other")),
    ],
)
def test_the_kind_of_a_fact_is_read_off_its_type(annotation: object, kind: Kind) -> None:
    assert kind_of(annotation) == kind


def test_the_charts_own_words_are_marked() -> None:
    facts = facts_of(AdministrationFacts)
    assert facts["separate_site_reason"].free_text
    assert not facts["route"].free_text
    assert not facts["index"].free_text


def test_a_field_rests_on_itself_and_a_fact_on_what_it_or_its_record_says() -> None:
    """``.units`` is a field of the same record, ``setting`` one of the encounter."""
    assert facts_of(LineFacts)["units"].rests_on == (".units",)
    assert facts_of(EncounterFacts)["setting"].rests_on == ("setting",)

    class Facts:
        RESTS_ON = (".code",)
        family: Annotated[str, Means("the family")]
        minutes: Annotated[int, Means("the minutes", rests_on=(".minutes",))]

    facts = facts_of(Facts)
    assert facts["family"].rests_on == (".code",)
    assert facts["minutes"].rests_on == (".minutes",)


def test_a_fact_that_is_worked_out_beats_the_field_as_stated() -> None:
    """The date of an encounter may come from its first dose."""
    assert facts_of(EncounterFacts)["date"].path == "date"
    assert facts_of(LineFacts)["units"].path == "given.units"


def test_the_words_of_a_column_are_the_packs() -> None:
    words = frozenset({"push", "infusion"})
    facts = Names({}, {}, {"technique": words}).scopes["line"]
    assert facts["technique"].kind == Kind("word", nullable=True, words=words)
    assert facts["role"].kind.words is None
