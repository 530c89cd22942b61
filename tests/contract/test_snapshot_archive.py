"""What every SnapshotArchive that can be written promises."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import attrs
import numpy as np
import pytest

from adapters.files.snapshots import ParquetSnapshots
from adapters.memory.snapshots import MemorySnapshots
from core.simulation.listing import deribit_rules
from ports.errors import Unavailable
from ports.instruments import OptionContract, OptionKind, Settlement
from ports.market_data import MarketSnapshot
from ports.snapshots import SnapshotArchive
from tests.support.markets import DAILY, RULES, Listed, call, put, snapshot

Reopen = Callable[[], SnapshotArchive]  # the archive as the next process finds it
AT = datetime(2026, 3, 2, 21, 30, 0, 172_460, tzinfo=UTC)
COLUMNS = [field.name for field in attrs.fields(type(snapshot().chain)) if field.converter]


def memory(_: Path) -> Reopen:
    archive = MemorySnapshots()
    return lambda: archive


def parquet(directory: Path) -> Reopen:
    return lambda: ParquetSnapshots(directory)


@pytest.fixture(params=[memory, parquet], ids=lambda make: make.__name__)
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Reopen:
    make: Callable[[Path], Reopen] = request.param
    return make(tmp_path)


def taken(at: datetime = AT, index_usd: float = 100_000.5) -> MarketSnapshot:
    quoted = Listed(
        contract=call(90_000.0), bid=0.1005, ask=0.102, mark=0.1012345, mark_iv=0.1 + 0.2
    )
    unquoted = Listed(contract=put(0.1 + 0.2, DAILY), mark=0.0, open_interest=0.3)
    return snapshot(quoted, unquoted, taken_at=at, index_usd=index_usd)


def same(first: MarketSnapshot, second: MarketSnapshot) -> bool:
    return (
        (first.underlying, first.taken_at, first.index_usd, first.rules)
        == (second.underlying, second.taken_at, second.index_usd, second.rules)
        and first.chain.settlement == second.chain.settlement
        and all(
            np.array_equal(getattr(first.chain, name), getattr(second.chain, name), equal_nan=True)
            for name in COLUMNS
        )
    )


async def test_an_empty_archive_has_no_instants(reopen: Reopen) -> None:
    """Nothing was ever taken of an underlying never saved."""
    assert await reopen().instants("BTC") == ()
    assert await reopen().index_prices("BTC") == ()


async def test_of_what_was_saved_nothing_is_passed_over(reopen: Reopen) -> None:
    """Neither of an underlying never saved."""
    await reopen().save(taken())

    assert await reopen().skipped("BTC") == ()
    assert await reopen().skipped("ETH") == ()


async def test_what_was_saved_is_loaded(reopen: Reopen) -> None:
    """Every number, gap, instant and rule comes back bit for bit."""
    await reopen().save(taken())

    assert same(await reopen().load("BTC", AT), taken())


async def test_instants_come_oldest_first(reopen: Reopen) -> None:
    """In whatever order snapshots of some days were saved."""
    instants = [AT + timedelta(hours=hours) for hours in (3, 0, 49, 1, 2)]
    for instant in instants:
        await reopen().save(taken(instant))

    assert await reopen().instants("BTC") == tuple(sorted(instants))
    for instant in instants:
        assert same(await reopen().load("BTC", instant), taken(instant))


async def test_index_prices_come_oldest_first(reopen: Reopen) -> None:
    """Each snapshot's instant stands beside its index."""
    later = AT + timedelta(days=1)
    await reopen().save(taken(later, index_usd=2.0))
    await reopen().save(taken(AT, index_usd=1.0))

    assert await reopen().index_prices("BTC") == ((AT, 1.0), (later, 2.0))


async def test_the_same_instant_is_replaced(reopen: Reopen) -> None:
    """The later of two snapshots of one instant is the one that stays, its neighbours stay too."""
    minute = timedelta(minutes=1)
    for instant in (AT - minute, AT, AT + minute):
        await reopen().save(taken(instant))
    replacement = snapshot(Listed(contract=call(1.0), mark=0.5), taken_at=AT, index_usd=7.0)
    await reopen().save(replacement)

    assert await reopen().instants("BTC") == (AT - minute, AT, AT + minute)
    assert same(await reopen().load("BTC", AT), replacement)
    assert same(await reopen().load("BTC", AT + minute), taken(AT + minute))


async def test_an_instant_between_is_unavailable(reopen: Reopen) -> None:
    """Only exactly what was taken is there; nothing near it is given instead."""
    await reopen().save(taken())

    with pytest.raises(Unavailable, match="BTC"):
        await reopen().load("BTC", AT + timedelta(microseconds=1))


async def test_underlyings_are_kept_apart(reopen: Reopen) -> None:
    """One coin's snapshots are not another's."""
    await reopen().save(taken())

    assert await reopen().instants("ETH") == ()
    with pytest.raises(Unavailable, match="ETH"):
        await reopen().load("ETH", AT)


async def test_an_empty_chain_is_kept(reopen: Reopen) -> None:
    """A snapshot of no contracts is one all the same."""
    await reopen().save(snapshot(taken_at=AT))

    assert same(await reopen().load("BTC", AT), snapshot(taken_at=AT))


async def test_rules_are_kept_with_each_snapshot(reopen: Reopen) -> None:
    """When the venue changes its rules, earlier snapshots keep theirs."""
    later = AT + timedelta(minutes=5)
    changed = attrs.evolve(taken(later), rules=deribit_rules("ETH"))
    await reopen().save(taken())
    await reopen().save(changed)

    assert (await reopen().load("BTC", AT)).rules == RULES
    assert (await reopen().load("BTC", later)).rules == deribit_rules("ETH")


async def test_linear_contracts_are_kept(reopen: Reopen) -> None:
    """The settlement of the chain comes back."""
    contract = OptionContract("SOL", DAILY, 120.0, OptionKind.CALL, Settlement.LINEAR)
    inverse = snapshot(
        Listed(contract=attrs.evolve(contract, settlement=Settlement.INVERSE), mark=5.0),
        taken_at=AT,
        underlying="SOL",
    )
    linear = attrs.evolve(inverse, chain=attrs.evolve(inverse.chain, settlement=Settlement.LINEAR))
    await reopen().save(linear)

    assert (await reopen().load("SOL_USDC", AT)).chain.contracts == (contract,)
