"""The past of a coin, made ready for backtests, with what of it is not there."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, time, timedelta

from attrs import evolve, field, frozen

from apps.settings.kinds import Coin
from apps.settings.root import Settings
from apps.wiring.backtest_greg import is_greg
from apps.wiring.backtest_params import fill_params, scoped
from apps.wiring.market import Market, market_of
from core.backtest.gaps import gaps_in
from core.backtest.prepared import Kinds, PreparedCoin, prepare
from ports.backtest_runs import Omission
from ports.snapshots import Skipped


async def _go_on() -> bool:
    return True


@frozen(kw_only=True, eq=False)
class Hooks:
    """Who is told how far a run is, phase by phase, and who may pause or stop it."""

    watch: Callable[[str, int, int], None] = field(default=lambda *_: None)
    proceed: Callable[[], Awaitable[bool]] = field(default=_go_on)


async def prepared_coin(
    settings: Settings, coin: Coin, hooks: Hooks, instants: Sequence[datetime] | None = None
) -> PreparedCoin:
    """
    The past of *coin* that *settings* name, as orders of the run will meet it.

    *instants* are looked at in place of all that the market has.

    Raises:
        PortError: There is no such recording, or nothing of the period in it.
    """
    settings = scoped(settings, coin)
    market = await market_of(settings, None)
    wanted = market.ticks if instants is None else instants
    prepared = await prepare(
        underlying=coin,
        instants=wanted,
        clock=market.clock,
        market=market.data,
        history=market.history,
        fills=fill_params(settings),
        kinds=Kinds.ALL if is_greg(settings) else Kinds.CALLS,
        watch=lambda done, total: hooks.watch(f"{coin} chains", done, total),
    )
    missing = await missing_of(settings, coin, market, wanted)
    return evolve(prepared, omissions=(*missing, *prepared.omissions))


async def missing_of(
    settings: Settings, coin: Coin, market: Market, instants: Sequence[datetime]
) -> tuple[Omission, ...]:
    """
    What *market* has not of the period of *settings*: files passed over, and holes.

    Raises:
        StoreDamaged: A folder of the recording cannot be read.
    """
    skipped = [
        Omission(at=instants[0], subject=coin, reason=_told(each))
        for each in await market.skipped(coin)
    ]
    since, until = settings.venue.replay_from, settings.venue.replay_to
    begin = None if since is None else datetime.combine(since, time(), UTC)
    end = None if until is None else datetime.combine(until, time(), UTC) + timedelta(days=1)
    return (*skipped, *gaps_in(coin, instants, begin, end))


def _told(skipped: Skipped) -> str:
    is_named = skipped.file in skipped.reason
    return skipped.reason if is_named else f"{skipped.file}: {skipped.reason}"
