"""The same files read by two other libraries: what they read of a line, we read alike."""

from __future__ import annotations

import contextlib
import io
from decimal import Decimal, InvalidOperation
from pathlib import Path

import pytest
from pyx12.errors import X12Error
from pyx12.x12file import X12Reader
from x12sdk.io import X12ModelReader

from ivpush.readers.x12.claims import parse
from ivpush.readers.x12.remits import Remittance
from ivpush.readers.x12.remits import read as read_remittances
from ivpush.readers.x12.walk import Claim, walk

DATA = Path(__file__).parents[2] / "data" / "x12"
FILES = sorted(DATA.iterdir())
Line = tuple[str, tuple[str, ...], Decimal, Decimal]
"""Code, modifiers, charge and units."""

BY_PYX12 = {
    "hccinfhir-sample_837_0.txt": 5,
    "hccinfhir-sample_837_1.txt": 4,
    "hccinfhir-sample_837_12.txt": 8,
    "imsweb-x12_complex.txt": 4,
    "imsweb-x12_missing_elements.txt": 1,
    "imsweb-x12_multiple_gs.txt": 3,
    "imsweb-x12_multiple_st.txt": 2,
    "imsweb-x12_valid.txt": 1,
    "imsweb-x12_valid_different_separators.txt": 1,
    "imsweb-x223-test.txt": 1,
    "lfh-coordination-of-benefits.837": 3,
    "lfh-demo.cob.example3.A.837": 3,
    "lfh-demo.cob.example3.B.837": 3,
    "lfh-demo.drug.example10.1.837": 2,
    "lfh-demo.drug.example10.2.837": 6,
    "lfh-demo.example1.837": 4,
    "lfh-demo.example7.837": 2,
    "lfh-institutional-claim.837i": 2,
    "lfh-two-claims-single-provider.837i": 3,
    "moov-sample.txt": 11,
}
"""Files that pyx12 reads, and the lines whose code both sides hold for one of five characters."""
BY_X12SDK = {
    "hccinfhir-sample_837_0.txt": 5,
    "lfh-demo.cob.example3.A.837": 3,
    "lfh-demo.cob.example3.B.837": 3,
    "lfh-demo.drug.example10.1.837": 2,
    "lfh-demo.drug.example10.2.837": 6,
    "lfh-demo.example1.837": 4,
    "lfh-demo.example7.837": 2,
    "lfh-institutional-claim.837i": 2,
    "lfh-two-claims-single-provider.837i": 3,
    "moov-sample.txt": 11,
}


def ours(file: Path) -> list[Line]:
    out = []
    for event in walk("f", io.BytesIO(file.read_bytes())):
        if isinstance(event, Claim):
            for line in parse(event).lines:
                fields = line.fields
                if fields is not None and len(fields["code"]) == 5:
                    modifiers = tuple(fields.get("modifiers", ()))
                    units = Decimal(fields["units"])
                    out.append((fields["code"], modifiers, fields["charge"], units))
    return out


def of_pyx12(file: Path) -> list[Line]:
    out = []
    with file.open(encoding="ascii", newline="") as stream:
        for segment in X12Reader(stream):
            kind = segment.get_seg_id()
            if kind not in {"SV1", "SV2"}:
                continue
            at = (1, 2, 4) if kind == "SV1" else (2, 3, 5)
            parts = [segment.get_value(f"{kind}0{at[0]}-{n}") or "" for n in range(1, 7)]
            if parts[0] == "HC" and len(parts[1]) == 5:
                modifiers = tuple(filter(None, parts[2:]))
                charge, units = (Decimal(segment.get_value(f"{kind}0{n}")) for n in at[1:])
                out.append((parts[1], modifiers, charge, units))
    return out


def models(file: Path) -> list[object]:
    with X12ModelReader(file.read_text("utf-8")) as reader:
        return list(reader.models())


def of_x12sdk(file: Path) -> list[Line]:
    out = []
    for model in models(file):
        for claim in model.claims():  # type: ignore[attr-defined]
            for loop in claim.service_lines:
                service = getattr(loop, "sv1_segment", None) or loop.sv2_segment
                out.append(line_of(service))
    return out


def line_of(service: object) -> Line:
    """A line of a typed segment, from the segment that the library itself writes."""
    items = service.x12().rstrip("~").split("*")  # type: ignore[attr-defined]
    at = (1, 2, 4) if items[0] == "SV1" else (2, 3, 5)
    parts = items[at[0]].split(items[at[0]][2])
    return (parts[1], tuple(filter(None, parts[2:6])), Decimal(items[at[1]]), Decimal(items[at[2]]))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_lines_agree_with_pyx12(file: Path) -> None:
    try:
        theirs = of_pyx12(file)
    except (X12Error, UnicodeDecodeError, InvalidOperation):
        theirs = None
    assert (len(theirs) if theirs else None) == BY_PYX12.get(file.name)
    if theirs:
        assert ours(file) == theirs


@pytest.mark.parametrize("name", sorted(BY_X12SDK))
def test_lines_agree_with_x12sdk(name: str) -> None:
    with contextlib.redirect_stdout(io.StringIO()):
        theirs = of_x12sdk(DATA / name)
    assert len(theirs) == BY_X12SDK[name]
    assert ours(DATA / name) == theirs


@pytest.mark.parametrize(
    "name", ["lfh-managed-care.835", "lfh-medicare-part-a.835", "pyx12-835_mult_loops.txt"]
)
def test_remittances_agree_with_x12sdk(name: str) -> None:
    theirs = [claim for model in models(DATA / name) for claim in model.claims()]  # type: ignore[attr-defined]
    raw = io.BytesIO((DATA / name).read_bytes())
    remittances = [one for one in read_remittances("f", raw) if isinstance(one, Remittance)]
    assert [(one.id, one.charge, one.paid, len(one.lines)) for one in remittances] == [
        (claim.patient_control_number, claim.charge, claim.paid, len(claim.service_lines))
        for claim in theirs
    ]
    assert remittances
