"""``python -m minionize`` is ``minionize``."""

from minionize.cli.run import main

if __name__ == "__main__":
    main()
