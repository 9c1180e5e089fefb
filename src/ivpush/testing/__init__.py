"""For tests of programs that use ivpush: made-up encounters, strategies, and a pytest plugin.

``encounters`` draws records that look like a hospital's and an office's day; ``assert_clean`` and
``assert_fires`` say what went wrong in words; ``ivpush.testing.strategies`` draws encounters for
Hypothesis, and ``ivpush.testing.plugin`` collects ``*.ivpush.yaml`` case files in pytest.

    for record in encounters(seed=1, n=100):
        result = assert_fires(my_change(record), "addon-without-primary")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ivpush.contract.encounter import Encounter
    from ivpush.contract.result import Result
    from ivpush.engine import Engine
    from ivpush.testing.samples import Verdict

__all__ = ["assert_clean", "assert_fires", "encounters"]


def encounters(
    seed: int,
    n: int,
    *,
    setting: str | None = None,
    shares: Mapping[Verdict, float] | None = None,
    engine: Engine | None = None,
) -> Iterator[dict[str, Any]]:
    """Made-up records, the same for the same seed; see ``ivpush.testing.samples.encounters``."""
    from ivpush.testing import samples  # noqa: PLC0415  (pytest loads this module in every run)

    shares = samples.SHARES if shares is None else shares
    return samples.encounters(seed, n, setting=setting, shares=shares, engine=engine)


def assert_clean(record: Mapping[str, Any] | Encounter, *, engine: Engine | None = None) -> Result:
    """Fail unless a record has neither an error nor an open question; gives the result."""
    from ivpush.plural import counted  # noqa: PLC0415  (pytest loads this module in every run)

    __tracebackhide__ = True
    result = _checked(record, engine)
    if result.status != "clean":
        errors = (violation for violation in result.violations if violation.severity == "error")
        rows = [f"{error.rule} on line {error.line}: {error.message}" for error in errors]
        rows += [f"open: {question.missing}: {question.ask}" for question in result.questions]
        if not rows:
            count = len(result.unjudged)
            rows.append(f"no chart came, so that {counted(count, 'rule')} could not be judged")
        raise AssertionError("\n".join(["the claim is not clean:", *rows]))
    return result


def assert_fires(
    record: Mapping[str, Any] | Encounter,
    *rules: str,
    line: int | None = None,
    engine: Engine | None = None,
) -> Result:
    """Fail unless each of the rules (ids or names) speaks, on a line if one is named.

    Raises UsageError for a rule that does not exist.
    """
    __tracebackhide__ = True
    engine = _engine(engine)
    _require_rules(rules, engine)
    result = _checked(record, engine)
    on_line = [each for each in result.violations if line is None or each.line == line]
    speaking = {name for violation in on_line for name in (violation.rule, violation.name)}
    silent = [rule for rule in rules if rule not in speaking]
    # Without a rule the call would hold for any record, so it fails.
    if silent or not rules:
        spoke = sorted({f"{violation.rule} {violation.name}" for violation in result.violations})
        raise AssertionError(
            f"silent: {', '.join(silent) or 'no rule was named'}; "
            f"spoke: {', '.join(spoke) or 'none'}"
        )
    return result


def _checked(record: Mapping[str, Any] | Encounter, engine: Engine | None) -> Result:
    from ivpush.contract.encounter import Encounter  # noqa: PLC0415
    from ivpush.errors import InputError  # noqa: PLC0415

    # Whoever tests a record need not see our own stack.
    __tracebackhide__ = True
    if not isinstance(record, Encounter):
        try:
            record = Encounter.model_validate(record)
        except InputError as error:
            raise InputError(error.faults) from None
    return _engine(engine).check(record)


def _engine(engine: Engine | None) -> Engine:
    from ivpush.engine import Engine  # noqa: PLC0415

    return engine or Engine()


def _require_rules(names: Iterable[str], engine: Engine) -> None:
    from ivpush.errors import Fault, UsageError, did_you_mean  # noqa: PLC0415

    __tracebackhide__ = True
    known = {key for rule in engine.pack.every_rule for key in (rule.id, rule.name)}
    faults = [
        Fault(f"'{name[:60]}'", "is no rule", did_you_mean(name, known))
        for name in names
        if name not in known
    ]
    if faults:
        raise UsageError(faults)
