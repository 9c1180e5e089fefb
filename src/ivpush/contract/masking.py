"""Ids replaced by names that tell nothing, for outputs that many people see.

``commands.check_run`` calls it for annotations of a build, and wherever it is asked to. The ids of
an encounter are replaced before it is judged, so that every sentence about it holds the same names.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from ivpush.errors import Fault, UsageError

if TYPE_CHECKING:
    from ivpush.contract.encounter import Administration, ClaimLine, Encounter

__all__ = ["Mask"]

LEAST_KEY_BYTES = 16
_DIGITS = 16


class Mask:
    """Names for ids by a secret key: the same id has the same name under one key.

    Without the key nobody can tell which id a name stands for, not even by trying all account
    numbers. ::

        mask = Mask(secrets.token_bytes(32))
        result = engine.check(mask.encounter(encounter))

    Raises UsageError for a key that could be guessed.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) < LEAST_KEY_BYTES:
            problem = "is too short to keep ids secret"
            raise UsageError(Fault("key", problem, f"give {LEAST_KEY_BYTES} random bytes or more"))
        self._key = key

    def name(self, kind: str, word: str) -> str:
        """What stands for an id of one kind."""
        digest = hmac.digest(self._key, f"{kind}:{word}".encode("utf-8", "surrogatepass"), "sha256")
        return f"{kind}-{digest.hex()[:_DIGITS]}"

    def encounter(self, encounter: Encounter) -> Encounter:
        """The encounter with names in the place of its ids and of those who gave drugs."""
        given, billed = encounter.administrations, encounter.lines
        return encounter.model_copy(
            update={
                "id": self.name("encounter", encounter.id),
                "primary_administration": self._dose(encounter.primary_administration),
                "administrations": None if given is None else tuple(map(self._given, given)),
                "lines": None if billed is None else tuple(map(self._billed, billed)),
            }
        )

    def _given(self, given: Administration) -> Administration:
        performer = given.performer
        return given.model_copy(
            update={
                "id": self._dose(given.id),
                "continues": self._dose(given.continues),
                "mixed_with": self._dose(given.mixed_with),
                "performer": None if performer is None else self.name("performer", performer),
            }
        )

    def _billed(self, line: ClaimLine) -> ClaimLine:
        links = line.administrations
        linked = None if links is None else tuple(map(self._dose, links))
        return line.model_copy(update={"administrations": linked})

    def _dose(self, word: str | None) -> str | None:
        return None if word is None else self.name("dose", word)
