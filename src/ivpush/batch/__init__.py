"""Batches: files and streams of encounters through several processes, nothing lost.

``run`` does what ``ivpush check --workers`` does: results in the order of the input, records that
cannot be read set aside and counted, flat memory, a checkpoint after each chunk, so that a run that
was killed can be resumed and still writes the same bytes. ``check_many`` does the same from Python,
a record at a time and without files.
"""

from ivpush.batch.many import Outcome, check_many
from ivpush.batch.plan import CHUNK, Counts, EngineOptions, Plan
from ivpush.batch.runner import Seen, run

__all__ = ["CHUNK", "Counts", "EngineOptions", "Outcome", "Plan", "Seen", "check_many", "run"]
