"""Inference on whole runs: bounds, trials, folds, and the rule for an edge."""

from datetime import UTC, datetime

import numpy as np
import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from core.backtest.benchmark import DailyReturns
from core.backtest.inference import (
    InferenceParams,
    compared,
    evaluate,
    fold_alphas,
    most_overlapping,
    search_figures,
    stressed_alpha,
    trial_of,
)
from core.backtest.inference_daily import Draws, headline_intervals
from core.backtest.inference_verdict import edge_verdict, is_few
from core.backtest.metrics import metrics_of
from core.backtest.metrics_columns import TradeColumns
from core.backtest.names import Numeraire
from core.backtest.names_table import METRICS, STORED_KEYS
from core.stats.sharpe import SharpeStats, deflated_sharpe, probabilistic_sharpe
from ports.backtest_runs import EquityCurve, StyleResult, Trial
from tests.support.backtest_runs import START, WEEK, curve, sold_and_held, style, trade

RUN = sold_and_held(weeks=60)
QUICK = InferenceParams(draws=400)
AT = datetime(2026, 4, 1, tzinfo=UTC)


def rng() -> np.random.Generator:
    return np.random.default_rng(1)


def figures(result: StyleResult = RUN, **given_: object) -> dict[str, float | None]:
    return evaluate(result.trades, result.equity, rng(), params=QUICK, **given_)  # type: ignore[arg-type]


def trials(*sharpes: float) -> tuple[Trial, ...]:
    return tuple(
        Trial(
            family="f",
            config_hash=str(number),
            at=AT,
            sharpe=each,
            periods=400,
            skew=0.0,
            kurtosis=3.0,
        )
        for number, each in enumerate(sharpes)
    )


def steady(days: int, daily: float, noise: float, seed: int = 6) -> EquityCurve:
    """An account that earns *daily* in coin with some noise, over a coin that moves."""
    moves = np.random.default_rng(seed).standard_normal((2, days + 1))
    index = 50_000.0 * np.exp(np.cumsum(0.03 * moves[0]))
    return curve(np.exp(np.cumsum(daily + noise * moves[1])), index)


def test_every_headline_has_bounds_around_it() -> None:
    """Each figure that promises an interval has one, and the figure lies within."""
    found = figures()

    for metric in METRICS:
        if metric.interval:
            for key in (metric.stored(each) for each in metric.numeraires):
                value, low, high = (found[f"{key}{end}"] for end in ("", "_low", "_high"))
                assert value is not None
                assert low is not None
                assert high is not None
                assert low < value < high


def test_bounds_are_of_the_figures_they_stand_beside() -> None:
    """What is drawn for is the metric itself, also where an account falls from its first mark."""
    equity = np.concatenate([[1.0], 0.8 + 0.05 * np.random.default_rng(3).random(40)])
    account = curve(equity, 50_000.0 * equity, net_delta=-0.1)
    daily = DailyReturns.of(account)
    drawn = Draws(draws=50, confidence=0.9, least_block=1.0, risk_free_rate=0.02)
    plain = metrics_of((), account)
    found = headline_intervals(daily, daily.alpha(Numeraire.COIN), rng(), drawn)

    assert len(found) == 9
    for key in found.keys() - {"alpha_stressed_pct"}:
        assert found[key].value == pytest.approx(plain[key], rel=1e-9)


def test_the_same_seed_draws_the_same_bounds() -> None:
    """Inference is a function of the run and the generator."""
    assert figures() == figures()
    assert tuple(figures()) == STORED_KEYS


def test_what_is_known_without_draws_is_not_changed() -> None:
    """Inference adds to the metrics and overwrites none that had a value."""
    plain, whole = metrics_of(RUN.trades, RUN.equity), figures()

    assert all(whole[key] == value for key, value in plain.items() if value is not None)


def test_bounds_are_wider_with_less_data() -> None:
    """A fifth of the days says less: the interval of alpha grows."""
    long, short = (figures(style((), steady(days, 0.001, 0.01))) for days in (600, 120))

    def width(found: dict[str, float | None]) -> float:
        return (found["alpha_pct_coin_high"] or 0.0) - (found["alpha_pct_coin_low"] or 0.0)

    assert width(short) > 1.5 * width(long)


def test_few_days_have_no_bounds() -> None:
    """Below eight returns nothing is said."""
    found = figures(style((), curve([1.0, 1.01, 1.02])))

    assert found["cagr_coin_low"] is None
    assert found["probabilistic_sharpe_coin"] is None
    assert found["deflated_sharpe"] is None


def test_one_trial_is_not_deflated() -> None:
    """A run that was the only one tried is judged against zero."""
    found = figures()

    assert found["trials"] == 1.0
    assert found["deflated_sharpe"] == found["probabilistic_sharpe_coin"]


def test_trials_deflate_by_their_spread_and_number() -> None:
    """The ratio is held against what the best of all trials without skill would show."""
    tried = trials(0.01, 0.05, -0.02, 0.03)
    found = figures(trials=tried)
    excess = DailyReturns.of(RUN.equity).strategy(Numeraire.COIN) - 0.02 / 365.0
    spread = float(np.std([each.sharpe for each in tried], ddof=1))

    assert found["trials"] == 4.0
    assert found["trial_spread"] == pytest.approx(spread)
    wanted = deflated_sharpe(SharpeStats.of(excess), 4, spread)
    assert found["deflated_sharpe"] == pytest.approx(wanted)
    assert wanted < probabilistic_sharpe(SharpeStats.of(excess))


def test_the_same_configuration_is_one_trial() -> None:
    """A configuration tried twice counts once."""
    again = tuple(evolve(each, config_hash="same") for each in trials(0.01, 0.05))

    assert figures(trials=again)["trials"] == 1.0


def test_a_run_is_a_trial_by_its_coin_returns() -> None:
    """What is registered is the daily Sharpe ratio over cash with its moments."""
    made = trial_of(RUN.equity, family="f", config_hash="h", at=AT)
    excess = DailyReturns.of(RUN.equity).strategy(Numeraire.COIN) - 0.02 / 365.0
    assert made is not None

    assert made.sharpe == pytest.approx(excess.mean() / excess.std(ddof=1))
    assert made.periods == len(excess)
    assert trial_of(curve([1.0] * 30), family="f", config_hash="h", at=AT) is None


def test_costs_half_as_high_again() -> None:
    """Stressed alpha is alpha less half of each day's costs over the equity it began with."""
    sold = trade(opened_at=START + WEEK, fees_coin=0.01, entry_mark_coin=0.014)
    account = curve([2.0] * 20)
    daily = DailyReturns.of(account)
    found = stressed_alpha(TradeColumns.of((sold,)), account, daily, 1.5)

    assert found[6] == pytest.approx(-0.5 * (0.01 + 0.004) / 2.0)
    assert not np.delete(found, 6).any()


def test_folds_are_those_after_training() -> None:
    """Folds of sixty days begin sixty days and an embargo after the start; short ones are left."""
    daily = DailyReturns.of(steady(400, 0.001, 0.0))
    found = fold_alphas(daily, longest=7.0, test_days=60.0)

    assert len(found) == 6  # from day 68 on; the last has 33 days
    assert (found > 0.0).all()
    assert not len(fold_alphas(DailyReturns.of(steady(60, 0.001, 0.0)), 7.0, 60.0))


def test_overlapping_trades_are_counted() -> None:
    """The most that were begun before the first of them had ended."""
    rows = [trade(n, opened_at=START + n * WEEK / 7, closed_at=START + n * WEEK) for n in (1, 2, 3)]

    assert most_overlapping(TradeColumns.of(tuple(rows))) == 3.0
    assert most_overlapping(TradeColumns.of((trade(1), trade(2)))) == 1.0


def test_a_search_among_luck_is_found_out() -> None:
    """Many trials without skill: overfitting is likely, and none is superior."""
    luck = np.random.default_rng(9).standard_normal((320, 20)) * 0.01
    found = search_figures(luck, rng(), 7.0, QUICK)

    assert (found["overfitting_probability"] or 0.0) > 0.2
    assert (found["superior_ability_p"] or 0.0) > 0.1


def test_a_search_with_skill_passes() -> None:
    """One trial that is better throughout: chosen in and out of sample."""
    skill = np.random.default_rng(9).standard_normal((320, 20)) * 0.01
    skill[:, 3] += 0.005
    found = search_figures(skill, rng(), 7.0, QUICK)

    assert found["overfitting_probability"] == 0.0
    assert found["superior_ability_p"] == 0.0


def test_a_run_compared_with_itself() -> None:
    """The difference is nothing, whatever is drawn."""
    found = compared(RUN, RUN, rng(), QUICK)

    assert len(found) == 8
    assert all((each.value, each.low, each.high) == (0.0, 0.0, 0.0) for each in found.values())


def test_pairing_removes_what_moves_both() -> None:
    """Two runs on one coin differ by a little each day: the paired bounds tell them apart."""
    account = steady(300, 0.0, 0.0)
    better = evolve(account, cash_coin=account.cash_coin * 1.0001 ** np.arange(301))
    found = compared(style((), account), style((), better), rng(), QUICK)["cagr_usd"]
    alone = figures(style((), account))

    assert 0.0 < found.low <= found.value <= found.high
    assert (alone["cagr_usd_high"] or 0.0) - (alone["cagr_usd_low"] or 0.0) > 10.0 * (
        found.high - found.low
    )


GOOD = {
    "deflated_sharpe": 0.97,
    "overfitting_probability": 0.1,
    "alpha_stressed_pct_low": 0.5,
    "positive_folds_pct": 70.0,
}


def test_an_edge_meets_every_condition() -> None:
    """At the limits themselves a result may be called an edge."""
    limits = {"deflated_sharpe": 0.95, "overfitting_probability": 0.2, "positive_folds_pct": 60.0}

    assert edge_verdict(GOOD).is_edge
    assert edge_verdict(GOOD | limits).is_edge


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("deflated_sharpe", 0.9499),
        ("overfitting_probability", 0.2001),
        ("alpha_stressed_pct_low", 0.0),
        ("positive_folds_pct", 59.9),
    ],
)
def test_one_condition_is_enough_to_refuse(key: str, value: float) -> None:
    """Any of them missed or unknown is said, and it alone."""
    assert len(edge_verdict(GOOD | {key: value}).reasons) == 1
    (unknown,) = edge_verdict(GOOD | {key: None}).reasons
    assert "not known" in unknown


@given(kept=st.sets(st.sampled_from(sorted(GOOD))))
@settings(derandomize=True, deadline=None)
def test_every_reason_is_given(kept: set[str]) -> None:
    """As many reasons as conditions are not met."""
    found = edge_verdict({key: GOOD[key] for key in kept})

    assert len(found.reasons) == len(GOOD) - len(kept)


def test_fewer_than_thirty_trades_are_few() -> None:
    """Thirty are enough, twenty-nine are marked, and so is a run that never counted."""
    assert is_few({"total_trades": 29.0})
    assert not is_few({"total_trades": 30.0})
    assert is_few({})
