"""A run cut into parts: the parts are what they say, and together they are the run."""

import numpy as np
import pytest

from core.backtest.metrics import metrics_of
from core.backtest.metrics_tables import Period, group_row, group_rows, period_rows, regimes
from core.backtest.metrics_tables import regime_rows as by_regime
from ports.backtest_runs import ExitReason
from tests.support.backtest_runs import curve, sold_and_held, trade

RUN = sold_and_held(weeks=60)
CLOSED = [each for each in RUN.trades if each.exit_reason is not ExitReason.LEFT_OPEN]


@pytest.mark.parametrize("period", Period)
def test_periods_join_to_the_run(period: Period) -> None:
    """Returns of all periods compound to that of the run, and no trade is lost or twice."""
    rows = period_rows(RUN.trades, RUN.equity, period)
    found = metrics_of(RUN.trades, RUN.equity)

    coin = np.prod([1.0 + (row.return_coin_pct or 0.0) / 100.0 for row in rows])
    assert 100.0 * (coin - 1.0) == pytest.approx(found["equity_return_pct_coin"], rel=1e-9)
    usd = np.prod([1.0 + (row.return_usd_pct or 0.0) / 100.0 for row in rows])
    assert 100.0 * (usd - 1.0) == pytest.approx(found["equity_return_pct_usd"], rel=1e-9)
    assert sum(row.trades for row in rows) == len(CLOSED)
    assert sum(row.net_coin for row in rows) == pytest.approx(found["net_pnl_coin"])


def test_names_of_periods() -> None:
    """Periods are named by the day, Monday, month or year that they are."""
    marks = curve([1.0] * 6)  # from Friday, 2 January 2026, 08:00, every day

    def names(period: Period) -> list[str]:
        return [row.name for row in period_rows((), marks, period)]

    assert names(Period.DAY) == [f"2026-01-0{day}" for day in (3, 4, 5, 6, 7)]
    assert names(Period.WEEK) == ["2025-12-29", "2026-01-05"]
    assert names(Period.MONTH) == ["2026-01"]
    assert names(Period.YEAR) == ["2026"]


def test_a_trade_belongs_to_the_period_it_ended_in() -> None:
    """A sale in January that expires in February is February's."""
    rows = period_rows((trade(5),), curve([1.0] * 60), Period.MONTH)

    assert [(row.name, row.trades) for row in rows] == [
        ("2026-01", 0),
        ("2026-02", 1),
        ("2026-03", 0),
    ]


def test_short_parts_have_no_sharpe_ratio() -> None:
    """A month of days is too little for one; a year is not."""
    months = period_rows(RUN.trades, RUN.equity, Period.MONTH)

    assert all(row.sharpe_coin is None for row in months)
    assert period_rows(RUN.trades, RUN.equity, Period.YEAR)[0].sharpe_coin is not None


def test_regimes_look_back_only() -> None:
    """A day's regime is that of the thirty days before; what comes later changes nothing."""
    index = np.concatenate([np.linspace(100.0, 130.0, 40), np.linspace(130.0, 60.0, 40)])
    at_ms = curve([1.0] * 80).at_ms
    whole, cut = regimes(at_ms, index), regimes(at_ms[:50], index[:50])

    assert whole[:50] == cut
    assert whole[:30] == ["first 30 days"] * 30
    assert whole[35] == "bull"
    assert whole[79] == "bear"


def test_a_day_has_the_regime_it_began_with() -> None:
    """The jump of a day is no bull market yet: it counts from the next day on."""
    index = np.array([100.0] * 40 + [150.0] * 10)
    rows = {row.name: row for row in by_regime((), curve([1.0] * 50, index))}

    assert rows["sideways"].index_pct == pytest.approx(50.0)
    assert rows["bull"].index_pct == pytest.approx(0.0)


def test_regimes_hold_every_day() -> None:
    """Days of all regimes together are the run."""
    rows = by_regime(RUN.trades, RUN.equity)
    found = metrics_of(RUN.trades, RUN.equity)
    usd = np.prod([1.0 + (row.return_usd_pct or 0.0) / 100.0 for row in rows])

    assert 100.0 * (usd - 1.0) == pytest.approx(found["equity_return_pct_usd"], rel=1e-9)


def test_groups_are_sorted_and_whole() -> None:
    """A row a name in order, with wins, draws and losses in coin."""
    rows = group_rows(CLOSED, lambda each: each.exit_reason)
    total = group_row("TOTAL", CLOSED)

    assert [row.name for row in rows] == sorted(row.name for row in rows)
    assert sum(row.trades for row in rows) == total.trades == len(CLOSED)
    assert total.wins + total.draws + total.losses == total.trades
    assert sum(row.net_usd for row in rows) == pytest.approx(total.net_usd)


def test_an_empty_group_is_undefined() -> None:
    """Averages of no trades are undefined, sums are zero."""
    row = group_row("none", ())

    assert (row.trades, row.net_coin, row.avg_pnl_pct, row.win_pct) == (0, 0.0, None, None)


def test_a_run_of_one_mark_has_no_parts() -> None:
    """Without a return there is nothing to cut."""
    assert period_rows((), curve([1.0]), Period.MONTH) == ()
