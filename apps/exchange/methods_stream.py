"""Methods of websockets: subscriptions, heartbeats, cancel on disconnect."""

from typing import Literal

from pydantic import Field

from apps.exchange.channels import Feed, is_private, is_public, needs_session
from apps.exchange.limits import Cost
from apps.exchange.methods import Call, Method, Methods
from apps.exchange.params import Names, Number, Params
from apps.exchange.rpc import Fields, RpcError


class Channels(Params):
    """Of subscribe and unsubscribe."""

    channels: Names
    label: str | None = None


class Nothing(Params):
    """No parameters."""


class Heartbeat(Params):
    """Of public/set_heartbeat."""

    interval: Number = Field(ge=10)


class OnDisconnect(Params):
    """Of the methods about cancel on disconnect."""

    scope: Literal["connection", "account"] = "connection"


async def subscribe_public(call: Call, params: Channels) -> list[str]:
    """Hear public channels; those that do not exist are silently missing."""
    call.websocket  # noqa: B018  over websocket only
    if any(needs_session(each) for each in params.channels) and call.session is None:
        raise RpcError(13778, "raw_subscriptions_not_available_for_unauthorized")
    return await _subscribed(call, [each for each in params.channels if is_public(each)])


async def subscribe_private(call: Call, params: Channels) -> list[str]:
    """Hear channels of the account, and public ones besides."""
    call.websocket  # noqa: B018  over websocket only
    known = [each for each in params.channels if is_private(each) or is_public(each)]
    return await _subscribed(call, known)


async def unsubscribe(call: Call, params: Channels) -> list[str]:
    """Hear channels no longer; the answer names those that were heard."""
    heard = call.websocket.channels
    gone = [each for each in dict.fromkeys(params.channels) if each in heard]
    heard.difference_update(gone)
    return gone


async def unsubscribe_all_public(call: Call, params: Nothing) -> str:  # noqa: ARG001
    """Hear no public channel."""
    call.websocket.channels.intersection_update(
        [each for each in call.websocket.channels if is_private(each)]
    )
    return "ok"


async def unsubscribe_all_private(call: Call, params: Nothing) -> str:  # noqa: ARG001
    """Hear nothing at all."""
    call.websocket.channels.clear()
    return "ok"


async def set_heartbeat(call: Call, params: Heartbeat) -> str:
    """Be sent heartbeats, and be tested when silent."""
    call.websocket.heartbeat_s = params.interval
    call.websocket.beat_s = call.websocket.heard_s
    return "ok"


async def disable_heartbeat(call: Call, params: Nothing) -> str:  # noqa: ARG001
    """Be sent no heartbeats."""
    call.websocket.heartbeat_s = None
    call.websocket.is_tested = False
    return "ok"


async def enable_cancel_on_disconnect(call: Call, params: OnDisconnect) -> str:
    """Cancel the orders sent over this websocket when it ends; `account` arms later ones too."""
    call.websocket.cancels_on_disconnect = True
    if params.scope == "account":
        call.exchange.cancels_on_disconnect = True
    return "ok"


async def disable_cancel_on_disconnect(call: Call, params: OnDisconnect) -> str:
    """Cancel nothing when the websocket ends."""
    call.websocket.cancels_on_disconnect = False
    if params.scope == "account":
        call.exchange.cancels_on_disconnect = False
    return "ok"


async def get_cancel_on_disconnect(call: Call, params: OnDisconnect) -> Fields:
    """Whether it is armed."""
    is_account = params.scope == "account"
    connection, exchange = call.websocket, call.exchange
    armed = exchange.cancels_on_disconnect if is_account else connection.cancels_on_disconnect
    return {"scope": params.scope, "enabled": armed}


_ACCOUNT = "account:read"
STREAM_METHODS: Methods = {
    "public/subscribe": Method(subscribe_public, Channels, cost=Cost.SUBSCRIBE),
    "public/unsubscribe": Method(unsubscribe, Channels),
    "public/unsubscribe_all": Method(unsubscribe_all_public, Nothing),
    "public/set_heartbeat": Method(set_heartbeat, Heartbeat),
    "public/disable_heartbeat": Method(disable_heartbeat, Nothing),
    "private/subscribe": Method(subscribe_private, Channels, scope=_ACCOUNT, cost=Cost.SUBSCRIBE),
    "private/unsubscribe": Method(unsubscribe, Channels, scope=_ACCOUNT),
    "private/unsubscribe_all": Method(unsubscribe_all_private, Nothing, scope=_ACCOUNT),
    "private/enable_cancel_on_disconnect": Method(
        enable_cancel_on_disconnect, OnDisconnect, scope=_ACCOUNT
    ),
    "private/disable_cancel_on_disconnect": Method(
        disable_cancel_on_disconnect, OnDisconnect, scope=_ACCOUNT
    ),
    "private/get_cancel_on_disconnect": Method(
        get_cancel_on_disconnect, OnDisconnect, scope=_ACCOUNT
    ),
}


async def _subscribed(call: Call, channels: list[str]) -> list[str]:
    """Those of *channels* that there are; they are heard from behind this answer on."""
    there: list[str] = []
    for channel in dict.fromkeys(channels):
        try:
            await Feed(channel).first(call.exchange)
        except RpcError:
            continue  # no such instrument: silently missing, as the interface has it
        there.append(channel)
    call.websocket.joining.extend(there)
    return there
