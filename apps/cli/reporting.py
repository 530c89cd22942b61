"""The report of a run, as tables or JSON."""

from collections.abc import Mapping

from cattrs import unstructure
from rich.table import Table

from apps.cli import figures
from apps.cli.console import mode_line, show_json, show_table, show_text, table
from apps.settings.root import Settings
from core.analysis.trading_report import TradingReport
from ports.positions import Wealth


def show_report(report: TradingReport, settings: Settings, as_json: bool) -> None:
    """Print *report*."""
    if as_json:
        show_json(unstructure(report, TradingReport) | {"mode": mode_line(settings)})
        return
    show_text("")
    show_text(f"REPORT  {report.first_at} to {report.last_at}  {mode_line(settings)}")
    show_table(_earnings(report))
    show_table(wealth_table(report.wealth))
    show_text(
        f"decisions {report.decisions}, deliveries {report.deliveries}, "
        f"of them in the money {report.deliveries_in_the_money}"
    )
    for title, counts in (
        ("actions", report.actions),
        ("decisions by reason", report.reasons),
        ("refused by control", report.refusals),
        ("candidates passed over", report.skips),
        ("orders ended", report.orders),
        ("rolls", report.rolls),
    ):
        show_text(f"{title}: {_counts(counts)}")


def _earnings(report: TradingReport) -> Table:
    numbers = ("sold", "bought back", "paid off", "fees", "still held", "P&L")
    made = table("strategy", "coin", "in", "positions", *numbers, numbers=("positions", *numbers))
    for each in report.earnings:
        positions = f"{each.positions} ({each.open_positions} open)"
        made.add_row(
            each.strategy_id,
            each.underlying,
            each.underlying,
            positions,
            *_coin(
                each.premium_sold_coin,
                each.bought_back_coin,
                each.paid_off_coin,
                each.fees_coin,
                each.held_coin,
                each.pnl_coin,
            ),
        )
        made.add_row(
            "",
            "",
            "USD",
            "",
            *_usd(each.premium_sold_usd, each.bought_back_usd, each.paid_off_usd, each.fees_usd),
            "",
            "",
        )
    return made


def wealth_table(by_coin: Mapping[str, Wealth]) -> Table:
    """Equity of each coin and where its change came from, in coin and in USD."""
    numbers = ("equity", "P&L", "of coin", "of options", "of hedges", "of fees", "of others")
    made = table("coin", "in", *numbers, numbers=numbers)
    for underlying, wealth in by_coin.items():
        made.add_row(
            underlying,
            underlying,
            *_coin(wealth.equity_coin, wealth.total_coin),
            "",
            *_coin(wealth.option_coin, wealth.hedge_coin, wealth.fees_coin, wealth.other_coin),
        )
        equity_usd = wealth.equity_coin * wealth.index_usd
        made.add_row(
            "",
            "USD",
            *_usd(
                equity_usd,
                wealth.total_usd,
                wealth.coin_usd,
                wealth.option_usd,
                wealth.hedge_usd,
                wealth.fees_usd,
                wealth.other_usd,
            ),
        )
    return made


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items()) or "none"


def _coin(*amounts: float) -> list[str]:
    return [figures.coin(amount) for amount in amounts]


def _usd(*amounts: float) -> list[str]:
    return [figures.usd(amount) for amount in amounts]
