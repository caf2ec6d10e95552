#!/usr/bin/env python3
"""Where random 3-SAT instances become unsatisfiable, and how hard they are there. One command.

    python examples/satisfiability/run.py

It fills a sweep directory, starts 4 minions of 2 slots, kills two of them midway (SIGKILL), waits for the others to
finish what these held, checks that every param is accounted for, and plots what minisat found.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
RATIOS = (3.0, 3.4, 3.8, 4.0, 4.1, 4.2, 4.3, 4.4, 4.6, 4.8, 5.2, 5.6, 6.0)
MINIONS = 4
# Which minion is killed when so many of the params are done.
KILLS = {0.25: 0, 0.5: 1}
PATIENCE = 300.0

Records = dict[str, list[dict[str, Any]]]


def fill(work: Path, seeds: int) -> int:
    """Make the queue."""
    from execo_engine.sweep import ParamSweeper, sweep

    params = sweep({"ratio": RATIOS, "seed": range(seeds)})
    ParamSweeper(str(work / "sweeps"), sweeps=params, save_sweeps=True)
    return len(params)


def start(work: Path, number: int, variables: int) -> subprocess.Popen[bytes]:
    """Start a minion. They are all alike: on a cluster this would be a job array."""
    environ = {**os.environ, "MINION_ENGINE": "execo", "MINION_REPORTER": "json"}
    environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environ.get('PATH', os.defpath)}"
    command = ["minionize", "-j2", "--retries", "1", "--timeout", "60", "--output", "none"]
    command += ["--results", "results/records.jsonl", str(HERE / "solve"), "{ratio}", "{seed}", str(variables)]
    with open(work / f"minion-{number}.log", "wb") as log:
        return subprocess.Popen(command, cwd=work, env=environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log)


def read(work: Path) -> Records:
    """Read the records of all minions, by id of the param. A torn last line is what a killed minion may leave."""
    records: Records = defaultdict(list)
    for path in sorted(work.glob("results/*.jsonl")):
        for line in path.read_bytes().splitlines():
            try:
                record = json.loads(line)
            except ValueError:
                continue
            records[record["id"]].append(record)
    return records


def watch(work: Path, minions: list[subprocess.Popen[bytes]], total: int) -> list[subprocess.Popen[bytes]]:
    """Kill two minions on the way, and wait for the others; return the killed ones."""
    began, killed, shares = time.monotonic(), [], sorted(KILLS)
    while any(minion.poll() is None for minion in minions):
        if time.monotonic() - began > PATIENCE:
            raise SystemExit(f"not done after {PATIENCE:.0f} s; see the logs in {work}")
        done = len(read(work))
        if shares and done >= shares[0] * total:
            minion = minions[KILLS[shares.pop(0)]]
            minion.send_signal(signal.SIGKILL)
            killed.append(minion)
            say(f"{time.monotonic() - began:4.1f} s: {done} of {total} done; SIGKILL to minion {minion.pid}")
        time.sleep(0.1)
    say(f"{time.monotonic() - began:4.1f} s: the other minions have finished, and left")
    return killed


def check(work: Path, total: int, records: Records, minions: list[Any], killed: list[Any]) -> list[str]:
    """Return what does not add up. Nothing may be lost, nothing counted twice, nothing dead without evidence."""
    from minionize.engines.execo import ExecoEngine

    engine = ExecoEngine(persistence_dir=str(work / "sweeps"))
    backlog, dead = engine.backlog(), {letter.id: letter for letter in engine.dead()}
    won = {id: [each for each in runs if each["outcome"] == "succeeded"] for id, runs in records.items()}
    wrong = []
    if (backlog.ready, backlog.in_flight) != (0, 0):
        wrong.append(f"the queue still holds {backlog.ready} ready params and {backlog.in_flight} in flight")
    if len(records) != total:
        wrong.append(f"{len(records)} params have a record, of {total}")
    for id, runs in won.items():
        if (id in dead) == bool(runs):
            wrong.append(f"{id} succeeded {len(runs)} times and is {'' if id in dead else 'not '}dead")
        # A record is written before its ack. Who is killed in between leaves a record, and the param is run again.
        early = [run for run in runs[:-1] if not any(f"-{minion.pid}-" in run["minion"] for minion in killed)]
        if early:
            wrong.append(f"{id} succeeded {len(runs)} times, though no minion was killed")
    wrong += [f"{id} is dead without evidence" for id, letter in dead.items() if not letter.evidence.get("stderr")]
    codes = [minion.wait() for minion in minions if minion not in killed]
    if codes != [int(bool(dead))] * len(codes):
        wrong.append(f"the minions that were not killed ended with {codes}")
    return wrong


def summary(total: int, records: Records, killed: list[Any]) -> None:
    """Say what became of the params."""
    last = [max(runs, key=lambda run: (run["outcome"] == "succeeded", run["ended"])) for runs in records.values()]
    outcomes = Counter(record["outcome"] for record in last)
    verdicts = Counter(record["stdout"].split()[2] for record in last if record["outcome"] == "succeeded")
    again = [record for record in last if record["redelivered"]]
    twice = sum(len(runs) > 1 for runs in records.values())
    busy = sum(record["duration"] for record in last)
    elapsed = max(record["ended"] for record in last) - min(record["started"] for record in last)
    say(f"\n{total} params: {', '.join(f'{number} {word}' for word, number in outcomes.items())}")
    say(f"  {', '.join(f'{number} {word}' for word, number in sorted(verdicts.items()))}")
    say(f"  {len(again)} were taken over from the {len(killed)} killed minions; {twice} of them had a record already")
    say(f"  {busy:.0f} s of runs in {elapsed:.0f} s, by {len({record['minion'] for record in last})} minions:")
    for minion, number in sorted(Counter(record["minion"] for record in last).items()):
        fate = " (killed)" if any(f"-{each.pid}-" in minion for each in killed) else ""
        say(f"    {minion}  {number} params{fate}")


def say(words: str) -> None:
    print(words, flush=True)


def main() -> int:
    """Do all of it; the exit code is 1 if the numbers do not add up."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20, help=f"instances for each of the {len(RATIOS)} ratios (20)")
    parser.add_argument("--variables", type=int, default=200, help="of each instance; 10 more double the time (200)")
    parser.add_argument("--work", type=Path, help="a new directory for queue, results and plot (a temporary one)")
    options = parser.parse_args()
    if shutil.which("minisat") is None:
        print("run.py: minisat is not installed; on Debian or Ubuntu: apt install minisat", file=sys.stderr)
        return 2
    if options.work is not None and options.work.exists():
        parser.error(f"{options.work} is there already; --work makes a new directory")
    work = (options.work or Path(tempfile.mkdtemp(prefix="satisfiability-"))).resolve()
    work.mkdir(parents=True, exist_ok=True)
    total = fill(work, options.seeds)
    say(f"{total} params in {work}/sweeps; {MINIONS} minions of 2 slots")
    minions = [start(work, number, options.variables) for number in range(MINIONS)]
    try:
        killed = watch(work, minions, total)
    finally:
        for minion in minions:
            minion.kill()
    records = read(work)
    summary(total, records, killed)
    wrong = check(work, total, records, minions, killed)
    for line in wrong:
        say(f"WRONG: {line}")
    say("" if wrong else "  the numbers add up\n")
    plot = [sys.executable, str(HERE / "plot.py"), str(work / "results"), str(work / "plot.svg")]
    return 1 if subprocess.run(plot).returncode or wrong else 0


if __name__ == "__main__":
    sys.exit(main())
