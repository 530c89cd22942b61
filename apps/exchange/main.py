"""
`python -m apps.exchange.main`: the paper exchange as a process of its own.

`options-agent exchange serve` turns into it: the agent and its exchange share no memory, and
the command line no code with the server.
"""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import typer
import uvicorn
from attrs import frozen

from apps.exchange import options
from apps.exchange.app import HTTP_PATH, WEBSOCKET_PATH, exchange_app
from apps.exchange.door import Door
from apps.exchange.exchange import Exchange, ExchangeParams
from apps.exchange.faults.drawn import Draws
from apps.exchange.faults.runtime import Faults
from apps.exchange.faults.script import BadScript, ToldFault, draws_from, script_from
from apps.exchange.faults.world import faulty_world
from apps.exchange.hub import Hub
from apps.exchange.limits import Allowance, Cost, allowances
from apps.exchange.sessions import Credentials
from apps.exchange.sockets import Sockets
from apps.settings.faults import SettingsError
from apps.settings.load import load
from apps.settings.root import Settings
from apps.settings.venue import BASE_URLS, PAPER_ID, PAPER_SECRET
from apps.wiring.exchange import (
    ExchangeWorld,
    Pace,
    exchange_lock,
    exchange_world,
    market_name,
)
from apps.wiring.market import passed_over
from apps.wiring.public_feed import fed_world
from ports.clock import Clock
from ports.errors import PortError, Unavailable

_LARGEST_FRAME = 16 * 1024 * 1024  # bytes of a websocket message that are read to be refused
_WAITING = 1024  # connections that are not accepted yet
_MISUSE, _FAILED = 2, 1
_FED = "deribit"  # the market that is the public feed of a venue
_LEAST_FED_FRAME = timedelta(seconds=2)  # a feed has limits of its own


@frozen(kw_only=True)
class _Planned:
    """What goes wrong on purpose; None is what was not asked for."""

    draws: Draws | None
    script: tuple[ToldFault, ...] | None

    @property
    def is_any(self) -> bool:
        """Whether anything does."""
        return self.draws is not None or self.script is not None

    def faults(self, clock: Clock) -> Faults | None:
        """The faults that were asked for, armed by *clock*; None if none were."""
        if not self.is_any:
            return None
        faults = Faults(clock, self.draws)
        faults.arm(*(each.fault(clock.now()) for each in self.script or ()))
        return faults


@frozen(kw_only=True)
class _Served:
    """Where and how it is served."""

    host: str
    port: int
    directory: Path | None
    pace: Pace
    speed: float
    start: datetime | None
    is_tied: bool
    feed: str | None
    planned: _Planned


def serve(  # noqa: PLR0917  a command's parameters are its options
    host: options.Host = "127.0.0.1",
    port: options.Port = 8088,
    client_id: options.ClientId = PAPER_ID,
    client_secret: options.ClientSecret = PAPER_SECRET,
    data_dir: options.DataDir = Path("data/exchange"),
    memory: options.Memory = False,
    market: options.Market = None,
    feed: options.Feed = BASE_URLS["mainnet"],
    data: options.Data = None,
    since: options.Since = None,
    seed: options.Seed = None,
    clock: options.Clock = Pace.REAL,
    speed: options.Speed = 1.0,
    start: options.Start = None,
    frame_ms: options.FrameMs = 100,
    tier: options.Tier = 4,
    limits: options.Limits = True,
    token_lifetime: options.TokenLifetime = 900,
    tied: options.Tied = False,
    config: options.Config = None,
    faults: options.FaultDraws = None,
    fault_script: options.FaultScript = None,
) -> None:
    """Serve Deribit's JSON-RPC v2 over HTTP and websocket, with paper money."""
    settings = _settings(config or [], _market_flags(market, data, since, seed))
    served = _Served(
        host=host,
        port=port,
        directory=None if memory else data_dir,
        pace=clock,
        speed=speed,
        start=start.replace(tzinfo=UTC) if start else None,
        is_tied=tied,
        feed=feed if market == _FED else None,
        planned=_planned(faults, fault_script),
    )
    params = _params(
        settings,
        served,
        credentials=Credentials(client_id=client_id, client_secret=client_secret),
        token_lifetime_s=token_lifetime,
        frame=timedelta(milliseconds=frame_ms),
        allowed=allowances(tier) if limits else None,
    )
    _run(settings, params, served)


def main() -> None:
    """Run the server until it is told to end."""
    typer.run(serve)


def _market_flags(
    market: str | None, data: Path | None, since: str | None, seed: int | None
) -> dict[str, str]:
    """The settings of the market that the options name; a feed is none of the settings'."""
    named = {
        "venue.market": None if market == _FED else market,
        "venue.replay_data": data,
        "venue.replay_from": since,
        "venue.seed": seed,
    }
    return {key: str(value) for key, value in named.items() if value is not None}


def _planned(faults: str | None, fault_script: Path | None) -> _Planned:
    try:
        return _Planned(
            draws=None if faults is None else draws_from(faults),
            script=None if fault_script is None else script_from(fault_script),
        )
    except BadScript as error:
        print(f"error: {error}", file=sys.stderr)
        raise typer.Exit(_MISUSE) from error


def _params(
    settings: Settings,
    served: _Served,
    *,
    credentials: Credentials,
    token_lifetime_s: int,
    frame: timedelta,
    allowed: dict[Cost, Allowance] | None,
) -> ExchangeParams:
    is_fed = served.feed is not None
    return ExchangeParams(
        coins=tuple(settings.venue.underlyings),
        credentials=credentials,
        token_lifetime_s=token_lifetime_s,
        frame=max(frame, _LEAST_FED_FRAME) if is_fed else frame,
        allowed=allowed,
        can_be_stepped=served.pace is Pace.STEPPED,
        market=f"the feed of {served.feed}" if is_fed else market_name(settings.venue),
    )


def _settings(config: list[Path], flags: dict[str, str]) -> Settings:
    try:
        return load(tuple(config), flags, os.environ, Path(".env")).settings
    except SettingsError as error:
        for fault in error.faults:
            print(f"error: {fault}", file=sys.stderr)
        raise typer.Exit(_MISUSE) from error


def _run(settings: Settings, params: ExchangeParams, served: _Served) -> None:
    try:
        with ExitStack() as held:
            if served.directory is not None:
                kind = settings.venue.market if served.feed is None else _FED
                held.enter_context(exchange_lock(kind, served.directory))
            listener = held.enter_context(_listener(served.host, served.port))
            asyncio.run(_open(settings, params, served, listener))
    except (PortError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        raise typer.Exit(_FAILED) from error


async def _open(
    settings: Settings, params: ExchangeParams, served: _Served, listener: socket.socket
) -> None:
    async with _world(settings, served) as world:
        await _serve(world, params, served, listener)


async def _serve(
    world: ExchangeWorld, params: ExchangeParams, served: _Served, listener: socket.socket
) -> None:
    faults, sockets = served.planned.faults(world.clock), Sockets()
    if faults is not None:
        world = faulty_world(world, faults)
    exchange = await Exchange.opened(params, world)
    await _look(exchange, served)
    server = uvicorn.Server(
        uvicorn.Config(
            exchange_app(Door(hub=Hub(exchange), faults=faults), sockets),
            http="auto" if faults is None else sockets.protocol,
            log_level="warning",
            access_log=False,
            ws="websockets-sansio",
            ws_max_size=_LARGEST_FRAME,
            ws_per_message_deflate=False,
            timeout_keep_alive=900,  # Deribit drops a connection after 15 minutes
            timeout_graceful_shutdown=2,
        )
    )
    listener.listen(_WAITING)  # not before: whoever comes is answered, or knows that nobody is here
    _tell(params, served, listener.getsockname()[1])
    if served.is_tied:
        Thread(target=_end_with_input, args=(server,), daemon=True).start()
    await server.serve(sockets=[listener])


async def _look(exchange: Exchange, served: _Served) -> None:
    """Show the first picture, which takes longest, before anybody waits for it."""
    try:
        for coin in exchange.params.coins:
            await exchange.frame(coin)
    except Unavailable as error:
        if served.feed is None:
            raise
        raise Unavailable(f"no feed from {served.feed}: {error}") from error


@asynccontextmanager
async def _world(settings: Settings, served: _Served) -> AsyncIterator[ExchangeWorld]:
    if served.feed is None:
        if not served.is_tied:  # whoever it is tied to has told it
            for line in await passed_over(settings):
                print(line, file=sys.stderr)
        yield await exchange_world(
            settings, served.directory, pace=served.pace, speed=served.speed, start=served.start
        )
        return
    async with fed_world(settings, served.directory, served.feed) as world:
        yield world


def _end_with_input(server: uvicorn.Server) -> None:
    """Wait until whoever holds the other end of standard input is gone, however that happened."""
    while os.read(sys.stdin.fileno(), 4096):
        pass
    server.should_exit = True


def _listener(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sends small answers at once only where the protocol is named
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener


def _tell(params: ExchangeParams, served: _Served, port: int) -> None:
    key = params.credentials
    at = f"[{served.host}]" if ":" in served.host else served.host
    print(
        f"http      http://{at}:{port}{HTTP_PATH}\n"
        f"websocket ws://{at}:{port}{WEBSOCKET_PATH}\n"
        f"key       {key.client_id} / {key.client_secret}\n"
        f"market    {params.market}, clock {served.pace}\n"
        f"memory    {served.directory or 'none: all is forgotten at the end'}\n"
        f"faults    {'on purpose' if served.planned.is_any else 'none'}",
        flush=True,
    )


if __name__ == "__main__":
    main()
