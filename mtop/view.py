"""Which lines the grid shows, and in which order. Pure: a fleet and choices in, lines out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter

from mtop.columns import Column, Value, by_key
from mtop.model.history import CELLS
from mtop.model.minion import Minion

__all__ = ["TREES", "Group", "Line", "View"]

TREES = ("flat", "host", "job", "queue")
"""How minions can be grouped."""

_REMEMBERED = 100_000
_NONE = {"host": "(no host)", "job": "(no job)", "queue": "(no queue)"}


class Group:
    """Minions with something in common, summed up in one line.

    Attributes:
        name: What they have in common.
        minions: Them.
        open: Whether they are shown below it.
    """

    __slots__ = ("minions", "name", "open")

    def __init__(self, name: str, minions: list[Minion], open: bool) -> None:
        self.name, self.minions, self.open = name, minions, open

    @property
    def key(self) -> str:
        """Tells it apart from minions and other groups."""
        return f"group:{self.name}"

    def history(self) -> list[float]:
        """Return the sums of their rates of late, the oldest first."""
        sums = [0.0] * CELLS
        longest = 0
        for minion in self.minions:
            values = minion.history.values()
            longest = max(longest, len(values))
            for number, value in enumerate(reversed(values), 1):
                sums[-number] += value
        return sums[CELLS - longest :]


@dataclass(frozen=True, slots=True)
class Line:
    """One line: a minion, or a group.

    Attributes:
        minion: The minion; None for a group.
        group: The group; None for a minion.
        last: Whether a minion is the last one of its group.
    """

    minion: Minion | None
    group: Group | None = None
    last: bool = False

    @property
    def key(self) -> str:
        """Tells it apart from all others, and stays the same."""
        return self.minion.key if self.minion is not None else self.group.key if self.group is not None else ""

    @property
    def minions(self) -> Sequence[Minion]:
        """Return the minions that it stands for."""
        return (self.minion,) if self.minion is not None else self.group.minions if self.group is not None else ()

    @property
    def history(self) -> list[float]:
        """Return its rates of late."""
        return self.minion.history.values() if self.minion is not None else self.group.history() if self.group else []

    def values(self, columns: Mapping[str, Column]) -> Callable[[str], Value]:
        """Return what tells its value in a column, by the column's name."""
        minion = self.minion
        if minion is not None:
            return lambda key: columns[key].value(minion)

        def summed(key: str) -> Value:
            column = columns[key]
            return column.sum([column.value(each) for each in self.minions]) if column.sum else None

        return summed


@dataclass
class View:
    """What the user has chosen to see.

    Attributes:
        sort: Name of the column by which lines are sorted.
        falls: Whether the highest comes first.
        tree: One of TREES.
        shut: Groups whose minions are not shown.
        keep: Which minions are shown; None for all.
        frozen: Whether the order stays as it is.
    """

    sort: str = "id"
    falls: bool = False
    tree: str = "flat"
    shut: set[str] = field(default_factory=set)
    keep: Callable[[Minion], bool] | None = None
    frozen: bool = False
    _shown: list[Minion] = field(default_factory=list, repr=False)
    _flat: list[Line] = field(default_factory=list, repr=False)
    _stood: tuple[str, bool, set[str]] | None = field(default=None, repr=False)
    _seen: dict[str, tuple[object, ...]] = field(default_factory=dict, repr=False)

    def sort_by(self, key: str) -> None:
        """Sort by a column; the same one again turns the order round."""
        if key == self.sort:
            self.falls = not self.falls
        else:
            self.sort, self.falls = key, by_key()[key].falls

    def lines(self, minions: Iterable[Minion]) -> list[Line]:
        """Return the lines, in order. Who is no more comes last."""
        keep = self.keep
        ordered = self._sorted({minion.key: minion for minion in minions if keep is None or keep(minion)})
        if self.tree != "flat":
            self._shown, self._flat = ordered, []
            return self._grouped(ordered)
        # Mostly nothing has moved: then the lines are those of the last time.
        if ordered != self._shown or len(self._flat) != len(ordered):
            self._shown, self._flat = ordered, [Line(minion) for minion in ordered]
        return self._flat

    def _sorted(self, chosen: dict[str, Minion]) -> list[Minion]:
        # As they stood before: what is equal keeps its place, and nothing jumps.
        before = [minion for old in self._shown if (minion := chosen.pop(old.key, None)) is not None]
        stands = self._stands(before, chosen)
        before += sorted(chosen.values(), key=lambda minion: self._natural(minion.id))
        if self.frozen or stands:
            return before
        value = by_key()[self.sort].value
        known: list[tuple[object, Minion]] = []
        unknown: list[Minion] = []
        past: list[Minion] = []
        for minion in before:
            if minion.ended:
                past.append(minion)
            elif (found := value(minion)) is None:
                unknown.append(minion)
            else:
                known.append((self._natural(found) if isinstance(found, str) else found, minion))
        known.sort(key=itemgetter(0), reverse=self.falls)
        past.sort(key=lambda minion: (minion.state != "lost", self._natural(minion.id)))
        return [minion for _, minion in known] + unknown + past

    def _stands(self, before: list[Minion], newcomers: Mapping[str, Minion]) -> bool:
        """Tell whether the order of the last time is still right: what is sorted by cannot have changed."""
        apart = {minion.key for minion in before if minion.ended or minion.via == "nothing"}
        stood, self._stood = self._stood, (self.sort, self.falls, apart)
        if newcomers:
            # Who is new may be apart already: the next time will tell.
            self._stood = None
        return not newcomers and by_key()[self.sort].fixed and stood == self._stood

    def _grouped(self, minions: list[Minion]) -> list[Line]:
        column = by_key()[self.tree]
        groups: dict[str, list[Minion]] = {}
        for minion in minions:
            name = column.value(minion)
            groups.setdefault(str(name) if name else _NONE[self.tree], []).append(minion)
        lines: list[Line] = []
        for name in self._group_order(groups):
            group = Group(name, groups[name], name not in self.shut)
            lines.append(Line(None, group))
            if group.open:
                lines += (Line(minion, None, minion is group.minions[-1]) for minion in group.minions)
        return lines

    def _group_order(self, groups: dict[str, list[Minion]]) -> list[str]:
        """Order groups by what they show in the sorted column; by name where that says nothing."""
        column = by_key()[self.sort]
        names = sorted(groups, key=self._natural)
        names.sort(key=lambda name: all(minion.ended for minion in groups[name]))
        if self.sort in ("id", self.tree) or column.sum is None or self.frozen:
            return list(groups) if self.frozen else names
        sums = {name: column.sum([column.value(each) for each in groups[name]]) for name in names}
        numbers = {name: value for name, value in sums.items() if isinstance(value, int | float)}
        known = sorted(numbers, key=numbers.__getitem__, reverse=self.falls)
        return known + [name for name in names if name not in numbers]

    def _natural(self, text: str) -> tuple[object, ...]:
        """Sort node2 before node10."""
        found = self._seen.get(text)
        if found is None:
            if len(self._seen) > _REMEMBERED:
                self._seen.clear()
            parts = re.split(r"(\d+)", text, flags=re.ASCII)
            found = self._seen[text] = tuple(
                (0, int(part)) if part.isdecimal() and part.isascii() else (1, part) for part in parts if part
            )
        return found
