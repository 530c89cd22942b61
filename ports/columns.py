"""Array types of tables and kernels, and the way a column is made safe to share."""

from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Bools: TypeAlias = NDArray[np.bool_]

_Cell = TypeVar("_Cell", bound=np.generic)


def float_column(values: ArrayLike) -> Floats:
    """Return *values* as a read-only float64 column, (n,)."""
    return _shared(np.array(values, dtype=np.float64, ndmin=1))


def int_column(values: ArrayLike) -> Ints:
    """Return *values* as a read-only int64 column, (n,)."""
    return _shared(np.array(values, dtype=np.int64, ndmin=1))


def bool_column(values: ArrayLike) -> Bools:
    """Return *values* as a read-only bool column, (n,)."""
    return _shared(np.array(values, dtype=np.bool_, ndmin=1))


def _shared(column: NDArray[_Cell]) -> NDArray[_Cell]:
    column.flags.writeable = False
    return column
