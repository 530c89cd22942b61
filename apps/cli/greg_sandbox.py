"""`options-agent greg sandbox`: invented positions to look at the desk with."""

import asyncio
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Annotated, TypeAlias, TypeVar

import typer

from apps.cli.book_view import end
from apps.cli.console import problem, show_json, show_table, show_text, table
from apps.cli.desk_work import at_desk
from apps.cli.exits import ExitCode
from apps.cli.greg_options import first_line
from apps.cli.group import command_group
from apps.cli.options import AsJson, ConfigFiles, Overrides, VenueKind, settings_from
from apps.settings.root import Settings
from apps.settings.venue import BASE_URLS
from apps.wiring.book import place_of
from apps.wiring.greg_rules import greg_rules
from apps.wiring.inspection import inspected_desk
from core.greg.holdings import code_in
from core.greg.sandbox import MODE, SIZES, refusal
from core.usecases.agent import put_down, recover
from core.usecases.desk import Desk
from core.usecases.greg_sandbox import (
    SandboxRun,
    SandboxTerms,
    clear_sandbox,
    is_open,
    open_sandbox,
    sandbox_positions,
)
from ports.positions import TrackedPosition

app = command_group("Invented positions, kept apart from everything that trades.")
_Made = TypeVar("_Made")


class SandboxChain(StrEnum):
    """Whose contracts positions are made of."""

    TESTNET = "testnet"  # Deribit's, and no other
    VENUE = "venue"  # that of the settings


Vol: TypeAlias = Annotated[
    float | None,
    typer.Option("--vol", metavar="POINTS", help="Legs at Black's price, dated as for trade."),
]
Chain: TypeAlias = Annotated[
    SandboxChain | None,
    typer.Option("--chain", help="Contracts by delta off Deribit's testnet, or the venue."),
]
Synthetic: TypeAlias = Annotated[
    bool, typer.Option("--synthetic", help="Legs by the fixed table, all at 2 % of spot.")
]
ClearOnly: TypeAlias = Annotated[
    bool, typer.Option("--clear-only", help="Put old ones away, and stop.")
]
OnlyLists: TypeAlias = Annotated[bool, typer.Option("--list", help="As `greg sandbox list`.")]


@app.command("open")
def opening(
    underlyings: Annotated[str, typer.Option("--underlyings", metavar="COINS")] = "BTC,ETH",
    btc_size: Annotated[float, typer.Option("--btc-size", help="Contracts.")] = SIZES["BTC"],
    eth_size: Annotated[float, typer.Option("--eth-size", help="Contracts.")] = SIZES["ETH"],
    clear: Annotated[bool, typer.Option("--clear", help="Put old ones away first.")] = False,
    clear_only: ClearOnly = False,
    only_lists: OnlyLists = False,
    synthetic: Synthetic = False,
    vol: Vol = None,
    chain: Chain = None,
    as_json: AsJson = False,
    venue: VenueKind = None,
    config: ConfigFiles = None,
    overrides: Overrides = None,
) -> None:
    """
    A position of each of the seven strategies on each coin; 1 if one could not be made.

    Without --vol or --chain they are those of --synthetic.
    """
    if sum((synthetic, vol is not None, chain is not None)) > 1:
        end("--synthetic, --vol and --chain exclude each other", ExitCode.MISUSE)
    if only_lists:
        listing(as_json, venue, config, overrides)
        return
    settings = _allowed(settings_from(config, overrides, venue).settings)
    if clear_only:
        closing(as_json, venue, config, overrides)
        return
    terms = _terms(settings, vol, chain)
    coins = [each.strip() for each in underlyings.split(",") if each.strip()]
    if not coins:
        end("--underlyings names no coin", ExitCode.MISUSE)

    async def work(desk: Desk) -> SandboxRun:
        if clear:
            await clear_sandbox(desk, "cleared before a new run")
        return await open_sandbox(desk, coins, {"BTC": btc_size, "ETH": eth_size}, terms=terms)

    _show_run(settings, _done(settings, work), as_json)


def _show_run(settings: Settings, run: SandboxRun, as_json: bool) -> None:
    """What *run* has made; ends with FAILED where something could not be made."""
    failed = [f"{each.strategy} on {each.underlying}: {each.reason}" for each in run.failed]
    if as_json:
        show_json(
            {"ok": not failed, "run_id": run.run_id, "opened": list(run.opened), "failed": failed}
        )
    else:
        show_text(first_line(settings, "SANDBOX"))
        show_text(f"run {run.run_id}: {len(run.opened)} positions opened")
    for each in failed:
        problem(each)
    if failed:
        raise typer.Exit(ExitCode.FAILED)


@app.command("list")
def listing(
    as_json: AsJson = False,
    venue: VenueKind = None,
    config: ConfigFiles = None,
    overrides: Overrides = None,
) -> None:
    """Every position of the sandbox, open or put away."""
    settings = settings_from(config, overrides, venue).settings
    found = asyncio.run(_listed(settings))
    if as_json:
        show_json({"ok": True, "positions": [_record(each) for each in found]})
        return
    show_text(first_line(settings, "SANDBOX"))
    made = table(
        "position", "state", "coin", "strategy", "legs", "origin", "run", whole=("position", "run")
    )
    for each in found:
        made.add_row(
            each.position_id,
            _state(each),
            each.underlying,
            str(code_in(each.position_id)),
            ", ".join(f"{leg.size:+g} {leg.contract.symbol}" for leg in each.legs),
            each.origin,
            each.run_id,
        )
    show_table(made)


@app.command("close")
def closing(
    as_json: AsJson = False,
    venue: VenueKind = None,
    config: ConfigFiles = None,
    overrides: Overrides = None,
) -> None:
    """Put every open position of the sandbox away."""
    settings = settings_from(config, overrides, venue).settings
    count = _done(settings, lambda desk: clear_sandbox(desk, "cleared by hand"))
    if as_json:
        show_json({"ok": True, "closed": count})
        return
    show_text(f"{count} positions of the sandbox put away")


def _terms(settings: Settings, vol: float | None, chain: SandboxChain | None) -> SandboxTerms:
    """What positions are made of."""
    if chain is SandboxChain.TESTNET and not (
        settings.venue.is_deribit and settings.venue.base_url == BASE_URLS["testnet"]
    ):
        end("--chain testnet needs Deribit's testnet as the venue", ExitCode.MISUSE)
    if chain is not None:
        return SandboxTerms(windows=greg_rules(settings).shipped.windows)
    return SandboxTerms(iv=None if vol is None else vol / 100.0)


def _allowed(settings: Settings) -> Settings:
    """*settings* if a sandbox may be opened under them; else end with FAILED."""
    why = refusal(
        is_dry_run=settings.loop.dry_run, is_testnet=settings.venue.deribit_env == "testnet"
    )
    if why:
        end(why, ExitCode.FAILED)
    return settings


def _done(settings: Settings, work: Callable[[Desk], Awaitable[_Made]]) -> _Made:
    """What *work* makes at the desk of *settings*, whose book is put down behind it."""

    async def at(desk: Desk) -> _Made:
        await recover(desk)
        made = await work(desk)
        await put_down(desk, "the sandbox was changed by hand")
        return made

    return asyncio.run(at_desk(settings, place_of(settings), at))


async def _listed(settings: Settings) -> tuple[TrackedPosition, ...]:
    async with inspected_desk(settings, place_of(settings)) as desk:
        return sandbox_positions(desk.keeper.book)


def _state(position: TrackedPosition) -> str:
    return "open" if is_open(position) else "closed"


def _record(position: TrackedPosition) -> dict[str, object]:
    return {
        "position_id": position.position_id,
        "state": _state(position),
        "underlying": position.underlying,
        "strategy_type": str(code_in(position.position_id)),
        "legs": [{"symbol": leg.contract.symbol, "size": leg.size} for leg in position.legs],
        "origin": position.origin,
        "run_id": position.run_id,
        "mode": MODE,
        "exit_style": position.exit_style,
    }
