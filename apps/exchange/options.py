"""What `python -m apps.exchange.main` may be told: its options, each with what it is for."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from apps.wiring.exchange import Pace

_INSTANTS = ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S.%f"]

Host: TypeAlias = Annotated[str, typer.Option(help="Address to listen on.")]
Port: TypeAlias = Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 is any free one.")]
ClientId: TypeAlias = Annotated[
    str, typer.Option(envvar="PAPER_CLIENT_ID", help="Name of the key.")
]
ClientSecret: TypeAlias = Annotated[
    str, typer.Option(envvar="PAPER_CLIENT_SECRET", help="Secret of the key.")
]
DataDir: TypeAlias = Annotated[Path, typer.Option(help="Folder of the venue's memory.")]
Memory: TypeAlias = Annotated[bool, typer.Option("--memory", help="Forget all at the end.")]
Market: TypeAlias = Annotated[str | None, typer.Option(help="synthetic, replay, or deribit.")]
Feed: TypeAlias = Annotated[str, typer.Option(help="Whose public feed is the market deribit.")]
Data: TypeAlias = Annotated[Path | None, typer.Option(help="Folder of recorded chains.")]
Since: TypeAlias = Annotated[str | None, typer.Option("--from", help="First day of a replay.")]
Seed: TypeAlias = Annotated[int | None, typer.Option(help="Seed of the synthetic market.")]
Clock: TypeAlias = Annotated[
    Pace, typer.Option(help="real, or stepped by the method paper/advance.")
]
Speed: TypeAlias = Annotated[float, typer.Option(min=0.001, help="Seconds that pass in one.")]
Start: TypeAlias = Annotated[
    datetime | None, typer.Option(formats=_INSTANTS, help="Where time begins, UTC.")
]
FrameMs: TypeAlias = Annotated[int, typer.Option(min=1, help="How long a picture is shown.")]
Tier: TypeAlias = Annotated[int, typer.Option(min=1, max=4, help="Tier of the rate limits.")]
Limits: TypeAlias = Annotated[bool, typer.Option(help="Count credits at all.")]
TokenLifetime: TypeAlias = Annotated[int, typer.Option(min=1, help="Seconds a token lives.")]
Tied: TypeAlias = Annotated[
    bool, typer.Option("--tied", help="End when standard input does: with who started it.")
]
Config: TypeAlias = Annotated[list[Path] | None, typer.Option(help="Settings in TOML.")]
FaultDraws: TypeAlias = Annotated[
    str | None, typer.Option(help="Go wrong on purpose: seed=7,rate=0.3[,kinds=a+b].")
]
FaultScript: TypeAlias = Annotated[
    Path | None, typer.Option(help="Go wrong on purpose, as a JSON array says.")
]
