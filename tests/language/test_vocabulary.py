"""The vocabulary is read off the records of facts, and each fact says what it means."""

from __future__ import annotations

from typing import Annotated

import pytest

from ivpush.contract.means import Means
from ivpush.language.vocabulary import SCOPES, facts_of, kind_of


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
