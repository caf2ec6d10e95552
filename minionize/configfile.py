"""Reads ``.minionize.yml``: what it holds, and the line of each key. YAML is imported only if there is such a file."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minionize.errors import SettingsError
from minionize.names import builtin, did_you_mean, known

if TYPE_CHECKING:
    from yaml import Node, SafeLoader

__all__ = ["OWNERS", "ConfigFile", "read"]

OWNERS = {"engine": "engines", "reporter": "reporters"}
"""Keys whose value is a name, or a mapping with that name and settings of its owner."""


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """What a ``.minionize.yml`` says.

    Attributes:
        path: As the user named it; "" if there is none.
        values: Values of the minion's settings, by key, not yet parsed.
        sections: Settings of engines and reporters, by their name.
        command: The command's words, or a line still to be cut into words; None if there is none.
        env: Variables for the children.
        lines: Line of each key; those of sections as "section.key".
    """

    path: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    sections: dict[str, dict[str, Any]] = field(default_factory=dict)
    command: str | tuple[str, ...] | None = None
    env: dict[str, str] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)

    def where(self, key: str) -> str:
        """Name file and line of a key."""
        line = self.lines.get(key)
        return f"{self.path}, line {line}" if line else self.path

    def check(self, section: str, valid: Collection[str], hint: Mapping[str, str]) -> None:
        """Refuse keys of a section that its owner does not have.

        Args:
            section: Name of the engine or reporter.
            valid: The keys it has.
            hint: Other names of keys that pass: the variables.

        Raises:
            SettingsError: A key is unknown; the message names the nearest that is not.
        """
        for key in self.sections.get(section, {}):
            if key not in valid and key not in hint:
                wrong = self.where(f"{section}.{key}")
                raise SettingsError(f"{wrong}: {section} has no setting {key!r}{did_you_mean(key, valid)}")


def read(path: Path, shown: str, keys: Collection[str]) -> ConfigFile:
    """Read a file.

    Args:
        path: The file.
        shown: What messages call it.
        keys: Keys of the minion's settings.

    Raises:
        SettingsError: It cannot be read, is no YAML, or says what nobody understands.
    """
    from yaml import SafeLoader, YAMLError

    try:
        source = path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise SettingsError(f"{shown}: not a text in UTF-8 ({error.reason} at byte {error.start})") from None
    except OSError as error:
        raise SettingsError(f"{shown}: cannot be read ({error.strerror})") from None
    try:
        return _Reader(SafeLoader(source), shown, keys).read()
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{shown}, line {mark.line + 1}" if mark else shown
        raise SettingsError(f"{place}: no YAML: {getattr(error, 'problem', None) or error}") from None
    except RecursionError:
        raise SettingsError(f"{shown}: nested too deeply") from None


class _Reader:
    """Turns the nodes of one document into a ConfigFile; words keep the form in which they were written."""

    def __init__(self, loader: SafeLoader, shown: str, keys: Collection[str]) -> None:
        self.loader = loader
        self.keys = keys
        self.file = ConfigFile(path=shown)
        self.command: str | tuple[str, ...] | None = None

    def read(self) -> ConfigFile:
        root = self.loader.get_single_node()
        if root is None:
            return self.file
        for key, node in self.mapping(root, "", "the file"):
            self.take(key, node)
        file = self.file
        return ConfigFile(file.path, file.values, file.sections, self.command, file.env, file.lines)

    def take(self, key: str, node: Node) -> None:
        if key == "command":
            self.command = self.words(node)
        elif key == "env":
            self.file.env.update((name, self.word(value, f"env.{name}")) for name, value in self.mapping(node, "env."))
        elif key in OWNERS and self.is_a("mapping", node):
            self.owner(key, node)
        elif key in self.keys:
            self.file.values[key] = self.loader.construct_object(node, deep=True)
        else:
            self.check_owner(key)
            self.section(key, self.mapping(node, f"{key}."))

    def check_owner(self, key: str) -> None:
        # The built-in ones first: entry points take longer to find than all the rest of the file.
        if any(key in builtin(kind) for kind in OWNERS.values()):
            return
        owners = {name for kind in OWNERS.values() for name in known(kind)}
        if key not in owners:
            valid = {"command", "env", *self.keys, *owners}
            raise SettingsError(f"{self.file.where(key)}: unknown key {key!r}{did_you_mean(key, valid)}")

    def owner(self, key: str, node: Node) -> None:
        settings = dict(self.mapping(node, f"{key}."))
        if "name" not in settings:
            raise SettingsError(f"{self.file.where(key)}: {key} needs a name: {key}: {{name: ...}}")
        name = self.word(settings.pop("name"), f"{key}.name")
        self.file.values[key] = name
        for each in settings:
            self.file.lines[f"{name}.{each}"] = self.file.lines[f"{key}.{each}"]
        self.section(name, settings.items())

    def section(self, name: str, settings: Any) -> None:
        section = self.file.sections.setdefault(name, {})
        section.update((key, self.loader.construct_object(node, deep=True)) for key, node in settings)

    def mapping(self, node: Node, prefix: str, name: str = "") -> Iterator[tuple[str, Node]]:
        """Yield keys and values, noting their lines."""
        from yaml import MappingNode

        if node.tag.endswith(":null"):
            return
        if not isinstance(node, MappingNode):
            place = f"{self.file.path}, line {node.start_mark.line + 1}"
            raise SettingsError(f"{place}: {name or prefix.rstrip('.')} must be a mapping (key: value)")
        seen: set[str] = set()
        for key, _ in node.value:
            line = key.start_mark.line + 1
            if str(key.value) in seen:
                raise SettingsError(f"{self.file.path}, line {line}: {key.value} stands there twice")
            seen.add(str(key.value))
        self.loader.flatten_mapping(node)
        for key, value in node.value:
            self.file.lines[f"{prefix}{key.value}"] = key.start_mark.line + 1
            yield str(key.value), value

    def words(self, node: Node) -> str | tuple[str, ...]:
        if not self.is_a("sequence", node):
            return self.word(node, "command")
        return tuple(self.word(each, "command") for each in node.value)

    def word(self, node: Node, key: str) -> str:
        """Take a scalar as it was written: ``1.10`` and ``yes`` are words here."""
        if not self.is_a("scalar", node):
            what = "a text, or a list of texts" if key == "command" else "a text"
            raise SettingsError(f"{self.file.where(key)}: {key} must be {what}")
        return "" if node.tag.endswith(":null") else str(node.value)

    def is_a(self, kind: str, node: Node) -> bool:
        """Tell whether a node is a "scalar", a "sequence" or a "mapping"."""
        from yaml import MappingNode, ScalarNode, SequenceNode

        return isinstance(node, {"scalar": ScalarNode, "sequence": SequenceNode, "mapping": MappingNode}[kind])
