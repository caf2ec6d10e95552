"""A registry in a Redis server: one hash, a field for each minion. The server's clock tells all ages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from minionize.announcement import LARGEST, Decoder, encode, is_id, uncollected
from minionize.errors import RegistryError, SettingsError
from minionize.registry import Announcement, Registry, Seen, kept_for
from minionize.urls import shown

__all__ = ["RedisRegistry"]

KEY = "minionize:minions"
"""Its fields are ids of minions, its values "TIME KEPT ANNOUNCEMENT": the server's time when it was written, and
for how many seconds it is kept."""

CONNECT, ANSWER = 2.0, 2.0
"""Seconds that a server is given: a heartbeat must not hang."""

CLEAN_EVERY = 3_600

# The field .cleaned is no id; it says when somebody last cleaned up, so that a thousand minions that start do it once.
_ANNOUNCE = """
local now = redis.call('TIME')
now = now[1] .. '.' .. string.format('%06d', now[2])
redis.call('HSET', KEYS[1], ARGV[1], now .. ' ' .. ARGV[2] .. ' ' .. ARGV[3])
if ARGV[4] == '' then return end
local before = tonumber(redis.call('HGET', KEYS[1], '.cleaned') or '')
if before and math.abs(now - before) < tonumber(ARGV[4]) then return end
redis.call('HSET', KEYS[1], '.cleaned', now)
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  local time, kept = string.match(string.sub(all[i + 1], 1, 80), '^([%d.]+) ([%d.]+) ')
  time, kept = tonumber(time or ''), tonumber(kept or '')
  if time and kept and now - time > kept then redis.call('HDEL', KEYS[1], all[i]) end
end
"""

# One reply of lines "ID TIME KEPT ANNOUNCEMENT": clients take long to read a thousand.
_READ = """
local now = redis.call('TIME')
local ids = redis.call('HKEYS', KEYS[1])
local found, strangers = {}, 0
for _, id in ipairs(ids) do
  local fits = #id <= 1000 and redis.call('HSTRLEN', KEYS[1], id) <= tonumber(ARGV[1])
  local line = fits and id .. ' ' .. redis.call('HGET', KEYS[1], id)
  if line and not string.find(line, '\\n', 1, true) then
    found[#found + 1] = line
  else
    strangers = strangers + 1
  end
end
return {now[1] .. '.' .. string.format('%06d', now[2]), strangers, table.concat(found, '\\n')}
"""


class RedisRegistry(Registry):
    """Announcements in Redis 5 or later, or what speaks its language. Connects when it is needed, again if need be."""

    name = "redis"

    def __init__(self, place: str, environ: Mapping[str, str]) -> None:
        super().__init__(shown(place), environ)
        self._client: Any = _client(place, self.place)
        self._announce = self._client.register_script(_ANNOUNCE)
        self._read = self._client.register_script(_READ)
        self._newcomer = True
        self._decoder: Decoder | None = None

    def announce(self, announcement: Announcement) -> None:
        """Set the field; the first time also clean up."""
        words = [
            announcement["id"],
            kept_for(announcement),
            encode(announcement),
            CLEAN_EVERY if self._newcomer else "",
        ]
        with self._errors("write"):
            self._announce(keys=[KEY], args=words)
        self._newcomer = False

    def read(self) -> list[Seen]:
        """Read all fields in one round trip; the huge ones stay in the server."""
        with self._errors("read"):
            now, self.passed_over, lines = self._read(keys=[KEY], args=[LARGEST])
        decode = self._decoder = self._decoder or Decoder()
        found = []
        with uncollected():
            for line in filter(None, lines.split(b"\n")):
                id, written, _, data = (*line.split(b" ", 3), b"", b"", b"")[:4]
                announcement = decode(id.decode("utf-8", "replace"), data)
                if announcement and _is_time(written):
                    found.append(Seen(announcement, abs(float(now) - float(written))))
                elif id != b".cleaned":
                    self.passed_over += 1
        return found

    def forget(self, ids: Iterable[str]) -> int:
        """Delete their fields."""
        known = list(filter(is_id, ids))
        with self._errors("write"):
            return int(self._client.hdel(KEY, *known)) if known else 0

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    @contextmanager
    def _errors(self, what: str) -> Iterator[None]:
        """Turn the client's errors into ours, with the place and a remedy."""
        from redis.exceptions import AuthenticationError, NoPermissionError, RedisError, ResponseError

        try:
            yield
        except (RedisError, OSError, ValueError) as error:
            # A server that does not know a command repeats its arguments, and in these is the token.
            why = str(error).partition(", with args")[0][:200].rstrip(".")
            if isinstance(error, AuthenticationError):
                remedy = "check the user and password in MINION_REGISTRY"
            elif isinstance(error, NoPermissionError):
                remedy = f"the user in MINION_REGISTRY needs +@hash +time +evalsha +script|load for ~{KEY}"
            elif isinstance(error, ResponseError):
                remedy = "see to that server, or set MINION_REGISTRY to another place, or none"
            else:
                remedy = "check MINION_REGISTRY, and whether the server runs"
            raise RegistryError(f"cannot {what} the registry {self.place}: {why}; {remedy}") from error


def _client(url: str, shown: str) -> Any:
    """Make a client; nothing is connected yet.

    Raises:
        SettingsError: It is no URL of a Redis server.
    """
    from redis import Redis
    from redis.backoff import NoBackoff
    from redis.exceptions import ConnectionError
    from redis.retry import Retry

    # Once more after a connection that the server has closed meanwhile; never after a time-out.
    retry = Retry(NoBackoff(), 1, supported_errors=(ConnectionError,))
    try:
        client = Redis.from_url(
            url, socket_connect_timeout=CONNECT, socket_timeout=ANSWER, retry=retry, protocol=2, decode_responses=False
        )
        pool = client.connection_pool
        # Nothing else looks at the options behind the "?" before it connects.
        pool.connection_class(**pool.connection_kwargs)
    except (ValueError, TypeError):
        # Its words may hold the password.
        raise SettingsError(
            f"registry {shown}: no URL that the redis client takes; write redis://USER:PASSWORD@HOST:PORT/DB, "
            "rediss://... or unix:///PATH/TO/SOCKET, and special characters of a password as %XX"
        ) from None
    return client


def _is_time(word: bytes) -> bool:
    return len(word) < 40 and word.replace(b".", b"", 1).isdigit()
