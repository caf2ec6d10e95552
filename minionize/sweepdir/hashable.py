"""execo's HashableDict, without execo."""

from __future__ import annotations

from typing import Any


class HashableDict(dict[Any, Any]):
    """A mapping that can be a param. Equal to execo's, hashes as execo's, and is pickled as execo's.

    It must not be changed after its first use.
    """

    __slots__ = ("_hash",)
    _hash: int

    def __hash__(self) -> int:  # type: ignore[override]
        """Hash the items in the order of their keys."""
        try:
            return self._hash
        except AttributeError:
            self._hash = hash(tuple([(key, self[key]) for key in sorted(self)]))
            return self._hash

    def __getstate__(self) -> None:
        """Hashes of texts differ from process to process: they are not pickled."""
        return


# Its pickle must have the length of one of execo_engine.sweep.HashableDict; see ``pickles.py``.
HashableDict.__module__ = "minionize.sweepdir"
