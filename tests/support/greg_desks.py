"""Greg's desk over an agent in memory, with positions that were really sold to the venue."""

from datetime import datetime, timedelta

from attrs import define

from core.analysis.greg_view import AdviceTerms
from core.context.sensor_readings import sensor_bundle
from core.context.sensor_values import DataSource, SensorBundle, SensorInputs, SensorParams
from core.execution.orders import label_of
from core.greg.catalogue import STRATEGY_ID, StrategyCode
from core.greg.hedging import HedgeTerms
from core.greg.management import FundingConvention, PositionRules
from core.greg.modes import Caps, Environment, Mode, ModeState
from core.greg.thresholds import EntryRules
from core.usecases.comparing import compare
from core.usecases.desk import Desk, read
from core.usecases.greg_desk import GregDesk, GregDeskParams
from core.usecases.greg_execute import GregExecutor
from core.usecases.orders import submit
from ports.greg_journal import GregEvent, GregNoted, SandboxLeg, SandboxOpened
from ports.greg_log import GregEntry
from ports.instruments import FutureContract, OptionContract
from ports.market_data import MarketSnapshot
from ports.trading import OrderIntent, Side
from tests.support.calls import priced
from tests.support.markets import NOW, call, snapshot
from tests.support.past_risk import place_past_risk
from tests.support.worlds import PARAMS, Rig, Stage

BEAR_CALL = f"greg-{StrategyCode.BEAR_CALL}-1"  # its strike is touched: CLOSE
STRADDLE = f"greg-{StrategyCode.STRADDLE}-2"  # its call alone, half closed: HEDGE
SANDBOX = f"sandbox_BTC_{StrategyCode.BEAR_CALL}_0a1b2c3d"
STRIKES = {BEAR_CALL: 96_000.0, STRADDLE: 104_000.0}
EXPIRY = NOW.replace(hour=8) + timedelta(days=35)
MOST = Caps(per_position_usd=100_000.0, per_underlying_usd=200_000.0)
OPEN = ModeState(
    mode=Mode.LIVE,
    enable_live=True,
    strategies=frozenset({StrategyCode.BEAR_CALL, StrategyCode.STRADDLE}),
    caps=MOST,
    most=MOST,
)


@define
class FixedSensors:
    """Sensors of a market of one kind, none of which is known."""

    data_source: DataSource = DataSource.EXCHANGE

    async def read(self, underlying: str, now: datetime) -> SensorBundle:
        """See Sensing."""
        inputs = SensorInputs(
            underlying=underlying, now=now, data_source=self.data_source, candles=None
        )
        return sensor_bundle(inputs, SensorParams())


@define(eq=False)
class GregRig:
    """A desk at which advice was given once, and everything round it."""

    rig: Rig
    greg: GregDesk
    executor: GregExecutor
    sensors: FixedSensors
    sold: int  # orders that were sent to have something

    @property
    def orders(self) -> int:
        """How many orders Greg has sent since."""
        return len(self.rig.trading.requests) - self.sold

    async def rows(self) -> list[GregEntry]:
        """What the journal says of Greg but for suggestions, oldest first."""
        return [
            entry.entry
            for entry in await self.rig.stage.entries()
            if isinstance(entry, GregNoted) and entry.event is not GregEvent.SUGGESTED
        ]


def params(environment: Environment = Environment.MAINNET) -> GregDeskParams:
    """A desk connected to *environment* that may trade BTC."""
    rules = PositionRules()
    return GregDeskParams(
        environment=environment,
        underlyings=("BTC",),
        entry=EntryRules(),
        advice=AdviceTerms(
            rules=rules,
            convention=FundingConvention.AS_SPECIFIED,
            guards=(),
            mode=Mode.ADVICE_ONLY,
            environment=environment,
        ),
        hedge_rule=lambda holding, _: rules.hedges[holding.code],
        hedge_terms=HedgeTerms(),
        is_core_dry_run=False,
    )


async def greg_rig(
    state: ModeState = OPEN, desk_params: GregDeskParams | None = None, *ids: str
) -> GregRig:
    """The desk in *state* over positions of *ids*, both unless some are named."""
    stage = Stage(shown=[market()], ticks=[], params=PARAMS)
    rig = await stage.rig()
    await compare(rig.desk, await read(rig.desk, "BTC"))
    for position_id in ids or (BEAR_CALL, STRADDLE):
        await sell(rig.desk, call(STRIKES[position_id], EXPIRY), position_id)
    sensors = FixedSensors()
    greg = GregDesk(desk=rig.desk, sensors=sensors, params=desk_params or params(), state=state)
    await greg.evaluate()
    return GregRig(rig, greg, GregExecutor(greg), sensors, len(rig.trading.requests))


async def add_sandbox(rig: GregRig) -> None:
    """One more position, of the sandbox, on the strike that is touched: CLOSE."""
    touched = call(STRIKES[BEAR_CALL], EXPIRY)
    await rig.rig.desk.keeper.record(
        SandboxOpened(
            at=rig.rig.desk.now,
            position_id=SANDBOX,
            strategy_id=STRATEGY_ID,
            underlying="BTC",
            origin="GREG_SANDBOX",
            run_id="r",
            index_usd=100_000.0,
            legs=(SandboxLeg(touched, -0.01, 0.02),),
        )
    )
    await rig.greg.evaluate()


def market(at: datetime = NOW, index_usd: float = 100_000.0) -> MarketSnapshot:
    """Both calls, on an index of 100,000 USD unless told."""
    rows = [
        priced(call(strike, EXPIRY), now=at, index_usd=index_usd) for strike in STRIKES.values()
    ]
    return snapshot(*rows, taken_at=at, index_usd=index_usd)


async def sell(desk: Desk, contract: OptionContract, position_id: str) -> None:
    """Sell half of *contract* at its bid, as a position of Greg's."""
    reading = await read(desk, "BTC")
    row = reading.snapshot.chain.row_of(contract)
    assert row is not None
    intent = OrderIntent(
        label=label_of(STRATEGY_ID, desk.now, desk.keeper.book.counter + 1, "open"),
        strategy_id=STRATEGY_ID,
        position_id=position_id,
        contract=contract,
        side=Side.SELL,
        amount=0.5,
        price=float(reading.snapshot.chain.bid[row]),
        reduce_only=False,
        post_only=False,
        valid_until=desk.now + timedelta(seconds=5),
        expires_at=desk.now + timedelta(seconds=120),
    )
    record = await submit(desk, intent, reading)
    assert record is not None
    assert record.filled_amount == 0.5


async def trade_perpetual(desk: Desk, position_id: str, usd: float, side: Side = Side.SELL) -> None:
    """Trade *usd* of the perpetual at the venue for a position, whatever risk would say of it."""
    order = OrderIntent(
        label=label_of(STRATEGY_ID, desk.now, desk.keeper.book.counter + 1, "hedge"),
        strategy_id=STRATEGY_ID,
        position_id=position_id,
        contract=FutureContract("BTC"),
        side=side,
        amount=usd,
        price=100_000.0 * (1.0 + 0.005 * side.sign),
        reduce_only=False,
        post_only=False,
        valid_until=desk.now + timedelta(seconds=5),
        expires_at=desk.now + timedelta(seconds=120),
    )
    await place_past_risk(desk, order)


async def minutes_later(rig: GregRig, minutes: float, index_usd: float = 100_000.0) -> None:
    """Let time pass; the market is quoted again, on another index if told, and compared."""
    await rig.rig.later(minutes=minutes)
    rig.rig.market.shown = [market(rig.rig.desk.now, index_usd)]
    await compare(rig.rig.desk, await read(rig.rig.desk, "BTC"))
