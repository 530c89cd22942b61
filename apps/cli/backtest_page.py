"""A backtest as one HTML page with charts that needs nothing from the network."""

from html import escape
from importlib import resources

import orjson

from apps.cli import figures
from apps.cli.backtest_page_data import page_data
from apps.cli.backtest_page_tables import (
    groups_html,
    months_html,
    section_html,
    spans_html,
    strip,
)
from apps.cli.chart_page import plotly_script
from core.backtest.inference_verdict import FEW_TRADES, edge_verdict, is_few
from core.backtest.metrics_tables import Period, group_rows, period_rows, regime_rows
from core.backtest.names import Section
from ports.backtest_runs import BacktestRun, ExitReason, RunSummary, StyleResult

_OPEN = (Section.RETURNS, Section.RISK_ADJUSTED)  # unfolded from the start

_LIST_HEAD = (
    "Trade #",
    "Type",
    "Date and time",
    "Signal",
    "Price",
    "Position size",
    "Net P&L",
    "Net P&L USD",
    "Favorable excursion",
    "Adverse excursion",
    "Cumulative P&L",
)


def page(run: BacktestRun, result: StyleResult, mode: str, plotly: str | None = None) -> str:
    """Return the page of *result* under the line *mode*; *plotly* stands for its own script."""
    coin = run.summary.underlying
    title = f"{run.summary.strategy_id} on {coin}, {result.exit_style}"
    parts = [
        _heading(run.summary, result, mode, title),
        strip(result.metrics, coin),
        _switches(coin),
        _chart("equity", "Equity, and what is switched on beside it, over time."),
        _chart("drawdown", "Fall of equity from its peak in percent, over time.", "low"),
        _chart("trades-on-price", "The index, strikes while held, sales and ends of trades."),
        _measures(coin),
        _pair(
            _chart("attribution", "Sums of the parts of the P&L, over time."),
            _chart("attribution-sum", "The parts of the P&L as bars."),
        ),
        _pair(
            _chart(
                "structure", "Total profit, open P&L, total loss, commission, total P&L.", "low"
            ),
            _chart("distribution", "How many trades earned how much.", "low"),
            _chart("ranges", "Least, last and greatest of strategy and holding.", "low"),
        ),
        _win_loss(result),
        _tables(result, coin),
        _sections(result, coin),
        _list_of_trades(coin),
    ]
    return _document(title, parts, _json(page_data(result, coin)), plotly or plotly_script())


def _document(title: str, parts: list[str], data: str, plotly: str) -> str:
    assets = resources.files("apps.cli")
    style = (assets / "backtest_page.css").read_text(encoding="utf-8")
    script = (assets / "backtest_page.js").read_text(encoding="utf-8")
    body = "\n".join(parts)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>\n{style}</style>\n"
        f"<script>{plotly}</script></head>\n<body>\n<main>\n{body}\n</main>\n"
        f'<script type="application/json" id="data">{data}</script>\n'
        f"<script>\n{script}</script>\n</body></html>\n"
    )


def _heading(summary: RunSummary, result: StyleResult, mode: str, title: str) -> str:
    lines = [
        f"{figures.instant(summary.start)} to {figures.instant(summary.end)} UTC, every "
        f"{summary.interval_minutes:g} min, source {summary.source}",
        f"run {summary.run_id}, {summary.status}, seed {summary.seed}, code "
        f"{summary.code_version}, trades {result.trades_hash[:12]}",
        *([f"notes: {summary.notes}"] if summary.notes else []),
    ]
    quiet = "".join(f'<p class="quiet">{escape(line)}</p>' for line in lines)
    labels = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(text)}</dd></div>"
        for name, text in summary.labels.items()
    )
    return (
        f'<p class="mode">{escape(mode)}</p><h1>{escape(title)}</h1>{quiet}'
        f'<dl class="facts">{labels}</dl>{_verdict(result)}'
    )


def _verdict(result: StyleResult) -> str:
    verdict = edge_verdict(result.metrics)
    few = f"<p>Fewer than {FEW_TRADES} trades: not much can be said.</p>"
    reasons = "".join(f"<li>{escape(reason)}</li>" for reason in verdict.reasons)
    said = (
        "<strong>Edge: every condition is met.</strong>"
        if verdict.is_edge
        else f"<strong>No edge shown.</strong><ul>{reasons}</ul>"
    )
    return f'<div class="panel">{few if is_few(result.metrics) else ""}{said}</div>'


def _switches(coin: str) -> str:
    shown = (
        ("show-equity", "Equity", True),
        ("show-hold", "Buy &amp; hold", True),
        ("show-excursions", "Trades excursions", False),
        ("show-phases", "Run-ups and drawdowns", False),
    )
    boxes = "".join(
        f'<label><input type="checkbox" id="{name}"{" checked" if on else ""}>{text}</label>'
        for name, text, on in shown
    )
    return (
        f'<div class="panel" id="switches"><fieldset><legend>Show</legend>{boxes}</fieldset>'
        f"<fieldset><legend>In</legend>{_choice('numeraire', coin)}</fieldset>"
        "<fieldset><legend>Scale</legend>"
        '<label><input type="radio" name="scale" value="absolute" checked>absolute</label>'
        '<label><input type="radio" name="scale" value="percent">percent</label></fieldset></div>'
    )


def _measures(coin: str) -> str:
    return (
        '<div class="panel" id="measures"><fieldset><legend>P&amp;L attribution in</legend>'
        f"{_choice('measure', coin)}</fieldset></div>"
    )


def _choice(name: str, coin: str) -> str:
    return (
        f'<label><input type="radio" name="{name}" value="coin" checked>{escape(coin)}</label>'
        f'<label><input type="radio" name="{name}" value="usd">USD</label>'
    )


def _chart(name: str, told: str, size: str = "") -> str:
    return f'<div class="chart {size}" id="{name}" role="img" aria-label="{escape(told)}"></div>'


def _pair(*charts: str) -> str:
    return f'<div class="pair">{"".join(charts)}</div>'


def _win_loss(result: StyleResult) -> str:
    """TradingView's win/loss ratio as a sentence."""
    names = (("Wins", "winning"), ("Losses", "losing"), ("Break even", "even"))
    counts = [(name, result.metrics.get(f"{way}_trades_coin")) for name, way in names]
    told = ", ".join(f"{name} {count:.0f}" for name, count in counts if count is not None)
    return f"<p>Win/loss ratio: {told or '-'}</p>"


def _tables(result: StyleResult, coin: str) -> str:
    closed = [each for each in result.trades if each.exit_reason is not ExitReason.LEFT_OPEN]
    left_open = [each for each in result.trades if each.exit_reason is ExitReason.LEFT_OPEN]
    return "".join(
        [
            "<h2>Returns</h2>",
            months_html(period_rows(result.trades, result.equity, Period.MONTH), coin),
            spans_html("By year", period_rows(result.trades, result.equity, Period.YEAR), coin),
            spans_html("By regime", regime_rows(result.trades, result.equity), coin),
            "<h2>Trades by group</h2>",
            groups_html("By entry", group_rows(closed, lambda each: each.entry_reason), coin),
            groups_html("By exit", group_rows(closed, lambda each: each.exit_reason), coin),
            groups_html(
                "Left open", group_rows(left_open, lambda each: each.contract.symbol), coin
            ),
        ]
    )


def _sections(result: StyleResult, coin: str) -> str:
    made = [
        section_html(section, result.metrics, coin, is_open=section in _OPEN) for section in Section
    ]
    return f"<h2>Metrics</h2>{''.join(made)}"


def _list_of_trades(coin: str) -> str:
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in _LIST_HEAD)
    return (
        '<h2>List of trades</h2><div class="pager"><button id="newer">Newer</button>'
        '<button id="older">Older</button><span id="page"></span></div>'
        '<div class="box" tabindex="0"><table><caption class="quiet">Prices and P&amp;L in '
        f"{escape(coin)} where USD is not said; the second line of a cell is the entry</caption>"
        f'<thead><tr>{head}</tr></thead><tbody id="list"></tbody></table></div>'
        "<noscript><p>The charts and this list need JavaScript; backtest export writes the trades "
        "to a file.</p></noscript>"
    )


def _json(value: object) -> str:
    """JSON in which no text can be markup; NaN becomes null."""
    return orjson.dumps(value).decode().replace("<", "\\u003c")
