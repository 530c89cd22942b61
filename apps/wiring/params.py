"""Settings as the parameters of core: each section becomes one value."""

from datetime import timedelta
from hashlib import sha256
from importlib.metadata import version

import orjson

from apps.settings.root import Settings
from core.execution.intents import ExecutionStyle, OrderParams
from core.greg.catalogue import STRATEGY_ID as GREG
from core.health.guard import HealthParams, StartPolicy
from core.policy.explore import ExploreParams
from core.risk.gates import VenueAddress, VenueEnvironment
from core.risk.limits import RiskLimits
from core.selectors.filters import FilterParams
from core.selectors.score import ScoreParams
from core.strategies.covered_call import CoveredCallParams
from core.strategies.upkeep import UpkeepParams
from core.usecases.desk import DeskParams
from ports.controls import ReconcileAction

# Where things lie, and who we are, changes no decision.
_NOT_IN_HASH: dict[str, set[str] | bool] = {
    "venue": {
        "data_dir",
        "replay_data",
        "deribit_client_id",
        "deribit_client_secret",
        "env_mode",
    },
    "loop": {"log_dir"},
    "database": True,
    "backtest": True,
}


def desk_params(settings: Settings) -> DeskParams:
    """The parameters of a running agent."""
    return DeskParams(
        underlyings=tuple(settings.venue.underlyings),
        seed=settings.venue.seed,
        limits=risk_limits(settings),
        orders=order_params(settings),
        reconcile_action=ReconcileAction(settings.reconcile.position_reconcile_action),
        reconcile_tolerance_usd=settings.reconcile.position_reconcile_tolerance_usd,
        kill_switch=settings.risk.kill_switch_enabled,
        program_version=version("options-agent"),
        settings_hash=settings_hash(settings),
        health=health_params(settings),
        address=venue_address(settings),
    )


def health_params(settings: Settings) -> HealthParams:
    """
    How health is watched: strictly on mainnet.

    A recording is as old as it is, and what fails in it shows in its ticks.
    """
    health, is_recorded = settings.health, settings.venue.market == "replay"
    recheck = timedelta(seconds=health.health_recheck_interval_seconds)
    return HealthParams(
        start_policy=StartPolicy.STAY_PAUSED if settings.is_testnet else StartPolicy.ABORT,
        checks_on_start=health.health_check_on_startup,
        recheck_every=None if is_recorded else recheck or None,
        is_pausing=health.auto_kill_on_health_fail,
        market_age=None if is_recorded else timedelta(seconds=settings.risk.index_age_limit_sec),
        skew_warned=timedelta(seconds=settings.risk.clock_skew_warn_sec),
    )


def venue_address(settings: Settings) -> VenueAddress:
    """Where the venue is, and which of its environments is meant."""
    venue = settings.venue
    return VenueAddress(VenueEnvironment(venue.deribit_env), venue.base_url)


def risk_limits(settings: Settings) -> RiskLimits:
    """The pre-trade limits of the mode."""
    risk = settings.risk
    return RiskLimits(
        order_size=_order_sizes(settings),
        max_expiry_exposure=settings.effective_max_expiry_exposure,
        max_calls_per_underlying=settings.max_calls_per_underlying,
        max_open_positions=risk.max_open_chains,
        max_order_notional_usd=risk.max_order_notional_usd,
        max_margin_used_pct=risk.max_margin_used_pct,
        max_net_delta_abs=risk.max_net_delta_abs,
        price_collar_pct=risk.price_collar_pct,
        quote_age=timedelta(seconds=settings.effective_quote_age_limit_sec),
        index_age=timedelta(seconds=risk.index_age_limit_sec),
        account_age=timedelta(seconds=risk.account_age_limit_sec),
        max_spread_pct=risk.liquidity_max_spread_pct,
        min_open_interest=float(risk.liquidity_min_open_interest),
        unknown_liquidity_blocks=not settings.is_research,
        duplicate_window=timedelta(seconds=risk.duplicate_window_sec),
        requests_per_s=risk.order_requests_per_sec,
        request_burst=risk.order_burst,
        max_opens_per_10_min=risk.max_opens_per_10_min,
        max_opens_per_day=risk.max_opens_per_day,
        max_fills_per_10_min=risk.max_fills_per_strategy_10_min,
        max_rejections_per_10_min=risk.max_rejections_10_min,
        daily_drawdown_limit_pct=risk.daily_drawdown_limit_pct,
        reconciliation_age=timedelta(seconds=2 * settings.loop.loop_interval_sec),
        clock_skew=timedelta(seconds=risk.clock_skew_block_sec),
        structured=_structured(settings),
    )


def _structured(settings: Settings) -> frozenset[str]:
    """Greg, where the settings themselves let him trade live: no page can grant it."""
    greg = settings.greg
    is_live = greg.greg_trading_mode == "live" and greg.greg_enable_live_execution
    is_open = is_live and any(greg.greg_strategy_live_enabled.values())
    return frozenset({GREG}) if is_open else frozenset()


def order_params(settings: Settings) -> OrderParams:
    """How orders are made."""
    policy = settings.policy
    return OrderParams(
        style=ExecutionStyle(policy.execution_style),
        valid_for=timedelta(seconds=policy.valid_for_sec),
        time_to_live=timedelta(seconds=policy.order_ttl_sec),
    )


def covered_call_params(settings: Settings) -> CoveredCallParams:
    """What covered calls are chosen and kept by."""
    policy, risk = settings.policy, settings.risk
    delta_low, delta_high = settings.effective_delta_min, settings.effective_delta_max
    dte_low, dte_high = settings.effective_dte_min, settings.effective_dte_max
    return CoveredCallParams(
        underlyings=tuple(settings.venue.underlyings),
        order_size=_order_sizes(settings),
        filters=FilterParams(
            dte_min=dte_low,
            dte_max=dte_high,
            delta_min=delta_low,
            delta_max=delta_high,
            ivrv_min=settings.effective_ivrv_min,
            premium_min_usd=settings.candidates.premium_min_usd,
            max_spread_pct=risk.liquidity_max_spread_pct,
            min_open_interest=float(risk.liquidity_min_open_interest),
        ),
        score=policy.score,
        targets=ScoreParams(
            target_delta=(delta_low + delta_high) / 2,
            target_dte=(dte_low + dte_high) / 2,
            ivrv_min=settings.effective_ivrv_min,
        ),
        explore=ExploreParams(settings.effective_explore_prob, policy.explore_top_k),
        upkeep=UpkeepParams(
            last_dte=policy.roll_dte,
            itm_dte=policy.roll_itm_dte,
            near_pct=policy.roll_near_pct,
            near_dte=policy.roll_near_dte,
            take_profit_pct=policy.take_profit_captured_pct,
            credit_only=policy.roll_credit_only,
            never_down=policy.roll_never_down,
            out_only=policy.roll_out_only,
            cooldown=timedelta(seconds=policy.roll_cooldown_sec),
        ),
        max_calls=settings.max_calls_per_underlying,
        policy_version=policy.policy_version,
    )


def settings_hash(settings: Settings) -> str:
    """The fingerprint of every setting that can change a decision."""
    fields = settings.model_dump(mode="json", exclude=_NOT_IN_HASH)
    return sha256(orjson.dumps(fields, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


def _order_sizes(settings: Settings) -> dict[str, float]:
    return {coin: settings.policy.order_size_coin(coin) for coin in settings.venue.underlyings}
