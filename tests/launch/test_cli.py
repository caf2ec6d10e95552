from __future__ import annotations

import pytest

from minionize.launch import SCHEDULERS, load_launcher
from minionize.launch.times import clock, walltime
from minionize.version import __version__
from tests.launch.conftest import Terminal
from tests.test_architecture import CLIENTS, HEAVY, imported_by, inside

RUN = ["--", "minionize", "./a.out"]


def test_help_names_every_scheduler(launch: Terminal) -> None:
    said = launch.text("--help")
    assert said.startswith("Usage: minion-launch ")
    assert all(f"\n  {name} " in said for name in SCHEDULERS)


@pytest.mark.parametrize("name", SCHEDULERS)
def test_help_of_a_scheduler_tells_its_options(launch: Terminal, name: str) -> None:
    said = launch.text(name, "--help")
    kind = load_launcher(name)
    assert kind.name == name
    assert all(flag in said for option in kind.options for flag in option.flags)
    assert all(flag in said for flag in ("--minions", "--name", "--walltime", "--env", "--submit", "--list", "--stop"))


def test_version(launch: Terminal) -> None:
    assert launch.text("--version") == f"minion-launch {__version__}\n"


@pytest.mark.parametrize("words", [["--help"], ["k8s", "--help"], ["--version"]])
def test_help_imports_nothing_heavy(words: list[str]) -> None:
    loaded = imported_by("-c", f"import sys; sys.argv[1:] = {words}; from minionize.cli.launch import main; main()")
    assert inside(loaded, "minionize.cli.launch")
    heavy = ("minionize.worker", "minionize.engines", "minionize.sweepdir", "minionize.settings", "concurrent.futures")
    assert not inside(loaded, *CLIENTS, *HEAVY, *heavy)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "missing command\nTry 'minion-launch --help'"),
        (["slrum"], "no scheduler 'slrum'; did you mean slurm?"),
        (["slurm", "--partitio", "x"], "no such option --partitio; did you mean --partition?"),
        (["slurm"], "which minions? Put their command line behind --"),
        (["slurm", "--list"], "or give --name NAME"),
        (["slurm", "-n", "0", *RUN], "--minions '0': must be a whole number, 1 or more"),
        (["slurm", "--walltime", "2", *RUN], "--walltime '2': must be a time with its unit"),
        (["slurm", "--walltime", "30s", *RUN], "--checkpoint 60: must be less than --walltime"),
        (["slurm", "--", "./a.out"], "it does not call minionize; put minionize in front of it"),
        (["slurm", "--", "minionize", "--slotz", "2"], "no such option"),
        (["slurm", "--submit", "--stop", *RUN], "--submit and --stop: give one of them"),
        (
            ["slurm", "--partition", "a b", *RUN],
            "--partition 'a b': must be one line of printable text, without blanks",
        ),
        (["slurm", "--directive", "a\nb", *RUN], "--directive 'a\\nb': must be one line"),
        (["oar", "--project", "a\n#OAR -l x", *RUN], "--project"),
        (["oar", "--walltime", "1h", "-l", "nodes=1,walltime=2", *RUN], "give one of them"),
        (["ssh", *RUN], "which hosts?"),
        (["ssh", "--host", "-oProxyCommand=x", *RUN], "is no host"),
        (["ssh", "--host", "", *RUN], "'' is no host"),
        (["ssh", "--hosts", "nothing.txt", *RUN], "--hosts nothing.txt: cannot be read (No such file or directory)"),
        (["ssh", "--hosts", "/bin/sh", *RUN], "--hosts /bin/sh: is no text"),
        (["ssh", "--host", "a", "--walltime", "1h", *RUN], "--walltime: nobody ends a minion"),
        (["k8s", *RUN], "--image must be given"),
        (["k8s", "--image", "x", "--secret", "a", "--secret", "a_b", *RUN], "--secret 'a_b': must be a name"),
        (["slurm", "--", *RUN], "give -- once"),
    ],
)
def test_a_mistake_of_usage_ends_with_2(launch: Terminal, words: list[str], message: str) -> None:
    assert message in launch.refusal(*words)


@pytest.mark.parametrize(
    ("words", "program", "place"),
    [
        (["oar", *RUN], "oarsub", "front-end"),
        (["slurm", *RUN], "sbatch", "login node"),
        (["k8s", "--image", "x", *RUN], "kubectl", "kubectl apply -f"),
        (["ssh", "--host", "a", *RUN], "ssh", "run it by bash there"),
    ],
)
def test_a_missing_program_ends_with_3_and_the_remedy(
    launch: Terminal, words: list[str], program: str, place: str
) -> None:
    said = launch.refusal(words[0], "--submit", *words[1:], status=3)
    assert f"{program} is not in PATH here; without --submit the " in said
    assert place in said


def test_what_stands_in_front_of_minionize_stays(launch: Terminal) -> None:
    words = [
        "srun",
        "apptainer",
        "exec",
        "my image.sif",
        "/opt/bin/minionize",
        "--grace",
        "5",
        "./a.out",
        "--name",
        "x",
    ]
    script = launch.text("slurm", "--", *words)
    assert "\nsrun apptainer exec 'my image.sif' /opt/bin/minionize --grace 5 ./a.out --name x &\n" in script
    assert "#SBATCH --job-name=minions-a.out\n" in script


@pytest.mark.parametrize(
    ("words", "seconds"), [("2h", 7200), ("90m", 5400), ("1:30:00", 5400), ("1:30", 5400), ("2-12:00:00", 216000)]
)
def test_walltime(words: str, seconds: int) -> None:
    assert walltime(words) == seconds
    assert walltime(clock(seconds)) == seconds


@pytest.mark.parametrize("words", [["oar"], ["slurm"], ["k8s", "--image", "x"], ["ssh", "--host", "a"]])
def test_a_dry_run_is_what_happens_without_a_word(launch: Terminal, words: list[str]) -> None:
    assert launch.text(*words, "--dry-run", *RUN) == launch.text(*words, *RUN).replace(
        " ".join([words[0], *words[1:], "--"]), " ".join([words[0], *words[1:], "--dry-run", "--"])
    )
    assert "give one of them" in launch.refusal(*words, "--dry-run", "--submit", *RUN)
