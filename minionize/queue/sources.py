"""Params from streams of bytes, as they come: lines, JSON Lines, tables."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import IO, NoReturn

from minionize.errors import SettingsError
from minionize.task import Param

__all__ = ["LONGEST", "from_csv", "from_json", "from_lines", "pieces"]

LONGEST = 64 * 1024 * 1024
"""Bytes that a line may have."""

_CHUNK = 1 << 17


def pieces(file: IO[bytes], name: str, separator: bytes = b"\n") -> Iterator[tuple[int, bytes]]:
    """Yield the lines of a stream with their number, without their end, each as soon as it is whole.

    Args:
        file: The stream; it may be slow.
        name: What messages call it.
        separator: What ends a line; the last one needs none.

    Raises:
        SettingsError: A line is too long, or the stream cannot be read.
    """
    number = 0
    begun: list[bytes] = []
    size = 0
    while chunk := _read(file, name):
        *lines, rest = chunk.split(separator)
        if lines and begun:
            lines[0] = b"".join([*begun, lines[0]])
            begun, size = [], 0
        for line in lines:
            number += 1
            yield number, line
        if rest:
            begun.append(rest)
            size += len(rest)
            if size > LONGEST:
                raise SettingsError(f"{name}, line {number + 1}: longer than {LONGEST} bytes: is it a file of lines?")
    if begun:
        yield number + 1, b"".join(begun)


def _read(file: IO[bytes], name: str) -> bytes:
    try:
        data: bytes = file.read1(_CHUNK)  # type: ignore[attr-defined]
    except OSError as error:
        raise SettingsError(f"{name}: {error.strerror or error}") from error
    return data


def from_lines(file: IO[bytes], name: str, null: bool = False) -> Iterator[Param]:
    """Yield each line as a text; blank ones are no params. Bytes that are no UTF-8 survive in a queue of texts.

    Raises:
        SettingsError: A line holds a NUL byte, which no command line can.
    """
    for number, line in pieces(file, name, b"\0" if null else b"\n"):
        if not null:
            if not line or line.isspace():
                continue
            if line[-1:] == b"\r":
                line = line[:-1]
            if b"\0" in line:
                raise SettingsError(f"{name}, line {number}: holds a NUL byte; -0 is for params that end with one")
        yield line.decode("utf-8", "surrogateescape")


def from_json(file: IO[bytes], name: str) -> Iterator[Param]:
    """Yield the JSON value of each line; blank ones are none.

    Raises:
        SettingsError: A line is no JSON; the message tells which.
    """
    for number, line in pieces(file, name):
        if not line or line.isspace():
            continue
        try:
            yield json.loads(line.decode("utf-8"), parse_constant=_no_number)
        except RecursionError:
            raise SettingsError(f"{name}, line {number}: JSON that is nested too deeply") from None
        except ValueError as error:
            raise SettingsError(f"{name}, line {number}: not JSON: {_why(error)}") from None


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number in JSON")


def _why(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at column {error.colno}"
    return str(error)[:200]


def from_csv(file: IO[bytes], name: str) -> Iterator[dict[str, str]]:
    """Yield each row as a mapping by the names in the first one. All values are texts.

    Raises:
        SettingsError: It is no such table; the message tells the line.
    """
    csv.field_size_limit(LONGEST)
    text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="")
    rows = csv.reader(text, strict=True)
    try:
        names = next(rows, [])
        _check_names(names, name)
        for row in rows:
            if not row:
                continue
            if len(row) != len(names):
                raise SettingsError(
                    f"{name}, line {rows.line_num}: {len(row)} values for {len(names)} names: {', '.join(names)[:200]}"
                )
            yield dict(zip(names, row, strict=True))
    except csv.Error as error:
        raise SettingsError(f"{name}, line {rows.line_num}: not CSV: {error}") from None
    except OSError as error:
        raise SettingsError(f"{name}: {error.strerror or error}") from error
    finally:
        text.detach()


def _check_names(names: list[str], name: str) -> None:
    if not names:
        raise SettingsError(f"{name}: empty; a table begins with a line of names")
    for each in names:
        if "\0" in each:
            raise SettingsError(f"{name}, line 1: holds a NUL byte: is it a table?")
        if not each.strip():
            raise SettingsError(f"{name}, line 1: a name is missing: {','.join(names)[:200]}")
        if names.count(each) > 1:
            raise SettingsError(f"{name}, line 1: {each} stands there twice")
