"""A podman of the tests' own: its images, containers and settings are in a private directory, and nothing is left."""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.running import until
from tests.brokers.server import need

_PR_SET_CHILD_SUBREAPER = 36


@contextmanager
def reaping() -> Iterator[None]:
    """Reap the monitors of containers: podman waits up to 20 s for that, and process 1 may be slow."""
    libc, over = ctypes.CDLL(None, use_errno=True), threading.Event()

    def reap() -> None:
        while not over.wait(0.02):
            for each in Path("/proc/self/task").glob("*/children"):
                with suppress(OSError):
                    for pid in map(int, each.read_text().split()):
                        if Path(f"/proc/{pid}/stat").read_text().split()[1:3] == ["(conmon)", "Z"]:
                            os.waitpid(pid, os.WNOHANG)

    libc.prctl(_PR_SET_CHILD_SUBREAPER, 1)
    thread = threading.Thread(target=reap)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
        libc.prctl(_PR_SET_CHILD_SUBREAPER, 0)


class PrivatePodman:
    """The client with settings of its own; needs root.

    Args:
        folder: An empty directory with a short name: sockets are made below it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        need("podman", "podman")
        need("runc", "runc")
        need("tini-static", "tini")
        if os.geteuid() != 0:
            reason = "the private podman needs root"
            if os.environ.get("CI"):
                pytest.fail(reason)
            pytest.skip(reason)
        (folder / "containers.conf").write_text(
            # No network, so that no bridge and no rules are made. Limits, for a machine that cannot raise its own.
            '[containers]\nnetns="none"\ndefault_ulimits=["nofile=4096:4096","nproc=4096:4096"]\n'
            '[engine]\nruntime="runc"\ncgroup_manager="cgroupfs"\nevents_logger="file"\nlock_type="file"\n'
            f'tmp_dir="{folder}/tmp"\nvolume_path="{folder}/volumes"\n'
        )
        (folder / "storage.conf").write_text(
            f'[storage]\ndriver="overlay"\ngraphroot="{folder}/root"\nrunroot="{folder}/run"\n'
        )

    @property
    def environ(self) -> dict[str, str]:
        """What leads any client to it."""
        conf, storage = self.folder / "containers.conf", self.folder / "storage.conf"
        return {"CONTAINERS_CONF": str(conf), "CONTAINERS_STORAGE_CONF": str(storage)}

    def ask(self, *words: str, check: bool = True) -> str:
        """Run ``podman WORDS``; return what it says."""
        argv = ["podman", *words]
        done = subprocess.run(argv, env={**os.environ, **self.environ}, capture_output=True, text=True, check=False)
        assert done.returncode == 0 or not check, done.stderr
        return done.stdout

    @contextmanager
    def remote(self) -> Iterator[dict[str, str]]:
        """What leads any client to it by its service, as to a podman elsewhere: so says its own containers.conf."""
        uri = f"unix://{self.folder}/podman.sock"
        conf = self.folder / "remote.conf"
        conf.write_text(f'[engine]\nremote=true\nactive_service="x"\n[engine.service_destinations.x]\nuri="{uri}"\n')
        environ = {**os.environ, **self.environ}
        with subprocess.Popen(["podman", "system", "service", "--time", "0", uri], env=environ) as service:
            try:
                until((self.folder / "podman.sock").is_socket, what="its socket")
                yield {"CONTAINERS_CONF": str(conf)}
            finally:
                service.terminate()

    def import_tree(self, tree: Path, name: str) -> None:
        """Make an image of a directory."""
        archive = self.folder / "tree.tar"
        with tarfile.open(archive, "w") as tar:
            tar.add(tree, ".")
        self.ask("import", str(archive), name)
        archive.unlink()

    def containers(self) -> list[dict[str, Any]]:
        """All containers, also those that have ended."""
        found: list[dict[str, Any]] = json.loads(self.ask("ps", "--all", "--format", "json"))
        return found

    def close(self) -> None:
        """Remove containers, images and mounts."""
        self.ask("rm", "--all", "--force", "--time", "0", check=False)
        for line in reversed(Path("/proc/self/mounts").read_text().splitlines()):
            if line.split()[1].startswith(f"{self.folder}/"):
                subprocess.run(["umount", "--lazy", line.split()[1]], check=False, capture_output=True)
        shutil.rmtree(self.folder)
