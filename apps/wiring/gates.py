"""The gates of real orders, asked with the settings and the environment of the process."""

from collections.abc import Mapping

from apps.settings.root import Settings
from apps.settings.venue import VenueSettings
from apps.wiring.params import venue_address
from core.risk.gates import Gates, GateState, may_send_real_orders

INTERLOCK = "OPTIONS_AGENT_LIVE"  # no page and no setting can write the environment


def gates_of(settings: Settings, environ: Mapping[str, str]) -> dict[str, Gates]:
    """Whether real orders may go out, for each strategy of *settings*."""
    enabled = tuple(settings.policy.strategies)
    return {
        strategy_id: Gates(
            (
                *_paper_reasons(settings.venue),
                *may_send_real_orders(_state(settings, environ, strategy_id)).reasons,
            )
        )
        for strategy_id in enabled
    }


def sends_real_orders(settings: Settings, environ: Mapping[str, str]) -> bool:
    """Whether every gate of every strategy is open: otherwise it is dry, or on paper."""
    gates = gates_of(settings, environ).values()
    return bool(gates) and all(each.are_open for each in gates)


def _paper_reasons(venue: VenueSettings) -> tuple[str, ...]:
    return () if venue.is_deribit else (f"orders go to venue.venue_kind {venue.venue_kind}",)


def _state(settings: Settings, environ: Mapping[str, str], strategy_id: str) -> GateState:
    return GateState(
        address=venue_address(settings),
        has_credentials=settings.venue.has_credentials,
        is_production=not settings.is_research,
        is_dry_run=settings.loop.dry_run,
        strategy_id=strategy_id,
        enabled_strategies=tuple(settings.policy.strategies),
        interlock=environ.get(INTERLOCK, ""),
    )
