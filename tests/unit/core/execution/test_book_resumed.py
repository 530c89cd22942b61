"""A book taken up from a snapshot goes on as one that was folded from the start."""

import asyncio

from core.execution.book import after, fold, state_hash
from core.usecases.agent import Agent
from ports.codec import from_json, to_json
from ports.positions import BOOKS, Book
from tests.support.scripts import scripted


async def test_every_record_may_be_the_one_of_the_snapshot() -> None:
    """To the same bits, although a snapshot keeps no order of positions."""
    stage = scripted()
    await Agent((await stage.rig()).desk, asyncio.Event()).run()
    entries = await stage.entries()
    whole = state_hash(fold(Book(environment="test"), entries))

    book = Book(environment="test")
    for number, entry in enumerate(entries, start=1):
        book = after(entry, book)
        saved = BOOKS.decode(from_json(to_json(BOOKS.encode(book))))

        assert state_hash(fold(saved, entries[number:])) == whole
