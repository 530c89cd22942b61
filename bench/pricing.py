"""
Time pricing, greeks and implied volatility against their peers, in one interleaved run.

All peers take turns on one core, round after round; what counts is the processor time of the
fastest round, and ratios within this run. Accuracy is measured first, against 50 digits.
"""

import statistics
import tempfile
import time
import tracemalloc
import warnings
from collections.abc import Iterator, Sequence
from math import nan
from pathlib import Path
from typing import Any

import numpy as np
from attrs import frozen
from rich.table import Table

from bench import old
from bench.peer import MILLION, Peer
from bench.peers import all_peers
from bench.sample import (
    Floats,
    Sample,
    chain_like,
    exact_ivs,
    exact_main_greeks,
    exact_options,
    sample_of,
)
from core.pricing.greeks import main_greeks
from core.pricing.implied import implied_vol
from tests.support.reference import random_domain

CHECKED = 300  # options compared with 50 digits
DIFFERENTIATED = 25  # of which the greeks are
TITLES = {"premium": "Premium", "greeks": "Premium and seven greeks", "iv": "Implied volatility"}
LOST = 1e-6  # an error in volatility that counts as a failure


@frozen
class Entry:
    """One line of the report: a peer's task, and its processor time per option in each round."""

    name: str
    task: str
    ns: tuple[float, ...]
    accuracy: str
    memory: str


@frozen(kw_only=True)
class PricingParams:
    """Rounds, options, and the interpreter that has py_vollib_vectorized; None is not there."""

    rounds: int = 9
    rows: int = MILLION
    old: Path | None = None


@frozen(eq=False)
class PricingFigures:
    """Every line of the report, and the time of one chain."""

    entries: tuple[Entry, ...]
    chain_ms: float

    def ratio(self, task: str, peer: str) -> float:
        """The fastest round of *peer* in units of ours; NaN where it was not measured."""
        times = {entry.name: min(entry.ns) for entry in self._of(task)}
        matching = [ns for name, ns in times.items() if name.startswith(peer)]
        ours = min(ns for name, ns in times.items() if name.startswith("options-agent"))
        return min(matching) / ours if matching else nan

    def tables(self) -> Iterator[Table]:
        """A table per task."""
        for task in TITLES:
            yield _table(task, self._of(task))

    def _of(self, task: str) -> list[Entry]:
        return [entry for entry in self.entries if entry.task == task]


def measure_pricing(params: PricingParams) -> PricingFigures:
    """Run every peer that is installed, by turns."""
    warnings.simplefilter("ignore")  # peers warn of prices they cannot invert
    peers = list(all_peers())
    sample = chain_like(params.rows)
    with tempfile.TemporaryDirectory() as folder:
        beside = None
        if params.old is not None:
            beside = old.start(params.old, sample.first(old.ROWS), Path(folder))
        entries = _measure(peers, sample, beside, params.rounds)
    return PricingFigures(tuple(entries), _chain_ms())


def _measure(
    peers: Sequence[Peer], sample: Sample, beside: old.OldPeer | None, rounds: int
) -> list[Entry]:
    checks = Checks.of(sample)
    notes = [checks.accuracy(peer) for peer in peers]  # compiles, too
    old_tasks = list(old.tasks()) if beside else []
    old_notes = [checks.of_values(task, beside.values(task)) for task in old_tasks if beside]
    samples = {peer.rows: sample.first(peer.rows) for peer in peers}
    taken: list[list[float]] = [[] for _ in peers]
    old_taken: list[list[float]] = [[] for _ in old_tasks]
    for _ in range(rounds):
        for peer, times in zip(peers, taken, strict=True):
            part = samples[peer.rows]
            start = time.process_time_ns()
            peer.call(part)
            times.append((time.process_time_ns() - start) / part.iv.size)
        for task, times in zip(old_tasks, old_taken, strict=True):
            if beside:
                times.append(beside.time_ns(task) / min(old.ROWS, sample.iv.size))
    entries = [
        Entry(peer.name, peer.task, tuple(times), note, _bytes_held(peer, sample))
        for peer, times, note in zip(peers, taken, notes, strict=True)
    ]
    for task, times, note in zip(old_tasks, old_taken, old_notes, strict=True):
        name = f"{old.NAME} (6 of 8)" if task == "greeks" else old.NAME
        entries.append(Entry(name, task, tuple(times), note, ""))
    return entries


@frozen(eq=False)
class Checks:
    """A few options of the sample, and as many of the whole domain, with their exact figures."""

    chain: Sample
    wide: Sample
    premiums: Floats  # of the chain's sides
    ivs: tuple[Floats, Floats]  # of chain and wide
    greeks: Floats  # of the first of the chain

    @classmethod
    def of(cls, sample: Sample) -> "Checks":
        """The first options of *sample*, and others over all tenors, volatilities and strikes."""
        grid = random_domain(CHECKED, seed=21)
        chain, wide = sample.first(CHECKED), sample_of(grid, grid.is_call)
        of_chain, of_wide = exact_options(chain), exact_options(wide)
        gain = np.where(chain.is_call, 1.0, -1.0) * (chain.forward - chain.strike)
        values = np.array([float(option.value) for option in of_chain])
        ivs = exact_ivs(chain, of_chain), exact_ivs(wide, of_wide)
        greeks = exact_main_greeks(chain.first(DIFFERENTIATED))
        return cls(chain, wide, values + np.maximum(gain, 0.0), ivs, greeks)

    def accuracy(self, peer: Peer) -> str:
        """How far the answers are from 50 digits, and how many are none."""
        answer = peer.call(self.chain)
        if peer.name.startswith("limit"):
            return ""
        if peer.task == "greeks":
            return self._of_greeks(np.asarray(answer)) if peer.exact_units else "not compared"
        if peer.task == "premium":
            return self.of_values(peer.task, answer)
        note = self.of_values(peer.task, answer)
        return f"{note}; whole domain {_iv_note(np.asarray(peer.call(self.wide)), self.ivs[1])}"

    def of_values(self, task: str, values: Any) -> str:
        """The same for the answers to the chain alone."""
        if task == "premium":
            errors = np.abs(np.asarray(values)[:CHECKED] - self.premiums)
            worst = np.nanmax(errors / (self.chain.forward + self.chain.strike))
            return f"{worst:.1e} of F + K"
        if task == "iv":
            return _iv_note(np.asarray(values)[:CHECKED], self.ivs[0])
        return "not compared"

    def _of_greeks(self, rows: Floats) -> str:
        errors = np.abs(rows[:, : self.greeks.shape[1]] / self.greeks - 1.0)
        return f"{errors.max():.1e} of each"


def _iv_note(found: Floats, exact: Floats) -> str:
    errors = np.abs(found - exact)
    failed = ~(errors <= LOST)
    return f"{np.max(errors[~failed], initial=0.0):.1e}, {np.mean(failed):.0%} lost"


def _bytes_held(peer: Peer, sample: Sample) -> str:
    """What numpy holds at most during a call, per option; what others allocate is not seen."""
    part = sample.first(min(peer.rows, 20_000))
    peer.call(part)
    tracemalloc.start()
    peer.call(part)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return f"{peak / part.iv.size:.0f}"


def _table(task: str, entries: Sequence[Entry]) -> Table:
    ours = min(min(entry.ns) for entry in entries if entry.name.startswith("options-agent"))
    table = Table(title=TITLES[task])
    for column in ("", "ns, least", "ns, median", "x ours", "bytes an option"):
        table.add_column(column, justify="right" if column else "left")
    table.add_column("error on the chain")
    for entry in sorted(entries, key=lambda entry: min(entry.ns)):
        least, ratio = min(entry.ns), min(entry.ns) / ours
        figures = f"{least:.2f}", f"{statistics.median(entry.ns):.2f}", f"{ratio:.2f}"
        table.add_row(entry.name, *figures, entry.memory, entry.accuracy)
    return table


def _chain_ms(rounds: int = 300) -> float:
    """The least time of one chain of 900 options: bid, ask and mark volatilities, and greeks."""
    sample = chain_like(900, seed=2)
    terms = sample.forward, sample.strike, sample.tenor
    mark = sample.out_usd / sample.forward
    taken = []
    for _ in range(rounds):
        start = time.perf_counter()
        for price in (0.99 * mark, 1.01 * mark, mark):
            iv, _ = implied_vol(price, *terms, sample.is_out_call)
        main_greeks(*terms, iv, sample.is_out_call)
        taken.append(time.perf_counter() - start)
    return 1e3 * min(taken)
