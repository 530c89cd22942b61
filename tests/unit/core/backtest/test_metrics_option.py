"""Premium, assignment, campaigns and volatility sold, against what they are by hand."""

from datetime import timedelta
from itertools import pairwise

import mpmath as mp
import numpy as np
import pytest

from core.backtest.metrics import metrics_of
from core.backtest.metrics_columns import TradeColumns
from core.backtest.metrics_option import days_in_market
from core.backtest.metrics_volatility import shocked_changes
from core.backtest.names import Numeraire
from ports.backtest_runs import BacktestTrade, ExitReason
from ports.instruments import OptionKind
from tests.support.backtest_runs import SPOT_USD, START, WEEK, curve, trade

HOUR = timedelta(hours=1)


def campaign() -> tuple[BacktestTrade, ...]:
    """A sale rolled twice and then assigned, and a second sale that expired."""
    rolled = trade(1, chain=1, exit_reason=ExitReason.ROLL, exit_coin=0.015, exit_mark_coin=0.014)
    again = trade(
        2, chain=1, exit_reason=ExitReason.DEFENSIVE_ROLL, entry_coin=0.018, exit_coin=0.02,
        exit_mark_coin=0.0195, entry_mark_coin=0.0185, exit_index_usd=120_000.0,
    )  # fmt: skip
    assigned = trade(
        3, chain=1, exit_reason=ExitReason.ASSIGNED, entry_coin=0.03, exit_coin=0.05,
        entry_mark_coin=0.03, exit_mark_coin=0.05, exit_index_usd=120_000.0, amount=2.0,
    )  # fmt: skip
    return (rolled, again, assigned, trade(4, chain=2))


def figures() -> dict[str, float | None]:
    return metrics_of(campaign(), curve([2.0] * 29))


@pytest.mark.parametrize(
    ("key", "by_hand"),
    [
        ("premium_collected_coin", 0.01 + 0.018 + 0.06 + 0.01),
        ("premium_kept_pct_coin", 100.0 * (0.098 - 0.015 - 0.02 - 0.1) / 0.098),
        (
            "premium_kept_pct_usd",
            100.0 * (0.098 * 1e5 - 0.015 * 1e5 - 0.12 * 1.2e5) / (0.098 * 1e5),
        ),
        ("capture_at_exit_pct", 100.0 * (-0.5 - 0.02 / 0.18 - 2.0 / 3.0 + 1.0) / 4.0),
        ("fees_of_premium_pct_coin", 100.0 * 4.0 * 0.0003 / 0.098),
        ("slippage_paid_coin", 0.001 + 0.0005 + 0.0005),
        ("slippage_paid_usd", 0.001 * 1e5 + 0.0005 * 1e5 + 0.0005 * 1.2e5),
        ("slippage_of_premium_pct_coin", 100.0 * 0.002 / 0.098),
        ("fill_edge_pct", 100.0 * (0.018 / 0.0185 - 1.0) / 4.0),
        ("turnover", (5.0 + 2.0) / 2.0),
        ("assigned_trades", 1.0),
        ("assignment_rate_pct", 50.0),
        ("assignment_rate_size_pct", 100.0 * 2.0 / 3.0),
        ("campaigns", 2.0),
        ("rolls_per_campaign", 1.0),
        ("roll_credit_coin", (0.018 - 0.015) + (0.06 - 0.02)),
        ("roll_credit_usd", (0.018 - 0.015) * 1e5 + 0.06 * 1e5 - 0.02 * 1.2e5),
        ("days_in_market", 28.0),
        ("exposure_pct", 100.0),
        ("upside_forgone_coin", 0.1),
        ("upside_forgone_usd", 12_000.0),
        ("avg_entry_dte", 7.0),
        ("avg_duration_days", 7.0),
        ("iv_sold_points", 50.0),
    ],
)
def test_worked_by_hand(key: str, by_hand: float) -> None:
    """Each figure is its definition on a campaign of three legs and a sale of its own."""
    assert figures()[key] == pytest.approx(by_hand, rel=1e-12)


def test_slippage_without_a_mark_is_unknown() -> None:
    """One fill that cannot be measured leaves the sum undefined, not smaller."""
    blind = trade(2, entry_mark_coin=float("nan"))

    assert metrics_of((trade(1), blind), curve([1.0]))["slippage_paid_coin"] is None


def test_days_in_market_count_once() -> None:
    """Overlapping trades share their days, gaps between trades are not counted."""
    rows = (
        trade(1),
        trade(2, opened_at=START + 2 * HOUR, closed_at=START + 5 * HOUR),
        trade(3, opened_at=START + WEEK - 24 * HOUR, closed_at=START + WEEK + 24 * HOUR),
        trade(4, opened_at=START + 3 * WEEK, closed_at=START + 3 * WEEK + 12 * HOUR),
    )

    assert days_in_market(TradeColumns.of(rows)) == 8.5


def test_volatility_realised_from_sale_to_end() -> None:
    """Root of squared log returns at marks over their time, and what was earned over it."""
    index = SPOT_USD * np.array([1.0, 1.02, 0.99, 1.01, 1.0, 1.03, 1.02, 1.01, 2.0])
    sold = trade(strike=115_000.0)
    found = metrics_of((sold,), curve([1.0] * 9, index))
    with mp.workdps(50):
        steps = [mp.log(mp.mpf(b) / mp.mpf(a)) for a, b in pairwise(index[:8])]
        realised = mp.sqrt(mp.fsum(each**2 for each in steps) * 365 / 7)
        total = mp.mpf("0.5") * mp.sqrt(mp.mpf(7) / 365)
        d1 = mp.log(mp.mpf(100_000) / 115_000) / total + total / 2
        vega_usd = 100_000 * mp.npdf(d1) * mp.sqrt(mp.mpf(7) / 365) / 100
        points = 100 * (mp.mpf("0.5") - realised)
        assert found["realised_points"] == pytest.approx(float(100 * realised), rel=1e-12)
        assert found["vrp_points"] == pytest.approx(float(points), rel=1e-12)
        assert found["vrp_value_usd"] == pytest.approx(float(vega_usd * points), rel=1e-9)
        assert found["vrp_value_coin"] == pytest.approx(
            float(vega_usd * points / 100_000), rel=1e-9
        )


def test_a_trade_with_too_few_marks_has_no_realised_volatility() -> None:
    """Two returns say nothing of a volatility: undefined, not zero."""
    brief = trade(closed_at=START + timedelta(days=2))

    assert metrics_of((brief,), curve([1.0] * 9))["realised_points"] is None


def test_touches_are_of_marks_while_held() -> None:
    """The share of strikes the index reached, beside what delta had said."""
    index = SPOT_USD * np.array([1.0] * 3 + [1.2] + [1.0] * 20)
    rows = (trade(1, strike=110_000.0), trade(2, strike=110_000.0))
    puts = (trade(3, kind=OptionKind.PUT, strike=90_000.0, entry_delta=-0.6),)
    found = metrics_of(rows + puts, curve([1.0] * 24, index))

    assert found["touch_seen_pct_calls"] == 50.0
    assert found["touch_expected_pct_calls"] == 50.0
    assert found["touch_seen_pct_puts"] == 0.0
    assert found["touch_expected_pct_puts"] == 100.0


def test_trades_bought_back_say_nothing_of_touches() -> None:
    """Only trades that reached expiry are compared with their delta."""
    found = metrics_of((trade(exit_reason=ExitReason.TAKE_PROFIT),), curve([1.0] * 9))

    assert found["touch_seen_pct"] is None


def test_a_crash_of_the_coin_alone() -> None:
    """Without options equity falls with the index in USD, and not at all in coin."""
    found = metrics_of((), curve([1.0, 1.1, 1.2]))

    assert found["worst_shock_20_pct_usd"] == pytest.approx(-20.0)
    assert found["worst_shock_40_pct_coin"] == pytest.approx(0.0)


def test_a_crash_makes_short_calls_cheaper() -> None:
    """The shocked account is repriced at the volatility of the mark, against fifty digits."""
    option = np.array([0.0, -0.012, -0.011])
    account = curve([1.0, 0.998, 0.999], option_coin=option, mark_iv=0.5)
    sold = trade(strike=105_000.0, opened_at=START + 2 * HOUR)
    columns = TradeColumns.of((sold,))
    found = shocked_changes(columns, account, 0.2, Numeraire.USD)
    with mp.workdps(50):
        tenor = (mp.mpf(7) - 1 + mp.mpf(2) / 24) / 365

        def worth(forward: int) -> mp.mpf:
            total = mp.mpf("0.5") * mp.sqrt(tenor)
            d1 = mp.log(mp.mpf(forward) / 105_000) / total + total / 2
            return forward * mp.ncdf(d1) - 105_000 * mp.ncdf(d1 - total)

        gain = worth(100_000) - worth(80_000)
        before = mp.mpf("0.998") * 100_000
        after = mp.mpf("1.01") * 80_000 + mp.mpf("-0.012") * 100_000 + gain
        assert found[0] == pytest.approx(-0.2, rel=1e-12)  # not yet sold
        assert found[1] == pytest.approx(float(after / before - 1), rel=1e-9)


def test_a_shock_without_a_volatility_is_unknown() -> None:
    """Options held without a mark volatility cannot be repriced."""
    account = curve([1.0, 0.99, 0.99], option_coin=np.array([0.0, -0.01, -0.01]), mark_iv=np.nan)

    assert metrics_of((trade(),), account)["worst_shock_20_pct_usd"] is None


def test_a_sale_after_an_expiry_is_no_roll() -> None:
    """Only what was bought back is rolled, though the campaign goes on."""
    goes_on = (trade(1, chain=1), trade(2, chain=1, entry_coin=0.02))

    assert metrics_of(goes_on, curve([1.0] * 20))["roll_credit_coin"] == 0.0
