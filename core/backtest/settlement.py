"""How far the profit of trades may be off because their delivery prices are not the venue's own."""

from collections.abc import Iterable
from math import sqrt
from statistics import NormalDist

from ports.backtest_runs import BacktestTrade, ExitReason

_NORMAL = NormalDist()
_DELIVERED = (ExitReason.ASSIGNED, ExitReason.EXPIRED)


def settlement_error_coin(trades: Iterable[BacktestTrade]) -> float:
    """
    One standard error of the profit of *trades*, coin: those of different weeks add as squares.

    A call that expired near its strike is uncertain too, for the venue's price may have been
    above it; see payoff_error_usd.
    """
    squares = 0.0
    for trade in trades:
        if trade.exit_reason in _DELIVERED and trade.settlement_error_usd > 0.0:
            side = 1.0 if trade.contract.is_call else -1.0
            inside_usd = side * (trade.exit_index_usd - trade.contract.strike)
            error_usd = payoff_error_usd(inside_usd, trade.settlement_error_usd)
            squares += (trade.amount * error_usd / trade.exit_index_usd) ** 2
    return sqrt(squares)


def payoff_error_usd(inside_usd: float, error_usd: float) -> float:
    """
    The root mean square by which a payoff max(inside, 0) is missed, USD.

    *inside_usd* is how far the proxy is in the money, below zero out of it, and *error_usd* its
    normal standard error σ > 0. With z = inside / σ,

        error² / σ² = (1 + z²) N(z) + z n(z) - 2 max(z, 0) (z N(z) + n(z)) + max(z, 0)²

    which goes from 0 far out of the money over 1/2 at the strike to 1 far in it.
    """
    z = inside_usd / error_usd
    below, density = _NORMAL.cdf(z), _NORMAL.pdf(z)
    paid = max(z, 0.0)
    square = (1.0 + z * z) * below + z * density - 2.0 * paid * (z * below + density) + paid**2
    return error_usd * sqrt(max(square, 0.0))
