"""Roots of images, made of what this machine has: nothing is pulled."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

import pip

from tests.brokers.server import need

_NOT_NEEDED = ("test", "tests", "idlelib", "tkinter", "turtledemo", "ensurepip", "site-packages", "dist-packages")

# By wheels with code of their own, and by the look-up of hosts.
_TAKEN_FOR_GRANTED = ("dl", "gcc_s", "m", "nss_dns", "nss_files", "pthread", "resolv", "rt", "stdc++", "util")


def busybox_tree(tree: Path) -> Path:
    """A shell and the usual programs; static, so without any library."""
    program = need("busybox", "busybox-static")
    for folder in ("bin", "etc", "proc", "root", "sys", "dev", "var", "usr/bin"):
        (tree / folder).mkdir(parents=True)
    (tree / "tmp").mkdir()
    (tree / "tmp").chmod(0o1777)
    (tree / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n")
    (tree / "etc/group").write_text("root:x:0:\nnogroup:x:65534:\n")
    shutil.copy(program, tree / "bin/busybox")
    for name in subprocess.run([program, "--list"], check=True, capture_output=True, text=True).stdout.split():
        if name != "busybox":
            (tree / "bin" / name).symlink_to("busybox")
    return tree


def python_tree(tree: Path) -> Path:
    """The Python that runs the tests, with pip, below /usr/local; and busybox."""
    busybox_tree(tree)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    library = tree / "usr/local/lib" / version
    skipped = shutil.ignore_patterns(*_NOT_NEEDED, "*.opt-?.pyc", "*.a", "libpython*")
    shutil.copytree(sysconfig.get_path("stdlib", vars={"base": sys.base_prefix}), library, ignore=skipped)
    shutil.copytree(Path(pip.__file__).parent, library / "site-packages/pip", ignore=skipped)
    (tree / "usr/local/bin").mkdir()
    interpreter = Path(sys.base_prefix) / "bin" / version
    shutil.copy(interpreter, tree / "usr/local/bin" / version)
    for name in ("python", "python3"):
        (tree / "usr/local/bin" / name).symlink_to(version)
    script = tree / "usr/local/bin/pip"
    script.write_text('#!/bin/sh\nexec python3 -m pip "$@"\n')
    script.chmod(0o755)
    _copy_libraries([interpreter, *library.glob("lib-dynload/*.so")], tree)
    return tree


def _copy_libraries(programs: Iterable[Path], tree: Path) -> None:
    """All into /lib, where the loader looks in any case; itself where it is looked for."""
    (tree / "lib").mkdir()
    said = subprocess.run(["ldd", *map(str, programs)], check=True, capture_output=True, text=True).stdout
    found = {Path(path) for path in re.findall(r"=> (/\S+)", said)}
    (system,) = {path.parent for path in found if path.name == "libc.so.6"}
    found |= {path for name in _TAKEN_FOR_GRANTED for path in system.glob(f"lib{name}.so.[0-9]")}
    for path in found:
        shutil.copy(path, tree / "lib" / path.name)
    for loader in {*re.findall(r"^\s+(/\S*ld-\S+)", said, re.MULTILINE)}:
        target = tree / loader.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(loader, target)
