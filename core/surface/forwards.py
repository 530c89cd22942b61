"""The forward of each expiry where the venue gives none: parity of quotes, then basis."""

from math import sqrt

import numpy as np
from attrs import frozen

from ports.chain import ChainTable
from ports.columns import Bools, Floats
from ports.instruments import Settlement

_NEAR = 0.5  # deviations of log-moneyness within which a pair says most of the forward
_FEWEST_PAIRS = 3
_HUBER_ROUNDS = 8
_STRADDLE = 0.7978845608028654  # √(2/π): an at-the-money straddle in coin over its deviation


@frozen
class Forward:
    """A forward from parity, with its standard error, USD per coin."""

    usd: float
    standard_error_usd: float
    pairs: int  # strikes it rests on


def parity_forward(
    strike: Floats, call_bid: Floats, call_ask: Floats, put_bid: Floats, put_ask: Floats
) -> Forward | None:
    """
    Return the forward at which quotes in coin meet parity, C - P = 1 - K/F, best.

    1 - (C - P) = K/F is a line through zero, fitted by least squares with Huber's loss and
    weights 1 / (half-spread² of the call + of the put), over strikes within half a deviation of
    the money, or over all where those are fewer than three. None without three two-sided pairs.

    Shapes: five of (n,), a row a strike; NaN is not quoted.
    """
    paired = (call_bid > 0) & (put_bid > 0) & (call_ask > call_bid) & (put_ask > put_bid)
    paired &= strike > 0
    if np.count_nonzero(paired) < _FEWEST_PAIRS:
        return None
    strike = strike[paired]
    call, put = 0.5 * (call_bid + call_ask)[paired], 0.5 * (put_bid + put_ask)[paired]
    ratio = 1.0 - (call - put)  # K / F
    if not (ratio > 0.0).all():
        return None
    spread = 0.25 * ((call_ask - call_bid) ** 2 + (put_ask - put_bid) ** 2)[paired]
    guess = float(np.median(strike / ratio))
    middle = int(np.argmin(np.abs(strike - guess)))
    near = np.abs(np.log(strike / guess)) < _NEAR * (call[middle] + put[middle]) / _STRADDLE
    if np.count_nonzero(near) < _FEWEST_PAIRS:
        near = np.ones(len(strike), dtype=np.bool_)
    return _line_through_zero(strike[near], ratio[near], spread[near])


def _line_through_zero(strike: Floats, ratio: Floats, variance: Floats) -> Forward:
    """The forward of ratio = strike / F by Huber's loss: quadratic within the half-spread."""
    weight = 1.0 / variance
    slope = float(np.median(ratio / strike))
    for _ in range(_HUBER_ROUNDS):
        miss = np.abs(ratio - slope * strike) / np.sqrt(variance)
        weight = np.minimum(1.0, 1.0 / np.maximum(miss, 1e-12)) / variance
        slope = float(np.sum(weight * strike * ratio) / np.sum(weight * strike**2))
    left = float(np.sum(weight * (ratio - slope * strike) ** 2)) / (len(strike) - 1)
    error = sqrt(left / float(np.sum(weight * strike**2)))
    return Forward(1.0 / slope, error / slope**2, len(strike))


def basis_forward(
    index_usd: float, tenor: Floats, listed_tenor: Floats, listed_forward: Floats
) -> Floats:
    """
    Return the forward at each *tenor*, (n,): index × exp(basis), from listed futures.

    ln(F / index) is linear in tenor between the listed, through zero at now, and in proportion
    to tenor beyond the last. Shapes: listed (m,) each, in any order; NaN where m is 0.
    """
    known = np.isfinite(listed_forward) & (listed_forward > 0.0) & (listed_tenor > 0.0)
    if not known.any():
        return np.full(np.shape(tenor), np.nan)
    order = np.argsort(listed_tenor[known])
    at = np.concatenate(([0.0], listed_tenor[known][order]))
    basis = np.concatenate(([0.0], np.log(listed_forward[known][order] / index_usd)))
    inside = np.interp(tenor, at, basis)
    return index_usd * np.exp(np.where(tenor > at[-1], basis[-1] * tenor / at[-1], inside))


def with_forwards(chain: ChainTable) -> Floats:
    """
    Return the forward of each row, (n,): the venue's, else by parity; NaN where neither is had.

    Parity is in coin, so a chain settled in USDC keeps what the venue gives.
    """
    given = chain.forward
    forward = np.where((given > 0.0) & np.isfinite(given), given, np.nan)
    if chain.settlement is not Settlement.INVERSE or np.isfinite(forward).all():
        return forward
    for expiry_ms in np.unique(chain.expiry_ms[~np.isfinite(forward)]):
        rows = chain.expiry_ms == expiry_ms
        known = forward[rows & np.isfinite(forward)]
        found = None if len(known) else _parity_of(chain, rows)
        value = float(np.median(known)) if len(known) else found.usd if found else np.nan
        forward[rows & ~np.isfinite(forward)] = value
    return forward


def _parity_of(chain: ChainTable, rows: Bools) -> Forward | None:
    calls, puts = np.flatnonzero(rows & chain.is_call), np.flatnonzero(rows & ~chain.is_call)
    strike, of_call, of_put = np.intersect1d(
        chain.strike[calls], chain.strike[puts], return_indices=True
    )
    calls, puts = calls[of_call], puts[of_put]
    return parity_forward(
        strike, chain.bid[calls], chain.ask[calls], chain.bid[puts], chain.ask[puts]
    )
