"""Random order flow at the simulated venue, against books kept by hand in decimals."""

from asyncio import Runner
from decimal import Decimal
from math import nan

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from ports.errors import Refused
from ports.trading import Side
from tests.support.ledger import Ledger, Resting
from tests.support.markets import Listed, call, put
from tests.support.venues import VenueRig, intent

CALL, PUT = call(110_000.0), put(90_000.0)
TICK = Decimal("0.0005")
CONTRACTS = st.sampled_from([CALL, PUT])
SIDES = st.sampled_from(list(Side))
TICKS = st.integers(58, 66)  # prices about 0.03, so that most orders have something to meet
AMOUNTS = st.one_of(st.just(nan), st.integers(0, 12).map(lambda lots: lots / 10))
QUOTES = st.builds(
    lambda bid, spread, bids, asks, gone: (
        nan if gone == 1 else float(TICK * bid),
        nan if gone == 2 else float(TICK * (bid + spread)),
        bids,
        asks,
    ),
    bid=TICKS,
    spread=st.integers(1, 3),
    bids=AMOUNTS,
    asks=AMOUNTS,
    gone=st.integers(0, 9),
)
Quote = tuple[float, float, float, float]


class VenueMachine(RuleBasedStateMachine):
    """One venue, restarted now and then, and the ledger that it must agree with."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = Runner()
        rows = _rows((0.03, 0.0305, 1.0, 1.0), (0.03, 0.0305, 1.0, 1.0))
        self.rig = self.runner.run(VenueRig.opened(*rows, deposit_coin=1000.0))
        self.ledger = Ledger(Decimal(1000))
        self.ledger.show(rows)

    def teardown(self) -> None:
        self.runner.close()

    @rule(quote=QUOTES, other=QUOTES)
    def market_moves(self, quote: Quote, other: Quote) -> None:
        rows = _rows(quote, other)
        self.rig.show(*rows)
        self.ledger.show(rows)

    @rule(
        contract=CONTRACTS,
        side=SIDES,
        lots=st.integers(1, 15),
        ticks=TICKS,
        reduce_only=st.booleans(),
    )
    def place(self, contract: object, side: Side, lots: int, ticks: int, reduce_only: bool) -> None:
        assert contract in (CALL, PUT)
        chosen = CALL if contract == CALL else PUT
        self.ledger.meet()
        order = Resting(
            self.ledger.placed + 1, chosen, side.sign, ticks * TICK, Decimal(lots) / 10, reduce_only
        )
        wanted = intent(
            chosen,
            side,
            lots * 0.1,  # 0.30000000000000004 and its like included
            float(order.price),
            at=self.rig.clock.now(),
            reduce_only=reduce_only,
        )
        code = self.ledger.refusal(order)
        if code is None:
            self.runner.run(self.rig.venue.place(wanted))
            self.ledger.place(order)
        else:
            with pytest.raises(Refused) as refusal:
                self.runner.run(self.rig.venue.place(wanted))
            assert refusal.value.code == code

    @rule(pick=st.integers(0, 20))
    def cancel(self, pick: int) -> None:
        self.ledger.meet()
        orders = self.runner.run(self.rig.venue.open_orders("BTC"))
        if orders:
            chosen = orders[pick % len(orders)]
            self.runner.run(self.rig.venue.cancel(chosen))
            number = int(chosen.order_id.removeprefix("BTC-"))
            self.ledger.resting = [each for each in self.ledger.resting if each.number != number]

    @rule()
    def restart(self) -> None:
        self.rig.venue = self.runner.run(self.rig.reopened())

    @invariant()
    def books_agree(self) -> None:
        account = self.runner.run(self.rig.venue.account("BTC"))
        self.ledger.meet()

        held = {position.contract: position.size for position in account.positions}
        kept = {contract: float(size) for contract, size in self.ledger.sizes.items() if size}
        assert held == kept
        assert account.balance_coin == pytest.approx(float(self.ledger.cash), abs=1e-11)

    @invariant()
    def orders_agree(self) -> None:
        orders = self.runner.run(self.rig.venue.open_orders("BTC"))

        assert [(order.order_id, round(order.open_amount, 9)) for order in orders] == [
            (f"BTC-{order.number}", float(order.left)) for order in self.ledger.resting
        ]


def _rows(quote: Quote, other: Quote) -> tuple[Listed, ...]:
    return tuple(
        Listed(
            contract=contract,
            bid=bid,
            ask=ask,
            bid_amount=bid_amount,
            ask_amount=ask_amount,
            mark=0.03,
        )
        for contract, (bid, ask, bid_amount, ask_amount) in ((CALL, quote), (PUT, other))
    )


TestVenueMachine = VenueMachine.TestCase
TestVenueMachine.settings = settings(
    derandomize=True, deadline=None, max_examples=60, stateful_step_count=40
)
