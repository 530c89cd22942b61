"""How a websocket connection begins, ends, and begins again."""

import asyncio
import traceback
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from ports.errors import NeverSent, Refused, Unauthorised, Unavailable
from tests.support.deribit_venue import KEY_WORDS
from tests.support.scripted_socket import (
    ARM,
    AUTH,
    BEAT,
    READ,
    SUBMIT,
    SUBSCRIBE,
    Reply,
    SocketVenue,
    error,
    failure,
    hang_up,
    result,
    scripted,
    session,
    silence,
)


@pytest_asyncio.fixture
async def venue() -> AsyncIterator[SocketVenue]:
    async with scripted() as made:
        yield made


@pytest.mark.parametrize("method", [AUTH, ARM, BEAT])
@pytest.mark.parametrize("reply", [hang_up, silence, error(11051)])
async def test_a_beginning_that_fails_sends_nothing(
    venue: SocketVenue, method: str, reply: Reply
) -> None:
    """Before heartbeats, token and cancel on disconnect are there no order leaves."""
    venue.on(method, reply)
    async with session(venue, answer_s=0.1) as opened:
        assert type(await failure(opened, SUBMIT)) is NeverSent
        assert type(await failure(opened, READ)) is Unavailable
    assert venue.params(SUBMIT) == venue.params(READ) == []


async def test_wrong_credentials_are_said_once(venue: SocketVenue) -> None:
    """They are not tried again and again, and show no secret."""
    venue.on(AUTH, error(13004, f"no {KEY_WORDS}"))
    async with session(venue) as opened:
        refused = await failure(opened, "private/get_positions")

    assert type(refused) is Unauthorised
    assert len(venue.params(AUTH)) == 1
    assert KEY_WORDS not in "".join(traceback.format_exception(refused))


async def test_every_connection_begins_in_the_same_way(venue: SocketVenue) -> None:
    """Token, cancel on disconnect, heartbeats, subscriptions; then what was asked for."""
    venue.on(READ, result(1), hang_up, result(2))
    async with session(venue) as opened:
        await opened.client.read(READ)
        await opened.streams.follow("ticker.BTC-PERPETUAL.100ms")
        await opened.client.read(READ)

    assert venue.methods(1) == [AUTH, ARM, BEAT, READ, SUBSCRIBE, READ]
    assert venue.methods(2) == [AUTH, ARM, BEAT, SUBSCRIBE, READ]
    assert {each["scope"] for each in venue.params(AUTH)} == {"connection"}
    assert [each["access_token"] for each in venue.params(ARM)] == ["token-1-1", "token-2-2"]
    assert {each["scope"] for each in venue.params(ARM)} == {"connection"}


async def test_without_credentials_nobody_is_signed_in(venue: SocketVenue) -> None:
    """Public methods and channels need no token; private ones are not sent."""
    venue.on(READ, result(1))
    async with session(venue, credentials=None) as opened:
        await opened.client.read(READ)
        await opened.streams.follow("ticker.BTC-PERPETUAL.100ms")
        with pytest.raises(Unauthorised):
            await opened.streams.follow("user.portfolio.btc")
        assert type(await failure(opened, SUBMIT)) is Refused

    assert venue.methods(1) == [BEAT, READ, "public/subscribe"]


async def test_private_methods_carry_the_token_of_their_connection(venue: SocketVenue) -> None:
    """A token dies with its connection and is not used on the next."""
    venue.on("private/get_positions", result([]), hang_up, result([]))
    async with session(venue) as opened:
        await opened.client.read("private/get_positions")
        await opened.client.read("private/get_positions")

    tokens = [each["access_token"] for each in venue.params("private/get_positions")]
    assert tokens == ["token-1-1", "token-1-1", "token-2-2"]


async def test_a_token_that_is_refused_is_replaced_once(venue: SocketVenue) -> None:
    """On the same connection, and only for a read."""
    venue.on("private/get_positions", error(13009), result([]))
    async with session(venue) as opened:
        await opened.client.read("private/get_positions")

    tokens = [each["access_token"] for each in venue.params("private/get_positions")]
    assert tokens == ["token-1-1", "token-1-2"]
    assert len(venue.connections) == 1


async def test_many_first_requests_share_a_connection(venue: SocketVenue) -> None:
    """All wait for the one that is being opened, and for its failure."""
    venue.on(READ, result(1))
    async with session(venue) as opened:
        answers = await asyncio.gather(*(opened.client.read(READ) for _ in range(20)))

    assert [answer.result for answer in answers] == [1] * 20
    assert len(venue.connections) == 1


async def test_a_silent_connection_is_dropped_and_made_anew(venue: SocketVenue) -> None:
    """When no heartbeat comes the line is dead, and the next one begins as the first did."""
    venue.on(READ, result(1))
    async with session(venue, silence_s=0.1) as opened:
        await opened.streams.follow("ticker.BTC-PERPETUAL.100ms")
        await venue.until(lambda: SUBSCRIBE in venue.methods(2))
    assert venue.methods(2) == [AUTH, ARM, BEAT, SUBSCRIBE]


async def test_a_lost_connection_is_made_anew_without_being_asked(venue: SocketVenue) -> None:
    """Nobody asks anything, and all channels are heard again."""
    venue.on(READ, result(1))
    async with session(venue) as opened:
        await opened.streams.follow("a.1", "b.2")
        venue.connections[0].transport.abort()
        await venue.until(lambda: SUBSCRIBE in venue.methods(2))
    assert [each["channels"] for each in venue.params(SUBSCRIBE)] == [["a.1", "b.2"]] * 2


async def test_waits_between_connections_double_and_end(venue: SocketVenue) -> None:
    """From half a second to half a minute, each drawn from its upper half; then no more."""
    waits: list[float] = []
    venue.on(READ, result(1))
    async with session(venue, waits=waits) as opened:
        await opened.client.read(READ)
        venue.on(BEAT, hang_up)
        venue.connections[0].transport.abort()
        await venue.until(lambda: BEAT in venue.methods(20))
        venue.on(BEAT, result("ok"))

        assert (await opened.client.read(READ)).result == 1
        assert len(venue.connections) == 21
    drawn = 0.75  # of a draw of 0.5 between the half and the whole
    assert waits == [min(30.0, 0.5 * 2.0**failures) * drawn for failures in range(19)]


async def test_a_hundred_subscriptions_are_one_request(venue: SocketVenue) -> None:
    """250 channels are three requests, each below the venue's 32 kB."""
    channels = [f"ticker.BTC_USDC-27DEC26-1000{number:03}d5-C.100ms" for number in range(250)]
    async with session(venue) as opened:
        assert await opened.streams.socket.subscribe(channels) == frozenset(channels)

    asked = [each.body for each in venue.asked if each.method == SUBSCRIBE]
    assert [len(body["params"]["channels"]) for body in asked] == [100, 100, 50]
    assert max(len(str(body)) for body in asked) < 32_000


async def test_a_channel_that_the_venue_does_not_have_is_asked_for_once(
    venue: SocketVenue,
) -> None:
    """What is missing in its answer is not wanted any more."""
    venue.unknown.add("ticker.GONE.100ms")
    async with session(venue) as opened:
        heard = await opened.streams.socket.subscribe(["ticker.GONE.100ms", "ticker.X.100ms"])
        venue.connections[0].transport.abort()
        await venue.until(lambda: SUBSCRIBE in venue.methods(2))

    assert heard == {"ticker.X.100ms"}
    assert venue.params(SUBSCRIBE)[1]["channels"] == ["ticker.X.100ms"]


async def test_no_secret_is_printed(venue: SocketVenue) -> None:
    """Neither key nor token is in the representation of a session that has used them."""
    venue.on("private/get_positions", result([]))
    async with session(venue) as opened:
        await opened.client.read("private/get_positions")
        assert KEY_WORDS not in repr(opened)
        assert "token-1" not in repr(opened)
