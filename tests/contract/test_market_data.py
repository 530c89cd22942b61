"""What every MarketData promises."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import timedelta

import numpy as np
import pytest
import pytest_asyncio

from ports.chain import ChainTable
from ports.checks import epoch_ms
from ports.errors import Unavailable
from ports.instruments import OptionContract
from tests.support.deribit_rigs import market_over_http, market_over_websocket
from tests.support.rigs import MarketRig, replay, synthetic


async def invented_one(_: AsyncExitStack) -> MarketRig:
    return await synthetic()


async def recorded_one(_: AsyncExitStack) -> MarketRig:
    return await replay()


Make = Callable[[AsyncExitStack], Awaitable[MarketRig]]
MAKES = (invented_one, recorded_one, market_over_http, market_over_websocket)


@pytest_asyncio.fixture(params=MAKES, ids=lambda make: make.__name__)
async def rig(request: pytest.FixtureRequest) -> AsyncIterator[MarketRig]:
    """One rig per implementation."""
    make: Make = request.param
    async with AsyncExitStack() as stack:
        yield await make(stack)


async def test_rows_are_sorted(rig: MarketRig) -> None:
    """Contracts come by expiry, strike and kind."""
    chain = (await rig.market.snapshot("BTC")).chain

    assert len(chain) > 100
    assert list(chain.contracts) == sorted(chain.contracts)


async def test_a_snapshot_is_of_what_was_asked(rig: MarketRig) -> None:
    """Snapshot and chain carry the name of the underlying."""
    snapshot = await rig.market.snapshot("ETH")

    assert (snapshot.underlying, snapshot.chain.underlying) == ("ETH", "ETH")


async def test_every_row_has_a_mark(rig: MarketRig) -> None:
    """A contract without a mark is left out."""
    chain = (await rig.market.snapshot("BTC")).chain

    assert np.isfinite(chain.mark).all()


async def test_expired_contracts_are_not_listed(rig: MarketRig) -> None:
    """At eight o'clock the contracts of that instant are gone, and not before."""
    nearest = (await rig.market.snapshot("BTC")).chain.contract(0).expiry
    await rig.clock.sleep_until(nearest - timedelta(seconds=1))
    before = (await rig.market.snapshot("BTC")).chain
    await rig.clock.sleep_until(nearest)
    after = (await rig.market.snapshot("BTC")).chain

    assert before.contract(0).expiry == nearest
    assert after.contract(0).expiry > nearest


async def test_nothing_is_from_the_future(rig: MarketRig) -> None:
    """Neither the snapshot nor a quote in it is later than now."""
    await rig.clock.sleep_until(rig.start + timedelta(hours=7, minutes=13, seconds=1.5))
    snapshot = await rig.market.snapshot("BTC")

    assert snapshot.taken_at <= rig.clock.now()
    assert (snapshot.chain.quoted_at_ms <= epoch_ms(snapshot.taken_at)).all()


async def test_quotes_are_on_ticks_and_do_not_cross(rig: MarketRig) -> None:
    """Every quote is one that the venue's rules allow, and each bid is below its ask."""
    snapshot = await rig.market.snapshot("ETH")
    chain, rules = snapshot.chain, snapshot.rules
    quotes = np.concatenate([chain.bid, chain.ask])

    assert all(rules.is_on_tick(price) for price in quotes[~np.isnan(quotes)])
    assert not (chain.bid >= chain.ask).any()


async def test_asking_again_changes_nothing(rig: MarketRig) -> None:
    """A snapshot may be asked for twice."""
    first, second = await rig.market.snapshot("BTC"), await rig.market.snapshot("BTC")

    assert first.index_usd == second.index_usd
    assert same_rows(first.chain, second.chain)


async def test_an_unknown_underlying_is_unavailable(rig: MarketRig) -> None:
    """What is not covered is refused in our words."""
    with pytest.raises(Unavailable, match="DOGE"):
        await rig.market.snapshot("DOGE")


async def test_contracts_have_names_of_the_venue(rig: MarketRig) -> None:
    """Every contract can be written down by its name and read back."""
    contracts = (await rig.market.snapshot("BTC")).chain.contracts

    assert [OptionContract.from_symbol(contract.symbol) for contract in contracts] == list(
        contracts
    )


async def test_a_contract_stays_listed_until_it_expires(rig: MarketRig) -> None:
    """What may be held does not vanish from the chain."""
    listed = set((await rig.market.snapshot("BTC")).chain.contracts)
    later = rig.start
    while later < rig.end:
        later += timedelta(hours=6)
        await rig.clock.sleep_until(later)
        chain = (await rig.market.snapshot("BTC")).chain
        listed = {contract for contract in listed if contract.expiry > later}
        assert listed <= set(chain.contracts)
        listed |= set(chain.contracts)


def same_rows(first: ChainTable, second: ChainTable) -> bool:
    names = ("expiry_ms", "strike", "is_call", "bid", "ask", "mark", "mark_iv", "open_interest")
    return all(
        np.array_equal(getattr(first, name), getattr(second, name), equal_nan=True)
        for name in names
    )
