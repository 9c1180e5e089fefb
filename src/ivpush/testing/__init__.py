"""For tests of programs that use ivpush: encounters in one line, assertions, snapshots.

``chart`` and ``claim`` write an encounter as the cases of rules do; the assertions say what went
wrong in words; ``snapshot`` is what a result decides, as plain lines; ``encounters`` draws records
that look like a hospital's and an office's day. ``ivpush.testing.strategies`` draws encounters for
Hypothesis, and ``ivpush.testing.plugin`` collects ``*.ivpush.yaml`` case files in pytest.

    visit = chart("ondansetron IV push 10:00-10:02", lines=["..."])
    assert_fires(visit, "addon-without-primary", line=1)

Names load on first use, for pytest loads this module in every run.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ivpush.testing.assertions import (
        assert_clean,
        assert_fires,
        assert_silent,
        assert_suggests,
    )
    from ivpush.testing.factories import chart, claim
    from ivpush.testing.samples import encounters
    from ivpush.testing.snapshots import snapshot

__all__ = [
    "assert_clean",
    "assert_fires",
    "assert_silent",
    "assert_suggests",
    "chart",
    "claim",
    "encounters",
    "snapshot",
]

_HOMES = {
    "assertions": ("assert_clean", "assert_fires", "assert_silent", "assert_suggests"),
    "factories": ("chart", "claim"),
    "samples": ("encounters",),
    "snapshots": ("snapshot",),
}


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            value = getattr(import_module(f"ivpush.testing.{home}"), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module 'ivpush.testing' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
