"""Where the server is: one server, a cluster, or what sentinels say; a client for it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from minionize.errors import EngineError
from minionize.urls import shown

__all__ = ["FORM", "connect", "is_cluster", "place_of", "redis_url"]

FORM = (
    "redis://USER:PASSWORD@HOST:PORT/DB, rediss://... for TLS, unix:///PATH/TO/SOCKET, redis+cluster://HOST:PORT, "
    "redis+sentinel://HOST:PORT,HOST:PORT/NAME/DB; special characters of a password as %XX"
)
_SCHEMES = ("redis", "rediss", "unix", "redis+cluster", "rediss+cluster", "redis+sentinel", "rediss+sentinel")

CONNECT, ANSWER = 3.0, 5.0
"""Seconds that a server is given."""


def redis_url(value: Any) -> str:
    """Take the URL of a Redis server.

    Raises:
        ValueError: It is none. The message does not show it, for there may be a password in it.
    """
    url = str(value)
    if url.partition("://")[0] not in _SCHEMES or "://" not in url:
        raise ValueError(f"must be {FORM}")
    return url


def is_cluster(url: str) -> bool:
    """Tell whether a URL leads to a cluster."""
    return url.partition("://")[0].endswith("+cluster")


def place_of(url: str) -> str:
    """Write a URL without what is secret."""
    scheme, _, rest = url.partition("://")
    try:
        parts = urlsplit(url)
    except ValueError:
        return f"{scheme}://..."
    if "@" in rest and "@" not in parts.netloc:
        # A password with a slash in it, most likely: nobody knows where it ends.
        return f"{scheme}://..."
    if not scheme.endswith("+sentinel"):
        return shown(url)
    return f"{scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def connect(url: str) -> Any:
    """Make a client. Only a cluster is asked at once.

    Raises:
        EngineError: That is no URL of a Redis server.
    """
    from redis import Redis
    from redis.cluster import RedisCluster
    from redis.connection import ConnectionPool

    scheme, _, rest = url.partition("://")
    base, _, kind = scheme.partition("+")
    plain = f"{base}://{rest}"
    try:
        if kind == "cluster":
            retry = _options(plain)["retry"]
            client: Any = RedisCluster.from_url(
                plain, socket_connect_timeout=CONNECT, socket_timeout=ANSWER, protocol=2, retry=retry
            )
            # Before version 6 of the client this counts.
            client.cluster_error_retry_attempts = 0
            return client
        if kind == "sentinel":
            return _by_sentinels(base, rest)
        options = _options(plain)
        pool = ConnectionPool(**options)
        # Nothing else looks at the options behind the "?" before it connects.
        pool.connection_class(**pool.connection_kwargs)
        return Redis(connection_pool=pool)
    except (ValueError, TypeError, AttributeError):
        # Its words may hold the password.
        raise EngineError(f"REDIS_URL {place_of(url)} is no URL that the redis client takes; write {FORM}") from None


def _options(url: str) -> dict[str, Any]:
    """Return what a connection pool is to know: no second try, for a step that was done must not be done again."""
    from redis import connection
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    parse_url: Any = connection.parse_url
    parts = urlsplit(url)
    # The client would take the first database.
    if parts.scheme != "unix" and parts.path.strip("/") and not parts.path.strip("/").isdecimal():
        raise ValueError("the database is no number")
    ours = {"socket_connect_timeout": CONNECT, "socket_timeout": ANSWER, "retry": Retry(NoBackoff(), 0)}
    return {**ours, **parse_url(url), "protocol": 2, "decode_responses": False}


def _by_sentinels(base: str, rest: str) -> Any:
    from redis import sentinel

    login, at, hosts = rest.partition("/")[0].rpartition("@")
    path, _, query = rest.partition("/")[2].partition("?")
    name, _, database = path.partition("/")
    if not name:
        raise ValueError("no name of a master")
    options = _options(f"{base}://{login}{at}host/{database}?{query}")
    for key in ("host", "port"):
        options.pop(key, None)
    options["ssl"] = options.pop("connection_class", None) is not None
    asked = {key: options[key] for key in ("socket_connect_timeout", "socket_timeout", "protocol", "retry", "ssl")}
    asked |= {key[9:]: options.pop(key) for key in list(options) if key.startswith("sentinel_")}
    where = [urlsplit(f"//{host}") for host in hosts.split(",")]
    sentinels = [(each.hostname, each.port or 26379) for each in where]
    make: Any = sentinel.Sentinel
    return make(sentinels, sentinel_kwargs=asked, **options).master_for(name)
