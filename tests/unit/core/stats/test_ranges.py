"""Range estimators against arithmetic in fifty digits, and by what they are for."""

from collections.abc import Callable

import mpmath
import numpy as np
import pytest

from core.stats.ranges import Bars, garman_klass, parkinson, rogers_satchell, yang_zhang
from ports.columns import Floats


def walked(seed: int, bars: int = 400, steps: int = 2000, drift: float = 0.0) -> Bars:
    """Bars of a random walk of variance 1e-4 each, open at the close before."""
    rng = np.random.default_rng(seed)
    step = rng.normal(drift / steps, 0.01 / np.sqrt(steps), (bars, steps))
    ends = np.cumsum(step.sum(axis=1))
    starts = np.concatenate([[0.0], ends[:-1]])
    path = np.exp(np.hstack([starts[:, None], starts[:, None] + np.cumsum(step, axis=1)]))
    return Bars(path[:, 0], path.max(axis=1), path.min(axis=1), path[:, -1])


def logs(above: Floats, below: Floats) -> list[mpmath.mpf]:
    """ln(above / below) of each row, in fifty digits."""
    pairs = zip(above.tolist(), below.tolist(), strict=True)
    return [mpmath.log(mpmath.mpf(a) / mpmath.mpf(b)) for a, b in pairs]


@mpmath.workdps(50)
def test_each_bar_is_as_published() -> None:
    """Parkinson, Garman-Klass and Rogers-Satchell by their formulas, to 1e-12."""
    bars, two = walked(1, bars=50), mpmath.log(2)
    whole, close = logs(bars.high, bars.low), logs(bars.close, bars.open)
    up, down = logs(bars.high, bars.open), logs(bars.low, bars.open)

    for row in range(50):
        expected = whole[row] ** 2 / (4 * two)
        assert parkinson(bars)[row] == pytest.approx(float(expected), rel=1e-12)
        expected = whole[row] ** 2 / 2 - (2 * two - 1) * close[row] ** 2
        assert garman_klass(bars)[row] == pytest.approx(float(expected), rel=1e-11)
        expected = up[row] * (up[row] - close[row]) + down[row] * (down[row] - close[row])
        assert rogers_satchell(bars)[row] == pytest.approx(float(expected), rel=1e-11, abs=1e-18)


@mpmath.workdps(50)
def test_yang_zhang_is_as_published() -> None:
    """Gaps, closes and ranges by its weights, to 1e-12."""
    bars = walked(2, bars=60)
    opened = bars.open * np.exp(np.random.default_rng(3).normal(0.0, 0.002, 60))
    high, low = np.maximum(bars.high, opened), np.minimum(bars.low, opened)
    gaps = logs(opened[1:], bars.close[:-1])
    closes = logs(bars.close, opened)[1:]
    up, down = logs(high, opened)[1:], logs(low, opened)[1:]
    count = len(gaps)
    within = mpmath.fsum(
        u * (u - c) + d * (d - c) for u, d, c in zip(up, down, closes, strict=True)
    )
    weight = mpmath.mpf("0.34") / (mpmath.mpf("1.34") + mpmath.mpf(count + 1) / (count - 1))

    def spread(values: list[mpmath.mpf]) -> mpmath.mpf:
        mean = mpmath.fsum(values) / count
        return mpmath.fsum((value - mean) ** 2 for value in values) / (count - 1)

    expected = spread(gaps) + weight * spread(closes) + (1 - weight) * within / count
    found = yang_zhang(Bars(opened, high, low, bars.close))
    assert found == pytest.approx(float(expected), rel=1e-12)


@pytest.mark.parametrize("estimator", [parkinson, garman_klass, rogers_satchell])
def test_a_random_walk_has_its_variance(estimator: Callable[[Bars], Floats]) -> None:
    """Within five standard errors of 1e-4, less what discrete steps hide of the range."""
    found = estimator(walked(4, bars=4000, steps=500))
    error = float(np.std(found)) / np.sqrt(len(found))

    assert abs(float(np.mean(found)) - 1e-4) < 5 * error + 0.08e-4


def test_rogers_satchell_does_not_mind_a_drift() -> None:
    """A drift of two deviations a bar leaves it, and swells Parkinson."""
    calm, driven = walked(5, bars=2000), walked(5, bars=2000, drift=0.02)

    assert np.mean(rogers_satchell(driven)) == pytest.approx(
        float(np.mean(rogers_satchell(calm))), rel=0.1
    )
    assert np.mean(parkinson(driven)) > 2 * np.mean(parkinson(calm))


def test_two_bars_are_too_few() -> None:
    """There is no variance of one gap."""
    assert np.isnan(yang_zhang(walked(6, bars=2)))
    assert yang_zhang(walked(6, bars=3)) > 0.0
