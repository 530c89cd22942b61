"""Greg in a backtest: his rules and sizes as settings have them."""

from attrs import evolve

from apps.settings.kinds import Coin
from apps.settings.root import Settings
from apps.wiring.backtest_params import GREG, call_account
from apps.wiring.greg_params import greg_params
from apps.wiring.greg_risk import size_caps
from core.backtest.latency import Latency
from core.greg.catalogue import STRATEGY_ID
from core.usecases.backtest_ledger import Ledger
from core.usecases.desk import Desk, DeskParams
from core.usecases.greg_managed import GregManager, ManagedParams

MANAGED = "gregbot_managed"  # the only exits there are of Greg's structures, and of nothing else


def greg_manager(settings: Settings, coin: Coin, desk: Desk, ledger: Ledger) -> GregManager:
    """
    Who opens and manages Greg's structures on *coin* over *desk*, under every cap of size but
    those of live notional.

    Raises:
        SettingsError: There is no variant of a name.

        StoreDamaged: A shipped document of rules is not as it was shipped.
    """
    return GregManager(
        desk=desk,
        ledger=ledger,
        underlying=coin,
        params=ManagedParams(
            greg=evolve(greg_params(settings), caps=size_caps(settings)),
            most=call_account(settings, coin).order_size,
            latency=Latency(settings.backtest.backtest_latency),
        ),
    )


def with_structures(params: DeskParams) -> DeskParams:
    """*params* under which puts are sold and options bought, too."""
    return evolve(params, limits=evolve(params.limits, structured=frozenset({STRATEGY_ID})))


def is_greg(settings: Settings) -> bool:
    """Whether Greg's structures are what is traded."""
    return settings.backtest.backtest_strategy == GREG
