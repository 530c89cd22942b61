"""What comes over a websocket unasked, out of order, or as nobody could have meant it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed

from adapters.deribit import models
from adapters.deribit.stream_models import BookSaid, ChangesSaid, IndexSaid
from ports.errors import OutcomeUnknown
from tests.support.scripted_socket import (
    OTHER,
    READ,
    SUBMIT,
    TEST,
    Asked,
    SocketVenue,
    failure,
    result,
    scripted,
    session,
)

FOREIGN = '{"jsonrpc": "2.0", "id": 999999, "result": 1}'
CHANNELS = [
    "book.BTC-25SEP26-80000-C.100ms",
    "ticker.BTC-25SEP26-80000-C.100ms",
    "deribit_price_index.btc_usd",
    "user.changes.option.BTC.100ms",
]
MODELS = (models.Ticker, models.PlacedOrder, models.UserTrade, BookSaid, ChangesSaid, IndexSaid)
FIELDS = st.sampled_from(sorted({name for model in MODELS for name in model.model_fields}))
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2**70) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=6),
    max_leaves=20,
)
FRAMES = st.one_of(
    st.text(max_size=20),
    ANYTHING.map(json.dumps),
    st.builds(
        lambda channel, data: json.dumps(
            {"method": "subscription", "params": {"channel": channel, "data": data}}
        ),
        st.sampled_from(CHANNELS),
        ANYTHING,
    ),
)


@pytest_asyncio.fixture
async def venue() -> AsyncIterator[SocketVenue]:
    async with scripted() as made:
        yield made


async def test_answers_in_another_order_find_their_requests(venue: SocketVenue) -> None:
    """Ten requests, answered last first."""
    held: list[Asked] = []

    async def hold(asked: Asked) -> None:
        held.append(asked)
        if len(held) == 10:
            for each in reversed(held):
                await each.answer(result=each.params["number"])

    venue.on(READ, hold)
    async with session(venue) as opened:
        answers = await asyncio.gather(
            *(opened.client.read(READ, number=number) for number in range(10))
        )

    assert [answer.result for answer in answers] == list(range(10))


async def test_an_answer_that_comes_twice_counts_once(venue: SocketVenue) -> None:
    """The second is let pass, and the next request gets its own."""

    async def twice(asked: Asked) -> None:
        await asked.answer(result="first")
        await asked.answer(result="second")

    venue.on(READ, twice).on(OTHER, result("other"))
    async with session(venue) as opened:
        assert (await opened.client.read(READ)).result == "first"
        assert (await opened.client.read(OTHER)).result == "other"
    assert len(venue.connections) == 1


@pytest.mark.parametrize(
    "text",
    [
        FOREIGN,
        '{"jsonrpc": "2.0", "id": null, "error": {"code": -32700, "message": "Parse error"}}',
        '{"jsonrpc": "2.0", "method": "subscription", "params": {"channel": "new.x", "data": 1}}',
        '{"jsonrpc": "2.0", "method": "subscription"}',
        '{"jsonrpc": "2.0", "method": "of_2027", "params": ["anything"]}',
        '{"jsonrpc": "2.0", "method": "heartbeat", "params": {"type": "heartbeat"}}',
        "{}",
    ],
)
async def test_what_nobody_waits_for_is_let_pass(venue: SocketVenue, text: str) -> None:
    """An unknown id, channel or notification disturbs nothing."""
    venue.on(READ, result(1))
    async with session(venue) as opened:
        await opened.client.read(READ)
        await venue.frame(text)
        assert (await opened.client.read(READ)).result == 1
    assert len(venue.connections) == 1


@settings(derandomize=True, deadline=None, max_examples=40)
@given(frames=st.lists(FRAMES, min_size=1, max_size=5))
def test_no_frame_is_a_bug(frames: list[str]) -> None:
    """Whatever comes, the line goes on or is made anew; closing it would tell of a bug."""
    asyncio.run(_hear(frames))


async def _hear(frames: list[str]) -> None:
    async with scripted() as venue, session(venue) as opened:
        venue.on(READ, result(1))
        await opened.streams.follow(*CHANNELS)
        for text in frames:
            with suppress(ConnectionClosed):
                await venue.frame(text)
        assert (await opened.client.read(READ)).result == 1


async def test_a_late_answer_is_let_pass(venue: SocketVenue) -> None:
    """What comes after the time-out is nobody's, least of all the next request's."""
    late: list[Asked] = []

    async def keep(asked: Asked) -> None:
        late.append(asked)

    async def after(asked: Asked) -> None:
        await late[0].answer(result="late")
        await asked.answer(result="in time")

    venue.on(SUBMIT, keep, after)
    async with session(venue, answer_s=0.1) as opened:
        assert type(await failure(opened, SUBMIT)) is OutcomeUnknown
        assert (await opened.client.submit(SUBMIT)).result == "in time"


@pytest.mark.parametrize("number", [2**53 + 1, 2**63 + 12_345, 2**70 + 1])
async def test_numbers_beyond_doubles_arrive_exactly(venue: SocketVenue, number: int) -> None:
    """Whole numbers are never rounded on the way, in answers and in notifications."""
    venue.on(READ, result({"starbase_match_id": number}))
    heard: list[object] = []

    async with session(venue) as opened:
        opened.streams.socket.listener = Ears(heard)
        assert (await opened.client.read(READ)).result == {"starbase_match_id": number}
        await venue.say("any", number)
        await opened.client.read(READ)
    assert heard == [number, "lost"]


async def test_a_test_request_is_answered(venue: SocketVenue) -> None:
    """The venue is shown that somebody is there."""
    venue.on(READ, result(1))
    async with session(venue) as opened:
        await opened.client.read(READ)
        await venue.frame(
            '{"jsonrpc": "2.0", "method": "heartbeat", "params": {"type": "test_request"}}'
        )
        await venue.until(lambda: TEST in venue.methods(1))
    assert len(venue.connections) == 1


async def test_a_bug_in_a_listener_is_not_hidden(venue: SocketVenue) -> None:
    """It ends the line, and whoever closes the session is told."""
    venue.on(READ, result(1))
    with pytest.raises(ZeroDivisionError):
        await _misheard(venue)


async def _misheard(venue: SocketVenue) -> None:
    async with session(venue) as opened:
        opened.streams.socket.listener = Faulty()
        await opened.client.read(READ)
        await venue.say("any", 0)
        await opened.client.read(READ)


class Faulty:
    """A listener with a bug."""

    def heard(self, channel: str, data: object) -> None:
        """See Listener."""
        _ = 1 / int(str(data))

    def lost(self) -> None:
        """See Listener."""


class Ears:
    """A listener that keeps everything."""

    def __init__(self, heard: list[object]) -> None:
        self._heard = heard

    def heard(self, channel: str, data: object) -> None:
        """See Listener."""
        self._heard.append(data)

    def lost(self) -> None:
        """See Listener."""
        self._heard.append("lost")
