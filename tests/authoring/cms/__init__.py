"""Imports of published CMS files."""
