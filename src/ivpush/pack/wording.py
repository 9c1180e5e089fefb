"""The wording of reasons and questions: templates of reasons.yaml, with policies in sight.

The pack reads it once; a book fills it in (``Book.reason``, ``Book.question``). A template may name
what is handed in (``{what}``, ``{units}`` …), policies and limits: no number is written twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ivpush.errors import Fault
from ivpush.language.messages import Template, parse_template
from ivpush.language.tree import ExpressionError
from ivpush.language.vocabulary import Names
from ivpush.pack.data import Data
from ivpush.pack.files import Say, Sheet
from ivpush.pack.later import Later
from ivpush.records import record

__all__ = ["NO_WORDS", "Wording", "checked_wording", "read_wording"]

NO_WORDS: Mapping[str, str] = {"what": "", "units": "", "modifiers": "", "beside": "", "held": ""}
"""What a template may be handed: the service, its units, its modifiers, what is beside, a name."""


@record
class Wording:
    """Templates by name: reasons with their sources, questions with who can answer them."""

    reasons: Mapping[str, tuple[Later[Template], tuple[str, ...]]]
    questions: Mapping[str, tuple[str, Later[Template]]]


def checked_wording(data: Data, names: Names) -> Wording:
    """The templates of a reasons.yaml that was checked before, each read when it is asked for."""

    def later(text: str) -> Later[Template]:
        return Later(lambda: parse_template(text, names, "encounter", NO_WORDS))

    return Wording(
        {name: (later(text), cites) for name, (text, cites) in data.reasons.items()},
        {name: (who, later(text)) for name, (who, text) in data.questions.items()},
    )


def read_wording(sheet: Sheet, data: Data, names: Names, say: Say) -> Wording:
    """The templates of reasons.yaml; a name that is not known is said with its place."""
    reader = _Reader(sheet, names, say)
    reasons = {
        name: (template, cites)
        for name, (text, cites) in data.reasons.items()
        for template in reader.templates(name, text)
    }
    questions = {
        name: (who, template)
        for name, (who, text) in data.questions.items()
        for template in reader.templates(name, text)
    }
    return Wording(reasons, questions)


@record
class _Reader:
    sheet: Sheet
    names: Names
    say: Say

    def templates(self, name: str, text: str) -> Iterator[Later[Template]]:
        """The template of one text; none where it is at fault."""
        try:
            yield Later.of(parse_template(text, self.names, "encounter", NO_WORDS))
        except ExpressionError as error:
            problem = f"{name}: {error.problem}, at letter {error.column}"
            self.say(Fault(self.sheet.place(self._path(name)), problem, error.remedy))

    def _path(self, name: str) -> tuple[str, ...]:
        groups = (group for group, rows in self.sheet.mapping.items() if name in rows)
        return (next(groups, "reasons"), name)
