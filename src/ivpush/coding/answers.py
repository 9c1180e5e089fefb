"""An answer written into the encounter that it was asked of: what would be known, were it so.

``claim.reading`` reads a claim by the answers that it may rest on. The fields are those that
``questions`` asks for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ivpush.contract.encounter import Supervision
from ivpush.contract.result import Between, Equals

if TYPE_CHECKING:
    from ivpush.contract.encounter import Encounter
    from ivpush.pack.book import Book

__all__ = ["answered"]


def answered(encounter: Encounter, book: Book, when: Equals | Between) -> tuple[Encounter, Book]:
    """The encounter and the book with one open fact settled.

    In use::

        encounter, book = answered(encounter, book, question.answers[0].when)
        code_chart(encounter, book)
    """
    owner, _, name = when.field.rpartition(".")
    # An answer about minutes is a stretch that bills the same: its first minute stands for all.
    value = when.low if isinstance(when, Between) else when.value
    if owner == "policy":
        return encounter, book.with_policy(name, value)
    changes: dict[str, object] = {name: value}
    if owner == "supervision":
        stated = encounter.supervision or Supervision()
        changes = {"supervision": stated.model_copy(update=changes)}
    elif owner:
        # Clock times win over minutes, so a charted stop would hide the answer.
        if isinstance(when, Between):
            changes["stop"] = None
        index = int(owner.partition("[")[2].rstrip("]"))
        administrations = list(encounter.administrations or ())
        administrations[index] = administrations[index].model_copy(update=changes)
        changes = {"administrations": tuple(administrations)}
    return encounter.model_copy(update=changes), book
