"""
`python -m apps.exchange.main`: the paper exchange as a process of its own.

`options-agent exchange serve` turns into it: the agent and its exchange share no memory, and
the command line no code with the server.
"""

import asyncio
import os
import socket
import sys
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
import uvicorn
from attrs import frozen

from apps.exchange.app import HTTP_PATH, WEBSOCKET_PATH, exchange_app
from apps.exchange.exchange import Exchange, ExchangeParams
from apps.exchange.hub import Hub
from apps.exchange.limits import allowances
from apps.exchange.sessions import Credentials
from apps.settings.faults import SettingsError
from apps.settings.load import load
from apps.settings.root import Settings
from apps.wiring.exchange import Pace, exchange_lock, exchange_world
from ports.errors import PortError

_LARGEST_FRAME = 16 * 1024 * 1024  # bytes of a websocket message that are read to be refused
_MISUSE, _FAILED = 2, 1
_PAPER_SECRET = "paper-secret"  # noqa: S105  it guards paper money on loopback


@frozen(kw_only=True)
class _Served:
    """Where and how it is served."""

    host: str
    port: int
    directory: Path | None
    pace: Pace
    speed: float
    start: datetime | None


def serve(  # noqa: PLR0917  a command's parameters are its options
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 is any free one.")] = 8088,
    client_id: Annotated[str, typer.Option(help="Name of the key.")] = "paper",
    client_secret: Annotated[str, typer.Option(help="Secret of the key.")] = _PAPER_SECRET,
    data_dir: Annotated[Path, typer.Option(help="Folder of the venue's memory.")] = Path(
        "data/exchange"
    ),
    memory: Annotated[bool, typer.Option("--memory", help="Forget all at the end.")] = False,
    market: Annotated[str | None, typer.Option(help="synthetic, or replay.")] = None,
    data: Annotated[Path | None, typer.Option(help="Folder of recorded chains.")] = None,
    since: Annotated[str | None, typer.Option("--from", help="First day of a replay.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the synthetic market.")] = None,
    clock: Annotated[
        Pace, typer.Option(help="real, or stepped by the method paper/advance.")
    ] = Pace.REAL,
    speed: Annotated[float, typer.Option(min=0.001, help="Seconds that pass in one.")] = 1.0,
    start: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%dT%H:%M:%S"], help="Where time begins, UTC.")
    ] = None,
    frame_ms: Annotated[int, typer.Option(min=1, help="How long a picture is shown.")] = 100,
    tier: Annotated[int, typer.Option(min=1, max=4, help="Tier of the rate limits.")] = 4,
    limits: Annotated[bool, typer.Option(help="Count credits at all.")] = True,
    token_lifetime: Annotated[int, typer.Option(min=1, help="Seconds a token lives.")] = 900,
    config: Annotated[list[Path] | None, typer.Option(help="Settings in TOML.")] = None,
) -> None:
    """Serve Deribit's JSON-RPC v2 over HTTP and websocket, with paper money."""
    named = {
        "venue.market": market,
        "venue.replay_data": data,
        "venue.replay_from": since,
        "venue.seed": seed,
    }
    flags = {key: str(value) for key, value in named.items() if value is not None}
    settings = _settings(config or [], flags)
    params = ExchangeParams(
        coins=tuple(settings.venue.underlyings),
        credentials=Credentials(client_id=client_id, client_secret=client_secret),
        token_lifetime_s=token_lifetime,
        frame=timedelta(milliseconds=frame_ms),
        allowed=allowances(tier) if limits else None,
        can_be_stepped=clock is Pace.STEPPED,
    )
    served = _Served(
        host=host,
        port=port,
        directory=None if memory else data_dir,
        pace=clock,
        speed=speed,
        start=start.replace(tzinfo=UTC) if start else None,
    )
    try:
        _run(settings, params, served)
    except (PortError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        raise typer.Exit(_FAILED) from error


def main() -> None:
    """Run the server until it is told to end."""
    typer.run(serve)


def _settings(config: list[Path], flags: dict[str, str]) -> Settings:
    try:
        return load(tuple(config), flags, os.environ, Path(".env")).settings
    except SettingsError as error:
        for fault in error.faults:
            print(f"error: {fault}", file=sys.stderr)
        raise typer.Exit(_MISUSE) from error


def _run(settings: Settings, params: ExchangeParams, served: _Served) -> None:
    with ExitStack() as held:
        if served.directory is not None:
            held.enter_context(exchange_lock(settings, served.directory))
        listener = held.enter_context(_listener(served.host, served.port))
        asyncio.run(_serve(settings, params, served, listener))


async def _serve(
    settings: Settings, params: ExchangeParams, served: _Served, listener: socket.socket
) -> None:
    world = await exchange_world(
        settings, served.directory, pace=served.pace, speed=served.speed, start=served.start
    )
    exchange = await Exchange.opened(params, world)
    for coin in params.coins:
        await exchange.frame(coin)  # the first picture takes longest: before anybody waits
    server = uvicorn.Server(
        uvicorn.Config(
            exchange_app(Hub(exchange)),
            log_level="warning",
            access_log=False,
            ws="websockets-sansio",
            ws_max_size=_LARGEST_FRAME,
            ws_per_message_deflate=False,
            timeout_keep_alive=900,  # Deribit drops a connection after 15 minutes
            timeout_graceful_shutdown=2,
        )
    )
    _tell(params, served, settings, listener.getsockname()[1])
    await server.serve(sockets=[listener])


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
    listener.listen(1024)
    return listener


def _tell(params: ExchangeParams, served: _Served, settings: Settings, port: int) -> None:
    key = params.credentials
    at = f"[{served.host}]" if ":" in served.host else served.host
    print(
        f"http      http://{at}:{port}{HTTP_PATH}\n"
        f"websocket ws://{at}:{port}{WEBSOCKET_PATH}\n"
        f"key       {key.client_id} / {key.client_secret}\n"
        f"market    {settings.venue.market}, seed {settings.venue.seed}, clock {served.pace}\n"
        f"memory    {served.directory or 'none: all is forgotten at the end'}",
        flush=True,
    )


if __name__ == "__main__":
    main()
