"""Import: other people's recordings into our archive, with our own derived columns."""

from collections import Counter
from collections.abc import AsyncIterable
from datetime import datetime

from attrs import frozen

from core.usecases.harvest import derive
from ports.errors import Malformed, StoreDamaged, Unavailable
from ports.snapshots import Harvest, HarvestArchive

_SPOILT = (Malformed, StoreDamaged, Unavailable)  # of one file; others may be sound


@frozen(kw_only=True)
class Imported:
    """What was taken over from one recording; *failure* is why it ended early, if it did."""

    source: str
    snapshots: tuple[tuple[str, int], ...]  # by family
    rows: int
    first: datetime | None
    last: datetime | None
    notes: tuple[tuple[str, int], ...]  # each with how many snapshots it is about
    failure: str | None


async def import_harvests(
    source: str, harvests: AsyncIterable[Harvest], archive: HarvestArchive
) -> Imported:
    """
    Keep all of *harvests*; what is there of the same instant is replaced, so that it may be
    done again. A recording that fails half-way leaves what came before.

    Raises:
        StoreUnwritable: The archive takes nothing more; what it had, it has.
    """
    snapshots: Counter[str] = Counter()
    notes: Counter[str] = Counter()
    instants: list[datetime] = []
    rows, failure = 0, None
    try:
        async for harvest in harvests:
            await archive.keep(harvest, derive(harvest.market))
            snapshots[harvest.family] += 1
            notes.update(harvest.notes)
            instants.append(harvest.market.taken_at)
            rows += len(harvest.market.chain)
    except _SPOILT as error:
        failure = str(error)
    return Imported(
        source=source,
        snapshots=tuple(sorted(snapshots.items())),
        rows=rows,
        first=min(instants, default=None),
        last=max(instants, default=None),
        notes=tuple(notes.most_common()),
        failure=failure,
    )
