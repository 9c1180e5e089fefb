"""The shipped pack and its engine, read once for all tests of a process.

Both are immutable, so that tests may share them. A test of reading itself reads its own.
"""

from __future__ import annotations

from ivpush import Engine, Pack

PACK = Pack.load()
ENGINE = Engine(pack=PACK)
