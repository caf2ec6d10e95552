"""Where settings come from: the environment, ``.env``, ``.minionize.yml``, and which one wins."""

from __future__ import annotations

import pytest

from tests.acceptance.running import Place

pytestmark = pytest.mark.acceptance


def test_dotenv_never_overrides_the_environment(place: Place) -> None:
    place.script(".env", "MINION_SLOTS=3\nMINION_REPORTER=json\nREPORTER_JSON_DIRECTORY=from-dotenv\nGREETING=dotenv\n")
    line = "echo $GREETING $MINION_SLOTS"
    done = place.run("sh", "-c", line, params=b"1\n", GREETING="environment", REPORTER_JSON_DIRECTORY="elsewhere")
    assert (done.returncode, done.stdout) == (0, b"environment 3\n"), done.stderr
    assert place.records("elsewhere")
    assert not (place.folder / "from-dotenv").exists()


def test_a_bare_minionize_does_what_its_file_says(place: Place) -> None:
    place.sweep("range(4)", "my-queue")
    place.script(
        ".minionize.yml",
        "command: [sh, -c, 'echo $GREETING {}']\nslots: 2\nretries: 1\nenv: {GREETING: hello}\n"
        "engine: {name: execo, persistence_dir: my-queue}\nreporter: {name: json, directory: told}\n",
    )
    done = place.run()
    assert done.returncode == 0, done.stderr
    assert sorted(done.stdout.splitlines()) == [b"hello %d" % n for n in range(4)]
    assert len(place.records("told")) == 4
    shown = place.run("--show-config", MINION_SLOTS="7").stdout.decode()
    (slots,) = [row for row in shown.splitlines() if row.startswith("slots")]
    assert "7" in slots
    assert "environment MINION_SLOTS" in slots


def test_a_misspelt_key_is_refused(place: Place) -> None:
    place.script(".minionize.yml", "command: echo\nretires: 3\n")
    done = place.run(params=b"1\n")
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"did you mean retries?" in done.stderr


@pytest.mark.parametrize(
    ("make", "words"),
    [
        ("mkdir sweeps", "sweeps"),
        ("mkdir sweeps; echo nonsense > sweeps/sweeps", "sweeps"),
        ("mkdir sweeps; : > sweeps/sweeps", "sweeps"),
        ("mkdir sweeps; head -c 10 full/sweeps > sweeps/sweeps", "sweeps"),
    ],
    ids=["none", "nonsense", "empty", "truncated"],
)
def test_a_queue_that_cannot_be_read_is_refused_and_left_as_it_is(place: Place, make: str, words: str) -> None:
    place.sweep("range(10)", "full")
    place.run_program("sh", "-c", make)
    file = place.folder / "sweeps/sweeps"
    before = file.read_bytes() if file.exists() else None
    done = place.run("echo", MINION_ENGINE="execo")
    assert (done.returncode, done.stdout) == (3, b"")
    assert words in done.stderr.decode()
    assert (file.read_bytes() if file.exists() else None) == before
