"""ivpush checks injection and infusion claims against the chart.

One encounter in; suggested codes, violations, fixes, open questions and reasons out:

    from ivpush import Encounter, Engine

    engine = Engine()
    result = engine.check(Encounter.model_validate(record))

Many at once: ``check_many`` takes records one after another, ``check_frame`` and ``check_batches``
take tables (pandas, polars, Arrow); ``EngineOptions`` says how their engines are built. What comes
with them stands in ``ivpush.batch`` (files in, files out, resumable) and ``ivpush.frames``.

Names load on first use, so that ``import ivpush`` costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ivpush._version import __version__

if TYPE_CHECKING:
    from ivpush.batch import EngineOptions, check_many
    from ivpush.contract.encounter import Administration, ClaimLine, Encounter, Supervision
    from ivpush.contract.result import Question, Result, SuggestedLine, Violation
    from ivpush.engine import Engine
    from ivpush.errors import InputError, IvpushError, PackError, UsageError
    from ivpush.frames import check_batches, check_frame
    from ivpush.pack.pack import Pack

__all__ = [
    "Administration",
    "ClaimLine",
    "Encounter",
    "Engine",
    "EngineOptions",
    "InputError",
    "IvpushError",
    "Pack",
    "PackError",
    "Question",
    "Result",
    "SuggestedLine",
    "Supervision",
    "UsageError",
    "Violation",
    "__version__",
    "check_batches",
    "check_frame",
    "check_many",
]

_HOMES = {
    "batch": ("EngineOptions", "check_many"),
    "engine": ("Engine",),
    "errors": ("InputError", "IvpushError", "PackError", "UsageError"),
    "frames": ("check_batches", "check_frame"),
    "contract.encounter": ("Administration", "ClaimLine", "Encounter", "Supervision"),
    "pack.pack": ("Pack",),
    "contract.result": ("Question", "Result", "SuggestedLine", "Violation"),
}


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            value = getattr(import_module(f"ivpush.{home}"), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module 'ivpush' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
