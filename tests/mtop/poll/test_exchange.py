"""Questions and answers as bytes: however they come, and whatever comes."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtop.poll.exchange import LARGEST, Answer, Exchange, Question
from mtop.poll.trouble import Trouble
from tests.mtop.fleet_server import GOOD, HOSTILE, with_head

BODY = b'{"schema":1,"id":"a"}'
TAGGED = with_head(BODY, b'ETag: W/"7"\r\n')
HEAD = b"GET /stats HTTP/1.1\r\nHost: h\r\n"
ENDED = [name for name, manner in GOOD.items() if manner.answer(BODY).startswith(b"HTTP/1.0")]


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    """Cut somewhere."""
    places = sorted({cut % (len(data) + 1) for cut in cuts} | {0, len(data)})
    return [data[start:end] for start, end in pairwise(places)]


def feed(exchange: Exchange, parts: list[bytes]) -> Answer | None:
    """Feed until there is an answer."""
    return next((answer for part in parts if (answer := exchange.feed(part)) is not None), None)


@given(st.sampled_from(sorted(set(GOOD) - set(ENDED))), st.lists(st.integers(0), max_size=30))
def test_an_answer_is_read_however_it_comes(name: str, cuts: list[int]) -> None:
    answer = feed(Exchange(), pieces(GOOD[name].answer(BODY), cuts))
    assert answer is not None
    assert answer.body == BODY


@given(st.lists(st.integers(0), max_size=30))
def test_an_answer_without_a_length_ends_with_its_connection(cuts: list[int]) -> None:
    exchange = Exchange()
    assert feed(exchange, pieces(GOOD["unframed"].answer(BODY), cuts)) is None
    assert exchange.end() == Answer(BODY, b"")
    assert not exchange.reusable


@given(st.integers(1, len(TAGGED) - 1))
def test_a_torn_answer_is_none(cut: int) -> None:
    exchange = Exchange()
    assert exchange.feed(TAGGED[:cut]) is None
    with pytest.raises(Trouble, match="in the middle"):
        exchange.end()


@given(st.binary(max_size=3000), st.lists(st.integers(0), max_size=10), st.booleans())
def test_anything_else_is_trouble(data: bytes, cuts: list[int], http: bool) -> None:
    assert 0 < len(outcome(pieces((b"HTTP/1.1 " if http else b"") + data, cuts))) <= 200


def outcome(parts: list[bytes]) -> str:
    """Feed until the end; return the trouble, or what kind of answer it was."""
    exchange = Exchange()
    try:
        answer = feed(exchange, parts) or exchange.end()
    except Trouble as trouble:
        return str(trouble)
    return "as before" if answer.body is None else "a body"


def test_many_answers_over_one_connection() -> None:
    exchange = Exchange()
    for number in range(5):
        exchange.begin(False)
        body = b"%d" % number
        assert exchange.feed(with_head(body, b"etag: %d\r\n" % number)) == Answer(body, b"%d" % number)
        assert exchange.reusable
    exchange.begin(True)
    assert exchange.feed(b"HTTP/1.1 304 Not Modified\r\ncontent-length: 700\r\n\r\n") == Answer(None, b"")
    assert exchange.reusable, "a 304 has no body, whatever it says of its length"


@pytest.mark.parametrize("name", ["trailing", "twice", "says close"])
def test_a_connection_is_not_used_again_where_something_is_behind_the_answer(name: str) -> None:
    exchange = Exchange()
    assert exchange.feed(GOOD[name].answer(BODY)) == Answer(BODY, b"")
    assert not exchange.reusable


def test_the_beginning_of_another_answer_is_not_used_either() -> None:
    exchange = Exchange()
    assert exchange.feed(TAGGED + TAGGED[:40]) == Answer(BODY, b'W/"7"')
    assert not exchange.reusable


def test_what_is_behind_an_answer_does_not_change_it() -> None:
    other = with_head(b"other", b'etag: "8"\r\n')
    assert Exchange().feed(TAGGED + other) == Answer(BODY, b'W/"7"')


def test_the_tag_of_an_interim_answer_is_not_that_of_the_answer() -> None:
    early = b'HTTP/1.1 103 Early Hints\r\netag: "early"\r\n\r\n'
    assert Exchange().feed(early + with_head(BODY)) == Answer(BODY, b"")


@pytest.mark.parametrize(
    ("name", "words"),
    {
        "error": "answers 500",
        "missing": "answers 404: this is no minion",
        "redirect": "answers 302: it redirects, which is not followed",
        "switch": "answers 101: this is no minion",
        "unasked 304": "answers 304",
        "garbage": "is no HTTP server",
        "huge": "answers more than 256 KiB",
        "endless head": "answers more than 256 KiB",
        "endless header": "answers more than 256 KiB",
    }.items(),
)
def test_what_holds_no_numbers_is_said_in_words(name: str, words: str) -> None:
    data = HOSTILE[name].answer(BODY)
    with pytest.raises(Trouble) as raised:
        feed(Exchange(), [data[start : start + 65_536] for start in range(0, len(data), 65_536)])
    assert str(raised.value).startswith(words)


def test_an_answer_may_be_as_large_as_is_said() -> None:
    head = len(with_head(b" " * (LARGEST - 1000))) - (LARGEST - 1000)
    body = b" " * (LARGEST - head)
    answer = Exchange().feed(with_head(body))
    assert answer is not None
    assert answer.body == body
    with pytest.raises(Trouble):
        Exchange().feed(with_head(body + b" "))


def test_many_tiny_pieces_are_no_more_than_large_ones() -> None:
    tiny = [b"1\r\n \r\n"] * (LARGEST // 6)
    assert "256 KiB" in outcome([b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", *tiny])


def test_nothing_at_all() -> None:
    with pytest.raises(Trouble, match="hangs up without an answer"):
        Exchange().end()


def test_a_condition_is_set_where_the_same_came_twice() -> None:
    question = Question(HEAD)
    plain = HEAD + b"\r\n"
    assert question.ask(0.0) == plain
    question.answered(b'W/"1"', True, 0.0)
    assert question.ask(1.0) == plain
    question.answered(b'W/"1"', True, 1.0)
    assert question.ask(2.0) == HEAD + b'If-None-Match: W/"1"\r\n\r\n'
    assert question.conditional
    question.answered(b'W/"2"', True, 2.0)
    assert question.ask(3.0) == plain
    assert not question.conditional


def test_now_and_then_everything_is_asked_for() -> None:
    question = Question(HEAD)
    for now in (0.0, 1.0):
        question.answered(b'"1"', True, now)
    assert b"If-None-Match" in question.ask(10.9)
    assert b"If-None-Match" not in question.ask(11.0)
    question.answered(b'"1"', True, 11.0)
    assert b"If-None-Match" in question.ask(12.0)


@pytest.mark.parametrize("etag", [b"", b"no quotes", b'"\x7f"', b'"a" "b"', b'"' + b"x" * 200 + b'"', b'"\xff"'])
def test_what_is_no_tag_is_not_sent_back(etag: bytes) -> None:
    question = Question(HEAD)
    for now in (0.0, 1.0, 2.0):
        question.answered(etag, True, now)
    assert question.ask(2.0) == HEAD + b"\r\n"


def test_what_runs_is_watched() -> None:
    question = Question(HEAD)
    for now in (0.0, 1.0, 2.0):
        question.answered(b'"1"', False, now)
    assert b"If-None-Match" not in question.ask(2.0)
