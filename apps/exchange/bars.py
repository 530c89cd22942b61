"""Bars of what is worked out from the chain: looked at where they begin and end, and between."""

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta

from attrs import frozen

from apps.exchange.params import Span
from apps.exchange.rpc import invalid_params
from ports.checks import epoch_ms, from_epoch_ms

PARTS = 4  # of a bar: so fine its highest and lowest are looked for

Look = Callable[[datetime], Awaitable[float | None]]  # a level then; None where none is known


@frozen
class Bar:
    """A bar that begins at *start*."""

    start: datetime
    open: float
    high: float
    low: float
    close: float


def span_of(params: Span, now: datetime) -> tuple[datetime, datetime]:
    """
    Return from when to when, and not beyond *now*.

    Raises:
        RpcError: -32602, it ends before it begins.
    """
    if params.start_timestamp > params.end_timestamp:
        raise invalid_params("start_timestamp", "must not be after end_timestamp")
    return from_epoch_ms(params.start_timestamp), min(from_epoch_ms(params.end_timestamp), now)


def starts_in(params: Span, step: timedelta, now: datetime, most: int) -> list[datetime]:
    """
    Return the starts of the bars in the span that have begun, oldest first, the newest *most*.

    Raises:
        RpcError: -32602, it ends before it begins.
    """
    start, end = span_of(params, now)
    step_ms = step // timedelta(milliseconds=1)
    first, last = -(-epoch_ms(start) // step_ms), epoch_ms(end) // step_ms
    return [from_epoch_ms(bar * step_ms) for bar in range(max(first, last - most + 1), last + 1)]


async def bars_of(look: Look, starts: Iterable[datetime], step: timedelta) -> list[Bar]:
    """
    Return the bars of *step* from *starts*, oldest first, without those of unknown levels.

    A bar ends with the level at which the next begins.
    """
    edge_at, edge = None, None
    bars: list[Bar] = []
    for start in starts:
        first = edge if edge_at == start else await look(start)
        inside = [await look(start + part * step / PARTS) for part in range(1, PARTS + 1)]
        edge_at, edge = start + step, inside[-1]
        levels = [level for level in (first, *inside) if level is not None]
        if len(levels) == PARTS + 1:
            bars.append(Bar(start, levels[0], max(levels), min(levels), levels[-1]))
    return bars
