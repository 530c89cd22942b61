"""Random orders and the states to judge them in: mostly calm, each a little different."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import numpy as np
from attrs import frozen

from core.risk.exposure import RiskState
from core.risk.limits import RiskLimits
from ports.controls import RuntimeControls
from ports.instruments import ContractRules, OptionContract, OptionKind, TickStep
from ports.market_data import MarketSnapshot
from ports.positions import Book, Leg, OrderRecord, Reconciliation, TrackedPosition
from ports.trading import Account, Order, OrderIntent, OrderState, Position, Side
from tests.support.markets import Listed, snapshot

_T = TypeVar("_T")

STRATEGY = "covered_call_v1"
DAY = datetime(2026, 3, 2, tzinfo=UTC)
NEXT_EXPIRY = timedelta(days=7)
# Seconds of the day at which control 11 changes its mind.
_SETTLEMENT = (28_499, 28_500, 28_800, 29_099, 29_100, 29_101)
# Chosen so that out-of-the-money over forward is a short decimal.
_FORWARDS = {"BTC": (50_000.0, 80_000.0, 100_000.0), "ETH": (2_000.0, 2_500.0, 4_000.0)}
_STRIKES = (0.96, 1.0, 1.04, 1.12, 1.25)
_STATES = tuple(OrderState)
_IN_DOUBT = frozenset({OrderState.SENT, OrderState.UNKNOWN})
_FILLED_WHOLE = frozenset({OrderState.FILLED})
_FILLED_IN_PART = frozenset(
    {OrderState.PARTIAL, OrderState.CANCELLED, OrderState.EXPIRED, OrderState.PENDING_CANCEL}
)


@frozen(eq=False)
class Case:
    """An order and the state it is judged in."""

    intent: OrderIntent
    state: RiskState

    @property
    def row(self) -> int | None:
        """Where the order's contract is listed."""
        return self.state.snapshot.chain.row_of(self.intent.contract)


@frozen(eq=False)
class Draw:
    """Chance in the forms that states are made of."""

    rng: np.random.Generator

    def below(self, share: float) -> bool:
        """True for *share* of all calls."""
        return bool(self.rng.random() < share)

    def whole(self, low: int, high: int) -> int:
        """A whole number from *low* to *high*, both included."""
        return low + int(self.rng.random() * (high - low + 1))

    def one(self, things: Sequence[_T]) -> _T:
        """One of *things*."""
        return things[self.whole(0, len(things) - 1)]

    def seconds(self, low: int, high: int) -> timedelta:
        """A whole number of seconds."""
        return timedelta(seconds=self.whole(low, high))


def rules_of(underlying: str) -> ContractRules:
    """The grids of Deribit's options on *underlying*."""
    step = 0.1 if underlying == "BTC" else 1.0
    return ContractRules(
        tick_size=0.0001,
        tick_steps=(TickStep(0.005, 0.0005),),
        amount_step=step,
        min_amount=step,
    )


def random_case(draw: Draw) -> Case:
    """A state with room for almost any order, and an order that almost always makes sense."""
    state = random_state(draw)
    return Case(_intent(draw, state), state)


def random_state(draw: Draw) -> RiskState:
    """Quotes, positions, orders and limits that leave room."""
    underlying = "BTC" if draw.below(0.6) else "ETH"
    rules = rules_of(underlying)
    seconds = draw.one(_SETTLEMENT) if draw.below(0.03) else draw.whole(30_000, 86_399)
    now = DAY + timedelta(seconds=seconds)
    market = _market(draw, underlying, rules, now - draw.seconds(0, 9))
    contracts = market.chain.contracts
    held = _positions(draw, contracts, rules)
    balance = rules.amount_step * 60 * draw.whole(4, 8)
    records = [_record(draw, number, contracts, now) for number in range(draw.whole(0, 4))]
    planned = [_planned(draw, number, contracts, now) for number in range(_few(draw))]
    return RiskState(
        now=now,
        snapshot=market,
        account=Account(
            underlying=underlying,
            read_at=now - draw.seconds(0, 50),
            balance_coin=balance,
            equity_coin=balance - draw.whole(0, 100) * 0.01,
            initial_margin_coin=draw.whole(0, 400) * 0.001,
            maintenance_margin_coin=0.0,
            positions=held,
        ),
        book=Book(
            orders={record.intent.label: record for record in records},
            positions=_booked(draw, held, now),
            reconciliations={
                underlying: Reconciliation(at=now - draw.seconds(0, 500), clean=True, differing=0)
            },
        ),
        controls=RuntimeControls(),
        limits=_generous(underlying, rules),
        external=tuple(_external(draw, n, contracts, now) for n in range(_few(draw))),
        planned=tuple(planned),
        clock_skew=timedelta(milliseconds=draw.whole(-4_000, 4_000)),
    )


def order(draw: Draw, contract: OptionContract, price: float, lots: int, side: Side) -> OrderIntent:
    """An order of the strategy; what buys only reduces."""
    rules = rules_of(contract.underlying)
    return OrderIntent(
        label=f"{STRATEGY}.{draw.whole(0, 10**9)}",
        strategy_id=STRATEGY,
        position_id=f"p{draw.whole(0, 3)}",
        contract=contract,
        side=side,
        amount=rules.amount(lots),
        price=price,
        reduce_only=side is Side.BUY,
        post_only=False,
        valid_until=DAY + timedelta(days=2),
        expires_at=DAY + timedelta(days=2),
    )


def record_of(intent: OrderIntent, state: OrderState, sent_at: datetime) -> OrderRecord:
    """*intent* as the book knows it, nothing filled."""
    return OrderRecord(intent=intent, state=state, sent_at=sent_at, updated_at=sent_at)


def _few(draw: Draw) -> int:
    return draw.whole(1, 2) if draw.below(0.1) else 0


def _market(
    draw: Draw, underlying: str, rules: ContractRules, taken_at: datetime
) -> MarketSnapshot:
    forward = draw.one(_FORWARDS[underlying])
    near = DAY + timedelta(days=draw.whole(1, 6), hours=8)
    rows = [
        _listed(
            draw,
            OptionContract(underlying, expiry, round(forward * ratio, 2), OptionKind.CALL),
            forward,
        )
        for expiry in (near, near + NEXT_EXPIRY)
        for ratio in _STRIKES
    ]
    put = OptionContract(underlying, near, forward, OptionKind.PUT)
    rows.append(_listed(draw, put, forward))
    return snapshot(*rows, taken_at=taken_at, index_usd=forward, rules=rules, underlying=underlying)


def _listed(draw: Draw, contract: OptionContract, forward: float) -> Listed:
    ticks = 5 * draw.whole(9, 20)  # so that 20 % of the mark is on the grid too
    return Listed(
        contract=contract,
        bid=round((ticks - 1) * 0.0005, 4),
        ask=round((ticks + 1) * 0.0005, 4),
        mark=round(ticks * 0.0005, 4),
        mark_iv=draw.whole(30, 120) / 100,
        forward=forward,
        open_interest=float(draw.whole(50, 500)),
    )


def _positions(
    draw: Draw, contracts: Sequence[OptionContract], rules: ContractRules
) -> tuple[Position, ...]:
    held = {draw.one(contracts): _size(draw, rules) for _ in range(draw.whole(0, 2))}
    return tuple(
        Position(contract=contract, size=size, average_price=0.02, mark=0.02)
        for contract, size in held.items()
    )


def _size(draw: Draw, rules: ContractRules) -> float:
    """Mostly short; a few long, and a few that are no whole lots."""
    lots = draw.whole(1, 4)
    if draw.below(0.05):
        return -rules.amount(lots) * 0.95
    return rules.amount(lots) if draw.below(0.1) else -rules.amount(lots)


def _booked(draw: Draw, held: Sequence[Position], now: datetime) -> dict[str, TrackedPosition]:
    """What the venue holds, seldom a contract more or less or none of it."""
    book = {}
    for number, position in enumerate(held):
        size = position.size + draw.whole(-1, 1) if draw.below(0.05) else position.size
        leg = Leg(contract=position.contract, opened_at=now - timedelta(days=1), size=size)
        book[f"p{number}"] = TrackedPosition(
            position_id=f"p{number}",
            strategy_id=STRATEGY,
            underlying=position.contract.underlying,
            opened_at=leg.opened_at,
            legs=(leg,),
            closed_at=now if draw.below(0.03) else None,
        )
    return book


def _record(
    draw: Draw, number: int, contracts: Sequence[OptionContract], now: datetime
) -> OrderRecord:
    """An order of any state, age and progress."""
    contract, state = draw.one(contracts), draw.one(_STATES)
    side = Side.BUY if draw.below(0.2) else Side.SELL
    lots = draw.whole(1, 4)
    intent = order(draw, contract, 0.02 + 0.0005 * draw.whole(0, 60), lots, side)
    done = lots if state in _FILLED_WHOLE else 0
    done = draw.whole(0, lots - 1) if state in _FILLED_IN_PART else done
    booked = draw.whole(0, done) if draw.below(0.2) else done
    longest = 50 if state in _IN_DOUBT else draw.one((5, 1_500, 1_500))
    sent_at = now - draw.seconds(0, longest)
    rules = rules_of(contract.underlying)
    return OrderRecord(
        intent=intent,
        state=state,
        sent_at=sent_at,
        updated_at=sent_at + (now - sent_at) * draw.one((0.0, 0.5, 1.0)),
        order_id=f"o{number}",
        filled_amount=rules.amount(done),
        booked_amount=rules.amount(booked),
    )


def _planned(
    draw: Draw, number: int, contracts: Sequence[OptionContract], _now: datetime
) -> OrderIntent:
    return order(draw, draw.one(contracts), 0.03 + 0.0005 * number, draw.whole(1, 3), Side.SELL)


def _external(draw: Draw, number: int, contracts: Sequence[OptionContract], now: datetime) -> Order:
    """A person's order of any kind."""
    contract = draw.one(contracts)
    rules, lots = rules_of(contract.underlying), draw.whole(1, 4)
    return Order(
        order_id=f"x{number}",
        label=None,
        contract=contract,
        side=draw.one((Side.BUY, Side.SELL)),
        amount=rules.amount(lots),
        filled_amount=rules.amount(draw.whole(0, lots - 1)),
        price=0.03,
        reduce_only=draw.below(0.3),
        state=draw.one((OrderState.OPEN, OrderState.PARTIAL, OrderState.CANCELLED)),
        created_at=now,
    )


def _intent(draw: Draw, state: RiskState) -> OrderIntent:
    """Seven of ten sell a call, two buy back what is held, the rest is anything."""
    chain = state.snapshot.chain
    contract, side = draw.one(chain.contracts), Side.SELL
    held = [position.contract for position in state.account.positions]
    kind = draw.rng.random()
    if kind > 0.7 and held:
        contract, side = draw.one(held), Side.BUY
    elif kind > 0.93:
        side = draw.one((Side.BUY, Side.SELL))
    row = chain.row_of(contract)
    if row is None:
        raise ValueError(f"{contract.symbol} is not listed")
    price = float(chain.bid[row] if side is Side.SELL else chain.ask[row])
    return order(draw, contract, price, draw.whole(1, 4), side)


def _generous(underlying: str, rules: ContractRules) -> RiskLimits:
    return RiskLimits(
        order_size={underlying: rules.amount(4)},
        max_expiry_exposure=rules.amount(100),
        max_calls_per_underlying=12,
        max_open_positions=20,
        max_order_notional_usd=1e6,
        max_net_delta_abs=rules.amount(200),
        daily_drawdown_limit_pct=0.0,
    )
