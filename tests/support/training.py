"""Training data in memory: candidates by hand, and a collection over an invented market."""

import asyncio
from functools import lru_cache

from attrs import evolve

from core.backtest.exits import ExitRule, ExitStyle
from core.backtest.prepared import PreparedCoin
from core.backtest.rules import CallRule
from core.context.sensor_values import DataSource
from core.policy.explore import ExploreParams
from core.selectors.filters import FilterParams
from core.training.decisions import CollectingParams
from core.training.profiles import TrainingParams, training_filters
from core.training.schema import Table
from core.training.splits import SplitParams
from core.usecases.collect_training import Collected, Collecting, collect
from ports.decision_log import Candidate
from tests.support.backtests import prepared_invention, prepared_recording, research_limits
from tests.support.calls import later
from tests.support.markets import call

STYLES = (ExitStyle.HOLD_TO_EXPIRY, ExitStyle.TP_AND_ROLL)
EXPLORING = TrainingParams(explore=ExploreParams(0.25, 3))
FILTERS = training_filters(
    FilterParams(
        dte_min=0.0,
        dte_max=1e6,
        delta_min=0.0,
        delta_max=1.0,
        ivrv_min=0.0,
        premium_min_usd=50.0,
        max_spread_pct=200.0,
        min_open_interest=0.0,
    ),
    EXPLORING,
)
COLLECTING = Collecting(
    params=CollectingParams(filters=FILTERS, training=EXPLORING, seed=7),
    rules=tuple(CallRule(exits=ExitRule(style=style)) for style in STYLES),
    limits=research_limits("BTC", 1.0),
    splits=SplitParams(),
    source=DataSource.SYNTHETIC,
)


def candidate(
    delta: float, premium_usd: float, *, days: float = 7.0, strike: float = 105_000.0
) -> Candidate:
    """A call that a profile may take; all else is ordinary."""
    return Candidate(
        contract=call(strike, later(days)),
        dte=days,
        delta=delta,
        bid=premium_usd / 100_000.0,
        ask=premium_usd / 90_000.0,
        mark=premium_usd / 95_000.0,
        premium_usd=premium_usd,
        iv=0.6,
        rv=0.5,
        ivrv=1.2,
        spread_pct=5.0,
        open_interest=100.0,
        score=0.0,
    )


@lru_cache
def invention() -> PreparedCoin:
    """A hundred and thirty invented days, one snapshot each."""
    return asyncio.run(prepared_invention("BTC", seed=5, days=130, hours=24))


@lru_cache
def collected() -> Collected:
    """The training rows of that."""
    return collect(invention(), COLLECTING)


def rows() -> Table:
    """The same, only the rows."""
    return collected().table


@lru_cache
def recorded_rows(coin: str) -> Table:
    """The rows of January's recorded chains; the test is skipped where there are none."""
    prepared = asyncio.run(prepared_recording(coin, [1]))
    return collect(prepared, evolve(COLLECTING, source=DataSource.RECORDED)).table
