"""Readers: one module a format, each a stream of encounters and of records set aside."""
