"""Weekly covered calls and straddles sold at bids, in recorded chains and in an invented market."""

from collections.abc import Iterable
from datetime import timedelta

import numpy as np
from attrs import field, frozen

from core.pricing.black76 import delta, premium_coin, tenor_years
from core.simulation.listing import deribit_rules
from core.simulation.synthetic_quotes import ModelValues, half_spread, round_down
from core.simulation.universe import path_kernel as kernel
from core.simulation.universe.params import CoinUniverse, priced_clock
from core.simulation.universe.paths import CoinPath
from core.simulation.universe.surface import EssviColumns, deviation_at_delta, surfaces
from core.stats.energy import energy_distance, mean_distance
from ports.checks import epoch_ms
from ports.columns import Bools, Floats, Ints
from ports.instruments import ContractRules
from ports.market_data import MarketSnapshot

_DAY_MS, _HOUR_MS = 86_400_000, 3_600_000
_FRIDAY_MS = 8 * _HOUR_MS + _DAY_MS  # 08:00 of the second day of 1970, a Friday
_WEEK_MS = 7 * _DAY_MS
_LEAST_DAYS = 5
_ENTRY_HOUR = 10  # UTC
_CALL_DELTA = 0.25
_NORMAL_OF_25_DELTA = 0.6744897501960817
_REFERENCE_ROWS = 10  # of each path, in what others are compared with


@frozen(eq=False)
class WeeklyTrades:
    """
    What was earned by selling each day at 10:00, columns (n,): coin per coin.

    A call of 0.25 delta beside a coin held, and a call and a put at the money, all of the first
    Friday at least five days away, sold at the bid and held to delivery, fees paid.
    """

    entered_ms: Ints
    call: Floats = field(repr=False)
    straddle: Floats = field(repr=False)

    def rows(self) -> Floats:
        """Both, (n, 2)."""
        return np.column_stack([self.call, self.straddle])


@frozen(kw_only=True)
class TradeComparison:
    """
    Recorded trades among those of invented paths.

    Quartiles are 25, 50 and 75 %. *p* is the share of invented stretches, as long as the
    recording, that lie at least as far from the rest of the invented trades as it does.
    """

    p: float
    distance: float  # energy distance of the recording from all paths
    recorded: int
    stretches: int
    call_recorded: tuple[float, ...]
    call_invented: tuple[float, ...]
    straddle_recorded: tuple[float, ...]
    straddle_invented: tuple[float, ...]


def entry_expiry_ms(entered_ms: Ints) -> Ints:
    """Return the first Friday at 08:00 that is at least five days after each of *entered_ms*."""
    since = entered_ms + _LEAST_DAYS * _DAY_MS - _FRIDAY_MS
    return _FRIDAY_MS + -(-since // _WEEK_MS) * _WEEK_MS


def invented_trades(coin: CoinUniverse, path: CoinPath) -> WeeklyTrades:
    """Return the trades of every day of *path* whose expiry still lies in it."""
    begin_ms = epoch_ms(path.begin)
    hour = _ENTRY_HOUR + 24 * np.arange(path.days)
    entered_ms = begin_ms + hour * _HOUR_MS
    expiry_ms = entry_expiry_ms(entered_ms)
    delivered = (expiry_ms - begin_ms) // _HOUR_MS
    known = delivered < path.states.shape[1]
    hour, entered_ms, expiry_ms = hour[known], entered_ms[known], expiry_ms[known]
    price = np.exp(path.states[kernel.LOG_PRICE])
    ratio = price[delivered[known]] / price[hour]
    years = tenor_years(expiry_ms, entered_ms)
    tau_days = 365.0 * priced_clock(coin).years(entered_ms, expiry_ms)
    surface = surfaces(
        coin.dynamics, path.states[:, hour], 365.0 * years[:, None], tau_days[:, None]
    )
    rules = deribit_rules(coin.underlying)
    root = deviation_at_delta(surface, True, _NORMAL_OF_25_DELTA)[:, 0]
    away = np.exp(_NORMAL_OF_25_DELTA * root + 0.5 * root**2)
    at_money = np.ones(len(years))
    is_call, is_put = np.ones(len(years), dtype=np.bool_), np.zeros(len(years), dtype=np.bool_)
    sides = ((away, is_call), (at_money, is_call), (at_money, is_put))
    far, call, put = (
        _earned(_bid(coin.underlying, surface, years, strike, side), strike, side, ratio, rules)
        for strike, side in sides
    )
    return WeeklyTrades(entered_ms, far, call + put)


def recorded_trades(
    snapshots: Iterable[MarketSnapshot], index_at_ms: Ints, index_usd: Floats
) -> WeeklyTrades:
    """
    Return the trades of *snapshots*, one a day; delivery by the index between two recordings.

    Contracts are those listed nearest to what is wanted; a day without both bids, or delivered
    after the recording, is left out.
    """
    entered, earned = [], []
    for snapshot in snapshots:
        entered_ms = epoch_ms(snapshot.taken_at)
        expiry_ms = int(entry_expiry_ms(np.array([entered_ms]))[0])
        if expiry_ms > index_at_ms[-1]:
            continue
        delivered = float(np.exp(np.interp(expiry_ms, index_at_ms, np.log(index_usd))))
        row = _recorded_day(snapshot, expiry_ms, delivered)
        if np.isfinite(row).all():
            entered.append(entered_ms)
            earned.append(row)
    rows = np.array(earned).reshape(-1, 2)
    return WeeklyTrades(np.array(entered, dtype=np.int64), rows[:, 0], rows[:, 1])


def compared(recorded: WeeklyTrades, invented: tuple[WeeklyTrades, ...]) -> TradeComparison:
    """
    Return how *recorded* trades lie among *invented* ones.

    Both trades together, in standard deviations of the invented ones. The recording's energy
    distance from all paths is held against that of a stretch of each path, as long as it, from
    the others: trades that overlap depend on each other alike on both sides.
    """
    count = len(recorded.entered_ms)
    stretches = [each.rows()[:count] for each in invented]
    everything = np.concatenate([each.rows() for each in invented])
    scale = everything.std(axis=0)
    thin = [each.rows()[:: max(1, len(each.call) // _REFERENCE_ROWS)] / scale for each in invented]
    own = _apart(recorded.rows() / scale, np.concatenate(thin))
    others = [
        _apart(stretch / scale, np.concatenate(thin[:at] + thin[at + 1 :]))
        for at, stretch in enumerate(stretches)
    ]
    further = sum(other >= own for other in others)
    real = recorded.rows()
    return TradeComparison(
        p=(1.0 + further) / (1.0 + len(others)),
        distance=energy_distance(recorded.rows() / scale, np.concatenate(thin)),
        recorded=count,
        stretches=len(others),
        call_recorded=_quartiles(real[:, 0]),
        call_invented=_quartiles(everything[:, 0]),
        straddle_recorded=_quartiles(real[:, 1]),
        straddle_invented=_quartiles(everything[:, 1]),
    )


def _apart(rows: Floats, pool: Floats) -> float:
    """The energy distance of *rows* from *pool* but for the pool's own term, the same for all."""
    return 2.0 * mean_distance(rows, pool) - mean_distance(rows, rows)


def one_a_day(taken: Iterable[tuple[int, timedelta]]) -> tuple[int, ...]:
    """Return the positions, one a day, of the instants nearest to the hour of entry."""
    best: dict[int, tuple[timedelta, int]] = {}
    wanted = timedelta(hours=_ENTRY_HOUR)
    for position, (day, of_day) in enumerate(taken):
        best[day] = min(best.get(day, (timedelta.max, -1)), (abs(of_day - wanted), position))
    return tuple(position for _, position in best.values())


def _bid(
    underlying: str, surface: EssviColumns, years: Floats, strike: Floats, is_call: Bools
) -> Floats:
    """The bid for *strike*, in units of the forward, on a surface of one expiry a row."""
    rules = deribit_rules(underlying)
    k = np.log(strike)
    iv = np.sqrt(surface.total_variance(k[:, None])[:, 0] / years)
    mark = premium_coin(1.0, strike, years, iv, is_call)
    values = ModelValues(
        mark=mark,
        log_moneyness=k,
        years=years,
        mark_iv=iv,
        expiry_iv=np.sqrt(surface.theta[:, 0] / years),
    )
    half = np.maximum(half_spread(underlying, values), 0.5 * rules.tick_size)
    return round_down(np.maximum(mark - half, 0.0), rules)


def _earned(
    bid: Floats, strike: Floats, is_call: Bools, ratio: Floats, rules: ContractRules
) -> Floats:
    """Coin per coin of a sale at *bid*; *strike* and delivery *ratio* in units of the forward."""
    payoff = np.maximum(np.where(is_call, ratio - strike, strike - ratio), 0.0) / ratio
    trade = np.minimum(rules.trade_fee_coin, rules.fee_cap * bid)
    delivery = np.minimum(rules.delivery_fee_coin, rules.fee_cap * payoff)
    return bid - payoff - trade - delivery


def _recorded_day(snapshot: MarketSnapshot, expiry_ms: int, delivered: float) -> Floats:
    """What the call and the straddle of one day earn, (2,); NaN without a bid."""
    chain = snapshot.chain.where(snapshot.chain.expiry_ms == expiry_ms)
    if not len(chain):
        return np.array([np.nan, np.nan])
    years = chain.years_left(snapshot.taken_at)
    near = delta(chain.forward, chain.strike, years, chain.mark_iv, chain.is_call)
    far = int(np.argmin(np.where(chain.is_call, np.abs(near - _CALL_DELTA), np.inf)))
    apart = np.abs(np.log(chain.strike / chain.forward))
    call = int(np.argmin(np.where(chain.is_call, apart, np.inf)))
    put = int(np.argmin(np.where(chain.is_call, np.inf, apart)))
    rows = np.array([far, call, put])
    forward = chain.forward[rows]
    earned = _earned(
        chain.bid[rows],
        chain.strike[rows] / forward,
        chain.is_call[rows],
        delivered / forward,
        snapshot.rules,
    )
    return np.array([earned[0], earned[1] + earned[2]])


def _quartiles(values: Floats) -> tuple[float, ...]:
    return tuple(np.quantile(values, [0.25, 0.5, 0.75]).tolist())
