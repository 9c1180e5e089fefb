"""The rule language: a rule's text to a checked tree, to a function; and its slow reference."""
