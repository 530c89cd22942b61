"""What the market shows of a contract to an order that is about to be placed."""

from attrs import frozen

from apps.exchange.frames import Frame, known
from apps.exchange.rpc import RpcError
from core.simulation.perpetual import perpetual_quote
from ports.instruments import Contract, FutureContract
from ports.trading import Side


@frozen
class Bounds:
    """The touch, None where nothing is quoted, and the band of prices that are taken."""

    contract: Contract
    bid: float | None
    ask: float | None
    least: float
    most: float
    mark: float

    def touch(self, side: Side) -> float | None:
        """What an order on *side* would trade with."""
        return self.ask if side is Side.BUY else self.bid

    def worst(self, side: Side) -> float:
        """The end of the band that an order on *side* goes to at the market."""
        return self.most if side is Side.BUY else self.least

    def taken(self, side: Side, price: float) -> float:
        """
        Return the price at which an order on *side* at *price* is taken: futures are brought
        into the band.

        Raises:
            RpcError: 10005 or 10007, an option is out of it.
        """
        is_beyond = price > self.most if side is Side.BUY else 0 < price < self.least
        if not is_beyond:
            return price
        if isinstance(self.contract, FutureContract):
            return self.worst(side)
        if side is Side.BUY:
            raise RpcError(10007, f"price_too_high {self.most}")
        raise RpcError(10005, f"price_too_low {self.least}")

    def require_passive(self, side: Side, price: float) -> None:
        """
        Let an order on *side* at *price* pass only if it would not trade at once.

        Raises:
            RpcError: 11054, it would.
        """
        touch = self.touch(side)
        if touch is not None and side.sign * (price - touch) >= 0:
            raise RpcError(11054, "post_only_reject")


def bounds_of(frame: Frame, contract: Contract) -> Bounds:
    """
    Return the bounds of *contract* on *frame*.

    Raises:
        RpcError: 13019 or 13020, it has expired or is not listed.
    """
    if isinstance(contract, FutureContract):
        shown = perpetual_quote(frame.snapshot)
        return Bounds(contract, shown.bid, shown.ask, shown.least, shown.most, shown.mark)
    row = frame.listing.row_of.get(contract.symbol)
    if row is not None:
        bid, ask = known(frame.bid[row]), known(frame.ask[row])
        least, most = frame.least_price(row), frame.most_price(row)
        return Bounds(contract, bid, ask, least, most, frame.mark[row])
    if contract.expiry <= frame.snapshot.taken_at:
        raise RpcError(13019, "orderbook_closed")
    raise RpcError(13020, "not_found")
