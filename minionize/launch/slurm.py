"""Slurm: ``sbatch``, ``squeue``, ``scancel``."""

from __future__ import annotations

import os

from minionize.launch.launcher import Launcher, Started, call, plain
from minionize.launch.script import command_line, exports, script
from minionize.launch.times import CHECKPOINT, check_walltime, clock, leave_early
from minionize.setting import Setting, integer, text

__all__ = ["Slurm"]

_REMEDY = "without --submit the script is printed: copy it to the login node, and give it to sbatch there"

_WATCH = """\
# That the walltime comes near Slurm tells this shell alone (B:). It passes that on, and waits until the minion is gone.
# TERM (scancel, the walltime itself, a preemption) Slurm sends to every process of the job. It is not passed on: a
# second one would have the minion kill at once what it runs.
minion=
signals=0
warned=
trap 'signals=$((signals + 1)); warned=yes; if [ -n "$minion" ]; then kill -s USR2 "$minion"; fi' USR2
trap 'signals=$((signals + 1))' TERM"""

_WAIT = """\
minion=$!
if [ -n "$warned" ]; then kill -s USR2 "$minion"; fi
while true; do
    seen=$signals
    wait "$minion"
    code=$?
    # Else a signal has ended the waiting, not the minion.
    if [ "$seen" -eq "$signals" ]; then break; fi
done

# 99: there is work left. The job starts anew, with its id; of an array this element alone. Not if it leaves at once
# whenever it starts: then nothing of what is left fits into it.
if [ "$code" -eq 99 ] && [ "$SECONDS" -lt 10 ] && [ "${SLURM_RESTART_COUNT:-0}" -ge 3 ]; then
    echo "not requeued: it was started $SLURM_RESTART_COUNT times anew, and has left at once again" >&2
elif [ "$code" -eq 99 ]; then
    scontrol requeue "${SLURM_ARRAY_JOB_ID:-$SLURM_JOB_ID}${SLURM_ARRAY_TASK_ID:+_$SLURM_ARRAY_TASK_ID}"
fi
exit "$code\""""


class Slurm(Launcher):
    """Writes a batch script with its directives; it is given to ``sbatch`` on standard input."""

    name = "slurm"
    help = "Slurm: a job array, requeued while there is work left."
    options = (
        Setting("partition", "", text, None, "Into which partition.", ("-p", "--partition"), "NAME"),
        Setting("account", "", text, None, "On whose account.", ("-A", "--account"), "NAME"),
        Setting("qos", "", text, None, "With which quality of service.", ("--qos",), "NAME"),
        Setting("cpus", "", integer(1), None, "CPUs of each minion.", ("--cpus",), "N"),
        Setting("memory", "", text, None, "Memory of each minion: 4G, 800M.", ("--memory",), "SIZE"),
        Setting("gpus", "", text, None, "GPUs of each minion: N, or TYPE:N.", ("--gpus",), "N"),
        CHECKPOINT,
        Setting("directive", "", text, (), "One more #SBATCH directive.", ("--directive",), "TEXT", many=True),
    )

    def render(self) -> str:
        """Write the script."""
        directives = [f"#SBATCH {words}" for words in self._directives()]
        run = [*_WATCH.splitlines(), "", *command_line(self.fleet.command, after=" &"), *_WAIT.splitlines()]
        early = leave_early(self.fleet, self.config["checkpoint"])
        return script(self.fleet.line, directives, exports(self.fleet.env), early, run)

    def _directives(self) -> list[str]:
        config, fleet = self.config, self.fleet
        check_walltime(fleet, config["checkpoint"])
        found = [f"--job-name={fleet.name}", f"--array=1-{fleet.minions}", "--ntasks=1"]
        if fleet.walltime is not None:
            found.append(f"--time={clock(fleet.walltime)}")
        for key, option in _OPTIONS.items():
            if config[key] is not None:
                found.append(f"--{option}={plain(str(config[key]), f'--{key}', blanks=False)}")
        found += [f"--signal=B:USR2@{config['checkpoint']}", "--requeue", "--open-mode=append"]
        return found + [plain(words, "--directive") for words in config["directive"]]

    def submit(self) -> str:
        """Give the script to ``sbatch``, which keeps a copy."""
        return call(["sbatch"], stdin=self.render(), remedy=_REMEDY)

    def started(self) -> list[Started]:
        """Ask for this user's jobs of that name, each element of an array by itself."""
        words = ["squeue", "--noheader", "--array", f"--name={self.fleet.name}", f"--user={os.getuid()}"]
        said = call([*words, "--format=%i|%T|%R"], remedy="ask on the login node")
        rows = [line.split("|", 2) for line in said.splitlines() if line.count("|") >= 2]
        return [Started(*map(str.strip, row)) for row in rows]

    def stop(self) -> str:
        """Cancel them: TERM first, and KILL only after Slurm's KillWait."""
        ids = [each.id for each in self.started()]
        return call(["scancel", *ids], remedy="stop them on the login node") if ids else ""


_OPTIONS = {
    "partition": "partition",
    "account": "account",
    "qos": "qos",
    "cpus": "cpus-per-task",
    "memory": "mem",
    "gpus": "gpus",
}
