"""Asks single minions, and tells them what to do, over HTTP. Low rate: one question for each thing that a user does."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, TypeVar

from minionize.stats.wire import FailuresWire, OutputWire, TaskWire
from mtop.feed import Unanswered
from mtop.format import safe
from mtop.live.answers import Answers, Garbled
from mtop.model.minion import Minion
from mtop.orders import REQUEUE_DEAD, Order, task_path
from mtop.poll.trouble import trouble_of

if TYPE_CHECKING:
    import httpx

__all__ = ["Asker"]

CONNECT, ANSWER, REQUEUE = 3.0, 10.0, 25.0
"""Seconds for a connection, for a whole answer, and for one that waits for the queue."""

LARGEST = 4 * 2**20
"""Bytes of an answer."""

_LARGE = 65_536
"""Bytes from which on an answer is read in a thread, so that the screen goes on."""

_AT_ONCE = 64

T = TypeVar("T")


class Asker:
    """Asks minions for what only their token opens. A token goes to the place that it came with, and nowhere else.

    Its HTTP client is made when it is first needed, which takes a moment.

    Args:
        user: Whose mtop this is.
    """

    def __init__(self, user: str) -> None:
        self._user = user
        self._answers = Answers()
        self._client: httpx.AsyncClient | None = None
        self._making = threading.Lock()

    def warm(self) -> httpx.AsyncClient:
        """Return the client; the first time it is made, in whichever thread this is."""
        with self._making:
            if self._client is None:
                self._client = _client()
            return self._client

    async def tasks(self, minion: Minion) -> list[TaskWire]:
        """Return what runs in a minion.

        Raises:
            Unanswered: There is no answer.
        """
        return await self._ask(minion, "GET", "/tasks", self._answers.tasks)

    async def failures(self, minion: Minion) -> FailuresWire:
        """Return the last failures of a minion.

        Raises:
            Unanswered: There is no answer.
        """
        return await self._ask(minion, "GET", "/failures", self._answers.failures)

    async def output(self, minion: Minion, task: str) -> OutputWire:
        """Return the end of what a run has written.

        Raises:
            Unanswered: There is no answer, or no such run any more.
        """
        return await self._ask(minion, "GET", task_path(task, "output"), self._answers.output)

    async def order(self, minion: Minion, order: Order) -> str:
        """Have a minion do something; return what it answers, in words.

        Raises:
            Unanswered: It did not, and why.
        """
        expected = minion.id

        def read(data: bytes) -> str:
            stands = self._answers.control(data)
            if stands["id"] != expected:
                raise Garbled(f"another minion has answered: {safe(stands['id'], 100)}")
            if order.path == REQUEUE_DEAD.path:
                number = self._answers.requeued(data)
                return f"requeued {number} dead param{'' if number == 1 else 's'}"
            if order.path == "/slots":
                return f"slots {stands['slots']}"
            verb = order.path.rpartition("/")[2]
            return {"kill": "killed", "requeue": "requeued"}.get(verb, stands["state"])

        return await self._ask(minion, "POST", order.path, read, order.body)

    async def _ask(
        self,
        minion: Minion,
        method: str,
        path: str,
        read: Callable[[bytes], T],
        body: Mapping[str, object] | None = None,
    ) -> T:
        why = minion.why_not(self._user)
        if why is not None or minion.url is None or minion.token is None:
            raise Unanswered(safe(why or "there is no way to it"))
        # Both at once: what is announced next may be another place, with another token.
        url, token = minion.url.rstrip("/") + path, minion.token
        seconds = REQUEUE if path == REQUEUE_DEAD.path else ANSWER
        try:
            async with asyncio.timeout(seconds):
                client = await asyncio.to_thread(self.warm) if self._client is None else self._client
                status, data = await _exchange(client, method, url, token, body)
                return await self._understood(status, data, read)
        except TimeoutError:
            raise Unanswered(f"no answer within {seconds:g} s") from None
        except (Unanswered, asyncio.CancelledError):
            raise
        except Exception as error:  # what a hostile server makes of an HTTP client cannot be known
            raise Unanswered(_words(error)) from None

    async def _understood(self, status: int, data: bytes, read: Callable[[bytes], T]) -> T:
        if status != HTTPStatus.OK:
            raise Unanswered(self._answers.problem(data) or _status_words(status))
        try:
            return await asyncio.to_thread(read, data) if len(data) > _LARGE else read(data)
        except Garbled as error:
            raise Unanswered(f"answers something that makes no sense: {error}") from None


def _client() -> httpx.AsyncClient:
    from http.cookiejar import DefaultCookiePolicy
    from ssl import create_default_context

    import httpx

    # Nothing of the environment leads a token elsewhere, and nothing is kept between two requests.
    client = httpx.AsyncClient(
        verify=create_default_context(),
        trust_env=False,
        follow_redirects=False,
        timeout=httpx.Timeout(REQUEUE, connect=CONNECT),
        limits=httpx.Limits(max_connections=_AT_ONCE, max_keepalive_connections=0),
    )
    client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=()))
    return client


async def _exchange(
    client: httpx.AsyncClient, method: str, url: str, token: str, body: Mapping[str, object] | None
) -> tuple[int, bytes]:
    """Send a request; return the status of the answer and its body.

    Raises:
        Unanswered: The body is too large, or compressed.
    """
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json", "Accept-Encoding": "identity"}
    if body is not None:
        headers["Content-Type"] = "application/json"
    request = client.build_request(method, url, headers=headers, content=None if body is None else json.dumps(body))
    response = await client.send(request, stream=True)
    try:
        if response.headers.get("content-encoding", "identity") != "identity":
            raise Unanswered("answers something compressed, which was not asked for")
        data = bytearray()
        async for piece in response.aiter_raw():
            data += piece
            if len(data) > LARGEST:
                raise Unanswered(f"answers more than {LARGEST // 2**20} MiB")
        return response.status_code, bytes(data)
    finally:
        await response.aclose()


def _status_words(status: int) -> str:
    if 300 <= status < 400:
        return f"answers {status}: it redirects, which is not followed"
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    return f"answers {status} {phrase}".rstrip()


def _words(error: Exception) -> str:
    """Say why there is no answer, as polls do."""
    import httpx

    fault: BaseException | None = error
    while fault is not None and not (isinstance(fault, OSError) and fault.errno is not None):
        # What the system says is buried deep.
        fault = fault.exceptions[0] if isinstance(fault, BaseExceptionGroup) else fault.__cause__ or fault.__context__
    if isinstance(fault, OSError):
        return str(trouble_of(fault))
    if isinstance(error, httpx.ConnectTimeout):
        return f"cannot be connected to within {CONNECT:g} s"
    if isinstance(error, httpx.HTTPError):
        return f"answers something that is no HTTP: {safe(error, 200) or type(error).__name__}"
    return f"cannot be asked: {type(error).__name__}"
