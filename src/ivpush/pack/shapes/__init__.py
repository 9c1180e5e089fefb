"""The shapes of a pack's files: one model a file, with a text on every key."""
