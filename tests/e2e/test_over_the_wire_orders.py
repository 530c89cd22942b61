"""Orders that cannot be: the venue's code comes back over the wire, and says which order it was."""

from collections.abc import AsyncIterator
from datetime import timedelta

import numpy as np
import pytest
import pytest_asyncio
from attrs import evolve, frozen

from adapters.deribit.market_data import DeribitMarketData
from adapters.deribit.trading import DeribitTrading
from ports.errors import Refused
from ports.trading import OrderIntent, Side
from tests.support.deribit_rigs import http_client
from tests.support.exchanges import START, served


@frozen(eq=False)
class Rig:
    trading: DeribitTrading
    good: OrderIntent


@pytest_asyncio.fixture
async def rig() -> AsyncIterator[Rig]:
    """Trading on a served exchange, and an order that it would take."""
    async with served() as exchange, http_client(exchange) as client:
        chain = (await DeribitMarketData(client=client).snapshot("BTC")).chain
        quoted = chain.is_call & (chain.bid > 0.006) & (chain.bid < 0.05)
        row = int(np.flatnonzero(quoted)[0])
        good = OrderIntent(
            label="s.1.open",
            strategy_id="s",
            position_id="p",
            contract=chain.contract(row),
            side=Side.SELL,
            amount=0.1,
            price=float(chain.bid[row]),
            reduce_only=False,
            post_only=False,
            valid_until=START + timedelta(seconds=5),
            expires_at=START + timedelta(seconds=120),
        )
        yield Rig(DeribitTrading(client=client), good)


async def test_the_order_as_it_is_would_be_taken(rig: Rig) -> None:
    """The others differ from it by one thing each."""
    assert (await rig.trading.place(rig.good)).order.label == rig.good.label


@pytest.mark.parametrize(
    ("what", "code"),
    [("strike", 13020), ("amount", 10021), ("tick", 10043), ("band", 10007)],
)
async def test_an_impossible_order_is_refused_by_its_code(rig: Rig, what: str, code: int) -> None:
    """Not listed, off the step, off the tick, outside the band: certainly not placed, and nothing
    of it is found by its label."""
    good = rig.good
    impossible = {
        "strike": evolve(good, contract=evolve(good.contract, strike=good.contract.strike + 1.0)),
        "amount": evolve(good, amount=0.15),
        "tick": evolve(good, price=good.price + 0.0001),
        "band": evolve(good, side=Side.BUY, price=0.9),
    }
    with pytest.raises(Refused) as refusal:
        await rig.trading.place(impossible[what])

    assert refusal.value.code == code
    assert await rig.trading.orders_by_label("BTC", good.label) == ()
