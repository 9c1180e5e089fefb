"""Relations that must hold for every encounter, as property tests."""

from __future__ import annotations

from hypothesis import settings

_EXAMPLES = settings().max_examples
WHOLE = settings(max_examples=max(min(50, _EXAMPLES), _EXAMPLES // 4))
"""A whole claim takes as long as many small charts, and says as much."""
