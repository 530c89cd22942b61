"""Option orders priced in USD or in implied volatility: their price in coin as things stand."""

from datetime import timedelta

from apps.exchange.frames import Frame
from apps.exchange.rpc import RpcError
from core.pricing.black76 import premium_coin
from core.pricing.marks import forward_of
from ports.instruments import Contract, OptionContract
from ports.trading import Side
from ports.venue_log import OrderTerms

_LAST = timedelta(minutes=30)  # before expiry: the forward turns into a mean


def coin_price(contract: Contract, side: Side, terms: OrderTerms, frame: Frame) -> float:
    """
    Return the price in coin, on the grid and never worse than asked, of an order on *terms*.

    Raises:
        RpcError: 10023, there is no such price; 11037, the option is about to expire; 11038, it
            is no option.
    """
    if not isinstance(contract, OptionContract):
        raise RpcError(11038, "no_adv_for_futures")
    asked, rules = terms.advanced_price, frame.snapshot.rules
    if asked is None or asked <= 0:
        raise RpcError(10023, "invalid_price")
    price = asked / frame.index_usd
    if terms.advanced == "implv":
        if contract.expiry - frame.snapshot.taken_at <= _LAST:
            raise RpcError(11037, "outdated_instrument_for_IV_order")
        at = frame.snapshot.taken_at
        forward, years = forward_of(frame.snapshot, contract, at), contract.years_left(at)
        price = float(
            premium_coin(forward, contract.strike, years, asked / 100.0, contract.is_call)
        )
    on_grid = rules.price_down(price) if side is Side.BUY else rules.price_up(price)
    return max(on_grid, rules.tick_size)
