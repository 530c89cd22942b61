"""Carrying out hedges: dry runs, failures as results, the history, and advice that stands."""

import pytest
from attrs import define, evolve, field

from core.greg.advice import GregPosition, Suggestion
from core.greg.catalogue import StrategyCode
from core.greg.hedge_results import HedgeHistory
from core.greg.hedging import HedgedPosition, HedgeOrder, LegDelta
from core.greg.management import PositionRules
from core.greg.positions import advise
from core.greg.suggestions import SuggestionStore
from core.usecases.hedge_positions import NO_CLIENT, hedge_positions
from ports.errors import OutcomeUnknown, PortError
from tests.support.markets import NOW

RULES = PositionRules().hedges


def leaning(delta: float, position_id: str = "p") -> HedgedPosition:
    """A straddle that leans by *delta*."""
    return HedgedPosition(
        position_id=position_id,
        code=StrategyCode.STRADDLE,
        underlying="BTC",
        legs=(LegDelta(delta, 1.0),),
    )


@define(eq=False)
class ToldSender:
    """A venue that fills what it gets, or fails as it was told to."""

    failure: PortError | None = None
    sent: list[HedgeOrder] = field(factory=list)

    async def send(self, order: HedgeOrder) -> str:
        """See HedgeSender."""
        if self.failure is not None:
            raise self.failure
        self.sent.append(order)
        return f"id-{len(self.sent)}"


async def test_a_dry_run_sends_nothing() -> None:
    """It succeeds without being executed, and is noted; only what needs a hedge is told."""
    history, sender = HedgeHistory(), ToldSender()
    found = await hedge_positions(
        [leaning(0.1), leaning(0.4), leaning(-0.3)], RULES, NOW, history, sender=sender
    )

    assert [(each.success, each.executed, each.dry_run) for each in found] == [
        (True, False, True)
    ] * 2
    assert sender.sent == []
    assert history.newest() == tuple(reversed(found))


async def test_live_without_a_client_is_a_failure() -> None:
    """With its error, and no exception."""
    (found,) = await hedge_positions([leaning(0.4)], RULES, NOW, HedgeHistory(), dry_run=False)
    assert (found.success, found.executed, found.error) == (False, False, NO_CLIENT)


async def test_an_acknowledged_hedge_is_executed() -> None:
    """With the venue's id, and a label of the position's."""
    sender = ToldSender()
    (found,) = await hedge_positions(
        [leaning(0.4, "a-position-with-a-long-name")],
        RULES,
        NOW,
        HedgeHistory(),
        sender=sender,
        dry_run=False,
    )
    assert (found.success, found.executed, found.order_id) == (True, True, "id-1")
    assert found.label == "hedge_a-position-with-a-lo"


async def test_a_failure_of_the_venue_is_a_result() -> None:
    """Never an exception, and the next one is tried all the same."""
    sender = ToldSender(failure=OutcomeUnknown("no answer"))
    found = await hedge_positions(
        [leaning(0.4), leaning(0.5)], RULES, NOW, HedgeHistory(), sender=sender, dry_run=False
    )
    assert [(each.success, each.error) for each in found] == [(False, "no answer")] * 2


async def test_the_history_shows_the_newest_fifty() -> None:
    """Or as many as are asked for."""
    history = HedgeHistory()
    for number in range(60):
        await hedge_positions([leaning(0.4, f"p{number}")], RULES, NOW, history)

    shown = history.newest()
    assert len(shown) == 50
    assert shown[0].order.strategy_position_id == "p59"
    assert len(history.newest(20)) == 20


def suggestion(delta: float) -> Suggestion:
    """The advice for a straddle that leans by *delta*."""
    found = advise(
        GregPosition(
            position_id="p",
            code=StrategyCode.STRADDLE,
            underlying="BTC",
            net_delta=delta,
            dte=30.0,
            profit_pct=0.1,
            loss_pct=0.0,
        )
    )
    assert found is not None
    return found


def test_a_change_of_advice_is_told_once() -> None:
    """New, another action or another priority; the same again is not."""
    store = SuggestionStore()
    calm, tilted, urgent = suggestion(0.0), suggestion(0.2), suggestion(0.5)

    told = [store.replace([each], NOW) for each in (calm, calm, tilted, urgent, urgent)]
    assert [len(each) for each in told] == [1, 0, 1, 1, 0]
    assert store.standing().count == 1
    assert store.standing().updated_at == NOW
    assert store.standing().of("p") == urgent
    assert store.standing().of("q") is None
    with pytest.raises(ValueError, match="UTC"):
        store.replace([], NOW.replace(tzinfo=None))


def test_what_was_handed_out_never_changes() -> None:
    """A reader keeps the advice it was given."""
    store = SuggestionStore()
    store.replace([suggestion(0.0)], NOW)
    before = store.standing()
    store.replace([evolve(suggestion(0.5), position_id="q")], NOW)
    assert [each.position_id for each in before.suggestions] == ["p"]
