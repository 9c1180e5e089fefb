"""Commands of ``ivpush``, a module each; ``ivpush.__main__`` calls their ``add(commands)``.

``add`` declares the command and its options, and sets ``run``: a function from the parsed options
to the exit status. A command imports what it needs when it runs, so that starting up stays cheap.
"""
