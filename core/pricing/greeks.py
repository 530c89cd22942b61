"""Sensitivities of inverse options, as columns."""

from typing import TypeAlias

import numpy as np
from attrs import frozen
from numpy.typing import ArrayLike

from core.kernel import common_shape, flat_bools, flat_floats
from core.pricing import kernels
from ports.columns import Floats

_Shape: TypeAlias = tuple[int, ...]


@frozen(eq=False)
class MainGreeks:
    """The premium and the seven sensitivities that most questions need; units as in Greeks."""

    premium_usd: Floats  # V, USD
    delta: Floats
    gamma: Floats
    vega: Floats
    theta: Floats
    rho: Floats
    vanna: Floats
    volga: Floats


@frozen(eq=False)
class Greeks:
    """
    Sensitivities per contract of one coin, read-only columns of one shape.

    Forward is the variable, iv is held fixed, and nothing is discounted. A vol point is 0.01
    of iv, a day 1/365 of a year. The fields ending in _coin are those of the premium in coin,
    v = V / F.
    """

    delta: Floats  # ∂V/∂F, coin of forward
    net_delta: Floats  # delta - premium_coin, coin
    gamma: Floats  # ∂²V/∂F², per USD
    vega: Floats  # USD per vol point
    theta: Floats  # USD per day
    exchange_theta: Floats  # USD: theta, but all that is left within the last day
    rho: Floats  # USD per point of interest, spot held
    vanna: Floats  # ∂²V/∂F∂σ, delta per 1.00 of iv
    volga: Floats  # ∂²V/∂σ², USD per 1.00 of iv squared
    charm: Floats  # delta per day that passes
    speed: Floats  # ∂³V/∂F³, per USD squared
    premium_coin: Floats  # v, coin
    delta_coin: Floats  # ∂v/∂F, coin per USD
    gamma_coin: Floats  # ∂²v/∂F², coin per USD squared
    vega_coin: Floats  # coin per vol point
    theta_coin: Floats  # coin per day


def greeks(
    forward: ArrayLike, strike: ArrayLike, tenor: ArrayLike, iv: ArrayLike, is_call: ArrayLike
) -> Greeks:
    """
    Return all sensitivities.

    Shapes: five that broadcast; the columns have their common shape, and are floats where
        all five are numbers.
    Units: forward, strike USD per coin; tenor years of 365 days; iv 0.65 is 65 %.
    Edges: tenor <= 0 is expired: premium_coin is intrinsic and all else 0, deltas too. At
        iv = 0 delta, net_delta and rho are those of the exercised side, the densities 0. NaN
        where an input is NaN, iv is negative, or forward or strike is not positive; and for no
        input between 1e-80 and 1e80.
    Error: relative, below 1e-12, where d1, d2 or 1 + d1/s as a factor is not a near-zero
        difference of larger numbers (test_greeks.py).
    Source: E. G. Haug (2007), The Complete Guide to Option Pricing Formulas, chapter 2,
        with b = r = 0; rho and exchange_theta as in Deribit's API.
    """
    options, shape = _aligned(forward, strike, tenor, iv, is_call)
    main = _main(options, shape, np.empty((8, options.iv.size)))
    others = np.empty((9, options.iv.size))
    kernels.other_greeks(options, others)
    net_delta, exchange_theta, charm, speed, *in_coin = _shared(others, shape)
    premium_coin, delta_coin, gamma_coin, vega_coin, theta_coin = in_coin
    return Greeks(
        delta=main.delta,
        net_delta=net_delta,
        gamma=main.gamma,
        vega=main.vega,
        theta=main.theta,
        exchange_theta=exchange_theta,
        rho=main.rho,
        vanna=main.vanna,
        volga=main.volga,
        charm=charm,
        speed=speed,
        premium_coin=premium_coin,
        delta_coin=delta_coin,
        gamma_coin=gamma_coin,
        vega_coin=vega_coin,
        theta_coin=theta_coin,
    )


def main_greeks(
    forward: ArrayLike,
    strike: ArrayLike,
    tenor: ArrayLike,
    iv: ArrayLike,
    is_call: ArrayLike,
    *,
    out: Floats | None = None,
) -> MainGreeks:
    """
    Return the premium in USD and the main sensitivities, at half the cost of all.

    Shapes, units, edges, error and source as in greeks and black76.premium_usd. The columns are
    views of the rows of *out*, contiguous float64 of shape (8, *common shape), which a call
    overwrites; without it of a new array, whose fresh memory costs as much as the arithmetic
    where there are millions of rows.

    Raises:
        ValueError: *out* has another shape, type or layout.
    """
    options, shape = _aligned(forward, strike, tenor, iv, is_call)
    rows = np.empty((8, options.iv.size)) if out is None else _rows_of(out, (8, *shape))
    return _main(options, shape, rows)


def _aligned(
    forward: ArrayLike, strike: ArrayLike, tenor: ArrayLike, iv: ArrayLike, is_call: ArrayLike
) -> tuple[kernels.Options, _Shape]:
    shape = common_shape(forward, strike, tenor, iv, is_call)
    options = kernels.Options(
        flat_floats(forward, shape),
        flat_floats(strike, shape),
        flat_floats(tenor, shape),
        flat_floats(iv, shape),
        flat_bools(is_call, shape),
    )
    return options, shape


def _main(options: kernels.Options, shape: _Shape, rows: Floats) -> MainGreeks:
    kernels.main_greeks(options, rows)
    return MainGreeks(*_shared(rows, shape))


def _rows_of(out: Floats, shape: _Shape) -> Floats:
    if out.shape != shape or out.dtype != np.float64 or not out.flags.carray:
        raise ValueError(f"out must be contiguous, writeable float64 of shape {shape}")
    return out.reshape(shape[0], -1)


def _shared(rows: Floats, shape: _Shape) -> list[Floats]:
    """The rows, read-only and of *shape*; floats where it is that of a number."""
    columns = rows.reshape(len(rows), *shape)
    columns.flags.writeable = False
    return list(columns)
