"""What the compiled loops promise beyond their numbers: vector code, the same bits, no way out."""

import hashlib
import inspect
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numba
import numpy as np
import pytest

from core.kernel import flat_bools, flat_floats
from core.pricing import arithmetic, implied_kernels, kernels
from core.pricing.implied_kernels import Quotes
from core.pricing.kernels import BLOCK, Options
from ports.columns import Floats
from tests.support.reference import random_domain

ROOT = Path(__file__).resolve().parents[4]
VECTOR_FMA = re.compile(r"@llvm\.fma\.v\d+f64")


def market(count: int) -> Options:
    """*count* options of every sort, both in and out of the money."""
    grid = random_domain(count + 200, seed=11)
    columns = (grid.forward, grid.strike, grid.tenor, grid.iv)
    floats = [flat_floats(column[:count], (count,)) for column in columns]
    return Options(*floats, flat_bools(np.arange(count) % 3 == 0, (count,)))


def absurd(count: int) -> Options:
    """*count* options that are positive and finite, and nothing more."""
    rng = np.random.default_rng(12)
    rows = np.exp(rng.uniform(-200.0, 200.0, (4, count)))
    return Options(*(flat_floats(row, (count,)) for row in rows), rng.random(count) < 0.5)


def everything(options: Options) -> Floats:
    """All that the kernels write for *options*, one row each."""
    count = options.iv.size
    out = np.empty((22, count))
    kernels.premium_usd(options, out[0])
    kernels.premium_coin(options, out[1])
    kernels.deltas(options, out[2:4])
    kernels.main_greeks(options, out[4:12])
    kernels.other_greeks(options, out[12:21])
    coin = flat_floats(out[1], (count,))
    quotes = Quotes(coin, options.forward, options.strike, options.tenor, options.is_call)
    implied_kernels.implied_vol(quotes, out[21], np.empty(count, dtype=np.int8))
    return out


LOOPS = [
    kernels._deviations,
    kernels._premiums,
    kernels._write_deltas,
    kernels._write_main,
    kernels._write_others,
    implied_kernels._normalise,
    implied_kernels._guess,
    implied_kernels._improve,
    implied_kernels._conclude,
    implied_kernels._misses,
]


@pytest.mark.parametrize("loop", LOOPS, ids=lambda loop: str(loop.py_func.__name__))
def test_loops_are_vector_code(loop: Any) -> None:
    """The compiled form of each loop works on several options at a time."""
    options, row = market(8), np.ones(8)
    quotes, work, status = Quotes(*options), np.ones((5, 8)), np.empty(8, dtype=np.int8)
    values = {"options": options, "quotes": quotes, "work": work, "out": row, "status": status}
    values |= {"rows": (row, row), "low": (row,) * 4, "high": (row,) * 4, "last": row}
    values |= {"places": np.arange(8, dtype=np.uint64)}
    names = inspect.signature(loop.py_func).parameters

    fresh = numba.njit(error_model="numpy", fastmath={"contract", "nsz"})(loop.py_func)
    fresh(*(values[name] for name in names))

    assert VECTOR_FMA.search(fresh.inspect_llvm(fresh.signatures[0]))


def test_scalar_code_is_told_from_vector_code() -> None:
    """A running sum cannot be made of vectors, and is found out: the check can fail."""

    @numba.njit
    def running(x: Floats) -> float:
        total = 0.0
        for i in range(x.size):
            total = arithmetic.fma(total, total, x[i])
        return total

    running(np.ones(8))

    assert not VECTOR_FMA.search(running.inspect_llvm(running.signatures[0]))


def test_caches_know_the_arithmetic() -> None:
    """
    The files of the kernels name the digest of arithmetic.py as it is.

    A numba cache sees changes in the file of a kernel only: with the digest in it, there is one.
    """
    digest = hashlib.sha256(Path(arithmetic.__file__).read_bytes()).hexdigest()[:16]

    assert digest == kernels.ARITHMETIC
    assert digest == implied_kernels.ARITHMETIC


def test_same_bits_wherever_an_option_stands() -> None:
    """A row does not depend on the rows beside it, on its place, or on the length of a column."""
    options = market(BLOCK + 300)
    whole = everything(options)

    for start, stop in ((0, 1), (1, 2), (3, 10), (5, 22), (7, BLOCK + 9), (BLOCK - 1, BLOCK + 300)):
        part = slice(start, stop)
        np.testing.assert_array_equal(
            everything(Options(*(column[part] for column in options))), whole[:, part]
        )


def test_same_bits_on_every_run() -> None:
    """Two runs in one process, and one in another, write the same."""
    program = (
        "import hashlib; from tests.unit.core.pricing.test_pricing_kernels import *;"
        "print(hashlib.sha256(everything(market(3000)).tobytes()).hexdigest())"
    )
    first, second = everything(market(3000)), everything(market(3000))

    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert first.tobytes() == second.tobytes()
    assert ran.stdout.strip() == hashlib.sha256(first.tobytes()).hexdigest()


def checked(program: str) -> subprocess.CompletedProcess[str]:
    """Run *program* after the imports of this file, with every index of a kernel checked."""
    imports = "from tests.unit.core.pricing.test_pricing_kernels import *;"
    # A cache of its own, as numba does not tell checked code from unchecked.
    settings = {"NUMBA_BOUNDSCHECK": "1", "NUMBA_OPT": "1", "NUMBA_CACHE_DIR": ".tools/checked"}
    return subprocess.run(
        [sys.executable, "-c", imports + program],
        cwd=ROOT,
        env=os.environ | settings,
        capture_output=True,
        text=True,
        check=False,
    )


def test_no_index_leaves_its_column() -> None:
    """With every index checked, all kernels run over blocks of any size and a million options."""
    ran = checked(
        "[everything(market(n)) for n in (0, 1, 7, BLOCK, BLOCK + 1, 2 * BLOCK + 13)];"
        "everything(absurd(1_000_000))"
    )

    assert ran.returncode == 0, ran.stderr


def test_index_out_of_its_column_is_found() -> None:
    """A column too short is refused: the check can fail."""
    ran = checked(
        "options = market(3);"
        "kernels.premium_usd(options._replace(is_call=options.is_call[:2]), np.empty(3))"
    )

    assert "IndexError" in ran.stderr
