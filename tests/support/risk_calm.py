"""A calm state by hand, an order nothing speaks against, and single changes to both."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from attrs import evolve

from core.risk.engine import judge
from core.risk.exposure import RiskState
from core.risk.limits import RiskLimits
from ports.controls import RuntimeControls
from ports.instruments import OptionContract
from ports.positions import Book, Drawdown, Leg, OrderRecord, Reconciliation, TrackedPosition
from ports.trading import Account, OrderIntent, OrderState, Position, Side
from tests.support.markets import FRIDAY, NOW, Listed, call, put, snapshot
from tests.support.risk_edges import priced, with_account, with_book, with_limits, with_quote
from tests.support.risk_states import Case

SOLD, HELD = call(110_000.0), call(120_000.0)  # what the order sells; what is short already
DEEP, PUT = call(50_000.0), put(90_000.0)
FAR = call(130_000.0, FRIDAY + timedelta(days=28))
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
Change = Callable[[Case], Case]
FILLED, REJECTED = OrderState.FILLED, OrderState.REJECTED


def listed(contract: OptionContract, **figures: Any) -> Listed:
    """A row that every control believes."""
    believable = Listed(contract=contract, bid=0.0395, ask=0.0405, mark=0.04, mark_iv=0.6)
    return evolve(believable, **figures)


def intent(contract: OptionContract = SOLD, amount: float = 0.1, label: str = "new") -> OrderIntent:
    """A sell at the bid."""
    return OrderIntent(
        label=label,
        strategy_id="s",
        position_id=f"of {label}",
        contract=contract,
        side=Side.SELL,
        amount=amount,
        price=0.0395,
        reduce_only=False,
        post_only=False,
        valid_until=NOW + 5 * SECOND,
        expires_at=NOW + 2 * MINUTE,
    )


def calm() -> Case:
    """One coin, 0.2 calls sold of it, and an order to sell 0.1 more that nothing speaks against."""
    held = Position(contract=HELD, size=-0.2, average_price=0.04, mark=0.04)
    leg = Leg(contract=HELD, opened_at=NOW - timedelta(days=1), size=-0.2)
    tracked = TrackedPosition(
        position_id="p", strategy_id="s", underlying="BTC", opened_at=leg.opened_at, legs=(leg,)
    )
    state = RiskState(
        now=NOW,
        snapshot=snapshot(
            listed(SOLD), listed(HELD), listed(FAR), listed(PUT), listed(DEEP, mark_iv=0.02)
        ),
        account=Account(
            underlying="BTC",
            read_at=NOW,
            balance_coin=1.0,
            equity_coin=1.0,
            initial_margin_coin=0.028,
            maintenance_margin_coin=0.023,
            positions=(held,),
        ),
        book=Book(
            positions={"p": tracked},
            reconciliations={"BTC": Reconciliation(at=NOW, clean=True, differing=0)},
        ),
        controls=RuntimeControls(),
        limits=RiskLimits(
            order_size={"BTC": 0.3}, max_expiry_exposure=1.0, max_calls_per_underlying=3
        ),
    )
    return Case(intent(), state)


def closing(case: Case) -> Case:
    """The state of *case*, and an order that buys back half of what is held."""
    order = evolve(intent(HELD, label="close"), side=Side.BUY, price=0.0405, reduce_only=True)
    return evolve(case, intent=order)


def blocked(case: Case) -> list[int]:
    """The controls that say no, in the order they do."""
    return [breach.control for breach in judge(case.intent, case.state).breaches]


def of(amount: float, contract: OptionContract = SOLD) -> Change:
    """The same order, of another amount or contract."""
    return lambda case: evolve(case, intent=evolve(case.intent, amount=amount, contract=contract))


def limits(**fields: Any) -> Change:
    """Other limits."""
    return lambda case: with_limits(case, **fields)


def account(**fields: Any) -> Change:
    """Another account."""
    return lambda case: with_account(case, **fields)


def quote(**fields: float) -> Change:
    """Other figures in the row of the order's contract."""
    return lambda case: with_quote(case, **fields)


def at_price(price: float) -> Change:
    """The same order at another price."""
    return lambda case: priced(case, price)


def state(**fields: Any) -> Change:
    """Another state."""
    return lambda case: evolve(case, state=evolve(case.state, **fields))


def book(**fields: Any) -> Change:
    """Another book."""
    return lambda case: with_book(case, **fields)


def deep(limit: float) -> Change:
    """0.1 of a call at half the forward that cannot end below it: its net delta is K/F = 0.5."""
    return lambda case: with_limits(of(0.1, DEEP)(flat(case)), max_net_delta_abs=limit)


def flat(case: Case) -> Case:
    """*case* without positions."""
    case = with_account(case, positions=(), initial_margin_coin=0.0)
    return with_book(case, positions={})


def compared(at: timedelta, differences: tuple[str, ...] = ()) -> Change:
    """The book was compared with the venue some time ago."""
    clean = not differences
    last = Reconciliation(at=NOW - at, clean=clean, differing=0, differences=differences)
    return book(reconciliations={"BTC": last})


def record(
    contract: OptionContract, state: OrderState, age: timedelta, name: str = "old"
) -> OrderRecord:
    """An order of 0.1, sent and last heard of some time ago; wholly filled if FILLED."""
    done = 0.1 if state is OrderState.FILLED else 0.0
    return OrderRecord(
        intent=intent(contract, label=name),
        state=state,
        sent_at=NOW - age,
        updated_at=NOW - age,
        filled_amount=done,
        booked_amount=done,
    )


def orders(*records: OrderRecord) -> Change:
    """A book with these orders."""
    return book(orders={each.intent.label: each for each in records})


def many(count: int, state: OrderState, age: timedelta) -> Change:
    """*count* orders of one kind on another contract, ten seconds between them."""
    ages = [age + 10 * SECOND * place for place in range(count)]
    return orders(*(record(FAR, state, at, f"old {at}") for at in ages))


def fell(to_usd: float, limit_pct: float) -> Change:
    """Equity fell from 100,000 USD."""
    fall = Drawdown(day="2026-03-02", peak_usd=100_000.0, equity_usd=to_usd)

    def change(case: Case) -> Case:
        return with_limits(with_book(case, drawdown=fall), daily_drawdown_limit_pct=limit_pct)

    return change
