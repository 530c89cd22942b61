"""A person at the venue, who trades beside the agent with the same account."""

from contextlib import suppress

from attrs import frozen

from apps.exchange.exchange import Exchange
from apps.exchange.rpc import RpcError
from apps.exchange.trading import Place, place
from ports.errors import PortError
from ports.trading import Side
from tests.support.events import UNLABELLED

_AMOUNT = 0.1


@frozen(eq=False)
class Hand:
    """The same account at the venue's own page: orders without a label."""

    exchange: Exchange

    async def trade(self) -> None:
        """Sell a call of the last expiry at what it brings."""
        await self._ask(Side.SELL, "market", row=-2)

    async def order(self) -> None:
        """Let a sell order work where nobody buys."""
        await self._ask(Side.SELL, "limit", row=-1)

    async def take_back(self) -> None:
        """Cancel what works, and trade back what was traded."""
        books = self.exchange.books("BTC")
        for record in tuple(books.orders.values()):
            if record.order.label == UNLABELLED and record.order.state.is_working:
                await self.exchange.cancelled_if_open(record, "user_request")
        left: dict[str, int] = {}
        for trade in books.trades:
            if trade.fill.label == UNLABELLED:
                symbol = trade.fill.contract.symbol
                left[symbol] = left.get(symbol, 0) + trade.fill.side.sign
        for symbol, lots in left.items():
            for _ in range(abs(lots)):
                await self._place(Side.BUY if lots < 0 else Side.SELL, "market", symbol)

    async def _ask(self, side: Side, order_type: str, row: int) -> None:
        frame = await self.exchange.frame("BTC")
        await self._place(side, order_type, frame.listing.names[row])

    async def _place(self, side: Side, order_type: str, symbol: str) -> None:
        """An order of one lot, which the venue may refuse."""
        frame = await self.exchange.frame("BTC")
        row = frame.listing.row_of.get(symbol)
        if row is None:
            return
        price = frame.most_price(row) if order_type == "limit" else None
        asked = Place(instrument_name=symbol, amount=_AMOUNT, type=order_type, price=price)
        with suppress(RpcError, PortError):
            await place(self.exchange, side, asked, None)
