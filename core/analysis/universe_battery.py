"""The acceptance battery: whether an invented market is like the recorded one, row by row."""

from collections.abc import Callable

import numpy as np
from attrs import field, frozen

from core.analysis.universe_bands import Band, bands
from core.analysis.universe_checks import ArbitrageFound, chains_checked, surfaces_checked
from core.analysis.universe_series import (
    MarketHistory,
    invented_series,
    recorded_series,
    recorded_statistics,
)
from core.analysis.universe_statistics import MarketSeries, statistics
from core.analysis.universe_trades import (
    TradeComparison,
    WeeklyTrades,
    compared,
    invented_trades,
)
from core.analysis.universe_windows import Distinction, Windows, distinction, is_enough, windows_of
from core.simulation.universe.params import UniverseParams
from core.simulation.universe.paths import coin_path
from ports.columns import Floats

OUTER_SHARE = 0.8  # of the paths that must lie in the outer band
INNER_ROWS = 17  # of rows 1 to 20 that must be in the inner band
JUDGED_ROWS = 20
GOOD_AUC, MOST_AUC, LEAST_P = 0.58, 0.65, 0.05
_NEWS_EVERY = 50  # paths
_REAL_STEP = 5  # days from window to window of a recording; paths do not overlap


@frozen(kw_only=True)
class BatteryParams:
    """
    How much is simulated.

    *chains* whole chains are built for row 20; *window_paths* are set against the recording in
    row 21, and *null_paths* others play the recording's part, to say what is usual.
    """

    seed: int = 1
    paths: int = 200
    days: int = 1095
    chains: int = 24
    window_paths: int = 20
    null_paths: int = 6


@frozen(kw_only=True)
class BandResult:
    """
    One figure: its median, its 10 and 90 % paths, the share in the outer band, the recording's.

    NaN where a recording does not say.
    """

    band: Band
    median: float
    low: float
    high: float
    outer_share: float
    recorded: float

    @property
    def is_inner(self) -> bool:
        """Whether the median lies in the inner band."""
        return self.band.is_inner(self.median)

    @property
    def is_outer(self) -> bool:
        """Whether enough paths lie in the outer band."""
        return self.outer_share >= OUTER_SHARE


@frozen(kw_only=True)
class Recorded:
    """What the recording is made of."""

    first_day: str
    last_day: str
    days: int
    vol_index_days: int
    smile_days: int


@frozen(kw_only=True, eq=False)
class BatteryReport:
    """All rows of one coin. *distinct* and *trades* are None without a recording to compare."""

    underlying: str
    params: BatteryParams
    results: tuple[BandResult, ...]
    arbitrage: ArbitrageFound
    recorded: Recorded | None
    distinct: Distinction | None
    usual_auc: tuple[float, ...]
    trades: TradeComparison | None

    def rows_inner(self) -> tuple[int, ...]:
        """The rows of 1 to 20 all of whose medians lie in their inner bands."""
        failed = {each.band.row for each in self.results if not each.is_inner}
        return self._without(failed)

    def rows_outer(self) -> tuple[int, ...]:
        """The rows of 1 to 20 all of whose paths keep to their outer bands."""
        failed = {each.band.row for each in self.results if not each.is_outer}
        return self._without(failed)

    @property
    def is_accepted(self) -> bool:
        """Rows 1 to 20 all in the outer band, and 17 of them in the inner one."""
        return len(self.rows_outer()) == JUDGED_ROWS and len(self.rows_inner()) >= INNER_ROWS

    def _without(self, failed: set[int]) -> tuple[int, ...]:
        if self.arbitrage.total:
            failed = failed | {JUDGED_ROWS}
        return tuple(row for row in range(1, JUDGED_ROWS + 1) if row not in failed)


@frozen(eq=False)
class _Simulated:
    figures: dict[str, Floats] = field(repr=False)
    windows: tuple[Windows, ...]
    trades: tuple[WeeklyTrades, ...]
    arbitrage: ArbitrageFound


def battery(
    universe: UniverseParams,
    underlying: str,
    params: BatteryParams,
    *,
    history: MarketHistory | None,
    trades: WeeklyTrades | None,
    told: Callable[[int], None],
) -> BatteryReport:
    """
    Return every row for *underlying*; *told* hears how many paths are done.

    *history* and *trades* are the recording, None where there is none: rows 21 and 22 need them.

    Raises:
        ValueError: There are no bands, or no figures, for the coin.
    """
    wanted = bands(underlying)
    made = _simulated(universe, underlying, params, told)
    series = None if history is None else recorded_series(history)
    own = {} if history is None else recorded_statistics(history)
    real = None if series is None else windows_of(series, _REAL_STEP)
    if real is not None and not is_enough(real):
        real = None  # a recording of a few windows
    against = made.windows[: params.window_paths]
    return BatteryReport(
        underlying=underlying,
        params=params,
        results=tuple(
            _result(band, made.figures[band.name], own.get(band.name, np.nan)) for band in wanted
        ),
        arbitrage=made.arbitrage + chains_checked(universe, underlying, params.seed, params.chains),
        recorded=None if history is None or series is None else _recorded(history, series),
        distinct=None if real is None else distinction(real, against),
        usual_auc=() if real is None else _usual(universe, underlying, params, against, real),
        trades=None if trades is None else compared(trades, made.trades),
    )


def recorded_results(history: MarketHistory) -> tuple[BandResult, ...]:
    """Return the recording judged as if it were the median of paths, where it says anything."""
    own = recorded_statistics(history)
    return tuple(
        _result(band, np.array([own[band.name]]), own[band.name])
        for band in bands(history.underlying)
        if np.isfinite(own[band.name])
    )


def _simulated(
    universe: UniverseParams, underlying: str, params: BatteryParams, told: Callable[[int], None]
) -> _Simulated:
    coin = universe.coin(underlying)
    rows, windows, trades, found = [], [], [], ArbitrageFound()
    for number in range(params.paths):
        path = coin_path(universe, underlying, params.seed, number, params.days)
        series = invented_series(coin, path)
        rows.append(statistics(series))
        trades.append(invented_trades(coin, path))
        found += surfaces_checked(coin, path)
        if number < params.window_paths:
            windows.append(windows_of(series, 30))
        if (number + 1) % _NEWS_EVERY == 0:
            told(number + 1)
    figures = {name: np.array([row[name] for row in rows]) for name in rows[0]}
    return _Simulated(figures, tuple(windows), tuple(trades), found)


def _result(band: Band, values: Floats, recorded: float) -> BandResult:
    """A path without the figure lies in no band."""
    known = values[np.isfinite(values)]
    low, middle, high = np.quantile(known, [0.1, 0.5, 0.9]).tolist() if len(known) else [np.nan] * 3
    return BandResult(
        band=band,
        median=middle,
        low=low,
        high=high,
        outer_share=float(np.mean([band.is_outer(value) for value in values.tolist()])),
        recorded=recorded,
    )


def _usual(
    universe: UniverseParams,
    underlying: str,
    params: BatteryParams,
    against: tuple[Windows, ...],
    real: Windows,
) -> tuple[float, ...]:
    """What the classifier does where an invented path, as long as *real*, plays the recording."""
    coin = universe.coin(underlying)
    days = int(real.start[-1] - real.start[0]) + 60
    found = []
    for number in range(params.paths, params.paths + params.null_paths):
        path = coin_path(universe, underlying, params.seed, number, days)
        windows = windows_of(invented_series(coin, path), _REAL_STEP)
        found.append(distinction(windows, against).auc)
    return tuple(found)


def _recorded(history: MarketHistory, series: MarketSeries) -> Recorded:
    first, last = (
        np.datetime64(int(at), "ms").astype("datetime64[D]")
        for at in (history.closed_at_ms[0], history.closed_at_ms[-1])
    )
    return Recorded(
        first_day=str(first),
        last_day=str(last),
        days=(len(series.log_price) - 1) // 24,
        vol_index_days=int(np.isfinite(series.vol_index).sum()),
        smile_days=0 if history.smiles is None else len(history.smiles.at_ms),
    )
