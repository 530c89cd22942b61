"""A life that goes on wherever it was cut."""

import asyncio

import pytest

from core.analysis.trading_report import holdings_lines
from core.usecases.agent import Agent
from ports.decision_log import (
    Entry,
    Sent,
)
from tests.support.scripts import scripted
from tests.support.worlds import Crash, CutLog, Rig, Stage


async def lived(stage: Stage, ticks: int | None = None) -> Rig:
    """One process from start to end of its market, or for so many ticks."""
    rig = await stage.rig()
    await Agent(rig.desk, asyncio.Event()).run(ticks=ticks)
    return rig


async def cut(stage: Stage, dies_at: int, *, is_written: bool) -> bool:
    """A process that dies at its record *dies_at*; False if it ended before."""
    rig = await stage.rig(CutLog(stage.journal, dies_at, is_written))
    try:
        await Agent(rig.desk, asyncio.Event()).run()
    except Crash:
        return True
    return False


def kinds(entries: list[Entry]) -> list[str]:
    """What kinds of entries there are, in order."""
    return [type(entry).__name__ for entry in entries]


@pytest.mark.parametrize("is_written", [True, False], ids=["after", "before"])
async def test_a_life_cut_anywhere_and_continued_holds_the_same(is_written: bool) -> None:
    """
    Killed after each record, or before it but after all that happened since the one before, the
    venue taking an order among it: the holdings in the end are those of the undisturbed life.
    """
    undisturbed = holdings_lines((await lived(scripted())).desk.keeper.book)
    dies_at, differing = 1, []
    while True:
        stage = scripted()
        if not await cut(stage, dies_at, is_written=is_written):
            break
        book = (await lived(stage)).desk.keeper.book
        labels = [order.label for order in stage.venue_orders()]
        assert len(labels) == len(set(labels)), f"cut at {dies_at}"
        if holdings_lines(book) != undisturbed:
            differing.append((dies_at, kinds(await stage.entries())[dies_at - 1]))
        dies_at += 1

    assert differing == []
    assert dies_at > 40


async def test_a_life_cut_twice_holds_the_same() -> None:
    """The second process dies in the middle of taking up the book, or soon after."""
    undisturbed = holdings_lines((await lived(scripted())).desk.keeper.book)
    for dies_at in range(3, 40, 4):
        for again in (1, 2, 3, 5):
            stage = scripted()
            await cut(stage, dies_at, is_written=False)
            await cut(stage, again, is_written=False)
            book = (await lived(stage)).desk.keeper.book
            assert holdings_lines(book) == undisturbed, f"cut at {dies_at}, then at {again}"


async def test_every_intent_is_in_the_journal_before_the_venue_has_it() -> None:
    """Whenever the process dies, the venue knows no label that the journal does not."""
    dies_at = 1
    while True:
        stage = scripted()
        went_on = await cut(stage, dies_at, is_written=False)
        written = {each.intent.label for each in await stage.entries() if isinstance(each, Sent)}
        assert {order.label for order in stage.venue_orders()} <= written
        if not went_on:
            break
        dies_at += 1
