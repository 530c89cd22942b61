"""`options-agent backtest health-check`: may backtests on the invented market be believed?"""

import asyncio
from datetime import timedelta
from enum import StrEnum
from typing import Annotated

import typer
from attrs import frozen

from apps.cli.backtest_options import Data, Engine, Seed, flags_of, require_past
from apps.cli.backtest_pair import invented_named, pair_record
from apps.cli.console import mode_line, show_json, show_table, show_text, table, tell
from apps.cli.exits import ExitCode
from apps.cli.options import AsJson, ConfigFiles, Overrides, settings_from
from apps.settings.kinds import Coin
from apps.settings.root import Settings
from apps.wiring.backtest_pair import (
    Invented,
    Pair,
    PairAsked,
    keep_report,
    last_full_days,
    run_pair,
)
from apps.wiring.backtest_past import Hooks
from apps.wiring.clock import system_now
from apps.wiring.database import open_runs
from core.backtest.pairing import Tolerances
from ports.backtest_runs import BacktestRuns
from ports.errors import PortError, Unavailable

_DAY = timedelta(days=1)


@frozen
class Item:
    """One of the battery: a coin, and how often its rule decides."""

    name: str
    coin: Coin
    interval: timedelta


_BATTERY = (
    Item("BTC daily", "BTC", _DAY),
    Item("BTC every 4 hours", "BTC", timedelta(hours=4)),
    Item("ETH daily", "ETH", _DAY),
)


class Status(StrEnum):
    """How a check of the battery ended."""

    SUCCESS = "success"
    SKIPPED = "skipped"  # nothing was recorded of it
    FAILED = "failed"


@frozen(kw_only=True, eq=False)
class Check:
    """One check: the pair where it ran, and why it did not or what is wrong with it."""

    name: str
    status: Status
    reason: str = ""
    pair: Pair | None = None


def command(
    data: Data = None,
    days: Annotated[int, typer.Option(min=1, help="The last full days that were recorded.")] = 70,
    engine: Engine = "fast",
    seed: Seed = None,
    against: Annotated[
        str, typer.Option(help="The invented market: universe, or synthetic.")
    ] = "universe",
    as_json: AsJson = False,
    config: ConfigFiles = None,
    overrides: Overrides = None,
) -> None:
    """
    Run the rule on recorded and invented chains: BTC daily and every 4 hours, ETH daily.

    A check fails where a side never trades or the days are too few; it is skipped where nothing
    was recorded. The report is kept as JSON in health_checks of the data folder. Ends with 0 if
    any check succeeded or was skipped, else with 1.
    """
    given = {**locals(), "market": "recorded"}  # the options by name
    settings = settings_from(config, [*flags_of(given), *(overrides or [])]).settings
    require_past(settings)
    checks = asyncio.run(_run_all(settings, invented_named(against), days))
    now = system_now()
    record = {
        "at": now.isoformat(),
        "mode": mode_line(settings),
        "against": against,
        "days": days,
        "checks": [_record(check) for check in checks],
    }
    if as_json:
        show_json(record)
    else:
        show_text(f"HEALTH CHECK  {mode_line(settings)}")
        _show(checks)
    tell(f"wrote {keep_report(settings, now, record)}")
    if all(check.status is Status.FAILED for check in checks):
        raise typer.Exit(ExitCode.FAILED)


async def _run_all(settings: Settings, market: Invented, days: int) -> list[Check]:
    async with open_runs(settings) as runs:
        return [await _check(item, settings, market, days, runs) for item in _BATTERY]


async def _check(
    item: Item, settings: Settings, market: Invented, days: int, runs: BacktestRuns
) -> Check:
    name = item.name
    try:
        asked = PairAsked(
            settings=await last_full_days(settings, item.coin, days),
            coin=item.coin,
            invented=market,
            interval=item.interval,
            tolerances=Tolerances(),
        )
        pair = await run_pair(asked, runs, Hooks())
    except Unavailable as error:
        return Check(name=name, status=Status.SKIPPED, reason=str(error))
    except (PortError, ValueError) as error:
        return Check(name=name, status=Status.FAILED, reason=str(error))
    failure = pair.report.failure
    status = Status.FAILED if failure else Status.SUCCESS
    return Check(name=name, status=status, reason=failure, pair=pair)


def _record(check: Check) -> dict[str, object]:
    return {
        "name": check.name,
        "status": check.status,
        "reason": check.reason,
        "pair": None if check.pair is None else pair_record(check.pair),
    }


def _show(checks: list[Check]) -> None:
    numbers = ("score", "bp a week")
    made = table("check", "status", "verdict", *numbers, "", numbers=numbers)
    for check in checks:
        if check.pair is None:
            made.add_row(check.name, check.status, "", "", "", check.reason)
            continue
        report = check.pair.report
        weekly = report.weekly_bp
        told = (
            "" if weekly is None else f"{weekly.value:+.1f} [{weekly.low:+.1f}, {weekly.high:+.1f}]"
        )
        notes = "; ".join(filter(None, (report.failure, *report.warnings)))
        made.add_row(check.name, check.status, report.verdict, f"{report.score:.2f}", told, notes)
    show_table(made)
