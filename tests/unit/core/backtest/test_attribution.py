"""Attribution of the P&L: its parts add up, and each is what its greek says."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.backtest.attribution import attribution_figures, attribution_of, costs_by_step
from core.backtest.metrics_columns import TradeColumns
from core.backtest.names import Numeraire
from core.pricing.black76 import premium_coin
from core.pricing.greeks import greeks
from ports.backtest_runs import EquityCurve, ExitReason
from tests.support.backtest_runs import START, WEEK, curve, sold_and_held, trade

PARTS = ("coin", "delta", "gamma", "vega", "theta", "costs", "residual")
NONE = TradeColumns.of(())


def random_account(seed: int) -> EquityCurve:
    """Columns without meaning: the law of sums must not need any."""
    rng = np.random.default_rng(seed)
    values = rng.standard_normal((7, 40))
    values[:, rng.integers(0, 40, 5)] = np.nan
    return curve(
        1.0 + 0.1 * rng.random(40),
        50_000.0 * (1.0 + rng.random(40)),
        option_coin=0.1 * rng.standard_normal(40),
        delta=values[0],
        net_delta=values[1],
        gamma=values[2] / 1e4,
        vega=values[3],
        theta=values[4],
        mark_iv=np.abs(values[5]),
    )


@given(seed=st.integers(0, 10_000), numeraire=st.sampled_from(Numeraire))
@settings(derandomize=True, deadline=None, max_examples=60)
def test_parts_add_up_at_every_step(seed: int, numeraire: Numeraire) -> None:
    """All parts together are the change of equity, whatever is missing."""
    account = random_account(seed)
    found = attribution_of(TradeColumns.of((trade(1), trade(2))), account, numeraire)
    total = sum(getattr(found, part) for part in PARTS)
    equity = account.equity_coin if numeraire is Numeraire.COIN else account.equity_usd

    assert np.allclose(total, np.diff(equity), rtol=0.0, atol=1e-9 * equity.max())
    assert np.isfinite(found.residual).all()


@given(seed=st.integers(0, 10_000))
@settings(derandomize=True, deadline=None, max_examples=30)
def test_usd_is_coin_at_the_index_of_the_end(seed: int) -> None:
    """Gamma, vega and theta in coin are those in USD over the index; delta is the net one."""
    account = random_account(seed)
    coin = attribution_of(NONE, account, Numeraire.COIN)
    usd = attribution_of(NONE, account, Numeraire.USD)

    for part in ("gamma", "vega", "theta"):
        assert np.allclose(getattr(coin, part) * account.index_usd[1:], getattr(usd, part))
    assert not coin.coin.any()


def short_call(size: float) -> EquityCurve:
    """A short call over two marks; time, index and volatility move by so much of a day's move."""
    index = np.array([100_000.0, 100_000.0 * (1.0 + 0.02 * size)])
    iv = np.array([0.5, 0.5 + 0.02 * size])
    tenor = (7.0 - np.array([0.0, size])) / 365.0
    each = greeks(index, 105_000.0, tenor, iv, True)
    option = -np.asarray(premium_coin(index, 105_000.0, tenor, iv, True))
    return curve(
        1.0 + option,
        index,
        hours=24.0 * size,
        option_coin=option,
        delta=-each.delta,
        net_delta=-each.net_delta,
        gamma=-each.gamma,
        vega=-each.vega,
        theta=-each.theta,
        mark_iv=iv,
    )


@pytest.mark.parametrize("numeraire", Numeraire)
def test_the_residual_is_of_second_order(numeraire: Numeraire) -> None:
    """Half of the move leaves a quarter of the residual: no greek is missing or doubled."""
    whole, half = (
        float(attribution_of(NONE, short_call(size), numeraire).residual[0])
        for size in (1.0 / 24.0, 1.0 / 48.0)
    )

    assert half / whole == pytest.approx(0.25, abs=0.02)


def test_greeks_count_with_what_they_belong_to() -> None:
    """Each part is its greek at the mark before, times what moved."""
    account = curve(
        [1.0, 1.0],
        [100.0, 104.0],
        delta=-0.5,
        net_delta=-0.45,
        gamma=-0.01,
        vega=-2.0,
        theta=3.0,
        mark_iv=np.array([0.5, 0.53]),
    )
    found = attribution_of(NONE, account, Numeraire.USD)

    assert found.coin[0] == pytest.approx(4.0)
    assert found.delta[0] == pytest.approx(-2.0)
    assert found.gamma[0] == pytest.approx(-0.08)
    assert found.vega[0] == pytest.approx(-6.0)
    assert found.theta[0] == pytest.approx(3.0)
    assert attribution_of(NONE, account, Numeraire.COIN).delta[0] == pytest.approx(-1.8 / 104.0)


def test_a_bar_with_a_trade_has_no_vega() -> None:
    """The volatilities of two holdings have no difference that vega could multiply."""
    account = curve([1.0] * 4, vega=-50.0, mark_iv=np.array([0.4, 0.5, 0.6, 0.7]))
    sold = trade(opened_at=START + timedelta(hours=30), closed_at=START + timedelta(days=9))
    found = attribution_of(TradeColumns.of((sold,)), account, Numeraire.USD)

    assert found.vega.tolist() == pytest.approx([-500.0, 0.0, -500.0])


def test_costs_fall_where_they_are_paid() -> None:
    """Fees and slippage of sale and buy-back in their own bars; an expiry costs at the sale."""
    bought_back = trade(
        1,
        opened_at=START + timedelta(hours=1),
        closed_at=START + timedelta(days=2),
        exit_reason=ExitReason.TAKE_PROFIT,
        entry_mark_coin=0.011,
        exit_coin=0.005,
        exit_mark_coin=0.004,
        fees_coin=0.0006,
    )
    expired = trade(2, opened_at=START + timedelta(days=2), fees_coin=0.0003)
    rows = TradeColumns.of((bought_back, expired))
    found = costs_by_step(rows, curve([1.0] * 12).at_ms, Numeraire.COIN)

    assert found[:3].tolist() == pytest.approx([0.0013, 0.0016, 0.0])
    assert found.sum() == pytest.approx(0.0009 + 0.002)


def test_costs_are_all_fees_and_slippage() -> None:
    """Over a run they are the fees and the slippage that the metrics name, in both numeraires."""
    run = sold_and_held()
    rows = TradeColumns.of(run.trades)
    for numeraire in Numeraire:
        found = costs_by_step(rows, run.equity.at_ms, numeraire)
        late = rows.opened_ms > run.equity.at_ms[0]  # the first sale is at the first mark
        paid = (rows.fees(numeraire) + rows.entry_slippage(numeraire))[late].sum()
        paid += rows.exit_slippage(numeraire).sum()
        assert found.sum() == pytest.approx(paid, rel=1e-9)


def test_theta_is_split_by_its_sign() -> None:
    """Theta earned less theta paid is theta."""
    account = curve([1.0] * 3, theta=np.array([5.0, -2.0, 9.0]))
    found = attribution_figures(attribution_of(NONE, account, Numeraire.USD))

    assert (found["theta_earned"], found["theta_paid"]) == (5.0, 2.0)
    assert found["attribution_theta"] == 3.0


def test_expiry_after_the_last_mark_costs_nothing_yet() -> None:
    """What happens outside the marks is in no bar."""
    late = trade(opened_at=START + 3 * WEEK)

    assert not costs_by_step(TradeColumns.of((late,)), curve([1.0] * 3).at_ms, Numeraire.COIN).any()
