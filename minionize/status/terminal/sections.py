"""The parts of the summary on a terminal, each a few lines. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from minionize.status.run import FAILURES, OUTCOMES
from minionize.status.terminal.bars import bar, lifetime, sparkline
from minionize.status.terminal.canvas import Canvas
from minionize.status.terminal.plots import beside, lines_over_time
from minionize.status.terminal.tables import Column, table
from minionize.status.wire import Group, Status, Times
from minionize.status.words import count, date, duration, per_second, percent, plural

__all__ = ["durations", "failures", "groups", "head", "minions", "outcomes", "plots"]

_WIDE = 110  # columns for two plots side by side
_CRAMPED = 70  # ... where there are few lines
_BAR = 30
_BUCKETS = 10


def head(status: Status, canvas: Canvas) -> list[str]:
    """Say what was read, from when to when, and how fast it went."""
    first, last = status["first"], status["last"]
    minions = plural(len(status["minions"]), "minion")
    if status["minions_at_once"] < len(status["minions"]):
        minions += f" ({count(status['minions_at_once'])} at once)"
    words = [
        f"{plural(status['records'], 'record')} of {minions} on {plural(len(status['hosts']), 'host')}",
    ]
    if first is not None and last is not None:
        words.append(f"{date(first)} to {date(last, date(first)[:10] != date(last)[:10])}, {duration(last - first)}")
    if status["rate"]:
        words.append(f"{per_second(status['rate'])} succeeded")
    if status["left_out"]:
        words.append(f"{plural(status['left_out'], 'record')} left out by the filters")
    if status["passed_over"]:
        words.append(f"{plural(status['passed_over'], 'line')} passed over: no records")
    title = canvas.cut(", ".join(status["places"]), canvas.width)
    return [canvas.paint("title", title), *_flowing(words, canvas.width)]


def outcomes(status: Status, canvas: Canvas) -> list[str]:
    """Count the outcomes, and what was spent for nothing."""
    total = status["records"]
    shown = [name for name in OUTCOMES if status["outcomes"][name]["count"]] or ["succeeded"]
    numbers = [status["outcomes"][name]["count"] for name in shown]
    shares = [number / total if total else 0.0 for number in numbers]
    lines = table(
        canvas,
        [
            Column("outcome", [canvas.paint(name, name.replace("_", " ")) for name in shown], left=True),
            Column("runs", [count(number) for number in numbers]),
            Column("", [percent(share) if total else "-" for share in shares]),
            Column("time", [duration(status["outcomes"][name]["seconds"]) for name in shown], rank=1),
            Column(
                "",
                [canvas.paint(name, bar(share, _BAR)) for name, share in zip(shown, shares, strict=True)],
                left=True,
                rank=2,
            ),
        ],
        least=0,
    )
    waste = status["waste"]
    parts = [f"{duration(waste[part])} {part}" for part in ("failed", "preempted") if waste[part]]
    if waste["seconds"]:
        spent = f"wasted {duration(waste['seconds'])} of {duration(waste['total'])} ({percent(waste['share'])})"
        lines += _flowing([f"{spent}: {', '.join(parts)}"], canvas.width)
    settled = [f"{count(number)} {name}" for name, number in status["settled"].items() if number]
    return [*lines, f"settled: {', '.join(settled)}"] if settled else lines


def failures(status: Status, canvas: Canvas, most: int) -> list[str]:
    """List the causes, the most frequent first."""
    causes = status["failures"]
    if not causes:
        return []
    shown = causes[:most]
    lines = table(
        canvas,
        [
            Column("failures", [count(each["count"]) for each in shown]),
            Column("", [percent(each["share"]) for each in shown], rank=1),
            Column("time", [duration(each["seconds"]) for each in shown], rank=2),
            Column("last", [date(each["last"], False) for each in shown], rank=3),
            Column(
                "such as", [canvas.cut(each["samples"][0], 24) if each["samples"] else "" for each in shown], True, 4
            ),
            Column("cause", [each["cause"] for each in shown], left=True, grows=True),
        ],
        least=44,
    )
    rest = causes[most:]
    if rest:
        lines.append(f"and {count(sum(each['count'] for each in rest))} by {plural(len(rest), 'more cause')}")
    return lines


def plots(status: Status, canvas: Canvas, height: int) -> list[str]:
    """Draw how fast runs ended, and how many were in flight."""
    times = status["times"]
    if times is None or len(times["in_flight"]) < 3:
        return []
    rates = _rates(times)
    wide = canvas.width >= (_WIDE if canvas.height is None else _CRAMPED)
    width = (canvas.width - 2) // 2 if wide else canvas.width
    unit, factor = _unit(rates)
    scaled = {name: [value * factor for value in values] for name, values in rates.items()}
    names = ", ".join(canvas.paint(name, name) for name in scaled)
    title = f"runs per {unit}" if width >= 50 else f"per {unit}"
    start, step = times["start"], times["step"]
    left = [f"{title}: {names}", *lines_over_time(canvas, width, height, start, step, scaled)]
    flight = {"in flight": times["in_flight"]}
    right = [canvas.paint("in flight", "in flight"), *lines_over_time(canvas, width, height, start, step, flight)]
    return beside(left, right, width + 2) if wide else [*left, "", *right]


def durations(status: Status, canvas: Canvas) -> list[str]:
    """Draw how long runs took."""
    found = status["durations"]
    if not found["count"]:
        return []
    quantiles = [f"p50 {duration(found['p50'])}", f"p95 {duration(found['p95'])}", f"p99 {duration(found['p99'])}"]
    mean = found["sum"] / found["count"]
    lines = _flowing([*quantiles, f"mean {duration(mean)}", f"longest {duration(found['longest'])}"], canvas.width)
    totals = [sum(column) for column in zip(*found["buckets"].values(), strict=True)]
    size = -(-len(totals) // _BUCKETS)
    merged = [sum(totals[at : at + size]) for at in range(0, len(totals), size)]
    bounds = [found["bounds"][min(at + size, len(totals)) - 1] for at in range(0, len(totals), size)]
    rows = [f"up to {duration(bound)}" if bound else "longer" for bound in bounds]
    width = max(10, min(60, canvas.width - max(map(len, rows)) - 12))
    bars = [bar(number / max(merged), width) if number else "" for number in merged]
    columns = [Column("took", rows), Column("runs", list(map(count, merged))), Column("", bars, left=True)]
    return [*lines, *table(canvas, columns, least=0)]


def groups(groups: Sequence[Group], kind: str, canvas: Canvas, most: int) -> list[str]:
    """List what was done on each host, or in each job."""
    shown = groups[:most]
    highest = max((max(each["activity"]["in_flight"]) for each in shown if each["activity"]), default=0.0)
    sparks = [sparkline(each["activity"]["in_flight"], 24, highest) if each["activity"] else "" for each in shown]
    failed = [sum(each["outcomes"].get(name, 0) for name in FAILURES) for each in shown]
    lines = table(
        canvas,
        [
            Column(
                kind, ["(no job)" if each["name"] is None else each["name"] for each in shown], left=True, grows=True
            ),
            Column("minions", [count(each["minions"]) for each in shown], rank=4),
            Column("hosts", [count(each["hosts"]) for each in shown] if kind == "job" else [], rank=5),
            Column("runs", [count(each["records"]) for each in shown]),
            Column("failed", [canvas.paint("failed", count(number)) if number else "0" for number in failed], rank=1),
            Column("time", [duration(each["seconds"]) for each in shown], rank=3),
            Column("wasted", [duration(each["wasted"]) for each in shown], rank=6),
            Column("last", [date(each["last"], False) for each in shown], rank=2),
            Column("in flight", [canvas.paint("in flight", spark) for spark in sparks], left=True, rank=7),
        ],
    )
    return lines + ([f"and {plural(len(groups) - most, f'more {kind}')}"] if len(groups) > most else [])


def minions(status: Status, canvas: Canvas, most: int) -> list[str]:
    """Draw the lives of the minions, the first to come first."""
    first, last = status["first"], status["last"]
    if first is None or last is None:
        return []
    shown = status["minions"][:most]
    width = max(10, min(80, canvas.width - 40))
    lives = [lifetime(each["first"], each["last"], first, last, width) for each in shown]
    names = [each["minion"] or "(unknown)" for each in shown]
    lines = table(
        canvas,
        [
            Column("minion", names, left=True, grows=True),
            Column("runs", [count(each["records"]) for each in shown]),
            Column("life", [duration(each["last"] - each["first"]) for each in shown], rank=1),
            Column(_axis(first, last, width), [canvas.paint("in flight", life) for life in lives], left=True),
        ],
        least=8,
    )
    rest = len(status["minions"]) - len(shown)
    return lines + ([f"and {plural(rest, 'more minion')}"] if rest else [])


def _axis(first: float, last: float, width: int) -> str:
    left, right = date(first, False), date(last, False)
    return f"{left}{right:>{width - len(left)}}" if width >= 2 * len(left) + 2 else ""


def _rates(times: Times) -> dict[str, list[float]]:
    """Add up the failures: three lines are enough for one plot."""
    rates: dict[str, list[float]] = {}
    for name, values in times["rates"].items():
        line = "failed" if name in FAILURES else name
        rates[line] = [a + b for a, b in zip(rates[line], values, strict=True)] if line in rates else values
    return rates


def _unit(rates: dict[str, list[float]]) -> tuple[str, float]:
    highest = max(max(values) for values in rates.values())
    return ("second", 1.0) if highest >= 1 else ("minute", 60.0) if highest * 60 >= 1 else ("hour", 3600.0)


def _flowing(words: Sequence[str], width: int) -> list[str]:
    """Set words one after the other, and begin a line where they do not fit."""
    from textwrap import wrap

    lines = [""]
    for word in words:
        joined = f"{lines[-1]}; {word}" if lines[-1] else word
        if len(joined) <= width:
            lines[-1] = joined
        else:
            lines += [word] if lines[-1] else []
            lines[0] = lines[0] or word
    return [part for line in lines for part in wrap(line, width)]
