"""What the venue is asked about in particular: what is held or ordered, and what may be sold."""

from collections.abc import Callable

import numpy as np

from adapters.deribit.market_data import Focus
from core.pricing.black76 import delta
from core.selectors.filters import FilterParams
from ports.chain import ChainTable
from ports.checks import from_epoch_ms
from ports.columns import Bools
from ports.positions import Book


def focus_of(want: FilterParams, book: Callable[[], Book]) -> Focus:
    """
    The rows of a chain that matter to *book* as it then is, before the calls that *want* admits.

    Calls in the windows of time and delta come by their distance from the middle of the latter.
    """
    return lambda chain: list(dict.fromkeys([*_ours(chain, book()), *_candidates(chain, want)]))


def _ours(chain: ChainTable, book: Book) -> list[int]:
    ordered = [record.intent.option for record in book.working]
    held = [leg.contract for each in book.open_positions() for leg in each.open_legs]
    rows = (chain.row_of(contract) for contract in [*ordered, *held])
    return [row for row in rows if row is not None]


def _candidates(chain: ChainTable, want: FilterParams) -> list[int]:
    if not len(chain):
        return []
    years = chain.years_left(from_epoch_ms(int(chain.quoted_at_ms.max())))
    found = np.asarray(delta(chain.forward, chain.strike, years, chain.mark_iv, chain.is_call))
    days = 365.0 * years
    admitted: Bools = (
        chain.is_call
        & (days >= want.dte_min)
        & (days <= want.dte_max)
        & (found >= want.delta_min)
        & (found <= want.delta_max)
        & (chain.bid > 0)
    )
    rows = np.flatnonzero(admitted)
    distance = np.abs(found[rows] - (want.delta_min + want.delta_max) / 2.0)
    nearest_first: list[int] = rows[np.argsort(distance, kind="stable")].tolist()
    return nearest_first
