"""Many encounters from Python: two processes, one answer a record, in order, bounded memory.

python examples/plain_batch.py claims.ndjson
"""

import sys
from collections import Counter
from pathlib import Path

from ivpush import EngineOptions, check_many


def main(source: Path) -> None:
    spoke: Counter[str] = Counter()
    checked = unread = 0
    with source.open("rb") as lines:
        for outcome in check_many(lines, EngineOptions(payer="medicare"), workers=2):
            result = outcome.result
            if result is None:
                unread += 1
                print(f"{outcome.place}: {outcome.reason}", file=sys.stderr)
                continue
            checked += 1
            spoke.update(violation.rule for violation in result.violations)
    print(f"{checked + unread} in = {checked} checked + {unread} set aside")
    for rule, count in spoke.most_common(5):
        print(f"{rule}: {count}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
