"""``minionize``, and ``python -m minionize``."""

from __future__ import annotations

import signal

__all__ = ["main"]


def main() -> None:
    """Run the command line. Ctrl-C while it is still being imported ends it as any program: without a traceback."""
    mute = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if mute:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from minionize.cli.run import main as run

    if mute:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    run()


if __name__ == "__main__":
    main()
