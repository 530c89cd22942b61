"""Chains of calls by hand for selectors, and the rules they are judged by in the tests."""

from datetime import datetime, timedelta
from typing import Any

from attrs import evolve

from core.pricing.black76 import premium_coin
from core.selectors.features import Features, features_of
from core.selectors.filters import FilterParams
from ports.decision_log import MarketContext
from ports.instruments import OptionContract
from ports.market_data import MarketSnapshot
from tests.support.markets import NOW, RULES, Listed, call, snapshot

INDEX_USD = 100_000.0
ANYTHING = FilterParams(
    dte_min=0.0,
    dte_max=1e6,
    delta_min=0.0,
    delta_max=1.0,
    ivrv_min=0.0,
    premium_min_usd=0.0,
    max_spread_pct=1e6,
    min_open_interest=0.0,
)
CONTEXT = MarketContext(
    regime="sideways",
    return_1d_pct=0.0,
    return_7d_pct=0.0,
    return_30d_pct=0.0,
    realized_vol_7d=0.4,
    realized_vol_30d=0.4,
    pct_from_50d_ma=0.0,
    pct_from_200d_ma=0.0,
)


def later(days: float) -> datetime:
    """The instant so many days after NOW."""
    return NOW + timedelta(days=days)


def priced(
    contract: OptionContract,
    *,
    now: datetime = NOW,
    index_usd: float = INDEX_USD,
    iv: float = 0.6,
    half_spread: float = 0.01,
) -> Listed:
    """*contract* as Black-76 on the index has it, quoted *half_spread* to either side, on tick."""
    years = contract.years_left(now)
    mark = float(premium_coin(index_usd, contract.strike, years, iv, contract.is_call))
    return Listed(
        contract=contract,
        bid=RULES.price_down(mark * (1.0 - half_spread)) or float("nan"),
        ask=RULES.price_up(mark * (1.0 + half_spread)),
        mark=mark,
        mark_iv=iv,
        forward=index_usd,
    )


def weekly(strike: float = 105_000.0, days: float = 7.0, **changes: Any) -> Listed:
    """A call that expires so many days from NOW, priced, with *changes* to its row."""
    return evolve(priced(call(strike, later(days))), **changes)


def features(*rows: Listed, rv: float | None = 0.5) -> Features:
    """The features of a market that shows *rows*."""
    return features_of(market(*rows), rv)


def market(*rows: Listed, index_usd: float = INDEX_USD) -> MarketSnapshot:
    """A market at NOW that shows *rows*."""
    return snapshot(*rows, index_usd=index_usd)
