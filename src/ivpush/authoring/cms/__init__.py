"""Importers: files as CMS publishes them, into dated tables in the pack's own layout."""
