"""`options-agent greg smoke`: the environment matrix and every strategy through five moves."""

import asyncio
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

import typer

from apps.cli.book_view import end
from apps.cli.console import show_json, show_table, show_text, table
from apps.cli.exits import ExitCode
from apps.cli.greg_options import figure, first_line
from apps.cli.options import AsJson, ConfigFiles, Overrides, VenueKind, settings_from
from apps.settings.root import Settings
from apps.wiring.book import place_of
from apps.wiring.clock import system_now
from apps.wiring.greg_params import hedge_rules_in_use
from apps.wiring.greg_records import regime_record, smoke_record
from apps.wiring.greg_rules import GregRules, greg_rules
from apps.wiring.inspection import inspected_desk
from core.analysis.greg_environments import CORE, RegimeResult, regime_results
from core.analysis.greg_smoke import SPOT_USD, SmokeRules, SmokeStrategy, flat_market, smoke_test
from core.greg.catalogue import CATALOGUE
from core.greg.hedging import HedgeOrder
from ports.market_data import MarketSnapshot


class SmokeMarket(StrEnum):
    """What positions are opened on."""

    FLAT = "flat"  # one volatility about --spot
    VENUE = "venue"  # the chain of the venue in the settings


def command(
    underlying: Annotated[str, typer.Option("--underlying", metavar="BTC|ETH")] = "BTC",
    env_only: Annotated[bool, typer.Option("--env-only", help="The matrix alone.")] = False,
    strategies_only: Annotated[
        bool, typer.Option("--strategies-only", help="The strategies alone.")
    ] = False,
    spot: Annotated[
        float | None,
        typer.Option("--spot", metavar="USD", min=1.0, max=1e9, help="Of the flat market."),
    ] = None,
    on: Annotated[
        SmokeMarket, typer.Option("--market", help="An invented flat one, or the venue's chain.")
    ] = SmokeMarket.FLAT,
    dry_run: Annotated[  # noqa: ARG001
        bool, typer.Option("--dry-run", help="It always is: nothing is sent.")
    ] = True,
    as_json: AsJson = False,
    venue: VenueKind = None,
    config: ConfigFiles = None,
    overrides: Overrides = None,
) -> None:
    """
    Whether the engines say what they must: 1 unless every market and every strategy is as it
    should be.

    Nothing is sent and nothing is kept.
    """
    if underlying not in SPOT_USD:
        end(f"{underlying} is neither of {', '.join(SPOT_USD)}", ExitCode.MISUSE)
    if env_only and strategies_only:
        end("--env-only and --strategies-only leave nothing to check", ExitCode.MISUSE)
    settings = settings_from(config, overrides, venue).settings
    rules = greg_rules(settings)
    run_id = f"SMOKE_{system_now():%Y%m%dT%H%M%SZ}"
    regimes = () if strategies_only else regime_results(rules.shipped)
    tried: Sequence[SmokeStrategy] = ()
    if not env_only:
        tried = _tried(settings, rules, _market(settings, underlying, spot, on), run_id)
    is_green = all(each.matches for each in regimes) and all(each.opened for each in tried)
    if as_json:
        environments = [regime_record(each) for each in regimes]
        strategies = [smoke_record(each) for each in tried]
        about = {"ok": is_green, "test_run_id": run_id, "underlying": underlying, "dry_run": True}
        show_json({**about, "environments": environments, "strategies": strategies})
    else:
        show_text(first_line(settings, f"smoke {underlying} {on} DRY RUN", run_id))
        _show_regimes(regimes)
        _show_strategies(tried)
    if not is_green:
        raise typer.Exit(ExitCode.FAILED)


def _market(
    settings: Settings, underlying: str, spot: float | None, on: SmokeMarket
) -> MarketSnapshot:
    if on is SmokeMarket.FLAT:
        return flat_market(underlying, spot or SPOT_USD[underlying], system_now())

    async def read() -> MarketSnapshot:
        async with inspected_desk(settings, place_of(settings)) as desk:
            return await desk.world.market.snapshot(underlying)

    return asyncio.run(read())


def _tried(
    settings: Settings, rules: GregRules, seen: MarketSnapshot, run_id: str
) -> tuple[SmokeStrategy, ...]:
    smoke_rules = SmokeRules(
        position=rules.position,
        hedges=hedge_rules_in_use(settings, rules.position),
        windows=rules.shipped.windows,
    )
    return smoke_test(seen, smoke_rules, run_id)


def _show_regimes(results: Sequence[RegimeResult]) -> None:
    if not results:
        return
    made = table("environment", "expected", "found", "step", "", whole=("environment",))
    for each in results:
        made.add_row(
            each.regime.name,
            each.regime.expected,
            each.found,
            f"{each.step_index} {each.step_name}",
            "ok" if each.matches else "WRONG",
        )
    show_table(made)
    core = sum(each.matches for each in results[: len(CORE)])
    whole = sum(each.matches for each in results)
    show_text(f"environments: core {core}/{len(CORE)}, extended {whole}/{len(results)}")


def _show_strategies(tried: Sequence[SmokeStrategy]) -> None:
    if not tried:
        return
    numbers = ("hedges", "exits")
    made = table(
        "strategy", "opened", *numbers, "errors", "moves", numbers=numbers, whole=("strategy",)
    )
    for each in tried:
        made.add_row(
            CATALOGUE[each.code].label,
            "yes" if each.opened else "NO",
            str(sum(step.hedge is not None for step in each.steps)),
            str(sum(step.is_exit for step in each.steps)),
            each.error or "none",
            "; ".join(
                f"{100 * step.move:+.0f} % {step.action}{_hedge(step.hedge)}" for step in each.steps
            ),
        )
    show_table(made)
    show_text(f"strategies: {sum(each.opened for each in tried)}/{len(tried)} opened")


def _hedge(order: HedgeOrder | None) -> str:
    if order is None:
        return ""
    before, after = figure(order.net_delta_before), figure(order.net_delta_after)
    return f" ({order.side} {order.size:.2f}: {before} to {after})"
