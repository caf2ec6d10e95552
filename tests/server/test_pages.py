from __future__ import annotations

import re
import subprocess
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest

from tests.brokers.server import need
from tests.server.fake import Live

OUTSIDE = re.compile(r"""(?:src|href|url|import|fetch)\s*[=(]\s*["']?\s*(?:https?:)?//""")


def test_the_root_leads_to_the_docs(client: httpx.Client) -> None:
    answer = client.get("/")
    assert (answer.status_code, answer.headers["location"]) == (302, "/docs")


def test_docs_load_nothing_from_outside(client: httpx.Client) -> None:
    page = client.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert not OUTSIDE.search(page.text)
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert any(name.endswith(".js") for name in loaded)
    for name in loaded:
        if name.startswith("data:"):
            continue
        assert re.match(r"/(?!/)", name)
        answer = client.get(urljoin("/docs", name))
        assert answer.status_code == 200
        if name.endswith(".css"):
            assert not re.search(r"@import|url\(\s*[\"']?(?:https?:)?//", answer.text)
        if name.endswith("start.js"):
            assert not OUTSIDE.search(answer.text)
            assert "validatorUrl: null" in answer.text


@pytest.mark.parametrize("path", ["/docs", "/docs/start.js", "/docs/swagger-ui-bundle.js", "/docs/swagger-ui.css"])
def test_the_browser_is_told_to_load_nothing_from_outside(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none';")
    assert "http" not in policy
    assert "*" not in policy
    assert "script-src 'self';" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_openapi(client: httpx.Client) -> None:
    document = client.get("/openapi.json").json()
    assert document["openapi"].startswith("3.")
    assert "/tasks/{id}/output" in document["paths"]


@pytest.mark.slow
def test_a_browser_shows_the_page(live: Live, tmp_path: Path) -> None:
    chromium = need("chromium", "chromium")
    done = subprocess.run(
        [
            chromium,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            f"--user-data-dir={tmp_path}",
            "--enable-logging=stderr",
            "--virtual-time-budget=10000",
            "--dump-dom",
            f"{live.url}/docs",
        ],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "/tasks/{id}" in done.stdout.replace("\u200b", "").replace("<wbr>", "")
    assert "All numbers of the minion" in done.stdout
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    assert console == []
