"""Whatever goes wrong between us and the venue, the books agree in the end."""

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from core.usecases.agent import Agent
from ports.decision_log import (
    Entry,
    Sent,
)
from tests.support.scripts import scripted
from tests.support.worlds import Fault

faults = st.lists(st.sampled_from(Fault), min_size=1, max_size=8)
reads = st.dictionaries(
    st.sampled_from(["account", "activity", "orders_by_label", "open_orders", "cancel"]),
    st.integers(0, 3),
)


@given(faults, reads, st.integers(0, 3), st.booleans())
@settings(derandomize=True, deadline=None, max_examples=300)
async def test_one_intent_leads_to_at_most_one_order(
    faults: list[Fault], failing: dict[str, int], hides: int, doubles: bool
) -> None:
    """
    Whatever is lost, late, doubled or refused over a whole life: no label has two orders, the
    venue has no label that was not written down, and the books agree in the end.
    """
    stage = scripted()

    def fail_after(entry: Entry) -> None:
        if isinstance(entry, Sent):
            rig.trading.failing.update(failing)
            rig.trading.hides_trades = hides
            rig.trading.doubles_trades = doubles

    rig = await stage.rig(watch=fail_after)
    rig.trading.faults.extend(faults)
    await Agent(rig.desk, _never()).run()
    rig = await stage.rig()
    await Agent(rig.desk, _never()).run()

    labels = [order.label for order in stage.venue_orders()]
    written = [each.intent.label for each in await stage.entries() if isinstance(each, Sent)]
    assert len(labels) == len(set(labels))
    assert len(written) == len(set(written))
    assert set(labels) <= set(written)
    ours, theirs = await rig.sizes()
    assert ours == theirs
    assert rig.desk.keeper.book.unsettled == ()


def _never() -> asyncio.Event:
    return asyncio.Event()
