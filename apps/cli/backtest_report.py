"""A backtest in the terminal, top to bottom, and the same for JSON."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime

from attrs import asdict
from rich.console import RenderableType

from apps.cli import figures
from apps.cli.backtest_tables import (
    groups_table,
    kinds_table,
    metric_cell,
    money_table,
    section_table,
    spans_table,
)
from apps.cli.console import table
from core.backtest.inference_verdict import FEW_TRADES, edge_verdict, is_few
from core.backtest.metrics_tables import (
    Period,
    group_row,
    group_rows,
    period_rows,
    regime_rows,
)
from core.backtest.names import Numeraire, Section
from core.backtest.names_table import METRIC
from ports.backtest_runs import BacktestRun, ExitReason, Omission, RunSummary, StyleResult

_SUMMARY = (
    Section.RISK_ADJUSTED,
    Section.TRADES,
    Section.CAPITAL,
    Section.MARGIN,
    Section.RUN_UPS,
    Section.DRAWDOWNS,
    Section.OPTIONS,
    Section.VOLATILITY,
)
_OF_EQUITY = (
    Section.EQUITY,
    Section.DELTA_BENCHMARK,
    Section.ATTRIBUTION,
    Section.INFERENCE,
)
_COMPARED = (
    "total_trades",
    "net_pnl",
    "percent_profitable",
    "profit_factor",
    "cagr",
    "sharpe_annual",
    "max_drawdown_pct",
    "alpha_pct",
)


def report(
    run: BacktestRun, result: StyleResult, mode: str, breakdown: Period = Period.MONTH
) -> Iterator[RenderableType]:
    """Yield the report on *result*, top to bottom."""
    coin, metrics = run.summary.underlying, result.metrics
    yield "\n".join(heading(run.summary, result, mode))
    yield from _trade_tables(result, coin)
    yield spans_table(f"By {breakdown}", period_rows(result.trades, result.equity, breakdown), coin)
    yield spans_table("By year", period_rows(result.trades, result.equity, Period.YEAR), coin)
    yield spans_table("By regime", regime_rows(result.trades, result.equity), coin)
    yield f"SUMMARY METRICS (closed trades){_few(metrics)}"
    for section in (Section.RETURNS, Section.BENCHMARK):
        yield money_table(section, metrics, coin)
    for section in _SUMMARY:
        yield section_table(section, metrics, coin)
    if metrics.get("total_trades_puts"):
        for numeraire, name in ((Numeraire.COIN, coin), (Numeraire.USD, "USD")):
            yield kinds_table(Section.RETURNS, metrics, numeraire, name)
            yield kinds_table(Section.TRADES, metrics, numeraire, name)
    yield f"EQUITY (marked account){_few(metrics)}"
    for section in _OF_EQUITY:
        yield section_table(section, metrics, coin)
    yield "\n".join(verdict_lines(metrics))
    if len(run.results) > 1:
        yield _styles_table(run.results, coin)
    if result.omissions:
        yield omissions_table([result])


def heading(summary: RunSummary, result: StyleResult, mode: str) -> list[str]:
    """The first lines: what was run, on what, and by which code."""
    labels = [f"{name}: {text}" for name, text in summary.labels.items()]
    return [
        f"BACKTEST  {mode}",
        f"run {summary.run_id}, {summary.status}",
        f"{summary.strategy_id} on {summary.underlying}, exit style {result.exit_style}",
        f"{figures.instant(summary.start)} to {figures.instant(summary.end)} UTC, "
        f"every {summary.interval_minutes:g} min, source {summary.source}",
        *labels,
        f"seed {summary.seed}, code {summary.code_version}, trades {result.trades_hash[:12]}",
        *([f"notes: {summary.notes}"] if summary.notes else []),
    ]


def verdict_lines(metrics: dict[str, float | None]) -> list[str]:
    """Whether this may be called an edge, and everything that speaks against it."""
    verdict = edge_verdict(metrics)
    if verdict.is_edge:
        return ["EDGE: every condition is met"]
    return ["NO EDGE SHOWN", *(f"  {reason}" for reason in verdict.reasons)]


def record(run: BacktestRun, result: StyleResult, mode: str) -> dict[str, object]:
    """The report for JSON: figures under their stable keys."""
    verdict = edge_verdict(result.metrics)
    months = period_rows(result.trades, result.equity, Period.MONTH)
    return {
        "mode": mode,
        "run": asdict(run.summary),
        "exit_style": result.exit_style,
        "trades_hash": result.trades_hash,
        "metrics": result.metrics,
        "is_edge": verdict.is_edge,
        "reasons": verdict.reasons,
        "has_few_trades": is_few(result.metrics),
        "months": [asdict(row) for row in months],
        "years": [asdict(row) for row in period_rows(result.trades, result.equity, Period.YEAR)],
        "regimes": [asdict(row) for row in regime_rows(result.trades, result.equity)],
        "omissions": [asdict(each) for each in result.omissions],
    }


def _trade_tables(result: StyleResult, coin: str) -> Iterator[RenderableType]:
    closed = [each for each in result.trades if each.exit_reason is not ExitReason.LEFT_OPEN]
    left_open = [each for each in result.trades if each.exit_reason is ExitReason.LEFT_OPEN]
    coins = group_rows(closed, lambda each: each.contract.underlying)
    yield groups_table("Underlying", (*coins, group_row("TOTAL", closed)), coin)
    yield groups_table("Left open", group_rows(left_open, lambda each: each.contract.symbol), coin)
    strategies = group_rows(closed, lambda each: each.strategy_id)
    if len(strategies) > 1:
        yield groups_table("Strategy", strategies, coin)
    yield groups_table("Entry", group_rows(closed, lambda each: each.entry_reason), coin)
    yield groups_table("Exit", group_rows(closed, lambda each: each.exit_reason), coin)
    both = group_rows(closed, lambda each: f"{each.entry_reason}, {each.exit_reason}")
    yield groups_table("Entry, exit", both, coin)


def _styles_table(results: Iterable[StyleResult], coin: str) -> RenderableType:
    """The exit styles of a run side by side, a row a figure."""
    results = tuple(results)
    names = tuple(each.exit_style for each in results)
    made = table("STYLE COMPARISON", *names, numbers=names)
    for key in _COMPARED:
        metric = METRIC[key]
        for numeraire in metric.numeraires:
            unit = "" if numeraire is None else f", {coin if numeraire == 'coin' else 'USD'}"
            cells = (metric_cell(metric, each.metrics, numeraire) for each in results)
            made.add_row(f"{metric.name}{unit}", *cells)
    return made


def omissions_table(results: Iterable[StyleResult], most: int | None = None) -> RenderableType:
    """What the runs of all exit styles left out, by reason; no more than *most* of them."""
    made = table("Left out", "times", "first", numbers=("times",), whole=("first",))
    counted: Counter[Omission] = Counter()
    for result in results:
        counted |= Counter(result.omissions)  # what all styles lack is said once
    instants: dict[str, list[datetime]] = {}
    for each in counted.elements():
        instants.setdefault(f"{each.subject}: {each.reason}", []).append(each.at)
    for number, (reason, those) in enumerate(instants.items()):
        if number == most:
            rest = sum(len(each) for each in list(instants.values())[number:])
            made.add_row("others: `backtest show` has them", str(rest), "")
            break
        made.add_row(reason, str(len(those)), figures.instant(min(those)))
    return made


def _few(metrics: dict[str, float | None]) -> str:
    return f"  [fewer than {FEW_TRADES} trades: not much can be said]" if is_few(metrics) else ""
