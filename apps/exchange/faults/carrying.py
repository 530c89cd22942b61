"""Carrying out a course: the one place for HTTP, websocket and in-process use."""

import asyncio
from collections.abc import Awaitable, Callable
from math import inf

from attrs import frozen

from apps.exchange.faults.kinds import Course, Cut
from apps.exchange.rpc import Answer

Process = Callable[[], Awaitable[Answer]]
Wait = Callable[[float], Awaitable[None]]  # seconds
Later = Callable[[float, Process], None]  # processes after so many seconds, whoever still waits


class Severed(Exception):
    """There is no answer, and none will come: the connection ended as *cut* says."""

    def __init__(self, cut: Cut) -> None:
        super().__init__(cut)
        self.cut = cut


def _never(seconds: float, process: Process) -> None:
    raise AssertionError(f"nobody gives up, but {process} was left for {seconds} s later")


@frozen(eq=False, kw_only=True)
class Waits:
    """
    How time passes for requests: *wait* returns after so many seconds.

    A client that gives up after *patience_s* is told by TIMED_OUT, and what it has sent is then
    processed *later*. Over sockets clients have time-outs of their own: patience is endless.
    """

    wait: Wait = asyncio.sleep
    patience_s: float = inf
    later: Later = _never


OVER_SOCKETS = Waits()


async def carried(course: Course, process: Process, waits: Waits) -> Answer:
    """
    Return what *process* answers on *course*; an empty answer if it is never processed.

    Raises:
        Severed: There is no answer.
    """
    if course.cut is Cut.REFUSED:
        raise Severed(Cut.REFUSED)
    if course.arrives_after_s > waits.patience_s:
        waits.later(course.arrives_after_s, process)
        await waits.wait(waits.patience_s)
        raise Severed(Cut.TIMED_OUT)
    if course.arrives_after_s > 0:
        await waits.wait(course.arrives_after_s)
    answer = Answer(None)
    for _ in range(course.runs):
        answer = await process()
    left_s = waits.patience_s - course.arrives_after_s
    if course.answers_after_s > left_s:
        await waits.wait(left_s)
        raise Severed(Cut.TIMED_OUT)
    if course.answers_after_s > 0:
        await waits.wait(course.answers_after_s)
    if course.cut is not None:
        raise Severed(course.cut)
    return answer
