"""One entry of every kind that a journal can hold, a step of a venue, and a book."""

from datetime import UTC, datetime, timedelta
from math import nan

from ports.controls import ReconcileAction, RuntimeControls
from ports.decision_log import (
    Action,
    ActionType,
    Alarm,
    Breach,
    Candidate,
    Choice,
    Closed,
    ControlsSeen,
    Decided,
    Delivered,
    Denied,
    Entry,
    Executed,
    Halted,
    Healed,
    HealthChanged,
    HealthState,
    Marked,
    MarketContext,
    Opened,
    OrderUpdated,
    Reconciled,
    RollEnded,
    RollStarted,
    Sent,
    Skipped,
    Ticked,
    Verdict,
)
from ports.greg_journal import (
    GregEvent,
    GregNoted,
    SandboxClosed,
    SandboxLeg,
    SandboxOpened,
)
from ports.greg_log import GregEntry
from ports.instruments import OptionContract, OptionKind
from ports.marks import PositionMark
from ports.positions import Book, BookSnapshot, Leg, OrderRecord, TrackedPosition
from ports.trading import Delivery, Fill, Order, OrderIntent, OrderState, Position, Side
from ports.venue_log import Deposit, VenueStep

NOW = datetime(2026, 1, 2, 9, 30, tzinfo=UTC)
NEAR = OptionContract("BTC", datetime(2026, 1, 9, 8, tzinfo=UTC), 98_000.0, OptionKind.CALL)
FAR = OptionContract("BTC", datetime(2026, 3, 27, 8, tzinfo=UTC), 102_500.5, OptionKind.CALL)
INTENT = OrderIntent(
    label="covered_call-20260102T093000-1-open",
    strategy_id="covered_call",
    position_id="p1",
    contract=NEAR,
    side=Side.SELL,
    amount=0.3,
    price=0.0125,
    reduce_only=False,
    post_only=True,
    valid_until=NOW + timedelta(seconds=5),
    expires_at=NOW + timedelta(seconds=120),
)
FILL = Fill(
    trade_id="BTC-1",
    order_id="77",
    label=INTENT.label,
    contract=NEAR,
    side=Side.SELL,
    amount=0.1,
    price=0.0125,
    fee_coin=0.00003,
    index_usd=97_123.45,
    at=NOW,
    is_maker=True,
)
ORDER = Order(
    order_id="77",
    label=INTENT.label,
    contract=NEAR,
    side=Side.SELL,
    amount=0.3,
    filled_amount=0.1,
    price=0.0125,
    reduce_only=False,
    state=OrderState.PARTIAL,
    created_at=NOW,
)
DELIVERY = Delivery(
    delivery_id="d1",
    contract=NEAR,
    size=-0.3,
    at=NEAR.expiry,
    delivery_price_usd=99_000.0,
    price_source="venue",
    price_error_usd=0.0,
    cash_coin=-0.003,
    fee_coin=0.0,
)
CANDIDATE = Candidate(
    contract=NEAR,
    dte=6.9375,
    delta=0.31,
    bid=0.0125,
    ask=nan,
    mark=0.0127,
    premium_usd=1214.04,
    iv=0.52,
    rv=0.41,
    ivrv=1.268,
    spread_pct=nan,
    open_interest=812.5,
    score=1.2,
)
ACTION = Action(
    type=ActionType.OPEN_COVERED_CALL,
    strategy_id="covered_call",
    underlying="BTC",
    reason="best_score",
    detail="naïve quote “0.0125”\n",
    amount=0.3,
    contract=NEAR,
    choice=Choice(rank=0, pool=1, epsilon=0.1, propensity=1.0, explored=False),
)
BREACH = Breach(2, "not_covered", "0.3 > 0.2")
CONTROLS = RuntimeControls(
    revision=3, position_reconcile_action=ReconcileAction.HALT, delta_max=0.4
)
DECIDED = Decided(
    at=NOW + timedelta(seconds=2),
    due_at=NOW + timedelta(seconds=2),
    strategy_id="covered_call",
    underlying="BTC",
    market_at=NOW,
    index_usd=97_123.45,
    context=MarketContext(
        regime="sideways",
        return_1d_pct=-0.4,
        return_7d_pct=1.9,
        return_30d_pct=None,
        realized_vol_7d=0.41,
        realized_vol_30d=None,
        pct_from_50d_ma=None,
        pct_from_200d_ma=None,
    ),
    candidates=(CANDIDATE,),
    skipped=(Skipped("too_far", (FAR.symbol,)),),
    actions=(ACTION,),
    verdicts=(Verdict((BREACH,)),),
    decision_source="rule",
    policy_version="1",
)


def entries() -> tuple[Entry, ...]:
    """One entry of every kind, a second apart."""
    at = [NOW + timedelta(seconds=second) for second in range(21)]
    return (
        Opened(
            at=at[0],
            environment="paper",
            program_version="0.1.0",
            seed=7,
            strategies=("covered_call",),
            settings_hash="ab12",
        ),
        ControlsSeen(at=at[1], controls=CONTROLS),
        DECIDED,
        *_of_orders(at[3:12]),
        Reconciled(at=at[12], underlying="BTC", differences=("size",), action="halt"),
        Healed(
            at=at[13],
            underlying="BTC",
            index_usd=97_000.0,
            positions=(Position(contract=NEAR, size=-0.1, average_price=0.0125, mark=0.0121),),
        ),
        Halted(at=at[14], reason="book mismatch"),
        Alarm(at=at[15], subject="journal", detail="torn last line"),
        Closed(at=at[16], reason="SIGTERM"),
        HealthChanged(
            at=at[17], state=HealthState.DEGRADED, cause="market BTC: stale", is_pausing=True
        ),
        *_of_greg(at[18:21]),
    )


def _of_greg(at: list[datetime]) -> tuple[Entry, ...]:
    """The kinds that Greg's desk writes."""
    return (
        GregNoted(
            at=at[0],
            event=GregEvent.SUGGESTED,
            entry=GregEntry(
                timestamp=at[0],
                underlying="BTC",
                strategy_type="STRATEGY_A_STRADDLE",
                position_id="p2",
                action_type="HEDGE",
                mode="paper",
                priority="medium",
                vrp_30d=12.5,
                order_ids=("77",),
                extra_info={"dry_run": True},
            ),
        ),
        SandboxOpened(
            at=at[1],
            position_id="sandbox_BTC_STRATEGY_C_SHORT_PUT_0a1b2c3d",
            strategy_id="greg_vrp_harvester",
            underlying="BTC",
            origin="GREG_SANDBOX",
            run_id="GREG_SANDBOX_20260102T093000Z",
            index_usd=97_000.0,
            legs=(SandboxLeg(NEAR, -0.01, 0.02),),
        ),
        SandboxClosed(at=at[2], position_ids=("sandbox_x",), reason="cleared"),
    )


def _of_orders(at: list[datetime]) -> tuple[Entry, ...]:
    """The kinds that a decision leads to."""
    return (
        Sent(at=at[0], intent=INTENT),
        Denied(at=at[1], intent=INTENT, breaches=(BREACH,)),
        OrderUpdated(
            at=at[2],
            label=INTENT.label,
            state=OrderState.PARTIAL,
            order_id="77",
            filled_amount=0.1,
            fills=(FILL,),
            reason="",
        ),
        RollStarted(
            at=at[3],
            strategy_id="covered_call",
            position_id="p1",
            from_contract=NEAR,
            contract=FAR,
            amount=0.1,
            expires_at=NOW + timedelta(hours=1),
        ),
        RollEnded(at=at[4], position_id="p1", outcome="done", opened=0.1, reason=""),
        Delivered(at=at[5], delivery=DELIVERY, index_usd=99_001.0),
        Executed(
            at=at[6],
            strategy_id="covered_call",
            underlying="BTC",
            status="executed",
            labels=(INTENT.label,),
            errors=(),
        ),
        Marked(
            at=at[7],
            underlying="BTC",
            index_usd=97_000.0,
            equity_coin=1.0001,
            marks=(PositionMark(NEAR, 0.0121),),
        ),
        Ticked(at=at[8], due_at=NOW),
    )


def venue_steps() -> tuple[VenueStep, ...]:
    """A deposit, a placement that traded at once, and a delivery."""
    return (
        VenueStep(at=NOW, deposits=(Deposit("BTC", 1.0),)),
        VenueStep(at=NOW + timedelta(seconds=1), orders=(ORDER,), fills=(FILL,)),
        VenueStep(at=NEAR.expiry, deliveries=(DELIVERY,)),
    )


def book_snapshot(seq: int, environment: str = "paper") -> BookSnapshot:
    """A book with a working order and an open position, as of record *seq*."""
    order = OrderRecord(intent=INTENT, state=OrderState.PARTIAL, sent_at=NOW, updated_at=NOW)
    leg = Leg(contract=NEAR, opened_at=NOW, size=-0.1, contracts_sold=0.1, sold_coin=0.00125)
    position = TrackedPosition(
        position_id="p1",
        strategy_id="covered_call",
        underlying="BTC",
        opened_at=NOW,
        legs=(leg,),
    )
    return BookSnapshot(
        environment=environment,
        seq=seq,
        checksum=f"{seq:064x}",
        saved_at=NOW + timedelta(seconds=seq),
        book=Book(
            environment=environment,
            counter=seq,
            orders={INTENT.label: order},
            positions={"p1": position},
            trade_ids={"BTC-1": NOW},
        ),
    )
