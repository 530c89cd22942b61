"""A short life of a whole agent on files: opened, rolled, closed; and what its files say of it."""

import asyncio
from pathlib import Path

from attrs import frozen

from adapters.files.calls import FileCalls
from adapters.files.controls import FileControlStore
from adapters.files.decision_log import FileDecisionLog
from adapters.files.disk import Disk
from adapters.files.lock import BookLock
from adapters.files.positions import FilePositionStore
from adapters.files.venue_log import FileVenueLog
from adapters.memory.clock import SteppedClock
from core.execution.book import fold, state_hash
from core.simulation.venue import SimulatedVenue
from core.usecases.agent import Agent
from core.usecases.bookkeeper import Bookkeeper
from core.usecases.desk import Desk
from ports.decision_log import Sent
from ports.errors import StoreDamaged
from ports.positions import Book, BookSnapshot
from ports.venue_log import Deposit
from ports.world import World
from tests.support.scripts import scripted
from tests.support.worlds import ScriptedMarket

_ENVIRONMENT = "test"
_LIFE = scripted()


@frozen
class Left:
    """What the files of a life say once it is over: sizes by symbol, and labels of orders."""

    ours: dict[str, float]
    theirs: dict[str, float]
    sent: tuple[str, ...]
    placed: tuple[str, ...]
    is_folded: bool  # the journal folds to the book of the process
    is_killed: bool  # the kill switch is on


async def lived(calls: FileCalls, root: Path) -> Left:
    """
    Live on in the files at *root* to the end of the script, as a process does that is started.

    Raises:
        PortError: A file operation failed.
    """
    disk = Disk(calls)
    with BookLock.take(disk, root, _ENVIRONMENT, command="test", since="now"):
        log = FileDecisionLog(disk, root / "journal")
        positions = FilePositionStore(disk, root / "positions.json", _ENVIRONMENT)
        venue_log = FileVenueLog(disk, root / "venue")
        controls = FileControlStore(
            disk, root, (root / "KILL",), lambda: bool(disk.names(root / "journal"))
        )
        await controls.begin()
        keeper = Bookkeeper(log, positions, _ENVIRONMENT)
        await keeper.recall(await _snapshot(positions))
        clock = SteppedClock(keeper.at or _LIFE.shown[0].taken_at, _LIFE.ticks)
        market = ScriptedMarket(clock, _LIFE.shown, _LIFE.deliveries)
        venue = await SimulatedVenue.opened(
            market=market,
            history=market,
            clock=clock,
            log=venue_log,
            deposits=(Deposit("BTC", 10.0),),
        )
        world = World(
            environment=_ENVIRONMENT,
            market=market,
            history=market,
            trading=venue,
            clock=clock,
            log=log,
            positions=positions,
            controls=controls,
        )
        desk = Desk(world=world, keeper=keeper, strategies=_LIFE.strategies, params=_LIFE.params)
        await Agent(desk, asyncio.Event()).run()
        return await _left(desk, venue, venue_log)


async def _snapshot(positions: FilePositionStore) -> BookSnapshot | None:
    """The snapshot; none if it is damaged: the journal has everything."""
    try:
        return await positions.load()
    except StoreDamaged:
        return None


async def _left(desk: Desk, venue: SimulatedVenue, venue_log: FileVenueLog) -> Left:
    book = desk.keeper.book
    ours: dict[str, float] = {}
    for position in book.open_positions():
        for leg in position.open_legs:
            ours[leg.contract.symbol] = ours.get(leg.contract.symbol, 0.0) + leg.size
    theirs = (await venue.account("BTC")).positions
    entries = [record.entry async for record in desk.world.log.records()]
    orders = {
        order.order_id: order.label async for step in venue_log.steps() for order in step.orders
    }
    return Left(
        ours=ours,
        theirs={held.contract.symbol: held.size for held in theirs},
        sent=tuple(each.intent.label for each in entries if isinstance(each, Sent)),
        placed=tuple(label or "" for label in orders.values()),
        is_folded=state_hash(fold(Book(environment=_ENVIRONMENT), entries)) == state_hash(book),
        is_killed=(await desk.world.controls.read()).kill_switch,
    )
