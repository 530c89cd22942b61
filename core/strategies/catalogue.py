"""The strategies there are: strategy_id to constructor, the only registry."""

from collections.abc import Callable, Mapping

from core.greg.catalogue import STRATEGY_ID as GREG
from core.strategies.base import Strategy
from core.strategies.covered_call import CoveredCall, CoveredCallParams
from core.strategies.greg import Greg, GregParams

CATALOGUE: Mapping[str, Callable[[CoveredCallParams, GregParams], Strategy]] = {
    "covered_call_v1": lambda calls, _: CoveredCall("covered_call_v1", calls),
    GREG: lambda _, greg: Greg(GREG, greg),
}
_ADVISERS = frozenset({GREG})


def strategies_of(
    names: tuple[str, ...], params: CoveredCallParams, greg: GregParams | None = None
) -> tuple[Strategy, ...]:
    """
    The strategies called *names*, in that order; what only advises speaks before any order.

    Raises:
        ValueError: There is no such strategy; names those there are.
    """
    unknown = [name for name in names if name not in CATALOGUE]
    if unknown:
        raise ValueError(f"no strategy {unknown[0]!r}; there are {', '.join(CATALOGUE)}")
    by = greg or GregParams(underlyings=params.underlyings)
    ordered = sorted(names, key=lambda name: name not in _ADVISERS)
    return tuple(CATALOGUE[name](params, by) for name in ordered)
