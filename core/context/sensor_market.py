"""What a market says beside its sensors: jumps, spreads, forward volatility, changes of a day."""

from datetime import timedelta
from math import pi, sqrt

import numpy as np
from attrs import evolve

from core.context.sensor_bars import DailyBars
from core.context.sensor_chain import FRONT, MONTH, atm_iv, expiry_in
from core.context.sensor_figures import fresh_chain
from core.context.sensor_values import MarketFacts, SensorInputs
from ports.checks import epoch_ms, from_epoch_ms
from ports.columns import Floats, Ints
from ports.market_data import MarketSnapshot

_USUAL_DAYS, _WEEK = 30, 7
_ABOUT_MONEY = 0.1  # of the index
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_CONFIRMED_AFTER = timedelta(minutes=15)
_YEAR_MS = 365 * 86_400_000


def market_facts(inputs: SensorInputs, bars: DailyBars) -> MarketFacts:
    """Return what *inputs* say, *bars* being the finished days of their candles."""
    facts = MarketFacts(jump_sigmas=_jump(bars), vol_index_day_points=_index_change(inputs))
    seen = fresh_chain(inputs)
    if seen is None:
        return facts
    return _with_prices(_with_chain(facts, seen), inputs, seen)


def _jump(bars: DailyBars) -> float | None:
    """
    The largest move of the last week over the usual one, by bipower variation of a month.

    Source: Barndorff-Nielsen and Shephard (2004), J. Financial Econometrics 2, 1-37.
    """
    close = bars.unbroken().close[-(_USUAL_DAYS + 1) :]
    if len(close) < _USUAL_DAYS + 1:
        return None
    moves = np.abs(np.diff(np.log(close)))
    usual = sqrt(pi / 2.0 * float(np.mean(moves[1:] * moves[:-1])))
    return float(moves[-_WEEK:].max()) / usual if usual > 0.0 else None


def _with_chain(facts: MarketFacts, seen: MarketSnapshot) -> MarketFacts:
    """*facts* with what the chain says of the front and the month."""
    chain, now = seen.chain, seen.taken_at
    front, month = expiry_in(chain, now, FRONT), expiry_in(chain, now, MONTH)
    if front is not None:
        facts = evolve(facts, front_expires_at=from_epoch_ms(front))
    if month is None:
        return facts
    of_month = chain.expiry_ms == month
    near = of_month & (np.abs(chain.strike / seen.index_usd - 1.0) <= _ABOUT_MONEY)
    spread = (chain.ask - chain.bid)[near] / chain.mark[near]
    known, held = spread[np.isfinite(spread)], chain.open_interest[of_month]
    held = held[np.isfinite(held)]
    month_iv = atm_iv(chain, month, seen.index_usd)
    front_iv = None if front is None else atm_iv(chain, front, seen.index_usd)
    forward = None
    if front is not None and front_iv is not None and month_iv is not None:
        years = [(each - epoch_ms(now)) / _YEAR_MS for each in (front, month)]
        forward = _forward(front_iv, month_iv, years[0], years[1])
    return evolve(
        facts,
        spread_share=float(np.median(known)) if len(known) else None,
        open_interest=float(np.sum(held)) if len(held) else None,
        month_iv=month_iv,
        forward_iv=forward,
    )


def _forward(front_iv: float, month_iv: float, front: float, month: float) -> float | None:
    """The volatility between two maturities, points; None where they are one or contradict."""
    if month <= front:
        return None
    variance = (month_iv**2 * month - front_iv**2 * front) / (month - front)
    return sqrt(variance) if variance > 0.0 else None


def _with_prices(facts: MarketFacts, inputs: SensorInputs, seen: MarketSnapshot) -> MarketFacts:
    """*facts* with earlier prices, and how far the index of *seen* is from them."""
    if inputs.candles is None:
        return facts
    candles, index_usd = inputs.candles, seen.index_usd

    def before(age: timedelta) -> float | None:
        at_ms = epoch_ms(seen.taken_at - age)
        return _last_before(candles.closed_at_ms, candles.close, at_ms, _HOUR)

    return evolve(
        facts,
        earlier_price=before(_CONFIRMED_AFTER),
        index_hour_pct=_change(index_usd, before(_HOUR)),
        index_day_pct=_change(index_usd, before(_DAY)),
    )


def _index_change(inputs: SensorInputs) -> float | None:
    """How far the volatility index went in a day, by its hourly closes, points."""
    series = inputs.vol_index_now
    if series is None:
        return None
    now = _last_before(series.closed_at_ms, series.close, epoch_ms(inputs.now), 2 * _HOUR)
    first = series.close[:1]
    if now is None or not len(first) or not first[0] > 0.0:
        return None
    return now - float(first[0])


def _last_before(closed_ms: Ints, close: Floats, at_ms: int, oldest: timedelta) -> float | None:
    """The last close by *at_ms* that is no older than *oldest* then."""
    least_ms = at_ms - oldest // timedelta(milliseconds=1)
    known = np.flatnonzero((closed_ms <= at_ms) & (closed_ms > least_ms) & (close > 0.0))
    return float(close[known[-1]]) if len(known) else None


def _change(now: float, before: float | None) -> float | None:
    return None if before is None else 100.0 * (now / before - 1.0)
