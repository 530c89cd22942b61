"""A desk over a locked book, for commands that act once."""

import sys
from collections.abc import Awaitable, Callable
from typing import TypeVar

from apps.cli.book_view import end
from apps.cli.exits import ExitCode
from apps.settings.root import Settings
from apps.wiring.book import BookPlace, files_of, locked_book
from apps.wiring.desk import chosen_strategies, opened_desk
from core.usecases.desk import Desk
from ports.decision_log import Entry

_T = TypeVar("_T")


async def at_desk(
    settings: Settings,
    place: BookPlace,
    work: Callable[[Desk], Awaitable[_T]],
    watch: Callable[[Entry], None] = lambda _: None,
) -> _T:
    """
    Return what *work* makes of the desk at *place*, whose lock is held meanwhile.

    *watch* is shown every entry that is written. A name in the settings that means nothing ends
    the command with MISUSE.

    Raises:
        PortError: The book is held, damaged or foreign, or something outside failed.
    """
    try:
        chosen_strategies(settings)
    except ValueError as error:
        end(f"policy.strategies: {error}", ExitCode.MISUSE)
    with locked_book(place, " ".join(sys.argv[1:3])):
        async with opened_desk(settings, files_of(place), watch) as desk:
            return await work(desk)
