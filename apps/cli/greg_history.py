"""`options-agent greg history`: sensors, selections and reasons of past days, as a table."""

import asyncio
import csv
import io
from collections import Counter
from collections.abc import Sequence
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from apps.cli.book_view import end
from apps.cli.console import show_json, show_table, show_text, table, tell
from apps.cli.exits import ExitCode
from apps.cli.greg_options import (
    SpotFolder,
    VolIndexFolder,
    figure,
    first_line,
    moody,
    or_misuse,
    warn_of,
)
from apps.cli.left_out import of_each
from apps.cli.options import AsJson, ConfigFiles, Overrides, settings_from
from apps.cli.output_file import write_out
from apps.settings.root import Settings
from apps.wiring.greg import Recordings, recorded_place
from apps.wiring.greg_params import sensor_params
from apps.wiring.greg_records import bundle_record, sensors_record
from apps.wiring.greg_rules import greg_rules
from core.analysis.greg_view import mood_of
from core.context.sensors import SENSORS
from core.greg.thresholds import EntryRules
from core.usecases.greg_history import SensorDay, sensor_days

_SHORT = {
    "vrp_30d": "VRP30",
    "vrp_7d": "VRP7",
    "front_rv_iv_ratio": "front",
    "chop_factor_7d": "chop",
    "iv_rank_6m": "rank",
    "term_structure_spread": "term",
    "skew_25d": "skew",
    "adx_14d": "ADX",
    "rsi_14d": "RSI",
    "price_vs_ma200": "MA %",
}
_FILE_COLUMNS = (
    *("day", "underlying", "iv_30d", "rv_30d", *SENSORS, "strategy", "step_index", "step_name"),
    *("safety_degraded", "reasoning", "missing", "faults"),
)


Chains: TypeAlias = Annotated[
    Path, typer.Option("--chains", metavar="DIR", help="Recorded chains.")
]
FromDay: TypeAlias = Annotated[
    str, typer.Option("--from", metavar="DAY", help="Such as 2026-01-01.")
]
ToDay: TypeAlias = Annotated[str, typer.Option("--to", metavar="DAY", help="Included.")]


def command(
    chains: Chains,
    first: FromDay,
    last: ToDay,
    dvol: VolIndexFolder = None,
    spot: SpotFolder = None,
    coin: Annotated[
        list[str] | None, typer.Option("--coin", metavar="COIN", help="Default: BTC and ETH.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Every column, as CSV.")
    ] = None,
    as_json: AsJson = False,
    config: ConfigFiles = None,
    overrides: Overrides = None,
) -> None:
    """
    A row a day: the sensors when it ended, what the entry engine chose, and why.

    Only what was known at that midnight counts. Days of which nothing is known are named below
    the table with the reason.
    """
    settings = settings_from(config, overrides).settings
    or_misuse(lambda: sensor_params(settings))
    rules = greg_rules(settings)
    span = span_asked(first, last)
    recordings = Recordings(vol_index=dvol, spot=spot)
    wanted = tuple(coin or ("BTC", "ETH"))
    days = asyncio.run(days_of(settings, chains, recordings, wanted, span, rules.entry))
    warn_of(rules)
    if as_json:
        show_json({"ok": True, "days": [_record(day) for day in days], "count": len(days)})
    else:
        show_text(first_line(settings, f"rules {rules.entry.version} {rules.mode}"))
        for underlying in wanted:
            _show(underlying, [day for day in days if day.bundle.underlying == underlying])
    if out is not None:
        write_out(out, _csv(days))


def span_asked(first: str, last: str) -> tuple[date, date]:
    """The days from *first* to *last*; ends with MISUSE where they are in the wrong order."""
    span = _day(first), _day(last)
    if span[0] > span[1]:
        end(f"--from {span[0]} is after --to {span[1]}", ExitCode.MISUSE)
    return span


async def days_of(
    settings: Settings,
    chains: Path,
    recordings: Recordings,
    coins: tuple[str, ...],
    span: tuple[date, date],
    rules: EntryRules,
) -> list[SensorDay]:
    """Each day of *span*, coin after coin, by what was known when it ended."""
    found: list[SensorDay] = []

    async def read(coin: str) -> None:  # one by one: a recording's clock only goes forward
        place = await recorded_place(settings, chains, recordings, (coin,))
        for line in place.left_out:
            tell(line)
        found.extend(
            [day async for day in sensor_days(place.reader, place.clock, coin, span, rules)]
        )

    await of_each(coins, read)
    return found


def _show(coin: str, days: Sequence[SensorDay]) -> None:
    numbers = ("IV30", "RV30", *_SHORT.values())
    made = table(f"{coin} day", *numbers, "choice", "why", numbers=numbers, whole=(f"{coin} day",))
    known = [day for day in days if not day.is_missing]
    for day in known:
        bundle = day.bundle
        cells = [
            moody(figure(value, 2), mood_of(name, value))
            for name in _SHORT
            for value in [getattr(bundle.sensors, name)]
        ]
        made.add_row(
            f"{day.day}",
            figure(bundle.iv_30d.value, 1),
            figure(bundle.rv_30d.value, 1),
            *cells,
            str(day.selection.strategy).removeprefix("STRATEGY_"),
            _why(day),
        )
    show_table(made)
    counts = Counter(str(day.selection.strategy) for day in known)
    show_text(f"{coin} selected: {', '.join(f'{name} {n}' for name, n in counts.most_common())}")
    show_text(f"{coin} missing days: {_missing(days) or 'none'}")


def _why(day: SensorDay) -> str:
    told = f"{day.selection.step_name}: {day.selection.reasoning}"
    return f"{told} (safety degraded)" if day.selection.safety_degraded else told


def _missing(days: Sequence[SensorDay]) -> str:
    """Spans of days of which nothing is known, each with its reason."""
    spans = []
    for is_missing, group in groupby(days, key=lambda day: day.is_missing):
        run = list(group)
        if is_missing:
            names = f"{run[0].day}" if len(run) == 1 else f"{run[0].day} to {run[-1].day}"
            spans.append(f"{names} ({run[0].why_missing})")
    return ", ".join(spans)


def _record(day: SensorDay) -> dict[str, object]:
    return {
        "day": day.day,
        "underlying": day.bundle.underlying,
        "sensors": sensors_record(day.bundle),
        "selected_strategy": str(day.selection.strategy),
        "rule_index": day.selection.step_index,
        "step_name": day.selection.step_name,
        "reasoning": day.selection.reasoning,
        "safety_degraded": day.selection.safety_degraded,
        "missing_day": day.is_missing,
        **bundle_record(day.bundle),
    }


def _csv(days: Sequence[SensorDay]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_FILE_COLUMNS)
    for day in days:
        told = sensors_record(day.bundle)
        selection = day.selection
        writer.writerow(
            (
                day.day,
                day.bundle.underlying,
                *(told[name] for name in ("iv_30d", "rv_30d", *SENSORS)),
                selection.strategy,
                selection.step_index,
                selection.step_name,
                selection.safety_degraded,
                selection.reasoning,
                " ".join(day.bundle.missing_sensors),
                day.why_missing,
            )
        )
    return text.getvalue()


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is not a day: {error}") from error
