"""Tables: CSV, Parquet and Arrow, by the contract's columns or by a column map.

``reader.read`` takes one table and ``reader.read_joined`` up to three; it imports the rest late.
"""
