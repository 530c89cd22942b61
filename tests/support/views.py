"""What a strategy is shown: calls held, candidates, and a market around them."""

from datetime import datetime, timedelta

from attrs import evolve

from core.strategies.covered_call import CoveredCallParams
from core.view import TickView
from ports.decision_log import RollStarted
from ports.instruments import OptionContract
from ports.positions import Leg, OrderRecord, TrackedPosition
from tests.support.books import account, held
from tests.support.calls import ANYTHING, CONTEXT, INDEX_USD, market
from tests.support.markets import NOW, Listed

PARAMS = CoveredCallParams(
    underlyings=("BTC",),
    order_size={"BTC": 0.5},
    filters=evolve(ANYTHING, dte_min=3.0),
)


def short(
    contract: OptionContract,
    size: float = 0.5,
    *,
    sold_at: float = 0.02,
    opened_at: datetime = NOW - timedelta(days=3),
    position_id: str = "p",
) -> TrackedPosition:
    """A call that strategy s sold and holds."""
    leg = Leg(
        contract=contract,
        opened_at=opened_at,
        size=-size,
        contracts_sold=size,
        sold_coin=sold_at * size,
    )
    return TrackedPosition(
        position_id=position_id,
        strategy_id="s",
        underlying="BTC",
        opened_at=opened_at,
        legs=(leg,),
    )


def view(
    *rows: Listed,
    positions: tuple[TrackedPosition, ...] = (),
    working: tuple[OrderRecord, ...] = (),
    rolls: tuple[RollStarted, ...] = (),
    balance_coin: float = 10.0,
    index_usd: float = INDEX_USD,
    seed: int = 7,
) -> TickView:
    """A market of *rows* at NOW with *positions* in book and account."""
    legs = [leg for position in positions for leg in position.open_legs]
    return TickView(
        now=NOW,
        due_at=NOW,
        seed=seed,
        snapshot=market(*rows, index_usd=index_usd),
        account=account(*(held(leg.contract, leg.size) for leg in legs), balance_coin=balance_coin),
        context=CONTEXT,
        positions=positions,
        working=working,
        rolls=rolls,
    )
