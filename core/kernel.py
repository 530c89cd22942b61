"""The one place that configures numba, and the form of array a kernel is called with."""

from collections.abc import Callable
from typing import TypeAlias, TypeVar, cast

import numba
import numpy as np
from numpy.typing import ArrayLike, NDArray

from ports.columns import Bools, Floats

Shape: TypeAlias = tuple[int, ...]
_Function = TypeVar("_Function", bound=Callable[..., object])
_Cell = TypeVar("_Cell", bound=np.generic)

# Fused multiply-add and unsigned zeros only: reordering would break error bounds, and
# assuming no NaN would turn a missing quote into a number.
_FASTMATH = frozenset({"contract", "nsz"})
_NUMBERS: tuple[type, ...] = (float, int)


def kernel(function: _Function) -> _Function:
    """
    Compile *function*, a loop over columns, on its first call; later runs read the cache.

    Floating point follows IEEE (a division by zero is an infinity, nothing is raised) and
    the interpreter lock is free meanwhile. The cache does not notice a change in another
    file: a kernel that calls into one names that file's checksum, which a test holds it to.
    """
    compile_later = numba.njit(error_model="numpy", fastmath=set(_FASTMATH), cache=True, nogil=True)
    return cast(_Function, compile_later(function))


def inline(function: _Function) -> _Function:
    """Compile *function*, scalar arithmetic, into each kernel of its file that calls it."""
    compile_later = numba.njit(error_model="numpy", fastmath=set(_FASTMATH), inline="always")
    return cast(_Function, compile_later(function))


def common_shape(*values: ArrayLike) -> Shape:
    """
    Return the shape that *values* broadcast to.

    Raises:
        ValueError: There is none.
    """
    shapes = {np.shape(each) for each in values if not isinstance(each, _NUMBERS)} - {()}
    if len(shapes) < 2:  # nearly always, and much sooner than by broadcasting
        return shapes.pop() if shapes else ()
    return np.broadcast_shapes(*shapes)


def flat_floats(values: ArrayLike, shape: Shape) -> Floats:
    """
    Return *values* broadcast to *shape* as a float64 column: flat, contiguous, read-only.

    Numba compiles once per combination of layouts and mutabilities of the arguments; if
    all columns of a call have this form, there is one.
    """
    return _flat(np.asarray(values, dtype=np.float64), shape)


def flat_bools(values: ArrayLike, shape: Shape) -> Bools:
    """Return *values* broadcast to *shape* as a bool column of the form of flat_floats."""
    return _flat(np.asarray(values, dtype=np.bool_), shape)


def _flat(values: NDArray[_Cell], shape: Shape) -> NDArray[_Cell]:
    flags = values.flags
    if values.ndim == 1 and values.shape == shape and flags.c_contiguous and not flags.writeable:
        return values
    whole = values if values.shape == shape else np.broadcast_to(values, shape)
    column = whole.ravel()  # a view of its own wherever there is nothing to copy
    column.setflags(write=False)
    return column
