"""Questions and answers as bytes: HTTP/1.1 without a socket."""

from __future__ import annotations

import re
from typing import NamedTuple

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from mtop.poll.trouble import CUT, TORN, Trouble

__all__ = ["LARGEST", "Answer", "Exchange", "Question"]

LARGEST = 262_144
"""Bytes of an answer, at most, its head included."""

_FRESH = 10.0
_FRAMED = (b"content-length", b"transfer-encoding")
_STATUSES = {
    401: "answers 401: a proxy before it wants http://USER:PASSWORD@ in its address",
    403: "answers 403: a proxy before it lets nobody through",
    404: "answers 404: this is no minion, or a path is missing in its address",
    407: "answers 407: a proxy before it wants http://USER:PASSWORD@ in its address",
}


class Answer(NamedTuple):
    """What was answered: the numbers, or that they are as before (no body)."""

    body: bytes | None
    etag: bytes


class Question:
    """What one minion is asked: its numbers, or its numbers if they have changed.

    A minion answers at once what it was asked before in the very same bytes. So a condition is set only where the same
    answer came twice; and never while something runs, since what a run uses changes without changing the ETag.

    Attributes:
        conditional: Whether it was asked for changes only, the last time.
    """

    __slots__ = ("_etag", "_head", "_only_changes", "_plain", "_until", "conditional")

    def __init__(self, head: bytes) -> None:
        self.conditional = False
        self._head = head
        self._plain = head + b"\r\n"
        self._only_changes = b""
        self._etag = b""
        self._until = 0.0

    def ask(self, now: float) -> bytes:
        """Return the request that is to be sent now."""
        self.conditional = self._only_changes != b"" and now < self._until
        return self._only_changes if self.conditional else self._plain

    def answered(self, etag: bytes, rests: bool, now: float) -> None:
        """Learn from an answer that held numbers.

        Args:
            etag: Its ETag, b"" for none.
            rests: Whether nothing runs.
            now: By the clock of ``ask``.
        """
        if not rests or etag != self._etag:
            self._only_changes, self._etag = b"", etag
        elif etag:
            if not self._only_changes and re.fullmatch(rb'(?:W/)?"[!#-~]{0,100}"', etag):
                self._only_changes = b"%sIf-None-Match: %s\r\n\r\n" % (self._head, etag)
            # Uptime and resources are not told meanwhile.
            self._until = now + _FRESH


class Exchange:
    """The answers that come over one connection, one for each ``begin``.

    Attributes:
        reusable: Whether there may be another question, once an answer is complete.
    """

    __slots__ = ("_answer", "_conditional", "_etag", "_framed", "_parser", "_pieces", "_size", "_status", "reusable")

    def __init__(self) -> None:
        self._parser = HttpResponseParser(self)
        self._pieces: list[bytes] = []
        self.begin(False)

    def begin(self, conditional: bool) -> None:
        """A question goes out, on a condition or not."""
        self._conditional = conditional
        self._size = 0
        self._status = 0
        self._answer = self._etag = b""
        self._framed = False
        self.reusable = False

    @property
    def begun(self) -> bool:
        """Whether anything has come since the question."""
        return self._size > 0

    def feed(self, data: bytes) -> Answer | None:
        """Take what has come.

        Returns:
            The answer, once it is complete. Whatever comes behind it is no answer, and makes an end.

        Raises:
            Trouble: It is none, or it is no answer that holds numbers.
        """
        self._size += len(data)
        if self._size > LARGEST:
            self._forget()
            raise Trouble(f"answers more than {LARGEST // 1024} KiB: this is no minion")
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade:
            raise Trouble("answers 101: this is no minion") from None
        except HttpParserError as error:
            self.reusable = False
            if not self._status:
                self._forget()
                raise Trouble(f"is no HTTP server: {error}"[:200]) from None
        return self._judge() if self._status else None

    def end(self) -> Answer:
        """The connection has ended, which may be the end of an answer too.

        Raises:
            Trouble: There was no answer until then, or it is torn.
        """
        if not self._pieces or self._framed:
            self._forget()
            raise Trouble(TORN if self.begun else CUT)
        self._complete()
        self.reusable = False
        return self._judge()

    def _judge(self) -> Answer:
        if self._status == 200:
            return Answer(self._answer, self._etag)
        if self._status == 304 and self._conditional:
            return Answer(None, b"")
        if 300 <= self._status < 400 and self._status != 304:
            raise Trouble(f"answers {self._status}: it redirects, which is not followed; give the address it leads to")
        raise Trouble(_STATUSES.get(self._status) or f"answers {self._status}")

    def _complete(self) -> None:
        self._status = self._parser.get_status_code()
        self._answer = b"".join(self._pieces)
        self._pieces.clear()
        self.reusable = self._parser.should_keep_alive()

    def _forget(self) -> None:
        self._pieces.clear()
        self.reusable = False

    # What the parser calls.

    def on_message_begin(self) -> None:
        """Something begins: behind an answer there is nothing to come."""
        if self._status:
            self.reusable = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer."""
        name = name.lower()
        if name == b"etag":
            # That of something behind the answer is not its own.
            self._etag = self._etag if self._status else value
        elif name in _FRAMED:
            self._framed = True

    def on_body(self, data: bytes) -> None:
        """A piece of a body."""
        self._pieces.append(data)

    def on_message_complete(self) -> None:
        """An end; that of an interim answer is none."""
        if self._status:
            self._forget()
        elif self._parser.get_status_code() >= 200:
            self._complete()
        else:
            self._etag, self._framed = b"", False
