"""The server, as one queue needs it: a client that comes when it is needed, and what is asked of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from minionize.errors import EngineError, NotConnected
from minionize.notice import notice
from minionize.redisstream.client import connect, is_cluster, place_of
from minionize.redisstream.entries import fields_of
from minionize.redisstream.errors import NoGroup, reaching
from minionize.redisstream.scripts import SCRIPTS

__all__ = ["Server"]

_OLDEST = (6, 2)
_PAGE = 100


class Server:
    """One stream and what is kept beside it for one group.

    Args:
        url: Where it is.
        stream: Key of the stream.
        group: Name of the group.

    Attributes:
        place: Where it is, for people.
        dead: Key of the stream of dead params.
        consumer: Who asks.
    """

    def __init__(self, url: str, stream: str, group: str) -> None:
        self._url, self._stream, self._group = url, stream, group
        self.place = place_of(url)
        # The keys of a queue must be on one server of a cluster.
        prefix = f"{{{stream}}}" if is_cluster(url) and "{" not in stream else stream
        beside = [f"{prefix}:{group}:{each}" for each in ("leases", "back", "runs", "dead")]
        self._keys, self.dead = [stream, *beside], beside[-1]
        self.consumer = ""
        self._client: Any = None
        self._scripts: dict[str, Any] = {}

    def visit(self) -> str:
        """Make sure that the server can be used.

        Returns:
            What tells its present run from others; "" if it does not say.

        Raises:
            EngineError: It cannot.
        """
        self.do(lambda client: client.ping())
        try:
            facts = self._facts()
        except NotConnected:
            raise
        except EngineError:
            return ""  # a user may be forbidden to ask
        version = str(facts.get("redis_version", ""))
        if version and tuple(int(each) for each in version.split(".")[:2] if each.isdigit()) < _OLDEST:
            raise EngineError(f"Redis at {self.place} is of version {version}; 6.2 or later is needed")
        policy = str(facts.get("maxmemory_policy", ""))
        if facts.get("maxmemory") and policy.startswith("allkeys-"):
            words = "Redis at %s throws whole queues away when its memory is full: set maxmemory-policy to noeviction"
            notice("redis", words, self.place)
        return str(facts.get("run_id", ""))

    def _facts(self) -> Mapping[str, Any]:
        def ask(client: Any) -> Any:
            cluster = is_cluster(self._url)
            return client.info(target_nodes=client.get_node_from_key(self._stream)) if cluster else client.info()

        facts: Mapping[str, Any] = self.do(ask)
        return facts

    @property
    def is_connected(self) -> bool:
        """Whether there is a client, and the server answered it when it was last asked."""
        return self._client is not None

    def hang_up(self) -> None:
        """Let go of the connection."""
        client, self._client = self._client, None
        self._scripts.clear()
        if client is not None:
            client.close()

    def do(self, step: Callable[[Any], Any]) -> Any:
        """Do something with the client.

        Raises:
            NotConnected: The server cannot be reached now; the client is gone.
            NoGroup: There is no such stream, or it has no such group.
            EngineError: That cannot be done.
        """
        try:
            with reaching(self.place):
                self._client = self._client or connect(self._url)
                return step(self._client)
        except NoGroup:
            raise
        except NotConnected:
            self.hang_up()
            raise

    def call(self, name: str, *words: Any) -> Any:
        """Run a script."""

        def run(client: Any) -> Any:
            script = self._scripts[name] = self._scripts.get(name) or client.register_script(SCRIPTS[name])
            return script(keys=self._keys, args=[self._group, self.consumer, *words])

        return self.do(run)

    def wait(self, most: int, milliseconds: int) -> list[tuple[bytes, Mapping[bytes, bytes]]]:
        """Let the server wait for something new; take it, without a lease."""
        new = {self._stream: ">"}
        got = self.do(lambda client: client.xreadgroup(self._group, self.consumer, new, most, milliseconds))
        return [entry for _, entries in got or () for entry in entries]

    def add(self, batch: Sequence[tuple[bytes, str]]) -> list[Any]:
        """Add entries: bodies with their content types. Return an answer for each, or an error."""

        def run(client: Any) -> list[Any]:
            if is_cluster(self._url):
                return self._add_singly(client, batch)
            pipeline = client.pipeline(transaction=False)
            for body, content_type in batch:
                pipeline.xadd(self._stream, fields_of(body, content_type))
            return list(pipeline.execute(raise_on_error=False))

        answers: list[Any] = self.do(run)
        return answers

    def _add_singly(self, client: Any, batch: Sequence[tuple[bytes, str]]) -> list[Any]:
        # The pipeline of a cluster asks again what was not answered, and may have been done.
        answers: list[Any] = []
        for body, content_type in batch:
            try:
                answers.append(client.xadd(self._stream, fields_of(body, content_type)))
            except Exception as error:  # one of many of the client's; ``check`` raises it
                answers.append(error)
                break
        return answers

    def check(self, answers: Sequence[Any]) -> None:
        """Raise the first error among answers, as one of ours."""

        def first(_: Any) -> None:
            for answer in answers:
                if isinstance(answer, Exception):
                    raise answer

        self.do(first)

    def read(self, key: str, first: str = "-", last: str = "+") -> Iterator[tuple[bytes, Mapping[bytes, bytes]]]:
        """Yield the entries of a stream, page by page."""
        while True:
            page = self._page(key, first, last)
            yield from page
            if len(page) < _PAGE:
                return
            first = f"({page[-1][0].decode()}"

    def _page(self, key: str, first: str, last: str) -> list[Any]:
        page: list[Any] = self.do(lambda client: client.xrange(key, first, last, _PAGE))
        return page

    def waiting(self) -> Iterator[Mapping[bytes, bytes]]:
        """Yield the entries that are ready: what was given back, then what is new."""
        returned, last = self.call("returned")
        for id in returned:
            yield from (fields for _, fields in self._page(self._stream, id, id))
        for _, fields in self.read(self._stream, f"({last.decode()}"):
            yield fields

    def consumers(self) -> list[Any]:
        """Tell of the consumers of the group; none where there is none."""
        try:
            found: list[Any] = self.do(lambda client: client.xinfo_consumers(self._stream, self._group))
        except EngineError as error:
            if isinstance(error, NoGroup) or "no such key" in str(error):
                return []
            raise
        return found
