"""Whether a result may be called an edge, and why not."""

from collections.abc import Mapping

from attrs import frozen

FEW_TRADES = 30  # below it every figure is marked

_LEAST_DEFLATED_SHARPE = 0.95
_MOST_OVERFITTING = 0.2
_LEAST_POSITIVE_FOLDS_PCT = 60.0


@frozen
class EdgeVerdict:
    """An edge, or the reasons why it may not be called one."""

    reasons: tuple[str, ...]

    @property
    def is_edge(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.reasons


def edge_verdict(metrics: Mapping[str, float | None]) -> EdgeVerdict:
    """
    Return the verdict on the *metrics* of a run; what is undefined speaks against it.

    All of: deflated Sharpe ratio at least 0.95, probability of overfitting at most 0.2, the
    90 % interval of alpha over the delta-adjusted benchmark above zero after costs x 1.5, and
    alpha above zero in at least 60 % of walk-forward folds.
    """
    deflated = metrics.get("deflated_sharpe")
    overfitting = metrics.get("overfitting_probability")
    alpha_low = metrics.get("alpha_stressed_pct_low")
    folds_pct = metrics.get("positive_folds_pct")
    reasons = [
        _at_least("deflated Sharpe ratio", deflated, _LEAST_DEFLATED_SHARPE),
        _at_most("probability of overfitting", overfitting, _MOST_OVERFITTING),
        _above_zero("alpha with costs x 1.5, lower bound in percent", alpha_low),
        _at_least("folds with alpha above zero in percent", folds_pct, _LEAST_POSITIVE_FOLDS_PCT),
    ]
    return EdgeVerdict(tuple(reason for reason in reasons if reason))


def is_few(metrics: Mapping[str, float | None]) -> bool:
    """Whether there are too few closed trades to say much."""
    trades = metrics.get("total_trades")
    return trades is None or trades < FEW_TRADES


def _at_least(name: str, found: float | None, least: float) -> str:
    if found is None:
        return f"{name} is not known"
    return "" if found >= least else f"{name} is {found:.3g}, must be at least {least:g}"


def _at_most(name: str, found: float | None, most: float) -> str:
    if found is None:
        return f"{name} is not known"
    return "" if found <= most else f"{name} is {found:.3g}, must be at most {most:g}"


def _above_zero(name: str, found: float | None) -> str:
    if found is None:
        return f"{name} is not known"
    return "" if found > 0.0 else f"{name} is {found:.3g}, must be above 0"
