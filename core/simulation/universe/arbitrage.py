"""Arbitrage that the quotes of a chain offer: what could be bought for less than it pays."""

import numpy as np
from attrs import frozen

from ports.chain import ChainTable
from ports.columns import Floats

_SLACK = 1e-9  # of the forward: what rounding of a price to its decimal may leave


@frozen(kw_only=True)
class QuoteViolations:
    """How many pairs and triples of quotes are free money, by kind."""

    crossed: int = 0  # a bid at or above the ask
    vertical: int = 0  # a spread of two strikes for nothing, or sold for more than it can cost
    butterfly: int = 0
    parity: int = 0  # a call, a put and the forward

    @property
    def total(self) -> int:
        """All of them."""
        return self.crossed + self.vertical + self.butterfly + self.parity


def quote_violations(chain: ChainTable) -> QuoteViolations:
    """Return what the quotes of *chain* allow within each expiry; a missing quote allows none."""
    found = [QuoteViolations(crossed=int(np.sum(chain.bid >= chain.ask)))]
    for expiry_ms in np.unique(chain.expiry_ms):
        of_expiry = chain.expiry_ms == expiry_ms
        calls, puts = (
            chain.where(of_expiry & chain.is_call),
            chain.where(of_expiry & ~chain.is_call),
        )
        found += [_of_side(calls, 1.0), _of_side(puts, -1.0), _of_parity(calls, puts)]
    return QuoteViolations(
        crossed=sum(each.crossed for each in found),
        vertical=sum(each.vertical for each in found),
        butterfly=sum(each.butterfly for each in found),
        parity=sum(each.parity for each in found),
    )


def _of_side(side: ChainTable, sign: float) -> QuoteViolations:
    """Of calls, *sign* 1, or puts, -1; in USD per coin of the forward, which is common to all."""
    strike = side.strike / side.forward
    bid, ask = side.bid, side.ask
    step = np.diff(strike)
    near, far = (slice(None, -1), slice(1, None)) if sign > 0 else (slice(1, None), slice(None, -1))
    free = np.sum(bid[far] > ask[near] + _SLACK)  # the dearer option for less
    rich = np.sum(bid[near] - ask[far] > step + _SLACK)  # a spread above the most it pays
    return QuoteViolations(vertical=int(free + rich), butterfly=_butterflies(strike, bid, ask))


def _butterflies(strike: Floats, bid: Floats, ask: Floats) -> int:
    low = (strike[2:] - strike[1:-1]) / (strike[2:] - strike[:-2])
    wings = low * ask[:-2] + (1.0 - low) * ask[2:]
    return int(np.sum(bid[1:-1] > wings + _SLACK))


def _of_parity(calls: ChainTable, puts: ChainTable) -> QuoteViolations:
    _, at, other = np.intersect1d(calls.strike, puts.strike, return_indices=True)
    worth = 1.0 - calls.strike[at] / calls.forward[at]
    rich = calls.bid[at] - puts.ask[other] > worth + _SLACK
    poor = calls.ask[at] - puts.bid[other] < worth - _SLACK
    return QuoteViolations(parity=int(np.sum(rich) + np.sum(poor)))
