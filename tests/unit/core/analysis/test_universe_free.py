"""Where a fit begins, and what a position stands for."""

from math import log

import pytest
from attrs import evolve

from core.analysis.universe_free import HIGHEST, LOWEST, generic, moved, position
from tests.support.universes import universe


def test_a_fit_begins_alike_whatever_the_coin() -> None:
    """All but the level is the same and inside the ranges; regimes' levels are as measured."""
    start = generic(0.5)
    at = position(start)

    assert generic(0.7) == evolve(start, long_run_iv=0.7)
    assert (at > LOWEST).all()
    assert (at < HIGHEST).all()
    assert (start.level_spread, start.rho_spread, start.premium_spread) == (1.0, 1.0, 0.5)
    assert (start.rho_shift, start.premium, start.skew_shift) == (0.0, 0.0, 0.0)


def test_a_position_and_its_market_belong_together() -> None:
    """Moving a market to a position gives figures that are there; a step of 0.05 in ln is one."""
    start = universe(generic(0.5)).coin("BTC")
    at = position(start.dynamics)
    up = at.copy()
    up[0] += 1.0

    assert position(moved(start, up).dynamics) == pytest.approx(up, abs=1e-9)
    assert log(moved(start, up).dynamics.long_run_iv / 0.5) == pytest.approx(0.05, abs=1e-12)
