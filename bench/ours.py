"""Ourselves, the machine's own limits, and the plain numpy that a user would write instead."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from bench import limits
from bench.peer import MILLION, Peer
from bench.sample import Floats, Sample
from core.pricing import implied_kernels, kernels
from core.pricing.black76 import premium_usd
from core.pricing.greeks import main_greeks
from core.pricing.implied import implied_vol


def ourselves() -> Iterator[Peer]:
    """Our kernels, into memory that is kept, and our calls as everybody makes them."""
    yield Peer("options-agent kernel", "premium", MILLION, _kernel)
    yield Peer("options-agent call", "premium", MILLION, lambda s: premium_usd(*_market(s)))
    yield Peer("options-agent kernel", "greeks", MILLION, _greeks, exact_units=True)
    yield Peer("options-agent call", "greeks", MILLION, _greeks_call)
    yield Peer("options-agent, new memory", "greeks", MILLION, lambda s: main_greeks(*_market(s)))
    yield Peer("options-agent kernel", "iv", MILLION, _iv)
    yield Peer("options-agent call", "iv", MILLION, _iv_call)


def machine() -> Iterator[Peer]:
    """What nobody can be faster than: the memory of a task, and the functions it needs."""
    for task, streams, functions in (
        ("premium", 1, limits.run_premium_functions),
        ("greeks", 8, limits.run_premium_functions),
        ("iv", 1, limits.run_volatility_functions),
    ):
        name = f"limit: memory, 4 in {streams} out"
        yield Peer(name, task, MILLION, partial(limits.run_streams, count=streams))
        yield Peer("limit: the functions needed", task, MILLION, functions)


def _terms(s: Sample) -> tuple[Any, ...]:
    side, root = np.where(s.is_call, 1.0, -1.0), np.sqrt(s.tenor)
    deviation = s.iv * root
    d1 = np.log(s.forward / s.strike) / deviation + 0.5 * deviation
    return side, root, deviation, d1, d1 - deviation


def plain_numpy(special: Any) -> Iterator[Peer]:
    """
    Numpy with *special*, scipy.special.

    The plain version shares d1, d2, N(d1), N(d2), φ(d1) and √T, and writes each greek as its
    formula stands in the textbook; the other shares every product that it can.
    """

    def premium(s: Sample) -> Floats:
        side, _, _, d1, d2 = _terms(s)
        value = s.forward * special.ndtr(side * d1) - s.strike * special.ndtr(side * d2)
        return np.asarray(side * value)

    def greeks(s: Sample) -> tuple[Any, ...]:
        side, root, _, d1, d2 = _terms(s)
        nd1, nd2 = special.ndtr(side * d1), special.ndtr(side * d2)
        density = np.exp(-(d1**2) / 2) / np.sqrt(2 * np.pi)
        return (
            side * (s.forward * nd1 - s.strike * nd2),
            side * nd1,
            density / (s.forward * s.iv * root),
            s.forward * density * root / 100,
            -s.forward * density * s.iv / (2 * root) / 365,
            side * s.strike * s.tenor * nd2 / 100,
            -density * d2 / s.iv,
            s.forward * density * root * d1 * d2 / s.iv,
        )

    def shared(s: Sample) -> tuple[Any, ...]:
        side, root, deviation, d1, d2 = _terms(s)
        delta, strike_part = side * special.ndtr(side * d1), side * special.ndtr(side * d2)
        strike_part *= s.strike
        density = np.exp(-0.5 * d1 * d1) * (1 / np.sqrt(2 * np.pi))
        in_usd = s.forward * density
        vega = in_usd * root
        d2 /= s.iv
        return (
            s.forward * delta - strike_part,
            delta,
            density / (s.forward * deviation),
            0.01 * vega,
            (-0.5 / 365) * in_usd * s.iv / root,
            0.01 * s.tenor * strike_part,
            -density * d2,
            vega * d1 * d2,
        )

    yield Peer("numpy + scipy ndtr", "premium", MILLION, premium)
    yield Peer("numpy + scipy ndtr", "greeks", MILLION, greeks, exact_units=True)
    yield Peer("numpy + ndtr, all terms shared", "greeks", MILLION, shared, exact_units=True)


def _market(s: Sample) -> tuple[Any, ...]:
    return s.forward, s.strike, s.tenor, s.iv, s.is_call


def _kernel(s: Sample) -> Floats:
    out = limits.outputs(1, s.iv.size)[0]
    kernels.premium_usd(kernels.Options(*_market(s)), out)
    return np.asarray(out)


def _greeks(s: Sample) -> Floats:
    rows = limits.outputs(8, s.iv.size)
    kernels.main_greeks(kernels.Options(*_market(s)), rows)
    return rows


def _greeks_call(s: Sample) -> None:
    main_greeks(*_market(s), out=limits.outputs(8, s.iv.size))


def _iv(s: Sample) -> Floats:
    quotes = implied_kernels.Quotes(
        s.out_usd / s.forward, s.forward, s.strike, s.tenor, s.is_out_call
    )
    out = limits.outputs(1, s.iv.size)[0]
    implied_kernels.implied_vol(quotes, out, np.empty(s.iv.size, dtype=np.int8))
    return np.asarray(out)


def _iv_call(s: Sample) -> Floats:
    return implied_vol(s.out_usd / s.forward, s.forward, s.strike, s.tenor, s.is_out_call)[0]
