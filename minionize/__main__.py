"""``python -m minionize`` is ``minionize``."""

from minionize.cli.start import minionize as main

if __name__ == "__main__":
    main()
