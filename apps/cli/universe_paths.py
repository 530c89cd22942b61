"""Paths and chains of an invented market, written to files."""

from collections.abc import Mapping
from datetime import timedelta
from enum import Enum
from pathlib import Path

import numpy as np
from attrs import frozen

from apps.cli.console import tell
from apps.wiring.universe import Column, writable_archive, write_columns
from core.analysis.universe_series import invented_series
from core.analysis.universe_statistics import TENORS, MarketSeries
from core.simulation.replay import ReplayClock
from core.simulation.synthetic_path import EPOCH
from core.simulation.universe.market import universe_market
from core.simulation.universe.params import UniverseParams
from core.simulation.universe.paths import CoinPath, coin_path

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)


class Rows(Enum):
    """What a row of a file of paths stands for."""

    DAYS = "days"
    HOURS = "hours"


@frozen(kw_only=True)
class Drawing:
    """What is drawn: so many *paths* of so many *days*."""

    universe: UniverseParams
    underlying: str
    seed: int
    paths: int
    days: int


def write_paths(path: Path, drawing: Drawing, rows: Rows) -> None:
    """
    Write every path of *drawing* to the file at *path*, CSV or Parquet by its name.

    A row a day: regime, price, index and constant maturities at midnight; a row an hour: the
    price.
    """
    of_path = _hours if rows is Rows.HOURS else _days
    parts = [of_path(drawing, number) for number in range(drawing.paths)]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    write_columns(path, columns)
    tell(f"wrote {path}: {len(columns['path'])} rows")


async def write_chains(folder: Path, drawing: Drawing, every_hours: int) -> None:
    """Write the chains of the first path of *drawing* to an archive in *folder*."""
    archive = writable_archive(folder)
    steps = range(0, 24 * drawing.days, every_hours)
    instants = [EPOCH + step * _HOUR for step in steps]
    clock = ReplayClock(instants, EPOCH)
    market = universe_market(drawing.seed, clock, [drawing.underlying], drawing.universe)
    for at in instants:
        await clock.sleep_until(at)
        await archive.save(await market.snapshot(drawing.underlying))
    tell(f"wrote {len(instants)} chains to {folder}")


def _days(drawing: Drawing, number: int) -> Mapping[str, Column]:
    path, series = _drawn(drawing, number)
    count = path.days
    return {
        "path": np.full(count, number),
        "at": _instants(count, _DAY),
        "regime": path.regime,
        "price_usd": np.exp(series.log_price[:-1:24]),
        "vol_index": series.vol_index[:-1],
        **{f"atm_{days:g}d": series.atm[:-1, at] for at, days in enumerate(TENORS)},
        "rr_30d": series.rr_30[:-1],
        "bf_30d": series.bf_30[:-1],
    }


def _hours(drawing: Drawing, number: int) -> Mapping[str, Column]:
    path, series = _drawn(drawing, number)
    count = 24 * path.days
    return {
        "path": np.full(count, number),
        "at": _instants(count, _HOUR),
        "price_usd": np.exp(series.log_price[:-1]),
    }


def _drawn(drawing: Drawing, number: int) -> tuple[CoinPath, MarketSeries]:
    coin = drawing.universe.coin(drawing.underlying)
    path = coin_path(drawing.universe, drawing.underlying, drawing.seed, number, drawing.days)
    return path, invented_series(coin, path)


def _instants(count: int, step: timedelta) -> Column:
    """The instants of *count* rows, as ISO text in UTC."""
    return np.array([f"{EPOCH + row * step:%Y-%m-%dT%H:%M:%SZ}" for row in range(count)])
