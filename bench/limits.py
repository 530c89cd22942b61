"""What this machine allows: streams of memory, and the elementary functions alone."""

from functools import cache

import numpy as np

from bench.sample import Floats, Sample
from core.kernel import kernel
from core.pricing.arithmetic import density_factors, log_ratio, mills


@kernel
def one_stream(f: Floats, k: Floats, t: Floats, s: Floats, out: Floats) -> None:
    """Read four columns, write one."""
    for i in range(out.size):
        out[i] = f[i] + k[i] + t[i] + s[i]


@kernel
def eight_streams(f: Floats, k: Floats, t: Floats, s: Floats, rows: tuple[Floats, ...]) -> None:
    """Read four columns, write eight."""
    for i in range(f.size):
        total = f[i] + k[i] + t[i] + s[i]
        rows[0][i] = rows[1][i] = rows[2][i] = rows[3][i] = total
        rows[4][i] = rows[5][i] = rows[6][i] = rows[7][i] = total


@kernel
def of_a_premium(f: Floats, k: Floats, t: Floats, s: Floats, out: Floats) -> None:
    """One logarithm, one exponential and two error functions per option, and nothing else."""
    for i in range(out.size):
        front, _ = density_factors(s[i])
        _, _, joint, _, _ = mills(t[i], s[i])
        out[i] = log_ratio(f[i], k[i]) + front + joint


@kernel
def of_a_volatility(f: Floats, k: Floats, t: Floats, s: Floats, out: Floats) -> None:
    """Those of a guess, of two steps and of the premium that checks them."""
    for i in range(out.size):
        front, _ = density_factors(s[i])
        again, _ = density_factors(t[i])
        _, _, guess, _, _ = mills(t[i], s[i])
        _, _, first, _, _ = mills(s[i], t[i])
        _, _, second, _, _ = mills(t[i], t[i])
        logs = log_ratio(f[i], k[i]) + log_ratio(f[i], t[i]) + log_ratio(f[i], s[i])
        logs += log_ratio(t[i], k[i]) + log_ratio(s[i], k[i])
        out[i] = logs + front + again + guess + first + second


def run_streams(sample: Sample, count: int) -> None:
    """Call the stream with one or eight outputs."""
    columns = sample.forward, sample.strike, sample.tenor, sample.iv
    out = outputs(count, sample.iv.size)
    if count == 1:
        one_stream(*columns, out[0])
    else:
        eight_streams(*columns, tuple(out))


def run_premium_functions(sample: Sample) -> None:
    """Call the loop of the elementary functions of a premium."""
    out = outputs(1, sample.iv.size)[0]
    of_a_premium(sample.forward, sample.strike, sample.tenor, sample.iv, out)


def run_volatility_functions(sample: Sample) -> None:
    """Call the loop of the elementary functions of an implied volatility."""
    out = outputs(1, sample.iv.size)[0]
    of_a_volatility(sample.forward, sample.strike, sample.tenor, sample.iv, out)


@cache
def outputs(rows: int, count: int) -> Floats:
    """Arrays made once, as a caller that prices again and again would hold them."""
    return np.zeros((rows, count))
