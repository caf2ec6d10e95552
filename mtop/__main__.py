"""``mtop``, and ``python -m mtop``."""

from __future__ import annotations

from mtop.cli.main import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
