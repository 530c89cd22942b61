"""`options-agent reconcile`: our book against the venue's."""

import asyncio
from collections.abc import Mapping
from typing import Annotated

import typer
from attrs import frozen

from apps.cli.book_view import BookFolder, heading, heading_record, own_place
from apps.cli.console import show_json, show_text
from apps.cli.desk_work import at_desk
from apps.cli.exits import ExitCode
from apps.cli.options import AsJson, ConfigFiles, Overrides, VenueKind, settings_from
from core.execution.reconcile import differences
from core.usecases.agent import put_down, recover
from core.usecases.comparing import heal
from core.usecases.desk import Desk, Reading, read

_REASON = "reconciled by hand"


@frozen
class Comparison:
    """One coin: where the books differ, the working orders that are not ours, and the futures."""

    differences: tuple[str, ...]
    external: tuple[str, ...]
    futures: tuple[str, ...]  # our book is about options: they are the venue's to tell


def command(
    apply: Annotated[
        bool, typer.Option("--apply", help="Take the venue's positions as the truth.")
    ] = False,
    book: BookFolder = None,
    as_json: AsJson = False,
    venue: VenueKind = None,
    config: ConfigFiles = None,
    overrides: Overrides = None,
) -> None:
    """
    Compare our book with the venue's; 0 if they agree, 1 if not.

    Without --apply nothing is written into our book. With it, orders under way are looked up
    and trades booked first; what differs then is taken from the venue, and compared again.
    Closed positions and the history of what matches stay. A halt ends only by release.
    """
    settings = settings_from(config, overrides, venue).settings
    place = own_place(settings, book)

    async def work(desk: Desk) -> list[Mapping[str, Comparison]]:
        found: list[Mapping[str, Comparison]] = [await _compare(desk)]
        if apply:
            await recover(desk)
            await _heal(desk)
            found.append(await _compare(desk))
            await put_down(desk, _REASON)
        return found

    steps = asyncio.run(at_desk(settings, place, work))
    clean = not any(each.differences for each in steps[-1].values())
    if as_json:
        show_json(
            {
                **heading_record(settings, place),
                "clean": clean,
                "applied": apply,
                "before": _record(steps[0]),
                "after": _record(steps[-1]),
            }
        )
    else:
        show_text(heading(settings, place))
        for title, step in zip(("found", "after --apply"), steps, strict=False):
            for line in _lines(title, step):
                show_text(line)
    if not clean:
        raise typer.Exit(ExitCode.FAILED)


async def _heal(desk: Desk) -> None:
    """Take over the positions of every coin on which the books still differ."""
    for underlying in desk.params.underlyings:
        reading = await read(desk, underlying)
        if _differences(desk, reading):
            await heal(desk, reading)


async def _compare(desk: Desk) -> dict[str, Comparison]:
    found = {}
    for underlying in desk.params.underlyings:
        reading = await read(desk, underlying)
        external = tuple(
            f"{order.side} {order.amount:g} {order.contract.symbol} at {order.price:g}, "
            f"label {order.label or 'none'}"
            for order in reading.external
        )
        futures = tuple(
            f"{held.size_usd:+g} USD of {held.contract.symbol} at {held.average_price:g}"
            for held in reading.account.futures
        )
        found[underlying] = Comparison(_differences(desk, reading), external, futures)
    return found


def _differences(desk: Desk, reading: Reading) -> tuple[str, ...]:
    tolerance_usd = desk.keeper.book.controls.position_reconcile_tolerance_usd
    return differences(
        desk.keeper.book,
        reading.account,
        reading.snapshot.index_usd,
        desk.params.reconcile_tolerance_usd if tolerance_usd is None else tolerance_usd,
    )


def _record(step: Mapping[str, Comparison]) -> dict[str, object]:
    return {
        coin: {
            "differences": each.differences,
            "external_orders": each.external,
            "futures": each.futures,
        }
        for coin, each in step.items()
    }


def _lines(title: str, step: Mapping[str, Comparison]) -> list[str]:
    lines = []
    for coin, each in step.items():
        lines += [f"{title}: {coin} {line}" for line in each.differences or ("clean",)]
        lines += [f"{title}: {coin} order not ours: {line}" for line in each.external]
        lines += [f"{title}: {coin} position outside the book: {line}" for line in each.futures]
    return lines
