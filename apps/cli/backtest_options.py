"""What commands that run a rule over a past are asked, and the settings that makes."""

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from apps.cli.book_view import end
from apps.cli.console import tell
from apps.cli.exits import ExitCode
from apps.settings.root import Settings
from apps.wiring.backtest_greg import MANAGED
from apps.wiring.backtest_params import GREG

Market: TypeAlias = Annotated[
    str | None, typer.Option("--market", help="recorded, synthetic, or universe.")
]
Data: TypeAlias = Annotated[Path | None, typer.Option("--data", help="Folder of recorded chains.")]
CoinList: TypeAlias = Annotated[str | None, typer.Option("--coins", help="BTC,ETH: one by one.")]
Since: TypeAlias = Annotated[
    str | None, typer.Option("--from", metavar="DATE", help="First day; default: all there is.")
]
Until: TypeAlias = Annotated[
    str | None, typer.Option("--to", metavar="DATE", help="Last day, itself included.")
]
Styles: TypeAlias = Annotated[
    str | None,
    typer.Option("--style", help="Exit styles with commas between; the first is primary."),
]
Engine: TypeAlias = Annotated[
    str | None, typer.Option("--engine", help="tick, the agent's own; or fast, compiled.")
]
StrategyName: TypeAlias = Annotated[
    str | None,
    typer.Option("--strategy", help="call_rule_v1; covered_call_v1, live; or gregbot."),
]
Preset: TypeAlias = Annotated[
    str | None, typer.Option("--preset", help="ULTRA_SAFE, BALANCED, AGGRESSIVE or CUSTOM.")
]
TargetDelta: TypeAlias = Annotated[
    float | None, typer.Option("--target-delta", help="Delta of the call sold.")
]
TargetDte: TypeAlias = Annotated[
    float | None, typer.Option("--target-dte", help="Days to its expiry.")
]
LatencyName: TypeAlias = Annotated[
    str | None, typer.Option("--latency", help="Decide on the previous snapshot, or on the same.")
]
Limits: TypeAlias = Annotated[
    str | None, typer.Option("--limits", help="research, or live: those of [risk].")
]
Seed: TypeAlias = Annotated[int | None, typer.Option("--seed", help="Seed of market and choices.")]
Notes: TypeAlias = Annotated[str, typer.Option("--notes", help="Kept with the run.")]
Resume: TypeAlias = Annotated[
    str | None,
    typer.Option("--resume", metavar="RUN", help="Go on with a stopped run; same options."),
]

_SETTINGS = {
    "data": "venue.replay_data",
    "since": "venue.replay_from",
    "until": "venue.replay_to",
    "seed": "venue.seed",
    "engine": "backtest.backtest_engine",
    "strategy": "backtest.backtest_strategy",
    "preset": "backtest.backtest_preset",
    "target_delta": "backtest.call_target_delta",
    "target_dte": "backtest.call_target_dte",
    "latency": "backtest.backtest_latency",
    "limits": "backtest.backtest_limits",
}
_LISTS = {"coins": "venue.underlyings", "style": "backtest.backtest_exit_styles"}


def flags_of(given: dict[str, object]) -> list[str]:
    """
    The settings, KEY=VALUE, that the options of a command, by parameter, stand for.

    Greg's structures have exits of their own, and those exits are of nothing else.
    """
    if given.get("strategy") == GREG and not given.get("style"):
        given = {**given, "style": MANAGED}
    if given.get("style") == MANAGED and not given.get("strategy"):
        given = {**given, "strategy": GREG}
    if given.get("strategy") == GREG:
        for name in ("target_delta", "target_dte"):
            if given.get(name) is not None:
                option = name.replace("_", "-")
                tell(f"--{option} does not count: Greg has days and deltas of his own")
    flags = [
        f"{path}={given[name]}" for name, path in _SETTINGS.items() if given.get(name) is not None
    ]
    flags += [
        f"{path}={_listed(str(given[name]))}" for name, path in _LISTS.items() if given.get(name)
    ]
    market = given.get("market")
    if market is not None:
        flags.append(f"venue.market={'replay' if market == 'recorded' else market}")
    if market in ("synthetic", "universe"):
        flags.append("venue.venue_clock=stepped")
    return flags


def require_past(settings: Settings) -> None:
    """End with MISUSE where *settings* name no past to run over."""
    venue = settings.venue
    if venue.market == "replay" and venue.replay_data is None:
        end("recorded chains are wanted: name their folder with --data", ExitCode.MISUSE)
    if venue.market != "replay" and (venue.replay_from is None or venue.replay_to is None):
        end(f"a {venue.market} market needs its days: --from and --to", ExitCode.MISUSE)


def _listed(text: str) -> str:
    """Words with commas between as the JSON list that settings take."""
    words = (word.strip() for word in text.split(","))
    return "[" + ", ".join(f'"{word}"' for word in words if word) + "]"
