"""The events of Greg's desk are in the journal, and his log is a copy that can be made again."""

from datetime import UTC, datetime, timedelta

import pytest
from attrs import evolve

from adapters.memory.decision_log import MemoryDecisionLog
from adapters.memory.greg_log import MemoryGregLog
from adapters.memory.positions import MemoryPositionStore
from core.usecases.bookkeeper import Bookkeeper
from core.usecases.greg_log import GregNotes, copy_journal
from ports.errors import StoreUnwritable
from ports.greg_log import GregAction, GregEntry, GregRecord

AT = datetime(2026, 5, 1, 8, tzinfo=UTC)
SUGGESTED = GregEntry(
    timestamp=AT,
    underlying="ETH",
    strategy_type="STRATEGY_A_STRANGLE",
    position_id="p1",
    action_type=GregAction.HEDGE,
    mode="paper",
    priority="medium",
    vrp_30d=11.0,
)


class Away(MemoryGregLog):
    """A log whose disk is full after so many lines."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self.room = room

    async def append(self, entry: GregEntry) -> GregRecord:
        if self.room <= 0:
            raise StoreUnwritable("database or disk is full")
        self.room -= 1
        return await super().append(entry)


def desk() -> tuple[GregNotes, MemoryDecisionLog]:
    journal = MemoryDecisionLog()
    return GregNotes(Bookkeeper(journal, MemoryPositionStore("paper"), "paper")), journal


async def lines(journal: MemoryDecisionLog) -> list[GregEntry]:
    """The log as it is copied anew, oldest first."""
    log = MemoryGregLog()
    await copy_journal(journal, log)
    return [record.entry for record in reversed(await log.history())]


async def a_life(notes: GregNotes) -> None:
    await notes.suggested(SUGGESTED)
    await notes.suggested(SUGGESTED)
    await notes.refused(SUGGESTED, "master switch is off")
    await notes.executed(SUGGESTED, ("7",), environment="testnet", dry_run=True)


async def test_a_life_of_a_suggestion() -> None:
    """Suggested, refused, executed: one line each but for the execution, which marks the first."""
    notes, journal = desk()
    await a_life(notes)
    done, refusal = await lines(journal)

    assert (done.suggested, done.executed, done.order_ids) == (True, True, ("7",))
    assert done.extra_info == {"dry_run": True, "environment": "testnet"}
    assert done.vrp_30d == 11.0
    assert (refusal.executed, refusal.reason) == (False, "master switch is off")


async def test_only_news_are_written() -> None:
    """Another action, another priority, or six hours; a process that starts anew knows it too."""
    notes, journal = desk()
    later = [
        evolve(SUGGESTED, timestamp=AT + timedelta(hours=5, minutes=59)),
        evolve(SUGGESTED, timestamp=AT + timedelta(hours=6)),
        evolve(SUGGESTED, timestamp=AT + timedelta(hours=6, minutes=1), priority="high"),
    ]
    written = [await notes.suggested(each) for each in (SUGGESTED, *later)]
    again = Bookkeeper(journal, MemoryPositionStore("paper"), "paper")
    await again.recall(None)

    assert written == [True, False, True, True]
    assert await GregNotes(again).suggested(later[-1]) is False
    assert len(await lines(journal)) == 3


async def test_a_dismissal_is_told_apart() -> None:
    """As IGNORE, suggested and not executed."""
    notes, journal = desk()
    await notes.suggested(SUGGESTED)
    await notes.dismissed(SUGGESTED)

    assert [(each.action_type, each.executed) for each in await lines(journal)] == [
        ("HEDGE", False),
        ("IGNORE", False),
    ]


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        (GregAction.MODE_SWITCH, "MODE_CHANGE"),
        (GregAction.LIVE_SWITCH_TOGGLE, "CONFIG_CHANGE"),
        (GregAction.STRATEGY_FLAGS_UPDATE, "CONFIG_CHANGE"),
        (GregAction.NOTIONAL_LIMITS_UPDATE, "CONFIG_CHANGE"),
    ],
)
async def test_a_change_is_of_the_system(action: GregAction, kind: str) -> None:
    """Nobody suggested it, it is done unless it was refused, and no statistics count it."""
    notes, journal = desk()
    await notes.changed(AT, action, "live", "by hand", {"previous": "paper"})
    await notes.changed(AT, action, "live", "no", {"previous": "paper"}, refused=True)
    log = MemoryGregLog()
    await copy_journal(journal, log)
    no, entry = (record.entry for record in await log.history())

    assert (entry.underlying, entry.position_id, entry.strategy_type) == ("SYSTEM", "N/A", kind)
    assert (entry.suggested, entry.executed, no.executed) == (False, True, False)
    assert (await log.stats()).total_executed == 0


async def test_a_copy_is_made_once_however_often() -> None:
    """A second copy adds nothing; one that carries on has what came since."""
    notes, journal = desk()
    await a_life(notes)
    log = MemoryGregLog()
    first = await copy_journal(journal, log)
    before = await log.history()
    await copy_journal(journal, log)
    again = await log.history()
    await notes.dismissed(SUGGESTED)
    await copy_journal(journal, log)

    assert first == 3
    assert again == before
    assert len(await log.history()) == 3


@pytest.mark.parametrize("room", [0, 1])
async def test_a_log_that_is_away_loses_nothing(room: int) -> None:
    """The desk goes on; once the log is back, a copy has every line that any copy would."""
    notes, journal = desk()
    log = Away(room)
    await a_life(notes)
    with pytest.raises(StoreUnwritable):
        await copy_journal(journal, log)
    await notes.dismissed(SUGGESTED)
    log.room = 9
    await copy_journal(journal, log)

    assert [record.entry for record in reversed(await log.history())] == await lines(journal)
