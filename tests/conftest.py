"""Settings that every test shares: how Hypothesis draws its examples.

``IVPUSH_EXAMPLES=5000`` draws more (or fewer) than the usual 200; with ``CI`` set, the examples
are the same in every run, so that a red run is red because of the change. ``IVPUSH_SHRINK=0``
reports a counterexample as it was found: whole encounters take minutes to shrink.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings

SHRINKS = os.environ.get("IVPUSH_SHRINK") != "0"
settings.register_profile(
    "ivpush",
    max_examples=int(os.environ.get("IVPUSH_EXAMPLES", "200")),
    derandomize=os.environ.get("CI", "") not in {"", "0", "false"},
    phases=[phase for phase in Phase if SHRINKS or phase is not Phase.shrink],
    deadline=None,  # a shared machine is no stopwatch
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("ivpush")
