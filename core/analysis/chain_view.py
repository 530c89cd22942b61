"""A chain as a person reads it: quotes, volatilities, sensitivities, and how well marks fit."""

import numpy as np
from attrs import frozen

from core.pricing.black76 import premium_coin
from core.pricing.greeks import greeks
from core.pricing.implied import implied_vol
from ports.chain import ChainTable
from ports.columns import Floats
from ports.market_data import MarketSnapshot


@frozen(kw_only=True, eq=False)
class ChainView:
    """
    The rows of *chain* with what follows from them; columns (n,), NaN is not known.

    Units: dte days; bid_iv, ask_iv fractions, 0.65 is 65 %; delta, net_delta coin; gamma per
    USD; vega USD per vol point; theta USD per day; parity_gap_coin call - put - (1 - K/F) of
    the marks; residual mark less Black-76 at mark_iv, in half-spreads.
    """

    chain: ChainTable
    dte: Floats
    bid_iv: Floats
    ask_iv: Floats
    delta: Floats
    net_delta: Floats
    gamma: Floats
    vega: Floats
    theta: Floats
    parity_gap_coin: Floats
    residual: Floats


def chain_view(snapshot: MarketSnapshot) -> ChainView:
    """The whole chain of *snapshot* at the instant it was taken."""
    chain = snapshot.chain
    tenor = chain.years_left(snapshot.taken_at)
    terms = (chain.forward, chain.strike, tenor)
    sensitivities = greeks(*terms, chain.mark_iv, chain.is_call)
    bid_iv, _ = implied_vol(chain.bid, *terms, chain.is_call)
    ask_iv, _ = implied_vol(chain.ask, *terms, chain.is_call)
    model = premium_coin(*terms, chain.mark_iv, chain.is_call)
    half_spread = (chain.ask - chain.bid) / 2.0
    half_spread = np.where(half_spread > 0.0, half_spread, np.nan)
    return ChainView(
        chain=chain,
        dte=365.0 * tenor,
        bid_iv=bid_iv,
        ask_iv=ask_iv,
        delta=sensitivities.delta,
        net_delta=sensitivities.net_delta,
        gamma=sensitivities.gamma,
        vega=sensitivities.vega,
        theta=sensitivities.theta,
        parity_gap_coin=_parity_gap(chain),
        residual=(chain.mark - model) / half_spread,
    )


def _parity_gap(chain: ChainTable) -> Floats:
    """What call and put of one strike miss parity by; rows come calls first, then the put."""
    gap = np.full(len(chain), np.nan)
    pair = (
        chain.is_call[:-1]
        & ~chain.is_call[1:]
        & (chain.strike[:-1] == chain.strike[1:])
        & (chain.expiry_ms[:-1] == chain.expiry_ms[1:])
    )
    calls = np.flatnonzero(pair)
    strike_share = chain.strike[calls] / chain.forward[calls]
    gap[calls] = chain.mark[calls] - chain.mark[calls + 1] - (1.0 - strike_share)
    gap[calls + 1] = gap[calls]
    return gap
