"""Greg's positions, hedges and sensors as screens and interfaces show them."""

from collections.abc import Callable, Sequence
from datetime import datetime
from enum import StrEnum

from attrs import frozen

from core.context.sensor_values import MarketFacts
from core.greg.advice import Suggestion
from core.greg.catalogue import CATALOGUE, StrategyCode
from core.greg.guard_facts import guard_facts
from core.greg.guards import Guard, with_guards
from core.greg.hedge_needs import HedgeSight, hedge_need
from core.greg.hedging import HedgeOrder
from core.greg.holdings import Holding, hedged_of, position_of
from core.greg.management import FundingConvention, PositionRules, PositionVariant
from core.greg.modes import Environment, Mode
from core.greg.noting import figures_of
from core.greg.positions import advise
from core.greg.variant_facts import with_variant_facts
from ports.market_data import MarketSnapshot
from ports.trading import Account


class Mood(StrEnum):
    """What a sensor's value means to who sells volatility."""

    GOOD = "good"
    BAD = "bad"
    NEUTRAL = "neutral"


def mood_of(sensor: str, value: float | None) -> Mood:
    """Return how *value* of *sensor* is coloured; unknown is neutral, as is what has no colour."""
    if value is None or sensor not in _MOODS:
        return Mood.NEUTRAL
    return _MOODS[sensor](value)


def _high_is_good(good: float, bad: float, value: float) -> Mood:
    if value >= good:
        return Mood.GOOD
    return Mood.BAD if value <= bad else Mood.NEUTRAL


def _low_is_good(good: float, bad: float, value: float) -> Mood:
    if value <= good:
        return Mood.GOOD
    return Mood.BAD if value >= bad else Mood.NEUTRAL


def _bad_if(is_bad: bool) -> Mood:
    return Mood.BAD if is_bad else Mood.NEUTRAL


_MOODS: dict[str, Callable[[float], Mood]] = {
    "vrp_30d": lambda value: _high_is_good(10.0, 0.0, value),
    "chop_factor_7d": lambda value: _low_is_good(0.6, 0.9, value),
    "adx_14d": lambda value: _low_is_good(20.0, 30.0, value),
    "rsi_14d": lambda value: Mood.GOOD if 30.0 <= value <= 70.0 else Mood.BAD,
    "price_vs_ma200": lambda value: _bad_if(value <= -15.0 or value >= 25.0),
    "iv_rank_6m": lambda value: _high_is_good(0.7, 0.3, value),
    "term_structure_spread": lambda value: _bad_if(value >= 5.0),
    "skew_25d": lambda value: _bad_if(abs(value) >= 5.0),
}


@frozen(kw_only=True)
class PositionView:
    """One open position with its advice; *pnl_pct* percent of the whole credit or debit."""

    position_id: str
    underlying: str
    strategy_type: StrategyCode
    human_readable_name: str
    size: float
    notional: float  # USD, contracts times index
    sandbox: bool
    origin: str
    run_id: str
    mode: Mode
    badge: str
    pnl_pct: float | None
    pnl_usd: float | None
    dte: float | None
    net_delta: float | None
    suggested_action: str
    urgency: str
    entry_time: datetime
    suggestion: Suggestion


@frozen(kw_only=True)
class HedgeView:
    """One hedgeable position as the hedge engine sees it; *order* None within its band."""

    position_id: str
    strategy_type: StrategyCode
    underlying: str
    net_delta: float | None
    threshold: float
    order: HedgeOrder | None
    status: str


@frozen(kw_only=True)
class SandboxSummary:
    """The newest run of the sandbox: how many positions, and their profits in percent summed."""

    run_id: str
    btc_count: int
    eth_count: int
    total_pnl_pct: float


@frozen(kw_only=True)
class AdviceTerms:
    """What advice is given by, besides the market."""

    rules: PositionRules
    convention: FundingConvention
    guards: tuple[Guard, ...]
    mode: Mode
    environment: Environment
    variants: frozenset[PositionVariant] = frozenset()

    @property
    def asks_health(self) -> bool:
        """Whether any guard in use looks at the account."""
        return any(guard.asks_health for guard in self.guards)


def position_view(
    holding: Holding,
    snapshot: MarketSnapshot,
    terms: AdviceTerms,
    *,
    selected: StrategyCode | None = None,
    funding: float | None = None,
    market: MarketFacts | None = None,
    account: Account | None = None,
) -> PositionView | None:
    """
    Return *holding* with what is advised for it on *snapshot*; None if it has no rules.

    *selected*, *funding*, *market* and *account* are what else is known of the coin.
    """
    now, market = snapshot.taken_at, market or MarketFacts()
    facts = position_of(holding, snapshot, now, funding)
    facts = with_variant_facts(facts, holding, snapshot, market)
    found = advise(
        facts,
        terms.rules,
        convention=terms.convention,
        selected=selected,
        variants=terms.variants,
    )
    if found is None:
        return None
    told = guard_facts(facts, holding, snapshot, market, account)
    suggestion = with_guards(found, facts, told, terms.guards)
    return PositionView(
        position_id=holding.position_id,
        underlying=holding.underlying,
        strategy_type=holding.code,
        human_readable_name=CATALOGUE[holding.code].label,
        size=holding.contracts,
        notional=holding.contracts * snapshot.index_usd,
        sandbox=holding.sandbox,
        origin=holding.origin,
        run_id=holding.run_id,
        mode=terms.mode,
        badge=badge_of(holding, terms),
        pnl_pct=None if facts.profit_pct is None else 100.0 * facts.profit_pct,
        pnl_usd=figures_of(holding, facts, snapshot).pnl_usd,
        dte=facts.dte,
        net_delta=facts.net_delta,
        suggested_action=suggestion.action,
        urgency=suggestion.priority,
        entry_time=holding.opened_at,
        suggestion=suggestion,
    )


def badge_of(holding: Holding, terms: AdviceTerms) -> str:
    """Return the first badge that applies: SANDBOX, DEMO on testnet, LIVE, else PAPER."""
    if holding.sandbox:
        return "SANDBOX"
    if terms.environment is Environment.TESTNET:
        return "DEMO"
    return "LIVE" if terms.mode is Mode.LIVE else "PAPER"


def hedge_view(holding: Holding, sight: HedgeSight) -> HedgeView:
    """Return what the hedge engine would do for *holding*."""
    hedged = hedged_of(holding, sight.snapshot, sight.snapshot.taken_at)
    need = hedge_need(holding, sight)
    if need.leaning is None:
        status = "data_missing: delta"
    else:
        status = "within_band" if need.order is None else "proposed"
    return HedgeView(
        position_id=holding.position_id,
        strategy_type=holding.code,
        underlying=holding.underlying,
        net_delta=None if hedged is None else hedged.net_delta,
        threshold=need.rule.band,
        order=need.order,
        status=status,
    )


def sandbox_summary(views: Sequence[PositionView]) -> SandboxSummary | None:
    """Return the newest run among *views*; None without one."""
    runs = [view.run_id for view in views if view.sandbox and view.run_id]
    if not runs:
        return None
    newest = [view for view in views if view.sandbox and view.run_id == max(runs)]
    return SandboxSummary(
        run_id=max(runs),
        btc_count=sum(view.underlying == "BTC" for view in newest),
        eth_count=sum(view.underlying == "ETH" for view in newest),
        total_pnl_pct=sum(view.pnl_pct for view in newest if view.pnl_pct is not None),
    )
