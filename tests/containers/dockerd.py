"""A real Docker engine of its own: private directories, no bridge, no rules; nothing of it is left when it is stopped.

Its networks are ``none`` and ``host``. There is no registry to pull from: images are imported, or built of those.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.brokers.server import Server, need
from tests.containers.trees import busybox_tree


class Dockerd(Server):
    """A dockerd with its own containerd; needs root.

    Args:
        folder: An empty directory with a short name: the path of a Unix socket has 107 bytes.
    """

    patience = 30.0

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.program = need("dockerd", "docker.io")
        for program, package in (("containerd", "containerd"), ("runc", "runc")):
            need(program, package)
        if os.geteuid() != 0:
            reason = "a Docker engine needs root"
            if os.environ.get("CI"):
                pytest.fail(reason)
            pytest.skip(reason)

    @property
    def socket_path(self) -> Path:
        return self.folder / "docker.sock"

    @property
    def base_url(self) -> str:
        """Where it is: DOCKER_HOST of a client."""
        return f"unix://{self.socket_path}"

    @property
    def root(self) -> Path:
        """Where it keeps images and containers."""
        return self.folder / "root"

    def command(self) -> list[str]:
        config = self.folder / "daemon.json"
        config.write_text("{}")
        places = [f"--data-root={self.root}", f"--exec-root={self.folder}/exec", f"--pidfile={self.folder}/docker.pid"]
        no_network = ["--iptables=false", "--ip6tables=false", "--bridge=none", "--ip-forward=false", "--ip-masq=false"]
        return [self.program, f"--config-file={config}", f"--host={self.base_url}", *places, *no_network]

    def is_ready(self) -> bool:
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(1)
                connection.connect(str(self.socket_path))
                connection.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
                return connection.recv(100).split(b" ")[1:2] == [b"200"]
        except OSError:
            return False

    def client(self) -> Any:
        """A new client of docker-py: close it."""
        import docker

        return docker.DockerClient(base_url=self.base_url)

    def start(self) -> None:
        """Start it, after a kill too: containers that run are found again."""
        # It would wait for a containerd that is no more.
        for left in ("exec/containerd/containerd.pid", "docker.pid"):
            (self.folder / left).unlink(missing_ok=True)
        super().start()

    def kill(self) -> None:
        """SIGKILL: its containers run on without it."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._process = None
        # Its containerd dies with it, a moment later.
        self._until_gone(lambda words: words.startswith(b"containerd\0"))

    def stop(self) -> None:
        """Stop it with all its containers. Idempotent."""
        # Asked first, for docker-py leaves a socket that is refused to the garbage collector.
        if self.is_ready():
            with suppress(Exception):  # what it cannot remove is killed below
                self._remove_containers()
        super().stop()
        self._until_gone(lambda words: True, signal.SIGKILL)
        for mount in self._mounts():
            subprocess.run(["umount", "--lazy", mount], check=False, capture_output=True)

    def import_tree(self, tree: Path, name: str) -> str:
        """Make an image of a directory; return its name.

        Args:
            tree: What becomes its root.
            name: Such as ``busybox:test``.
        """
        repository, _, tag = name.partition(":")
        archive = self.folder / "tree.tar"
        with tarfile.open(archive, "w") as tar:
            tar.add(tree, ".")
        with closing(self.client()) as client:
            client.api.import_image_from_file(str(archive), repository=repository, tag=tag)
        archive.unlink()
        return name

    def _remove_containers(self) -> None:
        with closing(self.client()) as client:
            for container in client.containers.list(all=True, ignore_removed=True):
                container.remove(force=True)

    def _until_gone(self, wanted: Any, number: int = 0) -> None:
        """Wait until no process of ours is left whose command line is wanted; send each a signal meanwhile."""
        until = time.monotonic() + self.patience
        while found := list(self._processes(wanted)):
            assert time.monotonic() < until, f"they do not end: {found}"
            for pid in found:
                with suppress(ProcessLookupError):
                    os.kill(pid, number)
            time.sleep(0.01)

    def _processes(self, wanted: Any) -> Iterator[int]:
        """Those that have our directory in their command line, and those in our containers."""
        folder = os.fsencode(f"{self.folder}/")
        ids = [path.name.encode() for path in (self.root / "containers").glob("*")]
        for path in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                words = (path / "cmdline").read_bytes()
                if not words or int(path.name) == os.getpid() or not wanted(words):
                    continue
                if folder in words or any(each in (path / "cgroup").read_bytes() for each in ids):
                    yield int(path.name)

    def _mounts(self) -> list[str]:
        """What is mounted below our directory, the innermost first."""
        lines = Path("/proc/self/mounts").read_text().splitlines()
        places = [line.split()[1] for line in lines]
        return sorted((place for place in places if place.startswith(f"{self.folder}/")), reverse=True)


@contextmanager
def own_dockerd(tree: Path, kind: type[Dockerd] = Dockerd) -> Iterator[Dockerd]:
    """An engine for one test or one file of tests, with the image ``busybox:test``.

    Args:
        tree: A directory to be made: the root of the image.
        kind: How it is started.
    """
    # Not pytest's directory: its path may be too long for a Unix socket.
    folder = Path(tempfile.mkdtemp(prefix="dockerd-", dir="/tmp"))
    engine = kind(folder)
    try:
        engine.start()
        engine.import_tree(busybox_tree(tree), "busybox:test")
        yield engine
    finally:
        engine.stop()
        shutil.rmtree(folder)
