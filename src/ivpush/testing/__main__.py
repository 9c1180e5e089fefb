"""``python -m ivpush.testing --n 1000 --seed 1``: made-up encounters as NDJSON.

For people and scripts that need a large file of claims; the records come from ``samples``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from itertools import islice

from ivpush.errors import UsageError
from ivpush.testing.samples import lines

__all__ = ["main"]


_PIECE = 1_000
"""Lines that are written at a time."""


def main(argv: Sequence[str] | None = None) -> int:
    """Write encounters to standard output; gives the exit status, 2 for a bad setting."""
    options = _parser().parse_args(argv)
    if sys.stdout is None:  # closed when the process began
        print("standard output: is closed; lead it into a file", file=sys.stderr)
        return 2
    out = sys.stdout.buffer
    try:
        records = lines(options.seed, max(0, options.n), setting=options.setting)
        while piece := b"".join(islice(records, _PIECE)):
            out.write(piece)
        out.flush()
    except UsageError as error:
        print(error, file=sys.stderr)
        return 2
    except BrokenPipeError:
        sys.stderr.close()  # whoever read us has gone
        return 0
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ivpush.testing", description="Write made-up encounters, one a line."
    )
    parser.add_argument("--n", type=int, default=1_000, help="how many (default 1000)")
    parser.add_argument("--seed", type=int, default=1, help="same seed, same bytes (default 1)")
    parser.add_argument("--setting", help="facility or professional visits only")
    return parser


if __name__ == "__main__":
    sys.exit(main())
