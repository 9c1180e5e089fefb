"""Every error this library raises on purpose, and the faults that each carries.

Every module raises them; the command line, batches and reports print them.

    IvpushError
    ├── InputError     a chart or a claim does not fit the contract
    │   └── InternalError  ivpush itself failed on one, which is set aside
    ├── PackError      a rule pack is not fit to be used
    └── UsageError     the library or the command was asked for something that does not exist

A fault is data: the place, what is wrong there, and what to write instead.
No fault ever holds a value taken from a chart or a claim; texts of a rule pack may be quoted.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import ParamSpec, TypeVar

__all__ = [
    "Fault",
    "InputError",
    "InternalError",
    "IvpushError",
    "PackError",
    "UsageError",
    "attempt",
    "did_you_mean",
    "first_faults",
    "nearest_word",
    "require_count",
    "require_kind",
]

Answer = TypeVar("Answer")
Given = ParamSpec("Given")
MOST_FAULTS = 20
"""Faults of one record that are named: thousands would bury what is to be mended first."""

_MOST_OF_A_WORD = 80
"""What a remedy shows of a word: a pack may name a thing with thousands of letters."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: where, what, and what to do about it."""

    place: str
    problem: str
    remedy: str = ""

    def __str__(self) -> str:
        text = f"{self.place}: {self.problem}" if self.place else self.problem
        return f"{text}; {self.remedy}" if self.remedy else text


class IvpushError(Exception):
    """Root of the tree: catch this to catch every error of this library.

    In use::

        try:
            engine = ivpush.Engine(payer="nobody")
        except ivpush.IvpushError as error:
            for fault in error.faults:
                print(fault.place, fault.problem, fault.remedy)

    ``faults`` lists everything that is wrong, in reading order.
    """

    def __init__(self, faults: Iterable[Fault] | Fault | str) -> None:
        if isinstance(faults, str):
            faults = Fault("", faults)
        self.faults: tuple[Fault, ...] = (faults,) if isinstance(faults, Fault) else tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))

    @property
    def one_line(self) -> str:
        """Everything found, on one line: for a row or a list."""
        return "; ".join(map(str, self.faults))

    # Processes hand errors on by pickling; by default only the joined text would arrive.
    def __reduce__(self) -> tuple[type[IvpushError], tuple[tuple[Fault, ...]]]:
        return type(self), (self.faults,)


class InputError(IvpushError):
    """A chart or a claim does not fit the contract; the faults name fields, never values."""


class InternalError(InputError):
    """ivpush itself failed on a record, which is set aside so that the others have their answers.

    It names the kind of failure and no value, and does not hold the failure, which may.
    """

    @classmethod
    def of(cls, error: BaseException) -> InternalError:
        """The error that stands for a failure."""
        fault = Fault(
            "",
            f"failed inside ivpush ({type(error).__name__})",
            "check it on its own, and report it without patient data",
        )
        return cls(fault)


class PackError(IvpushError):
    """A rule pack cannot be used; places read ``file:line:column``."""


class UsageError(IvpushError):
    """Something was asked for that does not exist: a policy, a rule, a payer, a file."""


def first_faults(faults: Iterable[Fault], count: int, most: int = MOST_FAULTS) -> tuple[Fault, ...]:
    """The first of so many faults, and one that counts the others.

    No more of ``faults`` is asked for than is named, so that naming them stays cheap.
    """
    named = tuple(islice(faults, most))
    rest = count - len(named)
    if rest < 1:
        return named
    return (*named, Fault("", f"and {rest:,} more", "mend these first"))


def attempt(
    do: Callable[Given, Answer], *arguments: Given.args, **named: Given.kwargs
) -> Answer | InputError:
    """What a call about one record gives, or the error that sets the record aside.

    A failure of ours on one record must not cost the others their answers.
    """
    try:
        return do(*arguments, **named)
    except InputError as error:
        return error
    except Exception as error:
        return InternalError.of(error)


def require_kind(name: str, given: object, kinds: type | tuple[type, ...], remedy: str) -> None:
    """Raise UsageError where an argument is of another kind than a function takes.

    Types say so to a checker; whoever has none is told here, and not by whatever fails later.
    """
    if not isinstance(given, kinds):
        raise UsageError(Fault(name, f"is of the type {type(given).__name__}", remedy))


def require_count(name: str, given: object, least: int) -> None:
    """Raise UsageError where an argument is no whole number, or a smaller one than it may be."""
    require_kind(name, given, int, "give a whole number")
    if isinstance(given, int) and given < least:
        raise UsageError(Fault(name, "is too small", f"write {least} or more"))


def nearest_word(word: str, known: Iterable[str]) -> str | None:
    """The known word that is most like one, whatever the case; None where none is near."""
    # Of words that differ in case alone the first stands.
    by_fold: dict[str, str] = {}
    for each in known:
        by_fold.setdefault(each.casefold(), each)
    # The word is cut, because comparing takes time that grows with its length squared.
    word = word[:80].casefold()
    near = difflib.get_close_matches(word, by_fold, n=len(by_fold) or 1, cutoff=0.6)

    def likeness(other: str) -> tuple[float, int]:
        # Of two that are equally near, the one that begins alike: IVP101 for IVP1O1, not IVP911.
        ratio = difflib.SequenceMatcher(a=other, b=word).ratio()
        alike = takewhile(lambda pair: pair[0] == pair[1], zip(other, word, strict=False))
        return ratio, len(list(alike))

    nearest = max(sorted(near), key=likeness, default=None)
    return None if nearest is None else by_fold[nearest]


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A remedy that names the nearest known word, or lists the known ones where none is near."""
    words = sorted(known)
    near = nearest_word(word, words)
    if near is not None:
        return f"did you mean '{near}'?"
    if not words:
        return ""
    more = f", … ({len(words)} in all)" if len(words) > 12 else ""
    return f"write one of: {', '.join(word[:_MOST_OF_A_WORD] for word in words[:12])}{more}"
