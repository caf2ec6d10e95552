"""``mtop``, and ``python -m mtop``."""

from __future__ import annotations

from minionize.cli.start import start

__all__ = ["main"]


def main() -> None:
    """Run the command line."""
    start("mtop.cli.main")


if __name__ == "__main__":
    main()
