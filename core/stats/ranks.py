"""Where a value lies in its own past."""

import numpy as np

from ports.columns import Floats

_LEAST_COVERAGE = 0.6  # of a window that must be known


def rank(window: Floats) -> float:
    """
    Where the last of *window* (n,) lies between its lowest and highest: 0..1, itself included.

    NaN where the last is unknown, less than 60 % is known, or all are the same.
    """
    if not _is_covered(window):
        return float("nan")
    low, high = float(np.nanmin(window)), float(np.nanmax(window))
    return (float(window[-1]) - low) / (high - low) if high > low else float("nan")


def percentile(window: Floats) -> float:
    """The share 0..1 of the known values of *window* (n,) strictly below the last; NaN as rank."""
    if not _is_covered(window):
        return float("nan")
    known = window[np.isfinite(window)]
    return float(np.mean(known < window[-1]))


def z_score(window: Floats) -> float:
    """Standard deviations of the last of *window* (n,) above its mean; NaN as rank."""
    if not _is_covered(window):
        return float("nan")
    known = window[np.isfinite(window)]
    spread = float(np.std(known))
    return (float(window[-1]) - float(np.mean(known))) / spread if spread > 0.0 else float("nan")


def _is_covered(window: Floats) -> bool:
    if len(window) < 2 or not np.isfinite(window[-1]):
        return False
    return float(np.mean(np.isfinite(window))) >= _LEAST_COVERAGE
