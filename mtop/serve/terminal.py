"""One page that is open: what is typed there goes to an mtop of its own, which ends with it."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from typing import Any

from aiohttp import WSMsgType, web
from textual_serve.app_service import AppService
from textual_serve.download_manager import DownloadManager

__all__ = ["terminal"]

_BEAT = 15.0
_PATIENCE = 2.0
"""Seconds that an mtop has to end."""

_LARGEST = 1_000


class _Screen(AppService):
    """One process, and what is sent to and fro."""

    async def end(self) -> None:
        """Ask it to end; see to it that it does."""
        # Whatever went wrong between us is over now.
        with suppress(Exception):
            async with asyncio.timeout(_PATIENCE):
                await self.stop()
        if self._process is not None:
            if self._process.returncode is None:
                with suppress(ProcessLookupError):
                    self._process.kill()
            await self._process.wait()

    async def take(self, message: Any) -> str | None:
        """Pass on what the page says; return what it is to be answered."""
        match message:
            case ["stdin", str(text)]:
                await self.send_bytes(text.encode("utf-8", "replace"))
            case ["resize", {"width": int(width), "height": int(height)}]:
                await self.set_terminal_size(_size(width, 80), _size(height, 24))
            case ["blur"]:
                await self.blur()
            case ["focus"]:
                await self.focus()
            case ["ping", str(when)]:
                return json.dumps(["pong", when])
        return None


async def terminal(request: web.Request, command: str, downloads: DownloadManager) -> web.WebSocketResponse:
    """Run a command for a page, for as long as it is open.

    Args:
        request: What opens the socket.
        command: A line of shell.
        downloads: Files that the page may fetch.
    """
    socket = web.WebSocketResponse(heartbeat=_BEAT)
    await socket.prepare(request)
    screen = _Screen(
        command,
        write_bytes=socket.send_bytes,
        write_str=socket.send_str,
        close=socket.close,  # type: ignore[arg-type]
        download_manager=downloads,
    )
    width, height = (_asked(request.query.get(name)) for name in ("width", "height"))
    try:
        await screen.start(_size(width, 80), _size(height, 24))
        async for message in socket:
            if message.type == WSMsgType.TEXT:
                answer = await screen.take(_read(message.data))
                if answer is not None:
                    await socket.send_str(answer)
    except ConnectionError:
        # The page has gone while something was on its way.
        pass
    finally:
        await screen.end()
    return socket


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _asked(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 6 else 0


def _size(cells: int, usual: int) -> int:
    return min(cells, _LARGEST) if cells > 0 else usual
