"""Greg's desk at work over a book of the settings."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from adapters.files.vol_index_history import RecordedVolatility
from apps.settings.root import Settings
from apps.wiring.greg import Recordings, sensor_place
from apps.wiring.greg_book import advice_terms, hedge_rule_for
from apps.wiring.greg_params import (
    data_source,
    greg_environment,
    hedge_terms,
    mode_state,
    sensor_params,
)
from apps.wiring.greg_risk import size_caps, tightened_mode
from apps.wiring.greg_rules import GregRules, greg_rules
from core.context.sensor_values import DataSource
from core.usecases.desk import Desk
from core.usecases.greg_desk import GregDesk, GregDeskParams
from core.usecases.greg_hedger import Hedger
from core.usecases.read_sensors import SensorReader


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


def hedger_for(settings: Settings, desk: Desk) -> Hedger | None:
    """
    Who hedges within the loop of *desk*; None where *settings* do not want it.

    Raises:
        SettingsError: There is no guard or variant of a name.

        StoreDamaged: A shipped document is not as it was shipped.
    """
    if not settings.hedge.hedge_enabled:
        return None
    source = data_source(settings)
    sensors = SensorReader(
        market=desk.world.market,
        history=desk.world.history,
        volatility=RecordedVolatility(None),
        data_source=source,
        params=sensor_params(settings),
    )
    greg = GregDesk(
        desk=desk,
        sensors=sensors,
        params=greg_desk_params(settings, greg_rules(settings)),
        state=tightened_mode(settings, mode_state(settings)),
    )
    return Hedger(greg=greg, is_synthetic=source is DataSource.SYNTHETIC)


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
        size_caps=size_caps(settings),
        period=timedelta(seconds=settings.loop.loop_interval_sec),
    )
