"""
Measure the parts named, all of them by default, and print each figure beside what was asked of it.

Times are of the processor, of the fastest of many rounds, but for sweeps, which are timed by the
clock on every core: those mean something on a quiet machine alone.
"""

import argparse
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen
from rich.console import Console

from bench.backtest import measure_backtest
from bench.decoding import measure_decoding
from bench.figures import Bound, Figure, figures_table
from bench.peer import MILLION
from bench.pricing import PricingParams, measure_pricing
from bench.storage import measure_storage
from bench.sweeps import measure_sweeps
from bench.tick import measure_ticks

_MEMORY_GB = 2.0


@frozen(kw_only=True)
class Asked:
    """What one invocation measures, and how."""

    pricing: PricingParams
    core: int  # that everything but sweeps stays on
    console: Console


def main() -> None:
    """Measure what is named and print the figures."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--rounds", type=int, default=9, help="of pricing")
    parser.add_argument("--core", type=int, default=max(os.sched_getaffinity(0)))
    parser.add_argument("--rows", type=int, default=MILLION, help="of pricing")
    parser.add_argument("--old", type=Path, help="interpreter that has py_vollib_vectorized")
    parser.add_argument("--absent", type=Path, help="file of the peers that are not installed")
    given = parser.parse_args()
    unknown = [part for part in given.parts if part not in PARTS]
    if unknown:
        parser.error(f"no part {', '.join(unknown)}: there are {', '.join(PARTS)}")
    pricing = PricingParams(rounds=given.rounds, rows=given.rows, old=given.old)
    asked = Asked(pricing=pricing, core=given.core, console=Console(width=160))
    figures: list[Figure] = []
    for part in given.parts or PARTS:
        figures += PARTS[part](asked)
    asked.console.print(figures_table(figures))
    for line in given.absent.read_text().splitlines() if given.absent else ():
        asked.console.print(f"Not measured: {line}", markup=False)


def _pricing(asked: Asked) -> Iterable[Figure]:
    with _one_core(asked.core):
        found = measure_pricing(asked.pricing)
    for table in found.tables():
        asked.console.print(table)
    for task, peer, target in (
        ("premium", "numpy + scipy ndtr", 8.0),
        ("premium", "py_vollib_vectorized", 50.0),
        ("greeks", "numpy + scipy ndtr", 10.0),
        ("greeks", "numpy + ndtr, all terms shared", 10.0),
        ("greeks", "py_vollib_vectorized", 150.0),
        ("iv", "Let's Be Rational", 7.0),
        ("iv", "py_vollib_vectorized", 25.0),
    ):
        name = f"{task}: {peer} / ours"
        yield Figure("pricing", name, found.ratio(task, peer), Bound.AT_LEAST, target)
    chain = "a chain of 900: three volatilities, greeks, ms"
    yield Figure("pricing", chain, found.chain_ms, Bound.AT_MOST, 0.15)


def _backtest(asked: Asked) -> Iterable[Figure]:
    with _one_core(asked.core):
        found = measure_backtest()
    asked.console.print(
        f"{found.rows:,} rows, {found.trades} trades: {1e3 * found.fastest_s:.2f} ms against "
        f"{found.pandas_s:.2f} s, the same within {found.worst_coin:.0e} coin"
    )
    yield Figure("backtest", "pandas loop / fast simulator", found.ratio, Bound.AT_LEAST, 200.0)
    size = found.columns_bytes / 1e9
    yield Figure("backtest", "columns of a year of chains, GB", size, Bound.AT_MOST, _MEMORY_GB)


def _storage(asked: Asked) -> Iterable[Figure]:
    with _one_core(asked.core), tempfile.TemporaryDirectory() as folder:
        found = measure_storage(Path(folder))
    scans = "scan of a file per snapshot / of a month"
    yield Figure("storage", scans, found.scan_ratio, Bound.AT_LEAST, 10.0)
    size = "bytes of a month / of a file per snapshot"
    yield Figure("storage", size, found.size_ratio, Bound.AT_MOST, 0.4)


def _decoding(asked: Asked) -> Iterable[Figure]:
    with _one_core(asked.core):
        found = measure_decoding()
    name = "900 options to columns, IV and greeks / JSON decoder"
    yield Figure("decoding", name, found.ratio, Bound.AT_MOST, 2.0)


def _sweeps(asked: Asked) -> Iterable[Figure]:
    load = os.getloadavg()[0]
    asked.console.print(f"load before the sweeps: {load:.1f}")
    found = measure_sweeps()
    least = Bound.AT_LEAST, 0.93
    yield Figure("sweeps", "400 cells of 50 ms, busy: share of ideal", found.busy, *least)
    yield Figure("sweeps", "400 cells of 50 ms, asleep: share of ideal", found.waiting, *least)


def _tick(asked: Asked) -> Iterable[Figure]:
    with _one_core(asked.core):
        found = measure_ticks()
    least = Bound.AT_LEAST, 500.0
    yield Figure("tick", "ticks a second, call rule", found.rule_a_second, *least)
    yield Figure("tick", "ticks a second, live strategy", found.live_a_second, *least)


PARTS: Mapping[str, Callable[[Asked], Iterable[Figure]]] = {
    "sweeps": _sweeps,  # first, while no other thread was started
    "tick": _tick,
    "decoding": _decoding,
    "storage": _storage,
    "backtest": _backtest,
    "pricing": _pricing,
}


@contextmanager
def _one_core(core: int) -> Iterator[None]:
    """This process on *core* while a block lasts."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


if __name__ == "__main__":
    main()
