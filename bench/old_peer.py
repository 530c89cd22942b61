"""
py_vollib_vectorized, which needs packages of 2024, behind a pipe: a line in, a line out.

Started with a folder of columns. Each line names a task; the answer is the processor time of one
call in ns, and with `save` before the task the values are written into the folder first.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from py_vollib_vectorized import (  # type: ignore[import-not-found]
    vectorized_black,
    vectorized_delta,
    vectorized_gamma,
    vectorized_implied_volatility_black,
    vectorized_rho,
    vectorized_theta,
    vectorized_vega,
)

GREEKS = (vectorized_delta, vectorized_gamma, vectorized_theta, vectorized_vega, vectorized_rho)


def main() -> None:
    """Answer until the pipe closes."""
    folder = Path(sys.argv[1])
    names = ("forward", "strike", "tenor", "iv", "is_call", "out_usd", "is_out_call")
    f, k, t, v, is_call, price, is_out = (np.load(folder / f"{name}.npy") for name in names)
    flag, out_flag = np.where(is_call, "c", "p"), np.where(is_out, "c", "p")

    def premium() -> Any:
        return vectorized_black(flag, f, k, t, 0.0, v, return_as="numpy")

    def greeks() -> Any:  # on a spot at rate 0, which is the same; its Black model does not run
        terms = (flag, f, k, t, 0.0, v)
        found = [one(*terms, model="black_scholes", return_as="numpy") for one in GREEKS]
        return np.array([premium(), *found])

    def iv() -> Any:
        terms = (price, f, k, 0.0, t, out_flag)
        return vectorized_implied_volatility_black(*terms, on_error="ignore", return_as="numpy")

    tasks: dict[str, Callable[[], Any]] = {"premium": premium, "greeks": greeks, "iv": iv}
    for line in sys.stdin:
        *save, task = line.split()
        start = time.process_time_ns()
        values = tasks[task]()
        taken = time.process_time_ns() - start
        if save:
            np.save(folder / "values.npy", values)
        print(taken, flush=True)


if __name__ == "__main__":
    main()
