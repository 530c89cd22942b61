"""TickView: all that a decision may look at."""

from datetime import datetime

from attrs import field, frozen

from ports.controls import RuntimeControls
from ports.decision_log import MarketContext, RollStarted
from ports.history import Candles
from ports.market_data import MarketSnapshot
from ports.positions import OrderRecord, TrackedPosition
from ports.trading import Account
from ports.volatility import VolatilityReading


@frozen(kw_only=True, eq=False)
class TickView:
    """
    One underlying as one strategy sees it; positions and orders are its own. *working* are also
    orders that were filled by trades not told yet: their positions are still to come.
    """

    now: datetime
    due_at: datetime  # the instant the tick was due: chance is drawn for it
    seed: int
    snapshot: MarketSnapshot
    account: Account
    context: MarketContext
    positions: tuple[TrackedPosition, ...]
    working: tuple[OrderRecord, ...]
    rolls: tuple[RollStarted, ...]
    controls: RuntimeControls = field(factory=RuntimeControls)  # overlay over its parameters
    candles: Candles | None = None  # hourly bars of context.regime.HISTORY up to the snapshot
    volatility: VolatilityReading | None = None  # None: nobody publishes it here

    @property
    def underlying(self) -> str:
        """The coin."""
        return self.snapshot.underlying
