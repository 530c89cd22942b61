"""Holes in a past: where steps are several times as long as the usual one."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from ports.backtest_runs import Omission

_LONG = 4.0  # times the usual step: named among what was left out


def gaps_in(
    underlying: str,
    instants: Sequence[datetime],
    since: datetime | None = None,
    until: datetime | None = None,
) -> tuple[Omission, ...]:
    """
    The holes among the rising *instants*, and before and behind them in *since* to *until*.

    The usual step is the median; a single instant has none, and no holes are told about it.
    """
    steps = sorted(after - before for before, after in pairwise(instants))
    if not steps:
        return ()
    longest = _LONG * steps[len(steps) // 2]
    bounds = [since or instants[0], *instants, until or instants[-1]]
    return tuple(
        Omission(
            at=before,
            subject=underlying,
            reason=f"no snapshot for {(after - before) / timedelta(hours=1):.1f} hours",
        )
        for before, after in pairwise(bounds)
        if after - before > longest
    )
