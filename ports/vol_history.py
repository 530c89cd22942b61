"""Implied and realised volatility of one coin, hour by hour, kept for years."""

from collections.abc import Mapping
from typing import Any, Protocol, Self

import attrs
import numpy as np
from attrs import field, frozen

from ports.columns import Bools, Floats, Ints, float_column, int_column


@frozen(eq=False, kw_only=True)
class VolHistory:
    """
    A row an hour, oldest first, columns (n,); NaN is not known.

    Units: at_ms, harvested_at_ms milliseconds from 1970; iv_30d the close of the volatility
    index, rv_30d the realised volatility of the thirty days before, rv_official what the venue
    publishes of it, all percent a year. Each figure was known at at_ms and not later.
    """

    coin: str
    at_ms: Ints = field(converter=int_column)
    iv_30d: Floats = field(converter=float_column)
    rv_30d: Floats = field(converter=float_column)
    rv_official: Floats = field(converter=float_column)
    harvested_at_ms: Ints = field(converter=int_column)

    @classmethod
    def empty(cls, coin: str) -> Self:
        """Return the history of *coin* of which nothing is known."""
        none = np.empty(0)
        return cls(
            coin=coin, at_ms=none, iv_30d=none, rv_30d=none, rv_official=none, harvested_at_ms=none
        )

    def __len__(self) -> int:
        return len(self.at_ms)

    @property
    def vrp_30d(self) -> Floats:
        """What is implied less what was realised, percentage points."""
        return self.iv_30d - self.rv_30d

    def where(self, mask: Bools) -> Self:
        """The rows for which *mask*, (n,), is true."""
        return self._with({name: getattr(self, name)[mask] for name in _COLUMNS})

    def with_rows(self, more: Self) -> Self:
        """This history and the rows of *more* whose hours it lacks, oldest first."""
        new = more.where(~np.isin(more.at_ms, self.at_ms))
        joined = {
            name: np.concatenate([getattr(self, name), getattr(new, name)]) for name in _COLUMNS
        }
        order = np.argsort(joined["at_ms"], kind="stable")
        return self._with({name: column[order] for name, column in joined.items()})

    def _with(self, columns: Mapping[str, Any]) -> Self:
        return attrs.evolve(self, **columns)


_COLUMNS = ("at_ms", "iv_30d", "rv_30d", "rv_official", "harvested_at_ms")


class VolHistoryStore(Protocol):
    """Where histories are kept; rows are added and never changed."""

    async def read(self, coin: str) -> VolHistory:
        """
        Return what is kept of *coin*; empty if nothing is.

        Raises:
            StoreDamaged: It cannot be read.
        """
        ...

    async def append(self, more: VolHistory) -> int:
        """
        Keep the rows of *more* whose hours are not there yet, and return how many.

        Raises:
            StoreDamaged: What is there cannot be read; it is left as it is.

            StoreUnwritable: It could not be written; nothing was changed.
        """
        ...


class PublishedVol(Protocol):
    """The realised volatility that a venue publishes."""

    async def published_series(self, coin: str) -> "PublishedSeries":
        """
        Return what the venue tells, about sixteen days; safe to retry.

        Raises:
            Unavailable: No answer, or no such coin.
        """
        ...


@frozen(eq=False)
class PublishedSeries:
    """Realised volatility as published, oldest first; milliseconds from 1970 and percent, (n,)."""

    at_ms: Ints = field(converter=int_column)
    percent: Floats = field(converter=float_column)
