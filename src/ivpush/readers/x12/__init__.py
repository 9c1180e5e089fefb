"""X12: 837 claims in, and 835 remittances for back-testing.

``detect`` imports this room for an 837. Inside: segments -> walk -> claims (with lines) -> reader;
``remits`` takes the same walk for an 835.
"""

from ivpush.readers.x12.reader import read, sniff

__all__ = ["read", "sniff"]
