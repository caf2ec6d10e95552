"""URLs of minions, taken apart."""

from __future__ import annotations

import pytest

from mtop.poll.trouble import Trouble
from mtop.poll.where import find


@pytest.mark.parametrize(
    ("url", "host", "port", "tls", "path", "shown"),
    [
        ("http://127.0.0.1:41234", "127.0.0.1", 41234, False, "/stats", "127.0.0.1:41234"),
        ("http://node-1.site.fr:8000/", "node-1.site.fr", 8000, False, "/stats", "node-1.site.fr:8000"),
        ("http://NODE", "node", 80, False, "/stats", "node"),
        ("https://node", "node", 443, True, "/stats", "node"),
        ("https://node:443/", "node", 443, True, "/stats", "node"),
        ("HTTP://node:443", "node", 443, False, "/stats", "node:443"),
        ("http://[::1]:99", "::1", 99, False, "/stats", "[::1]:99"),
        ("http://[fe80::1%25eth0]:99", "fe80::1%eth0", 99, False, "/stats", "[fe80::1]:99"),
        ("http://proxy/minion7", "proxy", 80, False, "/minion7/stats", "proxy"),
        ("http://proxy/a/b%20c/", "proxy", 80, False, "/a/b%20c/stats", "proxy"),
    ],
)
def test_a_url_is_taken_apart(url: str, host: str, port: int, tls: bool, path: str, shown: str) -> None:
    where = find(url)
    assert (where.host, where.port, where.tls) == (host, port, tls)
    assert where.head.startswith(f"GET {path} HTTP/1.1\r\nHost: {shown}\r\n".encode())
    assert where.head.endswith(b"\r\n")
    assert b"\r\n\r\n" not in where.head
    assert b"Authorization" not in where.head
    assert b"Accept-Encoding" not in where.head


def test_who_asks_is_told_to_a_proxy_and_to_nobody_else() -> None:
    where = find("http://user:p%40ss@proxy:81/m")
    assert b"\r\nHost: proxy:81\r\n" in where.head
    assert b"\r\nAuthorization: Basic dXNlcjpwQHNz\r\n" in where.head
    assert "dXNl" not in repr(where)
    assert "p@ss" not in repr(where)
    assert b"\r\nAuthorization: Basic dXNlcjo=\r\n" in find("http://user@proxy").head


@pytest.mark.parametrize(
    "url",
    [
        "",
        "node",
        "node:80",
        "ftp://node",
        "http://",
        "http:///path",
        "http://:80",
        "http://node:port",
        "http://node:0",
        "http://node:70000",
        "http://[::1",
        "http://[nothing]",
        "http://no de",
        "http://node\r\nX: y",
        "http://node/\u00fc",
        "http://n\u00f6de",
        "http://node?token=s3cret",
        "http://node#s3cret",
        "http://user:s3cret@",
        "http://" + "x" * 3_000,
    ],
)
def test_what_is_none_is_trouble_and_tells_no_secret(url: str) -> None:
    with pytest.raises(Trouble, match=r"has an address that cannot be asked: write http://HOST:PORT") as raised:
        find(url)
    assert "s3cret" not in str(raised.value)
    assert raised.value.__cause__ is None
