"""Channels: their names, and what is said in each of the public ones."""

import re
from collections.abc import Callable
from datetime import timedelta
from math import ceil, floor

from attrs import define, field, frozen

from apps.exchange.channels_index import INDEX_WORDS, SLOW_WORDS, said_of_index
from apps.exchange.chart_feed import bar_now
from apps.exchange.exchange import Exchange
from apps.exchange.instruments import instrument_named, kind_of
from apps.exchange.methods_past import RESOLUTIONS
from apps.exchange.rpc import Fields, RpcError
from apps.exchange.wire_market import Level, index_frame, option_view
from apps.exchange.wire_perpetual import perpetual_view, ticker_of
from ports.checks import epoch_ms
from ports.instruments import Contract, FutureContract

_INTERVALS = "raw|100ms|agg2"
_KINDS = "any|future|option|spot|future_combo|option_combo|combo"
_COINS = "[A-Z]+|any"
_PUBLIC = re.compile(
    rf"""(?:
    (?P<ticker>ticker\.(?P<t>[^.]+)\.({_INTERVALS}))
    | (?P<perpetual>perpetual\.(?P<p>[^.]+)\.({_INTERVALS}))
    | (?P<chart>chart\.trades\.(?P<c>[^.]+)\.(?P<resolution>{"|".join(RESOLUTIONS)}))
    | (?P<incremental>incremental_ticker\.(?P<it>[^.]+))
    | (?P<quote>quote\.(?P<q>[^.]+))
    | (?P<book>book\.(?P<b>[^.]+)\.({_INTERVALS}))
    | (?P<grouped>book\.(?P<g>[^.]+)\.(?P<group>none|[\d.]+)\.(?P<depth>1|10|20)\.({_INTERVALS}))
    | (?P<trades>trades\.(?P<of>[^.]+(?:\.[^.]+)?)\.({_INTERVALS}))
    | (?P<index>(?P<said>{"|".join(INDEX_WORDS)})\.(?P<i>\w+))
    | (?P<marks>markprice\.options\.(?P<m>\w+))
    | (?P<quiet>announcements|platform_state(?:\.public_methods_state)?
        | instrument\.(?:state|creation)\.(?:{_KINDS})\.(?:{_COINS})
        | (?:rfq|block_rfq\.trades)\.(?:{_COINS}))
    )""",
    re.VERBOSE,
)
_PRIVATE = re.compile(
    rf"""(?:
    user\.(?P<what>orders|trades|changes)\.(?P<of>[^.]+|(?:{_KINDS})\.(?:{_COINS}))\.({_INTERVALS})
    | user\.(?P<portfolio>portfolio)\.(?P<currency>[A-Za-z]+)
    | (?P<quiet>user\.(?:lock|access_log|mmp_trigger\.\w+)
        | user\.combo_trades\.(?:[^.]+|(?:{_KINDS})\.(?:{_COINS}))\.(?:{_INTERVALS})
        | block_trade_confirmations(?:\.(?:{_COINS}))?
        | block_rfq\.(?:maker|maker\.quotes|taker)\.(?:{_COINS}))
    )""",
    re.VERBOSE,
)
SLOW = timedelta(seconds=1)  # of agg2


def is_public(channel: str) -> bool:
    """Whether *channel* reads as the name of a public channel."""
    return _PUBLIC.fullmatch(channel) is not None


def is_private(channel: str) -> bool:
    """Whether *channel* reads as the name of a channel of the account."""
    return _PRIVATE.fullmatch(channel) is not None


def needs_session(channel: str) -> bool:
    """Whether *channel* says every event at once, which strangers do not get."""
    return channel.endswith(".raw")


@frozen
class UserChannel:
    """
    A channel of the account.

    *what* is orders, trades, changes, portfolio, or quiet, in which nothing is ever said; *of*
    an instrument, kind and coin, or the currency of a portfolio.
    """

    what: str
    of: str

    @property
    def is_raw_orders(self) -> bool:
        """Whether orders come one by one."""
        return self.what == "orders.raw"

    def is_about(self, contract: Contract) -> bool:
        """Whether *contract* belongs to it."""
        if "." not in self.of:
            return self.of == contract.symbol
        kind, coin = self.of.split(".")
        return kind in ("any", kind_of(contract)) and coin in ("any", contract.underlying)


def user_channel(channel: str) -> UserChannel:
    """Read the name of a private *channel*, which is_private has accepted."""
    found = _PRIVATE.fullmatch(channel)
    if found is None or found["quiet"]:
        return UserChannel("quiet", "")
    if found["portfolio"]:
        return UserChannel("portfolio", found["currency"].lower())
    is_raw = found["what"] == "orders" and channel.endswith(".raw")
    return UserChannel("orders.raw" if is_raw else found["what"], found["of"])


@define(eq=False)
class Feed:
    """
    What one public channel says: the same to all who hear it.

    A feed begins with the whole, which a new listener is told; then come changes.
    """

    channel: str
    _said: object = field(default=None, init=False)  # the data, or the book of a change feed
    _change_id: int = field(default=0, init=False)
    _due_ms: int = field(default=0, init=False)

    async def first(self, exchange: Exchange) -> object | None:
        """
        Return what a new listener is told; None if there is nothing yet.

        Raises:
            RpcError: There is no such instrument or index.
        """
        found = _PUBLIC.fullmatch(self.channel)
        if found is None or found["quiet"] or found["trades"]:
            return None
        if found["book"]:
            return await self._snapshot(exchange, found["b"])
        data = await self._whole(exchange, found)
        if self._said is None:
            self._said = data
        return (
            {"type": "snapshot", **data}
            if found["incremental"] and isinstance(data, dict)
            else data
        )

    async def next(self, exchange: Exchange) -> object | None:
        """Return what is to be said now to all listeners; None if nothing changed, or not yet."""
        found = _PUBLIC.fullmatch(self.channel)
        now_ms = epoch_ms(exchange.now)
        if found is None or found["quiet"] or found["trades"] or now_ms < self._due_ms:
            return None
        if (
            self.channel.endswith(".agg2")
            or found["incremental"]
            or found["said"] in SLOW_WORDS
            or found["marks"]
            or found["chart"]
        ):
            self._due_ms = now_ms + SLOW // timedelta(milliseconds=1)
        if found["book"]:
            return await self._change(exchange, found["b"])
        data, said = await self._whole(exchange, found), self._said
        if data == said:
            return None
        self._said = data
        if found["incremental"] and isinstance(data, dict) and isinstance(said, dict):
            changed = {key: value for key, value in data.items() if said.get(key) != value}
            return {"type": "change", "instrument_name": data["instrument_name"], **changed}
        return data

    async def _whole(self, exchange: Exchange, found: re.Match[str]) -> object:
        if found["ticker"] or found["incremental"]:
            return await ticker_of(exchange, found["t"] or found["it"])
        if found["quote"]:
            return _quote(await ticker_of(exchange, found["q"]))
        if found["perpetual"]:
            return _interest(await ticker_of(exchange, found["p"]))
        if found["chart"]:
            return await bar_now(exchange, found["c"], found["resolution"], self._said)
        if found["grouped"]:
            return await _grouped(exchange, found["g"], found["group"], int(found["depth"]))
        if found["marks"]:
            return await _marks(exchange, found["m"])
        return await said_of_index(exchange, found["said"], found["i"])

    async def _snapshot(self, exchange: Exchange, name: str) -> Fields:
        """The whole book; its change_id goes on with the changes that other listeners hear."""
        if self._said is None:
            self._said, self._change_id = await _sides(exchange, name), epoch_ms(exchange.now)
        bids, asks = _both(self._said)
        return {
            "type": "snapshot",
            "timestamp": epoch_ms(exchange.now),
            "instrument_name": name,
            "change_id": self._change_id,
            "bids": [["new", price, amount] for price, amount in bids],
            "asks": [["new", price, amount] for price, amount in asks],
        }

    async def _change(self, exchange: Exchange, name: str) -> Fields | None:
        if self._said is None:
            return await self._snapshot(exchange, name)
        sides = await _sides(exchange, name)
        (old_bids, old_asks), (bids, asks) = _both(self._said), sides
        if (old_bids, old_asks) == (bids, asks):
            return None
        before, self._change_id, self._said = self._change_id, self._change_id + 1, sides
        return {
            "type": "change",
            "timestamp": epoch_ms(exchange.now),
            "instrument_name": name,
            "prev_change_id": before,
            "change_id": self._change_id,
            "bids": _moves(old_bids, bids),
            "asks": _moves(old_asks, asks),
        }


Sides = tuple[list[Level], list[Level]]


async def _sides(exchange: Exchange, name: str) -> Sides:
    found = instrument_named(name)
    if isinstance(found, FutureContract):
        perpetual = await perpetual_view(exchange, found)
        return perpetual.bids, perpetual.asks
    view = await option_view(exchange, found)
    return view.bids, view.asks


def _both(said: object) -> Sides:
    if not isinstance(said, tuple):
        raise TypeError(f"a book was expected, found {type(said).__name__}")
    bids, asks = said
    return bids, asks


def _moves(old: list[Level], new: list[Level]) -> list[list[object]]:
    """What turns one side into the other."""
    before, after = dict(old), dict(new)
    gone: list[list[object]] = [["delete", price, 0.0] for price in before if price not in after]
    for price, amount in after.items():
        if price not in before:
            gone.append(["new", price, amount])
        elif before[price] != amount:
            gone.append(["change", price, amount])
    return gone


async def _grouped(exchange: Exchange, name: str, group: str, depth: int) -> Fields:
    bids, asks = await _sides(exchange, name)
    step = _group_step(name, group)
    return {
        "timestamp": epoch_ms(exchange.now),
        "instrument_name": name,
        "change_id": epoch_ms(exchange.now),
        "bids": _by_step(bids, step, floor)[:depth],
        "asks": _by_step(asks, step, ceil)[:depth],
    }


def _group_step(name: str, group: str) -> float:
    """The step in USD that *group* stands for, of ETH in hundredths; an option has none."""
    found = instrument_named(name)
    if group == "none" or not isinstance(found, FutureContract):
        return 0.0
    return float(group) / 100.0 if found.underlying == "ETH" else float(group)


def _by_step(levels: list[Level], step: float, rounded: Callable[[float], int]) -> list[Level]:
    """*levels* added up by *step*, each *rounded* away from the other side; 0 leaves them."""
    if step <= 0:
        return levels
    sums: dict[float, float] = {}
    for price, amount in levels:
        key = round(rounded(round(price / step, 8)) * step, 8)
        sums[key] = round(sums.get(key, 0.0) + amount, 8)
    return list(sums.items())


def _quote(ticker: Fields) -> Fields:
    names = ("best_bid_price", "best_bid_amount", "best_ask_price", "best_ask_amount")
    return {name: ticker[name] for name in ("timestamp", "instrument_name", *names)}


def _interest(ticker: Fields) -> Fields:
    """What a perpetual bears now; RpcError for what is none."""
    if "current_funding" not in ticker:
        raise RpcError(10031, "invalid_args_for_instrument")
    return {
        "timestamp": ticker["timestamp"],
        "interest": ticker["current_funding"],
        "index_price": ticker["index_price"],
    }


async def _marks(exchange: Exchange, name: str) -> list[Fields]:
    frame = await index_frame(exchange, name)
    rows = zip(frame.listing.names, frame.mark, frame.mark_iv, strict=True)
    return [
        {"timestamp": frame.at_ms, "instrument_name": option, "mark_price": mark, "iv": iv}
        for option, mark, iv in rows
    ]
