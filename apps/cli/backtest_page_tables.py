"""Tables of a backtest page as HTML that reads without a script."""

from collections.abc import Iterable, Sequence
from html import escape
from math import isnan

from apps.cli import figures
from apps.cli.backtest_tables import (
    Metrics,
    bounds_text,
    capital_pct,
    metric_name,
    metric_text,
)
from core.backtest.metrics_tables import GroupRow, SpanRow
from core.backtest.names import Kind, Metric, Numeraire, Section, Unit
from core.backtest.names_table import of_section

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_FULL_COLOUR_PCT = 10.0  # a monthly return from which the ground is darkest


def gain_text(text: str, value: float | None) -> str:
    """*text* with the sign of *value* as an arrow, a word for the ear, and a colour."""
    if value is None or isnan(value) or value == 0.0:
        return escape(text)
    way, arrow = ("gain", "▲") if value > 0.0 else ("loss", "▼")
    return f'<span class="{way}">{arrow} {escape(text)}<span class="hidden"> {way}</span></span>'


def strip(metrics: Metrics, underlying: str) -> str:
    """The five figures that are always in view."""
    total = [_money("total_pnl", metrics, numeraire) for numeraire in Numeraire]
    falls = [_plain("max_drawdown_intrabar", metrics, numeraire) for numeraire in Numeraire]
    wins = _plain("winning_trades", metrics, Numeraire.COIN, Unit.COUNT)
    trades = metric_text(Unit.COUNT, None, metrics.get("total_trades"))
    share = _plain("percent_profitable", metrics, Numeraire.COIN, Unit.PERCENT)
    factors = [_plain("profit_factor", metrics, each, Unit.RATIO) for each in Numeraire]
    boxes = (
        ("Total P&L", f"{total[0]} {underlying}", f"{total[1]} USD"),
        ("Max equity drawdown", f"{falls[0]} {underlying}", f"{falls[1]} USD"),
        ("Total trades", trades, "closed"),
        ("Profitable trades", f"{share} %", f"{wins} of {trades}"),
        ("Profit factor", f"{factors[0]} {underlying}", f"{factors[1]} USD"),
    )
    made = "".join(
        f'<div class="panel"><dt>{escape(name)}</dt><dd>{first}</dd><dd>{second}</dd></div>'
        for name, first, second in boxes
    )
    return f'<dl class="strip">{made}</dl>'


def section_html(section: Section, metrics: Metrics, underlying: str, *, is_open: bool) -> str:
    """One folding section: all trades, and calls and puts where both were sold."""
    kinds = tuple(Kind) if metrics.get("total_trades_puts") else (Kind.ALL,)
    head = ["", *(f"{kind.capitalize()} {unit}" for kind in kinds for unit in (underlying, "USD"))]
    if kinds == (Kind.ALL,):
        head = ["", underlying, "USD"]
    rows = []
    for metric in of_section(section):
        cells = [cell for kind in kinds for cell in _cells(metric, metrics, kind)]
        rows.append((escape(metric_name(metric)), cells))
    opened = " open" if is_open else ""
    body = table_html(section, head, rows).replace("<caption>", '<caption class="hidden">')
    return f"<details{opened}><summary>{escape(section)}</summary>{body}</details>"


def months_html(rows: Sequence[SpanRow], underlying: str) -> str:
    """Monthly returns of the marked account, a row a year, in coin and in USD."""
    return "".join(
        _months(rows, f"Monthly return in {name}, %", numeraire)
        for numeraire, name in ((Numeraire.COIN, underlying), (Numeraire.USD, "USD"))
    )


def spans_html(title: str, rows: Sequence[SpanRow], underlying: str) -> str:
    """Parts of the run, a row each."""
    head = [
        "",
        "Trades",
        f"Net P&L {underlying}",
        "Net P&L USD",
        f"{underlying} %",
        "USD %",
        "Index %",
        f"Drawdown {underlying} %",
        "Sharpe",
    ]
    body = []
    for row in rows:
        money = [
            gain_text(figures.coin(row.net_coin), row.net_coin),
            gain_text(figures.usd(row.net_usd), row.net_usd),
        ]
        shares = (row.return_coin_pct, row.return_usd_pct, row.index_pct)
        rest = [_number(each) for each in (*shares, row.drawdown_coin_pct, row.sharpe_coin)]
        body.append((escape(row.name), [str(row.trades), *money, *rest]))
    return table_html(title, head, body)


def groups_html(title: str, rows: Sequence[GroupRow], underlying: str) -> str:
    """Groups of trades, a row each."""
    head = ["", "Trades", "Avg P&L %", f"Net P&L {underlying}", "Net P&L USD", "Avg days"]
    body = [
        (
            escape(row.name),
            [
                str(row.trades),
                _number(row.avg_pnl_pct),
                gain_text(figures.coin(row.net_coin), row.net_coin),
                gain_text(figures.usd(row.net_usd), row.net_usd),
                _number(row.avg_days),
                f"{row.wins} {row.draws} {row.losses}",
                _number(row.win_pct),
            ],
        )
        for row in rows
    ]
    return table_html(title, [*head, "Win Draw Loss", "Win %"], body)


def table_html(title: str, head: Sequence[str], rows: Iterable[tuple[str, Sequence[str]]]) -> str:
    """A table with a caption and scoped headers; the cells of *rows* are HTML already."""
    columns = "".join(f'<th scope="col" class="number">{escape(each)}</th>' for each in head)
    body = "".join(
        f'<tr><th scope="row">{name}</th>{"".join(_wrapped(cell) for cell in cells)}</tr>'
        for name, cells in rows
    )
    return (
        f'<div class="box" tabindex="0"><table><caption>{escape(title)}</caption>'
        f"<thead><tr>{columns}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _wrapped(cell: str) -> str:
    return cell if cell.startswith("<td") else f"<td>{cell}</td>"


def _cells(metric: Metric, metrics: Metrics, kind: Kind) -> list[str]:
    """The figures of one kind in coin and USD; one cell over both where they are the same."""
    if kind not in metric.kinds:
        return ['<td colspan="2"></td>']
    if metric.numeraires == (None,):
        return [f'<td colspan="2">{_figure(metric, metrics, None, kind)}</td>']
    return [f"<td>{_figure(metric, metrics, each, kind)}</td>" for each in Numeraire]


def _figure(metric: Metric, metrics: Metrics, numeraire: Numeraire | None, kind: Kind) -> str:
    """One figure with its share of the capital or its bounds below it."""
    value = metrics.get(metric.stored(numeraire, kind))
    text = metric_text(metric.unit, numeraire, value)
    shown = gain_text(text, value) if metric.unit is Unit.MONEY else escape(text)
    if kind is not Kind.ALL:
        return shown
    below = bounds_text(metric, metrics, numeraire)
    if metric.section is Section.RETURNS and numeraire is not None:
        share = capital_pct(metric, metrics, numeraire)
        below = f"{share} %" if share else ""
    return f"{shown}<small>{escape(below)}</small>" if below else shown


def _months(rows: Sequence[SpanRow], title: str, numeraire: Numeraire) -> str:
    is_coin = numeraire is Numeraire.COIN
    by_name = {each.name: each.return_coin_pct if is_coin else each.return_usd_pct for each in rows}
    body = []
    for year in sorted({name[:4] for name in by_name}):
        found = [by_name.get(f"{year}-{month:02d}") for month in range(1, 13)]
        body.append((year, [_shaded(each) for each in (*found, _joined(found))]))
    return table_html(title, ["", *_MONTHS, "Year"], body)


def _joined(returns_pct: Iterable[float | None]) -> float | None:
    """The return over all of them, of those that are known."""
    grown, count = 1.0, 0
    for each in returns_pct:
        if each is not None:
            grown, count = grown * (1.0 + each / 100.0), count + 1
    return 100.0 * (grown - 1.0) if count else None


def _shaded(value: float | None) -> str:
    if value is None:
        return "<td></td>"
    way = "gain" if value >= 0.0 else "loss"
    much = 5 + round(40 * min(abs(value) / _FULL_COLOUR_PCT, 1.0))
    return f'<td class="{way}-ground" style="--much:{much}%">{value:+.1f}</td>'


def _money(key: str, metrics: Metrics, numeraire: Numeraire) -> str:
    value = metrics.get(f"{key}_{numeraire}")
    return gain_text(metric_text(Unit.MONEY, numeraire, value), value)


def _plain(key: str, metrics: Metrics, numeraire: Numeraire, unit: Unit = Unit.AMOUNT) -> str:
    return metric_text(unit, numeraire, metrics.get(f"{key}_{numeraire}"))


def _number(value: float | None) -> str:
    return "-" if value is None else figures.decimals(value, 2)
