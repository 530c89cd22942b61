"""A future held at the venue: entries, what was realised, funding, and the daily settlement."""

from datetime import datetime

import attrs
from attrs import frozen

from core.simulation.exact import exact_sum
from ports.instruments import FutureContract
from ports.trading import Fill
from ports.venue_log import Funding, FutureSettlement


@frozen(kw_only=True)
class FutureHolding:
    """
    USD held in *contract*, negative short, and its profit since the last settlement.

    *average_price* is that of the entries, *session_price* the same with the last settlement in
    place of older ones: means of coin, so that profits of parts add up. *realised_coin* is what
    closed trades brought in the session, *funding_coin* what funding did, *funded_at* until when.
    Zero held keeps what was realised until it is settled.
    """

    contract: FutureContract
    size_usd: float = 0.0
    average_price: float = 0.0  # USD per coin; zero while nothing is held
    session_price: float = 0.0
    realised_coin: float = 0.0
    funding_coin: float = 0.0
    funded_at: datetime

    def unrealised_coin(self, mark: float) -> float:
        """What the session has brought at *mark*, above what is realised."""
        return self._profit(self.session_price, mark, self.size_usd)

    def profit_coin(self, mark: float) -> float:
        """What the session has brought: this much would be settled at *mark*."""
        return self.realised_coin + self.funding_coin + self.unrealised_coin(mark)

    def open_profit_coin(self, mark: float) -> float:
        """What is held has earned since it was entered, settled or not."""
        return self._profit(self.average_price, mark, self.size_usd)

    def realised_by(self, fill: Fill) -> float:
        """What *fill* would realise, before its fee: the session's profit of what it closes."""
        return self._profit(self.session_price, fill.price, self._closed_usd(fill))

    def after(self, fill: Fill) -> "FutureHolding":
        """The holding once *fill* is in it."""
        change_usd = fill.side.sign * fill.amount
        size_usd = exact_sum(self.size_usd, change_usd)
        held = attrs.evolve(
            self,
            size_usd=size_usd,
            realised_coin=self.realised_coin + self.realised_by(fill),
            funded_at=max(self.funded_at, fill.at),
        )
        if self.size_usd * change_usd >= 0:
            return attrs.evolve(
                held,
                average_price=_mean(self.average_price, self.size_usd, fill.price, change_usd),
                session_price=_mean(self.session_price, self.size_usd, fill.price, change_usd),
            )
        if size_usd * self.size_usd > 0:
            return held
        entry = fill.price if size_usd else 0.0
        return attrs.evolve(held, average_price=entry, session_price=entry)

    def funded(self, funding: Funding) -> "FutureHolding":
        """The holding once *funding* is in it."""
        return attrs.evolve(
            self,
            funding_coin=self.funding_coin + funding.amount_coin,
            funded_at=funding.until,
        )

    def settled(self, settlement: FutureSettlement) -> "FutureHolding":
        """The holding at the start of the next session."""
        return attrs.evolve(
            self,
            session_price=settlement.price if self.size_usd else 0.0,
            realised_coin=0.0,
            funding_coin=0.0,
            funded_at=settlement.at,
        )

    def _closed_usd(self, fill: Fill) -> float:
        """How much of the holding *fill* closes, with its sign."""
        against = -fill.side.sign * self.size_usd
        closed = min(fill.amount, max(against, 0.0))
        return closed if self.size_usd > 0 else -closed

    def _profit(self, entry: float, now: float, size_usd: float) -> float:
        return self.contract.profit_coin(size_usd, entry, now) if size_usd else 0.0


def _mean(price: float, size_usd: float, other: float, change_usd: float) -> float:
    """The price at which both together cost the same coin."""
    coin = (size_usd / price if size_usd else 0.0) + change_usd / other
    return (size_usd + change_usd) / coin
