"""Our book against the venue's in every tick: halt or heal when they differ twice."""

from core.execution.orders import strategy_of
from core.execution.reconcile import differences
from core.usecases.desk import Desk, Reading, halt
from ports.controls import ReconcileAction
from ports.decision_log import Healed, Reconciled

_PATIENCE = 2  # readings in a row that must differ: one may catch a trade between two lists


async def compare(desk: Desk, reading: Reading) -> None:
    """
    Compare the positions of *reading* with the book; write the result down.

    Once is a warning that stops new risk; twice in a row halts or heals, as set. An order that
    carries our label and that we never wrote down halts at once.
    """
    underlying = reading.snapshot.underlying
    controls = desk.keeper.book.controls
    tolerance_usd = controls.position_reconcile_tolerance_usd
    found = differences(
        desk.keeper.book,
        reading.account,
        reading.snapshot.index_usd,
        desk.params.reconcile_tolerance_usd if tolerance_usd is None else tolerance_usd,
    )
    action = desk.reconcile_action()
    await desk.keeper.record(
        Reconciled(at=desk.now, underlying=underlying, differences=found, action=action)
    )
    stranger = _never_written(desk, reading)
    if stranger is not None:
        await halt(desk, f"order {stranger} carries our label and was never written down")
    if desk.keeper.book.reconciliations[underlying].differing < _PATIENCE:
        return
    if action is ReconcileAction.AUTO_HEAL:
        await heal(desk, reading)
    else:
        await halt(desk, f"the book differs from the venue: {'; '.join(found)}")


async def heal(desk: Desk, reading: Reading) -> None:
    """Take the venue's positions of *reading* as the truth; closed chains and history stay."""
    underlying = reading.snapshot.underlying
    await desk.keeper.record(
        Healed(
            at=desk.now,
            underlying=underlying,
            index_usd=reading.snapshot.index_usd,
            positions=reading.account.positions,
            futures=tuple(each for each in reading.account.futures if each.size_usd != 0.0),
        )
    )
    await desk.keeper.record(
        Reconciled(at=desk.now, underlying=underlying, differences=(), action="auto_heal")
    )


def _never_written(desk: Desk, reading: Reading) -> str | None:
    """A working order whose label names one of our strategies but no intent of ours."""
    ours = {strategy.strategy_id for strategy in desk.strategies}
    for order in reading.external:
        if order.label is not None and strategy_of(order.label) in ours:
            return order.label
    return None
