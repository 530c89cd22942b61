"""Chance that can be asked for again: the same seed, name and instant give the same draws."""

from datetime import datetime, timedelta
from hashlib import blake2b

import numpy as np

from ports.checks import EPOCH


def rng_at(seed: int, name: str, now: datetime) -> np.random.Generator:
    """
    Return the generator of *name* at *now* in the run of *seed*.

    Generators of other names or instants are independent of it, so adding or reordering
    strategies disturbs no other.
    """
    microseconds = (now - EPOCH) // timedelta(microseconds=1)
    key = blake2b(f"{seed}|{name}|{microseconds}".encode(), digest_size=16).digest()
    return np.random.default_rng(int.from_bytes(key))
