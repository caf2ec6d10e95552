"""The ready files of deploy/ are what minion-launch writes, and are good."""

from __future__ import annotations

import re
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from docs.launch_tables import FILES, written
from minionize.launch.keda import TRIGGERS
from tests.launch.scripts import check
from tests.launch.test_k8s import VERSIONS, as_job

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
SCRIPTS = [name for name in FILES if name.endswith(".sh")]
MANIFESTS = [name for name in FILES if name.endswith(".yaml")]


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_what_minion_launch_writes(name: str) -> None:
    path = DEPLOY / name
    assert path.read_text() == written(FILES[name]), "run: ./check fix"
    assert f"# {FILES[name]}" in path.read_text().splitlines()[:2]
    assert bool(path.stat().st_mode & 0o111) == (name in SCRIPTS)


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_is_good(name: str, tmp_path: Path) -> None:
    check((DEPLOY / name).read_text(), tmp_path)


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_manifest_is_valid(name: str) -> None:
    for manifest in yaml.safe_load_all((DEPLOY / name).read_text()):
        job = as_job(manifest) if manifest["kind"] == "ScaledJob" else manifest
        for version in (VERSIONS[0], VERSIONS[-1]):
            kubernetes_validate.validate(job, version, strict=True)


def test_there_is_one_for_each_engine_with_a_trigger() -> None:
    assert {name for name in FILES if "scaledjob" in name} == {f"kubernetes/scaledjob-{each}.yaml" for each in TRIGGERS}


def test_readme_tells_every_file() -> None:
    told = (DEPLOY / "README.md").read_text()
    ends = set(re.findall(r"`(-\w+)`", told))
    for path in DEPLOY.rglob("*.*"):
        name = str(path.relative_to(DEPLOY))
        assert name == "README.md" or f"`{name}`" in told or any(name.endswith(f"{end}.yaml") for end in ends), name
