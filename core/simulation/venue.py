"""SimulatedVenue: an options exchange in memory, over any market."""

from asyncio import Lock
from datetime import datetime

import attrs
from attrs import define, field, frozen

from core.risk.margin import MarginRates
from core.simulation.admission import admitted, amended
from core.simulation.funds import account_of
from core.simulation.matching import (
    Moment,
    after_market,
    delivered,
    ended,
    lots_reducible,
    taken_at_once,
    traded,
)
from core.simulation.settling import settlement_due, settlement_step
from core.simulation.venue_state import VenueState
from ports.clock import Clock
from ports.errors import NeverSent, Refused, Unavailable
from ports.history import History
from ports.market_data import MarketData
from ports.trading import Account, Activity, Order, OrderIntent, OrderState, Placed
from ports.venue_log import Deposit, OrderTerms, TriggerOrder, VenueLog, VenueStep


@frozen(kw_only=True)
class VenueParams:
    """What may be chosen about the venue; grids and fees come with the market."""

    margin: MarginRates = field(factory=MarginRates)


@define(eq=False, kw_only=True, repr=False)
class SimulatedVenue:
    """
    Trading in memory: limit orders against the quotes of a market, in the venue's own log.

    Before each answer it catches up with the clock: expiries are delivered first, then
    resting orders meet the market. Every change is one step in the log before it is
    answered, so a venue opened on the log of another is that venue. One request at a time.

    A market, history or log that raises lets its error through; only a placement that has
    not been looked at yet says NeverSent.
    """

    market: MarketData
    history: History
    clock: Clock
    log: VenueLog
    params: VenueParams
    _state: VenueState
    _turn: Lock = field(factory=Lock, init=False)
    _is_folded: bool = field(default=True, init=False)

    @classmethod
    async def opened(
        cls,
        *,
        market: MarketData,
        history: History,
        clock: Clock,
        log: VenueLog,
        deposits: tuple[Deposit, ...],
        params: VenueParams | None = None,
    ) -> "SimulatedVenue":
        """
        Return the venue that *log* remembers; a new one starts with *deposits*.

        Raises:
            StoreDamaged: The log cannot be read.

            StoreUnwritable: The deposits cannot be kept.
        """
        venue = cls(
            market=market,
            history=history,
            clock=clock,
            log=log,
            params=params or VenueParams(),
            state=await VenueState.folded(log),
        )
        if deposits and not venue._state.accounts:
            await venue._record(VenueStep(at=clock.now(), deposits=deposits))
        return venue

    async def account(self, underlying: str) -> Account:
        """See Trading; margins are those of the positions, without working orders."""
        async with self._turn:
            return account_of(await self._caught_up(underlying), self.params.margin)

    async def moment(self, underlying: str) -> Moment:
        """
        Return the market and the account at now; the account goes on changing, so read it at once.

        Raises:
            Unavailable: The market or its past does not answer.
        """
        async with self._turn:
            return await self._caught_up(underlying)

    async def place(self, intent: OrderIntent) -> Placed:
        """See Trading; NeverSent when the market does not answer."""
        return await self.place_for(intent, None)

    async def place_for(
        self,
        intent: OrderIntent,
        terms: OrderTerms | None,
        waiting: TriggerOrder | None = None,
    ) -> Placed:
        """
        Place *intent* as Trading says, and remember the *terms* its client gave, if any, and in
        the same step that this is what became of the order that was *waiting*.
        """
        async with self._turn:
            try:
                moment = await self._caught_up(intent.contract.underlying)
                order = admitted(intent, moment, self.params.margin)
            except Unavailable as error:
                raise NeverSent(f"{intent.label}: {error}") from error
            step = taken_at_once(order, moment, terms)
            if waiting is not None:
                done = waiting.ended(OrderState.CANCELLED, order.order_id)
                step = attrs.evolve(step, triggers=(done,))
            return await self._placed(step)

    async def edit(
        self, order_id: str, intent: OrderIntent, terms: OrderTerms | None = None
    ) -> Placed:
        """
        Give a working order the price of *intent* and, besides what is filled, its amount; and
        new *terms*, if any.

        Raises:
            NeverSent: The market does not answer.

            Refused: 10004 or 11044, it is not working; else as place.

            OutcomeUnknown: As place.
        """
        async with self._turn:
            try:
                moment = await self._caught_up(intent.contract.underlying)
                known = moment.account.orders.get(order_id)
                if known is None:
                    raise Refused(10004, "order_not_found")
                if known.state.is_terminal:
                    raise Refused(11044, "not_open_order")
                order = amended(known, intent, moment, self.params.margin)
            except Unavailable as error:
                raise NeverSent(f"{intent.label}: {error}") from error
            return await self._placed(taken_at_once(order, moment, terms))

    async def cancel(self, order: Order) -> Order:
        """See Trading."""
        return await self.cancel_for(order, "user_request")

    async def cancel_for(self, order: Order, reason: str) -> Order:
        """Cancel *order* as Trading says, and remember the *reason*."""
        async with self._turn:
            moment = await self._caught_up(order.contract.underlying)
            known = moment.account.orders.get(order.order_id)
            if known is None:
                raise Refused(10004, "order_not_found")
            if known.state.is_terminal:
                raise Refused(10010, "already_closed")
            step = ended(known, OrderState.CANCELLED, moment, reason)
            await self._record(step)
            return step.orders[0]

    async def hit(self, order: Order) -> None:
        """
        Let what is left of a working *order* trade at its own price, with somebody not shown.

        Raises:
            Unavailable: The market does not answer.
        """
        async with self._turn:
            moment = await self._caught_up(order.contract.underlying)
            known = moment.account.working.get(order.order_id)
            if known is None:
                return
            rules = moment.rules_of(known.contract)
            lots = rules.lots(known.amount) - rules.lots(known.filled_amount)
            if known.reduce_only:
                lots = min(lots, lots_reducible(moment, known.contract, known.side))
            if lots:
                await self._record(traded(known, lots, known.price, moment, is_maker=True))

    async def open_orders(self, underlying: str) -> tuple[Order, ...]:
        """See Trading."""
        async with self._turn:
            moment = await self._caught_up(underlying)
            return tuple(moment.account.working.values())

    async def orders_by_label(self, underlying: str, label: str) -> tuple[Order, ...]:
        """See Trading."""
        async with self._turn:
            orders = (await self._caught_up(underlying)).account.orders.values()
            return tuple(order for order in orders if order.label == label)

    async def activity(self, underlying: str, since: datetime) -> Activity:
        """See Trading; a delivery happens when the venue learns its price."""
        async with self._turn:
            account = (await self._caught_up(underlying)).account
            return Activity(
                fills=tuple(account.fills_since(since))[::-1],
                deliveries=tuple(done for done in account.deliveries if done.at >= since),
            )

    async def _placed(self, step: VenueStep) -> Placed:
        await self._record(step)
        return Placed(order=step.orders[0], fills=step.fills)

    async def _caught_up(self, underlying: str) -> Moment:
        """Return the moment of this answer, once all that was due before it has happened."""
        if not self._is_folded:
            self._state = await VenueState.folded(self.log)
            self._is_folded = True
        snapshot = await self.market.snapshot(underlying)
        moment = Moment(snapshot, self._state.account(underlying), self.clock.now())
        await self._expire(moment)
        await self._settle(moment)
        await self._look_up_funding(moment)
        best_first = sorted(moment.account.working.values(), key=_price_priority)
        for order in best_first:
            step = after_market(order, moment)
            if step is not None:
                await self._record(step)
        return moment

    async def _expire(self, moment: Moment) -> None:
        """Close the books that have expired, and deliver where the price is known."""
        for order in tuple(moment.account.working.values()):
            expiry = order.contract.expiry
            if expiry is not None and expiry <= moment.at:
                await self._record(ended(order, OrderState.EXPIRED, moment))
        expired = [each for each in moment.account.holdings if each.expiry <= moment.at]
        for contract in sorted(expired):
            price = await self.history.delivery_price(contract.underlying, contract.expiry)
            if price is not None:
                await self._record(delivered(contract, price, moment))

    async def _settle(self, moment: Moment) -> None:
        """Settle the futures for every 08:00 that has passed, as far as its price is known."""
        for contract, held in tuple(moment.account.futures.items()):
            due = settlement_due(held, moment.at)
            while due is not None:
                current = moment.account.futures[contract]
                step = await settlement_step(current, due, moment.at, self.history)
                if step is None:
                    break
                await self._record(step)
                after = moment.account.futures.get(contract)
                due = None if after is None else settlement_due(after, moment.at)

    async def _look_up_funding(self, moment: Moment) -> None:
        """Tell *moment* the funding of what is held since it was last booked."""
        for contract, held in moment.account.futures.items():
            if held.size_usd and contract.expiry is None:
                moment.funding[contract] = await self.history.funding(
                    contract.underlying, held.funded_at, moment.at
                )

    async def _record(self, step: VenueStep) -> None:
        """Log *step*, then be changed by it: if the log fails midway, only the log knows."""
        self._is_folded = False
        await self.log.append(step)
        self._state.take(step)
        self._is_folded = True


def _price_priority(order: Order) -> float:
    """Sort key by which the better price of a side comes first; equal ones stay by age."""
    return -order.side.sign * order.price
