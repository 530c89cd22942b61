"""DeribitClient: every way an answer can fail to come, and what a read and an order make of it."""

import asyncio
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from adapters.deribit.client import DeribitClient, RetryParams
from adapters.deribit.rpc import Answer, HttpRpc
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
from tests.support.deribit_venue import (
    KEY_WORDS,
    NOW,
    Reply,
    ScriptedVenue,
    broken,
    error,
    raw,
    result,
)

READ, SUBMIT = "public/get_index_price", "private/buy"
FOREIGN = '{"jsonrpc": "2.0", "id": 999999, "result": {"index_price": 1.0}}'
BOTH = '{"jsonrpc": "2.0", "id": %d, "result": 1, "error": {"code": 10009, "message": "no"}}'
NEITHER = '{"jsonrpc": "2.0", "id": %d}'


def with_id(body: str, status: int = 200) -> Reply:
    """*body* as an answer to the request it meets."""
    return lambda asked: httpx.Response(status, text=body % asked["id"])


async def failure(venue: ScriptedVenue, method: str) -> PortError:
    """How calling *method* fails."""
    client = venue.client()
    with pytest.raises(PortError) as caught:
        await (client.submit(method) if method == SUBMIT else client.read(method))
    return caught.value


REQUEST_LOST = httpx.ReadTimeout("slow")
# What comes back, what a read makes of it in the end, what an order does.
WAYS: dict[str, tuple[Reply, type[PortError], type[PortError]]] = {
    "refused connection": (broken(httpx.ConnectError("no")), Unavailable, NeverSent),
    "slow connection": (broken(httpx.ConnectTimeout("no")), Unavailable, NeverSent),
    "no free connection": (broken(httpx.PoolTimeout("no")), Unavailable, NeverSent),
    "read timeout": (broken(REQUEST_LOST), Unavailable, OutcomeUnknown),
    "write timeout": (broken(httpx.WriteTimeout("slow")), Unavailable, OutcomeUnknown),
    "reset while reading": (broken(httpx.ReadError("reset")), Unavailable, OutcomeUnknown),
    "reset while writing": (broken(httpx.WriteError("reset")), Unavailable, OutcomeUnknown),
    "cut off": (broken(httpx.RemoteProtocolError("cut")), Unavailable, OutcomeUnknown),
    "HTML": (raw(200, "<html>hello</html>"), Malformed, OutcomeUnknown),
    "nothing": (raw(200, ""), Malformed, OutcomeUnknown),
    "half of it": (raw(200, '{"jsonrpc": "2.0", "id": 1, "resu'), Malformed, OutcomeUnknown),
    "a list": (raw(200, "[]"), Malformed, OutcomeUnknown),
    "other JSON": (raw(200, '{"hello": 1}'), Malformed, OutcomeUnknown),
    "another's answer": (raw(200, FOREIGN), Malformed, OutcomeUnknown),
    "result and error": (with_id(BOTH), Malformed, OutcomeUnknown),
    "neither": (with_id(NEITHER), Malformed, OutcomeUnknown),
    "a redirect": (raw(302, "elsewhere"), Malformed, OutcomeUnknown),
    "not found": (raw(404, "no"), Malformed, OutcomeUnknown),
    "bad gateway": (raw(502, "<html>bad gateway</html>"), Unavailable, OutcomeUnknown),
    "unavailable": (raw(503, ""), Unavailable, OutcomeUnknown),
    "too many": (raw(429, '{"message": "slow down"}'), RateLimited, Refused),
    "bad request": (raw(400, "bad"), Refused, Refused),
    "unauthorised": (raw(401, ""), Unauthorised, Refused),
    "forbidden": (raw(403, "<html>no</html>"), Unauthorised, Refused),
    "code in a 400": (error(13020), Refused, Refused),
    "code in a 200": (error(13020, status=200), Refused, Refused),
    "code in a 500": (error(13020, status=500), Refused, OutcomeUnknown),
    "timed out at the venue": (error(13888), Unavailable, OutcomeUnknown),
    "out of credits": (error(10028), RateLimited, Refused),
    "unheard of": (error(77777), Refused, OutcomeUnknown),
}
REPEATED = (Unavailable, Malformed)  # three tries; any other failure ends a read at once


@pytest.mark.parametrize("way", WAYS)
async def test_a_read_that_fails_says_how(way: str) -> None:
    """Each failure is one PortError, after three tries where trying again may help."""
    reply, of_read, _ = WAYS[way]
    venue = ScriptedVenue().on(READ, reply)

    assert type(await failure(venue, READ)) is of_read
    assert venue.count(READ) == (3 if issubclass(of_read, REPEATED) else 1)


@pytest.mark.parametrize("way", WAYS)
async def test_an_order_is_sent_once_whatever_happens(way: str) -> None:
    """Each failure says never sent, refused, or unknown; nothing is ever sent twice."""
    reply, _, of_submit = WAYS[way]
    venue = ScriptedVenue().on(SUBMIT, reply)

    assert type(await failure(venue, SUBMIT)) is of_submit
    assert venue.count(SUBMIT) == 1


@pytest.mark.parametrize(
    "way", [way for way, ends in WAYS.items() if issubclass(ends[1], REPEATED)]
)
async def test_a_read_gets_over_two_failures(way: str) -> None:
    """The third answer counts if it is one."""
    reply = WAYS[way][0]
    venue = ScriptedVenue().on(READ, reply, reply, result({"index_price": 80_000.0}))

    answer = await venue.client().read(READ)

    assert answer.result == {"index_price": 80_000.0}
    assert len({body["id"] for body in venue.asked}) == 3


async def test_a_request_is_json_rpc_by_post() -> None:
    """Method in path and body, parameters by name, no token where none is needed."""
    venue = ScriptedVenue().on(READ, result(1))

    await venue.client().read(READ, index_name="btc_usd", expired=False, count=3)

    (body,) = venue.asked
    assert body["jsonrpc"] == "2.0"
    assert body["method"] == READ
    assert body["params"] == {"index_name": "btc_usd", "expired": False, "count": 3}
    assert venue.tokens == [None]


async def test_an_answer_tells_the_venue_s_time() -> None:
    """`usOut` is when the venue answered."""
    venue = ScriptedVenue().on(READ, result(1, at=NOW))

    assert (await venue.client().read(READ)).answered_at == NOW


@pytest.mark.parametrize("told_us", [None, -1, 253_402_300_800_000_000, 2**70])
def test_an_answer_without_a_time_is_not_given_one(told_us: int | None) -> None:
    """No clock of ours stands in for the venue's; nor is the year 10,000 a time."""
    with pytest.raises(Malformed, match=r"public/x.*when"):
        _ = Answer(method="public/x", status=200, result=1, answered_at_us=told_us).answered_at


@pytest.mark.parametrize("method", [READ, "private/get_positions"])
async def test_an_answer_of_the_wrong_environment_is_no_answer(method: str) -> None:
    """Production is not taken for the testnet, nor the other way round; a person must look."""
    venue = ScriptedVenue(is_testnet=False).on(method, result([]))

    told = await failure(venue, method)

    assert type(told) is Unauthorised
    assert "test environment" in str(told)
    assert venue.count(method) == 1


@pytest.mark.parametrize("meant", [True, None])
async def test_an_answer_of_the_right_environment_is_one(meant: bool | None) -> None:
    """So is any, where no environment was meant."""
    venue = ScriptedVenue(is_testnet=meant).on(READ, result(1))

    assert (await venue.client().read(READ)).result == 1


async def test_numbers_beyond_53_bits_stay_whole() -> None:
    """Ids of the matching engine are not rounded."""
    venue = ScriptedVenue().on(READ, result({"starbase_match_id": 2**63 + 1}))

    assert (await venue.client().read(READ)).result == {"starbase_match_id": 2**63 + 1}


async def test_an_endless_body_is_not_read_to_its_end() -> None:
    """Past 32 MiB the answer is given up."""
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 1
            yield b" " * 2**20

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=endless())

    http = httpx.AsyncClient(base_url="https://venue.test", transport=httpx.MockTransport(answer))
    client = DeribitClient.over_http(http, retries=RetryParams(tries=1))
    with pytest.raises(Malformed, match="too long"):
        await client.read(READ)
    assert read == 33


async def test_private_methods_need_credentials() -> None:
    """Without a key nothing private is sent."""
    venue = ScriptedVenue().on(SUBMIT, result(1)).on("private/get_positions", result([]))
    client = venue.client(with_credentials=False)

    with pytest.raises(Unauthorised):
        await client.read("private/get_positions")
    with pytest.raises(Refused):
        await client.submit(SUBMIT)
    assert venue.asked == []


@pytest.mark.parametrize(
    ("auth", "of_submit"),
    [
        (broken(httpx.ReadTimeout("slow")), NeverSent),
        (raw(503, ""), NeverSent),
        (raw(200, "<html>"), NeverSent),
        (error(10028), NeverSent),
        (error(13004), Refused),
    ],
)
async def test_an_order_without_a_token_was_never_sent(
    auth: Reply, of_submit: type[PortError]
) -> None:
    """If the key is refused the order is; if the venue is away the order may be sent again."""
    venue = ScriptedVenue().on("public/auth", auth).on(SUBMIT, result(1))

    assert type(await failure(venue, SUBMIT)) is of_submit
    assert venue.count(SUBMIT) == 0


async def test_an_order_that_has_to_wait_too_long_was_never_sent() -> None:
    """Our own limit turns an order away before it leaves."""
    venue = ScriptedVenue().on(SUBMIT, result(1))
    client = venue.client()
    client.throttle.longest_wait_s = 0.0
    for _ in range(15):
        await client.submit(SUBMIT)

    with pytest.raises(NeverSent, match="limit"):
        await client.submit(SUBMIT)
    assert venue.count(SUBMIT) == 15


async def test_an_order_that_had_to_wait_is_to_be_decided_again() -> None:
    """Trading may have been stopped meanwhile: it leaves at once, or when it is asked for again."""
    venue = ScriptedVenue().on(SUBMIT, result(1))
    client = venue.client()
    for _ in range(15):
        await client.submit(SUBMIT)

    with pytest.raises(NeverSent, match="wait"):
        await client.submit(SUBMIT)
    assert venue.count(SUBMIT) == 15
    await client.submit(SUBMIT)
    assert venue.count(SUBMIT) == 16


async def test_a_refusal_for_want_of_credits_slows_the_next_request() -> None:
    """After 10028 the client waits for the refill instead of asking again."""
    venue = ScriptedVenue().on(READ, error(10028), result(1))
    before = venue.watch.seconds

    await venue.client().read(READ)

    assert venue.watch.seconds - before == pytest.approx(0.05)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("method", [READ, SUBMIT, "private/get_positions"])
async def test_no_failure_shows_a_secret(way: str, method: str) -> None:
    """Neither key, token nor refresh token is in an exception, its causes or its traceback."""
    venue = ScriptedVenue().on(method, WAYS[way][0])

    told = "".join(traceback.format_exception(await failure(venue, method)))

    assert KEY_WORDS not in told
    assert "token-1" not in told


async def test_a_message_that_repeats_the_token_is_cut() -> None:
    """What the venue says is one line, not long, and without the token."""
    venue = ScriptedVenue().on(
        "private/get_positions", error(10009, "token-1 said\n\x1b[31m" + 500 * "x")
    )

    told = str(await failure(venue, "private/get_positions"))

    assert "token-1" not in told
    assert told.isprintable()
    assert len(told) < 300


Serve = bytes | None  # what a connection is answered with; None closes it at once


@asynccontextmanager
async def door(answer: Serve, *, keep_open: bool = False) -> AsyncIterator[DeribitClient]:
    """A client of a real socket that reads a request, answers *answer* and hangs up."""
    let_go = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if answer is not None:
            writer.write(answer)
            await writer.drain()
        if keep_open:
            await let_go.wait()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    client = DeribitClient.opened(f"http://127.0.0.1:{port}", timeout_s=0.2)
    try:
        async with client:
            yield client
    finally:
        let_go.set()
        server.close()
        await server.wait_closed()


def http_of(client: DeribitClient) -> httpx.AsyncClient:
    """What carries the requests of *client*."""
    assert isinstance(client.rpc, HttpRpc)
    return client.rpc.http


LONG = b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"jsonrpc":"2.0",'
GARBLED = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nwhat"
REDIRECT = b"HTTP/1.1 307 Gone\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize(
    ("answer", "keep_open", "expected"),
    [
        (None, False, OutcomeUnknown),  # the answer is lost
        (LONG, False, OutcomeUnknown),  # it is cut off
        (None, True, OutcomeUnknown),  # it does not come in time
        (b"what?\r\n\r\n", False, OutcomeUnknown),  # it is not HTTP
        (GARBLED, False, OutcomeUnknown),  # it cannot be unpacked
        (REDIRECT, False, OutcomeUnknown),  # it sends us elsewhere, where we do not go
    ],
)
async def test_sockets_fail_in_our_words(
    answer: Serve, keep_open: bool, expected: type[PortError]
) -> None:
    """Over a real connection an order that left and was not answered is unknown."""
    async with door(answer, keep_open=keep_open) as client:
        with pytest.raises(expected):
            await client.submit("public/test")


async def test_a_closed_door_was_never_passed() -> None:
    """Nobody listens: the order did not leave."""
    async with door(None) as client:
        port = http_of(client).base_url.port
    async with DeribitClient.opened(f"http://127.0.0.1:{port}") as client:
        with pytest.raises(NeverSent):
            await client.submit("public/test")


def test_a_client_made_from_an_address_goes_nowhere_else() -> None:
    """No redirects, and no proxies of the environment."""
    client = DeribitClient.opened("https://test.deribit.com")

    http = http_of(client)
    assert http.follow_redirects is False
    assert http.trust_env is False
    assert str(http.base_url) == "https://test.deribit.com"
