"""The directory registry: the contract, and what a file system can do to it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from minionize.registries.directory import DirectoryRegistry
from minionize.registry import Registry
from minionize.testing import RegistryContract
from minionize.testing.reporter import full_disk
from tests.registries.aging import age


class TestDirectory(RegistryContract):
    @pytest.fixture(autouse=True)
    def _place(self, tmp_path: Path) -> None:
        self.place = tmp_path / "deep" / "minions"

    def make_registry(self) -> Registry:
        return DirectoryRegistry(str(self.place), {})

    def make_hopeless(self) -> Registry:
        self.place.parent.write_text("a file where a directory should be")
        return self.make_registry()

    def advance(self, seconds: float) -> None:
        age(self.place, seconds)

    def plant(self, id: str, data: bytes) -> None:
        self.place.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self.place / f"{id}.json").write_bytes(data)

    def failing(self) -> AbstractContextManager[None]:
        return full_disk()
