"""How sure a share is that was counted."""

from statistics import NormalDist

import numpy as np
from attrs import frozen

from ports.columns import Floats, Ints


@frozen(eq=False)
class ShareBounds:
    """The bounds of shares, in the shape of their counts; NaN where nothing was counted."""

    low: Floats
    high: Floats


def wilson(hits: Ints, counts: Ints, confidence: float = 0.95) -> ShareBounds:
    """
    The score interval of *hits* among *counts*: two of one shape in, bounds of that shape out.

    It is for independent trials: days that follow each other tell less than it says.
    Source: Wilson (1927), Probable inference, the law of succession, and statistical inference,
        J. Am. Stat. Assoc. 22, 209-212.
    """
    z = NormalDist().inv_cdf((1.0 + confidence) / 2.0)
    total = np.where(counts > 0, counts, np.nan)
    share = hits / total
    scale = 1.0 + z**2 / total
    middle = (share + z**2 / (2.0 * total)) / scale
    half = z / scale * np.sqrt(share * (1.0 - share) / total + (z / (2.0 * total)) ** 2)
    # at its ends a share is its own bound, and rounding must not move it
    low, high = np.maximum(middle - half, 0.0), np.minimum(middle + half, 1.0)
    return ShareBounds(np.where(hits == 0, 0.0 * low, low), np.where(hits == total, 1.0, high))
