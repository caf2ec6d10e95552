"""The command lines. ``run.py`` is ``minionize``; the others are what it is made of."""
