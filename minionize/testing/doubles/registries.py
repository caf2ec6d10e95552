"""Broken registries: in a directory, with one fault in each."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any, cast

from minionize.announcement import LARGEST, Decoder, encode
from minionize.console import printable
from minionize.errors import RegistryError
from minionize.registries.directory import DirectoryRegistry
from minionize.registry import DAY, Announcement, Registry, Seen
from minionize.testing.registry import RegistryContract
from minionize.testing.reporter import full_disk


class BrokenRegistry(DirectoryRegistry):
    """The directory, with one fault in each subclass."""

    def path(self, id: str) -> Path:
        """Return the file of a minion."""
        return Path(self.place) / f"{id}.json"


class BrokenRegistrySuite(RegistryContract):
    """The contract for one of these."""

    secrets = ("hush",)

    def __init__(self, kind: type[BrokenRegistry], place: Path) -> None:
        self.kind = kind
        self.folder = place

    def make_registry(self) -> Registry:
        """Make the broken registry."""
        return self.kind(str(self.folder / "minions"), {"PASSWORD": "hush"})

    def make_hopeless(self) -> Registry:
        """Put a file in its way."""
        self.folder.write_text("a file where a directory should be")
        return self.make_registry()

    def advance(self, seconds: float) -> None:
        """Make all files older."""
        for path in (self.folder / "minions").iterdir():
            status = path.stat()
            os.utime(path, (status.st_atime, status.st_mtime - seconds))

    def plant(self, id: str, data: bytes) -> None:
        """Write a file."""
        (self.folder / "minions").mkdir(mode=0o700, parents=True, exist_ok=True)
        (self.folder / "minions" / f"{id}.json").write_bytes(data)

    def failing(self) -> AbstractContextManager[None]:
        """Let no file grow."""
        return full_disk()


class WritesInPlace(BrokenRegistry):
    """Writes into the file that readers read."""

    def announce(self, announcement: Announcement) -> None:
        """Write it in two parts, as a system may."""
        data = encode(announcement)
        super().announce(announcement)
        with self._errors("write"), self.path(announcement["id"]).open("wb", buffering=0) as file:
            file.write(data[:100])
            time.sleep(0.0002)
            file.write(data[100:])


class KeepsTheFirst(BrokenRegistry):
    """Adds heartbeats to what a minion said first."""

    def announce(self, announcement: Announcement) -> None:
        """Link what was there to another name."""
        path = self.path(announcement["id"])
        with suppress(OSError):
            os.link(path, path.with_name(f"first-{path.name}"))
        super().announce(announcement)

    def _decode(self, name: str, data: bytes) -> Announcement | None:
        return _any_id(self, data)


def _any_id(registry: BrokenRegistry, data: bytes) -> Announcement | None:
    try:
        id = str(json.loads(data)["id"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return DirectoryRegistry._decode(registry, f"{id}.json", data)


class TrustsTheContent(BrokenRegistry):
    """Takes the id from the file, whatever the file is called."""

    def _decode(self, name: str, data: bytes) -> Announcement | None:
        return _any_id(self, data)


class AgesByTheHost(BrokenRegistry):
    """Compares this host's clock with what the minion's host said."""

    def read(self) -> list[Seen]:
        """Tell ages by the clocks of hosts."""
        return [Seen(each, max(0.0, time.time() - each["started"])) for each, _ in super().read()]


class KnowsNoAge(BrokenRegistry):
    """Takes everything for new."""

    def read(self) -> list[Seen]:
        """Forget the ages."""
        return [Seen(each, 0.0) for each, _ in super().read()]


class OneFileForAHost(BrokenRegistry):
    """Names announcements by process id."""

    def announce(self, announcement: Announcement) -> None:
        """Let the latest process of that number win."""
        super().announce(announcement)
        for id in (name.removesuffix(".json") for name in os.listdir(self.place)):
            if id != announcement["id"] and id.split("-")[1:2] == announcement["id"].split("-")[1:2]:
                self.path(id).unlink()


class ReadsAPage(BrokenRegistry):
    """Gives up after a hundred."""

    def read(self) -> list[Seen]:
        """Cut."""
        return super().read()[:100]


class LeavesNothing(BrokenRegistry):
    """Removes what a minion has said, when it leaves."""

    def leave(self, announcement: Announcement) -> None:
        """Write, and forget."""
        super().leave(announcement)
        self.forget([announcement["id"]])


class LeavesTheToken(BrokenRegistry):
    """Keeps the way to a server that is no more."""

    def leave(self, announcement: Announcement) -> None:
        """Change the given one, too."""
        announcement["left"] = time.time()
        announcement["state"] = "stopped"
        self.announce(announcement)


class ForgetsAnyPath(BrokenRegistry):
    """Takes an id for a path."""

    def forget(self, ids: Iterable[str]) -> int:
        """Remove whatever it is."""
        gone = 0
        for id in ids:
            with suppress(FileNotFoundError):
                self.path(id).unlink()
                gone += 1
        return gone


class ForgetsForEver(BrokenRegistry):
    """Lets no minion come back."""

    def forget(self, ids: Iterable[str]) -> int:
        """Remember them."""
        ids = [id for id in ids if id and "/" not in id]
        for id in ids:
            with suppress(OSError):
                self.path(id).with_suffix(".gone").touch()
        return super().forget(ids)

    def announce(self, announcement: Announcement) -> None:
        """Unless it was forgotten."""
        if not self.path(announcement["id"]).with_suffix(".gone").exists():
            super().announce(announcement)


class NeverCleans(BrokenRegistry):
    """Keeps everything."""

    def _clean(self, folder: int, now: float) -> None:
        pass


class CleansTooMuch(BrokenRegistry):
    """Removes whatever is a day old."""

    def _clean(self, folder: int, now: float) -> None:
        for name in os.listdir(folder):
            if now - os.stat(name, dir_fd=folder).st_mtime > DAY:
                os.unlink(name, dir_fd=folder)


class TrustsJson(BrokenRegistry):
    """Takes any JSON with the right id."""

    def _decode(self, name: str, data: bytes) -> Announcement | None:
        try:
            value: Any = json.loads(data)
            return cast(Announcement, value) if value["id"] == name.removesuffix(".json") else None
        except (ValueError, TypeError, KeyError, RecursionError):
            return None


class RaisesForNonsense(BrokenRegistry):
    """Lets one torn file hide all others."""

    def _decode(self, name: str, data: bytes) -> Announcement | None:
        json.loads(data)
        return super()._decode(name, data)


class CountsNothing(BrokenRegistry):
    """Does not tell what it passed over."""

    def read(self) -> list[Seen]:
        """Forget the number."""
        found = super().read()
        self.passed_over = 0
        return found


class RefusesTheNew(BrokenRegistry):
    """Takes only what it knows."""

    def _decode(self, name: str, data: bytes) -> Announcement | None:
        value = super()._decode(name, data)
        return value if value is not None and len(json.loads(data)) == len(Announcement.__annotations__) else None


class EscapesTexts(BrokenRegistry):
    """Makes texts fit for a terminal too early."""

    def read(self) -> list[Seen]:
        """Change what the minion said."""
        found = super().read()
        for each, _ in found:
            each["command"] = printable(each["command"])
        return found


class RefusesTheLong(BrokenRegistry):
    """Leaves out who says much."""

    def announce(self, announcement: Announcement) -> None:
        """Measure first."""
        if len(json.dumps(announcement)) > LARGEST:
            raise RegistryError("too large")
        super().announce(announcement)


class RaisesOsError(BrokenRegistry):
    """Lets the system's error out."""

    def announce(self, announcement: Announcement) -> None:
        """Unwrap it."""
        try:
            super().announce(announcement)
        except RegistryError as error:
            raise error.__cause__ or OSError("cannot write") from None


class SwallowsFailure(BrokenRegistry):
    """Loses a heartbeat without a word."""

    def announce(self, announcement: Announcement) -> None:
        """Raise nothing."""
        with suppress(RegistryError):
            super().announce(announcement)


class GivesUpAfterAFailure(BrokenRegistry):
    """Writes nothing any more when the disk was full once."""

    failed: RegistryError | None = None

    def announce(self, announcement: Announcement) -> None:
        """Remember the failure."""
        if self.failed is not None:
            raise self.failed
        try:
            super().announce(announcement)
        except RegistryError as error:
            self.failed = error
            raise


class TellsTheToken(BrokenRegistry):
    """Says what it could not write."""

    def announce(self, announcement: Announcement) -> None:
        """Add it to the message."""
        try:
            super().announce(announcement)
        except RegistryError as error:
            raise RegistryError(f"{error}: {announcement}") from error


class MakesItsPlace(BrokenRegistry):
    """Writes when it is made."""

    def __init__(self, place: str, environ: Mapping[str, str]) -> None:
        super().__init__(place, environ)
        os.makedirs(place, 0o700, exist_ok=True)


class NamesNoPlace(BrokenRegistry):
    """Leaves the user to guess."""

    def read(self) -> list[Seen]:
        """Say nothing of use."""
        try:
            return super().read()
        except RegistryError:
            raise RegistryError("cannot read") from None


class ShowsItsSecret(BrokenRegistry):
    """Shows the password."""

    def __init__(self, place: str, environ: Mapping[str, str]) -> None:
        super().__init__(place, environ)
        self.password = environ["PASSWORD"]

    def __repr__(self) -> str:
        return f"{super().__repr__()} {self.password}"


class LeaksADescriptor(BrokenRegistry):
    """Leaves its directory open."""

    def read(self) -> list[Seen]:
        """Open it once more."""
        found = super().read()
        with suppress(OSError):
            os.open(self.place, os.O_RDONLY)
        return found


class CloseNeedsUse(BrokenRegistry):
    """Cannot be closed before it is used."""

    decoder: Decoder | None = None

    def close(self) -> None:
        """Take it for granted."""
        assert self._decoder is not None


class HasNoName(BrokenRegistry):
    """Cannot be chosen."""

    name = ""
