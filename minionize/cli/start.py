"""Where ``minionize`` begins: loads itself beside the main thread, then runs in it.

Linux decides from a thread's past how much of a processor it needs (``util_est``), and hardly changes its
mind about one that mostly waits. A main thread that has just been busy with imports would count as a full
load for as long as the minion lives: each process that it starts would be put behind the one that runs on
the other processor, while its own processor is idle. On two processors that costs a quarter of the rate of
short runs; see docs/decisions.md.
"""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module
from threading import Thread


def main() -> None:
    """Run the command line; it ends by ``SystemExit``."""
    load_aside("minionize.cli.run")
    from minionize.cli.run import main

    main()


def load_aside(*modules: str) -> None:
    """Import modules in a thread of their own, and wait for it.

    Args:
        modules: Their names. What cannot be imported is left to whoever needs it.
    """
    thread = Thread(target=_load, args=modules)
    # No thread left for us: then in the main one.
    with suppress(RuntimeError):
        thread.start()
        thread.join()


def _load(*modules: str) -> None:
    for module in modules:
        with suppress(Exception):
            import_module(module)
