"""The contracts listed in an invented market at a full hour, with what each has of its own."""

from datetime import datetime

import numpy as np
from attrs import field, frozen

from core.rng import rng_at
from core.simulation.listing import listed_expiries, listed_since, listed_strikes
from core.simulation.synthetic_model import CoinModel
from core.simulation.synthetic_params import CoinParams
from core.simulation.synthetic_path import EPOCH
from ports.checks import epoch_ms
from ports.columns import Bools, Floats, Ints, bool_column, float_column, int_column

_STRIKE_UNIT = {"BTC": 500.0, "ETH": 25.0}
_TABLE = 4096  # contracts of one expiry with draws of their own; beyond that they repeat


@frozen(kw_only=True, eq=False)
class ListedContracts:
    """
    Contracts in the order of a ChainTable, columns (n,).

    *slice_row* numbers the expiry of each; popularity and turnover are uniform in 0..1 and
    stay with a contract for life.
    """

    expiries_ms: Ints = field(converter=int_column)  # (m,)
    slice_row: Ints = field(converter=int_column)
    listed_ms: Ints = field(converter=int_column)
    strike: Floats = field(converter=float_column)
    is_call: Bools = field(converter=bool_column)
    popularity: Floats = field(converter=float_column)
    turnover: Floats = field(converter=float_column)


def contracts_at(seed: int, coin: CoinParams, model: CoinModel, hour: datetime) -> ListedContracts:
    """
    Return what is listed at *hour*, a full hour not before the epoch.

    Strikes follow from price and volatility at the full hours since an expiry was listed, or
    since the epoch.
    """
    expiries = listed_expiries(hour)
    strikes = [np.repeat(_strikes(coin, model, expiry, hour), 2) for expiry in expiries]
    sizes = [len(both) for both in strikes]
    strike = np.concatenate(strikes)
    is_call = np.arange(len(strike)) % 2 == 0
    draws = [
        _draws(seed, coin, expiry)[:, _table_row(coin, both)]
        for expiry, both in zip(expiries, strikes, strict=True)
    ]
    popularity, turnover = np.concatenate(draws, axis=1)
    return ListedContracts(
        expiries_ms=[epoch_ms(expiry) for expiry in expiries],
        slice_row=np.repeat(np.arange(len(expiries)), sizes),
        listed_ms=np.repeat([epoch_ms(listed_since(expiry)) for expiry in expiries], sizes),
        strike=strike,
        is_call=is_call,
        popularity=popularity,
        turnover=turnover,
    )


def _strikes(coin: CoinParams, model: CoinModel, expiry: datetime, hour: datetime) -> Floats:
    stood = model.stood(max(listed_since(expiry), EPOCH), hour, expiry)
    return listed_strikes(coin.underlying, expiry, stood.index_usd, stood.deviation)


def _draws(seed: int, coin: CoinParams, expiry: datetime) -> Floats:
    return rng_at(seed, f"synthetic/contracts/{coin.underlying}", expiry).random((2, _TABLE))


def _table_row(coin: CoinParams, strikes: Floats) -> Ints:
    """A row for each contract of an expiry, whose *strikes* come twice: call, then put."""
    steps = (strikes / _STRIKE_UNIT[coin.underlying]).astype(np.int64)
    return (2 * steps + np.arange(len(strikes)) % 2) % _TABLE
