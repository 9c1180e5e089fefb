"""``python -m ivpush``: the command line."""

import sys

from ivpush.cli import main

if __name__ == "__main__":
    sys.exit(main())
