"""Every strategy beside the one chosen: which of its criteria hold, and why it was not."""

from collections.abc import Callable
from enum import StrEnum

from attrs import field, frozen

from core.context.sensors import Sensors
from core.greg.catalogue import CATALOGUE, StrategyCode
from core.greg.thresholds import EntryThresholds
from core.greg.waterfall import Selection, matches_alone
from core.greg.words import beside


class Status(StrEnum):
    """What becomes of a strategy."""

    PASS = "pass"  # noqa: S105  a word of the interface
    BLOCKED = "blocked"
    NO_DATA = "no_data"


@frozen(kw_only=True)
class Limit:
    """What one sensor should be, ends included; *most_abs* is asked instead of the ends."""

    metric: str
    least: float | None = None
    most: float | None = None
    most_abs: float | None = None


@frozen(kw_only=True)
class Criterion:
    """One limit with the sensor's value; *note* says ok, missing_data or what was passed."""

    metric: str
    value: float | None
    least: float | None
    most: float | None
    note: str

    @property
    def is_ok(self) -> bool:
        """Whether the value is known and within its limits."""
        return self.note == "ok"


@frozen(kw_only=True)
class Evaluation:
    """One strategy on one coin."""

    code: StrategyCode
    label: str
    status: Status
    summary: str
    criteria: tuple[Criterion, ...]
    is_selected: bool = field(default=False)


def evaluations(selection: Selection, limits: EntryThresholds) -> tuple[Evaluation, ...]:
    """Return one row a strategy in the order of the catalogue; exactly one of them passes."""
    return tuple(_evaluated(code, selection, limits) for code in CATALOGUE)


def criteria_of(code: StrategyCode, limits: EntryThresholds) -> tuple[Limit, ...]:
    """Return what is shown of *code*, made from *limits* each time it is asked for."""
    return _CRITERIA[code](limits)


def _evaluated(code: StrategyCode, selection: Selection, limits: EntryThresholds) -> Evaluation:
    is_selected = code is selection.strategy
    asked = selection.limits if is_selected else limits
    criteria = tuple(_judged(each, selection.sensors) for each in criteria_of(code, asked))
    status = _status(code, criteria, is_selected=is_selected)
    is_eligible = matches_alone(code, selection.sensors, limits)
    return Evaluation(
        code=code,
        label=CATALOGUE[code].label,
        status=status,
        summary=_summary(status, criteria, selection, is_eligible=is_eligible),
        criteria=criteria,
        is_selected=is_selected,
    )


def _judged(limit: Limit, sensors: Sensors) -> Criterion:
    value = getattr(sensors, limit.metric)
    is_abs = limit.most_abs is not None
    return Criterion(
        metric=limit.metric,
        value=value,
        least=-limit.most_abs if limit.most_abs is not None else limit.least,
        most=limit.most_abs if is_abs else limit.most,
        note=_note(limit, value),
    )


def _note(limit: Limit, value: float | None) -> str:
    if value is None:
        return "missing_data"
    if limit.most_abs is not None:
        size, most = abs(value), limit.most_abs
        return f"above_abs_max ({beside(size, most, 2)} > {most:g})" if size > most else "ok"
    if limit.least is not None and value < limit.least:
        return f"below_min ({beside(value, limit.least, 2)} < {limit.least:g})"
    if limit.most is not None and value > limit.most:
        return f"above_max ({beside(value, limit.most, 2)} > {limit.most:g})"
    return "ok"


def _status(code: StrategyCode, criteria: tuple[Criterion, ...], *, is_selected: bool) -> Status:
    if code == StrategyCode.NO_TRADE:
        return Status.PASS if is_selected else Status.BLOCKED
    if is_selected and all(each.is_ok for each in criteria):
        return Status.PASS
    failing = [each for each in criteria if not each.is_ok]
    is_unknown = bool(failing) and all(each.value is None for each in failing)
    return Status.NO_DATA if is_unknown else Status.BLOCKED


def _summary(
    status: Status,
    criteria: tuple[Criterion, ...],
    selection: Selection,
    *,
    is_eligible: bool,
) -> str:
    """Why a row has its *status*; the waterfall leaves out limits that criteria include."""
    if status is Status.PASS:
        return f"selected at {selection.step_name}: {selection.reasoning}"
    missing = [each.metric for each in criteria if each.value is None]
    if status is Status.NO_DATA:
        return f"unknown: {', '.join(missing)}"
    failing = [f"{each.metric} {each.note}" for each in criteria if not each.is_ok]
    chosen = f"{selection.strategy} at {selection.step_name}"
    if not failing:
        if is_eligible:
            return f"eligible, pre-empted by {chosen}"
        return f"eligible but for a limit that it only touches; {chosen} was chosen"
    return f"not met: {', '.join(failing)}; {chosen} was chosen"


def _neutral(vrp_least: float, chop_most: float, adx_most: float, skew: float) -> tuple[Limit, ...]:
    return (
        Limit(metric="vrp_30d", least=vrp_least),
        Limit(metric="chop_factor_7d", most=chop_most),
        Limit(metric="adx_14d", most=adx_most),
        Limit(metric="skew_25d", most_abs=skew),
    )


_CRITERIA: dict[StrategyCode, Callable[[EntryThresholds], tuple[Limit, ...]]] = {
    StrategyCode.STRADDLE: lambda limits: _neutral(
        limits.straddle_vrp_min,
        limits.straddle_chop_max,
        limits.straddle_adx_max,
        limits.skew_neutral_threshold,
    ),
    StrategyCode.STRANGLE: lambda limits: _neutral(
        limits.strangle_vrp_min,
        limits.strangle_chop_max,
        limits.strangle_adx_max,
        limits.skew_neutral_threshold,
    ),
    StrategyCode.CALENDAR: lambda limits: (
        Limit(metric="term_structure_spread", least=limits.calendar_term_spread_min),
        Limit(metric="front_rv_iv_ratio", most=limits.calendar_front_rv_iv_ratio_max),
        Limit(metric="vrp_7d", least=limits.calendar_vrp_7d_min),
    ),
    StrategyCode.SHORT_PUT: lambda limits: (
        Limit(metric="skew_25d", least=limits.skew_neutral_threshold),
        Limit(metric="price_vs_ma200", least=0.0),
        Limit(metric="vrp_30d", least=limits.min_vrp_directional),
    ),
    StrategyCode.IRON_BUTTERFLY: lambda limits: (
        Limit(metric="iv_rank_6m", least=limits.iron_fly_iv_rank_min),
        Limit(metric="vrp_30d", least=limits.iron_fly_vrp_min),
    ),
    StrategyCode.BULL_PUT: lambda limits: (
        Limit(metric="skew_25d", least=limits.skew_neutral_threshold),
        Limit(metric="rsi_14d", most=limits.rsi_lower),
        Limit(metric="vrp_30d", least=limits.min_vrp_directional),
    ),
    StrategyCode.BEAR_CALL: lambda limits: (
        Limit(metric="skew_25d", most=-limits.skew_neutral_threshold),
        Limit(metric="rsi_14d", least=limits.rsi_upper),
        Limit(metric="vrp_30d", least=limits.min_vrp_directional),
    ),
    StrategyCode.NO_TRADE: lambda limits: (
        Limit(metric="adx_14d", most=limits.safety_adx_high),
        Limit(metric="chop_factor_7d", most=limits.safety_chop_high),
    ),
}
