"""World: the ports of one tick, in one frozen bundle."""

from attrs import frozen

from ports.clock import Clock
from ports.controls import ControlStore
from ports.decision_log import DecisionLog
from ports.history import History
from ports.market_data import MarketData
from ports.positions import PositionStore
from ports.trading import Trading
from ports.volatility import Volatility


@frozen(kw_only=True)
class World:
    """Live, dry run, paper or backtest: the difference is only what stands here."""

    environment: str  # names the book: files of one environment are refused by another
    market: MarketData
    history: History
    trading: Trading
    clock: Clock
    log: DecisionLog
    positions: PositionStore
    controls: ControlStore
    volatility: Volatility | None = None  # None: no strategy looks at it, or nobody publishes it
