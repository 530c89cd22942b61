"""A line of the benchmark: who does what, on how many options."""

from collections.abc import Callable
from typing import Any

from attrs import frozen

from bench.sample import Sample

MILLION = 1_000_000


@frozen
class Peer:
    """Somebody who can do *task*, `premium`, `greeks` or `iv`, or what bounds whoever does it."""

    name: str
    task: str
    rows: int  # of the sample; fewer for the slow
    call: Callable[[Sample], Any]
    exact_units: bool = False  # greeks are eight rows, in the order and units of MainGreeks
