"""Tokens: had once, renewed in time, had again when refused, and never for a key that withdraws."""

import asyncio
import traceback

import httpx
import pytest
from pydantic import SecretStr

from adapters.deribit.auth import Credentials, Tokens
from adapters.deribit.client import DeribitClient
from adapters.deribit.rpc import HttpRpc
from ports.errors import Malformed, PortError, Refused, Unauthorised, Unavailable
from tests.support.deribit_venue import (
    KEY_WORDS,
    Reply,
    ScriptedVenue,
    broken,
    error,
    granted,
    raw,
    result,
)

AUTH, PRIVATE = "public/auth", "private/get_positions"


def venue(*auth: Reply) -> ScriptedVenue:
    """A venue that answers *auth* and any private read."""
    return ScriptedVenue().on(AUTH, *auth).on(PRIVATE, result([])).on("private/buy", result([]))


def used(venue: ScriptedVenue) -> list[str | None]:
    """The tokens of the private requests, in order."""
    asked = zip(venue.asked, venue.tokens, strict=True)
    return [token for body, token in asked if body["method"] != AUTH]


def grants(venue: ScriptedVenue) -> list[str]:
    """The kinds of authentication, in order."""
    return [params["grant_type"] for params in venue.params(AUTH)]


async def test_credentials_go_in_a_body_and_once() -> None:
    """The first private call has a token for the key, later ones use it again."""
    deribit = venue(granted("one"))
    client = deribit.client()
    await client.read(PRIVATE)
    await client.read(PRIVATE)

    assert deribit.params(AUTH) == [
        {
            "grant_type": "client_credentials",
            "client_id": "key-1",
            "client_secret": KEY_WORDS,
            "scope": "session:options-agent",
        }
    ]
    assert used(deribit) == ["one", "one"]


async def test_calls_at_the_same_time_share_a_token() -> None:
    """Many callers wait for one authentication."""
    deribit = venue(granted("one"))
    client = deribit.client()
    await asyncio.gather(*(client.read(PRIVATE) for _ in range(5)))

    assert deribit.count(AUTH) == 1


@pytest.mark.parametrize("expires_in", [10, 900, 31_536_000])
async def test_a_token_is_renewed_at_four_fifths_of_its_life(expires_in: float) -> None:
    """However long it lives, the refresh token is used at 80 % and not before."""
    deribit = venue(granted("one", expires_in=expires_in), granted("two"))
    client = deribit.client()
    await client.read(PRIVATE)
    deribit.watch.seconds += 0.79 * expires_in
    await client.read(PRIVATE)
    deribit.watch.seconds += 0.02 * expires_in
    await client.read(PRIVATE)

    assert used(deribit) == ["one", "one", "two"]
    assert deribit.params(AUTH)[1] == {
        "grant_type": "refresh_token",
        "refresh_token": "refresh-of-one",
    }


async def test_a_refused_refresh_falls_back_on_credentials() -> None:
    """The key itself is used again."""
    deribit = venue(granted("one"), error(13009), granted("two"))
    client = deribit.client()
    await client.read(PRIVATE)
    deribit.watch.seconds += 800
    await client.read(PRIVATE)

    assert grants(deribit) == ["client_credentials", "refresh_token", "client_credentials"]
    assert used(deribit) == ["one", "two"]


async def test_a_token_serves_to_its_end_while_none_can_be_had() -> None:
    """A renewal that is not answered costs nothing as long as the token is good, and no longer."""
    deribit = venue(granted("one"), broken(httpx.ReadTimeout("slow")))
    client = deribit.client()
    await client.read(PRIVATE)
    deribit.watch.seconds += 800
    await client.read(PRIVATE)
    deribit.watch.seconds += 101

    with pytest.raises(Unavailable):
        await client.read(PRIVATE)
    assert used(deribit) == ["one", "one"]


@pytest.mark.parametrize("code", [10000, 13009])
async def test_a_refused_token_is_replaced_once(code: int) -> None:
    """A read that meets a dead token is asked again with a new one."""
    deribit = venue(granted("one"), granted("two")).on(PRIVATE, error(code), result([1]))

    assert (await deribit.client().read(PRIVATE)).result == [1]
    assert used(deribit) == ["one", "two"]
    assert grants(deribit) == ["client_credentials"] * 2


async def test_a_token_that_was_replaced_meanwhile_is_not_replaced_again() -> None:
    """Two reads met the same dead token: only the first of them has a new one made."""
    deribit = venue(granted("one"), granted("two"), granted("three"))
    key = Credentials("key-1", SecretStr(KEY_WORDS))
    tokens = Tokens(rpc=HttpRpc(deribit.http()), credentials=key, now_s=deribit.watch.now_s)
    dead = await tokens.access_token()
    tokens.forget(dead)
    replaced = await tokens.access_token()
    tokens.forget(dead)

    assert (dead, replaced, await tokens.access_token()) == ("one", "two", "two")


async def test_a_token_that_stays_refused_ends_the_matter() -> None:
    """One new token, then Unauthorised: no loop."""
    deribit = venue(granted("one"), granted("two")).on(PRIVATE, error(13009))

    with pytest.raises(Unauthorised, match="13009"):
        await deribit.client().read(PRIVATE)
    assert used(deribit) == ["one", "two"]


async def test_an_order_with_a_dead_token_is_refused_and_the_next_has_a_new_one() -> None:
    """An order is never sent again, but the dead token is dropped."""
    deribit = venue(granted("one"), granted("two")).on("private/buy", error(13009), result(1))
    client = deribit.client()
    with pytest.raises(Refused) as refusal:
        await client.submit("private/buy")
    await client.submit("private/buy")

    assert refusal.value.code == 13009
    assert used(deribit) == ["one", "two"]


@pytest.mark.parametrize("scope", ["wallet:read_write", "trade:read_write wallet:read_write"])
async def test_a_key_that_may_withdraw_is_refused(scope: str) -> None:
    """Nothing private is asked in the name of such a key."""
    deribit = venue(granted(scope=scope))

    with pytest.raises(Unauthorised, match="withdraw"):
        await deribit.client().read(PRIVATE)
    assert used(deribit) == []


async def test_a_key_that_may_look_at_the_wallet_will_do() -> None:
    """Reading balances moves nothing."""
    deribit = venue(granted(scope="account:read wallet:read wallet:none trade:read_write"))
    await deribit.client().read(PRIVATE)

    assert used(deribit) == ["token-1"]


@pytest.mark.parametrize(
    ("auth", "expected"),
    [
        (error(13004, f"invalid_credentials {KEY_WORDS}"), Unauthorised),
        (error(11029, KEY_WORDS), Unauthorised),
        (error(99999, KEY_WORDS), Unauthorised),
        (error(11051, KEY_WORDS), Unavailable),
        (error(10028, KEY_WORDS), Unavailable),
        (raw(401, KEY_WORDS), Unauthorised),
        (raw(500, KEY_WORDS), Unavailable),
        (raw(200, KEY_WORDS), Malformed),
        (result({"access_token": KEY_WORDS, "expires_in": "soon"}), Malformed),
        (result({"access_token": KEY_WORDS, "refresh_token": "r", "scope": ""}), Malformed),
        (granted(KEY_WORDS, expires_in=0), Malformed),
        (granted(KEY_WORDS, expires_in=-1), Malformed),
        (result(KEY_WORDS), Malformed),
    ],
)
async def test_a_failed_authentication_says_how_and_no_secret(
    auth: Reply, expected: type[PortError]
) -> None:
    """Refused, away or unreadable; whatever the venue repeats is not in the exception."""
    with pytest.raises(expected) as caught:
        await venue(auth).client().read(PRIVATE)

    told = "".join(traceback.format_exception(caught.value))
    assert KEY_WORDS not in told


async def test_a_client_does_not_print_its_secrets() -> None:
    """Neither key nor token is in the representation of a client that has used them."""
    client: DeribitClient = venue(granted("one-and-only")).client()
    await client.read(PRIVATE)

    assert KEY_WORDS not in repr(client)
    assert "one-and-only" not in repr(client)


async def test_a_key_may_be_used_for_less_than_it_allows() -> None:
    """The access that is named is what is asked for."""
    deribit = venue(granted())
    key = Credentials("key-1", SecretStr(KEY_WORDS), access="account:read trade:read_write")
    await DeribitClient.over_http(deribit.http(), key).read(PRIVATE)

    (params,) = deribit.params(AUTH)
    assert params["scope"] == "session:options-agent account:read trade:read_write"
