"""What may stand in a registry's directory, and who may see it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from minionize.errors import RegistryError
from minionize.registries.directory import DirectoryRegistry
from minionize.registry import Registry
from minionize.testing.registry import make_announcement
from tests.registries.aging import age

NOBODY = 65534


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "minions"


@pytest.fixture
def registry(place: Path) -> Registry:
    return DirectoryRegistry(str(place), {})


@pytest.fixture
def open_place() -> Iterator[Path]:
    """A directory whose parents everybody can enter, unlike those of pytest."""
    folder = Path(tempfile.mkdtemp(prefix="minionize-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder / "minions"
    shutil.rmtree(folder)


def ids(registry: Registry) -> list[str]:
    return sorted(seen.announcement["id"] for seen in registry.read())


def test_what_is_no_plain_file_is_passed_over_at_once(registry: Registry, place: Path) -> None:
    registry.announce(make_announcement("host-1-a"))
    whole = (place / "host-1-a.json").read_bytes().replace(b"host-1-a", b"link-1-a")
    (place.parent / "elsewhere").write_bytes(whole)
    (place / "link-1-a.json").symlink_to(place.parent / "elsewhere")
    (place / "self.json").symlink_to(place / "self.json")
    (place / "folder.json").mkdir()
    os.mkfifo(place / "fifo.json")
    with socket.socket(socket.AF_UNIX) as listener:
        here = os.open(place, os.O_RDONLY)
        listener.bind(f"/proc/self/fd/{here}/socket.json")
        os.close(here)
    (place / "\udcff\x1b[31m.json").write_bytes(whole)
    (place / "notes.txt").write_text("not ours")
    (place / ".hidden.json").write_bytes(whole.replace(b"link-1-a", b".hidden"))
    with (place / "sparse.json").open("wb") as file:
        file.truncate(10**12)
    (place / "secret.json").write_bytes(b"")
    (place / "secret.json").chmod(0)
    assert ids(registry) == ["host-1-a"]
    assert registry.passed_over == 9
    # A newcomer's cleaning leaves all of it where it is.
    before = sorted(os.listdir(place))
    age(place, 30 * 86_400)
    DirectoryRegistry(str(place), {}).announce(make_announcement("host-2-a"))
    assert sorted([*os.listdir(place), "host-1-a.json"]) == sorted([*before, "host-2-a.json"])


def test_drafts_and_clocks_of_the_killed_are_cleaned_away(registry: Registry, place: Path) -> None:
    place.mkdir(mode=0o700)
    for name in (".host-1-a.draft", ".clock-1-0000"):
        (place / name).touch()
    age(place, 2 * 86_400)
    (place / ".host-2-a.draft").touch()
    registry.announce(make_announcement("host-3-a"))
    assert sorted(os.listdir(place)) == [".cleaned", ".host-2-a.draft", "host-3-a.json"]
    assert registry.read()
    assert sorted(os.listdir(place)) == [".cleaned", ".host-2-a.draft", "host-3-a.json"], "a reader leaves nothing"


def test_minions_that_start_together_clean_once(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = []

    def listdir(folder: int) -> list[str]:
        listed.append(folder)
        return list(map(os.fsdecode, os.scandir(folder)))

    monkeypatch.setattr("minionize.registries.directory.os.listdir", listdir)
    for number in range(20):
        DirectoryRegistry(str(place), {}).announce(make_announcement(f"host-{number}-a"))
    assert len(listed) == 1


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o277, 0o777])
def test_nobody_else_may_read_whatever_the_umask(registry: Registry, place: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        registry.announce(make_announcement("host-1-a"))
        registry.announce(make_announcement("host-1-a"))
    finally:
        os.umask(before)
    assert place.stat().st_mode & 0o7777 == 0o700
    assert (place / "host-1-a.json").stat().st_mode & 0o7777 == 0o600
    assert ids(registry) == ["host-1-a"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_another_user_can_read_no_token(open_place: Path) -> None:
    DirectoryRegistry(str(open_place), {}).announce(make_announcement("host-1-a"))
    file = open_place / "host-1-a.json"

    def readable() -> list[bool]:
        words = (f"ls {open_place}", f"cat {file}", f"touch {open_place}/x.json", f"ls {open_place.parent}")
        done = [
            subprocess.run(each.split(), user=NOBODY, group=NOBODY, extra_groups=[], capture_output=True)
            for each in words
        ]
        return [not each.returncode for each in done]

    assert readable() == [False, False, False, True]
    open_place.chmod(0o777)
    assert readable() == [True, False, True, True], "the file is closed by itself"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_a_directory_of_somebody_else_gets_no_token(place: Path, registry: Registry) -> None:
    registry.announce(make_announcement("host-1-a"))
    planted = (place / "host-1-a.json").read_bytes().replace(b"host-1-a", b"host-2-a")
    (place / "host-2-a.json").write_bytes(planted)
    os.chown(place / "host-2-a.json", NOBODY, NOBODY)
    assert ids(registry) == ["host-1-a"], "a stranger's file"
    os.chown(place, NOBODY, NOBODY)
    with pytest.raises(RegistryError, match=r"another user \(uid 65534\).*dir:PATH"):
        registry.announce(make_announcement("host-1-a"))
    assert ids(registry) == ["host-2-a"], "the owner's"


@pytest.mark.parametrize("mode", [0o755, 0o750, 0o711, 0o1777])
def test_an_open_directory_gets_no_token_but_can_be_read(place: Path, registry: Registry, mode: int) -> None:
    registry.announce(make_announcement("host-1-a"))
    place.chmod(mode)
    with pytest.raises(RegistryError, match=rf"mode {mode:04o}\); chmod 700"):
        registry.announce(make_announcement("host-2-a"))
    assert ids(registry) == ["host-1-a"]
    assert len(list(place.glob("*host-2-a*"))) == 0
    place.chmod(0o700)
    registry.announce(make_announcement("host-2-a"))
    assert ids(registry) == ["host-1-a", "host-2-a"]


def test_a_directory_that_was_removed_is_made_again(place: Path, registry: Registry) -> None:
    registry.announce(make_announcement("host-1-a"))
    shutil.rmtree(place.parent)
    registry.announce(make_announcement("host-1-a"))
    assert ids(registry) == ["host-1-a"]


def test_no_more_descriptors_is_no_empty_fleet(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    import resource

    registry.announce(make_announcement("host-1-a"))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = max(map(int, os.listdir("/proc/self/fd")))
    holes = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (used + 3, hard))
    try:
        while True:
            holes.append(os.open("/dev/null", os.O_RDONLY))
    except OSError:
        os.close(holes.pop())
        with pytest.raises(RegistryError, match="Too many open files"):
            registry.read()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for hole in holes:
            os.close(hole)


def test_a_symlink_leads_to_the_registry(place: Path, registry: Registry) -> None:
    registry.announce(make_announcement("host-1-a"))
    link = place.with_name("link")
    link.symlink_to(place)
    assert ids(DirectoryRegistry(str(link), {})) == ["host-1-a"]


def test_a_clock_set_back_makes_nobody_live_for_hours(place: Path, registry: Registry) -> None:
    registry.announce(make_announcement("host-1-a"))
    age(place, -3 * 3600)
    (seen,) = registry.read()
    assert 3 * 3600 - 60 < seen.age < 3 * 3600 + 60
    registry.announce(make_announcement("host-1-a"))
    (seen,) = registry.read()
    assert seen.age < 60


@pytest.mark.parametrize(
    ("place", "environ", "where"),
    [
        ("", {"XDG_STATE_HOME": "/state"}, "/state/minionize/minions"),
        ("", {"XDG_STATE_HOME": "", "HOME": "/home/me"}, "/home/me/.local/state/minionize/minions"),
        ("~/fleet", {"HOME": "/home/me"}, "/home/me/fleet"),
        ("/a/../b/", {}, "/b"),
        ("fleet", {}, f"{os.getcwd()}/fleet"),
    ],
)
def test_where_it_is(place: str, environ: dict[str, str], where: str) -> None:
    assert DirectoryRegistry(place, environ).place == where


def test_without_a_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("minionize.host.os.path.expanduser", lambda path: path)
    registry = DirectoryRegistry("", {})
    with pytest.raises(RegistryError, match="no home directory; set XDG_STATE_HOME"):
        registry.announce(make_announcement())
    assert registry.read() == []
    assert list(tmp_path.iterdir()) == []


def test_a_path_with_a_nul() -> None:
    registry = DirectoryRegistry("/tmp/a\0b", {})
    with pytest.raises(RegistryError, match="check MINION_REGISTRY"):
        registry.announce(make_announcement())
    with pytest.raises(RegistryError, match="check MINION_REGISTRY"):
        registry.read()
