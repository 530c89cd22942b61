"""What a contract is worth on a snapshot, listed or not."""

from datetime import datetime
from math import isfinite, nan

import numpy as np

from core.pricing.black76 import premium_coin
from ports.chain import ChainTable
from ports.checks import epoch_ms
from ports.columns import Bools
from ports.instruments import OptionContract
from ports.market_data import MarketSnapshot


def mark_of(snapshot: MarketSnapshot, contract: OptionContract, now: datetime) -> float:
    """
    Return the mark of *contract* in coin per contract; NaN if nothing can be said.

    The chain's own mark where it lists one, else Black-76 on `forward_of` with `iv_of`.
    """
    row = snapshot.chain.row_of(contract)
    if row is not None and isfinite(snapshot.chain.mark[row]):
        return float(snapshot.chain.mark[row])
    forward, iv = forward_of(snapshot, contract, now), iv_of(snapshot, contract, now)
    tenor = contract.years_left(now)
    return float(premium_coin(forward, contract.strike, tenor, iv, contract.is_call))


def forward_of(snapshot: MarketSnapshot, contract: OptionContract, now: datetime) -> float:
    """
    Return the forward of the expiry of *contract* in USD per coin; NaN if there is none.

    The nearest listed expiry lends its own where the contract's is not listed or has none;
    the index stands for an expiry that has passed and is no longer listed.
    """
    chain, expiry_ms = snapshot.chain, epoch_ms(contract.expiry)
    first = int(chain.expiry_ms.searchsorted(expiry_ms))
    is_listed = first < len(chain) and chain.expiry_ms[first] == expiry_ms
    if is_listed and isfinite(chain.forward[first]):  # nearly always, and at once
        return float(chain.forward[first])
    if contract.expiry <= now and not is_listed:
        return snapshot.index_usd
    rows = _nearest_expiry(chain, np.isfinite(chain.forward), contract)
    return float(chain.forward[rows][0]) if rows.any() else nan


def iv_of(snapshot: MarketSnapshot, contract: OptionContract, now: datetime) -> float:
    """
    Return the implied volatility of *contract* as a fraction; NaN if there is none.

    The chain's own where it lists one, else that of the same expiry, linear in strike and
    flat beyond the last strikes; the nearest expiry lends its smile where the contract's is
    not listed. Zero once expired: nothing is left that could move.
    """
    chain = snapshot.chain
    row = chain.row_of(contract)
    if row is not None and isfinite(chain.mark_iv[row]):
        return float(chain.mark_iv[row])
    if contract.expiry <= now:
        return 0.0
    rows = _nearest_expiry(chain, np.isfinite(chain.mark_iv), contract)
    if not rows.any():
        return nan
    strikes, at = np.unique(chain.strike[rows], return_inverse=True)
    ivs = np.bincount(at, weights=chain.mark_iv[rows]) / np.bincount(at)  # of call and put
    return float(np.interp(contract.strike, strikes, ivs))


def _nearest_expiry(chain: ChainTable, known: Bools, contract: OptionContract) -> Bools:
    """The *known* rows of the expiry nearest to the contract's, the earlier of two."""
    if not known.any():
        return known
    distance_ms = np.abs(chain.expiry_ms - epoch_ms(contract.expiry))
    nearest_ms = int(chain.expiry_ms[known][np.argmin(distance_ms[known])])
    rows: Bools = known & (chain.expiry_ms == nearest_ms)
    return rows
