"""What the commands of Greg have in common: recordings, first lines, colours."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TypeAlias, TypeVar

import typer
from rich.text import Text

from apps.cli.book_view import end
from apps.cli.console import mode_line, tell
from apps.cli.exits import ExitCode
from apps.settings.faults import SettingsError
from apps.settings.root import Settings
from apps.wiring.greg import Recordings, SensorPlace, sensor_place
from apps.wiring.greg_rules import GregRules
from core.analysis.greg_view import Mood
from core.context.sensor_values import SensorBundle

VolIndexFolder: TypeAlias = Annotated[
    Path | None,
    typer.Option("--dvol", metavar="DIR", help="Recorded daily closes of the volatility index."),
]
SpotFolder: TypeAlias = Annotated[
    Path | None, typer.Option("--spot", metavar="DIR", help="Recorded hourly bars of spot.")
]
Coin: TypeAlias = Annotated[
    str | None, typer.Option("--underlying", metavar="COIN", help="Such as BTC.")
]
_STYLES = {"good": "green", "bad": "red", "neutral": ""}
_PRIORITIES = {"high": "red", "medium": "yellow", "low": "green"}
_Found = TypeVar("_Found")


def coins_asked(settings: Settings, coins: list[str] | None) -> tuple[str, ...]:
    """The coins to show, those of the settings unless some are named; else end with MISUSE."""
    known = settings.venue.underlyings
    asked = tuple(coins or known)
    unknown = [coin for coin in asked if coin not in known]
    if unknown:
        end(f"{unknown[0]} is not traded; venue.underlyings is {', '.join(known)}", ExitCode.MISUSE)
    return asked


def bundles(
    settings: Settings, coins: tuple[str, ...], recordings: Recordings, at: str | None
) -> tuple[SensorBundle, ...]:
    """The sensors of *coins* at the instant that *at* says, None for now."""
    instant = at_asked(settings, at)

    async def read() -> tuple[SensorBundle, ...]:
        async with sensor_place(settings, recordings, instant) as place:
            for line in place.left_out:
                tell(line)
            return await _read(place, coins)

    return asyncio.run(read())


def at_asked(settings: Settings, at: str | None) -> datetime | None:
    """The instant that *at* says; ends with MISUSE where the venue tells no past."""
    if at is not None and settings.venue.is_deribit:
        end("Deribit does not tell past chains: leave --at out", ExitCode.MISUSE)
    if at is None:
        return None
    try:
        instant = datetime.fromisoformat(at)
    except ValueError as error:
        raise typer.BadParameter(f"{at!r} is not an instant: {error}") from error
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def or_misuse(make: Callable[[], _Found]) -> _Found:
    """What *make* returns; settings that it does not take end the command with MISUSE."""
    try:
        return make()
    except SettingsError as error:
        for fault in error.faults:
            tell(f"error: {fault}")
        raise typer.Exit(ExitCode.MISUSE) from error


def first_line(settings: Settings, *more: str) -> str:
    """The line that every screen of Greg starts with."""
    greg = settings.greg
    state = greg.greg_trading_mode.upper().replace("_", " ")
    if state == "LIVE":
        state = "LIVE EXECUTION" if greg.greg_enable_live_execution else "LIVE BUT DISARMED"
    return " | ".join((mode_line(settings), f"greg {state}", *more))


def source_line(bundle: SensorBundle) -> str:
    """Where a coin's sensors come from, and what could not be had."""
    words = [f"{bundle.underlying} at {bundle.at:%Y-%m-%d %H:%M} UTC from {bundle.data_source}"]
    if bundle.is_synthetic:
        words.append("SYNTHETIC: nothing can be executed by it")
    if bundle.missing_sensors:
        words.append(f"missing {', '.join(bundle.missing_sensors)}")
    words.extend(bundle.faults)
    return "; ".join(words)


def warn_of(rules: GregRules) -> None:
    """Say what is wrong with a person's overrides, and that some are in force."""
    if rules.warning:
        tell(f"warning: {rules.warning}")
    if rules.entry.thresholds != rules.shipped.thresholds:
        tell("entry rules are overridden in test")
    if rules.entry.by_underlying:
        tell(f"reviewed thresholds of {', '.join(rules.entry.by_underlying)} in test")


def moody(text: str, mood: Mood) -> Text:
    """*text* in the colour of what it means."""
    return Text(text, style=_STYLES[mood])


def urgent(text: str, priority: str) -> Text:
    """*text* in the colour of its priority."""
    return Text(text, style=_PRIORITIES[priority])


def figure(value: float | None, places: int = 2) -> str:
    """A number, or two dashes where it is unknown."""
    return "--" if value is None else f"{value:.{places}f}"


async def _read(place: SensorPlace, coins: tuple[str, ...]) -> tuple[SensorBundle, ...]:
    return tuple([await place.reader.read(coin, place.clock.now()) for coin in coins])
