"""For tests of programs that use ivpush: made-up encounters, strategies, and a pytest plugin.

``encounters`` draws records that look like a hospital's and an office's day; ``assert_clean`` and
``assert_fires`` say what went wrong in words; ``ivpush.testing.strategies`` draws encounters for
Hypothesis, and ``ivpush.testing.plugin`` collects ``*.ivpush.yaml`` case files in pytest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ivpush.contract.result import Result
    from ivpush.engine import Engine

__all__ = ["assert_clean", "assert_fires", "encounters"]


def encounters(seed: int, n: int, **more: Any) -> Iterator[dict[str, Any]]:
    """Made-up records, the same for the same seed; see ``ivpush.testing.samples.encounters``."""
    from ivpush.testing import samples  # noqa: PLC0415  (pytest loads this module in every run)

    return samples.encounters(seed, n, **more)


def assert_clean(record: Any, *, engine: Engine | None = None) -> Result:
    """Fail unless a record (a dict or an Encounter) has neither an error nor an open question."""
    result = _checked(record, engine)
    said = [f"{one.rule} on line {one.line}: {one.message}" for one in result.violations
            if one.severity == "error"]  # fmt: skip
    said += [f"open: {one.missing}: {one.ask}" for one in result.questions]
    if result.status != "clean":
        raise AssertionError("the claim is not clean:\n" + "\n".join(said))
    return result


def assert_fires(
    record: Any, *rules: str, line: int | None = None, engine: Engine | None = None
) -> Result:
    """Fail unless each of the rules (ids or names) speaks, on a line if one is given."""
    result = _checked(record, engine)
    found = {key for one in result.violations if line is None or one.line == line
             for key in (one.rule, one.name)}  # fmt: skip
    silent = [one for one in rules if one not in found]
    if silent or not rules:
        spoke = ", ".join(sorted({f"{one.rule} {one.name}" for one in result.violations})) or "none"
        raise AssertionError(f"silent: {', '.join(silent) or 'no rule was named'}; spoke: {spoke}")
    return result


def _checked(record: Any, engine: Engine | None) -> Result:
    from ivpush.contract.encounter import Encounter  # noqa: PLC0415
    from ivpush.engine import Engine  # noqa: PLC0415

    made = record if isinstance(record, Encounter) else Encounter.model_validate(record)
    return (engine or Engine()).check(made)
