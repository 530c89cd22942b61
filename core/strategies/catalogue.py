"""The strategies there are: strategy_id to constructor, the only registry."""

from collections.abc import Callable, Mapping

from core.strategies.base import Strategy
from core.strategies.covered_call import CoveredCall, CoveredCallParams

CATALOGUE: Mapping[str, Callable[[CoveredCallParams], Strategy]] = {
    "covered_call_v1": lambda params: CoveredCall("covered_call_v1", params),
}


def strategies_of(names: tuple[str, ...], params: CoveredCallParams) -> tuple[Strategy, ...]:
    """
    The strategies called *names*, in that order.

    Raises:
        ValueError: There is no such strategy; names those there are.
    """
    unknown = [name for name in names if name not in CATALOGUE]
    if unknown:
        raise ValueError(f"no strategy {unknown[0]!r}; there are {', '.join(CATALOGUE)}")
    return tuple(CATALOGUE[name](params) for name in names)
