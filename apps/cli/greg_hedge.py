"""`options-agent greg hedge`: how each strategy is hedged, and what a hedge would be now."""

import asyncio

from apps.cli.console import show_json, show_table, show_text, table
from apps.cli.greg_options import figure, first_line
from apps.cli.left_out import tell_passed_over
from apps.cli.options import AsJson, ConfigFiles, Overrides, VenueKind, settings_from
from apps.settings.root import Settings
from apps.wiring.greg_book import greg_book, hedge_views
from apps.wiring.greg_params import hedge_rules_in_use
from apps.wiring.greg_records import hedge_record, hedge_rules_record
from apps.wiring.greg_rules import GregRules, greg_rules
from core.analysis.greg_view import HedgeView
from core.greg.catalogue import CATALOGUE, HedgeMode, StrategyCode
from core.greg.hedging import usd_amount
from core.simulation.perpetual import future_rules
from ports.market_data import MarketSnapshot


def command(
    as_json: AsJson = False,
    venue: VenueKind = None,
    config: ConfigFiles = None,
    overrides: Overrides = None,
) -> None:
    """
    The hedges that open positions need now, in coin and in the USD lots of the perpetual.

    A dry run: nothing is sent by it.
    """
    settings = settings_from(config, overrides, venue).settings
    rules = greg_rules(settings)
    tell_passed_over(settings)
    book = asyncio.run(greg_book(settings, rules))
    views = hedge_views(settings, rules, book)
    in_use = dict(hedge_rules_in_use(settings, rules.position))
    if as_json:
        show_json(
            {
                "ok": True,
                "dry_run": True,
                "hedge_enabled": settings.hedge.hedge_enabled,
                "hedge_instruments": {
                    coin: f"{coin}-PERPETUAL" for coin in settings.venue.underlyings
                },
                "strategies": hedge_rules_record(in_use),
                "positions_evaluated": len(views),
                "hedges_proposed": sum(view.order is not None for view in views),
                "results": [hedge_record(view) for view in views],
                "history": [],  # in memory: of this process, which has hedged nothing
                "history_count": 0,
            }
        )
        return
    show_text(first_line(settings, f"hedges by the {settings.hedge.hedge_scope}: DRY RUN"))
    _show_rules(settings, rules)
    if not views:
        show_text("no open position that is hedged")
        return
    _show(views, book.snapshots)


def _show_rules(settings: Settings, rules: GregRules) -> None:
    numbers = ("band", "every s", "on move %")
    made = table("strategy", "mode", *numbers, numbers=numbers, whole=("strategy",))
    for code, rule in hedge_rules_in_use(settings, rules.position).items():
        if code is StrategyCode.NO_TRADE:
            continue
        is_hedged = rule.mode is not HedgeMode.NONE
        made.add_row(
            CATALOGUE[code].label,
            rule.mode,
            figure(rule.band if is_hedged else None),
            figure(rule.every_s, 0),
            figure(None if rule.on_move is None else 100.0 * rule.on_move, 1),
        )
    show_table(made)


def _show(views: list[HedgeView], snapshots: dict[str, MarketSnapshot]) -> None:
    numbers = ("net delta", "band", "size coin", "USD", "after")
    made = table(
        "position",
        "net delta",
        "band",
        "side",
        "size coin",
        "USD",
        "after",
        "status",
        numbers=numbers,
        whole=("position", "status"),
    )
    for view in views:
        order = view.order
        usd = None
        if order is not None:
            lot = future_rules(view.underlying).amount_step
            usd = usd_amount(order.needed, snapshots[view.underlying].index_usd, lot)
        made.add_row(
            view.position_id,
            figure(view.net_delta, 4),
            figure(view.threshold),
            "--" if order is None else order.side,
            figure(None if order is None else order.size, 4),
            figure(usd, 0),
            figure(None if order is None else order.net_delta_after, 4),
            view.status,
        )
    show_table(made)
