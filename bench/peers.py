"""The others: how each is asked for a premium, greeks or a volatility."""

import contextlib
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from bench.ours import machine, ourselves, plain_numpy
from bench.peer import MILLION, Peer
from bench.sample import Floats, Sample


def all_peers() -> Iterator[Peer]:
    """Ourselves, the limits of the machine, then everyone installed here."""
    yield from ourselves()
    yield from machine()
    for module, peers in _OTHERS.items():
        if find_spec(module.partition(".")[0]) is not None:
            yield from peers(import_module(module))


def _brentq(optimize: Any) -> Iterator[Peer]:
    special = import_module("scipy.special")

    def iv(s: Sample) -> Any:
        def miss(vol: float, low: float, high: float, root: float, price: float) -> float:
            d1 = np.log(low / high) / (vol * root) + vol * root / 2
            return float(low * special.ndtr(d1) - high * special.ndtr(d1 - vol * root) - price)

        prices, low, high = _out_calls(s)
        rows = _rows(low, high, np.sqrt(s.tenor), prices)
        return np.array([optimize.brentq(miss, 1e-4, 20.0, row, xtol=1e-14) for row in rows])

    yield Peer("scipy brentq (scalar)", "iv", 1_000, iv)


def _fast_vollib(fast: Any) -> Iterator[Peer]:
    options = {"return_as": "numpy", "backend": "numba"}

    def premium(s: Sample) -> Any:
        flag = np.where(s.is_call, "c", "p")
        return fast.fast_black(flag, s.forward, s.strike, s.tenor, 0.0, s.iv, **options)

    def greeks(s: Sample) -> Any:
        flag = np.where(s.is_call, "c", "p")
        return premium(s), fast.get_all_greeks(
            flag, s.forward, s.strike, s.tenor, 0.0, s.iv, model="black", return_as="dict"
        )

    def iv(s: Sample) -> Any:
        terms = s.out_usd, s.forward, s.strike, 0.0, s.tenor, np.where(s.is_out_call, "c", "p")
        return fast.fast_implied_volatility_black(*terms, on_error="ignore", **options)

    yield Peer("fast-vollib", "premium", 200_000, premium)
    yield Peer("fast-vollib (6 of 8)", "greeks", 200_000, greeks)
    yield Peer("fast-vollib", "iv", 100_000, iv)


def _iv_engine(engine: Any) -> Iterator[Peer]:
    def premium(s: Sample) -> Any:
        calls = engine.black_prices(s.forward, s.strike, s.tenor, s.iv, parallel=False)
        return np.where(s.is_call, calls, np.nan)

    def iv(s: Sample) -> Any:
        calls, spot, strike = _out_calls(s)
        return engine.implied_volatilities(calls, spot, strike, s.tenor, parallel=False)

    yield Peer("iv-engine (Rust; calls)", "premium", MILLION, premium)
    yield Peer("iv-engine (Rust)", "iv", 200_000, iv)


def _lbriv(lbriv: Any) -> Iterator[Peer]:
    def iv(s: Sample) -> Any:
        calls, spot, strike = _out_calls(s)
        total = lbriv.vectorized_implied_vol(calls / strike, spot / strike, 1.0, 1)
        return total / np.sqrt(s.tenor)

    yield Peer("Let's Be Rational, compiled (lbriv)", "iv", 200_000, iv)


def _out_calls(s: Sample) -> tuple[Floats, Floats, Floats]:
    """Every option out of the money as a call: a put on F at K is a call on K at F."""
    low, high = np.minimum(s.forward, s.strike), np.maximum(s.forward, s.strike)
    return s.out_usd, low, high


def _lets_be_rational(lbr: Any) -> Iterator[Peer]:
    solve = lbr.implied_volatility_from_a_transformed_rational_guess

    def iv(s: Sample) -> Any:
        columns = s.out_usd, s.forward, s.strike, s.tenor, np.where(s.is_out_call, 1.0, -1.0)
        return np.array([solve(*row) for row in _rows(*columns)])

    yield Peer("py_lets_be_rational (scalar)", "iv", 2_000, iv)


def _vollib(black: Any) -> Iterator[Peer]:
    solve = import_module("vollib.black.implied_volatility").implied_volatility

    def premium(s: Sample) -> Any:
        flags = np.where(s.is_call, "c", "p")
        rows = _rows(flags, s.forward, s.strike, s.tenor, np.zeros(s.iv.size), s.iv)
        return np.array([black.black(*row) for row in rows])

    def iv(s: Sample) -> Any:
        flags = np.where(s.is_out_call, "c", "p")
        rows = _rows(s.out_usd, s.forward, s.strike, np.zeros(s.iv.size), s.tenor, flags)
        return np.array([solve(*row) for row in rows])

    greek = import_module("vollib.black.greeks.analytical")

    def greeks(s: Sample) -> Any:
        flags = np.where(s.is_call, "c", "p")
        rows = list(_rows(flags, s.forward, s.strike, s.tenor, np.zeros(s.iv.size), s.iv))
        columns = (black.black, greek.delta, greek.gamma, greek.vega, greek.theta, greek.rho)
        return np.array([[column(*row) for row in rows] for column in columns])

    yield Peer("vollib (scalar)", "premium", 2_000, premium)
    yield Peer("vollib (scalar; 6 of 8)", "greeks", 1_000, greeks)
    yield Peer("vollib (scalar)", "iv", 2_000, iv)


def _rows(*columns: Any) -> Any:
    """The columns as rows of Python values, for those who take one option at a time."""
    return zip(*(column.tolist() for column in columns), strict=True)


def _quantlib(ql: Any) -> Iterator[Peer]:
    def premium(s: Sample) -> Any:
        kinds = np.where(s.is_call, ql.Option.Call, ql.Option.Put)
        found = _rows(kinds, s.strike, s.forward, s.iv * np.sqrt(s.tenor))
        return np.array([ql.blackFormula(*row) for row in found])

    def iv(s: Sample) -> Any:
        kinds = np.where(s.is_out_call, ql.Option.Call, ql.Option.Put)
        found = []
        for kind, strike, forward, price in _rows(kinds, s.strike, s.forward, s.out_usd):
            with contextlib.suppress(RuntimeError):
                found.append(
                    ql.blackFormulaImpliedStdDev(
                        kind, strike, forward, price, 1.0, 0.0, ql.nullDouble(), 1e-13, 200
                    )
                )
                continue
            found.append(np.nan)
        return np.array(found) / np.sqrt(s.tenor)

    def greeks(s: Sample) -> Any:
        kinds = np.where(s.is_call, ql.Option.Call, ql.Option.Put)
        found = []
        for kind, strike, forward, tenor, deviation in _rows(
            kinds, s.strike, s.forward, s.tenor, s.iv * np.sqrt(s.tenor)
        ):
            one = ql.BlackCalculator(ql.PlainVanillaPayoff(kind, strike), forward, deviation)
            sensitivities = one.deltaForward(), one.gammaForward(), one.vega(tenor)
            found.append((one.value(), *sensitivities, one.theta(forward, tenor), one.rho(tenor)))
        return np.array(found).T

    yield Peer("QuantLib (scalar)", "premium", 20_000, premium)
    yield Peer("QuantLib (scalar; 6 of 8)", "greeks", 5_000, greeks)
    yield Peer("QuantLib (scalar)", "iv", 20_000, iv)


def _polars_vol(pv: Any) -> Iterator[Peer]:
    pl = import_module("polars")

    def table(s: Sample) -> Any:
        columns = {"k": s.strike, "f": s.forward, "v": s.iv, "t": s.tenor, "c": s.is_call}
        return pl.DataFrame(
            columns | {"r": np.zeros(s.iv.size), "p": s.out_usd, "o": s.is_out_call}
        )

    def premium(s: Sample) -> Any:
        found = table(s).select(x=pv.black_scholes("k", "f", "v", "t", "r", "c"))
        return found["x"].to_numpy()

    def greeks(s: Sample) -> Any:
        return table(s).select(x=pv.black_scholes_with_greeks("k", "f", "v", "t", "r", "c"))

    def iv(s: Sample) -> Any:
        found = table(s).select(x=pv.implied_vol("p", "k", "f", "t", "r", "o", method="halley"))
        return found["x"].to_numpy()

    yield Peer("polars-vol (Rust)", "premium", MILLION, premium)
    yield Peer("polars-vol (Rust; 6 of 8)", "greeks", 200_000, greeks)
    yield Peer("polars-vol (Rust)", "iv", 200_000, iv)


_OTHERS: dict[str, Callable[[Any], Iterator[Peer]]] = {
    "scipy.special": plain_numpy,
    "scipy.optimize": _brentq,
    "lbriv": _lbriv,
    "iv_engine": _iv_engine,
    "fast_vollib": _fast_vollib,
    "polars_vol": _polars_vol,
    "QuantLib": _quantlib,
    "py_lets_be_rational": _lets_be_rational,
    "vollib.black": _vollib,
}
