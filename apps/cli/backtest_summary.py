"""What a backtest came to, in a screen: the rule, and coin beside USD for each exit style."""

from attrs import asdict
from rich.table import Table

from apps.cli import figures
from apps.cli.backtest_tables import metric_cell, metric_name
from apps.cli.console import table
from core.backtest.inference_verdict import edge_verdict
from core.backtest.names import Metric, Numeraire
from core.backtest.names_table import METRIC
from core.backtest.settlement import settlement_error_coin
from core.backtest.trades import identity_error
from ports.backtest_runs import BacktestRun, StyleResult

_ROWS = (
    "total_pnl",
    "net_pnl",
    "mean_trade_pnl",
    "premium_collected",
    "premium_kept_pct",
    "commission_paid",
    "assignment_rate_pct",
    "percent_profitable",
    "buy_hold_return",
    "strategy_outperformance",
    "max_drawdown_pct",
    "cagr",
    "sharpe_annual",
    "alpha_pct",
)


def summary_lines(run: BacktestRun) -> list[str]:
    """The run and its rule, a line each."""
    summary = run.summary
    return [
        "",
        f"{summary.underlying}: {summary.strategy_id}, {figures.instant(summary.start)} to "
        f"{figures.instant(summary.end)} UTC, about every {summary.interval_minutes:g} min, "
        f"{summary.status}",
        *(f"  {name}: {text}" for name, text in summary.labels.items()),
        f"  seed {summary.seed}, code {summary.code_version}",
    ]


def summary_table(run: BacktestRun) -> Table:
    """A column for each exit style and numeraire."""
    coin = run.summary.underlying
    columns = [f"{result.exit_style}, {unit}" for result in run.results for unit in (coin, "USD")]
    made = table("", *columns, numbers=tuple(columns))
    for name, each in _counted(run.results):
        made.add_row(name, *(cell for text in each for cell in (text, "")))
    for key in _ROWS:
        metric = METRIC[key]
        cells = [cell for result in run.results for cell in _cells(metric, result)]
        made.add_row(metric_name(metric), *cells)
    return made


def summary_record(run: BacktestRun) -> dict[str, object]:
    """The same for JSON, every figure under its stable key."""
    return {
        "run": asdict(run.summary),
        "results": [
            {
                "exit_style": result.exit_style,
                "trades": len(result.trades),
                "trades_hash": result.trades_hash,
                "pnl_coin": sum(trade.pnl_coin for trade in result.trades),
                "pnl_usd": sum(trade.pnl_usd for trade in result.trades),
                "fees_coin": sum(trade.fees_coin for trade in result.trades),
                "settlement_error_coin": settlement_error_coin(result.trades),
                "is_edge": edge_verdict(result.metrics).is_edge,
                "metrics": result.metrics,
                "omissions": [asdict(each) for each in result.omissions],
            }
            for result in run.results
        ],
    }


def _counted(results: tuple[StyleResult, ...]) -> list[tuple[str, list[str]]]:
    """Rows that are counts or sums of trades: the same in every numeraire."""
    return [
        ("Trades", [str(len(result.trades)) for result in results]),
        ("Left out", [str(len(result.omissions)) for result in results]),
        (
            "Settlement error, coin",
            [f"{settlement_error_coin(result.trades):.6f}" for result in results],
        ),
        ("Trades hash", [result.trades_hash[:12] for result in results]),
        (
            "Identity error, coin",
            [f"{_identity(result):.1e}" for result in results],
        ),
    ]


def _identity(result: StyleResult) -> float:
    equity = result.equity
    first = float(equity.equity_coin[0]) if len(equity.at_ms) else 0.0
    return identity_error(result.trades, equity, first)


def _cells(metric: Metric, result: StyleResult) -> list[str]:
    if metric.numeraires == (None,):
        return [metric_cell(metric, result.metrics, None), ""]
    return [metric_cell(metric, result.metrics, numeraire) for numeraire in Numeraire]
