"""X12: 837 claims in, and 835 remittances for back-testing."""

from ivpush.readers.x12.reader import read, sniff

__all__ = ["read", "sniff"]
