"""Charts as tables: rows of a medication administration record, by a column map."""

from ivpush.readers.mar.reader import encounters_of, read

__all__ = ["encounters_of", "read"]
