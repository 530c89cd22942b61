"""Greg's hedges on the paper exchange: agent, adapters and a served venue, over the wire."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from math import isfinite

import pytest_asyncio
from attrs import define, evolve
from pydantic import SecretStr

from adapters.deribit.auth import Credentials
from adapters.deribit.client import DeribitClient
from adapters.deribit.clock import SteppedVenueClock
from adapters.deribit.futures import perpetual_rules
from adapters.deribit.history import DeribitHistory
from adapters.deribit.market_data import DeribitMarketData
from adapters.deribit.throttle import UNLIMITED, Throttle
from adapters.deribit.trading import DeribitTrading
from adapters.memory.controls import MemoryControlStore
from adapters.memory.decision_log import MemoryDecisionLog
from adapters.memory.positions import MemoryPositionStore
from core.execution.orders import label_of
from core.greg.advice import Advice
from core.greg.catalogue import STRATEGY_ID
from core.greg.executing import ExecutionRequest, ExecutionStatus
from core.greg.modes import Mode
from core.usecases.agent import Agent
from core.usecases.bookkeeper import Bookkeeper
from core.usecases.comparing import compare
from core.usecases.desk import Desk, read
from core.usecases.greg_desk import GregDesk
from core.usecases.greg_execute import GregExecutor
from core.usecases.greg_hedger import Hedger
from core.usecases.orders import submit
from ports.decision_log import OrderUpdated
from ports.instruments import FutureContract
from ports.market_data import MarketSnapshot
from ports.trading import OrderIntent, Side
from ports.world import World
from tests.support.exchanges import KEY, START, ExchangeRig, served
from tests.support.greg_desks import OPEN, STRADDLE, FixedSensors, params
from tests.support.worlds import PARAMS

PERPETUAL = FutureContract("BTC")
MINUTE = timedelta(minutes=1)
TICKS = [START + 5 * n * MINUTE for n in range(1, 5)]
LIMITS = evolve(
    PARAMS.limits, max_spread_pct=60.0, min_open_interest=0.0, unknown_liquidity_blocks=False
)


@define(eq=False)
class Wired:
    """A desk whose market, history, trading and clock are those of a served exchange."""

    exchange: ExchangeRig
    client: DeribitClient
    clock: SteppedVenueClock
    journal: MemoryDecisionLog
    desk: Desk

    async def restarted(self) -> Desk:
        """Another process over the same journal."""
        keeper = Bookkeeper(self.journal, MemoryPositionStore("test"), "test")
        await keeper.recall(None)
        return evolve(self.desk, keeper=keeper)

    async def sizes(self) -> dict[str, float]:
        """What the exchange holds for us, futures in USD."""
        account = await self.desk.world.trading.account("BTC")
        options = {each.contract.symbol: each.size for each in account.positions}
        return options | {
            each.contract.symbol: each.size_usd for each in account.futures if each.size_usd
        }


@pytest_asyncio.fixture
async def wired() -> AsyncIterator[Wired]:
    async with served() as exchange:
        key = Credentials(
            KEY.client_id, SecretStr(KEY.client_secret), access="account:read trade:read_write"
        )
        throttle = Throttle(limits=UNLIMITED, now_s=lambda: 0.0)
        url = f"http://127.0.0.1:{exchange.port}"
        async with DeribitClient.opened(url, key, throttle=throttle) as client:
            yield await wire(exchange, client)


async def wire(exchange: ExchangeRig, client: DeribitClient) -> Wired:
    """A desk over *client*, of a book that nothing was written in."""
    clock = await SteppedVenueClock.opened(client, TICKS)
    journal, store = MemoryDecisionLog(), MemoryPositionStore("test")
    world = World(
        environment="test",
        market=DeribitMarketData(client=client),
        history=DeribitHistory(client),
        trading=DeribitTrading(client=client),
        clock=clock,
        log=journal,
        positions=store,
        controls=MemoryControlStore(),
    )
    desk = Desk(
        world=world,
        keeper=Bookkeeper(journal, store, "test"),
        strategies=(),
        params=evolve(
            PARAMS, limits=LIMITS, future_rules={"BTC": await perpetual_rules(client, "BTC")}
        ),
    )
    return Wired(exchange, client, clock, journal, desk)


async def sell_call(desk: Desk) -> None:
    """Sell half a call near the money, about a month out, as the rest of a straddle of Greg's."""
    await compare(desk, await read(desk, "BTC"))
    reading = await read(desk, "BTC")
    snapshot, row = reading.snapshot, near_the_money(reading.snapshot)
    intent = OrderIntent(
        label=label_of(STRATEGY_ID, desk.now, desk.keeper.book.counter + 1, "open"),
        strategy_id=STRATEGY_ID,
        position_id=STRADDLE,
        contract=snapshot.chain.contract(row),
        side=Side.SELL,
        amount=0.5,
        price=float(snapshot.chain.bid[row]),
        reduce_only=False,
        post_only=False,
        valid_until=desk.now + timedelta(seconds=5),
        expires_at=desk.now + timedelta(seconds=120),
    )
    record = await submit(desk, intent, reading)
    assert record is not None
    assert record.filled_amount == 0.5


def near_the_money(snapshot: MarketSnapshot) -> int:
    """The row of a quoted call, 15 to 60 days out, whose strike is nearest to the index."""
    chain = snapshot.chain
    rows = [
        row
        for row in range(len(chain.strike))
        if chain.is_call[row]
        and isfinite(chain.bid[row])
        and 15 < chain.contract(row).days_left(snapshot.taken_at) < 60
    ]
    return min(rows, key=lambda row: abs(float(chain.strike[row]) - snapshot.index_usd))


def greg_of(desk: Desk, mode: Mode) -> GregDesk:
    """Greg's desk with every gate open but for *mode*."""
    return GregDesk(
        desk=desk, sensors=FixedSensors(), params=params(), state=evolve(OPEN, mode=mode)
    )


async def test_the_loop_hedges_holds_and_knows_it_again(wired: Wired) -> None:
    """
    Twenty minutes with a short call: the perpetual is bought, the book agrees with the exchange
    in every tick, funding is noted, and a restart finds the same; then the position is closed,
    its hedge with it, and the exchange holds nothing.
    """
    desk = wired.desk
    await sell_call(desk)
    hedger = Hedger(greg=greg_of(desk, Mode.LIVE), is_synthetic=False)
    await Agent(desk, asyncio.Event(), hedger=hedger).run()
    book, held = desk.keeper.book, await wired.sizes()
    position = book.positions[STRADDLE]

    assert held[PERPETUAL.symbol] == position.future_usd > 10_000.0
    assert held[PERPETUAL.symbol] % 10.0 == 0.0
    assert (book.halted, book.reconciliations["BTC"].clean) == ("", True)
    assert position.future is not None
    assert position.future.funded_at == TICKS[-1]
    assert abs(book.wealth["BTC"].other_coin) < 1e-6

    again = await wired.restarted()
    assert again.keeper.book == book
    await compare(again, await read(again, "BTC"))
    greg = greg_of(again, Mode.LIVE)
    standing = await greg.evaluate()
    to_close = [evolve(each, action=Advice.CLOSE) for each in standing.suggestions]
    greg.store.replace(to_close, again.now)
    outcome = await GregExecutor(greg).execute(
        ExecutionRequest(
            position_id=STRADDLE, action="CLOSE", strategy="STRATEGY_A_STRADDLE", underlying="BTC"
        )
    )
    assert outcome.status is ExecutionStatus.EXECUTED, outcome.note
    assert await wired.sizes() == {}
    assert again.keeper.book.positions[STRADDLE].closed_at is not None


async def test_with_a_gate_closed_the_exchange_sees_no_hedge(wired: Wired) -> None:
    """Twenty minutes of looks, one line, and not one request to trade the perpetual."""
    desk = wired.desk
    await sell_call(desk)
    hedger = Hedger(greg=greg_of(desk, Mode.ADVICE_ONLY), is_synthetic=False)
    await Agent(desk, asyncio.Event(), hedger=hedger).run()
    entries = [record.entry async for record in wired.journal.records()]
    traded = {
        fill.contract
        for entry in entries
        if isinstance(entry, OrderUpdated)
        for fill in entry.fills
    }

    assert PERPETUAL.symbol not in await wired.sizes()
    assert PERPETUAL not in traded
    assert len(hedger.greg.hedges.newest()) > 10
