"""The file ``sweeps``: one pickled set, all params of the queue."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterable, Iterator
from typing import Any

from minionize.errors import EngineError
from minionize.sweepdir.fsio import open_for_change, read_from, replace, signature
from minionize.sweepdir.layout import Layout
from minionize.sweepdir.locks import Locks
from minionize.sweepdir.pickles import Damage, dump, freeze, load_first


class Sweeps:
    """The params of the queue, as last loaded.

    Attributes:
        params: The params. Never changed in place: a new load is a new set.
    """

    def __init__(self, layout: Layout, locks: Locks) -> None:
        self._layout, self._locks = layout, locks
        self.params: set[Any] = set()
        self._seen: tuple[int, int, int] | None = (0, 0, 0)

    def changed(self) -> bool:
        """Tell whether the file is another one than at the last load."""
        return signature(self._layout.sweeps) != self._seen

    def load(self) -> None:
        """Load the file.

        Raises:
            EngineError: There is none, or it cannot be used. Nothing was changed.
            OSError: It cannot be read.
        """
        path = self._layout.sweeps
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            raise _no_sweeps(self._layout, "has no file 'sweeps'") from None
        try:
            # A ParamSweeper that is just writing it holds its lock.
            with contextlib.suppress(OSError):
                self._locks.wait_for(fd, path, fcntl.LOCK_SH)
            status = os.fstat(fd)
            data = read_from(fd, 0, status.st_size)
        finally:
            os.close(fd)
        self.params = parse(data, self._layout)
        self._seen = (status.st_ino, status.st_size, status.st_mtime_ns)


def parse(data: bytes, layout: Layout) -> set[Any]:
    """Read the params from the bytes of the file.

    Raises:
        EngineError: They are no pickled set, list or other collection of params.
    """
    path = layout.sweeps
    if not data:
        raise _no_sweeps(layout, "has an empty file 'sweeps' (an earlier run may have left it)")
    try:
        value, _ = load_first(data, path)
    except Damage as error:
        raise EngineError(
            f"{path} is damaged: it is no whole pickle ({error}). Nothing was changed. "
            f"Restore it, or write it again: {_maker(layout.folder)}; what is done stays done"
        ) from error
    if isinstance(value, set):
        return value
    if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
        raise EngineError(
            f"{path} holds one {type(value).__name__}, not a collection of params: {_maker(layout.folder)}"
        )
    return _hashable(value, path)


def _hashable(params: Iterable[Any], path: str) -> set[Any]:
    try:
        return set(params)
    except TypeError as error:
        raise EngineError(
            f"{path}: a param must be hashable ({error}): make HashableDict "
            "(execo_engine.sweep) of mappings and tuples of lists"
        ) from error


def _no_sweeps(layout: Layout, why: str) -> EngineError:
    if not os.path.isdir(layout.folder):
        return EngineError(f"there is no sweep directory {layout.folder}; make one: {_maker(layout.folder)}")
    return EngineError(f"{layout.folder} {why}, so it is no queue; make one: {_maker(layout.folder)}")


def _maker(folder: str) -> str:
    """Return the line that makes a sweep directory."""
    code = f"from execo_engine.sweep import ParamSweeper; ParamSweeper({folder!r}, sweeps=range(10), save_sweeps=True)"
    return f'python -c "{code}"'


def merge(layout: Layout, locks: Locks, params: Iterable[Any]) -> int:
    """Add params to the file, making directory and file if need be; return how many were new.

    Raises:
        EngineError: A param cannot be one, or the file that is there is damaged (it stays as it is).
        OSError: It cannot be written.
    """
    fresh = _hashable((freeze(param) for param in params), layout.sweeps)
    try:
        os.makedirs(layout.folder, exist_ok=True)
    except FileExistsError:
        raise EngineError(f"{layout.folder} is no directory: check EXECO_PERSISTENCE_DIR") from None
    with locks.hold(), _for_change(layout, locks) as (known, empty):
        fresh -= known
        if fresh or empty:
            count = len(fresh)
            # The smaller set goes into the larger one: there may be millions.
            fresh, known = (fresh, known) if len(fresh) < len(known) else (known, fresh)
            known |= fresh
            layout.make_side()
            _write(layout, known)
            return count
        return 0


def remove(layout: Layout, locks: Locks, params: set[Any]) -> None:
    """Take params out of the file; the locks are held.

    Raises:
        EngineError: The file is damaged (it stays as it is).
        OSError: It cannot be written.
    """
    with _for_change(layout, locks) as (known, _):
        layout.make_side()
        _write(layout, known - params)


@contextlib.contextmanager
def _for_change(layout: Layout, locks: Locks) -> Iterator[tuple[set[Any], bool]]:
    """Lock the file, for a ParamSweeper may write it too; yield what it holds, and whether it was empty."""
    fd = open_for_change(layout.sweeps)
    try:
        locks.wait_for(fd, layout.sweeps, fcntl.LOCK_EX)
        size = os.fstat(fd).st_size
        yield (parse(read_from(fd, 0, size), layout) if size else set()), not size
    finally:
        os.close(fd)


def _write(layout: Layout, params: set[Any]) -> None:
    """Replace the file in one step, by way of the side-car."""
    temporary = os.path.join(layout.side, "sweeps.new")
    replace(temporary, dump(params), sync=True)
    os.rename(temporary, layout.sweeps)
