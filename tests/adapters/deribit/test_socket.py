"""JSON-RPC over a websocket: what becomes of a request, however it fails."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from ports.errors import (
    Malformed,
    NeverSent,
    OutcomeUnknown,
    PortError,
    RateLimited,
    Refused,
    Unauthorised,
    Unavailable,
)
from tests.support.scripted_socket import (
    BEAT,
    OTHER,
    READ,
    SUBMIT,
    Asked,
    Reply,
    SocketVenue,
    error,
    failure,
    frame,
    hang_up,
    port_of,
    result,
    say_goodbye,
    scripted,
    session,
    silence,
)

FOREIGN = '{"jsonrpc": "2.0", "id": 999999, "result": 1}'
BOTH = '{"jsonrpc": "2.0", "id": %d, "result": 1, "error": {"code": 10009, "message": "no"}}'
HUGE = 33 * 2**20  # bytes, more than any answer may have
SLOW = ("no answer", "another's answer")  # nothing ends these but the time-out


async def oversized(asked: Asked) -> None:
    """An answer that is larger than any may be."""
    await asked.answer(result="x" * HUGE)


# What comes back, what a read makes of it in the end, what an order does.
WAYS: dict[str, tuple[Reply, type[PortError], type[PortError]]] = {
    "cut off": (hang_up, Unavailable, OutcomeUnknown),
    "closed": (say_goodbye, Unavailable, OutcomeUnknown),
    "no answer": (silence, Unavailable, OutcomeUnknown),
    "another's answer": (frame(FOREIGN), Unavailable, OutcomeUnknown),
    "malformed JSON": (frame('{"jsonrpc": "2.0", "id": %d, "resu'), Unavailable, OutcomeUnknown),
    "nothing": (frame(""), Unavailable, OutcomeUnknown),
    "a list": (frame("[1, 2]"), Unavailable, OutcomeUnknown),
    "oversized": (oversized, Unavailable, OutcomeUnknown),
    "result and error": (frame(BOTH), Malformed, OutcomeUnknown),
    "neither": (frame('{"jsonrpc": "2.0", "id": %d}'), Malformed, OutcomeUnknown),
    "refused": (error(13020), Refused, Refused),
    "timed out at the venue": (error(13888), Unavailable, OutcomeUnknown),
    "out of credits": (error(10028), RateLimited, Refused),
    "no access": (error(13021), Unauthorised, Refused),
    "unheard of": (error(77777), Refused, OutcomeUnknown),
}


@pytest_asyncio.fixture
async def venue() -> AsyncIterator[SocketVenue]:
    async with scripted() as made:
        yield made


@pytest.mark.parametrize("way", WAYS)
async def test_a_read_that_fails_says_how(venue: SocketVenue, way: str) -> None:
    """Each failure is one PortError, the same as over HTTP but where HTTP sees a bad answer."""
    reply, of_read, _ = WAYS[way]
    venue.on(READ, reply)

    async with session(venue, answer_s=0.05 if way in SLOW else 2.0, tries=2) as opened:
        assert type(await failure(opened, READ)) is of_read


@pytest.mark.parametrize("way", WAYS)
async def test_an_order_is_sent_once_whatever_happens(venue: SocketVenue, way: str) -> None:
    """Each failure says refused or unknown; nothing is ever sent twice."""
    reply, _, of_submit = WAYS[way]
    venue.on(SUBMIT, reply)

    async with session(venue, answer_s=0.05 if way in SLOW else 2.0) as opened:
        assert type(await failure(opened, SUBMIT)) is of_submit
    assert len(venue.params(SUBMIT)) == 1


@pytest.mark.parametrize(
    "way", [way for way, ends in WAYS.items() if issubclass(ends[1], Unavailable | Malformed)]
)
async def test_a_read_gets_over_two_failures(venue: SocketVenue, way: str) -> None:
    """The third answer counts, on a new connection where the old one ended."""
    reply = WAYS[way][0]
    venue.on(READ, reply, reply, result(7))

    async with session(venue, answer_s=0.05 if way in SLOW else 2.0) as opened:
        assert (await opened.client.read(READ)).result == 7


async def test_nobody_listens(venue: SocketVenue) -> None:
    """Without a connection a read is Unavailable and an order was never sent."""
    async with session(venue) as opened:
        venue.server.close()
        await venue.server.wait_closed()

        assert type(await failure(opened, READ)) is Unavailable
        assert type(await failure(opened, SUBMIT)) is NeverSent


async def test_an_order_on_a_connection_that_is_known_to_be_gone_was_never_sent(
    venue: SocketVenue,
) -> None:
    """What finds the connection ended, and no other to be had, did not leave."""
    venue.on(READ, result(1))
    async with session(venue) as opened:
        await opened.client.read(READ)
        venue.server.close()
        await venue.server.wait_closed()

        assert type(await failure(opened, SUBMIT)) is NeverSent
    assert venue.params(SUBMIT) == []


async def test_what_meets_an_ended_connection_did_not_leave(venue: SocketVenue) -> None:
    """A request with the token of a connection goes over that one or not at all."""
    async with session(venue) as opened:
        socket = opened.streams.socket
        token = await socket.access_token()
        await opened.streams.follow("a.1")
        venue.on(BEAT, hang_up)
        venue.connections[0].transport.abort()
        await venue.until(lambda: BEAT in venue.methods(2))

        with pytest.raises(NeverSent):
            await socket.send(SUBMIT, {}, token)
    assert venue.params(SUBMIT) == []


@pytest.mark.parametrize(
    "status",
    [
        b"HTTP/1.1 307 Gone\r\nLocation: ws://127.0.0.1:%d/\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        b"what?\r\n\r\n",
        b"",
    ],
)
async def test_a_door_that_is_none_is_not_passed(venue: SocketVenue, status: bytes) -> None:
    """No websocket, no request; and an address that we are sent to is not gone to."""

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(status.replace(b"%d", str(port_of(venue.server)).encode()))
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as door, session(venue) as opened:
        opened.streams.socket.url = f"ws://127.0.0.1:{port_of(door)}/ws/api/v2"
        assert type(await failure(opened, SUBMIT)) is NeverSent
        assert type(await failure(opened, READ)) is Unavailable
    assert venue.connections == []


async def test_a_request_that_is_given_up_leaves_the_connection_alone(venue: SocketVenue) -> None:
    """A cancelled request waits for nothing any more; others go on."""
    venue.on(READ, silence).on(OTHER, result(1))
    async with session(venue) as opened:
        given_up = asyncio.create_task(opened.client.read(READ))
        await venue.until(lambda: len(venue.params(READ)) == 1)
        given_up.cancel()
        with pytest.raises(asyncio.CancelledError):
            await given_up
        assert (await opened.client.read(OTHER)).result == 1
    assert len(venue.connections) == 1
