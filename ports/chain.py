"""ChainTable: the option chain of one underlying as read-only columns."""

from datetime import datetime
from functools import lru_cache
from typing import Self

import attrs
import numpy as np
from attrs import field, frozen

from ports.checks import epoch_ms, from_epoch_ms
from ports.columns import Bools, Floats, Ints, bool_column, float_column, int_column
from ports.instruments import OptionContract, OptionKind, Settlement


@frozen(kw_only=True, eq=False)
class ChainTable:
    """
    Listed options of one underlying, a row a contract, sorted by expiry, strike, calls first.

    Shapes: all columns (n,). Units: prices coin per contract for inverse options; strike and
    forward USD per coin; amounts, open interest and volume contracts; mark_iv 0.65 is 65 %;
    expiry and quoted_at milliseconds from 1970. NaN means not quoted or not known.
    """

    underlying: str
    settlement: Settlement = Settlement.INVERSE
    expiry_ms: Ints = field(converter=int_column)
    strike: Floats = field(converter=float_column)
    is_call: Bools = field(converter=bool_column)
    forward: Floats = field(converter=float_column)
    bid: Floats = field(converter=float_column)
    ask: Floats = field(converter=float_column)
    bid_amount: Floats = field(converter=float_column)
    ask_amount: Floats = field(converter=float_column)
    mark: Floats = field(converter=float_column)
    mark_iv: Floats = field(converter=float_column)
    open_interest: Floats = field(converter=float_column)
    volume: Floats = field(converter=float_column)
    quoted_at_ms: Ints = field(converter=int_column)

    def __attrs_post_init__(self) -> None:
        for name in _COLUMNS:
            if getattr(self, name).shape != self.strike.shape:
                raise ValueError(
                    f"column {name} has shape {getattr(self, name).shape}, "
                    f"strike has {self.strike.shape}"
                )
        order = np.lexsort((~self.is_call, self.strike, self.expiry_ms))
        if (order[1:] < order[:-1]).any():
            raise ValueError("rows must come sorted by expiry, strike, calls first")

    def __len__(self) -> int:
        return len(self.strike)

    def where(self, mask: Bools) -> Self:
        """The rows for which *mask*, (n,), is true."""
        return attrs.evolve(self, **{name: getattr(self, name)[mask] for name in _COLUMNS})

    def contract(self, row: int) -> OptionContract:
        """The contract in *row*."""
        return _contract(
            self.underlying,
            int(self.expiry_ms[row]),
            float(self.strike[row]),
            bool(self.is_call[row]),
            self.settlement,
        )

    @property
    def contracts(self) -> tuple[OptionContract, ...]:
        """All contracts, in row order."""
        return tuple(self.contract(row) for row in range(len(self)))

    def row_of(self, contract: OptionContract) -> int | None:
        """The row of *contract*; None if it is not listed here."""
        if (contract.underlying, contract.settlement) != (self.underlying, self.settlement):
            return None
        at_ms = epoch_ms(contract.expiry)
        first = int(self.expiry_ms.searchsorted(at_ms))
        last = int(self.expiry_ms.searchsorted(at_ms, side="right"))
        first += int(self.strike[first:last].searchsorted(contract.strike))
        for row in range(first, min(first + 2, last)):  # a call, a put, or both
            if self.strike[row] == contract.strike and self.is_call[row] == contract.is_call:
                return row
        return None

    def years_left(self, now: datetime) -> Floats:
        """Years from *now* to each expiry, ACT/365; zero once it has passed."""
        return np.maximum(self.expiry_ms - epoch_ms(now), 0) / _MS_PER_YEAR


_COLUMNS = (
    "expiry_ms",
    "strike",
    "is_call",
    "forward",
    "bid",
    "ask",
    "bid_amount",
    "ask_amount",
    "mark",
    "mark_iv",
    "open_interest",
    "volume",
    "quoted_at_ms",
)
_MS_PER_YEAR = 365 * 86_400_000


@lru_cache(maxsize=16_384)  # a few thousand contracts, and their names, come with every chain
def _contract(
    underlying: str, expiry_ms: int, strike: float, is_call: bool, settlement: Settlement
) -> OptionContract:
    return OptionContract(
        underlying=underlying,
        expiry=from_epoch_ms(expiry_ms),
        strike=strike,
        kind=OptionKind.CALL if is_call else OptionKind.PUT,
        settlement=settlement,
    )
