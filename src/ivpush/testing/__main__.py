"""``python -m ivpush.testing --n 1000 --seed 1``: made-up encounters as NDJSON."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from itertools import islice

from ivpush.errors import UsageError
from ivpush.testing.samples import lines

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Write encounters to standard output; gives the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m ivpush.testing", description="Write made-up encounters, one a line."
    )
    parser.add_argument("--n", type=int, default=1_000, help="how many (default 1000)")
    parser.add_argument("--seed", type=int, default=1, help="same seed, same bytes (default 1)")
    parser.add_argument("--setting", help="facility or professional visits only")
    options = parser.parse_args(argv)
    out = sys.stdout.buffer
    try:
        made = lines(options.seed, max(0, options.n), setting=options.setting)
        while piece := b"".join(islice(made, 1_000)):
            out.write(piece)
        out.flush()
    except UsageError as error:
        print(error, file=sys.stderr)
        return 2
    except BrokenPipeError:
        sys.stderr.close()  # whoever read us has gone
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
