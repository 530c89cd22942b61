"""Figures and tables of a backtest as terminal, page and comparison show them."""

from collections.abc import Iterable, Mapping
from math import nan

from rich.table import Table

from apps.cli import figures
from apps.cli.console import table
from core.backtest.metrics_tables import GroupRow, SpanRow
from core.backtest.names import Kind, Metric, Numeraire, Section, Unit
from core.backtest.names_table import of_section

Metrics = Mapping[str, float | None]


def metric_text(unit: Unit, numeraire: Numeraire | None, value: float | None) -> str:
    """*value* as it is read; a dash where it is undefined."""
    number = nan if value is None else value
    if unit is Unit.MONEY:
        return (figures.coin if numeraire is Numeraire.COIN else figures.usd)(number)
    if unit is Unit.AMOUNT:
        return _amount(numeraire, number)
    return figures.decimals(number, _PLACES[unit])


def metric_cell(
    metric: Metric, metrics: Metrics, numeraire: Numeraire | None, kind: Kind = Kind.ALL
) -> str:
    """One figure of *metric*, with its bounds below it where they are known."""
    key = metric.stored(numeraire, kind)
    text = metric_text(metric.unit, numeraire, metrics.get(key))
    bounds = bounds_text(metric, metrics, numeraire)
    return f"{text}\n{bounds}" if bounds and kind is Kind.ALL else text


def bounds_text(metric: Metric, metrics: Metrics, numeraire: Numeraire | None) -> str:
    """The bounds of a figure in brackets; empty where they are not known."""
    key = metric.stored(numeraire)
    low, high = metrics.get(f"{key}_low"), metrics.get(f"{key}_high")
    if low is None or high is None:
        return ""
    first, second = (metric_text(metric.unit, numeraire, each) for each in (low, high))
    return f"[{first}, {second}]"


def metric_name(metric: Metric) -> str:
    """The printed name, with the unit where the name does not say it."""
    says_so = "%" in metric.name or "percent" in metric.name.lower()
    return metric.name if says_so else metric.name + _ENDINGS.get(metric.unit, "")


def section_table(section: Section, metrics: Metrics, underlying: str) -> Table:
    """The figures of all trades: coin beside USD, and alone what is the same in both."""
    made = table(section, underlying, "USD", numbers=(underlying, "USD"))
    for metric in of_section(section):
        if metric.numeraires == (None,):
            made.add_row(metric_name(metric), metric_cell(metric, metrics, None), "")
        else:
            cells = [metric_cell(metric, metrics, numeraire) for numeraire in Numeraire]
            made.add_row(metric_name(metric), *cells)
    return made


def money_table(section: Section, metrics: Metrics, underlying: str) -> Table:
    """As section_table, with each sum of money in percent of the initial capital behind it."""
    numbers = (underlying, f"{underlying} %", "USD", "USD %")
    made = table(section, *numbers, numbers=numbers)
    for metric in of_section(section):
        cells = []
        for numeraire in Numeraire:
            cells += [
                metric_cell(metric, metrics, numeraire),
                capital_pct(metric, metrics, numeraire),
            ]
        made.add_row(metric_name(metric), *cells)
    return made


def capital_pct(metric: Metric, metrics: Metrics, numeraire: Numeraire) -> str:
    """A sum of money in percent of the initial capital; empty for other figures."""
    if metric.unit not in (Unit.MONEY, Unit.AMOUNT):
        return ""
    value = metrics.get(metric.stored(numeraire))
    capital = metrics.get(f"initial_capital_{numeraire}")
    return _number(100.0 * value / capital if value is not None and capital else None, 2)


def kinds_table(section: Section, metrics: Metrics, numeraire: Numeraire, unit_name: str) -> Table:
    """The figures of *section* that differ by kind: all, calls, puts, in one numeraire."""
    titles = tuple(kind.capitalize() for kind in Kind)
    made = table(f"{section}, {unit_name}", *titles, numbers=titles)
    for metric in of_section(section):
        if len(metric.kinds) > 1:
            cells = [metric_cell(metric, metrics, numeraire, kind) for kind in metric.kinds]
            made.add_row(metric_name(metric), *cells)
    return made


def groups_table(title: str, rows: Iterable[GroupRow], underlying: str) -> Table:
    """Groups of trades, a row each."""
    numbers = ("Trades", "Avg P&L %", underlying, "USD", "Days", "W/D/L", "Win %")
    made = table(title, *numbers, numbers=numbers)
    made.padding = (0, 0, 0, 0)  # so that a screen of 80 columns holds it
    for row in rows:
        made.add_row(
            row.name,
            str(row.trades),
            _number(row.avg_pnl_pct, 2),
            figures.coin(row.net_coin),
            figures.usd(row.net_usd),
            _number(row.avg_days, 1),
            f"{row.wins}/{row.draws}/{row.losses}",
            _number(row.win_pct, 1),
        )
    return made


def spans_table(title: str, rows: Iterable[SpanRow], underlying: str) -> Table:
    """Parts of the run, a row each: closed trades, and returns of the marked account."""
    returns = (f"{underlying} %", "USD %", "index %", "fall %", "Sharpe")
    numbers = ("Trades", underlying, "USD", *returns)
    made = table(title, *numbers, numbers=numbers)
    made.padding = (0, 0, 0, 0)
    for row in rows:
        made.add_row(
            row.name,
            str(row.trades),
            figures.coin(row.net_coin),
            figures.usd(row.net_usd),
            _number(row.return_coin_pct, 1),
            _number(row.return_usd_pct, 1),
            _number(row.index_pct, 1),
            _number(row.drawdown_coin_pct, 1),
            _number(row.sharpe_coin, 1),
        )
    return made


def _number(value: float | None, places: int) -> str:
    return figures.decimals(nan if value is None else value, places)


def _amount(numeraire: Numeraire | None, number: float) -> str:
    if numeraire is Numeraire.COIN:
        return figures.decimals(number, 6)
    return figures.index(number)


_PLACES = {
    Unit.PERCENT: 2,
    Unit.RATIO: 3,
    Unit.COUNT: 0,
    Unit.BARS: 1,
    Unit.DAYS: 1,
    Unit.YEARS: 2,
    Unit.POINTS: 1,
    Unit.PROBABILITY: 3,
}
_ENDINGS = {Unit.PERCENT: ", %", Unit.DAYS: ", days", Unit.POINTS: ", points"}
