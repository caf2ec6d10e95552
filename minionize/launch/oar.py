"""OAR (Grid'5000 and others): ``oarsub``, ``oarstat``, ``oardel``."""

from __future__ import annotations

import json
import re
import time
from typing import Any

from minionize.errors import SettingsError
from minionize.launch.launcher import Launcher, LaunchError, Started, call, plain
from minionize.launch.script import FIRST, command_line, exports, script
from minionize.launch.times import CHECKPOINT, check_walltime, clock, leave_early
from minionize.setting import Setting, switch, text

__all__ = ["Oar"]

_WAITING = ("Waiting", "Hold", "toLaunch", "toAckReservation")
# Seconds that minions may take to give back and leave; between two looks; and looks with nothing left until nothing
# comes again any more.
_PATIENCE = 60.0
_PAUSE = 1.0
_QUIET = 4
# How a script of ours begins.
_OURS = rf"{re.escape(FIRST)}\n# \S*minion-launch "
_REMEDY = "without --submit the script is printed: copy it to the front-end, and give it to oarsub -S there"


class Oar(Launcher):
    """Writes a script with its directives, for ``oarsub -S``."""

    name = "oar"
    help = "OAR: best-effort jobs that OAR submits again while there is work left."
    options = (
        Setting("resources", "", text, "nodes=1", "What each job gets.", ("-l", "--resources"), "LIST"),
        Setting("property", "", text, None, "Which nodes will do, as SQL.", ("-p", "--property"), "SQL"),
        Setting("queue", "", text, None, "Into which queue of OAR.", ("-q", "--queue"), "NAME"),
        Setting("project", "", text, None, "On whose account.", ("--project",), "NAME"),
        Setting(
            "besteffort",
            "",
            switch,
            True,
            "Use nodes while nobody else wants them, or jobs like others'. Default: best-effort.",
            ("--besteffort", "--no-besteffort"),
            "",
        ),
        CHECKPOINT,
        Setting("directive", "", text, (), "One more #OAR directive.", ("--directive",), "TEXT", many=True),
    )

    def render(self) -> str:
        """Write the script. OAR sends the signal to the job's first process: ``exec`` makes it the minion."""
        directives = [f"#OAR {words}" for words in self._directives()]
        run = command_line(self.fleet.command, "exec ")
        early = leave_early(self.fleet, self.config["checkpoint"])
        return script(self.fleet.line, directives, exports(self.fleet.env), early, run)

    def _directives(self) -> list[str]:
        config, fleet = self.config, self.fleet
        check_walltime(fleet, config["checkpoint"])
        found = [f"-n {fleet.name}", f"-l {self._resources()}"]
        for flag, key in (("-p", "property"), ("-q", "queue"), ("--project", "project")):
            if config[key] is not None:
                found.append(f"{flag} {plain(config[key], f'--{key}')}")
        if config["besteffort"]:
            found.append("-t besteffort")
        found += ["-t idempotent", f"--checkpoint {config['checkpoint']}"]
        if fleet.minions > 1:
            found.append(f"--array {fleet.minions}")
        return found + [plain(words, "--directive") for words in config["directive"]]

    def _resources(self) -> str:
        words, limit = plain(self.config["resources"], "--resources"), self.fleet.walltime
        if limit is not None and "walltime" in words:
            raise SettingsError("--walltime and a walltime in --resources: give one of them")
        return words if limit is None else f"{words},walltime={clock(limit)}"

    def submit(self) -> str:
        """Write the script into this directory, where OAR looks for it whenever a job starts, and submit it."""
        words, path = self.render(), self.fleet.cwd / f"{self.fleet.name}.oar.sh"
        try:
            if path.exists() and not re.match(_OURS, path.read_text(errors="replace")):
                raise SettingsError(
                    f"{path.name} is there already, and minion-launch has not made it; take another --name"
                )
            path.write_text(words)
            path.chmod(0o755)
        except OSError as error:
            raise SettingsError(f"{path.name}: cannot be written ({error.strerror})") from None
        return call(["oarsub", "-S", f"./{path.name}"], remedy=_REMEDY)

    def started(self) -> list[Started]:
        """Ask for this user's jobs of that name."""
        said = call(["oarstat", "-u", "-J"], remedy="ask on the front-end").strip()
        try:
            jobs: dict[str, dict[str, Any]] = json.loads(said) if said else {}
            mine = {id: job for id, job in jobs.items() if job.get("name") == self.fleet.name}
            return [Started(id, str(job.get("state", "?")), _hosts(job)) for id, job in sorted(mine.items())]
        except (ValueError, AttributeError):
            raise LaunchError(f"oarstat -J does not answer in JSON: {said[:200]}") from None

    def stop(self) -> str:
        """Have those that run give back what they hold; delete what waits, and in the end whatever is left.

        ``oardel`` alone kills a job at once. And one that has left at its checkpoint may come again, to wait.
        """
        said, told, deleted, quiet = "", set[str](), set[str](), 0
        until = time.monotonic() + _PATIENCE
        while quiet <= (_QUIET if told else 0):
            jobs = self.started()
            late = time.monotonic() > until
            running = {each.id for each in jobs if each.state == "Running"} - told
            useless = {each.id for each in jobs if late or each.state in _WAITING} - deleted
            if running and not late:
                said += _delete("-c", *sorted(running))
            if useless:
                said += _delete(*sorted(useless))
            told |= running
            deleted |= useless
            quiet = 0 if {each.id for each in jobs} - deleted else quiet + 1
            if quiet <= (_QUIET if told else 0):
                time.sleep(_PAUSE)
        return said


def _delete(*words: str) -> str:
    return call(["oardel", *words], remedy="stop them on the front-end")


def _hosts(job: dict[str, Any]) -> str:
    return ",".join(map(str, job.get("assigned_network_address") or ()))
