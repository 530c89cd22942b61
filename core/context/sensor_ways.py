"""How each sensor is worked out from the figures it rests on."""

from collections.abc import Iterable

import numpy as np

from core.context.sensor_bars import DAY_MS, DailyBars
from core.context.sensor_chain import ConstantMaturity, constant_maturity
from core.context.sensor_figures import INDEX, ChainReading, fresh_chain
from core.context.sensor_values import (
    Figure,
    Operand,
    SensorInputs,
    SensorParams,
    SensorReading,
    SensorVariant,
)
from core.stats.indicators import adx, rsi
from ports.checks import epoch_ms
from ports.columns import Floats

_MEAN_DAYS = 200
_LEAST_ADX_BARS, _LEAST_RSI_CLOSES = 28, 15
RANK_DAYS, _LEAST_RANKED = 180, 20


def difference(
    name: str, left_name: str, left: Figure, right_name: str, right: Figure
) -> SensorReading:
    """Return the sensor *name*: *left* less *right*; unknown where one of them is."""
    value = None if left.value is None or right.value is None else left.value - right.value
    return _of_two(
        name, value, f"{left_name} - {right_name}", ((left_name, left), (right_name, right))
    )


def ratio(
    name: str, above_name: str, above: Figure, below_name: str, below: Figure
) -> SensorReading:
    """Return the sensor *name*: *above* by *below*; unknown unless both are known, below > 0."""
    value = None
    if above.value is not None and below.value is not None and below.value > 0.0:
        value = above.value / below.value
    return _of_two(
        name, value, f"{above_name} / {below_name}", ((above_name, above), (below_name, below))
    )


def _of_two(
    name: str, value: float | None, formula: str, operands: Iterable[tuple[str, Figure]]
) -> SensorReading:
    told = tuple(operands)
    return SensorReading(
        name=name,
        value=value,
        formula=formula,
        source=" / ".join(each.source or "-" for _, each in told),
        inputs=tuple(Operand(of, each.value) for of, each in told),
        note="; ".join(f"{of}: {each.note}" for of, each in told if each.note),
    )


def rank_in_index(inputs: SensorInputs, iv: Figure, params: SensorParams) -> SensorReading:
    """Return the rank within the index of half a year, or fixed bounds where that is short."""
    name, formula = "iv_rank_6m", "(iv_30d - low) / (high - low), in 0..1"
    if iv.value is None or iv.value <= 0.0:
        return SensorReading(name=name, value=None, formula=formula, source="")
    past = recent_closes(inputs)
    if len(past) >= _LEAST_RANKED:
        low, high, source = float(past.min()), float(past.max()), INDEX
        note = f"{len(past)} daily closes"
        if iv.source != INDEX:
            note += f"; iv_30d is not of the index but {iv.source}"
    elif inputs.underlying in params.proxy_rank:
        low, high = params.proxy_rank[inputs.underlying]
        source, note = "fixed bounds", f"{len(past)} daily closes are too few"
    else:
        return SensorReading(name=name, value=None, formula=formula, source="")
    value = min(max((iv.value - low) / (high - low), 0.0), 1.0) if high > low else None
    if params.has(SensorVariant.RANK_PERCENTILE) and len(past) >= _LEAST_RANKED:
        formula = "share of closes below iv_30d"
        value = float(np.mean(past < iv.value))
    return SensorReading(
        name=name,
        value=value,
        formula=formula,
        source=source,
        inputs=(Operand("iv_30d", iv.value), Operand("low", low), Operand("high", high)),
        is_proxy=source != INDEX,
        note=note,
    )


def recent_closes(inputs: SensorInputs) -> Floats:
    """The index's daily closes of the last 180 days, (n,)."""
    series, now_ms = inputs.vol_index, epoch_ms(inputs.now)
    if series is None:
        return np.empty(0)
    inside = (series.closed_at_ms <= now_ms) & (series.closed_at_ms > now_ms - RANK_DAYS * DAY_MS)
    closes: Floats = series.close[inside & (series.close > 0.0)]
    return closes


def term_spread(
    inputs: SensorInputs, chain: ChainReading, ivs: tuple[Figure, Figure], params: SensorParams
) -> SensorReading:
    """Return the chain's own difference, else that of *ivs*, front and month."""
    name = "term_structure_spread"
    if params.has(SensorVariant.CONSTANT_MATURITY):
        return _fitted_term(inputs)
    if chain.front_iv is not None and chain.month_iv is not None:
        same = chain.front_expiry == chain.month_expiry
        return SensorReading(
            name=name,
            value=chain.front_iv - chain.month_iv,
            formula="ATM IV near 7 d - ATM IV near 30 d",
            source="at-the-money marks",
            inputs=(Operand("atm_7d", chain.front_iv), Operand("atm_30d", chain.month_iv)),
            note="both slots hold the same expiry"
            if same
            else f"{chain.front_expiry}, {chain.month_expiry}",
        )
    return difference(name, "iv_7d", ivs[0], "iv_30d", ivs[1])


def _fitted_term(inputs: SensorInputs) -> SensorReading:
    seen = fresh_chain(inputs)
    found: ConstantMaturity | None = None if seen is None else constant_maturity(seen)
    return SensorReading(
        name="term_structure_spread",
        value=None if found is None else found.front - found.month,
        formula="ATM IV at 7 d - ATM IV at 30 d, of the fitted surface",
        source="surface",
        inputs=()
        if found is None
        else (Operand("atm_7d", found.front), Operand("atm_30d", found.month)),
    )


def skew_25d(chain: ChainReading) -> SensorReading:
    """Return the skew that the chain tells, flagged where it is the proxy."""
    skew = chain.skew
    formula = "25-delta put IV - 25-delta call IV"
    if skew is None:
        return SensorReading(name="skew_25d", value=None, formula=formula, source="")
    if skew.is_proxy:
        formula = "put IV at 0.95 spot - call IV at 1.05 spot"
    return SensorReading(
        name="skew_25d",
        value=skew.points,
        formula=formula,
        source="marks",
        inputs=(Operand("put_iv", skew.put_iv), Operand("call_iv", skew.call_iv)),
        is_proxy=skew.is_proxy,
        note=chain.month_expiry,
    )


def adx_14d(bars: DailyBars) -> SensorReading:
    """Return Wilder's directional index of the last days in a row; unknown below 28."""
    run = bars.unbroken()
    is_known = len(run) >= _LEAST_ADX_BARS
    return SensorReading(
        name="adx_14d",
        value=float(adx(run.high, run.low, run.close)[-1]) if is_known else None,
        formula="Wilder's ADX, 14 daily bars",
        source="daily bars",
        inputs=(Operand("bars", float(len(run))),),
        note="highs and lows of recorded prices only" if bars.is_sampled else "",
    )


def rsi_14d(bars: DailyBars) -> SensorReading:
    """Return Wilder's strength index of the last days in a row; unknown below 15."""
    run = bars.unbroken()
    is_known = len(run) >= _LEAST_RSI_CLOSES
    return SensorReading(
        name="rsi_14d",
        value=float(rsi(run.close)[-1]) if is_known else None,
        formula="Wilder's RSI, 14 daily closes",
        source="daily closes",
        inputs=(Operand("closes", float(len(run))),),
    )


def price_vs_ma200(bars: DailyBars) -> SensorReading:
    """Return the last close against the mean of the last 200; unknown with fewer."""
    spot = float(bars.close[-1])
    name, formula = "price_vs_ma200", "(spot / ma200 - 1) x 100"
    if len(bars) < _MEAN_DAYS:
        return SensorReading(
            name=name,
            value=None,
            formula=formula,
            source="daily closes",
            inputs=(Operand("closes", float(len(bars))),),
        )
    mean = float(np.mean(bars.close[-_MEAN_DAYS:]))
    spanned = int(bars.day[-1] - bars.day[-_MEAN_DAYS]) + 1
    return SensorReading(
        name=name,
        value=(spot / mean - 1.0) * 100.0,
        formula=formula,
        source="daily closes",
        inputs=(Operand("spot", spot), Operand("ma200", mean)),
        note=f"{_MEAN_DAYS} closes of {spanned} days" if spanned > _MEAN_DAYS else "",
    )


def predicted_funding(inputs: SensorInputs) -> SensorReading:
    """Return what the venue publishes; unknown where it does not."""
    return SensorReading(
        name="predicted_funding_rate",
        value=inputs.funding,
        formula="the perpetual's predicted funding of eight hours",
        source="perpetual" if inputs.funding is not None else "",
    )
