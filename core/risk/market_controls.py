"""
Controls 8 to 11: whether price, quote and instrument can be believed.

Written like size_controls: what is missing blocks.
"""

from datetime import datetime, timedelta
from math import inf, isfinite, nan

from attrs import frozen

from core.risk.exposure import RiskState
from core.risk.limits import within
from ports.checks import EPOCH, from_epoch_ms
from ports.trading import OrderIntent, Side

_SETTLEMENT_STARTS = timedelta(hours=7, minutes=55)
_SETTLEMENT_ENDS = timedelta(hours=8, minutes=5)


@frozen(kw_only=True)
class _Quote:
    bid: float = nan
    ask: float = nan
    mark: float = nan
    iv: float = nan
    forward: float = nan
    open_interest: float = nan
    at: datetime = EPOCH


def price_collar(intent: OrderIntent, state: RiskState) -> str | None:
    rules, limits, quote = state.snapshot.rules, state.limits, _quote(intent, state)
    price, mark = intent.price, quote.mark
    if not 0 < mark < inf:
        return f"no mark for {intent.contract.symbol}"
    width = max(
        limits.price_collar_pct / 100.0 * mark, limits.price_collar_ticks * rules.tick_at(mark)
    )
    if not within(abs(price - mark), width):
        return f"price {price} is further than {width:.4f} from the mark {mark:.4f}"
    if not rules.is_on_tick(price):
        return f"price {price} is not on the tick {rules.tick_at(price)}"
    if intent.side is Side.SELL:
        if not 0 < quote.forward < inf:
            return f"no forward for {intent.contract.symbol}"
        intrinsic = intent.option.payoff_coin(quote.forward)
        if not within(intrinsic, price):
            return f"price {price} is below the intrinsic value {intrinsic:.6f}"
        return None
    highest = quote.ask * (1 + limits.price_collar_ask_pct / 100.0)
    if isfinite(quote.ask) and not within(price, highest):
        return f"price {price} is above the ask {quote.ask} by more than allowed"
    return None


def quote_age(intent: OrderIntent, state: RiskState) -> str | None:
    limits, quoted_at = state.limits, _quote(intent, state).at
    ages = (
        ("quote", state.now - quoted_at, limits.quote_age),
        ("index", state.now - state.snapshot.taken_at, limits.index_age),
        ("account", state.now - state.account.read_at, limits.account_age),
    )
    for name, age, limit in ages:
        if not -limits.clock_skew <= age <= limit:
            return f"{name} is {age.total_seconds():.0f} s old, at most {limit.total_seconds():.0f}"
    return None


def quote_sanity(intent: OrderIntent, state: RiskState) -> str | None:
    quote, limits = _quote(intent, state), state.limits
    if not 0 < quote.bid < quote.ask < inf:
        return f"quote {quote.bid} / {quote.ask} is not two-sided"
    if not 0 < quote.forward < inf:
        return f"forward {quote.forward} is not believable"
    if not (within(0.8 * quote.bid, quote.mark) and within(quote.mark, 1.2 * quote.ask)):
        return f"mark {quote.mark} is outside the quote {quote.bid} / {quote.ask}"
    if not (within(limits.iv_min, quote.iv) and within(quote.iv, limits.iv_max)):
        return f"implied volatility {quote.iv} is not believable"
    spread_pct = 200.0 * (quote.ask - quote.bid) / (quote.ask + quote.bid)
    if not within(spread_pct, limits.max_spread_pct):
        return f"spread {spread_pct:.2f} % is above {limits.max_spread_pct}"
    if not isfinite(quote.open_interest):
        return "open interest is unknown" if limits.unknown_liquidity_blocks else None
    if not within(limits.min_open_interest, quote.open_interest):
        return f"open interest {quote.open_interest} is below {limits.min_open_interest}"
    return None


def instrument(intent: OrderIntent, state: RiskState) -> str | None:
    contract = intent.option
    if state.account.underlying != contract.underlying:
        return f"{contract.symbol} is not covered by {state.account.underlying}"
    if state.snapshot.chain.row_of(contract) is None:
        return f"{contract.symbol} is not listed"
    is_sold_call = intent.side is Side.SELL and contract.is_call
    if state.limits.only_calls_open and not is_sold_call:
        return f"{contract.symbol}: only calls are sold"
    if not contract.expiry - state.now > state.limits.before_expiry:
        return f"{contract.symbol} expires at {contract.expiry:%d %b %H:%M}"
    time_of_day = timedelta(hours=state.now.hour, minutes=state.now.minute)
    if _SETTLEMENT_STARTS <= time_of_day < _SETTLEMENT_ENDS:
        return "no opening between 07:55 and 08:05 UTC, the venue settles"
    return None


def _quote(intent: OrderIntent, state: RiskState) -> _Quote:
    chain = state.snapshot.chain
    row = chain.row_of(intent.option)
    if row is None:
        return _Quote()
    return _Quote(
        bid=float(chain.bid[row]),
        ask=float(chain.ask[row]),
        mark=float(chain.mark[row]),
        iv=float(chain.mark_iv[row]),
        forward=float(chain.forward[row]),
        open_interest=float(chain.open_interest[row]),
        at=from_epoch_ms(int(chain.quoted_at_ms[row])),
    )
