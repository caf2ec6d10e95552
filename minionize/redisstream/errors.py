"""What the client's errors mean: what may pass, what will not, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from minionize.errors import EngineError, NotConnected

__all__ = ["NoGroup", "reaching"]

_RIGHTS = "+@stream +@sortedset +@hash +@scripting +@connection +del +exists +time +info"

# Words of an error, whether it may pass, the remedy. The first that fits counts.
_KNOWN: tuple[tuple[tuple[str, ...], bool, str], ...] = (
    (
        ("WRONGPASS", "NOAUTH", "invalid username-password", "Authentication required", "called without any password"),
        False,
        "check the user and password in REDIS_URL",
    ),
    (
        ("NOPERM", "NoPermissionError", "no permissions", "has no permission"),
        False,
        f"the user in REDIS_URL needs {_RIGHTS} for the keys STREAM and STREAM:*",
    ),
    (("WRONGTYPE",), False, "a key of that name holds something else: choose another REDIS_STREAM"),
    (
        ("OOM ", "OutOfMemoryError", "used memory > 'maxmemory'"),
        True,
        "its memory is full: raise maxmemory, or delete something",
    ),
    (
        ("READONLY", "ReadOnlyError", "read only replica"),
        True,
        "lead REDIS_URL to the master; redis+sentinel:// finds it",
    ),
    (("LOADING", "BusyLoadingError", "is loading"), True, "wait until the server has read its data"),
    (("MISCONF",), True, "see to the disk of the server"),
    (
        ("CROSSSLOT", "ClusterCrossSlotError", "MOVED ", "MovedError"),
        False,
        "this server is one of a cluster: write redis+cluster:// in REDIS_URL",
    ),
    (("cluster support disabled", "Cluster mode is not enabled"), False, "this is no cluster: write redis://"),
    (("CERTIFICATE_VERIFY_FAILED",), False, "name its authority: rediss://...?ssl_ca_certs=FILE in REDIS_URL"),
    (("WRONG_VERSION_NUMBER", "wrong version number"), False, "this port speaks no TLS: write redis:// in REDIS_URL"),
    (
        ("unknown command 'SENTINEL'", "unknown command `SENTINEL`"),
        False,
        "no sentinel listens there: write its port (26379 by default) in REDIS_URL, or redis:// for a server",
    ),
    (("unknown command", "Unknown Redis command", "unknown subcommand"), False, "Redis 6.2 or later is needed"),
    (
        (
            "BUSY ",
            "UNBLOCKED",
            "killed by user",
            "UNKILLABLE",
            "NOREPLICAS",
            "MASTERDOWN",
            "MasterDownError",
            "CLUSTERDOWN",
            "ClusterDownError",
            "TRYAGAIN",
            "TryAgainError",
        ),
        True,
        "see to the server",
    ),
)


class NoGroup(NotConnected):
    """The stream or its group is not there: somebody has deleted it, or the server keeps nothing over a restart."""


@contextmanager
def reaching(place: str) -> Iterator[None]:
    """Turn the client's errors into ours.

    Args:
        place: Where the server is, for people.

    Raises:
        NotConnected: It may pass.
        EngineError: It will not.
    """
    from redis.exceptions import ConnectionError, RedisClusterException, RedisError, TimeoutError

    try:
        yield
    except (RedisError, RedisClusterException, OSError, ValueError) as error:
        words = str(error)
        # The client takes the first word of many errors away, and makes a class of it.
        marked = f"{type(error).__name__}: {words}"
        # A server repeats the arguments of what it does not know, and tells of our scripts.
        why = words.partition(", with args")[0].partition(" script: ")[0].partition("\n")[0][:200].rstrip(" .,")
        if "NOGROUP" in marked:
            raise NoGroup(f"Redis at {place}: {why}") from error
        for marks, passes, remedy in _KNOWN:
            if any(mark in marked for mark in marks):
                raise (NotConnected if passes else EngineError)(f"Redis at {place}: {why}; {remedy}") from error
        passes = isinstance(error, (ConnectionError, RedisClusterException, TimeoutError, OSError))
        tls = " and speaks TLS" if place.startswith("rediss") else ""
        remedy = (
            f"check REDIS_URL, and whether the server runs{tls}" if passes else "see to that server, or to REDIS_URL"
        )
        raise (NotConnected if passes else EngineError)(f"Redis at {place}: {why}; {remedy}") from error
