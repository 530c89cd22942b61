"""One rule run twice, on recorded chains and on an invented market at the same instants."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

import numpy as np
import orjson
from attrs import frozen

from adapters.files.disk import Disk
from apps.settings.kinds import Coin
from apps.settings.root import Settings
from apps.wiring.backtest import CoinBacktest, run_coin
from apps.wiring.backtest_params import call_account, scoped
from apps.wiring.backtest_past import Hooks, prepared_coin
from apps.wiring.market import archive_of, nothing_of, ticks_of
from core.backtest.pairing import Entries, PairReport, Side, Tolerances, paired
from core.backtest.prepared import PreparedCoin
from core.rng import rng_at
from ports.backtest_runs import BacktestRun, BacktestRuns, BacktestTrade
from ports.checks import epoch_ms

Invented = Literal["synthetic", "universe"]
INVENTED: Mapping[str, Invented] = {"universe": "universe", "synthetic": "synthetic"}
_DAY_BEGINS = timedelta(hours=8, minutes=5)  # the call before is delivered by then
_REPORTS = "health_checks"  # in the data folder


@frozen(kw_only=True, eq=False)
class PairAsked:
    """What is to be paired: the recorded settings, the invented market, and how often to look."""

    settings: Settings
    coin: Coin
    invented: Invented
    interval: timedelta | None = None  # between decisions; None is at every recorded instant
    tolerances: Tolerances


@frozen(kw_only=True, eq=False)
class Pair:
    """Both runs as they are kept, and what they say of each other."""

    recorded: BacktestRun
    invented: BacktestRun
    report: PairReport


async def run_pair(asked: PairAsked, runs: BacktestRuns, hooks: Hooks) -> Pair:
    """
    Run the primary exit style on both pasts, keep both runs, and compare them.

    Raises:
        ValueError: The period is too short for the rule, or the engine cannot run it.

        PortError: There is nothing recorded of the period, or a run cannot be kept.
    """
    settings, coin = asked.settings, asked.coin
    everything = await ticks_of(scoped(settings, coin))
    instants = thinned(everything, asked.interval)
    _require_window(instants, settings, asked.tolerances)
    invented = _invented(settings, asked.invented, instants)
    sides: list[Side] = []
    kept: list[BacktestRun] = []
    for each in (settings, invented):
        prepared = await prepared_coin(each, coin, hooks, instants)
        note = f"one of a pair, recorded and {asked.invented}"
        run = await run_coin(CoinBacktest.new(each, coin, prepared, note), runs, hooks)
        result = run.results[0]
        sides.append(Side(result=result, entries=entries_of(prepared, result.trades)))
        kept.append(run)
    report = paired(
        sides[0],
        sides[1],
        call_account(settings, coin).order_size,
        rng_at(settings.venue.seed, "backtest/pair", instants[0]),
        asked.tolerances,
    )
    return Pair(recorded=kept[0], invented=kept[1], report=report)


def thinned(instants: Sequence[datetime], interval: timedelta | None) -> list[datetime]:
    """The first of *instants* in each *interval*, counted from 08:05 UTC."""
    if interval is None:
        return list(instants)
    first: dict[int, datetime] = {}
    for at in instants:
        first.setdefault(epoch_ms(at - _DAY_BEGINS) // (interval // timedelta(milliseconds=1)), at)
    return list(first.values())


def entries_of(prepared: PreparedCoin, trades: Sequence[BacktestTrade]) -> Entries:
    """The calls that *trades* sold, as the chains of that instant show them."""
    return Entries(
        moneyness=[trade.contract.strike / trade.entry_forward_usd for trade in trades],
        tenor=[trade.entry_dte / 365.0 for trade in trades],
        iv=[trade.entry_iv for trade in trades],
        atm_iv=[_atm_iv(prepared, trade) for trade in trades],
    )


async def last_full_days(settings: Settings, coin: Coin, days: int) -> Settings:
    """
    *settings* over the last *days* full days that were recorded of *coin*.

    Raises:
        Unavailable: Nothing was recorded.

        StoreDamaged: The recording cannot be read.
    """
    archive = archive_of(settings.venue.replay_data, (coin,))
    instants = await archive.instants(coin)
    if not instants:
        raise await nothing_of(archive, (coin,), str(settings.venue.replay_data))
    last = max(instants).date() - timedelta(days=1)
    since = last - timedelta(days=days - 1)
    venue = settings.venue.model_copy(update={"replay_from": since, "replay_to": last})
    return settings.model_copy(update={"venue": venue})


def keep_report(settings: Settings, at: datetime, record: object) -> Path:
    """
    Write *record* among the health checks of the data folder and return where.

    Raises:
        StoreUnwritable: It could not be written.
    """
    path = settings.venue.data_dir / _REPORTS / f"{at:%Y%m%dT%H%M%SZ}.json"
    disk = Disk()
    disk.make_directory(path.parent)
    options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
    disk.replace(path, orjson.dumps(record, option=options))
    return path


def _require_window(
    instants: Sequence[datetime], settings: Settings, tolerances: Tolerances
) -> None:
    days = (instants[-1] - instants[0]) / timedelta(days=1)
    least = tolerances.least_window * settings.backtest.call_target_dte
    if days < least:
        raise ValueError(
            f"{days:.1f} days are too few to compare: a target of "
            f"{settings.backtest.call_target_dte:g} days wants {least:g} at least"
        )


def _invented(settings: Settings, market: Invented, instants: Sequence[datetime]) -> Settings:
    changed = {
        "market": market,
        "venue_clock": "stepped",
        "replay_data": None,
        "replay_from": instants[0].date(),
        "replay_to": instants[-1].date(),
    }
    return settings.model_copy(update={"venue": settings.venue.model_copy(update=changed)})


def _atm_iv(prepared: PreparedCoin, trade: BacktestTrade) -> float:
    """The volatility nearest to the money of the expiry sold; NaN where none is told."""
    seen = prepared.snapshots[bisect_right(prepared.instants, trade.opened_at) - 1].chain
    is_told = (seen.expiry_ms == epoch_ms(trade.contract.expiry)) & np.isfinite(seen.mark_iv)
    if not is_told.any():
        return float("nan")
    rows = np.flatnonzero(is_told)
    nearest = np.argmin(np.abs(np.log(seen.strike[rows] / trade.entry_forward_usd)))
    return float(seen.mark_iv[rows[nearest]])
