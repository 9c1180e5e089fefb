"""Commands: one module each, with ``add(commands)``; all of them load late."""
