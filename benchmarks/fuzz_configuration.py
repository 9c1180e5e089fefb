"""Configurations with their bytes changed: read, or refused by an error of ours."""

from __future__ import annotations

import random
from collections.abc import Iterator

from benchmarks.fuzzing import Fuzzed, Target, broken, scratch_folder
from ivpush import UsageError
from ivpush.commands.configuration import read_configuration

OWN = b"""payer = "medicare"
packs = ["ours"]
select = ["IVP1"]
[policies]
long_push = "infusion"
same_drug_push_gap_minutes = 31
[[ignore]]
rule = "IVP908"
reason = "not billed here"
until = 2026-12-31
"""
FILES = {
    "ivpush.toml": OWN,
    "pyproject.toml": b"[tool.ivpush]\n"
    + OWN.replace(b"[policies]", b"[tool.ivpush.policies]").replace(
        b"[[ignore]]", b"[[tool.ivpush.ignore]]"
    ),
}
PIECES = (
    *(b"[[]]", b"9" * 40, b"2026-02-30", b"2026-12-31T10:00:00Z", b"10:00", b'"', b"'", b'"""'),
    *(b"= true", b"= 1.5", b"= nan", b"= []", b"= [[1]]", b"{x = {}}", b"{}", b"\n", b"\r", b""),
    *(b"payer", b"packs", b"select", b"rule", b"reason", b"until", b"policies", b"[ignore]"),
    *(b"\x00", b"\xff", b"\\u0000", b"\\ud800", b"." * 50, b"[" * 500, b"a." * 500),
)


def drawn(rng: random.Random) -> Fuzzed:
    """One of the two files, broken."""
    name = rng.choice(tuple(FILES))
    return Fuzzed(broken(FILES[name], PIECES, rng), name)


def outcomes(fuzzed: Fuzzed) -> Iterator[str]:
    """Whether a configuration is read or refused."""
    path = scratch_folder() / fuzzed.name
    path.unlink(missing_ok=True)  # a file that is cut to nothing is waited for by some disks
    path.write_bytes(fuzzed.raw)
    try:
        read_configuration(path)
    except UsageError:
        yield "configuration refused"
    else:
        yield "configuration accepted"


TARGET = Target("configuration", drawn, outcomes, ("/commands/configuration", "/pack/"), PIECES)
