"""Greg's desk at work over a book of the settings."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from apps.settings.root import Settings
from apps.wiring.greg import Recordings, sensor_place
from apps.wiring.greg_book import advice_terms, hedge_rule_for
from apps.wiring.greg_params import greg_environment, hedge_terms, mode_state
from apps.wiring.greg_risk import tightened_mode
from apps.wiring.greg_rules import GregRules
from core.usecases.desk import Desk
from core.usecases.greg_desk import GregDesk, GregDeskParams


@asynccontextmanager
async def opened_greg_desk(
    settings: Settings, rules: GregRules, desk: Desk
) -> AsyncIterator[GregDesk]:
    """
    Greg's desk over *desk*, in the mode that *settings* begin with.

    Entering raises:
        SettingsError: There is no guard or variant of a name.

        PortError: A recording cannot be read.
    """
    params = greg_desk_params(settings, rules)
    at = desk.now if settings.venue.is_stepped else None
    async with sensor_place(settings, Recordings(), at) as place:
        state = tightened_mode(settings, mode_state(settings))
        yield GregDesk(desk=desk, sensors=place.reader, params=params, state=state)


def greg_desk_params(settings: Settings, rules: GregRules) -> GregDeskParams:
    """
    What the desk goes by.

    Raises:
        SettingsError: There is no guard or variant of a name.
    """
    return GregDeskParams(
        environment=greg_environment(settings),
        underlyings=tuple(settings.venue.underlyings),
        entry=rules.entry,
        advice=advice_terms(settings, rules),
        hedge_rule=lambda holding, seen: hedge_rule_for(settings, rules, holding, seen),
        hedge_terms=hedge_terms(settings, rules.position),
        is_core_dry_run=settings.loop.dry_run,
        refuses_unknown_flags=settings.greg.greg_unknown_flags == "refused",
        period=timedelta(seconds=settings.loop.loop_interval_sec),
    )
