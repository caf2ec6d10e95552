"""Minions behind TLS: certificates are checked."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mtop.poll import Heard, poll_once
from tests.mtop.fleet_server import Minion, fleet
from tests.mtop.poll.running import listening, polling

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate of this host, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=mtop test", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
         "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    return certificate, key


@contextmanager
def secure(pair: tuple[Path, Path], minion: Minion, made: list[int] | None = None) -> Iterator[str]:
    """A minion that speaks TLS; what is ``made`` grows with each connection."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pair)

    def serve(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as tls:
            if made is not None:
                made.append(1)
            while request := tls.recv(65_536):
                tls.sendall(minion.answer(request))

    with listening(serve) as port:
        yield f"https://127.0.0.1:{port}"


def once(url: str) -> Heard:
    (heard,) = poll_once({"a": url}, timeout=4.0)
    return heard


def test_a_certificate_that_is_trusted(pair: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(pair[0]))
    minion = Minion(0)
    made: list[int] = []
    with secure(pair, minion, made) as url, polling({"a": url}, 0.02) as safe:
        heard = safe.each(10, "a")["a"]
    assert {each.trouble for each in heard} == {None}
    assert made == [1], "the connection is kept, though tickets come over it that nobody asked for"


def test_large_answers(pair: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(pair[0]))
    minion = Minion(0)
    minion._text = minion._text + b" " * 100_000
    with secure(pair, minion) as url:
        assert once(url).stats
        minion._text = minion._text + b" " * 200_000
        assert once(url).trouble == "answers more than 256 KiB: this is no minion"


def test_a_certificate_of_nobody(pair: tuple[Path, Path]) -> None:
    with secure(pair, Minion(0)) as url:
        trouble = once(url).trouble or ""
    assert trouble.startswith("shows a certificate that is not trusted: self")
    assert trouble.endswith("name its authority's file in SSL_CERT_FILE")


def test_a_certificate_of_another(pair: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(pair[0]))
    with secure(pair, Minion(0)) as url:
        trouble = once(url.replace("127.0.0.1", "127.0.0.2")).trouble or ""
        assert trouble.startswith(("refuses connections", "shows a certificate"))
        trouble = once(url.replace("127.0.0.1", "[::ffff:127.0.0.1]")).trouble or ""
    assert trouble.startswith("shows a certificate that is not trusted: IP address mismatch")


def test_no_tls_where_it_is_expected(pair: tuple[Path, Path]) -> None:
    with fleet(odd=["ssh"]) as urls:
        assert once(urls["ssh"].replace("http:", "https:")).trouble == (
            "speaks no TLS: is its address http:// instead of https://?"
        )
    with secure(pair, Minion(0)) as url:
        assert (once(url.replace("https:", "http:")).trouble or "").startswith(("is no HTTP", "hangs up"))


def test_one_that_hangs_in_the_handshake() -> None:
    with fleet(odd=["hang"]) as urls:
        assert once(urls["hang"].replace("http:", "https:")).trouble == "does not answer within 4 s"


def test_no_authorities_at_all(pair: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "broken.pem").write_text("nothing")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "broken.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
    with secure(pair, Minion(0)) as url:
        assert (once(url).trouble or "").startswith("shows a certificate that is not trusted")
