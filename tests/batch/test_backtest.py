"""Claims against remittances: what is linked, what is foretold, and that nothing is lost."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from ivpush.batch.backtest import COUNTS, Backtest, backtest
from ivpush.commands import backtest as command
from ivpush.commands.parser import Parser
from tests.readers.x12.samples import envelope as claims_837
from tests.readers.x12.test_remits import envelope as remits_835
from tests.shipped import ENGINE

if TYPE_CHECKING:
    from pathlib import Path


def claim(name: bytes, *lines: bytes, charge: bytes = b"100") -> tuple[bytes, ...]:
    """A claim of lines ``code``, or ``code/REF*6R``, each charged alike."""
    out = [b"CLM*" + name + b"*" + charge + b"***11:B:1*Y*A*Y*Y", b"HI*ABK:R112"]
    for number, line in enumerate(lines, 1):
        code, _, control = line.partition(b"/")
        out += [b"LX*%d" % number, b"SV1*HC:" + code + b"*50*UN*1***1", b"DTP*472*D8*20260302"]
        out += [b"REF*6R*" + control] if control else []
    return tuple(out)


def paid(code: bytes, amount: bytes = b"50", *more: bytes) -> tuple[bytes, ...]:
    return (b"SVC*HC:" + code + b"*50*" + amount + b"**1", *more)


def denied(code: bytes, *more: bytes, reason: bytes = b"CO*97") -> tuple[bytes, ...]:
    return paid(code, b"0", b"CAS*" + reason + b"*50", *more)


def compared(claims: bytes, remits: bytes) -> Backtest:
    return backtest("c", io.BytesIO(claims), "r", io.BytesIO(remits), ENGINE)


def run(claims: tuple[bytes, ...], *remits: bytes) -> Backtest:
    return compared(claims_837(*claims), remits_835(*remits))


def clp(name: bytes, charge: bytes = b"100", payment: bytes = b"50", status: bytes = b"1") -> bytes:
    return b"CLP*" + name + b"*" + status + b"*" + charge + b"*" + payment + b"**MC*9"


def test_an_add_on_alone_is_foretold_with_its_reason() -> None:
    """The rule of add-ons without a primary names the reason that the payer gave."""
    violations = ENGINE.check(next(iter(encounters(claim(b"C1", b"96375"))))).violations
    carcs = {one.carc for one in violations if one.line == 1 and one.severity == "error"}
    reason = sorted(one for one in carcs if one)[0]
    report = run(
        claim(b"C1", b"96375"),
        clp(b"C1"),
        *denied(b"96375", b"LQ*HE*N122", reason=b"CO*" + reason.encode()),
    )
    (one,) = report.outcomes
    assert (one.claim, one.line, one.code, one.fate) == ("C1", 1, "96375", "denied")
    assert one.errors and one.same_reason
    assert one.remarks == ("N122",)
    assert report.counts["denied_foretold"] == report.counts["denied_same_reason"] == 1
    assert report.counts["denied_not_foretold"] == 0


def encounters(segments: tuple[bytes, ...]) -> Any:
    from ivpush.readers import Record
    from ivpush.readers.x12.reader import read

    for one in read("f", io.BytesIO(claims_837(*segments))):
        if isinstance(one, Record):
            yield one.encounter


def test_a_denial_that_no_rule_saw_is_counted_as_such() -> None:
    report = run(claim(b"C1", b"96374"), clp(b"C1"), *denied(b"96374", reason=b"CO*29"))
    assert report.counts["denied_not_foretold"] == 1
    assert [(one.line, one.errors) for one in report.outcomes] == [(1, ())]


def test_another_reason_is_foretold_but_not_for_the_same_reason() -> None:
    report = run(claim(b"C1", b"96375"), clp(b"C1"), *denied(b"96375", reason=b"CO*29"))
    assert report.counts["denied_foretold"] == 1
    assert report.counts["denied_same_reason"] == 0


def test_lines_paid_despite_an_error_are_listed_and_clean_ones_counted() -> None:
    report = run(
        (*claim(b"C1", b"96375"), *claim(b"C2", b"96374")),
        clp(b"C1"),
        *paid(b"96375"),
        clp(b"C2"),
        *paid(b"96374"),
    )
    assert [(one.claim, one.fate) for one in report.outcomes] == [("C1", "paid")]
    assert report.counts["paid_with_error"] == report.counts["paid_clean"] == 1


def test_what_is_left_to_the_patient_is_no_denial() -> None:
    report = run(
        claim(b"C1", b"96374"),
        clp(b"C1", payment=b"0"),
        *paid(b"96374", b"0", b"CAS*CO*45*30", b"CAS*PR*1*20"),
    )
    assert report.counts["patient_clean"] == 1
    assert report.outcomes == []


def test_lines_are_linked_by_their_control_numbers() -> None:
    """Two lines of one code: the second is answered first, and only REF*6R tells."""
    report = run(
        claim(b"C1", b"J2405/A", b"J2405/B"),
        clp(b"C1"),
        *denied(b"J2405", b"REF*6R*B"),
        *paid(b"J2405", b"50", b"REF*6R*A"),
    )
    assert [(one.line, one.fate) for one in report.outcomes if one.fate == "denied"] == [
        (2, "denied")
    ]


def test_a_control_number_that_repeats_tells_nothing() -> None:
    report = run(
        claim(b"C1", b"J2405/A", b"96374/A"),
        clp(b"C1"),
        *paid(b"96374", b"50", b"REF*6R*A"),
        *denied(b"J2405", b"REF*6R*A"),
    )
    assert [(one.line, one.code) for one in report.outcomes if one.fate == "denied"] == [
        (1, "J2405")
    ]


def test_without_control_numbers_code_and_modifiers_tell_in_order() -> None:
    report = run(
        claim(b"C1", b"J2405", b"J2405:JW", b"J2405"),
        clp(b"C1"),
        *paid(b"J2405:JW"),
        *paid(b"J2405"),
        *denied(b"J2405"),
    )
    assert [one.line for one in report.outcomes if one.fate == "denied"] == [3]


def test_claims_that_share_an_id_are_told_apart_by_their_total() -> None:
    report = run(
        (*claim(b"C1", b"96374", charge=b"70"), *claim(b"C1", b"96374", charge=b"80")),
        clp(b"C1", b"80"),
        *denied(b"96374"),
        clp(b"C1", b"70"),
        *paid(b"96374"),
    )
    assert [one.place.partition(" (")[0] for one in report.outcomes] == [
        "c: interchange 1, transaction 1, claim 2"
    ]


def test_claims_that_cannot_be_told_apart_are_not_linked() -> None:
    report = run(
        claim(b"C1", b"96374"),
        clp(b"C1", b"80"),
        *paid(b"96374"),
        clp(b"C1", b"70"),
        *paid(b"96374"),
    )
    assert report.counts["claims_without_remittance"] == 1
    assert report.counts["remittances_without_claim"] == 2


def test_a_claim_denied_whole_denies_each_line() -> None:
    report = run(
        claim(b"C1", b"96374", b"J2405"), clp(b"C1", payment=b"0", status=b"4"), b"CAS*CO*29*100"
    )
    assert [(one.line, one.fate, one.adjustments[0].reason) for one in report.outcomes] == [
        (1, "denied", "29"),
        (2, "denied", "29"),
    ]


def test_everything_without_a_counterpart_is_listed_and_counted() -> None:
    report = run(
        (*claim(b"C1", b"96374", b"J2405"), *claim(b"C2", b"96374")),
        clp(b"C1"),
        *paid(b"96374"),
        *paid(b"J1885"),
        clp(b"C9"),
        *paid(b"96374"),
    )
    for kind in (
        "claims_without_remittance",
        "claim_lines_without_remittance",
        "remittances_without_claim",
        "remittance_lines_without_claim",
    ):
        assert report.counts[kind] == len(report.unmatched[kind]) == 1
    assert report.unmatched["claim_lines_without_remittance"][0].endswith(", line 2")


def test_reversals_are_counted_and_answer_nothing() -> None:
    report = run(
        claim(b"C1", b"96374"),
        clp(b"C1", status=b"22"),
        *paid(b"96374", b"-50"),
        clp(b"C1"),
        *paid(b"96374"),
    )
    assert report.counts["reversals"] == report.counts["paid_clean"] == 1


def test_what_could_not_be_read_is_counted_on_both_sides() -> None:
    bad = claim(b"C2", b"9637")
    report = run((*claim(b"C1", b"96374"), *bad), clp(b"C1"), *paid(b"96374"), clp(b"C2", b"x"))
    assert report.counts["claims_set_aside"] == report.counts["remittances_set_aside"] == 1
    assert len(report.set_aside) == 2


def written(folder: Path, claims: bytes, remits: bytes, *options: str) -> list[str]:
    (folder / "c.837").write_bytes(claims)
    (folder / "r.835").write_bytes(remits)
    return ["backtest", str(folder / "c.837"), str(folder / "r.835"), *options]


def called(arguments: list[str]) -> int:
    parser = Parser()
    command.add(parser.add_subparsers())
    options = parser.parse_args(arguments)
    status: int = options.run(options)
    return status


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


def test_the_command_reports_as_text(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    claims, remits = claims_837(*claim(b"C1", b"96375")), remits_835(clp(b"C1"), *denied(b"96375"))
    assert called(written(folder, claims, remits)) == 0
    text = capsys.readouterr().out
    assert "DENIED\n  C1 line 1: 96375 x 1\n" in text
    assert "payer:  CO 97 50" in text
    assert "ivpush: error IVP104" in text
    assert all(meaning in text for meaning in COUNTS.values())


def test_the_command_reports_as_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    claims, remits = claims_837(*claim(b"C1", b"96375")), remits_835(clp(b"C1"), *denied(b"96375"))
    assert called(written(folder, claims, remits, "--format", "json")) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["counts"]["denied_foretold"] == 1
    assert set(report["counts"]) == set(COUNTS)
    (line,) = report["lines"]
    assert line["foretold"] is True
    assert line["payer"]["adjustments"] == [{"group": "CO", "carc": "97", "amount": "50"}]
    assert "IVP104" in {one["rule"] for one in line["ivpush"]}


def test_the_command_says_what_it_could_not_read(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    claims, remits = claims_837(*claim(b"C1", b"9637")), remits_835(clp(b"C1"))
    assert called(written(folder, claims, remits)) == 4
    assert "claim 1" in capsys.readouterr().err


def test_a_missing_file_is_a_mistake_in_use(folder: Path) -> None:
    from ivpush.errors import UsageError

    with pytest.raises(UsageError, match="name a file that can be read"):
        called(["backtest", str(folder / "none"), str(folder / "none")])


def test_a_payer_that_does_not_exist_is_refused(folder: Path) -> None:
    from ivpush.errors import UsageError

    arguments = written(folder, claims_837(*claim(b"C1", b"96375")), remits_835(clp(b"C1")))
    with pytest.raises(UsageError, match="did you mean 'medicare'"):
        called([*arguments, "--payer", "medicaer"])


def test_an_input_without_a_claim_is_2(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert called(written(folder, b"", remits_835(clp(b"C1")))) == 2
    assert "c.837: holds no record" in capsys.readouterr().err
