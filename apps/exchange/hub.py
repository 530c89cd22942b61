"""Who hears what: listeners of channels, heartbeats, and the pulse of the exchange."""

import asyncio
from datetime import datetime

from attrs import define, field

from apps.exchange import rpc
from apps.exchange.channels import (
    Feed,
    UserChannel,
    is_private,
    user_channel,
)
from apps.exchange.connection import SILENT, Connection
from apps.exchange.exchange import Exchange
from apps.exchange.ledger import TradeRecord
from apps.exchange.pace import go_on
from apps.exchange.rpc import RpcError
from apps.exchange.wire_account import account_fields, changed_coins
from apps.exchange.wire_market import public_trade
from apps.exchange.wire_positions import holdings, positions_on
from apps.exchange.wire_trading import order_fields, user_trade
from ports.errors import Unavailable
from ports.instruments import Contract
from ports.trading import Order
from ports.venue_log import VenueStep

_LONGEST_SILENCE_S = 600.0  # a client that says nothing for so long is cut off


@define(eq=False)
class Hub:
    """
    All websockets, and what is said on them.

    What changes at the venue is collected while it happens and said afterwards, once orders
    carry the terms that their client gave.
    """

    exchange: Exchange
    connections: dict[int, Connection] = field(factory=dict, init=False)
    feeds: dict[str, Feed] = field(factory=dict, init=False)
    _news: list[VenueStep] = field(factory=list, init=False)
    _opened: int = field(default=0, init=False)
    _joined: list[str] = field(factory=list, init=False)  # channels whose first word is awaited

    def __attrs_post_init__(self) -> None:
        self.exchange.ledger.watchers.append(self._news.append)

    def opened(self, now_s: float) -> Connection:
        """A new websocket, at *now_s* of the server's own time."""
        self._opened += 1
        connection = Connection(
            self._opened,
            heard_s=now_s,
            cancels_on_disconnect=self.exchange.cancels_on_disconnect,
        )
        self.connections[connection.number] = connection
        return connection

    async def closed(self, connection: Connection) -> None:
        """The websocket is gone: cancel what it asked to be cancelled, end its sessions."""
        del self.connections[connection.number]
        if connection.cancels_on_disconnect:
            await self._cancel_orders_of(connection)
        self.exchange.sessions.drop_connection(connection.number)

    async def join(self, connection: Connection) -> None:
        """Let *connection* hear what it has subscribed to, beginning with how things stand."""
        joining, connection.joining = connection.joining, []
        for channel in joining:
            if is_private(channel):
                connection.channels.add(channel)
                await self._tell_portfolio(connection, channel)
                continue
            feed = self.feeds.setdefault(channel, Feed(channel))
            self._joined.append(channel)
            try:
                first = await feed.first(self.exchange)
                connection.channels.add(channel)
            finally:
                self._joined.remove(channel)
            if first is not None:
                connection.send(rpc.notification(channel, first))

    async def say_news(self) -> None:
        """Tell everybody what happened at the venue since this was last called."""
        steps = self._news[:]
        self._news.clear()
        if not steps or not self.connections:
            return
        for step in steps:
            self._say_step(step)
        for coin in sorted({coin for step in steps for coin in changed_coins(step)}):
            await self._say_account(coin, steps)

    async def say_market(self) -> None:
        """Tell everybody what is new in the public channels; those nobody hears are forgotten."""
        for channel in tuple(self.feeds):
            if not self._is_heard(channel):
                del self.feeds[channel]
                continue
            try:
                data = await self.feeds[channel].next(self.exchange)
            except RpcError:
                continue  # of a contract that has expired: its channel falls silent
            if data is not None:
                self._say(channel, data)

    async def pulse(self, before: datetime) -> datetime:
        """Let the exchange go on from *before*, say what is new, and return until when it is."""
        now = self.exchange.now
        try:
            await go_on(self.exchange, before)
            await self.say_news()
            await self.say_market()
        except Unavailable:
            return before  # nothing was settled: the same is due at the next pulse
        return now

    def beat(self, now_s: float) -> None:
        """Send heartbeats that are due at *now_s*; close who does not answer."""
        for connection in tuple(self.connections.values()):
            every = connection.heartbeat_s
            if now_s - connection.heard_s > _LONGEST_SILENCE_S:
                connection.close_now()
            if every is None or now_s - connection.beat_s < every:
                continue
            connection.beat_s = now_s
            if connection.is_tested:
                connection.close_now(SILENT)
            elif now_s - connection.heard_s >= every:
                connection.is_tested = True
                connection.send(rpc.heartbeat("test_request"))
            else:
                connection.send(rpc.heartbeat("heartbeat"))

    def _say(self, channel: str, data: object) -> None:
        message = rpc.notification(channel, data)
        for connection in self.connections.values():
            if channel in connection.channels:
                connection.send(message)

    def _is_heard(self, channel: str) -> bool:
        heard = any(channel in each.channels for each in self.connections.values())
        return heard or channel in self._joined

    def _heard(self) -> list[tuple[str, UserChannel]]:
        heard = {channel for each in self.connections.values() for channel in each.channels}
        return [(each, user_channel(each)) for each in sorted(heard) if is_private(each)]

    def _say_step(self, step: VenueStep) -> None:
        for channel, user in self._heard():
            if user.what.startswith("orders"):
                self._say_orders(channel, user, step)
            elif user.what == "trades":
                trades = [self._user_trade(each) for each in self._trades_in(step, user)]
                if trades:
                    self._say(channel, trades)
        for channel in {each for one in self.connections.values() for each in one.channels}:
            if channel.startswith("trades."):
                self._say_trades(channel, step)

    def _say_orders(self, channel: str, user: UserChannel, step: VenueStep) -> None:
        orders = [self._order(each) for each in _orders_in(step) if user.is_about(each.contract)]
        if user.is_raw_orders:
            for order in orders:
                self._say(channel, order)
        elif orders:
            self._say(channel, orders)

    def _say_trades(self, channel: str, step: VenueStep) -> None:
        of = channel.removeprefix("trades.").rpartition(".")[0]
        trades = self._trades_in(step, UserChannel("trades", of))
        if trades:
            self._say(channel, [public_trade(each) for each in trades])

    async def _say_account(self, coin: str, steps: list[VenueStep]) -> None:
        heard = self._heard()
        if not any(user.what in ("portfolio", "changes") for _, user in heard):
            return
        of = await holdings(self.exchange, coin)
        for channel, user in heard:
            if user.what == "portfolio" and user.of in ("any", coin.lower()):
                self._say(channel, account_fields(of, self.exchange.params.allowed))
        for step in steps:
            for contract in dict.fromkeys(each.contract for each in _orders_in(step)):
                if contract.underlying == coin:
                    self._say_changes(contract, step, positions_on(contract, of))

    def _say_changes(
        self, contract: Contract, step: VenueStep, positions: list[rpc.Fields]
    ) -> None:
        for channel, user in self._heard():
            if user.what != "changes" or not user.is_about(contract):
                continue
            trades = self._trades_in(step, UserChannel("trades", contract.symbol))
            data = {
                "instrument_name": contract.symbol,
                "orders": [
                    self._order(each) for each in _orders_in(step) if each.contract == contract
                ],
                "trades": [self._user_trade(each) for each in trades],
                "positions": positions if trades else [],
            }
            self._say(channel, data)

    async def _tell_portfolio(self, connection: Connection, channel: str) -> None:
        user = user_channel(channel)
        if user.what != "portfolio":
            return
        for coin in self.exchange.params.coins:
            if user.of in ("any", coin.lower()):
                of = await holdings(self.exchange, coin)
                data = account_fields(of, self.exchange.params.allowed)
                connection.send(rpc.notification(channel, data))

    async def _cancel_orders_of(self, connection: Connection) -> None:
        for coin in self.exchange.params.coins:
            for record in tuple(self.exchange.books(coin).orders.values()):
                came_by = self.exchange.ledger.connections.get(record.order.order_id)
                if record.order.state.is_working and came_by == connection.number:
                    await self.exchange.cancelled_if_open(record, "cancel_on_disconnect")

    def _trades_in(self, step: VenueStep, user: UserChannel) -> list[TradeRecord]:
        return [
            trade
            for fill in step.fills
            for trade in self.exchange.books(fill.contract.underlying).trades
            if trade.fill is fill and user.is_about(fill.contract)
        ]

    def _order(self, order: Order) -> rpc.Fields:
        return order_fields(self.exchange.record_of(order))

    def _user_trade(self, trade: TradeRecord) -> rpc.Fields:
        books = self.exchange.books(trade.fill.contract.underlying)
        record = books.orders[trade.fill.order_id]
        return user_trade(trade, record)


def _orders_in(step: VenueStep) -> tuple[Order, ...]:
    """The orders that *step* changed, those that wait outside the book among them."""
    return (*step.orders, *(waiting.order for waiting in step.triggers))


async def keep_going(hub: Hub, every_s: float) -> None:
    """Pulse for ever."""
    until = hub.exchange.now
    while True:
        await asyncio.sleep(every_s)
        hub.beat(asyncio.get_running_loop().time())
        until = await hub.pulse(until)
