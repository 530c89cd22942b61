"""Methods about the connection itself: who one is, whether the server lives, and its time."""

from datetime import timedelta
from typing import Literal, TypeVar

from pydantic import Field

from apps.exchange.exchange import ACCOUNT_ID
from apps.exchange.limits import Cost
from apps.exchange.methods import Call, Method, Methods
from apps.exchange.pace import go_on
from apps.exchange.params import Instant, Number, Params, Whole
from apps.exchange.rpc import VERSION, Fields, RpcError, invalid_params
from ports.checks import epoch_ms

Value = TypeVar("Value")


class Auth(Params):
    """Of public/auth."""

    grant_type: Literal["client_credentials", "client_signature", "refresh_token"]
    client_id: str | None = None
    client_secret: str | None = None
    timestamp: Instant | None = None
    nonce: str = ""
    data: str = ""
    signature: str | None = None
    refresh_token: str | None = None
    scope: str = ""
    state: str | None = None


class Fork(Params):
    """Of public/fork_token."""

    refresh_token: str
    session_name: str = Field(min_length=1, max_length=64, pattern=r"^\S+$")


class Exchanged(Params):
    """Of public/exchange_token."""

    refresh_token: str
    subject_id: Whole
    scope: str = ""


class Hello(Params):
    """Of public/hello."""

    client_name: str
    client_version: str


class Test(Params):
    """Of public/test."""

    expected_result: str | None = None


class Nothing(Params):
    """No parameters."""


class Logout(Params):
    """Of private/logout."""

    access_token: str | None = None
    invalidate_token: bool = True


class Advance(Params):
    """Of paper/advance."""

    seconds: Number = Field(gt=0, le=366 * 86_400)


async def auth(call: Call, params: Auth) -> Fields:
    """A token for the key, for its signature, or for the refresh token of an old one."""
    exchange = call.exchange
    sessions, now_s, number = exchange.sessions, exchange.now_s, call.connection_number
    if params.grant_type == "refresh_token":
        session = sessions.renewed(_needed("refresh_token", params.refresh_token), number, now_s)
    elif params.grant_type == "client_signature":
        stamp = _needed("timestamp", params.timestamp)
        text = f"{stamp}\n{params.nonce}\n{params.data}"
        signature = _needed("signature", params.signature)
        sessions.require_signature(_needed("client_id", params.client_id), text, signature)
        session = sessions.opened(params.scope, number, now_s)
    else:
        client_secret = _needed("client_secret", params.client_secret)
        sessions.require_key(_needed("client_id", params.client_id), client_secret)
        session = sessions.opened(params.scope, number, now_s)
    if call.connection is not None:
        call.connection.session = session
    told = session.told()
    return told if params.state is None else {**told, "state": params.state}


async def fork_token(call: Call, params: Fork) -> Fields:
    """A token of a new named session, beside the one whose refresh token it is."""
    exchange = call.exchange
    return exchange.sessions.forked(
        params.refresh_token, params.session_name, call.connection_number, exchange.now_s
    ).told()


async def exchange_token(call: Call, params: Exchanged) -> Fields:
    """A token for another account of the same owner: there is only the one."""
    exchange = call.exchange
    if params.subject_id != ACCOUNT_ID:
        raise RpcError(13021, "forbidden", {"reason": "no such subaccount"})
    return exchange.sessions.forked(
        params.refresh_token, None, call.connection_number, exchange.now_s
    ).told()


async def logout(call: Call, params: Logout) -> None:
    """End the session and close the websocket, without an answer and without cancelling."""
    connection = call.websocket
    connection.cancels_on_disconnect = False
    if call.session is not None and params.invalidate_token:
        call.exchange.sessions.close(call.session)
    connection.session = None
    connection.close()


async def hello(call: Call, params: Hello) -> Fields:  # noqa: ARG001
    """The version of the interface."""
    call.websocket  # noqa: B018  over websocket only
    return {"version": VERSION}


async def test(call: Call, params: Test) -> Fields:  # noqa: ARG001
    """The version of the interface, or the error that was asked for."""
    if params.expected_result == "exception":
        raise RpcError(11094, "internal_server_error", {"reason": "expected"})
    return {"version": VERSION}


async def get_time(call: Call, params: Nothing) -> int:  # noqa: ARG001
    """The exchange's time in milliseconds."""
    return epoch_ms(call.exchange.now)


async def status(call: Call, params: Nothing) -> Fields:  # noqa: ARG001
    """Nothing is ever locked here."""
    return {"locked": "false"}


async def about(call: Call, params: Nothing) -> Fields:  # noqa: ARG001
    """
    That this is a paper exchange, which market it shows and how its time passes.

    Not of Deribit: whoever answers it trades paper money.
    """
    served = call.exchange.params
    return {
        "market": served.market,
        "clock": "stepped" if served.can_be_stepped else "real",
        "coins": list(served.coins),
    }


async def advance(call: Call, params: Advance) -> int:
    """
    Let the exchange's time pass, hour by hour, and return it.

    Not of Deribit: only an exchange with a stepped clock knows it.
    """
    exchange, left = call.exchange, timedelta(seconds=params.seconds)
    while left > timedelta(0):
        before, step = exchange.now, min(left, timedelta(hours=1))
        await exchange.world.clock.sleep_until(before + step)
        await go_on(exchange, before)
        left -= step
    return epoch_ms(exchange.now)


def session_methods(*, can_be_stepped: bool) -> Methods:
    """The methods of this module by name."""
    methods: Methods = {
        "public/auth": Method(auth, Auth),
        "public/fork_token": Method(fork_token, Fork),
        "public/exchange_token": Method(exchange_token, Exchanged),
        "public/hello": Method(hello, Hello, cost=Cost.FREE),
        "public/test": Method(test, Test, cost=Cost.FREE),
        "public/get_time": Method(get_time, Nothing),
        "public/status": Method(status, Nothing),
        "private/logout": Method(logout, Logout, scope="account:none"),
        "paper/about": Method(about, Nothing, cost=Cost.FREE),
    }
    if can_be_stepped:
        methods["paper/advance"] = Method(advance, Advance, cost=Cost.FREE)
    return methods


def _needed(name: str, value: Value | None) -> Value:
    if value is None:
        raise invalid_params(name, "value required")
    return value
