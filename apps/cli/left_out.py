"""What a past lacks, told on stderr where there is no place for it among figures."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TypeVar

from apps.cli.console import tell
from apps.settings.root import Settings
from apps.wiring.market import passed_over
from ports.backtest_runs import Omission
from ports.errors import StoreDamaged, Unavailable

_Coin = TypeVar("_Coin", bound=str)


def tell_left_out(omissions: Iterable[Omission]) -> None:
    """Tell every reason once, with how often it was one."""
    reasons = Counter(f"{each.subject}: {each.reason}" for each in omissions)
    for reason, times in reasons.items():
        tell(f"left out: {reason}{f', {times} times' if times > 1 else ''}")


def tell_passed_over(settings: Settings) -> None:
    """Tell what of the recording that *settings* replay is not read; nothing of other markets."""
    for line in asyncio.run(passed_over(settings)):
        tell(line)


async def of_each(coins: Sequence[_Coin], run: Callable[[_Coin], Awaitable[None]]) -> None:
    """
    Let *run* run coin after coin; one that has no past here is told and left out.

    Raises:
        Unavailable, StoreDamaged: None of them has one; otherwise what *run* raises.
    """
    left_out = 0
    for coin in coins:
        try:
            await run(coin)
        except (Unavailable, StoreDamaged) as error:
            left_out += 1
            if left_out == len(coins):
                raise
            tell(f"{coin} is left out: {error}")
