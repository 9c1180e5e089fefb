"""HL7 version 2: charts and charges from RAS, RDE, RDS and DFT messages.

``detect`` imports this room. Inside: segments -> fields -> chart and charges -> reader.
"""

from ivpush.readers.hl7.reader import read, sniff

__all__ = ["read", "sniff"]
