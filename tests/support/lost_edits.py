"""Edits whose answers are lost: the agent makes none, so its client does, on a virtual clock."""

from datetime import timedelta
from itertools import count

import numpy as np
from attrs import define, field

from adapters.deribit.trading import DeribitTrading
from ports.checks import epoch_ms
from ports.errors import OutcomeUnknown
from ports.instruments import OptionContract
from ports.trading import Order, Side
from tests.support.losses import VALID_FOR, Loss, Tally, loss_of
from tests.support.plans import planned
from tests.support.stage import Stage
from tests.support.venues import intent
from tests.support.virtual import run_virtually

_SURE = timedelta(seconds=1.001)  # after the end of validity
_LONG = timedelta(minutes=1)  # until then everything that was under way has arrived
_OLD, _NEW = 0.0005, 0.001  # coin; nobody sells for that
_PER_LIFE = 100  # edits


def lost_edits(wanted: int, seed: int) -> Tally:
    """Lose *wanted* answers to edits, each of an order of its own."""
    losses: list[Loss] = []
    changed: list[str] = []
    doubled = 0
    for number in range(-(-wanted // _PER_LIFE)):
        tally = run_virtually(_lost(min(_PER_LIFE, wanted - len(losses)), seed + number))
        losses += tally.losses
        changed += tally.violations
        doubled += tally.doubled
    return Tally(tuple(losses), doubled, tuple(changed))


async def _lost(wanted: int, seed: int) -> Tally:
    stage = await Stage.set_up(planned(seed, faults=0.0))
    trading = stage.connected().trading
    assert isinstance(trading, DeribitTrading)
    listed = await trading.client.read("public/get_instruments", currency="BTC", kind="option")
    offered = [OptionContract.from_symbol(each["instrument_name"]) for each in listed.result]
    contract = max(offered, key=lambda each: (each.expiry, -each.strike))  # worth far more
    editor = _Editor(stage, trading, contract, np.random.default_rng([seed, 3]))
    for number in count():
        await editor.edit(f"edit-{number}")
        if len(editor.losses) == wanted:
            break
    return Tally(tuple(editor.losses), editor.doubled, tuple(editor.changed))


@define(eq=False)
class _Editor:
    """Places an order, edits it, and looks what became of it."""

    stage: Stage
    trading: DeribitTrading
    contract: OptionContract
    chance: np.random.Generator
    losses: list[Loss] = field(factory=list)
    doubled: int = 0
    changed: list[str] = field(factory=list)  # what came true after it was known not to

    async def edit(self, label: str) -> None:
        """Edit a new order; where no answer comes, look once it cannot come true any more."""
        order = await self._placed(label)
        now = self.stage.true.now
        valid_until = now() + VALID_FOR
        self.stage.faults.arm(loss_of("private/edit", self.chance, now()))
        try:
            await self.trading.client.submit(
                "private/edit",
                order_id=order.order_id,
                amount=order.amount,
                price=_NEW,
                valid_until=epoch_ms(valid_until),
            )
        except OutcomeUnknown:
            await self.stage.true.sleep_until(valid_until + _SURE)
            known = await self._under(label)
            self.losses.append(Loss(label, now() - valid_until))
            await self.stage.true.sleep_until(now() + _LONG)
            if await self._under(label) != known:
                self.changed.append(f"{label}: {known} is not what it became")
        await self.trading.cancel(order)

    async def _placed(self, label: str) -> Order:
        at = self.stage.true.now()
        return (
            await self.trading.place(intent(self.contract, Side.BUY, 0.1, _OLD, at=at, label=label))
        ).order

    async def _under(self, label: str) -> Order:
        orders = await self.trading.orders_by_label("BTC", label)
        self.doubled += len(orders) > 1
        return orders[0]
