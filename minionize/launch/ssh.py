"""Hosts that are reached by ssh, without a scheduler."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from minionize.errors import SettingsError
from minionize.launch.launcher import Launcher, LaunchError, Started, call
from minionize.launch.script import FIRST, command_line, exports, script
from minionize.quoting import shell_word
from minionize.setting import Setting, integer, text

__all__ = ["Ssh"]

_REMEDY = "without --submit the script is printed: copy it to the hosts, and run it by bash there"

_AT_ONCE = 32  # hosts that are talked to at the same time
_PATIENCE = ("ConnectTimeout=20", "ServerAliveInterval=15")

_STATE = """\
state=${{XDG_STATE_HOME:-$HOME/.local/state}}/minionize/launch/{name}/$(uname -n)
# When a process started tells it apart from a later one with its pid. Nothing for one that has ended.
began() {{ sed -n 's/^.*) [^ZX] //p' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f19; }}
lives() {{ [ -f "$1" ] && read -r pid start <"$1" && [ -n "$start" ] && [ "$start" = "$(began "$pid")" ]; }}"""

_START = """\
umask 077
mkdir -p "$state" || exit 2
started=()
for number in {{1..{minions}}}; do
    file=$state/$number.pid
    if lives "$file"; then
        echo "$(uname -n): minion $number runs already, pid $pid"
        continue
    fi"""

_STARTED = """\
    pid=$!
    echo "$pid $(began "$pid")" >"$file"
    started+=("$number $pid")
    echo "$(uname -n): minion $number started, pid $pid, log $state/$number.log"
done

# One that cannot work leaves within seconds, however slow the disk is that it comes from.
any_lives() { for each in "${started[@]}"; do if lives "$state/${each%% *}.pid"; then return 0; fi; done; return 1; }
for _ in {1..30}; do
    if any_lives; then sleep 0.1; fi
done
failed=0
for each in "${started[@]}"; do
    read -r number pid <<<"$each"
    if lives "$state/$number.pid"; then continue; fi
    wait "$pid"
    code=$?
    case $code in 2 | 3 | 4 | 126 | 127)
        failed=1
        echo "$(uname -n): minion $number has left at once (exit code $code), log $state/$number.log:" >&2
        tail -n 3 -- "$state/$number.log" >&2
        ;;
    esac
done
exit "$failed\""""

_LIST = """\
for file in "$state"/*.pid; do
    if lives "$file"; then echo "$pid"; fi
done"""

_STOP = """\
for file in "$state"/*.pid; do
    if lives "$file"; then kill -s TERM "$pid" && echo "$(uname -n): TERM to $pid"; fi
done"""


class Ssh(Launcher):
    """Writes a script that starts minions where it is run; ``ssh`` runs it on each host."""

    name = "ssh"
    help = "Hosts reached by ssh: minions in the background, with a pid file and a log each."
    options = (
        Setting("hosts", "", text, None, "A file with a host on each line, as $OAR_NODEFILE is.", ("--hosts",), "FILE"),
        Setting("host", "", text, (), "A host; may be repeated.", ("--host",), "NAME", many=True),
        Setting("directory", "", text, None, "Where to run. Default: this directory.", ("--directory",), "PATH"),
        Setting("ssh_option", "", text, (), "One more -o option of ssh.", ("--ssh-option",), "OPTION", many=True),
        Setting("parallel", "", integer(1), _AT_ONCE, "How many hosts at the same time.", ("--parallel",), "N"),
    )

    def render(self) -> str:
        """Write the script, which is the same for all hosts."""
        hosts, fleet = self.hosts(), self.fleet
        if fleet.walltime is not None:
            raise SettingsError(
                "--walltime: nobody ends a minion that was started by ssh; give minionize --max-lifetime"
            )
        by_hand = [f"# For {' '.join(map(shell_word, hosts))}: to be run on each."]
        directory = self.config["directory"] or str(fleet.cwd)
        state = _STATE.format(name=fleet.name).splitlines()
        run = command_line(fleet.command, "setsid ", ' </dev/null >>"$state/$number.log" 2>&1 &')
        start = [*_START.format(minions=fleet.minions).splitlines(), *(f"    {line}" for line in run)]
        return script(
            fleet.line,
            by_hand,
            [f"cd -- {shell_word(directory)} || exit 2"],
            exports(fleet.env),
            state,
            [*start, *_STARTED.splitlines()],
        )

    def hosts(self) -> list[str]:
        """Return the hosts, each once.

        Raises:
            SettingsError: There is none, one has a name that ssh would take for an option, or the file cannot be read.
        """
        named = [*self.config["host"], *self._listed()]
        for host in named:
            if not host or host.startswith("-") or not host.isprintable() or " " in host:
                raise SettingsError(f"{host!r} is no host")
        if not named:
            raise SettingsError("which hosts? Give --hosts FILE, or --host NAME for each")
        return list(dict.fromkeys(named))

    def _listed(self) -> Iterator[str]:
        if self.config["hosts"] is None:
            return
        path = Path(self.config["hosts"])
        try:
            lines = (self.fleet.cwd / path).read_text().splitlines()
        except OSError as error:
            raise SettingsError(f"--hosts {path}: cannot be read ({error.strerror})") from None
        except UnicodeDecodeError:
            raise SettingsError(f"--hosts {path}: is no text") from None
        for line in lines:
            if host := line.partition("#")[0].strip():
                yield host

    def submit(self) -> str:
        """Run the script on each host."""
        return self._everywhere(self.render())

    def started(self) -> list[Started]:
        """Ask each host for the pids that still live."""
        found = self._ask(self._look(_LIST), self.hosts())
        return [Started(pid, "RUNNING", host) for host, pids in found for pid in pids.split()]

    def stop(self) -> str:
        """Send TERM to them."""
        return self._everywhere(self._look(_STOP))

    def _look(self, what: str) -> str:
        # The state directory is where --env puts it, too.
        return "\n".join([FIRST, *exports(self.fleet.env), _STATE.format(name=self.fleet.name), what, ""])

    def _everywhere(self, words: str) -> str:
        return "".join(said for _, said in self._ask(words, self.hosts()))

    def _ask(self, words: str, hosts: list[str]) -> list[tuple[str, str]]:
        """Run a script on several hosts.

        Raises:
            LaunchError: Some have failed; the message tells each, and what the others have said.
        """
        from concurrent.futures import ThreadPoolExecutor

        def on(host: str) -> str | LaunchError:
            # Of an option that is given twice the first counts: the user's.
            options = [word for option in (*self.config["ssh_option"], *_PATIENCE) for word in ("-o", option)]
            try:
                line = ["ssh", "-o", "BatchMode=yes", *options, "--", host, "exec bash -s"]
                return call(line, stdin=words, remedy=_REMEDY)
            except LaunchError as error:
                return error

        with ThreadPoolExecutor(min(self.config["parallel"], len(hosts))) as pool:
            answers = list(zip(hosts, pool.map(on, hosts), strict=True))
        failed = [f"{host}: {answer}" for host, answer in answers if isinstance(answer, LaunchError)]
        said = [(host, answer) for host, answer in answers if isinstance(answer, str)]
        if failed:
            raise LaunchError("\n".join([*failed, *(answer.rstrip() for _, answer in said if answer)]))
        return said
