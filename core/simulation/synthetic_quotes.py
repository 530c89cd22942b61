"""What stands in the books of an invented market: quotes, amounts, open interest."""

from datetime import datetime

import numpy as np
from attrs import frozen

from core.pricing.black76 import delta
from core.rng import rng_at
from core.simulation.synthetic_contracts import ListedContracts
from core.simulation.synthetic_params import CoinParams
from ports.checks import epoch_ms
from ports.columns import Floats
from ports.instruments import ContractRules

# Median half-spread in units of 0.0001 coin, recorded from January to May 2026: rows by
# the delta of the out-of-the-money side, columns by days to expiry.
_DELTA_ENDS = (0.03, 0.07, 0.15, 0.30, 0.45)
_DAY_ENDS = (1, 3, 8, 22, 45, 100)
_HALF_SPREAD = {
    "BTC": np.array(
        [
            [0.5, 1, 1, 1, 1, 1.5, 2],
            [1, 1, 1, 1.5, 1.5, 2, 5],
            [1, 1.5, 1.5, 2, 2.5, 5, 5],
            [2, 2, 2.5, 5, 5, 5, 7.5],
            [2.5, 5, 5, 5, 5, 5, 10],
            [5, 5, 5, 5, 5, 5, 12.5],
        ]
    ),
    "ETH": np.array(
        [
            [1, 1, 1, 1.5, 1.5, 2, 3],
            [1, 1.5, 1.5, 2, 2.5, 4, 5],
            [1.5, 1.5, 2, 2.5, 5, 5, 7.5],
            [2, 2.5, 5, 5, 5, 5, 10],
            [5, 5, 5, 5, 5, 7.5, 12.5],
            [5, 5, 5, 5, 7.5, 7.5, 17.5],
        ]
    ),
}
_CALM_IV = {"BTC": 0.45, "ETH": 0.60}  # above it spreads widen in proportion
_GRID_SLACK = 1e-6  # of a tick, as in ContractRules


@frozen(kw_only=True, eq=False)
class ModelValues:
    """What quotes are made around, columns (n,)."""

    mark: Floats  # coin per contract
    log_moneyness: Floats  # ln(strike / forward)
    years: Floats
    mark_iv: Floats
    expiry_iv: Floats  # at the money of the same expiry


@frozen(kw_only=True, eq=False)
class Quotes:
    """Both sides of the books, columns (n,); NaN where nothing stands."""

    bid: Floats
    ask: Floats
    bid_amount: Floats
    ask_amount: Floats


@frozen(kw_only=True, eq=False)
class Interest:
    """Contracts held, and traded in a day, columns (n,)."""

    open_interest: Floats
    volume: Floats


def quotes_around(
    seed: int, coin: CoinParams, now: datetime, values: ModelValues, rules: ContractRules
) -> Quotes:
    """Return the marks less and plus the usual half-spread, rounded outward to the ticks."""
    half = np.maximum(half_spread(coin.underlying, values), 0.5 * _ticks_at(values.mark, rules))
    bid = round_down(np.maximum(values.mark - half, 0.0), rules)
    bid[bid < rules.tick_size] = np.nan  # no bid below one tick
    shown = rng_at(seed, f"synthetic/books/{coin.underlying}", _minute_of(now))
    amounts = coin.typical_amount * shown.lognormal(sigma=0.6, size=(2, len(bid)))
    whole = whole_amounts(np.maximum(amounts, rules.min_amount), rules)
    return Quotes(
        bid=bid,
        ask=round_up(values.mark + half, rules),
        bid_amount=np.where(np.isnan(bid), np.nan, whole[0]),
        ask_amount=whole[1],
    )


def half_spread(underlying: str, values: ModelValues) -> Floats:
    """Return the usual half-spread in coin, (n,); wider where implied volatility is high."""
    strike, is_call = np.exp(values.log_moneyness), values.log_moneyness >= 0.0
    distance = np.abs(delta(1.0, strike, values.years, values.mark_iv, is_call))
    row = np.digitize(distance, _DELTA_ENDS)
    column = np.digitize(values.years * 365.0, _DAY_ENDS)
    stress = np.maximum(values.expiry_iv / _CALM_IV[underlying], 1.0)
    spread: Floats = 1e-4 * _HALF_SPREAD[underlying][row, column] * stress
    return spread


def interest(
    coin: CoinParams,
    now: datetime,
    contracts: ListedContracts,
    values: ModelValues,
    rules: ContractRules,
) -> Interest:
    """Return what is held and traded: more with an expiry's age, less far from the money."""
    expiry_ms = contracts.expiries_ms[contracts.slice_row]
    age = (epoch_ms(now) - contracts.listed_ms) / (expiry_ms - contracts.listed_ms)
    deviation = np.maximum(values.expiry_iv * np.sqrt(values.years), 0.02)
    nearness = np.exp(-0.125 * (values.log_moneyness / deviation) ** 2)
    liking = 0.3 + 1.4 * contracts.popularity
    held = coin.typical_open_interest * nearness * (0.4 + 0.6 * age) * liking
    return Interest(
        open_interest=whole_amounts(held, rules),
        volume=whole_amounts(0.3 * contracts.turnover * held, rules),
    )


def round_down(prices: Floats, rules: ContractRules) -> Floats:
    """Return the highest price on the grid that is not above each, as ContractRules does."""
    ticks = _ticks_at(prices, rules)
    return _on_grid(np.floor(prices / ticks + _GRID_SLACK), ticks)


def round_up(prices: Floats, rules: ContractRules) -> Floats:
    """Return the lowest price on the grid that is not below each, as ContractRules does."""
    ticks = _ticks_at(prices, rules)
    return _on_grid(np.ceil(prices / ticks - _GRID_SLACK), ticks)


def whole_amounts(amounts: Floats, rules: ContractRules) -> Floats:
    """Return *amounts* in whole steps, never rounded up."""
    steps = np.floor(amounts / rules.amount_step + _GRID_SLACK)
    return _on_grid(steps, rules.amount_step)


def _ticks_at(prices: Floats, rules: ContractRules) -> Floats:
    ticks = np.full(prices.shape, rules.tick_size)
    for step in rules.tick_steps:
        ticks[prices >= step.above_price] = step.tick_size
    return ticks


def _on_grid(steps: Floats, step: Floats | float) -> Floats:
    """*steps* x *step* as the float nearest to the decimal, which has at most 12 places."""
    return np.round(steps * step, 12)


def _minute_of(now: datetime) -> datetime:
    return now.replace(second=0, microsecond=0)
