"""The market of options in Deribit's words: tickers, books, summaries, public trades."""

from datetime import timedelta

from attrs import frozen

from apps.exchange.exchange import Exchange
from apps.exchange.frames import Frame, known
from apps.exchange.instruments import contracts_in, expiry_name
from apps.exchange.ledger import CoinLedger, TradeRecord
from apps.exchange.rpc import Fields, RpcError, invalid_params
from core.simulation.dvol import dvol_percent
from ports.checks import epoch_ms
from ports.instruments import Contract, OptionContract
from ports.trading import Side

Level = tuple[float, float]  # price and amount, as books hold them

_DAY = timedelta(days=1)
_DELIVERY_WINDOW = timedelta(minutes=30)


@frozen(eq=False)
class OptionView:
    """One option on the frame that is shown, with its book and our trades in it."""

    contract: OptionContract
    frame: Frame
    row: int
    bids: list[Level]  # best first, our own orders among them
    asks: list[Level]
    last: TradeRecord | None
    day: list[TradeRecord]  # of the last 24 hours, oldest first
    settlement_mark: float | None


async def option_view(exchange: Exchange, contract: OptionContract) -> OptionView:
    """
    Return how *contract* is shown now.

    Raises:
        RpcError: 13020, it is not listed.
    """
    frame = await exchange.frame_of(contract)
    marks = await exchange.settlement_marks(contract.underlying)
    return view_on(exchange, frame, contract, marks)


def view_on(
    exchange: Exchange, frame: Frame, contract: OptionContract, marks: dict[str, float]
) -> OptionView:
    """
    Return *contract* on *frame*; *marks* are those of the last settlement.

    Raises:
        RpcError: 13020, it is not listed.
    """
    row = frame.listing.row_of.get(contract.symbol)
    if row is None:
        raise RpcError(13020, "not_found")
    books = exchange.books(contract.underlying)
    bids, asks = with_own(*_levels(frame, row), books, contract)
    return OptionView(
        contract=contract,
        frame=frame,
        row=row,
        bids=bids,
        asks=asks,
        last=books.last_trade(contract) if books.trades else None,
        day=books.trades_since(contract, exchange.now - _DAY) if books.trades else [],
        settlement_mark=marks.get(contract.symbol),
    )


def with_own(
    bids: list[Level], asks: list[Level], books: CoinLedger, contract: Contract
) -> tuple[list[Level], list[Level]]:
    """Both sides with our own orders on *contract* in them; of an iceberg what is displayed."""
    own = books.working.get(contract)
    if not own:
        return bids, asks
    for order in own.values():
        displayed = books.orders[order.order_id].terms.display_amount
        shown = order.open_amount if displayed is None else min(displayed, order.open_amount)
        (bids if order.side is Side.BUY else asks).append((order.price, shown))
    return _merged(bids, best=-1), _merged(asks, best=1)


async def index_frame(exchange: Exchange, name: str) -> Frame:
    """
    Return the frame of the coin that has the index *name*.

    Raises:
        RpcError: -32602, there is no such index.
    """
    for coin in exchange.params.coins:
        if index_name(coin) == name:
            return await exchange.frame(coin)
    raise invalid_params("index_name", "wrong format")


async def index_level(exchange: Exchange, name: str) -> float:
    """
    Return where the index *name* stands: USD per coin, of a volatility index its points.

    Raises:
        RpcError: -32602, there is no such index.
    """
    for coin in exchange.params.coins:
        if name == volatility_index_name(coin):
            return round(dvol_percent((await exchange.frame(coin)).snapshot), 2)
    return (await index_frame(exchange, name)).index_usd


def volatility_index_name(coin: str) -> str:
    """The index of the volatility of *coin*."""
    return f"{coin.lower()}dvol_usdc"


def index_name(coin: str) -> str:
    """The index of *coin*."""
    return f"{coin.lower()}_usd"


def option_ticker(view: OptionView) -> Fields:
    """The ticker object of an option."""
    frame, row = view.frame, view.row
    bid, ask = best(view.bids), best(view.asks)
    delta, gamma, vega, theta, rho = (known(value) for value in frame.greeks[row])
    return {
        "timestamp": frame.at_ms,
        "instrument_name": view.contract.symbol,
        "state": "open",
        "best_bid_price": bid[0],
        "best_bid_amount": bid[1],
        "best_ask_price": ask[0],
        "best_ask_amount": ask[1],
        "last_price": view.last.fill.price if view.last else None,
        "mark_price": known(frame.mark[row]),
        "mark_iv": _percent(frame.mark_iv[row]),
        "bid_iv": round(100.0 * frame.bid_iv[row], 2),
        "ask_iv": round(100.0 * frame.ask_iv[row], 2),
        "min_price": frame.least_price(row),
        "max_price": frame.most_price(row),
        "underlying_price": known(frame.forward[row]),
        "underlying_index": _underlying_index(view.contract),
        "index_price": frame.index_usd,
        "estimated_delivery_price": _estimated_delivery(view),
        "interest_rate": 0.0,
        "open_interest": known(frame.open_interest[row]),
        "settlement_price": view.settlement_mark,
        "greeks": {"delta": delta, "gamma": gamma, "vega": vega, "theta": theta, "rho": rho},
        "stats": _stats(view),
    }


def option_book(view: OptionView, depth: int) -> Fields:
    """The order book object of an option."""
    return {
        **option_ticker(view),
        "bids": view.bids[:depth],
        "asks": view.asks[:depth],
        "change_id": view.frame.at_ms,
    }


def option_summary(view: OptionView) -> Fields:
    """The summary object of an option."""
    frame, row, stats = view.frame, view.row, _stats(view)
    bid = view.bids[0][0] if view.bids else None
    ask = view.asks[0][0] if view.asks else None
    return {
        "instrument_name": view.contract.symbol,
        "base_currency": frame.coin,
        "quote_currency": frame.coin,
        "bid_price": bid,
        "ask_price": ask,
        "mid_price": None if bid is None or ask is None else round((bid + ask) / 2, 8),
        "mark_price": known(frame.mark[row]),
        "mark_iv": _percent(frame.mark_iv[row]),
        "underlying_price": known(frame.forward[row]),
        "underlying_index": _underlying_index(view.contract),
        "interest_rate": 0.0,
        "last": view.last.fill.price if view.last else None,
        "high": stats["high"],
        "low": stats["low"],
        "price_change": stats["price_change"],
        "open_interest": known(frame.open_interest[row]),
        "volume": stats["volume"],
        "volume_usd": stats["volume_usd"],
        "creation_timestamp": frame.at_ms,
        "estimated_delivery_price": _estimated_delivery(view),
    }


def public_trade(trade: TradeRecord) -> Fields:
    """A trade as everybody sees it; what was not looked at is null."""
    fill, seen = trade.fill, trade.seen
    taker = fill.side if not fill.is_maker else _other(fill.side)
    fields: Fields = {
        "trade_id": fill.trade_id,
        "trade_seq": trade.seq,
        "instrument_name": fill.contract.symbol,
        "timestamp": epoch_ms(fill.at),
        "direction": taker.value,
        "tick_direction": trade.tick_direction,
        "price": fill.price,
        "amount": fill.amount,
        "contracts": contracts_in(fill.contract, fill.amount),
        "index_price": fill.index_usd,
        "mark_price": seen.mark if seen else None,
    }
    if isinstance(fill.contract, OptionContract):
        fields["iv"] = round(100.0 * seen.iv, 2) if seen and seen.iv is not None else None
    return fields


def best(levels: list[Level]) -> Level:
    """The first of *levels*; zeros where there is none, as tickers say it."""
    return levels[0] if levels else (0.0, 0.0)


def _levels(frame: Frame, row: int) -> tuple[list[Level], list[Level]]:
    bid, ask = frame.bid[row], frame.ask[row]
    return _level(bid, frame.bid_amount[row]), _level(ask, frame.ask_amount[row])


def _level(price: float, amount: float) -> list[Level]:
    """What is quoted; zero of it where a feed does not tell how much."""
    return [(price, known(amount) or 0.0)] if known(price) is not None else []


def _merged(levels: list[Level], best: int) -> list[Level]:
    """One level a price; *best* is 1 if the lowest comes first, -1 if the highest does."""
    amounts: dict[float, float] = {}
    for price, amount in levels:
        amounts[price] = round(amounts.get(price, 0.0) + amount, 8)
    return sorted(amounts.items(), key=lambda level: best * level[0])


def _stats(view: OptionView) -> Fields:
    frame, row = view.frame, view.row
    prices = [trade.fill.price for trade in view.day]
    volume, mark = known(frame.volume[row]), known(frame.mark[row])
    return {
        "high": max(prices) if prices else None,
        "low": min(prices) if prices else None,
        "price_change": price_change(prices),
        "volume": volume,
        "volume_usd": None if volume is None or mark is None else volume * mark * frame.index_usd,
    }


def price_change(prices: list[float]) -> float | None:
    """From the first of *prices* to the last, in percent; None without any."""
    return round(100.0 * (prices[-1] / prices[0] - 1.0), 4) if prices and prices[0] else None


def _estimated_delivery(view: OptionView) -> float:
    """The index; in the last half hour the forward, which turns into the mean of that time."""
    left = view.contract.expiry - view.frame.snapshot.taken_at
    forward = known(view.frame.forward[view.row])
    return forward if left <= _DELIVERY_WINDOW and forward is not None else view.frame.index_usd


def _underlying_index(contract: OptionContract) -> str:
    """No future of the expiry is listed: the forward is what its options imply."""
    return f"SYN.{contract.underlying}-{expiry_name(contract)}"


def _percent(fraction: float) -> float | None:
    found = known(fraction)
    return None if found is None else round(100.0 * found, 2)


def _other(side: Side) -> Side:
    return Side.SELL if side is Side.BUY else Side.BUY
