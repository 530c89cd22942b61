"""Open and put away positions of the sandbox: entries of the journal, and nothing else."""

from collections.abc import Mapping, Sequence

from attrs import frozen

from core.greg.modes import STRATEGIES
from core.greg.sandbox import NotMade, run_id_at, sandbox_on_chain, sandbox_position
from core.greg.thresholds import EntryWindows
from core.usecases.desk import Desk
from ports.errors import PortError
from ports.greg_journal import SandboxClosed, SandboxOpened
from ports.positions import Book, TrackedPosition


@frozen(kw_only=True)
class SandboxTerms:
    """
    What positions are made of: the table of the specification where both are None, legs at
    Black's price by *iv*, a fraction, or contracts off the venue's chain within *windows*.
    """

    iv: float | None = None
    windows: EntryWindows | None = None


@frozen
class _Wanted:
    """One position that is asked for."""

    strategy: str
    coin: str
    size: float
    run_id: str


@frozen(kw_only=True)
class SandboxRun:
    """What one run has made, and what it could not make."""

    run_id: str
    opened: tuple[str, ...]
    failed: tuple[NotMade, ...]


async def open_sandbox(
    desk: Desk,
    underlyings: Sequence[str],
    sizes: Mapping[str, float],
    strategies: Sequence[str] = STRATEGIES,
    terms: SandboxTerms | None = None,
) -> SandboxRun:
    """
    Make a position of each strategy on each coin; one that cannot be made stops no other.

    A coin whose market does not answer where *terms* ask for one cannot be made.

    Raises:
        StoreUnwritable: The journal failed.
    """
    run_id, opened, failed = run_id_at(desk.now), list[str](), list[NotMade]()
    for coin in underlyings:
        for strategy in strategies:
            wanted = _Wanted(strategy, coin, sizes.get(coin, 0.0), run_id)
            made = await _made(desk, wanted, terms or SandboxTerms())
            if isinstance(made, NotMade):
                failed.append(made)
            elif made.position_id in desk.keeper.book.positions:
                failed.append(NotMade(strategy, coin, f"{made.position_id} is there already"))
            else:
                await desk.keeper.record(made)
                opened.append(made.position_id)
    return SandboxRun(run_id=run_id, opened=tuple(opened), failed=tuple(failed))


async def _made(desk: Desk, wanted: _Wanted, terms: SandboxTerms) -> SandboxOpened | NotMade:
    strategy, coin, size, run_id = wanted.strategy, wanted.coin, wanted.size, wanted.run_id
    if terms.windows is None:
        return sandbox_position(strategy, coin, size, desk.now, run_id, iv=terms.iv)
    try:
        seen = await desk.world.market.snapshot(coin)
    except PortError as error:
        return NotMade(strategy, coin, str(error))
    return sandbox_on_chain(strategy, seen, size, terms.windows, now=desk.now, run_id=run_id)


async def clear_sandbox(desk: Desk, reason: str) -> int:
    """
    Put every open position of the sandbox away and return how many there were.

    Raises:
        StoreUnwritable: The journal failed.
    """
    ids = tuple(each.position_id for each in sandbox_positions(desk.keeper.book) if is_open(each))
    if ids:
        await desk.keeper.record(SandboxClosed(at=desk.now, position_ids=ids, reason=reason))
    return len(ids)


def sandbox_positions(book: Book) -> tuple[TrackedPosition, ...]:
    """Every position of the sandbox, open or not, oldest first."""
    found = (each for each in book.positions.values() if each.sandbox)
    return tuple(sorted(found, key=lambda each: (each.opened_at, each.position_id)))


def is_open(position: TrackedPosition) -> bool:
    """Whether it was not put away yet."""
    return position.closed_at is None
