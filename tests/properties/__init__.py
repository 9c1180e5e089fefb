"""Relations that must hold for every encounter, as property tests."""

from __future__ import annotations

from hypothesis import settings

WHOLE = settings(max_examples=max(1, settings().max_examples // 4))
"""A whole claim takes as long as many small charts, and says as much."""
