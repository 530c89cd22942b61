"""Ourselves and the others: how each is asked for a premium, greeks or a volatility."""

import contextlib
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
from attrs import frozen

from bench import limits
from bench.sample import Floats, Sample
from core.pricing import implied_kernels, kernels
from core.pricing.black76 import premium_usd
from core.pricing.greeks import main_greeks
from core.pricing.implied import implied_vol

MILLION = 1_000_000


@frozen
class Peer:
    """Somebody who can do *task*: `premium`, `greeks` or `iv`, or show a `limit`."""

    name: str
    task: str
    rows: int  # of the sample; fewer for the slow
    call: Callable[[Sample], Any]


def all_peers() -> Iterator[Peer]:
    """Ourselves, then everyone installed here."""
    yield Peer("options-agent kernel", "premium", MILLION, _our_kernel)
    yield Peer("options-agent call", "premium", MILLION, lambda s: premium_usd(*_market(s)))
    yield Peer("options-agent kernel", "greeks", MILLION, _our_greeks)
    yield Peer("options-agent call", "greeks", MILLION, _our_greeks_call)
    yield Peer("options-agent, new memory", "greeks", MILLION, lambda s: main_greeks(*_market(s)))
    yield Peer("options-agent kernel", "iv", MILLION, _our_iv)
    yield Peer("options-agent call", "iv", MILLION, _our_iv_call)
    yield Peer("stream, 4 in 1 out", "limit", MILLION, lambda s: limits.run_streams(s, 1))
    yield Peer("stream, 4 in 8 out", "limit", MILLION, lambda s: limits.run_streams(s, 8))
    yield Peer("elementary functions alone", "limit", MILLION, limits.run_functions)
    for module, peers in _OTHERS.items():
        if find_spec(module.partition(".")[0]) is not None:
            yield from peers(import_module(module))


def _market(s: Sample) -> tuple[Any, ...]:
    return s.forward, s.strike, s.tenor, s.iv, s.is_call


def _our_kernel(s: Sample) -> Floats:
    out = limits.outputs(1, s.iv.size)[0]
    kernels.premium_usd(kernels.Options(*_market(s)), out)
    return out


def _our_greeks(s: Sample) -> None:
    kernels.main_greeks(kernels.Options(*_market(s)), limits.outputs(8, s.iv.size))


def _our_greeks_call(s: Sample) -> None:
    main_greeks(*_market(s), out=limits.outputs(8, s.iv.size))


def _our_iv(s: Sample) -> Floats:
    quotes = implied_kernels.Quotes(
        s.out_usd / s.forward, s.forward, s.strike, s.tenor, s.is_out_call
    )
    out = limits.outputs(1, s.iv.size)[0]
    implied_kernels.implied_vol(quotes, out, np.empty(s.iv.size, dtype=np.int8))
    return out


def _our_iv_call(s: Sample) -> Floats:
    return implied_vol(s.out_usd / s.forward, s.forward, s.strike, s.tenor, s.is_out_call)[0]


def _scipy(special: Any) -> Iterator[Peer]:
    def terms(s: Sample) -> tuple[Any, ...]:
        side, root = np.where(s.is_call, 1.0, -1.0), np.sqrt(s.tenor)
        deviation = s.iv * root
        d1 = np.log(s.forward / s.strike) / deviation + 0.5 * deviation
        return side, root, deviation, d1, d1 - deviation

    def premium(s: Sample) -> Floats:
        side, _, _, d1, d2 = terms(s)
        value = s.forward * special.ndtr(side * d1) - s.strike * special.ndtr(side * d2)
        return np.asarray(side * value)

    def greeks(s: Sample) -> tuple[Any, ...]:
        side, root, deviation, d1, d2 = terms(s)
        density = np.exp(-0.5 * d1 * d1) / np.sqrt(2 * np.pi)
        delta = side * special.ndtr(side * d1)
        value = s.forward * delta - s.strike * side * special.ndtr(side * d2)
        vega = s.forward * density * root
        gamma = density / (s.forward * deviation)
        theta = -0.5 * s.forward * density * s.iv / root
        return (
            value,
            delta,
            gamma,
            vega,
            theta,
            -s.tenor * value,
            -density * d2 / s.iv,
            (vega * d1 * d2 / s.iv),
        )

    yield Peer("numpy + scipy ndtr", "premium", MILLION, premium)
    yield Peer("numpy + scipy ndtr", "greeks", MILLION, greeks)


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

    yield Peer("vollib (scalar)", "premium", 2_000, premium)
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

    yield Peer("QuantLib (scalar)", "premium", 20_000, premium)
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

    def iv(s: Sample) -> Any:
        found = table(s).select(x=pv.implied_vol("p", "k", "f", "t", "r", "o", method="halley"))
        return found["x"].to_numpy()

    yield Peer("polars-vol (Rust)", "premium", MILLION, premium)
    yield Peer("polars-vol (Rust)", "iv", 200_000, iv)


_OTHERS: dict[str, Callable[[Any], Iterator[Peer]]] = {
    "scipy.special": _scipy,
    "lbriv": _lbriv,
    "iv_engine": _iv_engine,
    "fast_vollib": _fast_vollib,
    "polars_vol": _polars_vol,
    "QuantLib": _quantlib,
    "py_lets_be_rational": _lets_be_rational,
    "vollib.black": _vollib,
}
