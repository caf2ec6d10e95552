"""``python -m minionize`` is ``minionize``."""

from minionize.cli.start import main

if __name__ == "__main__":
    main()
