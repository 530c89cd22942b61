"""`scripts/bench` as a command: parts by name, each figure beside its target."""

import subprocess
import sys
from math import nan
from pathlib import Path

from bench.figures import Bound, Figure

_ROOT = Path(__file__).parents[2]


def bench(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bench", *words]
    return subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False)


def test_a_part_prints_its_ratio_beside_the_target() -> None:
    """Decoding alone: one figure, what was asked, and whether it is met."""
    ended = bench("decoding")

    assert ended.returncode == 0, ended.stderr
    assert "JSON decoder" in ended.stdout
    assert "<= 2" in ended.stdout


def test_a_part_that_is_none_is_refused() -> None:
    """The parts there are come with the refusal."""
    ended = bench("nonsense")

    assert ended.returncode == 2
    assert "there are sweeps, tick, decoding, storage, backtest, pricing" in ended.stderr


def test_a_figure_is_met_on_its_side_of_the_target() -> None:
    """At least, at most, and not measured."""
    assert Figure("p", "n", 0.93, Bound.AT_LEAST, 0.93).verdict == "met"
    assert Figure("p", "n", 0.92, Bound.AT_LEAST, 0.93).verdict == "missed"
    assert Figure("p", "n", 2.0, Bound.AT_MOST, 2.0).verdict == "met"
    assert Figure("p", "n", 2.1, Bound.AT_MOST, 2.0).verdict == "missed"
    assert Figure("p", "n", nan, Bound.AT_MOST, 2.0).verdict == "not measured"
