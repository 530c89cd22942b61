"""A paper book that holds a call whatever the hour: risk opens nothing around a settlement."""

import asyncio
from contextlib import chdir
from datetime import timedelta
from pathlib import Path

from apps.settings.load import load
from apps.settings.root import Settings
from apps.wiring.book import files_of, locked_book, place_of
from apps.wiring.desk import opened_desk
from core.execution.orders import label_of
from core.usecases.agent import put_down, recover
from core.usecases.comparing import compare
from core.usecases.desk import Desk, Reading, read
from ports.decision_log import OrderUpdated, Sent
from ports.trading import OrderIntent, Side

_LEAST_BID = 0.02  # coin: of a call that is worth something


def sell_past_risk(
    folder: Path, settings: dict[str, str], strategy_id: str, position_id: str, amount: float
) -> None:
    """Let the book below *folder* sell the BTC call nearest to the money, unasked."""
    with chdir(folder):
        asyncio.run(_sell(load([], settings, {}, None).settings, strategy_id, position_id, amount))


async def _sell(settings: Settings, strategy_id: str, position_id: str, amount: float) -> None:
    place = place_of(settings)
    with locked_book(place, "test"):
        async with opened_desk(settings, files_of(place), lambda _: None) as desk:
            await recover(desk)
            reading = await read(desk, "BTC")
            await compare(desk, reading)
            await place_past_risk(desk, _intent(desk, reading, strategy_id, position_id, amount))
            await put_down(desk, "test")


def _intent(
    desk: Desk, reading: Reading, strategy_id: str, position_id: str, amount: float
) -> OrderIntent:
    chain, index = reading.snapshot.chain, reading.snapshot.index_usd
    row = min(
        (n for n in range(len(chain)) if chain.is_call[n] and chain.bid[n] > _LEAST_BID),
        key=lambda n: abs(float(chain.strike[n]) - index),
    )
    return OrderIntent(
        label=label_of(strategy_id, desk.now, desk.keeper.book.counter + 1, "open"),
        strategy_id=strategy_id,
        position_id=position_id,
        contract=chain.contract(row),
        side=Side.SELL,
        amount=amount,
        price=float(chain.bid[row]),
        reduce_only=False,
        post_only=False,
        valid_until=desk.now + timedelta(seconds=5),
        expires_at=desk.now + timedelta(seconds=120),
    )


async def place_past_risk(desk: Desk, intent: OrderIntent) -> None:
    """Let *intent* be filled whole and booked, whatever risk would say of it."""
    await desk.keeper.record(Sent(at=desk.now, intent=intent))
    placed = await desk.world.trading.place(intent)
    assert placed.order.filled_amount == intent.amount
    await desk.keeper.record(
        OrderUpdated(
            at=desk.now,
            label=intent.label,
            state=placed.order.state,
            order_id=placed.order.order_id,
            filled_amount=placed.order.filled_amount,
            fills=placed.fills,
            reason="",
        )
    )
