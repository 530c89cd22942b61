"""Deciding on the market before: a strategy that acts at this tick on what the last one showed."""

from enum import StrEnum

from attrs import define, evolve, field, frozen

from core.strategies.base import Proposal, Strategy
from core.view import TickView
from ports.decision_log import Action, ActionType, MarketContext
from ports.history import Candles
from ports.market_data import MarketSnapshot

NOTHING_SEEN = "nothing_seen"  # the reason at the first tick


class Latency(StrEnum):
    """Which snapshot a decision sees, of the one whose quotes it trades at."""

    PREVIOUS = "previous"  # the one before: nothing is known of a quote before it can be traded
    SAME = "same"  # itself: optimistic, a live order would come later

    @property
    def snapshots(self) -> int:
        """How many snapshots lie between deciding and trading."""
        return 1 if self is Latency.PREVIOUS else 0


@frozen(eq=False)
class Seen:
    """What one tick showed of the market."""

    snapshot: MarketSnapshot
    context: MarketContext
    candles: Candles | None


@define(eq=False)
class DelayedStrategy:
    """
    *strategy* shown the market of *latency*, with the account as it is now.

    What it wants is drafted, judged and filled at the quotes of this tick, as ever. The first
    tick is only looked at, so that a run is first marked before it has traded.
    """

    strategy: Strategy
    latency: Latency
    _seen: dict[str, Seen] = field(factory=dict, init=False)

    @property
    def strategy_id(self) -> str:
        """That of the strategy."""
        return self.strategy.strategy_id

    @property
    def policy_version(self) -> str:
        """That of the strategy."""
        return self.strategy.policy_version

    @property
    def underlyings(self) -> tuple[str, ...]:
        """Those of the strategy."""
        return self.strategy.underlyings

    def see(self, seen: Seen) -> None:
        """Let the next proposal know what the tick before it showed."""
        self._seen[seen.snapshot.underlying] = seen

    def propose(self, view: TickView) -> Proposal:
        """What the strategy wants by the market it may know."""
        before = self._seen.get(view.underlying)
        self.see(Seen(view.snapshot, view.context, view.candles))
        if before is None:
            return _nothing(self.strategy_id, view)
        if self.latency is Latency.SAME:
            return self.strategy.propose(view)
        known = evolve(
            view, snapshot=before.snapshot, context=before.context, candles=before.candles
        )
        return self.strategy.propose(known)


def _nothing(strategy_id: str, view: TickView) -> Proposal:
    action = Action(
        type=ActionType.DO_NOTHING,
        strategy_id=strategy_id,
        underlying=view.underlying,
        reason=NOTHING_SEEN,
        detail="",
    )
    return Proposal(actions=(action,), candidates=(), skipped=())
