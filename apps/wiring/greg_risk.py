"""Overrides of risk as they bite: never looser than the settings, in test alone."""

from attrs import evolve

from apps.settings.root import Settings
from apps.wiring.greg_rules import OverridesFound, overrides_in
from core.greg.environment import EnvMode
from core.greg.modes import Caps, ModeState
from core.greg.risk_overrides import RiskField, RiskScope, risk_in
from core.greg.sizing import SizeCaps
from core.usecases.desk import DeskParams

_CAPS = SizeCaps()


def global_fields(settings: Settings) -> tuple[RiskField, ...]:
    """The limits of every strategy together."""
    risk = settings.risk
    return (
        RiskField(
            key="max_margin_used_pct",
            label="initial margin over equity",
            unit="%",
            default=risk.max_margin_used_pct,
        ),
        RiskField(
            key="max_net_delta_abs",
            label="net delta of a coin",
            unit="coins",
            default=risk.max_net_delta_abs,
        ),
        RiskField(
            key="max_order_notional_usd",
            label="largest order",
            unit="USD",
            default=risk.max_order_notional_usd,
        ),
        RiskField(
            key="max_open_chains",
            label="open positions in all",
            unit="",
            default=float(risk.max_open_chains),
        ),
        RiskField(
            key="daily_drawdown_limit_pct",
            label="fall of equity in a day that halts",
            unit="%",
            default=risk.daily_drawdown_limit_pct,
            is_off_at_zero=True,
        ),
    )


def bot_fields(settings: Settings) -> tuple[RiskField, ...]:
    """The limits of Greg's own."""
    greg = settings.greg
    return (
        RiskField(
            key="max_equity_share",
            label="share of equity that Greg ties up",
            unit="%",
            default=100.0 * _CAPS.equity_share,
        ),
        RiskField(
            key="max_notional_usd_per_position",
            label="notional of a live position",
            unit="USD",
            default=greg.greg_live_max_notional_usd_per_position,
        ),
        RiskField(
            key="max_notional_usd_per_underlying",
            label="notional of a coin's live positions",
            unit="USD",
            default=greg.greg_live_max_notional_usd_per_underlying,
        ),
        RiskField(
            key="max_positions_per_underlying",
            label="open positions of a coin",
            unit="",
            default=float(_CAPS.most_positions),
        ),
    )


def found_overrides(settings: Settings, mode: EnvMode | None = None) -> OverridesFound:
    """What a person saved, in the view of *settings* or in *mode*."""
    return overrides_in(settings.venue.data_dir, mode or EnvMode(settings.venue.env_mode))


def tightened_params(settings: Settings, params: DeskParams) -> DeskParams:
    """*params* with the overrides of global risk over its limits."""
    told = risk_in(found_overrides(settings).overrides, RiskScope.GLOBAL)
    if not told:
        return params
    now = {each.key: each.tightened(told.get(each.key)) for each in global_fields(settings)}
    limits = evolve(
        params.limits,
        max_margin_used_pct=now["max_margin_used_pct"],
        max_net_delta_abs=now["max_net_delta_abs"],
        max_order_notional_usd=now["max_order_notional_usd"],
        max_open_positions=int(now["max_open_chains"]),
        daily_drawdown_limit_pct=now["daily_drawdown_limit_pct"],
    )
    return evolve(params, limits=limits)


def tightened_mode(settings: Settings, state: ModeState) -> ModeState:
    """*state* with the overrides of Greg's own risk over its caps."""
    if not risk_in(found_overrides(settings).overrides, RiskScope.BOT):
        return state
    now = _bot_limits(settings)
    coin = now["max_notional_usd_per_underlying"]
    caps = Caps(
        per_position_usd=min(now["max_notional_usd_per_position"], coin), per_underlying_usd=coin
    )
    return evolve(state, caps=caps)


def size_caps(settings: Settings) -> SizeCaps:
    """The caps of an opening in any mode, with the overrides of Greg's own risk over them."""
    now = _bot_limits(settings)
    return evolve(
        _CAPS,
        equity_share=now["max_equity_share"] / 100.0,
        most_positions=int(now["max_positions_per_underlying"]),
    )


def _bot_limits(settings: Settings) -> dict[str, float]:
    """The limits of Greg's own as they are in force, by key."""
    told = risk_in(found_overrides(settings).overrides, RiskScope.BOT)
    return {each.key: each.tightened(told.get(each.key)) for each in bot_fields(settings)}
