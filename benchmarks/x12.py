"""X12 837 in, against other libraries: ``python -m benchmarks.x12`` (needs x12sdk and openx12).

The same generated file is read by each; the time is of the process, and every ratio of one run.
x12sdk's typed models are timed on fewer claims and scaled, for they take minutes on all.
"""

from __future__ import annotations

import gc
import io
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import process_time

from benchmarks.measure import Row
from ivpush.readers import Record
from ivpush.readers.x12.reader import read

CLAIMS, SAMPLE = 20_000, 500
ROUNDS = 3
CODES = ("96374", "96375", "96365", "96366", "96413", "96415", "J2405", "J1885", "J9045", "99284")
HEAD = (
    "ISA*00*          *00*          *ZZ*SUBMITTER ID   *ZZ*RECEIVER ID    *260302*1145*^*00501*"
    "000000001*0*T*:~GS*HC*SUB*REC*20260302*1145*1*X*005010X222A2~ST*837*0001*005010X222A2~"
    "BHT*0019*00*1*20260302*1145*CH~NM1*41*2*SUBMITTER*****46*12345~PER*IC*TEST*TE*5555550000~"
    "NM1*40*2*RECEIVER*****46*67890~HL*1**20*1~NM1*85*2*BILLING*****XX*1234567893~N3*123 ST~"
    "N4*CITY*GA*300010000~REF*EI*123456789~"
)


def pieces(claims: int) -> Iterator[str]:
    """A professional file of so many claims, each of 1 to 7 lines that differ."""
    yield HEAD
    size = HEAD.count("~") - 2
    for n in range(claims):
        out = (
            f"HL*{n + 2}*1*22*0~SBR*P*18*******MC~NM1*IL*1*LAST{n}*FIRST****MI*MBR{n}~N3*1 STREET~"
            f"N4*CITY*CA*900010000~DMG*D8*19500101*M~NM1*PR*2*PAYER*****PI*12345~"
            f"CLM*C{n}*{charges(n)}***11:B:1*Y*A*Y*Y~HI*ABK:C509*ABF:R112~"
        )
        for line in range(1, n % 7 + 2):
            code = CODES[(n + line) % len(CODES)]
            mark = ":59" if (n + line) % 5 == 0 else ""
            out += (
                f"LX*{line}~SV1*HC:{code}{mark}*{charge(n, line)}*UN*{(n + line) % 9 + 1}***1:2~"
                f"DTP*472*D8*202603{n % 28 + 1:02}~"
            )
            if code.startswith("J"):
                out += f"LIN**N4*{61703036018 + n % 999}~CTP****45*ML~"
        size += out.count("~")
        yield out
    yield f"SE*{size + 1}*0001~GE*1*1~IEA*1*000000001~"


def charge(n: int, line: int) -> str:
    return f"{(n * 37 + line * 101) % 90_000 / 100:.2f}"


def charges(n: int) -> str:
    return f"{sum(float(charge(n, line)) for line in range(1, n % 7 + 2)):.2f}"


def ours(raw: bytes) -> int:
    return sum(isinstance(item, Record) for item in read("f", io.BytesIO(raw)))


def by_openx12(raw: bytes) -> int:
    from openx12 import x837p

    return len(x837p.parse(raw.decode()).claims)


def by_x12sdk(raw: bytes) -> int:
    from x12sdk.io import X12ModelReader

    with X12ModelReader(raw.decode()) as reader:
        return sum(len(list(model.claims())) for model in reader.models())


def seconds(call: Callable[[bytes], int], raw: bytes, claims: int) -> float:
    """Seconds a claim; stops where not every claim was read."""
    gc.collect()
    start = process_time()
    if (count := call(raw)) != claims:
        sys.exit(f"{call.__name__} read {count} of {claims} claims")
    return (process_time() - start) / claims


def peak(claims: int) -> float:
    """Most memory of a process that reads a file of so many claims from disk, in MiB (Linux).

    Not ``ru_maxrss``: a child begins with the figure of the process that it was forked from.
    """
    code = (
        "import re, tempfile; from pathlib import Path; from benchmarks.x12 import pieces\n"
        "from ivpush.readers.x12 import read\n"
        "file = tempfile.TemporaryFile()\n"
        f"for piece in pieces({claims}): file.write(piece.encode())\n"
        "file.seek(0)\n"
        "for _ in read('f', file): pass\n"
        "status = Path('/proc/self/status').read_text()\n"
        "print(int(re.search(r'VmHWM:\\s+(\\d+)', status)[1]) / 1024)"
    )
    process = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[1],
    )
    return float(process.stdout)


def main() -> None:
    """Print the ratios."""
    raw = "".join(pieces(CLAIMS)).encode()
    few = "".join(pieces(SAMPLE)).encode()
    print(f"{CLAIMS:,} claims, {len(raw) / 1e6:.1f} MB; process time, best of {ROUNDS} rounds")
    best: dict[str, float] = {}
    for _ in range(ROUNDS):
        for name, call in (("ours", ours), ("openx12", by_openx12)):
            best[name] = min(best.get(name, 9e9), seconds(call, raw, CLAIMS))
        best["few"] = min(best.get("few", 9e9), seconds(ours, few, SAMPLE))
    best["x12sdk"] = seconds(by_x12sdk, few, SAMPLE)
    print(
        Row(
            "x12sdk typed models / ours, to encounters",
            best["x12sdk"] / best["few"],
            wanted="at least 20",
            detail=f"{1 / best['x12sdk']:,.0f}/s on {SAMPLE} claims",
        )
    )
    print(
        Row(
            "openx12 / ours, to encounters",
            best["openx12"] / best["ours"],
            wanted="at least 1",
            detail=f"{1 / best['openx12']:,.0f}/s, ours {1 / best['ours']:,.0f}/s",
        )
    )
    small, large = peak(2_000), peak(20_000)
    print(
        Row(
            "peak memory, 20,000 claims / 2,000",
            large / small,
            wanted="at most 1.05",
            detail=f"{small:.0f} and {large:.0f} MiB",
        )
    )


if __name__ == "__main__":
    main()
