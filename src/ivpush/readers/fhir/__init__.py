"""FHIR R4: bundles, single resources and bulk exports."""

from ivpush.readers.fhir.reader import read, read_together, sniff

__all__ = ["read", "read_together", "sniff"]
