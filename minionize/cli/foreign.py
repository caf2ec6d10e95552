"""Options of xargs and GNU parallel that are not ours, and what to do instead."""

from __future__ import annotations

_HERE = {
    "-I -i --replace": "{} stands for the param without it",
    "-n -N -L -X -m --max-args --max-lines": "each run gets one param",
    "-a --arg-file": "params come from a file by < FILE",
    "-d --delimiter": "each line is a param, and with -0 what ends with a NUL",
    "-r --no-run-if-empty": "without a param nothing is run",
    "-t -v --verbose": "--dry-run shows command lines, --tag puts the param before its output",
    "--jobs --max-procs": "that is -j, or --slots",
    "-k --keep-order": "output comes as runs end; one slot keeps the order",
    "-u --ungroup --line-buffer": "that is --output line",
    "--bar --eta": "that is --progress",
    "--joblog": "that is --results FILE.jsonl",
    "--resume --resume-failed": "FILE_JOURNAL=FILE keeps what is done, for the next run",
    "--halt": "a failed param stops nothing; --exit-stop CODES does",
    "-S --sshlogin": "minion-launch ssh starts minions on hosts",
}

FOREIGN = {option: words for options, words in _HERE.items() for option in options.split()}
"""What to say to who types such an option."""
