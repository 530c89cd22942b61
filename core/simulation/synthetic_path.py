"""The prices and volatilities of an invented market, by hour and by minute."""

from datetime import UTC, datetime, timedelta
from math import exp, log, sqrt

import numpy as np
from attrs import frozen

from core.rng import rng_at
from core.simulation.synthetic_params import CoinParams, SyntheticParams
from ports.columns import Bools, Floats

EPOCH = datetime(2025, 1, 1, tzinfo=UTC)  # the first instant of every invented market

_DAY, _HOUR, _MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
_HOURS_PER_YEAR = 24 * 365
_SHARE_OF_HOUR = np.arange(1, 61) / 60.0


@frozen
class CoinState:
    """One coin at one instant: the index, and what its volatility and skew deviate by."""

    index_usd: float
    fast: float  # log-volatility
    slow: float  # log-volatility
    skew: float  # standard deviations


@frozen(eq=False)
class CoinHours:
    """One coin at full hours: columns (n,), as in CoinState."""

    index_usd: Floats
    fast: Floats
    slow: Floats


class SyntheticPath:
    """
    The path of one coin: a pure function of seed and instant, remembered as far as asked for.

    Each UTC day draws from generators of its own, and days are worked out from the epoch on:
    the path is the same however far and in whatever order it is asked for. Between full hours
    runs a Brownian bridge by minutes, between minutes a straight line. Spot, volatilities and
    coins share the shocks of their bridges as they do those of the hours, so that within an
    hour none tells where another goes.
    """

    def __init__(self, seed: int, coin: CoinParams, params: SyntheticParams) -> None:
        self._seed = seed
        self._coin = coin
        self._params = params
        self._days: list[_Day] = []
        self._minutes: dict[int, _Nodes] = {}

    def state(self, instant: datetime) -> CoinState:
        """Return the coin at *instant*, which is not before the epoch."""
        day, of_day = divmod(instant - EPOCH, _DAY)
        minute = min(of_day // _MINUTE, 1439)
        within = of_day / _MINUTE - minute
        nodes = self._by_minute(day)
        return CoinState(
            index_usd=exp(_between(nodes.log_price, minute, within)),
            fast=_between(nodes.fast, minute, within),
            slow=_between(nodes.slow, minute, within),
            skew=_between(nodes.skew, minute, within),
        )

    def minute_prices(self, first: datetime, last: datetime) -> Floats:
        """Return the index at every full minute from *first* to *last*, both full minutes."""
        start, stop = (first - EPOCH) // _MINUTE, (last - EPOCH) // _MINUTE
        days = range(start // 1440, stop // 1440 + 1)
        joined = np.concatenate([self._by_minute(day).log_price[:1440] for day in days])
        offset = days.start * 1440
        prices: Floats = np.exp(joined[start - offset : stop - offset + 1])
        return prices

    def hours(self, first: datetime, last: datetime) -> CoinHours:
        """Return the coin at every full hour in [*first*, *last*], neither before the epoch."""
        start, stop = -((EPOCH - first) // _HOUR), (last - EPOCH) // _HOUR
        self._extend(stop // 24)
        days = self._days[start // 24 : stop // 24 + 1]
        rows = slice(start % 24, start % 24 + stop - start + 1)
        return CoinHours(
            index_usd=np.exp(np.concatenate([day.nodes.log_price[:24] for day in days])[rows]),
            fast=np.concatenate([day.nodes.fast[:24] for day in days])[rows],
            slow=np.concatenate([day.nodes.slow[:24] for day in days])[rows],
        )

    def _extend(self, last_day: int) -> None:
        for day in range(len(self._days), last_day + 1):
            self._days.append(self._made(day))

    def _made(self, day: int) -> "_Day":
        coin = self._coin
        start = self._days[day - 1] if day else _first_day(coin)
        shocks = self._shocks("hours", day, (24,))
        jump = self._jumps(day)
        kick = coin.jump_in_log_iv * np.abs(jump.size)
        fast = _reverting(start.nodes.fast[-1], coin.fast_sd, coin.fast_days, shocks.fast, kick)
        slow = _reverting(start.nodes.slow[-1], coin.slow_sd, coin.slow_days, shocks.slow)
        noise = _reverting(start.noise[-1], coin.noise_sd, coin.noise_days, shocks.noise)
        skew = _reverting(start.nodes.skew[-1], 1.0, coin.skew_days, shocks.skew)
        variance = _hourly_variance(coin, fast[:-1] + slow[:-1], noise[:-1])
        distance = start.nodes.log_price[-1] - log(coin.start_usd)
        returns = (
            (coin.drift_per_year - coin.pull_per_year * distance) / _HOURS_PER_YEAR
            - 0.5 * variance
            + np.sqrt(variance) * shocks.spot
            + jump.size
        )
        log_price = start.nodes.log_price[-1] + np.concatenate([[0.0], np.cumsum(returns)])
        return _Day(_Nodes(log_price, fast, slow, skew), noise, np.sqrt(variance), jump)

    def _by_minute(self, day: int) -> "_Nodes":
        """The day's 1,441 minutes from 00:00 to 24:00."""
        if day not in self._minutes:
            self._extend(day)
            self._minutes[day] = self._bridged(day)
        return self._minutes[day]

    def _bridged(self, day: int) -> "_Nodes":
        coin, made = self._coin, self._days[day]
        shocks = self._shocks("minutes", day, (24, 60))
        size, after = made.jump.size, made.jump.after
        kick = coin.jump_in_log_iv * np.abs(size)
        none = np.zeros(24)
        fast_sd = _hourly_sd(coin.fast_sd, coin.fast_days)
        slow_sd = _hourly_sd(coin.slow_sd, coin.slow_days)
        skew_sd = _hourly_sd(1.0, coin.skew_days)
        return _Nodes(
            _bridge(made.nodes.log_price, made.deviation, shocks.spot, size, after),
            _bridge(made.nodes.fast, fast_sd, shocks.fast, kick, after),
            _bridge(made.nodes.slow, slow_sd, shocks.slow, none, after),
            _bridge(made.nodes.skew, skew_sd, shocks.skew, none, after),
        )

    def _shocks(self, grid: str, day: int, shape: tuple[int, ...]) -> "_Shocks":
        """Standard normal columns of *shape* with the correlations of the parameters."""
        at = EPOCH + day * _DAY
        coin, params = self._coin, self._params
        common = rng_at(self._seed, f"synthetic/{grid}", at).standard_normal((3, *shape))
        name = f"synthetic/{grid}/{coin.underlying}"
        own = rng_at(self._seed, name, at).standard_normal((5, *shape))
        spot = _shared(common[0], own[0], params.return_correlation)
        fast = _shared(common[1], own[1], params.vol_correlation)
        slow = _shared(common[2], own[2], params.vol_correlation)
        return _Shocks(
            spot=spot,
            fast=_led(spot, fast, coin.spot_vol_correlation),
            slow=_led(spot, slow, coin.spot_vol_correlation),
            noise=own[3],
            skew=_led(spot, own[4], coin.spot_skew_correlation),
        )

    def _jumps(self, day: int) -> "_Jumps":
        """All coins jump together, each by its own size."""
        rng = rng_at(self._seed, "synthetic/jumps", EPOCH + day * _DAY)
        happens = rng.random(24) < self._coin.jumps_per_year / _HOURS_PER_YEAR
        size = self._coin.jump_size * rng.laplace(size=24)
        minute = rng.integers(1, 61, size=24)
        after = np.arange(1, 61) >= minute[:, None]
        return _Jumps(size=np.where(happens, size, 0.0), after=after)


@frozen(eq=False)
class _Nodes:
    """Columns over the nodes of one day: (25,) by the hour or (1441,) by the minute."""

    log_price: Floats
    fast: Floats
    slow: Floats
    skew: Floats


@frozen(eq=False)
class _Jumps:
    """Jumps of one day: log return of each hour, (24,), and the minutes after it, (24, 60)."""

    size: Floats
    after: Bools


@frozen(eq=False)
class _Day:
    """One day by the hour; *deviation* of each hour's log return without its jump, (24,)."""

    nodes: _Nodes
    noise: Floats
    deviation: Floats
    jump: _Jumps


@frozen(eq=False, kw_only=True)
class _Shocks:
    spot: Floats
    fast: Floats
    slow: Floats
    noise: Floats
    skew: Floats


def _first_day(coin: CoinParams) -> _Day:
    """What the epoch continues: every deviation at its mean."""
    zero = np.zeros(1)
    start = _Nodes(np.log([coin.start_usd]), zero, zero, zero)
    return _Day(start, zero, zero, _Jumps(zero, np.zeros((1, 60), dtype=np.bool_)))


def _between(nodes: Floats, node: int, share: float) -> float:
    return float(nodes[node] + share * (nodes[node + 1] - nodes[node]))


def _reverting(
    start: float, sd: float, days: float, shocks: Floats, kicks: Floats | None = None
) -> Floats:
    """An AR(1) by the hour of stationary deviation *sd* and relaxation time *days*, (25,)."""
    keep = exp(-1.0 / (24.0 * days))
    step = sd * sqrt(1.0 - keep * keep)
    moves = step * shocks if kicks is None else step * shocks + kicks
    values = [float(start)]
    for move in moves.tolist():
        values.append(keep * values[-1] + move)
    return np.array(values)


def _hourly_sd(sd: float, days: float) -> float:
    return sd * sqrt(1.0 - exp(-2.0 / (24.0 * days)))


def _hourly_variance(coin: CoinParams, log_iv: Floats, noise: Floats) -> Floats:
    """What an hour realises: the implied variance less its premium, about a noisy mean of 1."""
    implied = coin.long_run_iv**2 * np.exp(2.0 * log_iv)
    level = np.exp(noise - 0.5 * coin.noise_sd**2 - coin.variance_premium)
    variance: Floats = implied * level / _HOURS_PER_YEAR
    return variance


def _bridge(
    nodes: Floats, deviation: Floats | float, shocks: Floats, jump: Floats, after: Bools
) -> Floats:
    """Minutes between the hours of *nodes*, (1441,): a Brownian bridge, and the jump in it."""
    walk = np.cumsum(shocks, axis=1) * np.reshape(deviation, (-1, 1)) / sqrt(60.0)
    noise = walk - _SHARE_OF_HOUR * walk[:, -1:]
    smooth = (np.diff(nodes) - jump)[:, None] * _SHARE_OF_HOUR
    minutes = nodes[:-1, None] + smooth + noise + jump[:, None] * after
    return np.concatenate([nodes[:1], minutes.ravel()])


def _shared(common: Floats, own: Floats, correlation: float) -> Floats:
    mixed: Floats = sqrt(correlation) * common + sqrt(1.0 - correlation) * own
    return mixed


def _led(spot: Floats, other: Floats, correlation: float) -> Floats:
    led: Floats = correlation * spot + sqrt(1.0 - correlation**2) * other
    return led
