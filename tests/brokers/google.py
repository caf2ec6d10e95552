"""The real emulator of Pub/Sub, which keeps nothing over a restart."""

from __future__ import annotations

import os
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.brokers.server import Server, need

_LIB = Path("/usr/lib/google-cloud-sdk/platform/pubsub-emulator/lib")
PROJECT = "minions"


def _jar() -> Path:
    """The emulator. Without it the test is skipped; under CI it fails."""
    for jar in _LIB.glob("cloud-pubsub-emulator-*-all.jar"):
        return jar
    reason = "the emulator is not here: package google-cloud-cli-pubsub-emulator of Google's repository"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


class PubSubServer(Server):
    """``host`` is what PUBSUB_EMULATOR_HOST says."""

    patience = 60.0

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.java = need("java", "default-jre-headless")
        self.jar = _jar()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        small = ["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        return [self.java, *small, "-jar", str(self.jar), "--host=127.0.0.1", f"--port={self.port}"]

    def is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://{self.host}/", timeout=1) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


@contextmanager
def running(folder: Path) -> Iterator[PubSubServer]:
    """Run an emulator."""
    server = PubSubServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()
