"""The settings of a minion, one entry each, in the groups in which ``--help`` shows them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minionize.containers import parse
from minionize.cpus import usable_cpus
from minionize.setting import Setting, choice, integer, seconds, switch, text

__all__ = ["CHILD_VARIABLES", "GROUPS", "SETTINGS", "codes", "labels", "port", "slots"]

CHILD_VARIABLES = frozenset(
    {"MINION_ID", "MINION_PARAM", "MINION_PARAM_ID", "MINION_ATTEMPT", "MINION_SLOT", "MINION_CONFIG"}
)
"""Variables that are ours and no settings: those that each run sees, and the place of ``.minionize.yml``."""


def slots(value: Any) -> int:
    """Parse a number of slots: ``4``, ``50%`` of the usable CPUs, or ``auto``: all of them."""
    words = str(value).strip()
    try:
        if words == "auto":
            return usable_cpus()
        if words.endswith("%"):
            share = float(words[:-1])
            if 0.0 < share < float("inf"):
                return max(1, int(usable_cpus() * share / 100.0))
        return integer(1)(value)
    except ValueError:
        raise ValueError("must be a number of slots, 1 or more, a share of the CPUs (50%), or auto") from None


def codes(value: Any) -> frozenset[int]:
    """Parse exit codes: ``75,80-85``, a number, or a list of such."""
    parts = value if isinstance(value, (list, tuple, set, frozenset)) else [value]
    found: set[int] = set()
    for part in parts:
        for word in str(part).split(","):
            low, dash, high = word.strip().partition("-")
            if word.strip():
                found.update(_range(low, high if dash else low))
    return frozenset(found)


def _range(low: str, high: str) -> range:
    if low.strip().isdecimal() and high.strip().isdecimal() and int(low) <= int(high) <= 255:
        return range(int(low), int(high) + 1)
    raise ValueError("must be exit codes from 0 to 255, such as 75 or 75,80-85")


def labels(value: Any) -> dict[str, str]:
    """Parse labels: ``key=value``, several with commas between them, a list of such, or a mapping."""
    if isinstance(value, dict):
        return {str(name): str(each) for name, each in value.items()}
    found: dict[str, str] = {}
    for part in value if isinstance(value, (list, tuple)) else [value]:
        for word in str(part).split(","):
            name, equals, content = word.strip().partition("=")
            if word.strip() and not (name.strip() and equals):
                raise ValueError("must be labels, such as project=climate or project=climate,run=7")
            if name.strip():
                found[name.strip()] = content.strip()
    return found


def port(value: Any) -> int:
    """Parse a port; 0 is any that is free."""
    if str(value).startswith("tcp://"):
        # Kubernetes sets MINION_PORT so in every pod, where there is a service of the name "minion".
        return 0
    try:
        number = integer(0)(value)
    except ValueError:
        number = -1
    if not 0 <= number <= 65535:
        raise ValueError("must be a port: a number up to 65535, or 0 for any that is free")
    return number


def _limit(value: Any) -> float | None:
    return seconds(value) or None


def _beat(value: Any) -> float:
    found = seconds(value)
    if not 0.1 <= found <= 86_400.0:
        raise ValueError("must be between a tenth of a second and a day")
    return found


def _is_set(value: Any) -> bool:
    # As 0.3.4, where any DRY was a yes, but for the words that plainly say no.
    return str(value).strip().lower() not in ("", "0", "false", "no", "off")


def _setting(key: str, parse: Callable[[Any], Any], default: Any, help: str, **more: Any) -> Setting:
    more.setdefault("flags", (f"--{key.replace('_', '-')}",))
    return Setting(key, more.pop("env", f"MINION_{key.upper()}"), parse, default, help, **more)


def _choice(key: str, default: str | None, help: str, *words: str) -> Setting:
    return _setting(key, choice(*words), default, help, metavar="|".join(words), choices=words)


def _switch(key: str, help: str, default: bool | None = False, **more: Any) -> Setting:
    return _setting(key, more.pop("parse", switch), default, help, metavar="", schema="boolean", **more)


def _time(key: str, default: float | None, help: str, parse: Callable[[Any], Any] = seconds) -> Setting:
    return _setting(key, parse, default, help, metavar="SECONDS", schema="number|string")


def _number(key: str, minimum: int, default: int | None, help: str) -> Setting:
    return _setting(key, integer(minimum), default, help, metavar="N", schema="integer")


def _codes(key: str, default: frozenset[int], help: str) -> Setting:
    return _setting(key, codes, default, help, metavar="CODES", schema="integer|string|array")


GROUPS: tuple[tuple[str, tuple[Setting, ...]], ...] = (
    (
        "Where params come from",
        (
            _setting(
                "engine", text, None, "Which queue.", flags=("-e", "--engine"), metavar="NAME", schema="string|object"
            ),
            _time("exit_when_empty", None, "Leave when the queue was empty for so long (a finite one: at once)."),
            _number("max_params", 1, None, "Leave after so many params."),
        ),
    ),
    (
        "How a param is run",
        (
            _setting(
                "slots",
                slots,
                1,
                "How many at a time: N, N% of the CPUs, or auto.",
                flags=("-j", "-P", "--slots"),
                metavar="N",
                schema="integer|string",
            ),
            _switch("shell", "COMMAND is one line for /bin/sh; the param is quoted into it."),
            _switch("stdin", "Feed the param on standard input; append nothing."),
            _switch("literal", "Nothing in braces is a placeholder; the param is appended."),
            _setting("function", text, None, "Call a Python function, not a program.", metavar="MODULE:NAME"),
            _time("timeout", None, "End a run that takes longer, as a failure.", parse=_limit),
            _time("grace", 10.0, "Between TERM and KILL."),
        ),
    ),
    (
        "In a container",
        (
            _setting(
                "container",
                parse.image,
                None,
                "Run COMMAND in a container: docker, podman, apptainer or charliecloud.",
                metavar="ENGINE://IMAGE",
            ),
            _choice("pull", "missing", "When to fetch the image.", "missing", "always", "never"),
            _setting(
                "volumes",
                parse.volumes,
                None,
                "What of this host is seen inside; may be repeated.",
                flags=("--volume", "--mount"),
                metavar="SOURCE:TARGET[:ro]",
                many=True,
                schema="array|string",
            ),
            _setting(
                "container_env",
                parse.variables,
                None,
                "Variable inside, beside those of the minion; may be repeated.",
                flags=("--env",),
                metavar="NAME[=VALUE]",
                many=True,
                schema="object|array|string",
                secret=True,
            ),
            _setting("user", text, None, "User of the program. Default: the image's.", metavar="USER[:GROUP]"),
            _setting("workdir", text, None, "Working directory inside. Default: the image's.", metavar="PATH"),
            _setting("network", text, None, "Network. Default: the engine's.", metavar="NAME"),
            _setting("cpus", parse.cpus, None, "Processors at most.", metavar="N", schema="number|string"),
            _setting(
                "memory", parse.memory, None, "Memory at most: 512m, 2g.", metavar="SIZE", schema="integer|string"
            ),
            _setting(
                "gpus", parse.gpus, None, "GPUs: all, how many, or device=0,1.", metavar="GPUS", schema="integer|string"
            ),
        ),
    ),
    (
        "When it fails",
        (
            _number("retries", 0, 0, "Run a param again so many times."),
            _time("retry_delay", 1.0, "Before the first retry; doubles with each."),
            _codes("exit_retry", frozenset({75}), "Exit codes that ask for a retry."),
            _codes("exit_dead", frozenset(), "Exit codes that give the param up at once."),
            _codes("exit_stop", frozenset(), "Exit codes that give the param back and stop this minion."),
            _number("max_crashes", 1, 5, "Give up a param whose minion died so many times."),
            _number("slow_down", 0, 20, "Slow down after so many quick failures in a row; 0: never."),
            _setting(
                "dead", text, None, "File for dead params where the queue keeps none (JSON Lines).", metavar="PATH"
            ),
        ),
    ),
    (
        "When it is stopped",
        (
            _time("max_lifetime", None, "Leave so long after the start at the latest.", parse=_limit),
            _time("expect", None, "How long a param takes: none is begun too late. Default: learnt.", parse=_limit),
            _time("margin", 5.0, "Be gone so long before the job or the lifetime ends."),
            _choice(
                "on_stop",
                "abandon",
                "At a stop signal wait for what runs, or end it and give it back.",
                "finish",
                "abandon",
            ),
            _choice(
                "on_lease_lost",
                "kill",
                "End a run that another minion has taken over, or let it finish.",
                "kill",
                "finish",
            ),
        ),
    ),
    (
        "Output",
        (
            _choice(
                "output",
                None,
                "Output of runs: whole, by lines, or dropped. Default: passed through with one slot, else group.",
                "group",
                "line",
                "none",
            ),
            _switch("tag", "Put the param before each line of its output."),
            _setting("results", text, None, "Write a record each: .jsonl, .csv, or DIR/.", metavar="PATH"),
            _setting("reporter", text, "null", "Who gets the records.", metavar="NAME", schema="string|object|null"),
            _switch("progress", "Show a progress bar.", default=None, flags=("--progress", "--no-progress")),
        ),
    ),
    (
        "Being watched",
        (
            _switch("server", "Serve statistics and controls by HTTP.", True, flags=("--server", "--no-server")),
            _setting("port", port, 0, "Port of the server; 0: any that is free.", metavar="N", schema="integer"),
            _setting(
                "host",
                text,
                None,
                "Address of the server. Default: 127.0.0.1; in a batch job or a pod, all.",
                metavar="ADDRESS",
            ),
            _setting(
                "token_file",
                text,
                None,
                "File with the token that clients must show for params and controls. Default: a new one.",
                metavar="PATH",
            ),
            _setting(
                "registry",
                text,
                None,
                "Where this minion announces itself: dir:PATH, redis://HOST, or none. Default: in your home.",
                metavar="PLACE",
            ),
            _time("heartbeat", 10.0, "Between two signs of life in the registry.", parse=_beat),
            _setting(
                "label",
                labels,
                None,
                "Label of this minion for whoever watches it; may be repeated.",
                metavar="KEY=VALUE",
                many=True,
                schema="object|array|string",
            ),
        ),
    ),
    (
        "Instead of running",
        (_switch("dry_run", "Print the command line of each param; take none.", env="DRY", parse=_is_set),),
    ),
)

SETTINGS: tuple[Setting, ...] = tuple(setting for _, group in GROUPS for setting in group)
